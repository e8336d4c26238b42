/*
 * wilson.h
 *	  Wilson's score interval for a rate.
 */
#ifndef ALIGN_CONVERSION_WILSON_H
#define ALIGN_CONVERSION_WILSON_H

#include "postgres.h"

/* Check the argument "confidence": an error unless 0 < confidence < 1. */
extern double align_confidence_arg(double confidence);

/* The normal quantile z of a two-sided confidence. */
extern double align_normal_quantile(double confidence);

/* The bounds of successes / trials; trials > 0, 0 <= successes <= trials. */
extern void align_wilson(int64 successes, int64 trials, double z, double *lower, double *upper);

#endif							/* ALIGN_CONVERSION_WILSON_H */
