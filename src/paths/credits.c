/*
 * credits.c
 *	  What channels earned, as rows: the results of markov() and shapley().
 *
 * The values of the rows add up to the total exactly: they are whole units, as
 * small as the last decimal of the total and as its fifteenth digit, to which
 * float8 is exact.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "paths/credits.h"

/* Digits of the total that are divided, at least. */
#define LEAST_DIGITS 15

/* The most decimals of a numeric. */
#define MOST_DECIMALS 16383

static Numeric
Calculate(PGFunction function, Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(function, NumericGetDatum(a), NumericGetDatum(b)));
}

void
align_totals_add(PathsTotals *totals, const PathsReader *reader)
{
	bool		is_empty = reader->length == 0;

	totals->has_empty |= is_empty;
	*(is_empty ? &totals->empty_conversions : &totals->conversions) += reader->conversions;
	if (reader->value.text != NULL)
		align_amount_sum_add(is_empty ? &totals->empty_value : &totals->value,
							 CurrentMemoryContext, reader->value);
}

Numeric
align_value_unit(const PathsTotals *totals)
{
	char	   *total = align_amount_sum_text(&totals->value);
	char	   *point = strchr(total, '.');
	int			before_point = point != NULL ? (int) (point - total) : (int) strlen(total);
	int			decimals = point != NULL ? (int) strlen(point + 1) : 0;
	int			first = strcspn(total, "123456789");

	/* places from the first digit to the point; the point is no place */
	if (first > before_point)
		first--;
	decimals = Max(decimals, LEAST_DIGITS - (before_point - first));
	return int64_div_fast_to_numeric(1, Min(decimals, MOST_DECIMALS));
}

Numeric
align_value_units(Numeric value, Numeric weight, Numeric divisor, Numeric unit)
{
	Numeric		two = int64_to_numeric(2);
	Numeric		halves = Calculate(numeric_div_trunc,
								   Calculate(numeric_mul, Calculate(numeric_mul, value, weight), two),
								   Calculate(numeric_mul, divisor, unit));
	Datum		sign = DirectFunctionCall1(numeric_sign, NumericGetDatum(halves));

	return Calculate(numeric_div_trunc,
					 Calculate(numeric_add, halves, DatumGetNumeric(sign)), two);
}

/*
 * Give the units that are left over to the channel with the most.
 */
static void
GiveRest(ChannelCredit *credits, int n, Numeric total, Numeric unit)
{
	Numeric		rest = Calculate(numeric_div_trunc, total, unit);
	Numeric		most = NULL;
	int			best = -1;

	for (int i = 0; i < n; i++)
	{
		Numeric		size;

		if (credits[i].units == NULL)
			continue;
		rest = Calculate(numeric_sub, rest, credits[i].units);
		size = DatumGetNumeric(DirectFunctionCall1(numeric_abs,
												   NumericGetDatum(credits[i].units)));
		if (best < 0 ||
			DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(size),
											 NumericGetDatum(most))))
		{
			best = i;
			most = size;
		}
	}
	if (best >= 0)
		credits[best].units = Calculate(numeric_add, credits[best].units, rest);
}

static void
PutRow(FunctionCallInfo fcinfo, LeadString channel, const double *effect, bool has_effect,
	   double conversions, Numeric value)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[4];
	bool		nulls[4] = {false};
	int			n = 0;

	values[n++] = PointerGetDatum(cstring_to_text_with_len(channel.text, channel.len));
	if (has_effect)
	{
		nulls[n] = effect == NULL;
		values[n++] = effect == NULL ? (Datum) 0 : Float8GetDatum(*effect);
	}
	values[n++] = Float8GetDatum(conversions);
	nulls[n] = value == NULL;
	values[n++] = value == NULL ? (Datum) 0 :
		DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(value));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

void
align_put_credits(FunctionCallInfo fcinfo, ChannelCredit *credits, int n,
				  const PathsTotals *totals, bool has_effect)
{
	LeadString	none = align_lead_cstring(PATHS_NO_CHANNEL);
	bool		has_value = totals->value.present || totals->empty_value.present;
	Numeric		zero = int64_to_numeric(0);
	Numeric		unit = NULL;
	Numeric		empty_value = NULL;
	bool		put_empty = totals->has_empty;

	if (totals->value.present)
	{
		unit = align_value_unit(totals);
		GiveRest(credits, n, align_amount_sum_numeric(&totals->value), unit);
	}
	if (has_value)
		empty_value = totals->empty_value.present ?
			align_amount_sum_numeric(&totals->empty_value) : zero;

	/* one more turn, for "(none)" at the end */
	for (int i = 0; i <= n; i++)
	{
		int			order = i == n ? 1 : align_channel_compare(credits[i].channel, none);
		Numeric		value = NULL;
		double		conversions;

		if (order > 0 && put_empty)
		{
			PutRow(fcinfo, none, NULL, has_effect, (double) totals->empty_conversions,
				   empty_value);
			put_empty = false;
		}
		if (i == n)
			break;
		conversions = credits[i].conversions;
		if (has_value)
			value = credits[i].units == NULL ? zero :
				Calculate(numeric_mul, credits[i].units, unit);

		/* a channel of that name */
		if (order == 0 && put_empty)
		{
			conversions += (double) totals->empty_conversions;
			if (has_value)
				value = Calculate(numeric_add, value, empty_value);
			put_empty = false;
		}
		PutRow(fcinfo, credits[i].channel, &credits[i].effect, has_effect, conversions, value);
	}
}
