/*
 * working_day.c
 *	  Working days: the local dates that have open time, and when they close.
 *
 * The block tables do not record to which date an open interval belongs, so
 * working days are found from the rules, date by date.  Only the dates near
 * the result are visited: those between are counted by block, and by cycle of
 * 400 years.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "calendar/tables.h"

/*
 * How far the UTC times of a local date can be from that date, with a wide
 * margin for clocks that once were set a whole day back or forth.
 */
#define ZONE_MARGIN_DAYS 4
#define ZONE_MARGIN_SECS (ZONE_MARGIN_DAYS * SECS_PER_DAY)

/* The day number of the date on which the range of timestamps ends. */
#define END_DAY ((int) (END_TIMESTAMP / USECS_PER_DAY))

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
 * The UTC bounds of a span of a local date, in seconds since 2000-01-01.
 * Returns false if the span is empty because the local clock skips it.
 * calendar->segments must cover the date.
 */
static bool
SpanBounds(const Calendar *calendar, int day, const DaySpan *span, int64 *start, int64 *end)
{
	int64		midnight = (int64) day * SECS_PER_DAY;

	*start = align_local_to_utc(&calendar->segments, midnight + span->start * SECS_PER_MINUTE);
	*end = align_local_to_utc(&calendar->segments, midnight + span->end * SECS_PER_MINUTE);
	return *start < *end;
}

/*
 * True if a local date has open time.  calendar->segments must cover the date.
 */
static bool
IsWorkingDay(const Calendar *calendar, int day)
{
	const DaySpans *open = align_calendar_day(calendar, day);
	int64		start;
	int64		end;

	for (int i = 0; i < open->n; i++)
	{
		if (SpanBounds(calendar, day, &open->span[i], &start, &end))
			return true;
	}
	return false;
}

/*
 * Number of working days among the BLOCK_DAYS local dates from "first" on.
 */
static int
CountBlock(Calendar *calendar, int first)
{
	const ZoneSegments *segments = &calendar->segments;
	int			end = first + BLOCK_DAYS;
	int			checked = first;
	int			result = 0;

	for (int day = first; day < end; day++)
		result += align_calendar_day(calendar, day)->n > 0;

	/*
	 * Take off the dates whose spans the local clock skips.  Such a span lies
	 * in the gap between the readings before and after a change of the
	 * offset, so only dates that touch a gap need a look.
	 */
	align_zone_segments(calendar, first * (int64) SECS_PER_DAY - ZONE_MARGIN_SECS,
						end * (int64) SECS_PER_DAY + ZONE_MARGIN_SECS);
	for (int i = 1; i < segments->n; i++)
	{
		int64		change = segments->segment[i].start;
		int64		gap_start = change + segments->segment[i - 1].offset;
		int64		gap_end = change + segments->segment[i].offset;
		int			last = (int) FloorDivide(gap_end, SECS_PER_DAY);

		if (gap_end <= gap_start)
			continue;
		checked = Max(checked, (int) FloorDivide(gap_start, SECS_PER_DAY));
		for (; checked <= last && checked < end; checked++)
		{
			if (align_calendar_day(calendar, checked)->n > 0 && !IsWorkingDay(calendar, checked))
				result--;
		}
	}
	return result;
}

/*
 * Number of working days in the 400 years from "first" on.
 */
static int
CountCycle(Calendar *calendar, int first)
{
	int			result = 0;

	for (int block = 0; block < CYCLE_BLOCKS; block++)
	{
		CHECK_FOR_INTERRUPTS();
		result += CountBlock(calendar, first + block * BLOCK_DAYS);
	}
	return result;
}

/*
 * Skips dates from *day on, and subtracts their working days from *n, until *n
 * is at least 1 and at most BLOCK_DAYS.  Returns CALENDAR_OPEN unless the
 * calendar has fewer working days than that, or the nth lies outside the range
 * of timestamps.
 */
