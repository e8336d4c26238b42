/*
 * curve.c
 *	  What follows from an incidence: happened_by(), curve(), quantile(),
 *	  median(), outcomes() and compare_incidence().
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "conversion/wilson.h"
#include "incidence/estimate.h"

PG_FUNCTION_INFO_V1(align_incidence_happened_by);
PG_FUNCTION_INFO_V1(align_incidence_compare);
PG_FUNCTION_INFO_V1(align_incidence_curve);
PG_FUNCTION_INFO_V1(align_incidence_quantile);
PG_FUNCTION_INFO_V1(align_incidence_median);
PG_FUNCTION_INFO_V1(align_incidence_outcomes);

#define HAPPENED_BY_COLUMNS 5
#define COMPARE_COLUMNS 5
#define CURVE_COLUMNS 9
#define QUANTILE_COLUMNS 3
#define OUTCOMES_COLUMNS 4

/*
 * A probability reaches a fraction if it misses it by no more than a rounding.
 */
#define FRACTION_TOLERANCE 1e-9

/*
 * Begin the estimate of an outcome.  One that no case has is no error: it has
 * not happened yet.
 */
static void
EstimateArgs(FunctionCallInfo fcinfo, int incidence_argno, int outcome_argno, Estimate *estimate)
{
	const Incidence *incidence = align_incidence_arg(PG_GETARG_DATUM(incidence_argno));
	text	   *outcome = PG_GETARG_TEXT_PP(outcome_argno);

	align_estimate_begin(estimate, incidence,
						 align_incidence_find(incidence, VARDATA_ANY(outcome),
											  VARSIZE_ANY_EXHDR(outcome)));
}

static int64
AfterArg(FunctionCallInfo fcinfo, int argno)
{
	int64		after = align_incidence_time(PG_GETARG_INTERVAL_P(argno), "after");

	if (after < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("after must not be negative")));
	return after;
}

static void
SetBounds(const Estimate *estimate, BoundsKind kind, double z, Datum *values, bool *nulls)
{
	double		lower;
	double		upper;

	if (align_estimate_bounds(estimate, kind, z, &lower, &upper))
	{
		values[0] = Float8GetDatum(lower);
		values[1] = Float8GetDatum(upper);
	}
	else
		nulls[0] = nulls[1] = true;
}

/*
 * happened_by(incidence, outcome, after, confidence, bounds)
 */
Datum
align_incidence_happened_by(PG_FUNCTION_ARGS)
{
	ConfidenceSite *site = align_confidence_site(fcinfo, 3);
	int64		after = AfterArg(fcinfo, 2);
	BoundsKind	kind = align_bounds_arg(PG_GETARG_TEXT_PP(4));
	Estimate	estimate;
	bool		known;
	Datum		values[HAPPENED_BY_COLUMNS] = {0};
	bool		nulls[HAPPENED_BY_COLUMNS] = {false};

	EstimateArgs(fcinfo, 0, 1, &estimate);
	values[4] = Int64GetDatum(align_estimate_until(&estimate, after, &known));
	if (known)
	{
		values[0] = Float8GetDatum(estimate.probability);
		SetBounds(&estimate, kind, site->z, values + 1, nulls + 1);
		values[3] = Float8GetDatum(estimate.std_error);
	}
	else
		nulls[0] = nulls[1] = nulls[2] = nulls[3] = true;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(site->desc, values, nulls)));
}

/*
 * compare_incidence(incidence_1, incidence_2, outcome, after, confidence)
 *
 * The bounds of the difference are put together from the log-log bounds of the
 * two, as Newcombe's are from Wilson's (analyze/rates.c): G. Y. Zou and A.
 * Donner, "Construction of confidence limits about effect measures: a general
 * approach", Statistics in Medicine 27 (2008), 1693-1702.
 */
Datum
align_incidence_compare(PG_FUNCTION_ARGS)
{
	ConfidenceSite *site = align_confidence_site(fcinfo, 4);
	int64		after = AfterArg(fcinfo, 3);
	Estimate	a;
	Estimate	b;
	bool		a_known;
	bool		b_known;
	double		a_lower;
	double		a_upper;
	double		b_lower;
	double		b_upper;
	Datum		values[COMPARE_COLUMNS] = {0};
	bool		nulls[COMPARE_COLUMNS] = {true, true, true, true, true};

	EstimateArgs(fcinfo, 0, 2, &a);
	EstimateArgs(fcinfo, 1, 2, &b);
	(void) align_estimate_until(&a, after, &a_known);
	(void) align_estimate_until(&b, after, &b_known);
	if (a_known && b_known)
	{
		double		difference = a.probability - b.probability;
		double		std_error = hypot(a.std_error, b.std_error);

		values[0] = Float8GetDatum(difference);
		nulls[0] = false;
		if (align_estimate_bounds(&a, BOUNDS_LOG_LOG, site->z, &a_lower, &a_upper) &&
			align_estimate_bounds(&b, BOUNDS_LOG_LOG, site->z, &b_lower, &b_upper))
		{
			values[1] = Float8GetDatum(difference - hypot(a.probability - a_lower,
														  b_upper - b.probability));
			values[2] = Float8GetDatum(difference + hypot(a_upper - a.probability,
														  b.probability - b_lower));
			values[3] = Float8GetDatum(difference / std_error);
			values[4] = Float8GetDatum(erfc(fabs(difference / std_error) * M_SQRT1_2));
			nulls[1] = nulls[2] = nulls[3] = nulls[4] = false;
		}
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(site->desc, values, nulls)));
}

