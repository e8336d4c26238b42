/*
 * window.c
 *	  Windows of elapsed time, and of the calendar of a time zone.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/datetime.h"

#include "matching/matching.h"

StepWindow
align_no_window(void)
{
	StepWindow	window = {0};

	return window;
}

StepWindow
align_elapsed_window(int64 time)
{
	StepWindow	window = {.limited = true,.time = time};

	return window;
}

/*
 * Add months and days in a zone, as the operator timestamptz + interval does
 * in the zone of the session.  False if the result is out of range.
 */
static bool
AddCalendar(const StepWindow *window, TimestampTz *at)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	int64		months;
	int			day;

	if (window->months == 0 && window->days == 0)
		return true;
	if (timestamp2tm(*at, &tz, &tm, &fsec, NULL, window->zone) != 0)
		return false;
	months = (int64) tm.tm_mon - 1 + window->months;
	if (tm.tm_year + months / MONTHS_PER_YEAR > JULIAN_MAXYEAR)
		return false;
	tm.tm_year += months / MONTHS_PER_YEAR;
	tm.tm_mon = months % MONTHS_PER_YEAR + 1;
	tm.tm_mday = Min(tm.tm_mday, day_tab[isleap(tm.tm_year)][tm.tm_mon - 1]);

	/*
	 * PostgreSQL goes through the zone after the months and again after the
	 * days.
	 */
	if (window->months != 0)
	{
		tz = DetermineTimeZoneOffset(&tm, window->zone);
		if (tm2timestamp(&tm, fsec, &tz, at) != 0)
			return false;
		if (window->days == 0)
			return true;
		if (timestamp2tm(*at, &tz, &tm, &fsec, NULL, window->zone) != 0)
			return false;
	}
	if (pg_add_s32_overflow(date2j(tm.tm_year, tm.tm_mon, tm.tm_mday), window->days, &day) ||
		day < 0)
		return false;
	j2date(day, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tz = DetermineTimeZoneOffset(&tm, window->zone);
	return tm2timestamp(&tm, fsec, &tz, at) == 0;
}

TimestampTz
align_window_end(const StepWindow *window, TimestampTz from)
{
	TimestampTz end = from;

	if (!window->limited ||
		(window->zone != NULL && !AddCalendar(window, &end)) ||
		pg_add_s64_overflow(end, window->time, &end) ||
		!IS_VALID_TIMESTAMP(end))
		return DT_NOEND;
	return end;
}
