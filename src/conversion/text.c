/*
 * text.c
 *	  Reads the text form of a conversion; text_write.c writes it.
 *
 * identity_scan.c reads the identity.
 *
 *	  {steps (inquiry, mql, customer) mode ordered within 30 days
 *	   as of 2026-03-01T00:00:00Z to 2026-03-31T00:00:00Z matured 21,
 *	   level 0 open 5, level 1 open 10 dropped 20 matured 20 amount 1234.50,
 *	   level 2 dropped 1 time 86400000360 least 86400000000 ... in (2377, ...),
 *	   level 3 converted 2 matured 1 ..., way time 172800000000 ...}
 *
 *	  conversion := "{" identity "as" "of" time ["to" time]
 *					["matured" number] {"," level} ["," "way" [times]] "}"
 *	  level		 := "level" number ["open" number] ["dropped" number]
 *					["converted" number] ["matured" number]
 *					["entered" number] ["amount" decimal] [times]
 *	  times		 := "time" number "least" number "most" number
 *					"in" "(" bucket {"," bucket} ")"
 *	  bucket	 := number ["*" number]
 *
 * Levels ascend.  Output leaves out counts of zero, and levels without any
 * value.  "entered" is for funnels and optional steps only, "matured" for
 * steps with a window.  Before the levels is the sum of the matured leads,
 * also if it is zero; without it, they are not known.  Nor are the times of
 * the whole way without "way".  "time" is the sum of durations; it, "least"
 * and "most" are microseconds.  Buckets are those of histogram.h.
 */
#include "postgres.h"

#include "common/int.h"

#include "conversion/conversion.h"
#include "lead/amount.h"
#include "time_text.h"

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
	return align_scan_count(scan, "matured", matured);
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

	if (!align_scan_count(scan, "open", &level->open) ||
		!align_scan_count(scan, "dropped", &level->dropped))
		return false;
	/* only the last level converts; level 0 is before the first step */
	if ((int) number == nsteps)
	{
		if (!align_scan_count(scan, "converted", &converted))
			return false;
		conversion->converted = converted;
	}
	if (number == 0)
		return true;

	if (conversion->knows_matured && !align_scan_count(scan, "matured", &level->matured))
		return false;
	if (align_counts_entered(&conversion->identity, (int) number) &&
		!align_scan_count(scan, "entered", &level->entered))
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

	if (!align_scan_expect(scan, "{") || !align_scan_identity(scan, &identity))
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
