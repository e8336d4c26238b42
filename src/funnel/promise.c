/*
 * promise.c
 *	  Reading and writing promises in time: "within 4 working hours", "by end
 *	  of next working day", "warn after 3 working hours".
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "funnel/draft.h"

typedef struct TimeUnit
{
	const char *singular;
	const char *plural;
	int64		microseconds;
	bool		can_work;		/* may "working" precede it? */
} TimeUnit;

static const TimeUnit time_units[] = {
	{"minute", "minutes", USECS_PER_MINUTE, true},
	{"hour", "hours", USECS_PER_HOUR, true},
	{"day", "days", USECS_PER_DAY, false},
	{"week", "weeks", 7 * USECS_PER_DAY, false},
};

/*
 * True if a due clause is next.  "within" begins one only before a number,
 * "by" only before "end of"; otherwise each may be the name of a stage.
 */
bool
align_funnel_due_follows(TextScan *scan)
{
	TextScan	ahead = *scan;

	if (align_scan_take_word(&ahead, "within"))
	{
		align_scan_space(&ahead);
		return *ahead.cur >= '0' && *ahead.cur <= '9';
	}
	return align_scan_take_word(&ahead, "by") &&
		align_scan_take_word(&ahead, "end") &&
		align_scan_take_word(&ahead, "of");
}

/*
 * True if a warning is next.  "warn" begins one only before "after".
 */
bool
align_funnel_warn_follows(TextScan *scan)
{
	TextScan	ahead = *scan;

	return align_scan_take_word(&ahead, "warn") && align_scan_take_word(&ahead, "after");
}

/*
 * N [working] minutes|hours|days|weeks
 */
static bool
ScanDuration(TextScan *scan, bool *working, int64 *amount)
{
	const char *at;
	const char *unit_at;
	const TimeUnit *unit = NULL;
	uint64		n;

	align_scan_space(scan);
	at = scan->cur;
	if (!align_scan_uint(scan, "whole number", PG_INT64_MAX, &n))
		return false;
	/* report decimals here: the error would otherwise be about the unit */
	if (*scan->cur == '.' || *scan->cur == ',')
		return align_scan_expected(scan, "whole number of minutes, hours, days or weeks",
								   "Use a smaller unit, as \"90 minutes\" for an hour and a half.");

	align_scan_space(scan);
	unit_at = scan->cur;
	*working = align_scan_take_word(scan, "working");
	for (int i = 0; i < (int) lengthof(time_units) && unit == NULL; i++)
	{
		if (align_scan_take_word(scan, time_units[i].singular) ||
			align_scan_take_word(scan, time_units[i].plural))
			unit = &time_units[i];
	}
	if (unit == NULL)
		return align_scan_expected(scan, *working ? "minutes or hours" :
								   "minutes, hours, days or weeks, or \"working\" before one of the first two",
								   NULL);
	if (*working && !unit->can_work)
		return align_scan_fail_code(scan, ERRCODE_INVALID_PARAMETER_VALUE, unit_at,
									psprintf("Working days differ in length, so \"working %s\" is not a measure of time.",
											 unit->plural),
									"Write a number of working hours, or \"by end of next working day\".",
									"promise in working %s", unit->plural);
	if (n == 0)
		return align_scan_fail_code(scan, ERRCODE_INVALID_PARAMETER_VALUE, at, NULL,
									"The shortest time is one minute.",
									"time of zero");
	/* compare in units, so that the product cannot overflow */
	if (n > (uint64) (FUNNEL_MAX_DAYS * USECS_PER_DAY / unit->microseconds))
		return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, at,
									psprintf("The longest time is %d days.", FUNNEL_MAX_DAYS),
									NULL, "time out of range");
	*amount = (int64) n * unit->microseconds;
	return true;
}

/*
 * The two letters after the digits of an ordinal number.
 */
static const char *
OrdinalSuffix(int64 n)
{
	if (n % 100 >= 11 && n % 100 <= 13)
		return "th";
	switch (n % 10)
	{
		case 1:
			return "st";
		case 2:
			return "nd";
		case 3:
			return "rd";
		default:
			return "th";
	}
}

/*
 * [the] [same | next | 2nd | 3rd ...] working day
 */
