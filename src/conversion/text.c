/*
 * text.c
 *	  Reads the text form of a conversion; text_write.c writes it.
 *
 *	  {steps (inquiry, mql, customer) mode ordered within 30 days
 *	   as of 2026-03-01T00:00:00Z to 2026-03-31T00:00:00Z matured 21,
 *	   level 0 open 5, level 1 open 10 dropped 20 matured 20 amount 1234.50,
 *	   level 2 dropped 1 time 86400000360 least 86400000000 ... in (2377, ...),
 *	   level 3 converted 2 matured 1 ..., way time 172800000000 ...}
 *
 *	  conversion := "{" identity "as" "of" time ["to" time]
 *					["matured" number] {"," level} ["," "way" [times]] "}"
 *	  identity	 := "steps" "(" step {"," step} ")" "mode" word {"," word}
 *					["within" limit] ["gaps" "(" gap {"," gap} ")"]
 *					["zone" name] ["exclude" names] ["passages"]
 *				  | "funnel" fingerprint names
 *	  step		 := name {"|" name} ["?"]
 *	  gap		 := limit | "none"
 *	  limit		 := number unit {number unit}
 *	  names		 := "(" name {"," name} ")"
 *	  level		 := "level" number ["open" number] ["dropped" number]
 *					["converted" number] ["matured" number]
 *					["entered" number] ["amount" decimal] [times]
 *	  times		 := "time" number "least" number "most" number
 *					"in" "(" bucket {"," bucket} ")"
 *	  bucket	 := number ["*" number]
 *
 * Levels ascend.  Output leaves out counts of zero, and levels without any
 * value.  "entered" is for funnels and optional steps only, "matured" for steps
 * with a window.  Before the levels is the sum of the matured leads, also if it
 * is zero; without it, they are not known.  Nor are the times of the whole way
 * without "way".  "time" is the sum of durations; it, "least" and "most" are
 * microseconds.  Buckets are those of histogram.h.
 *
 * Months, and days of a calendar, need a zone; without one a day is 24 hours.
 */
#include "postgres.h"

#include "common/int.h"

#include "conversion/conversion.h"
#include "lead/amount.h"
#include "time_text.h"

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

#define FINGERPRINT_DIGITS 16

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

static bool
ScanFingerprint(TextScan *scan, uint64 *fingerprint)
{
	const char *p;

	align_scan_space(scan);
	*fingerprint = 0;
	for (p = scan->cur; p < scan->cur + FINGERPRINT_DIGITS; p++)
	{
		int			digit;

		if (*p >= '0' && *p <= '9')
			digit = *p - '0';
		else if (*p >= 'a' && *p <= 'f')
			digit = *p - 'a' + 10;
		else
			return align_scan_expected(scan, "a fingerprint of 16 hexadecimal digits", NULL);
		*fingerprint = *fingerprint << 4 | digit;
	}
	scan->cur = p;
	return true;
}

static bool
ScanIdentity(TextScan *scan, ConversionIdentity *identity)
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
		if (!ScanFingerprint(scan, &identity->fingerprint) ||
			!ScanPath(scan, identity))
			return false;
	}
	else
		return align_scan_expected(scan, "\"steps\" or \"funnel\"", NULL);
	align_identity_make(identity);
	return true;
}

static bool
ScanAsOf(TextScan *scan, Conversion *conversion)
{
	TimestampTz least;
	TimestampTz most;
	const char *at;

	if (!align_scan_expect_word(scan, "as") || !align_scan_expect_word(scan, "of") ||
		!align_scan_time(scan, &least))
		return false;
	most = least;
	if (align_scan_take_word(scan, "to"))
	{
		align_scan_space(scan);
		at = scan->cur;
		if (!align_scan_time(scan, &most))
			return false;
		if (most < least)
			return align_scan_fail(scan, at, NULL, NULL, "times in the wrong order");
	}
	align_conversion_see(conversion, least, most);
	return true;
}

/*
 * An optional "word number"; zero if it is absent.
 */
static bool
ScanCount(TextScan *scan, const char *word, int64 *count)
{
	uint64		number = 0;

	if (align_scan_take_word(scan, word) &&
		!align_scan_uint(scan, "a count", PG_INT64_MAX, &number))
		return false;
	*count = (int64) number;
	return true;
}

static bool
ScanAmount(TextScan *scan, Conversion *conversion, AmountSum *sum)
{
	LeadString	amount;
	const char *at;
	char	   *text;

	align_scan_space(scan);
	at = scan->cur;
	while (*scan->cur == '-' || *scan->cur == '+' || *scan->cur == '.' ||
		   (*scan->cur >= '0' && *scan->cur <= '9'))
		scan->cur++;
	text = pnstrdup(at, scan->cur - at);
	amount.text = text;
	amount.len = align_amount_canonical(text, scan->cur - at);
	if (amount.len == AMOUNT_TOO_LONG)
		return align_scan_fail_code(scan, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, at, NULL, NULL,
									"amount with too many digits");
	if (amount.len < 0)
	{
		scan->cur = at;
		return align_scan_expected(scan, "a decimal number", NULL);
	}
	align_amount_sum_add(sum, conversion->header.eoh_context, amount);
	return true;
}

/*
 * All matured leads.  Without them, they are not known.
 */