/*
 * curve(incidence, outcome, confidence, bounds)
 */
Datum
align_incidence_curve(PG_FUNCTION_ARGS)
{
	double		z = align_normal_quantile(align_confidence_arg(PG_GETARG_FLOAT8(2)));
	BoundsKind	kind = align_bounds_arg(PG_GETARG_TEXT_PP(3));
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "align row",
													  ALLOCSET_SMALL_SIZES);
	Estimate	estimate;

	align_begin_rows(fcinfo);
	EstimateArgs(fcinfo, 0, 1, &estimate);
	while (align_estimate_next(&estimate))
	{
		const RiskStep *step = &estimate.step;
		MemoryContext caller = MemoryContextSwitchTo(row_context);
		Datum		values[CURVE_COLUMNS];
		bool		nulls[CURVE_COLUMNS] = {false};

		values[0] = align_days_interval_datum(step->at);
		values[1] = Int64GetDatum(step->at_risk);
		values[2] = Int64GetDatum(step->events);
		values[3] = Int64GetDatum(step->censored);
		values[4] = Float8GetDatum(estimate.probability);
		values[5] = Float8GetDatum(estimate.std_error);
		SetBounds(&estimate, kind, z, values + 6, nulls + 6);
		values[8] = Int64GetDatum(step->competing);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
	return (Datum) 0;
}

/*
 * quantile(incidence, outcome, fraction, confidence, bounds)
 *
 * The first time at which the probability reaches the fraction, and at which
 * its upper and its lower bound do (R. Brookmeyer and J. Crowley, "A
 * confidence interval for the median survival time", Biometrics 38 (1982),
 * 29-41).
 */
Datum
align_incidence_quantile(PG_FUNCTION_ARGS)
{
	ConfidenceSite *site = align_confidence_site(fcinfo, 3);
	double		fraction = PG_GETARG_FLOAT8(2);
	BoundsKind	kind = align_bounds_arg(PG_GETARG_TEXT_PP(4));
	Estimate	estimate;
	Datum		values[QUANTILE_COLUMNS] = {0};
	bool		nulls[QUANTILE_COLUMNS] = {true, true, true};

	/* NaN fails this comparison, too */
	if (!(fraction > 0.0 && fraction <= 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("fraction must be greater than 0 and at most 1"),
				 errhint("Write 0.5 for the time by which half of the cases have the outcome.")));
	fraction -= FRACTION_TOLERANCE;

	EstimateArgs(fcinfo, 0, 1, &estimate);
	while ((nulls[0] || nulls[2]) && align_estimate_next(&estimate))
	{
		double		reached[QUANTILE_COLUMNS] = {estimate.probability};

		if (estimate.step.events == 0)
			continue;
		(void) align_estimate_bounds(&estimate, kind, site->z, &reached[2], &reached[1]);
		for (int i = 0; i < QUANTILE_COLUMNS; i++)
		{
			if (!nulls[i] || reached[i] < fraction)
				continue;
			values[i] = align_days_interval_datum(estimate.step.at);
			nulls[i] = false;
		}
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(site->desc, values, nulls)));
}

/*
 * median(incidence, outcome)
 */
Datum
align_incidence_median(PG_FUNCTION_ARGS)
{
	Estimate	estimate;

	EstimateArgs(fcinfo, 0, 1, &estimate);
	while (align_estimate_next(&estimate))
	{
		if (estimate.probability >= 0.5 - FRACTION_TOLERANCE)
			PG_RETURN_DATUM(align_days_interval_datum(estimate.step.at));
	}
	PG_RETURN_NULL();
}

static void
PutOutcome(ReturnSetInfo *rsinfo, const IncidenceOutcome *outcome, const TimeSeries *times)
{
	Datum		values[OUTCOMES_COLUMNS] = {0};
	bool		nulls[OUTCOMES_COLUMNS] = {false};
	int64		cases = 0;

	if (times->n == 0)
		return;
	for (int i = 0; i < times->n; i++)
		cases += times->items[i].count;
	if (outcome != NULL)
		values[0] = PointerGetDatum(cstring_to_text_with_len(outcome->name, outcome->len));
	else
		nulls[0] = true;
	values[1] = Int64GetDatum(cases);
	values[2] = align_days_interval_datum(times->items[0].at);
	values[3] = align_days_interval_datum(times->items[times->n - 1].at);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * outcomes(incidence): the open cases are last, without a name.
 */
Datum
align_incidence_outcomes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const Incidence *incidence;

	align_begin_rows(fcinfo);
	incidence = align_incidence_arg(PG_GETARG_DATUM(0));
	for (int i = 0; i < incidence->noutcomes; i++)
		PutOutcome(rsinfo, &incidence->outcomes[i], &incidence->outcomes[i].times);
	PutOutcome(rsinfo, NULL, &incidence->open);
	return (Datum) 0;
}
