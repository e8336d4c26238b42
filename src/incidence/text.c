/*
 * text.c
 *	  The text form of an incidence.
 *
 *	  {in days, late (3, 5), open (12, 40), outcome lost (8*2, 15*2, 30),
 *	   outcome won (5, 10, 20)}
 *
 *	  incidence	 := "{" "in" unit ["," "late" times] ["," "open" times]
 *					{"," "outcome" name times} "}"
 *	  unit		 := "days" | "hours" | "minutes" | "seconds" |
 *					"milliseconds" | "microseconds"
 *	  times		 := "(" time {"," time} ")"
 *	  time		 := number ["*" count]
 *
 * Times ascend.  Output has the coarsest unit that they are multiples of, and
 * the outcomes in the order of their bytes.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/memutils.h"

#include "incidence/incidence.h"

static bool
ScanUnit(TextScan *scan, int64 *unit)
{
	if (!align_scan_expect_word(scan, "in"))
		return false;
	for (int i = 0; i < INCIDENCE_UNITS; i++)
	{
		if (align_scan_take_word(scan, align_incidence_units[i].name))
		{
			*unit = align_incidence_units[i].microseconds;
			return true;
		}
	}
	return align_scan_expected(scan, "\"days\", \"hours\", \"minutes\", \"seconds\", "
							   "\"milliseconds\" or \"microseconds\"", NULL);
}

/*
 * A list of times with counts, added to an empty series; *cases is their sum.
 */
static bool
ScanTimes(TextScan *scan, Incidence *incidence, TimeSeries *series, int64 unit, int64 *cases)
{
	int64		before = -1;

	*cases = 0;
	if (!align_scan_expect(scan, "("))
		return false;
	do
	{
		const char *at;
		uint64		time;
		uint64		count = 1;

		align_scan_space(scan);
		at = scan->cur;
		if (!align_scan_uint(scan, "a time", PG_INT64_MAX / unit, &time))
			return false;
		if ((int64) time <= before)
			return align_scan_fail(scan, at, NULL, NULL, "times do not ascend");
		before = (int64) time;
		if (align_scan_take(scan, "*"))
		{
			align_scan_space(scan);
			at = scan->cur;
			if (!align_scan_uint(scan, "a count", PG_INT64_MAX, &count))
				return false;
		}
		if (count == 0 || pg_add_s64_overflow(*cases, (int64) count, cases))
			return align_scan_fail(scan, at, NULL, NULL, "count out of range");
		if (series->n == INCIDENCE_MAX_TIMES)
			return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, at,
										psprintf("An incidence has at most %d of them.",
												 INCIDENCE_MAX_TIMES),
										NULL, "too many distinct times");
		align_series_add(series, incidence->header.eoh_context, (int64) time * unit,
						 (int64) count);
	} while (align_scan_take(scan, ","));
	return align_scan_expect(scan, ")");
}

/*
 * The times of cases that left.
 */
static bool
ScanCases(TextScan *scan, Incidence *incidence, TimeSeries *series, int64 unit)
{
	const char *at;
	int64		cases;

	align_scan_space(scan);
	at = scan->cur;
	if (!ScanTimes(scan, incidence, series, unit, &cases))
		return false;
	if (pg_add_s64_overflow(incidence->cases, cases, &incidence->cases))
		return align_scan_fail(scan, at, "Together the counts are more than a bigint can hold.",
							   NULL, "too many cases");
	return true;
}

