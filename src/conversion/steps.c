/*
 * steps.c
 *	  steps(conversion [, confidence]): a conversion as one row per step; and
 *	  step_rates(), which has more columns.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "conversion/conversion.h"
#include "conversion/wilson.h"

PG_FUNCTION_INFO_V1(align_conversion_steps);
PG_FUNCTION_INFO_V1(align_conversion_step_rates);

#define DEFAULT_CONFIDENCE 0.95

enum
{
	COL_STEP,
	COL_NAME,
	COL_ENTERED,
	COL_REACHED,
	COL_DROPPED,
	COL_STILL_OPEN,
	COL_STEP_RATE,
	COL_OVERALL_RATE,
	COL_LOWER,
	COL_UPPER,
	COL_MEDIAN_TIME,
	COL_P90_TIME,
	COL_MEAN_TIME,
	COL_AMOUNT,
	NSTEPS_COLUMNS,				/* step_rates() goes on */
	COL_DECIDED_RATE = NSTEPS_COLUMNS,
	COL_MATURED_N,
	COL_MATURED_REACHED,
	COL_MATURED_RATE,
	COL_MATURED_LOWER,
	COL_MATURED_UPPER,
	NRATES_COLUMNS
};

static void
SetTimes(Histogram *times, Datum *values, bool *nulls)
{
	if (times->count == 0)
	{
		nulls[COL_MEDIAN_TIME] = true;
		nulls[COL_P90_TIME] = true;
		nulls[COL_MEAN_TIME] = true;
		return;
	}
	values[COL_MEDIAN_TIME] = align_days_interval_datum(align_histogram_median(times));
	values[COL_P90_TIME] = align_days_interval_datum(align_histogram_p90(times));
	values[COL_MEAN_TIME] = align_days_interval_datum(align_histogram_mean(times));
}

/*
 * A rate, NULL if the divisor is zero.
 */
static void
SetRate(int64 successes, int64 trials, int column, Datum *values, bool *nulls)
{
	if (trials > 0)
		values[column] = Float8GetDatum((double) successes / (double) trials);
	else
		nulls[column] = true;
}

/*
 * Wilson's bounds of a rate, in two columns; NULL for the first step, which is
 * its own divisor, and where there is no rate.
 */
static void
SetBounds(int64 successes, int64 trials, int step, double z, int column, Datum *values,
		  bool *nulls)
{
	double		lower;
	double		upper;

	if (step == 1 || trials == 0)
	{
		nulls[column] = true;
		nulls[column + 1] = true;
		return;
	}
	align_wilson(successes, trials, z, &lower, &upper);
	values[column] = Float8GetDatum(lower);
	values[column + 1] = Float8GetDatum(upper);
}

/*
 * Rates are NULL where the divisor is zero.  The first step is its own
 * divisor, so its rate is 1 and has no bounds.
 */
static void
SetRates(const ConversionCounts *counts, int step, double z, Datum *values, bool *nulls)
{
	int64		reached = counts->reached[step];
	int64		before = counts->reached[Max(step - 1, 1)];

	SetRate(reached, counts->reached[1], COL_OVERALL_RATE, values, nulls);
	SetRate(reached, before, COL_STEP_RATE, values, nulls);
	SetBounds(reached, before, step, z, COL_LOWER, values, nulls);
}

/*
 * The columns that only step_rates() has.  The last step decides nothing.
 */
static void
SetMoreRates(const Conversion *conversion, const ConversionCounts *counts, int step, double z,
			 Datum *values, bool *nulls)
{
	int64		matured = counts->matured_reached[1];
	int64		reached = counts->matured_reached[step];

	if (step < conversion->identity.nsteps)
	{
		int64		next = counts->reached[step + 1];

		/* together they are not more than all leads */
		SetRate(next, next + counts->dropped[step], COL_DECIDED_RATE, values, nulls);
	}
	else
		nulls[COL_DECIDED_RATE] = true;

	if (!conversion->knows_matured)
	{
		for (int column = COL_MATURED_N; column < NRATES_COLUMNS; column++)
			nulls[column] = true;
		return;
	}
	values[COL_MATURED_N] = Int64GetDatum(matured);
	values[COL_MATURED_REACHED] = Int64GetDatum(reached);
	SetRate(reached, matured, COL_MATURED_RATE, values, nulls);
	SetBounds(reached, matured, step, z, COL_MATURED_LOWER, values, nulls);
}

/*
 * Amounts are kept per level; that of a step is the sum over its own level and
 * those above.
 */
static void
SumAmounts(const Conversion *conversion, Numeric *amounts)
{
	Numeric		sum = NULL;

	for (int i = conversion->identity.nsteps; i > 0; i--)
	{
		const AmountSum *amount = &conversion->levels[i].amount;

		if (amount->present)
		{
			Numeric		here = align_amount_sum_numeric(amount);

			sum = sum == NULL ? here :
				DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(sum),
													NumericGetDatum(here)));
		}
		amounts[i] = sum;
	}
}

/*
 * The rows of both functions.
 */
static Datum
StepRows(FunctionCallInfo fcinfo, bool more_rates)
{
	double		confidence = PG_NARGS() > 1 ? align_confidence_arg(PG_GETARG_FLOAT8(1)) :
		DEFAULT_CONFIDENCE;
	double		z = align_normal_quantile(confidence);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Conversion *conversion;
	ConversionCounts counts;
	Numeric		amounts[CONVERSION_MAX_STEPS + 1];

	align_begin_rows(fcinfo);
	conversion = align_conversion_absorb_datum(NULL, PG_GETARG_DATUM(0), CurrentMemoryContext);
	align_counts_of(conversion, &counts);
	SumAmounts(conversion, amounts);

	for (int i = 1; i <= conversion->identity.nsteps; i++)
	{
		ConversionLevel *level = &conversion->levels[i];
		LeadString	name = conversion->identity.names[i - 1];
		Datum		values[NRATES_COLUMNS];
		bool		nulls[NRATES_COLUMNS] = {false};

		values[COL_STEP] = Int32GetDatum(i);
		values[COL_NAME] = PointerGetDatum(cstring_to_text_with_len(name.text, name.len));
		values[COL_ENTERED] = Int64GetDatum(counts.entered[i]);
		values[COL_REACHED] = Int64GetDatum(counts.reached[i]);
		values[COL_DROPPED] = Int64GetDatum(counts.dropped[i]);
		values[COL_STILL_OPEN] = Int64GetDatum(counts.open[i]);
		SetRates(&counts, i, z, values, nulls);
		SetTimes(&level->times, values, nulls);
		if (amounts[i] != NULL)
			values[COL_AMOUNT] = NumericGetDatum(amounts[i]);
		else
			nulls[COL_AMOUNT] = true;
		if (more_rates)
			SetMoreRates(conversion, &counts, i, z, values, nulls);
		Assert(rsinfo->setDesc->natts == (more_rates ? NRATES_COLUMNS : NSTEPS_COLUMNS));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	MemoryContextDelete(conversion->header.eoh_context);
	return (Datum) 0;
}

Datum
align_conversion_steps(PG_FUNCTION_ARGS)
{
	return StepRows(fcinfo, false);
}

Datum
align_conversion_step_rates(PG_FUNCTION_ARGS)
{
	return StepRows(fcinfo, true);
}
