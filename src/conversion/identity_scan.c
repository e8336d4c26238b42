/*
 * identity_scan.c
 *	  Reads the identity at the beginning of the text form of a conversion.
 *
 *	  identity	 := "steps" "(" step {"," step} ")" "mode" word {"," word}
 *					["within" limit] ["gaps" "(" gap {"," gap} ")"]
 *					["zone" name] ["exclude" names] ["passages"]
 *				  | "funnel" fingerprint names
 *	  step		 := name {"|" name} ["?"]
 *	  gap		 := limit | "none"
 *	  limit		 := number unit {number unit}
 *	  names		 := "(" name {"," name} ")"
 *
 * Months, and days of a calendar, need a zone; without one a day is 24 hours.
 */
#include "postgres.h"

#include "common/int.h"

#include "conversion/conversion.h"

typedef struct TimeUnit
{
	const char *name;
	const char *one;
	int64		microseconds;
} TimeUnit;

static const TimeUnit time_units[] = {
	{"hours", "hour", USECS_PER_HOUR},
	{"minutes", "minute", USECS_PER_MINUTE},
	{"seconds", "second", USECS_PER_SEC},
	{"microseconds", "microsecond", 1},
};

static bool
TooManySteps(TextScan *scan, const char *at)
{
	return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, at,
								psprintf("A conversion has at most %d steps.",
										 CONVERSION_MAX_STEPS),
								NULL, "too many steps");
}

/*
 * Append a name to an array that has room for max of them.
 */
static bool
ScanOneName(TextScan *scan, const char *what, int max, LeadString *names, int *n)
{
	ScanName	name;

	if (!align_scan_name(scan, what, &name))
		return false;
	if (*n == max)
		return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, name.at,
									psprintf("The limit is %d.", max), NULL, "too many names");
	names[*n].text = name.text;
	names[*n].len = name.len;
	(*n)++;
	return true;
}

/*
 * The success path of a funnel.
 */
static bool
ScanPath(TextScan *scan, ConversionIdentity *identity)
{
	const char *path_at;

	align_scan_space(scan);
	path_at = scan->cur;
	identity->names = palloc(CONVERSION_MAX_STEPS * sizeof(LeadString));
	if (!align_scan_expect(scan, "("))
		return false;
	do
	{
		int			n = identity->nsteps;
		const char *at;

		align_scan_space(scan);
		at = scan->cur;
		if (n == CONVERSION_MAX_STEPS && align_scan_peek_name(scan))
			return TooManySteps(scan, at);
		if (!ScanOneName(scan, "step name", CONVERSION_MAX_STEPS, identity->names,
						 &identity->nsteps))
			return false;
		if (align_name_repeats(identity->names, n, identity->names[n]))
			return align_scan_fail(scan, at,
								   "No stage occurs twice on the success path of a funnel.",
								   NULL, "repeated step");
	} while (align_scan_take(scan, ","));
	if (!align_scan_expect(scan, ")"))
		return false;
	if (identity->nsteps < 2)
		return align_scan_fail(scan, path_at,
							   "The success path of a funnel has at least two stages.",
							   NULL, "too few steps");
	return true;
}

static bool
ScanSteps(TextScan *scan, StepList *list)
{
	list->steps = palloc(CONVERSION_MAX_STEPS * sizeof(Step));
	if (!align_scan_expect(scan, "("))
		return false;
	do
	{
		Step	   *step = &list->steps[list->nsteps];
		LeadString	stages[STEP_MAX_STAGES];
		int			n = 0;
		const char *at;

		align_scan_space(scan);
		at = scan->cur;
		if (list->nsteps == CONVERSION_MAX_STEPS && align_scan_peek_name(scan))
			return TooManySteps(scan, at);
		do
		{
			if (!ScanOneName(scan, "step name", STEP_MAX_STAGES, stages, &n))
				return false;
		} while (align_scan_take(scan, "|"));
		step->nstages = n;
		step->stages = palloc(n * sizeof(LeadString));
		memcpy(step->stages, stages, n * sizeof(LeadString));
		step->optional = align_scan_take(scan, "?");
		list->nsteps++;
	} while (align_scan_take(scan, ","));
	return align_scan_expect(scan, ")");
}

/*
 * The canonical words of modes.
 */
static bool
ScanModes(TextScan *scan, MatchModes *modes)
{
	static const MatchModes bits[] = {
		MATCH_STRICT, MATCH_NO_REPEAT, MATCH_INCREASE, MATCH_ANY, MATCH_REUSE
	};

	*modes = MATCH_ORDERED;
	if (align_scan_take_word(scan, align_match_modes_text(MATCH_ORDERED)))
		return true;
	do
	{
		bool		found = false;

		for (int i = 0; i < (int) lengthof(bits) && !found; i++)
		{
			found = align_scan_take_word(scan, align_match_modes_text(bits[i]));
			*modes |= found ? bits[i] : 0;
		}
		if (!found)
			return align_scan_expected(scan, "a mode", NULL);
	} while (align_scan_take(scan, ","));
	return true;
}

