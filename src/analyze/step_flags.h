/*
 * step_flags.h
 *	  VARIADIC boolean[] arguments that say which steps a row matches.
 */
#ifndef ALIGN_ANALYZE_STEP_FLAGS_H
#define ALIGN_ANALYZE_STEP_FLAGS_H

#include "postgres.h"

#include "compat.h"
#include "utils/array.h"

/* The argument, which is rarely stored in a table, and so rarely packed. */
static inline const ArrayType *
align_step_flags_arg(Datum datum)
{
	if (likely(!VARATT_IS_EXTENDED(DatumGetPointer(datum))))
		return (const ArrayType *) DatumGetPointer(datum);
	return DatumGetArrayTypeP(datum);
}

/*
 * The steps that are true, bit i for element i, from 0; NULL is false.
 *
 * The array is read where it is, since this is done for every row.
 */
extern uint64 align_step_flags_checked(const ArrayType *flags, int *nsteps);

static inline uint64
align_step_flags(const ArrayType *flags, int *nsteps)
{
	const char *values = ARR_DATA_PTR(flags);
	uint64		steps = 0;

	if (unlikely(ARR_NDIM(flags) != 1 || ARR_HASNULL(flags) || ARR_DIMS(flags)[0] > 64))
		return align_step_flags_checked(flags, nsteps);
	*nsteps = ARR_DIMS(flags)[0];
	for (int i = 0; i < *nsteps; i++)
		steps |= (uint64) (values[i] != 0) << i;
	return steps;
}

#endif							/* ALIGN_ANALYZE_STEP_FLAGS_H */
