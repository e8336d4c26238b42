/*
 * text.c
 *	  Reads the text form of a conversion; text_write.c writes it.
 *
 *	  {steps (inquiry, mql, customer) mode ordered within 30 days
 *	   as of 2026-03-01T00:00:00Z to 2026-03-31T00:00:00Z matured 21,
 *	   level 0 open 5, level 1 open 10 dropped 20 matured 20 amount 1234.50,
 *	   level 2 dropped 1 time 86400000360 least 86400000000 ... in (2377, ...),
 *	   level 3 converted 2 matured 1 ...}
 *
 *	  conversion := "{" identity "as" "of" time ["to" time]
 *					["matured" number] {"," level} "}"
 *	  identity	 := "steps" names "mode" mode ["within" number unit]
 *				  | "funnel" fingerprint names
 *	  names		 := "(" name {"," name} ")"
 *	  level		 := "level" number ["open" number] ["dropped" number]
 *					["converted" number] ["matured" number]
 *					["entered" number] ["amount" decimal]
 *					["time" number "least" number "most" number
 *					 "in" "(" bucket {"," bucket} ")"]
 *	  bucket	 := number ["*" number]
 *
 * Levels ascend.  Output leaves out counts of zero, and levels without any
 * value.  "entered" is for funnels only, "matured" for steps with a window.
 * Before the levels is the sum of the matured leads, also if it is zero;
 * without it, they are not known.  "time" is the sum of durations; it, "least"
 * and "most" are microseconds.  Buckets are those of histogram.h.
 */
#include "postgres.h"

#include "common/int.h"

#include "conversion/conversion.h"
#include "lead/amount.h"
#include "time_text.h"

typedef struct WindowUnit
{
	const char *name;
	const char *one;
	int64		microseconds;
} WindowUnit;

static const WindowUnit window_units[] = {
	{"days", "day", USECS_PER_DAY},
	{"hours", "hour", USECS_PER_HOUR},
	{"minutes", "minute", USECS_PER_MINUTE},
	{"seconds", "second", USECS_PER_SEC},
	{"microseconds", "microsecond", 1},
};

#define FINGERPRINT_DIGITS 16

static bool
ScanNames(TextScan *scan, ConversionIdentity *identity)
{
	LeadString *names = identity->names;
	int			n = 0;

	if (!align_scan_expect(scan, "("))
		return false;
	do
	{
		ScanName	name;

		if (!align_scan_name(scan, "step name", &name))
			return false;
		if (n == CONVERSION_MAX_STEPS)
			return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, name.at,
										psprintf("A conversion has at most %d steps.",
												 CONVERSION_MAX_STEPS),
										NULL, "too many steps");
		names[n].text = name.text;
		names[n].len = name.len;
		if (identity->kind == CONVERSION_FUNNEL && align_name_repeats(names, n, names[n]))
			return align_scan_fail(scan, name.at,
								   "No stage occurs twice on the success path of a funnel.",
								   NULL, "repeated step");
		n++;
	} while (align_scan_take(scan, ","));
	identity->nsteps = n;
	return align_scan_expect(scan, ")");
}

static bool
ScanWindow(TextScan *scan, int64 *within)
{
	const char *at;
	uint64		number;

	align_scan_space(scan);
	at = scan->cur;
	if (!align_scan_uint(scan, "a number", PG_INT64_MAX, &number))
		return false;
	for (int i = 0; i < (int) lengthof(window_units); i++)
	{
		if (!align_scan_take_word(scan, window_units[i].name) &&
			!align_scan_take_word(scan, window_units[i].one))
			continue;
		if (pg_mul_s64_overflow((int64) number, window_units[i].microseconds, within))
			return align_scan_fail(scan, at, NULL, NULL, "window out of range");
		return true;
	}
	return align_scan_expected(scan, "\"days\", \"hours\", \"minutes\", \"seconds\" "
							   "or \"microseconds\"", NULL);
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
	identity->mode = CONVERSION_ORDERED;
	identity->within = -1;
	identity->names = palloc(CONVERSION_MAX_STEPS * sizeof(LeadString));

	if (align_scan_take_word(scan, "steps"))
	{
		identity->kind = CONVERSION_STEPS;
		if (!ScanNames(scan, identity) ||
			!align_scan_expect_word(scan, "mode") ||
			!align_scan_expect_word(scan, align_mode_name(CONVERSION_ORDERED)))
			return false;
		if (align_scan_take_word(scan, "within") && !ScanWindow(scan, &identity->within))
			return false;
	}
	else if (align_scan_take_word(scan, "funnel"))
	{
		const char *at;

		identity->kind = CONVERSION_FUNNEL;
		if (!ScanFingerprint(scan, &identity->fingerprint))
			return false;
		align_scan_space(scan);
		at = scan->cur;
		if (!ScanNames(scan, identity))
			return false;
		if (identity->nsteps < 2)
			return align_scan_fail(scan, at,
								   "The success path of a funnel has at least two stages.",
								   NULL, "too few steps");
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
	bool		is_funnel = conversion->identity.kind == CONVERSION_FUNNEL;
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
	if (is_funnel && !ScanCount(scan, "entered", &level->entered))
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

Conversion *
align_conversion_parse_scan(TextScan *scan)
{
	ConversionIdentity identity;
	Conversion *conversion;
	ConversionCounts counts;
	const char *positions[CONVERSION_MAX_STEPS + 1] = {NULL};
	const char *wrong;
	const char *matured_at;
	int64		matured = 0;
	int			level = -1;

	if (!align_scan_expect(scan, "{") || !ScanIdentity(scan, &identity))
		return NULL;
	conversion = align_conversion_make(&identity, CurrentMemoryContext);
	if (!ScanAsOf(scan, conversion) ||
		!ScanMatured(scan, conversion, &matured, &matured_at))
		return NULL;
	while (align_scan_take(scan, ","))
	{
		if (!ScanLevel(scan, conversion, &level, positions))
			return NULL;
	}
	if (!align_scan_take(scan, "}"))
	{
		align_scan_expected(scan, "\",\" or \"}\"", NULL);
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
		wrong = align_counts_check(identity.kind, identity.nsteps, &counts, &level);
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