static bool
ScanWorkingDay(TextScan *scan, int64 *day)
{
	(void) align_scan_take_word(scan, "the");
	align_scan_space(scan);
	if (*scan->cur >= '0' && *scan->cur <= '9')
	{
		const char *at = scan->cur;
		const char *suffix;
		uint64		n;

		if (!align_scan_uint(scan, "number of working days", FUNNEL_MAX_WORKING_DAYS, &n))
			return false;
		suffix = OrdinalSuffix((int64) n);
		if (n == 0 || pg_strncasecmp(scan->cur, suffix, 2) != 0)
			return align_scan_fail(scan, at, NULL,
								   "Working days are counted from the next one: 1st, 2nd, 3rd, 4th.",
								   "expected \"same\", \"next\" or an ordinal number");
		scan->cur += 2;
		*day = (int64) n;
	}
	else if (align_scan_take_word(scan, "next"))
		*day = 1;
	else
	{
		(void) align_scan_take_word(scan, "same");
		*day = 0;
	}
	if (align_scan_take_word(scan, "working") && align_scan_take_word(scan, "day"))
		return true;
	return align_scan_expected(scan, "\"working day\"",
							   "Write \"by end of the same working day\", \"by end of next working day\" or \"by end of 2nd working day\".");
}

/*
 * within ... | by end of ...
 */
bool
align_funnel_scan_due(TextScan *scan, DraftPromise *promise)
{
	bool		working = false;

	align_scan_space(scan);
	promise->due_at = scan->cur;
	if (align_scan_take_word(scan, "within"))
	{
		if (!ScanDuration(scan, &working, &promise->promise.amount))
			return false;
		promise->promise.kind = working ? DUE_WORKING : DUE_ELAPSED;
		return true;
	}
	if (align_scan_take_word(scan, "by"))
	{
		promise->promise.kind = DUE_END_OF_DAY;
		return align_scan_expect_word(scan, "end") &&
			align_scan_expect_word(scan, "of") &&
			ScanWorkingDay(scan, &promise->promise.amount);
	}
	return align_scan_expected(scan, "\"within\" or \"by end of\"",
							   "Write, for example, \"within 4 working hours\", \"within 2 days\" or \"by end of next working day\".");
}

/*
 * warn after ...
 */
bool
align_funnel_scan_warn(TextScan *scan, DraftPromise *promise)
{
	align_scan_space(scan);
	promise->warn_at = scan->cur;
	return align_scan_expect_word(scan, "warn") &&
		align_scan_expect_word(scan, "after") &&
		ScanDuration(scan, &promise->warn_working, &promise->promise.warn);
}

/*
 * within ..., of a target: plain elapsed time only
 */
bool
align_funnel_scan_window(TextScan *scan, int64 *within)
{
	bool		working;
	const char *at;

	if (!align_scan_expect_word(scan, "within"))
		return false;
	align_scan_space(scan);
	at = scan->cur;
	if (!ScanDuration(scan, &working, within))
		return false;
	if (working)
		return align_scan_fail_code(scan, ERRCODE_INVALID_PARAMETER_VALUE, at,
									"The window of a conversion is plain elapsed time.",
									"Leave out \"working\".",
									"target in working time");
	return true;
}

/*
 * "2 days": in the largest unit of which the amount is a multiple, except
 * weeks.
 */
static void
WriteDuration(StringInfo out, int64 amount, bool working)
{
	const char *unit;
	int64		n;

	if (!working && amount % USECS_PER_DAY == 0)
	{
		n = amount / USECS_PER_DAY;
		unit = "day";
	}
	else if (amount % USECS_PER_HOUR == 0)
	{
		n = amount / USECS_PER_HOUR;
		unit = "hour";
	}
	else
	{
		n = amount / USECS_PER_MINUTE;
		unit = "minute";
	}
	appendStringInfo(out, INT64_FORMAT " %s%s%s", n, working ? "working " : "", unit,
					 n == 1 ? "" : "s");
}

/*
 * When a promise is due; NULL if it is not.
 */
char *
align_promise_text(const Promise *promise)
{
	StringInfoData out;

	if (promise->kind == DUE_NONE)
		return NULL;
	initStringInfo(&out);
	if (promise->kind != DUE_END_OF_DAY)
		WriteDuration(&out, promise->amount, promise->kind == DUE_WORKING);
	else if (promise->amount == 0)
		appendStringInfoString(&out, "end of the same working day");
	else if (promise->amount == 1)
		appendStringInfoString(&out, "end of next working day");
	else
		appendStringInfo(&out, "end of " INT64_FORMAT "%s working day",
						 promise->amount, OrdinalSuffix(promise->amount));
	return out.data;
}

/*
 * When to warn; NULL if there is no warning.
 */
char *
align_warn_text(const Promise *promise)
{
	StringInfoData out;

	if (promise->warn < 0)
		return NULL;
	initStringInfo(&out);
	WriteDuration(&out, promise->warn, promise->kind != DUE_ELAPSED);
	return out.data;
}

/*
 * A window of time; NULL if it is negative.
 */
char *
align_window_text(int64 within)
{
	StringInfoData out;

	if (within < 0)
		return NULL;
	initStringInfo(&out);
	WriteDuration(&out, within, false);
	return out.data;
}
