/*
 * times.h
 *	  Histograms of a process as columns of a row.
 */
#ifndef ALIGN_PROCESS_TIMES_H
#define ALIGN_PROCESS_TIMES_H

#include "process/process.h"

/* The columns of elapsed or of working times, in this order. */
enum
{
	TIMES_MEAN,
	TIMES_MEDIAN,
	TIMES_P90,
	TIMES_TOTAL_SECONDS,
	TIMES_NCOLUMNS
};

/*
 * Set the columns from a histogram: intervals of days of 24 hours and the
 * rest, or of hours and smaller units for working time, and a numeric.  All
 * are NULL if it has no durations.
 */
extern void align_times_columns(Histogram *histogram, bool working, Datum *values, bool *nulls);

/* An exact sum of microseconds in seconds, as numeric. */
extern Datum align_seconds_datum(uint128 microseconds);

/*
 * Append a duration, rounded to two units, as in "2 d 3 h".  Working time has
 * no days.
 */
extern void align_write_duration(StringInfo out, uint64 microseconds, bool working);

#endif							/* ALIGN_PROCESS_TIMES_H */
