/*
 * estimate.c
 *	  The probability that an outcome has happened by a time.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"

#include "incidence/estimate.h"

void
align_estimate_begin(Estimate *estimate, const Incidence *incidence, int outcome)
{
	memset(estimate, 0, sizeof(Estimate));
	align_risk_begin(&estimate->walk, incidence);
	estimate->outcome = outcome;
	estimate->is_only = outcome >= 0 && incidence->noutcomes == 1;
	estimate->survival = 1.0;
}

/*
 * Add a step to the sums.  The differences F(t) - F(u) of the steps before it
 * all grow by the same amount, so their sums and sums of squares follow from
 * what they were, without a loop and without cancellation.
 */
static void
AddStep(Estimate *estimate)
{
	double		n = (double) estimate->step.at_risk;
	double		d1 = (double) estimate->step.events;
	double		d = d1 + (double) estimate->step.competing;
	double		before = estimate->survival;
	double		growth = before * (d1 / n);
	double		variance;

	estimate->any[2] += growth * (2.0 * estimate->any[1] + growth * estimate->any[0]);
	estimate->any[1] += growth * estimate->any[0];
	estimate->both[1] += growth * estimate->both[0];
	estimate->own += before * before * (d1 / n) * ((n - d1) / n) / n;
	estimate->probability += growth;
	if (d < n)
	{
		estimate->any[0] += d / (n * (n - d));
		estimate->both[0] += growth / n;
	}
	estimate->survival *= (n - d) / n;

	if (estimate->is_only)
	{
		estimate->probability = 1.0 - estimate->survival;
		estimate->std_error = estimate->survival * sqrt(estimate->any[0]);
		return;
	}
	variance = estimate->own + estimate->any[2] - 2.0 * estimate->both[1];
	estimate->std_error = variance > 0.0 ? sqrt(variance) : 0.0;
}

bool
align_estimate_next(Estimate *estimate)
{
	int64		at;

	CHECK_FOR_INTERRUPTS();
	if (!align_risk_peek(&estimate->walk, &at))
		return false;
	align_risk_take(&estimate->walk, at, estimate->outcome, &estimate->step);
	if (estimate->step.events > 0 || estimate->step.competing > 0)
		AddStep(estimate);
	return true;
}

int64
align_estimate_until(Estimate *estimate, int64 at, bool *known)
{
	int64		next;

	while (align_risk_peek(&estimate->walk, &next) && next < at)
		(void) align_estimate_next(estimate);
	*known = align_risk_peek(&estimate->walk, &next) || estimate->survival == 0.0;
	if (*known && align_risk_peek(&estimate->walk, &next) && next == at)
	{
		(void) align_estimate_next(estimate);
		return estimate->step.at_risk;
	}
	return align_risk_at(&estimate->walk, at);
}

BoundsKind
align_bounds_arg(const text *kind)
{
	const char *name = text_to_cstring(kind);

	if (strcmp(name, "plain") == 0)
		return BOUNDS_PLAIN;
	if (strcmp(name, "log") == 0)
		return BOUNDS_LOG;
	if (strcmp(name, "log-log") == 0)
		return BOUNDS_LOG_LOG;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown kind of bounds \"%s\"", name),
			 errhint("Bounds are \"log-log\", \"log\" or \"plain\".")));
}

/*
 * The bounds of the probability s of not having the outcome are
 *
 *		plain		s -+ z e
 *		log			s exp(-+ z e / s), at most 1
 *		log-log		s ^ exp(-+ z e / (s log s))
 *
 * with its standard error e, as those of survfit() for a survival curve.
 */
bool
align_estimate_bounds(const Estimate *estimate, BoundsKind kind, double z, double *lower,
					  double *upper)
{
	double		s = estimate->is_only ? estimate->survival : 1.0 - estimate->probability;
	double		e = z * estimate->std_error;
	double		low = 0.0;
	double		high = 0.0;

	/* almost all: the sum of a probability may miss 1 by a rounding */
	if (estimate->probability <= 0.0 || s <= 1e-12 || e <= 0.0)
		return false;
	switch (kind)
	{
		case BOUNDS_PLAIN:
			low = s - e;
			high = s + e;
			break;
		case BOUNDS_LOG:
			low = s * exp(-e / s);
			high = s * exp(e / s);
			break;
		case BOUNDS_LOG_LOG:
			/* log s is negative */
			low = pow(s, exp(-e / (s * log(s))));
			high = pow(s, exp(e / (s * log(s))));
			break;
	}
	*lower = 1.0 - Min(high, 1.0);
	*upper = 1.0 - Max(low, 0.0);
	return true;
}