static bool
ScanOutcome(TextScan *scan, Incidence *incidence, int64 unit)
{
	ScanName	name;
	int			outcome;

	if (!align_scan_expect_word(scan, "outcome") || !align_scan_name(scan, "an outcome", &name))
		return false;
	if (align_incidence_find(incidence, name.text, name.len) >= 0)
		return align_scan_fail(scan, name.at, NULL, NULL, "repeated outcome");
	if (name.len > INCIDENCE_MAX_NAME)
		return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, name.at,
									psprintf("It has %d bytes; the limit is %d.", name.len,
											 INCIDENCE_MAX_NAME),
									NULL, "outcome is too long");
	if (incidence->noutcomes == INCIDENCE_MAX_OUTCOMES)
		return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, name.at,
									psprintf("An incidence has at most %d outcomes.",
											 INCIDENCE_MAX_OUTCOMES),
									NULL, "too many outcomes");
	outcome = align_incidence_outcome(incidence, name.text, name.len);
	return ScanCases(scan, incidence, &incidence->outcomes[outcome].times, unit);
}

Incidence *
align_incidence_parse(const char *text, Node *escontext)
{
	Incidence  *incidence = align_incidence_make(CurrentMemoryContext);
	TextScan	scan;
	const char *late_at = NULL;
	const char *wrong;
	int64		unit = 1;
	int64		late;
	bool		more;

	align_scan_begin(&scan, text, INCIDENCE_TYPE, false, escontext);
	if (!align_scan_expect(&scan, "{") || !ScanUnit(&scan, &unit))
		return NULL;
	more = align_scan_take(&scan, ",");
	if (more && align_scan_take_word(&scan, "late"))
	{
		align_scan_space(&scan);
		late_at = scan.cur;
		if (!ScanTimes(&scan, incidence, &incidence->late, unit, &late))
			return NULL;
		more = align_scan_take(&scan, ",");
	}
	if (more && align_scan_take_word(&scan, "open"))
	{
		if (!ScanCases(&scan, incidence, &incidence->open, unit))
			return NULL;
		more = align_scan_take(&scan, ",");
	}
	while (more)
	{
		if (!ScanOutcome(&scan, incidence, unit))
			return NULL;
		more = align_scan_take(&scan, ",");
	}
	if (!align_scan_take(&scan, "}"))
	{
		align_scan_expected(&scan, "\",\" or \"}\"", NULL);
		return NULL;
	}
	if (!align_scan_at_end(&scan))
	{
		align_scan_expected(&scan, "the end", NULL);
		return NULL;
	}

	if (incidence->cases == 0)
	{
		align_scan_fail(&scan, scan.end, "An incidence has at least one case.", NULL,
						"no cases");
		return NULL;
	}
	wrong = align_incidence_check(incidence);
	if (wrong != NULL)
	{
		align_scan_fail(&scan, late_at, wrong, NULL, "impossible late entries");
		return NULL;
	}
	return incidence;
}

static void
WriteTimes(StringInfo out, const TimeSeries *series, int64 unit)
{
	appendStringInfoString(out, " (");
	for (int i = 0; i < series->n; i++)
	{
		const TimeCount *item = &series->items[i];

		appendStringInfo(out, "%s" INT64_FORMAT, i > 0 ? ", " : "", item->at / unit);
		if (item->count != 1)
			appendStringInfo(out, "*" INT64_FORMAT, item->count);
	}
	appendStringInfoChar(out, ')');
}

char *
align_incidence_write(Incidence *incidence)
{
	StringInfoData out;
	int			unit;
	int64		microseconds;

	align_incidence_sort(incidence);
	unit = align_incidence_unit(incidence);
	microseconds = align_incidence_units[unit].microseconds;

	initStringInfo(&out);
	appendStringInfo(&out, "{in %s", align_incidence_units[unit].name);
	if (incidence->late.n > 0)
	{
		appendStringInfoString(&out, ", late");
		WriteTimes(&out, &incidence->late, microseconds);
	}
	if (incidence->open.n > 0)
	{
		appendStringInfoString(&out, ", open");
		WriteTimes(&out, &incidence->open, microseconds);
	}
	for (int i = 0; i < incidence->noutcomes; i++)
	{
		const IncidenceOutcome *outcome = &incidence->outcomes[i];

		appendStringInfoString(&out, ", outcome ");
		align_write_name(&out, outcome->name, outcome->len);
		WriteTimes(&out, &outcome->times, microseconds);
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}
