/*
 * series.h
 *	  How many cases at which time: exact times with counts.
 *
 * Items are appended, and sorted and merged only when the memory is full or
 * the series is read.  So n additions cost O(n log n) in any order, and the
 * memory is bounded by the number of distinct times, not of cases.
 */
#ifndef ALIGN_INCIDENCE_SERIES_H
#define ALIGN_INCIDENCE_SERIES_H

#include "postgres.h"

typedef struct TimeCount
{
	int64		at;				/* microseconds after the origin, >= 0 */
	int64		count;			/* > 0 */
} TimeCount;

/* All zero is an empty series. */
typedef struct TimeSeries
{
	TimeCount  *items;
	int			n;
	int			room;
	int			nsorted;		/* so many items ascend, without repetition */
} TimeSeries;

/* Append when the last item is another one or the memory is full. */
extern void align_series_append(TimeSeries *series, MemoryContext context, int64 at,
								int64 count);

/* Sort the items and merge those of equal time. */
extern void align_series_compact(TimeSeries *series);

/*
 * Add cases; items are allocated in context.  The caller makes sure that the
 * counts of all series together fit a bigint.
 */
static inline void
align_series_add(TimeSeries *series, MemoryContext context, int64 at, int64 count)
{
	if (series->n > 0 && series->items[series->n - 1].at == at)
		series->items[series->n - 1].count += count;
	else
		align_series_append(series, context, at, count);
}

#endif							/* ALIGN_INCIDENCE_SERIES_H */
