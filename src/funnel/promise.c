/*
 * promise.c
 *	  Reading and writing promises in time: "within 4 working hours", "by end
 *	  of next working day", "warn after 3 working hours", "warn 1 hour before".
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
 * True if a warning is next.  "warn" begins one only before "after" or a
 * number.
 */
bool
align_funnel_warn_follows(TextScan *scan)
{
	TextScan	ahead = *scan;

	if (!align_scan_take_word(&ahead, "warn"))
		return false;
	align_scan_space(&ahead);
	return (*ahead.cur >= '0' && *ahead.cur <= '9') || align_scan_take_word(&ahead, "after");
}

/*
 * N [working] minutes|hours|days|weeks
 *
 * Working days are no measure of time; they are only read if days is not NULL,
 * which is then set to their number, otherwise to 0.
 */
static bool
ScanDuration(TextScan *scan, bool *working, int64 *amount, int64 *days)
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
	if (days != NULL)
		*days = *working && unit->microseconds == USECS_PER_DAY ? (int64) n : 0;
	if (*working && !unit->can_work && (days == NULL || unit->microseconds != USECS_PER_DAY))
		return align_scan_fail_code(scan, ERRCODE_INVALID_PARAMETER_VALUE, unit_at,
									psprintf("Working days differ in length, so \"working %s\" is not a measure of time.",
											 unit->plural),
									"Write a number of working hours, or \"by end of next working day\".",
									"promise in working %s", unit->plural);
	if (n == 0)
		return align_scan_fail_code(scan, ERRCODE_INVALID_PARAMETER_VALUE, at, NULL,
									"The shortest time is one minute.",
									"time of zero");
	if (days != NULL && *days > 0)
	{
		if (n > FUNNEL_MAX_WORKING_DAYS)
			return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, at,
										psprintf("The longest time is %d working days.",
												 FUNNEL_MAX_WORKING_DAYS),
										NULL, "time out of range");
		return true;
	}
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
 *
 * "within N working days" is by end of the Nth working day.
 */
bool
align_funnel_scan_due(TextScan *scan, Promise *promise)
{
	bool		working = false;
	int64		days;

	if (align_scan_take_word(scan, "within"))
	{
		if (!ScanDuration(scan, &working, &promise->amount, &days))
			return false;
		promise->kind = working ? DUE_WORKING : DUE_ELAPSED;
		if (days > 0)
		{
			promise->kind = DUE_END_OF_DAY;
			promise->amount = days;
		}
		return true;
	}
	if (align_scan_take_word(scan, "by"))
	{
		promise->kind = DUE_END_OF_DAY;
		return align_scan_expect_word(scan, "end") &&
			align_scan_expect_word(scan, "of") &&
			ScanWorkingDay(scan, &promise->amount);
	}
	return align_scan_expected(scan, "\"within\" or \"by end of\"",
							   "Write, for example, \"within 4 working hours\", \"within 2 days\" or \"by end of next working day\".");
}

/*
 * warn after ... | warn ... before
 */
bool
align_funnel_scan_warn(TextScan *scan, DraftPromise *promise)
{
	align_scan_space(scan);
	promise->warn_at = scan->cur;
	if (!align_scan_expect_word(scan, "warn"))
		return false;
	align_scan_space(scan);
	promise->promise.warn_before = *scan->cur >= '0' && *scan->cur <= '9';
	if (!promise->promise.warn_before && !align_scan_take_word(scan, "after"))
		return align_scan_expected(scan, "\"after\" or a number",
								   "Write, for example, \"warn after 3 working hours\" or \"warn 1 working hour before\".");
	if (!ScanDuration(scan, &promise->warn_working, &promise->promise.warn, NULL))
		return false;
	return !promise->promise.warn_before || align_scan_expect_word(scan, "before");
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
	if (!ScanDuration(scan, &working, within, NULL))
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
 * When a service level is due, with its promises to segments; NULL if it is
 * not.
 */
char *
align_due_text(const Funnel *funnel, const ServiceLevel *level)
{
	StringInfoData out;

	if (level->nsegment_promises == 0)
		return align_promise_text(&level->promise);
	initStringInfo(&out);
	for (int i = 0; i < level->nsegment_promises; i++)
	{
		const SegmentPromise *to_segment = &level->segment_promises[i];
		const char *segment = funnel->segments[to_segment->segment].name;

		appendStringInfo(&out, "%s when ", align_promise_text(&to_segment->promise));
		align_write_name(&out, segment, strlen(segment));
		appendStringInfoString(&out, ", ");
	}
	appendStringInfoString(&out, align_promise_text(&level->promise));
	return out.data;
}

/*
 * The clause "within ..." or "by end of ...".
 */
void
align_write_due(StringInfo out, const Promise *promise)
{
	appendStringInfo(out, "%s %s", promise->kind == DUE_END_OF_DAY ? "by" : "within",
					 align_promise_text(promise));
}

/*
 * The clause "warn ..." with the comma before it; nothing if there is no
 * warning.
 */
void
align_write_warn(StringInfo out, const Promise *promise)
{
	if (promise->warn >= 0)
		appendStringInfo(out, ", warn %s%s", promise->warn_before ? "" : "after ",
						 align_warn_text(promise));
}

/*
 * The promise to a lead of which these segments hold: that to the first of
 * its promises' segments that holds, else the common one.
 */
const Promise *
align_promise_to(const ServiceLevel *level, SegmentMask segments)
{
	for (int i = 0; i < level->nsegment_promises; i++)
	{
		if (segments & SEGMENT_BIT(level->segment_promises[i].segment))
			return &level->segment_promises[i].promise;
	}
	return &level->promise;
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
	if (promise->warn_before)
		appendStringInfoString(&out, " before");
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
