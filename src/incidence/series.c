/*
 * series.c
 *	  How many cases at which time: exact times with counts.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "incidence/series.h"

#define FIRST_ROOM 4

#define ST_SORT SortTimes
#define ST_ELEMENT_TYPE TimeCount
#define ST_COMPARE(a, b) ((a)->at < (b)->at ? -1 : (a)->at > (b)->at)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

void
align_series_compact(TimeSeries *series)
{
	TimeCount  *to;

	if (series->nsorted == series->n)
		return;
	SortTimes(series->items, series->n);
	to = series->items;
	for (TimeCount *from = to + 1; from < series->items + series->n; from++)
	{
		if (from->at == to->at)
			to->count += from->count;
		else
			*++to = *from;
	}
	series->n = series->nsorted = (int) (to - series->items) + 1;
}

/*
 * Compact a full series, and give it more memory unless that has made room for
 * as many items as are left: then sorting is rare.
 */
static void
MakeRoom(TimeSeries *series, MemoryContext context)
{
	if (series->items == NULL)
	{
		series->room = FIRST_ROOM;
		series->items = MemoryContextAlloc(context, FIRST_ROOM * sizeof(TimeCount));
		return;
	}
	align_series_compact(series);
	if (series->n > series->room / 2)
	{
		series->room *= 2;
		series->items = repalloc_huge(series->items, series->room * sizeof(TimeCount));
	}
}

void
align_series_append(TimeSeries *series, MemoryContext context, int64 at, int64 count)
{
	if (series->n == series->room)
		MakeRoom(series, context);
	if (series->nsorted == series->n && (series->n == 0 || series->items[series->n - 1].at < at))
		series->nsorted++;
	series->items[series->n].at = at;
	series->items[series->n].count = count;
	series->n++;
}
