/*
 * rates.c
 *	  wilson() and compare_rates(): one rate, or two, with confidence bounds.
 *
 * The bounds of a difference are those of method 10 (from Wilson's scores,
 * without continuity correction) in R. G. Newcombe, "Interval estimation for
 * the difference between independent proportions: comparison of eleven
 * methods", Statistics in Medicine 17 (1998), 873-890.  With the rates p1, p2
 * and their Wilson bounds l1, u1, l2, u2:
 *
 *		lower = p1 - p2 - sqrt((p1 - l1)^2 + (u2 - p2)^2)
 *		upper = p1 - p2 + sqrt((u1 - p1)^2 + (p2 - l2)^2)
 *
 * z is the difference divided by its standard error if both rates are equal to
 * p, that of all trials together, sqrt(p (1 - p) (1/n1 + 1/n2)); its two-sided
 * p-value is that of the normal distribution.  Bounds and p-value come from
 * different approximations, so near the limit one may exclude equal rates and
 * the other not.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "conversion/wilson.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_wilson_sql);
PG_FUNCTION_INFO_V1(align_compare_rates);

#define WILSON_COLUMNS 3
#define COMPARE_COLUMNS 5

/*
 * A rate and its bounds.  Without any trial the rate is unknown, and the
 * bounds are 0 and 1.
 */
typedef struct Rate
{
	int64		successes;
	int64		trials;
	double		rate;			/* not set if trials is 0 */
	double		lower;
	double		upper;
} Rate;

static void
RateArgs(FunctionCallInfo fcinfo, int argno, double z, Rate *rate)
{
	int64		successes = PG_GETARG_INT64(argno);
	int64		trials = PG_GETARG_INT64(argno + 1);

	if (trials < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of trials must not be negative")));
	if (successes < 0 || successes > trials)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of successes must be between 0 and the number of trials"),
				 errdetail("There are %lld successes in %lld trials.",
						   (long long) successes, (long long) trials)));
	rate->successes = successes;
	rate->trials = trials;
	rate->rate = 0.0;
	rate->lower = 0.0;
	rate->upper = 1.0;
	if (trials > 0)
	{
		rate->rate = (double) successes / (double) trials;
		align_wilson(successes, trials, z, &rate->lower, &rate->upper);
	}
}

/*
 * wilson(successes, trials, confidence)
 */
Datum
align_wilson_sql(PG_FUNCTION_ARGS)
{
	ConfidenceSite *site = align_confidence_site(fcinfo, 2);
	Rate		rate;
	Datum		values[WILSON_COLUMNS];
	bool		nulls[WILSON_COLUMNS] = {false};

	RateArgs(fcinfo, 0, site->z, &rate);
	values[0] = Float8GetDatum(rate.rate);
	nulls[0] = rate.trials == 0;
	values[1] = Float8GetDatum(rate.lower);
	values[2] = Float8GetDatum(rate.upper);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(site->desc, values, nulls)));
}

/*
 * z of the difference under the hypothesis that the rates are equal; false if
 * all trials have the same outcome, since then there is no variance.
 */
static bool
PooledZ(const Rate *a, const Rate *b, double *z)
{
	double		trials = (double) a->trials + (double) b->trials;
	double		successes = (double) a->successes + (double) b->successes;
	double		failures = (double) (a->trials - a->successes) +
		(double) (b->trials - b->successes);
	double		variance = (successes / trials) * (failures / trials) *
		(1.0 / (double) a->trials + 1.0 / (double) b->trials);

	if (variance <= 0.0)
		return false;
	*z = (a->rate - b->rate) / sqrt(variance);
	return true;
}

/*
 * compare_rates(successes_1, trials_1, successes_2, trials_2, confidence)
 */
Datum
align_compare_rates(PG_FUNCTION_ARGS)
{
	ConfidenceSite *site = align_confidence_site(fcinfo, 4);
	Rate		a;
	Rate		b;
	double		difference;
	double		z = 0.0;
	Datum		values[COMPARE_COLUMNS] = {0};
	bool		nulls[COMPARE_COLUMNS] = {false};

	RateArgs(fcinfo, 0, site->z, &a);
	RateArgs(fcinfo, 2, site->z, &b);
	if (a.trials == 0 || b.trials == 0)
	{
		/* the difference of an unknown rate */
		nulls[0] = nulls[3] = nulls[4] = true;
		values[1] = Float8GetDatum(Max(a.lower - b.upper, -1.0));
		values[2] = Float8GetDatum(Min(a.upper - b.lower, 1.0));
		PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(site->desc, values, nulls)));
	}

	difference = a.rate - b.rate;
	values[0] = Float8GetDatum(difference);
	values[1] = Float8GetDatum(Max(difference - hypot(a.rate - a.lower, b.upper - b.rate), -1.0));
	values[2] = Float8GetDatum(Min(difference + hypot(a.upper - a.rate, b.rate - b.lower), 1.0));
	if (PooledZ(&a, &b, &z))
	{
		values[3] = Float8GetDatum(z);
		values[4] = Float8GetDatum(erfc(fabs(z) * M_SQRT1_2));
	}
	else
		nulls[3] = nulls[4] = true;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(site->desc, values, nulls)));
}
