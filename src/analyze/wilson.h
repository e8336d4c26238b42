/*
 * wilson.h
 *	  Wilson's score interval for a rate.
 */
#ifndef ALIGN_WILSON_H
#define ALIGN_WILSON_H

#include "postgres.h"

/* The argument "confidence", checked: raises unless it lies between 0 and 1. */
extern double align_confidence_arg(double confidence);

/* The normal quantile that belongs to a two-sided confidence. */
extern double align_normal_quantile(double confidence);

/* Bounds of successes / trials; trials > 0, 0 <= successes <= trials. */
extern void align_wilson(int64 successes, int64 trials, double z, double *lower, double *upper);

#endif							/* ALIGN_WILSON_H */
