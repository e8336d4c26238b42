/*
 * estimate.h
 *	  The probability that an outcome has happened by a time, with standard
 *	  error and bounds.
 *
 * The estimate is Aalen and Johansen's: O. O. Aalen and S. Johansen, "An
 * empirical transition matrix for non-homogeneous Markov chains based on
 * censored observations", Scandinavian Journal of Statistics 5 (1978),
 * 141-150.  With n(u) cases at risk at time u, of which d(u) have any outcome
 * and d1(u) the one in question:
 *
 *		S(t) = product over u <= t of 1 - d(u) / n(u)
 *		F(t) = sum over u <= t of S(u-) d1(u) / n(u)
 *
 * Where there is no other outcome, F is 1 - S, and S is Kaplan and Meier's.
 *
 * The variance is Greenwood's form of Aalen and Johansen's estimator, with
 * h = d / n and h1 = d1 / n:
 *
 *		sum over u <= t of 1/n(u) *
 *		  (S(u-)^2 h1 (1 - h1) + b^2 h (1 - h) - 2 S(u-) b h1 (1 - h)),
 *		b = (F(t) - F(u)) / (1 - h)
 *
 * (P. K. Andersen, O. Borgan, R. D. Gill, N. Keiding, "Statistical models
 * based on counting processes", 1993, section IV.4.1.3).  Without late entries
 * it equals the infinitesimal jackknife, which survfit() of R's package
 * survival computes; with one outcome it is Greenwood's, S^2 * sum of
 * d / (n (n - d)).
 */
#ifndef ALIGN_INCIDENCE_ESTIMATE_H
#define ALIGN_INCIDENCE_ESTIMATE_H

#include "incidence/risk.h"

typedef enum BoundsKind
{
	BOUNDS_PLAIN,
	BOUNDS_LOG,
	BOUNDS_LOG_LOG
} BoundsKind;

typedef struct Estimate
{
	RiskWalk	walk;
	int			outcome;		/* index, or -1 */
	bool		is_only;		/* no case has another outcome */
	RiskStep	step;			/* the step taken last */
	double		survival;		/* S: without any outcome */
	double		probability;	/* F */
	double		std_error;

	/* sums over the steps so far, with F(t) - F(u) as it is now */
	double		own;			/* S(u-)^2 h1 (1 - h1) / n */
	double		any[3];			/* (F(t) - F(u))^i d / (n (n - d)) */
	double		both[2];		/* (F(t) - F(u))^i S(u-) h1 / n */
} Estimate;

/* Begin before the first time, at which nothing has happened. */
extern void align_estimate_begin(Estimate *estimate, const Incidence *incidence, int outcome);

/* Take the next time at which a case leaves; false if there is none. */
extern bool align_estimate_next(Estimate *estimate);

/*
 * Take all steps up to a time.  Returns the number of cases at risk at it, and
 * in *known whether the probability is known: up to the last time at which a
 * case was under observation, and after it if all had an outcome.
 */
extern int64 align_estimate_until(Estimate *estimate, int64 at, bool *known);

/* The argument "bounds": plain, log or log-log. */
extern BoundsKind align_bounds_arg(const text *kind);

/*
 * The bounds of the probability, for the normal quantile z.  False if there
 * are none: nothing has happened yet, or everything.
 */
extern bool align_estimate_bounds(const Estimate *estimate, BoundsKind kind, double z,
								  double *lower, double *upper);

#endif							/* ALIGN_INCIDENCE_ESTIMATE_H */
