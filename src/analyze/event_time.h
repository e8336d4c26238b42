/*
 * event_time.h
 *	  The time of a row, for aggregates that order their rows by it.
 */
#ifndef ALIGN_ANALYZE_EVENT_TIME_H
#define ALIGN_ANALYZE_EVENT_TIME_H

#include "compat.h"

#include "utils/timestamp.h"

/* Raise an error unless the time is finite. */
static inline void
align_check_event_time(TimestampTz at)
{
	if (unlikely(TIMESTAMP_NOT_FINITE(at)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time of an event must be finite"),
				 errdetail("Events are ordered by time.")));
}

#endif							/* ALIGN_ANALYZE_EVENT_TIME_H */
