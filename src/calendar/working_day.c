/*
 * working_day.c
 *	  Working days: the local dates that have open time, and when they close.
 *
 * Days are found by walking the rules from date to date, not in the tables,
 * which no longer know to which date an interval belongs.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "calendar/tables.h"

#define ZONE_MARGIN_SECS (4 * SECS_PER_DAY)

/*
 * The local date at an instant, as a day number.
 */
static int
LocalDate(Calendar *calendar, TimestampTz at)
{
	int64		seconds = FloorDivide(at, USECS_PER_SEC);

	align_zone_segments(calendar, seconds, seconds + 1);
	return (int) FloorDivide(seconds + calendar->segments.segment[0].offset, SECS_PER_DAY);
}

/*
 * When does a local date close for the last time?  False if it is no working
 * day: it has no span, or all of them fall into a gap of the clock.  *contains
 * says whether "at" lies in one of its spans.
 */
static bool
ClosingTime(Calendar *calendar, int day, TimestampTz at, TimestampTz *close, bool *contains)
{
	const DaySpans *open = align_calendar_day(calendar, day);
	int64		midnight = (int64) day * SECS_PER_DAY;
	bool		result = false;

	*contains = false;
	if (open->n == 0)
		return false;
	align_zone_segments(calendar, midnight - ZONE_MARGIN_SECS, midnight + 2 * ZONE_MARGIN_SECS);
	for (int i = 0; i < open->n; i++)
	{
		int64		start = align_local_to_utc(&calendar->segments,
											   midnight + open->span[i].start * SECS_PER_MINUTE);
		int64		end = align_local_to_utc(&calendar->segments,
											 midnight + open->span[i].end * SECS_PER_MINUTE);

		if (start >= end)
			continue;
		/* the very last dates close beyond the range of timestamps */
		if (end >= END_TIMESTAMP / USECS_PER_SEC)
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("timestamp out of range")));
		*close = end * USECS_PER_SEC;
		if (FloorDivide(at, USECS_PER_SEC) >= start && at < *close)
			*contains = true;
		result = true;
	}
	return result;
}

TimestampTz
align_end_of_working_day(Calendar *calendar, TimestampTz at, int n)
{
	static const int nearby[] = {0, -1, 1};
	TimestampTz close = 0;
	bool		contains;
	int			today;
	int			day;
	int			give_up;

	align_calendar_check_time(at);
	if (n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of working days must not be negative")));

	/*
	 * The working day of "at" is that of the span it lies in.  Its local date
	 * may be the one before (an overnight span) or the one after (a clock set
	 * back over midnight, which reads the old date again).
	 */
	today = LocalDate(calendar, at);
	day = today;
	for (size_t i = 0; i < lengthof(nearby); i++)
	{
		(void) ClosingTime(calendar, today + nearby[i], at, &close, &contains);
		if (contains)
		{
			if (n == 0)
				return close;
			day = today + nearby[i];
			break;
		}
	}

	/* the day itself counts only if n is 0, and if it has yet to close */
	if (n > 0)
		day++;
	else
		n = 1;

	/* if nothing opens in 400 years without fixed dates, nothing ever will */
	give_up = Max(day, FUTURE_START * BLOCK_DAYS) + CYCLE_DAYS;
	for (;; day++)
	{
		if ((day & 1023) == 0)
			CHECK_FOR_INTERRUPTS();
		if (ClosingTime(calendar, day, at, &close, &contains) && close > at)
		{
			if (--n == 0)
				return close;
			give_up = Max(day, FUTURE_START * BLOCK_DAYS) + CYCLE_DAYS;
		}
		if (day == give_up)
			align_calendar_fail_closed(calendar, true);
	}
}