/* One number and unit of a limit. */
static bool
ScanPart(TextScan *scan, StepLimit *limit)
{
	const char *at;
	uint64		number;
	int64		time;

	align_scan_space(scan);
	at = scan->cur;
	if (!align_scan_uint(scan, "a number", PG_INT64_MAX, &number))
		return false;
	if (align_scan_take_word(scan, "months") || align_scan_take_word(scan, "month"))
	{
		if (number > PG_INT32_MAX || pg_add_s32_overflow(limit->months, number, &limit->months))
			return align_scan_fail(scan, at, NULL, NULL, "window out of range");
		return true;
	}
	if ((align_scan_take_word(scan, "days") || align_scan_take_word(scan, "day")))
	{
		if (number > PG_INT32_MAX || pg_add_s32_overflow(limit->days, number, &limit->days))
			return align_scan_fail(scan, at, NULL, NULL, "window out of range");
		return true;
	}
	for (int i = 0; i < (int) lengthof(time_units); i++)
	{
		if (!align_scan_take_word(scan, time_units[i].name) &&
			!align_scan_take_word(scan, time_units[i].one))
			continue;
		if (pg_mul_s64_overflow((int64) number, time_units[i].microseconds, &time) ||
			pg_add_s64_overflow(limit->time, time, &limit->time))
			return align_scan_fail(scan, at, NULL, NULL, "window out of range");
		return true;
	}
	return align_scan_expected(scan, "\"months\", \"days\", \"hours\", \"minutes\", "
							   "\"seconds\" or \"microseconds\"", NULL);
}

/*
 * A limit; *months_at is set to the first one with months.
 */
static bool
ScanLimit(TextScan *scan, StepLimit *limit, const char **months_at)
{
	const char *at;

	memset(limit, 0, sizeof(*limit));
	align_scan_space(scan);
	at = scan->cur;
	do
	{
		if (!ScanPart(scan, limit))
			return false;
		align_scan_space(scan);
	} while (*scan->cur >= '0' && *scan->cur <= '9');
	if (limit->months != 0 && *months_at == NULL)
		*months_at = at;
	return true;
}

static bool
ScanGaps(TextScan *scan, StepList *list, const char **months_at)
{
	int			n = 0;
	const char *at;

	align_scan_space(scan);
	at = scan->cur;
	if (!align_scan_expect(scan, "("))
		return false;
	list->gaps = palloc(CONVERSION_MAX_STEPS * sizeof(StepLimit));
	do
	{
		if (n == CONVERSION_MAX_STEPS)
			break;
		list->gaps[n] = align_no_limit();
		if (!align_scan_take_word(scan, "none") && !ScanLimit(scan, &list->gaps[n], months_at))
			return false;
		n++;
	} while (align_scan_take(scan, ","));
	if (n != list->nsteps - 1)
		return align_scan_fail(scan, at, psprintf("There are %d gaps and %d steps.", n, list->nsteps),
							   NULL, "wrong number of gaps");
	return align_scan_expect(scan, ")");
}

static bool
ScanExclude(TextScan *scan, StepList *list)
{
	list->exclude = palloc(STEPS_MAX_EXCLUDED * sizeof(LeadString));
	if (!align_scan_expect(scan, "("))
		return false;
	do
	{
		if (!ScanOneName(scan, "stage name", STEPS_MAX_EXCLUDED, list->exclude, &list->nexclude))
			return false;
	} while (align_scan_take(scan, ","));
	return align_scan_expect(scan, ")");
}

/*
 * Everything after "steps".
 */
static bool
ScanList(TextScan *scan, StepList *list)
{
	const char *at;
	const char *limits_at = NULL;
	const char *months_at = NULL;
	const char *problem;

	list->within = align_no_limit();
	align_scan_space(scan);
	at = scan->cur;
	if (!ScanSteps(scan, list) ||
		!align_scan_expect_word(scan, "mode") ||
		!ScanModes(scan, &list->modes))
		return false;
	if (align_scan_take_word(scan, "within"))
	{
		align_scan_space(scan);
		limits_at = scan->cur;
		if (!ScanLimit(scan, &list->within, &months_at))
			return false;
	}
	if (align_scan_take_word(scan, "gaps"))
	{
		align_scan_space(scan);
		limits_at = limits_at != NULL ? limits_at : scan->cur;
		if (!ScanGaps(scan, list, &months_at))
			return false;
	}
	if (align_scan_take_word(scan, "zone"))
	{
		ScanName	zone;

		if (!align_scan_name(scan, "time zone", &zone))
			return false;
		list->zone = align_lead_bytes(zone.text, zone.len);
		if (zone.len == 0)
			return align_scan_fail(scan, zone.at, NULL, NULL, "empty time zone");
	}
	else if (months_at != NULL)
		return align_scan_fail(scan, months_at, "Months differ in length.",
							   "Name the time zone in whose calendar they are counted: zone \"Europe/London\".",
							   "months without a time zone");
	if (align_scan_take_word(scan, "exclude") && !ScanExclude(scan, list))
		return false;
	list->passages = align_scan_take_word(scan, "passages");

	if (!align_steps_canonical(list))
		return align_scan_fail(scan, limits_at, NULL, NULL, "window out of range");
	problem = align_steps_problem(list);
	if (problem != NULL)
		return align_scan_fail(scan, at, problem, NULL, "invalid steps");
	return true;
}

bool
align_scan_identity(TextScan *scan, ConversionIdentity *identity)
{
	memset(identity, 0, sizeof(*identity));
	if (align_scan_take_word(scan, "steps"))
	{
		identity->kind = CONVERSION_STEPS;
		if (!ScanList(scan, &identity->list))
			return false;
	}
	else if (align_scan_take_word(scan, "funnel"))
	{
		identity->kind = CONVERSION_FUNNEL;
		if (!align_scan_fingerprint(scan, &identity->fingerprint) ||
			!ScanPath(scan, identity))
			return false;
	}
	else
		return align_scan_expected(scan, "\"steps\" or \"funnel\"", NULL);
	align_identity_make(identity);
	return true;
}
