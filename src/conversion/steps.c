/*
 * steps.c
 *	  steps(conversion [, confidence]): a conversion as one row per step.
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
	NCOLUMNS
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
	/* ranks as in percentile_disc: the least rank >= fraction * count */
	values[COL_MEDIAN_TIME] =
		align_days_interval_datum(align_histogram_rank(times, times->count - times->count / 2));
	values[COL_P90_TIME] =
		align_days_interval_datum(align_histogram_rank(times, times->count - times->count / 10));
	values[COL_MEAN_TIME] = align_days_interval_datum(align_histogram_mean(times));
}

/*
 * Rates are NULL where the divisor is zero.  The first step is its own
 * divisor, so its rate is 1 and has no bounds.
 */
static void
SetRates(const ConversionCounts *counts, int step, double z, Datum *values, bool *nulls)
{
	int64		reached = counts->reached[step];
	int64		base = counts->reached[1];
	int64		before = counts->reached[Max(step - 1, 1)];

	if (base > 0)
		values[COL_OVERALL_RATE] = Float8GetDatum((double) reached / (double) base);
	else
		nulls[COL_OVERALL_RATE] = true;

	if (before > 0)
		values[COL_STEP_RATE] = Float8GetDatum((double) reached / (double) before);
	else
		nulls[COL_STEP_RATE] = true;

	if (step > 1 && before > 0)
	{
		double		lower;
		double		upper;

		align_wilson(reached, before, z, &lower, &upper);
		values[COL_LOWER] = Float8GetDatum(lower);
		values[COL_UPPER] = Float8GetDatum(upper);
	}
	else
	{
		nulls[COL_LOWER] = true;
		nulls[COL_UPPER] = true;
	}
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

Datum
align_conversion_steps(PG_FUNCTION_ARGS)
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
		Datum		values[NCOLUMNS];
		bool		nulls[NCOLUMNS] = {false};

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
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	MemoryContextDelete(conversion->header.eoh_context);
	return (Datum) 0;
}
