/*
 * conditions.h
 *	  Arguments of aggregates over the rows of an event table.
 */
#ifndef ALIGN_CONDITIONS_H
#define ALIGN_CONDITIONS_H

#include "compat.h"

#include "utils/array.h"
#include "utils/timestamp.h"

#define MAX_CONDITIONS 64

/* Raise an error unless the time of an event is finite. */
static inline void
align_check_event_time(TimestampTz at)
{
	if (unlikely(TIMESTAMP_NOT_FINITE(at)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time of an event must be finite"),
				 errdetail("Events are ordered by time.")));
}

/*
 * The conditions that hold, and their number: bit i stands for element i of an
 * array of boolean.  A NULL element does not hold.  Reads the array in place.
 */
static inline uint64
align_read_conditions(ArrayType *array, int *nconditions)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const char *data = ARR_DATA_PTR(array);
	const bits8 *valid = ARR_NULLBITMAP(array);
	uint64		result = 0;

	if (unlikely(n > MAX_CONDITIONS))
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_ARGUMENTS),
				 errmsg("an event has at most %d conditions", MAX_CONDITIONS)));
	*nconditions = n;
	if (likely(valid == NULL))
	{
		for (int i = 0; i < n; i++)
			result |= (uint64) (data[i] != 0) << i;
		return result;
	}
	for (int i = 0; i < n; i++)
	{
		if (valid[i / 8] & (1 << (i % 8)))
			result |= (uint64) (*data++ != 0) << i;
	}
	return result;
}

#endif							/* ALIGN_CONDITIONS_H */
