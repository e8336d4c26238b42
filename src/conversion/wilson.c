/*
 * wilson.c
 *	  Wilson's score interval for a rate.
 *
 * E. B. Wilson, "Probable inference, the law of succession, and statistical
 * inference", Journal of the American Statistical Association 22 (1927),
 * 209-212.  With p = successes / trials, n = trials, and z the normal
 * quantile:
 *
 *		p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)
 *		-----------------------------------------
 *					1 + z^2/n
 *
 * Unlike the normal approximation it never leaves 0 to 1, and it keeps its
 * coverage for few trials and for rates near 0 and 1.
 */
#include "postgres.h"

#include <math.h>

#include "conversion/wilson.h"
#include "value.h"

double
align_confidence_arg(double confidence)
{
	/* NaN fails this comparison, too */
	if (!(confidence > 0.0 && confidence < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence must be greater than 0 and less than 1"),
				 errhint("Write 0.95 for 95 percent.")));
	return confidence;
}

/*
 * The z with P(-z < Z < z) = confidence, for a standard normal Z.
 *
 * z solves erf(z / sqrt(2)) = confidence.  Bisection needs no table of
 * constants, and takes some sixty steps, once per call of steps().  Near 1 it
 * compares the complement, which is more precise there.
 */
double
align_normal_quantile(double confidence)
{
	double		complement = 1.0 - confidence;
	double		low = 0.0;
	double		high = 40.0;

	for (;;)
	{
		double		middle = low + (high - low) / 2.0;
		bool		below;

		if (middle <= low || middle >= high)
			return middle;
		below = confidence < 0.5 ?
			erf(middle * M_SQRT1_2) < confidence :
			erfc(middle * M_SQRT1_2) > complement;
		if (below)
			low = middle;
		else
			high = middle;
	}
}

void
align_wilson(int64 successes, int64 trials, double z, double *lower, double *upper)
{
	double		n = (double) trials;
	double		s = (double) successes;
	double		f = (double) (trials - successes);
	double		z2 = z * z;

	/* the formula above, with numerator and denominator multiplied by n */
	double		middle = s + z2 / 2.0;
	double		half = z * sqrt(s * (f / n) + z2 / 4.0);

	Assert(trials > 0 && successes >= 0 && successes <= trials);
	*lower = successes == 0 ? 0.0 : Max((middle - half) / (n + z2), 0.0);
	*upper = successes == trials ? 1.0 : Min((middle + half) / (n + z2), 1.0);
}

ConfidenceSite *
align_confidence_site(FunctionCallInfo fcinfo, int confidence_argno)
{
	ConfidenceSite *site = (ConfidenceSite *) fcinfo->flinfo->fn_extra;
	double		confidence = align_confidence_arg(PG_GETARG_FLOAT8(confidence_argno));

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ConfidenceSite));
		site->desc = align_result_desc(fcinfo, fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = site;
	}
	if (site->confidence != confidence)
	{
		site->z = align_normal_quantile(confidence);
		site->confidence = confidence;
	}
	return site;
}