static CalendarLimit
SkipWorkingDays(Calendar *calendar, int *day, int *n)
{
	bool		in_future = false;
	int			cycle;
	int			ncycles;

	/* whole cycles of the past, up to the dates that occur only once */
	ncycles = (PAST_END * BLOCK_DAYS - *day) / CYCLE_DAYS;
	if (ncycles > 0)
	{
		cycle = CountCycle(calendar, *day);
		if (cycle > 0)
			ncycles = Min(ncycles, (*n - 1) / cycle);
		*day += ncycles * CYCLE_DAYS;
		*n -= ncycles * cycle;
	}

	while (*n > BLOCK_DAYS)
	{
		CHECK_FOR_INTERRUPTS();

		/* whole cycles of the future, once: less than one remains */
		if (!in_future && *day >= FUTURE_START * BLOCK_DAYS)
		{
			in_future = true;
			cycle = CountCycle(calendar, *day);
			if (cycle == 0)
				return CALENDAR_CLOSED;
			ncycles = (*n - 1) / cycle;
			if (ncycles > (END_DAY - *day) / CYCLE_DAYS)
				return CALENDAR_OUT_OF_RANGE;
			*day += ncycles * CYCLE_DAYS;
			*n -= ncycles * cycle;
			continue;
		}
		*n -= CountBlock(calendar, *day);
		*day += BLOCK_DAYS;
	}
	return CALENDAR_OPEN;
}

/*
 * The last closing time of a local date, DT_NOEND if it lies outside the range
 * of timestamps.  Returns false if the date is no working day.  *contains is
 * set to whether "at" lies in one of its spans.
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
		int64		start;
		int64		end;

		if (!SpanBounds(calendar, day, &open->span[i], &start, &end))
			continue;
		*close = end < END_TIMESTAMP / USECS_PER_SEC ? end * USECS_PER_SEC : DT_NOEND;
		if (FloorDivide(at, USECS_PER_SEC) >= start && at < *close)
			*contains = true;
		result = true;
	}
	return result;
}

static inline CalendarLimit
InRange(TimestampTz close)
{
	return close == DT_NOEND ? CALENDAR_OUT_OF_RANGE : CALENDAR_OPEN;
}

CalendarLimit
align_try_end_of_working_day(Calendar *calendar, TimestampTz at, int n, TimestampTz *close)
{
	static const int nearby[] = {0, -1, 1};
	bool		contains;
	int			today;
	int			day;
	int			closed_days = 0;

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
		(void) ClosingTime(calendar, today + nearby[i], at, close, &contains);
		if (contains)
		{
			if (n == 0)
				return InRange(*close);
			day = today + nearby[i];
			break;
		}
	}

	/* the day itself counts only if n is 0, and if it has yet to close */
	if (n > 0)
		day++;
	else
		n = 1;

	for (;; day++)
	{
		/*
		 * Where a clock is set back over midnight, tomorrow may have closed
		 * before "at"; all later dates close after it, so they can be counted
		 * without looking at the time.
		 */
		if (n > BLOCK_DAYS && day > today + 1)
		{
			CalendarLimit limit = SkipWorkingDays(calendar, &day, &n);

			if (limit != CALENDAR_OPEN)
				return limit;
		}

		if (ClosingTime(calendar, day, at, close, &contains) && *close > at)
		{
			if (--n == 0)
				return InRange(*close);
			closed_days = 0;
		}
		else if (++closed_days % YEAR_DAYS == 0)
		{
			/* after a year without a working day, is there another at all? */
			CHECK_FOR_INTERRUPTS();
			if (day > END_DAY)
				return CALENDAR_OUT_OF_RANGE;
			if (!align_calendar_opens_after(calendar, (day - ZONE_MARGIN_DAYS) * USECS_PER_DAY))
				return CALENDAR_CLOSED;
		}
	}
}

TimestampTz
align_end_of_working_day(Calendar *calendar, TimestampTz at, int n)
{
	TimestampTz close = 0;

	switch (align_try_end_of_working_day(calendar, at, n, &close))
	{
		case CALENDAR_OPEN:
			break;
		case CALENDAR_CLOSED:
			align_calendar_fail_closed(calendar, true);
		case CALENDAR_OUT_OF_RANGE:
			align_calendar_fail_range();
	}
	return close;
}
