/*
 * wilson.h
 *	  Wilson's score interval for a rate.
 */
#ifndef ALIGN_CONVERSION_WILSON_H
#define ALIGN_CONVERSION_WILSON_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"

/* Check the argument "confidence": an error unless 0 < confidence < 1. */
extern double align_confidence_arg(double confidence);

/* The normal quantile z of a two-sided confidence. */
extern double align_normal_quantile(double confidence);

/* The bounds of successes / trials; trials > 0, 0 <= successes <= trials. */
extern void align_wilson(int64 successes, int64 trials, double z, double *lower, double *upper);

/*
 * What a call site of a function with bounds keeps: the row type of the
 * result, and the quantile of the confidence used last.
 */
typedef struct ConfidenceSite
{
	TupleDesc	desc;
	double		confidence;
	double		z;
} ConfidenceSite;

extern ConfidenceSite *align_confidence_site(FunctionCallInfo fcinfo, int confidence_argno);

#endif							/* ALIGN_CONVERSION_WILSON_H */