static bool
ScanMatured(TextScan *scan, Conversion *conversion, int64 *matured, const char **at)
{
	align_scan_space(scan);
	*at = scan->cur;
	if (!align_scan_peek_word(scan, "matured"))
	{
		align_conversion_forget_matured(conversion);
		return true;
	}
	if (!align_identity_matures(&conversion->identity))
		return align_scan_fail(scan, *at, "Leads mature when their window is over.", NULL,
							   "matured leads without a window");
	return ScanCount(scan, "matured", matured);
}

/*
 * One level, which must be above the last one.  Its position is kept for
 * checks that need all levels.
 */
static bool
ScanLevel(TextScan *scan, Conversion *conversion, int *last, const char **positions)
{
	int			nsteps = conversion->identity.nsteps;
	ConversionLevel *level;
	uint64		number;
	int64		converted = 0;
	const char *at;

	if (!align_scan_expect_word(scan, "level"))
		return false;
	align_scan_space(scan);
	at = scan->cur;
	if (!align_scan_uint(scan, "a level", nsteps, &number))
		return false;
	if ((int) number <= *last)
		return align_scan_fail(scan, at, NULL, NULL, "levels do not ascend");
	*last = (int) number;
	positions[number] = at;
	level = &conversion->levels[number];

	if (!ScanCount(scan, "open", &level->open) ||
		!ScanCount(scan, "dropped", &level->dropped))
		return false;
	/* only the last level converts; level 0 is before the first step */
	if ((int) number == nsteps)
	{
		if (!ScanCount(scan, "converted", &converted))
			return false;
		conversion->converted = converted;
	}
	if (number == 0)
		return true;

	if (conversion->knows_matured && !ScanCount(scan, "matured", &level->matured))
		return false;
	if (align_counts_entered(&conversion->identity, (int) number) &&
		!ScanCount(scan, "entered", &level->entered))
		return false;
	if (align_scan_take_word(scan, "amount"))
	{
		align_scan_space(scan);
		at = scan->cur;
		if (!ScanAmount(scan, conversion, &level->amount))
			return false;
		if (level->open == 0 && level->dropped == 0 && converted == 0)
			return align_scan_fail(scan, at, "No lead has exactly this level.", NULL,
								   "impossible amount");
	}
	if (number > 1 && align_scan_take_word(scan, "time"))
		return align_histogram_parse(scan, &level->times, conversion->header.eoh_context);
	return true;
}

/*
 * The times of the whole way, known from here on.
 */
static bool
ScanWay(TextScan *scan, Conversion *conversion)
{
	return align_scan_expect_word(scan, "way") &&
		(!align_scan_take_word(scan, "time") ||
		 align_histogram_parse(scan, &conversion->way, conversion->header.eoh_context));
}

Conversion *
align_conversion_parse_scan(TextScan *scan)
{
	ConversionIdentity identity;
	Conversion *conversion;
	ConversionCounts counts;
	const char *positions[CONVERSION_MAX_STEPS + 1] = {NULL};
	const char *wrong;
	const char *matured_at;
	const char *way_at;
	int64		matured = 0;
	int			level = -1;

	if (!align_scan_expect(scan, "{") || !ScanIdentity(scan, &identity))
		return NULL;
	conversion = align_conversion_make(&identity, CurrentMemoryContext);
	if (!ScanAsOf(scan, conversion) ||
		!ScanMatured(scan, conversion, &matured, &matured_at))
		return NULL;
	way_at = NULL;
	while (way_at == NULL && align_scan_take(scan, ","))
	{
		align_scan_space(scan);
		if (align_scan_peek_word(scan, "way"))
			way_at = scan->cur;
		if (way_at != NULL ? !ScanWay(scan, conversion) :
			!ScanLevel(scan, conversion, &level, positions))
			return NULL;
	}
	if (way_at == NULL)
		align_conversion_forget_way(conversion);
	if (!align_scan_take(scan, "}"))
	{
		align_scan_expected(scan, way_at != NULL ? "\"}\"" : "\",\" or \"}\"", NULL);
		return NULL;
	}
	if (!align_scan_at_end(scan))
	{
		align_scan_expected(scan, "the end", NULL);
		return NULL;
	}

	/* the checks that need the counts of all levels */
	align_counts_of(conversion, &counts);
	wrong = align_counts_derive(identity.nsteps, &counts, &level);
	if (wrong == NULL)
		wrong = align_counts_check(&identity, &counts, &level);
	if (wrong != NULL)
	{
		align_scan_fail(scan, positions[level] ? positions[level] : scan->end, wrong, NULL,
						"impossible counts of level %d", level);
		return NULL;
	}
	if (counts.matured_reached[1] != matured)
	{
		align_scan_fail(scan, matured_at, "It is not the sum of the levels.", NULL,
						"impossible number of matured leads");
		return NULL;
	}
	wrong = way_at != NULL ? align_counts_check_way(&identity, &counts) : NULL;
	if (wrong != NULL)
	{
		align_scan_fail(scan, way_at, wrong, NULL, "impossible times of the whole way");
		return NULL;
	}
	conversion->leads = counts.leads;
	return conversion;
}

Conversion *
align_conversion_parse(const char *text, Node *escontext)
{
	TextScan	scan;

	align_scan_begin(&scan, text, CONVERSION_TYPE, false, escontext);
	return align_conversion_parse_scan(&scan);
}
