/*
 * time_text.c
 *	  Timestamps in the text forms: UTC, ISO 8601, independent of settings.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "time_text.h"

/*
 * Read up to max_digits digits; false if there are fewer than min_digits.
 */
static bool
ScanFixed(TextScan *scan, int min_digits, int max_digits, int *value)
{
	int			digits = 0;
	int			result = 0;

	while (digits < max_digits && scan->cur[0] >= '0' && scan->cur[0] <= '9')
	{
		result = result * 10 + (*scan->cur++ - '0');
		digits++;
	}
	*value = result;
	return digits >= min_digits;
}

static bool
ScanChar(TextScan *scan, char c)
{
	if (*scan->cur != c)
		return false;
	scan->cur++;
	return true;
}

/*
 * Read an offset from UTC, "Z" or +HH[[:]MM], in seconds east.
 */
static bool
ScanOffset(TextScan *scan, int *seconds)
{
	int			sign = *scan->cur == '-' ? -1 : 1;
	int			hours;
	int			minutes = 0;

	*seconds = 0;
	if (ScanChar(scan, 'Z') || ScanChar(scan, 'z'))
		return true;
	if (!ScanChar(scan, '+') && !ScanChar(scan, '-'))
		return false;
	if (!ScanFixed(scan, 2, 2, &hours))
		return false;
	if (ScanChar(scan, ':') || (*scan->cur >= '0' && *scan->cur <= '9'))
	{
		if (!ScanFixed(scan, 2, 2, &minutes))
			return false;
	}
	if (hours > MAX_TZDISP_HOUR || minutes >= MINS_PER_HOUR)
		return false;
	*seconds = sign * (hours * SECS_PER_HOUR + minutes * SECS_PER_MINUTE);
	return true;
}

bool
align_scan_time(TextScan *scan, TimestampTz *result)
{
	const char *at;
	bool		negative;
	int			year,
				month,
				day,
				hour,
				minute,
				second = 0,
				micros = 0,
				offset;
	int64		days;
	int64		time;

	align_scan_space(scan);
	at = scan->cur;
	negative = ScanChar(scan, '-');
	if (!ScanFixed(scan, 4, 6, &year) || !ScanChar(scan, '-') ||
		!ScanFixed(scan, 2, 2, &month) || !ScanChar(scan, '-') ||
		!ScanFixed(scan, 2, 2, &day) ||
		!(ScanChar(scan, 'T') || ScanChar(scan, ' ')) ||
		!ScanFixed(scan, 2, 2, &hour) || !ScanChar(scan, ':') ||
		!ScanFixed(scan, 2, 2, &minute))
		goto malformed;
	if (ScanChar(scan, ':'))
	{
		if (!ScanFixed(scan, 2, 2, &second))
			goto malformed;
		if (ScanChar(scan, '.'))
		{
			const char *fraction = scan->cur;

			if (!ScanFixed(scan, 1, 6, &micros))
				goto malformed;
			for (int digits = scan->cur - fraction; digits < 6; digits++)
				micros *= 10;
		}
	}
	if (!ScanOffset(scan, &offset))
		goto malformed;

	if (negative)
		year = -year;
	if (month < 1 || month > MONTHS_PER_YEAR ||
		day < 1 || day > day_tab[isleap(year)][month - 1] ||
		hour >= HOURS_PER_DAY || minute >= MINS_PER_HOUR || second >= SECS_PER_MINUTE)
		return align_scan_fail_code(scan, ERRCODE_DATETIME_FIELD_OVERFLOW, at, NULL, NULL,
									"no such date or time");
	if (!IS_VALID_JULIAN(year, month, day))
		goto out_of_range;
	days = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
	time = ((hour * MINS_PER_HOUR + minute) * SECS_PER_MINUTE + second - offset) *
		USECS_PER_SEC + micros;
	/* the Julian check bounds the days, but not their microseconds */
	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &days) ||
		pg_add_s64_overflow(days, time, result) ||
		!IS_VALID_TIMESTAMP(*result))
		goto out_of_range;
	return true;

malformed:
	return align_scan_fail(scan, at, NULL, "Write it as 2026-03-01T09:00:00Z.",
						   "expected a time");

out_of_range:
	return align_scan_fail_code(scan, ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, at, NULL, NULL,
								"time out of range");
}

void
align_write_time(StringInfo out, TimestampTz time)
{
	int64		days = time / USECS_PER_DAY;
	int64		rest = time % USECS_PER_DAY;
	int			year,
				month,
				day;
	int			seconds;

	Assert(!TIMESTAMP_NOT_FINITE(time));

	/* C division truncates; the time of day must not be negative */
	if (rest < 0)
	{
		rest += USECS_PER_DAY;
		days--;
	}
	j2date((int) days + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	seconds = (int) (rest / USECS_PER_SEC);
	rest %= USECS_PER_SEC;

	appendStringInfo(out, "%s%04d-%02d-%02dT%02d:%02d:%02d",
					 year < 0 ? "-" : "", abs(year), month, day,
					 seconds / SECS_PER_HOUR, seconds / SECS_PER_MINUTE % MINS_PER_HOUR,
					 seconds % SECS_PER_MINUTE);
	if (rest != 0)
	{
		appendStringInfo(out, ".%06d", (int) rest);
		while (out->data[out->len - 1] == '0')
			out->data[--out->len] = '\0';
	}
	appendStringInfoChar(out, 'Z');
}

char *
align_time_text(TimestampTz time)
{
	StringInfoData text;

	if (TIMESTAMP_NOT_FINITE(time))
		return pstrdup(time < 0 ? "-infinity" : "infinity");
	initStringInfo(&text);
	align_write_time(&text, time);
	return text.data;
}
