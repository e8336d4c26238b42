/*
 * amount_sum.h
 *	  Exact sums of amounts.
 *
 * Amounts of common size are added in integers; only what does not fit goes
 * through numeric.  The sum is exact and the same in any order.  It is written
 * like the amounts of a lead: canonical decimal text (see lead/amount.h).
 */
#ifndef ALIGN_AMOUNT_SUM_H
#define ALIGN_AMOUNT_SUM_H

#include "postgres.h"

#include "lead/lead.h"
#include "lib/stringinfo.h"
#include "utils/numeric.h"

#define AMOUNT_SUM_DECIMALS 6	/* of the integer part */

typedef struct AmountSum
{
	bool		present;		/* was anything added? */
	int128		units;			/* 10^-AMOUNT_SUM_DECIMALS each */
	Numeric		rest;			/* sum of what did not fit, or NULL */
} AmountSum;

/* Add a canonical amount; rest is kept in context. */
extern void align_amount_sum_add(AmountSum *sum, MemoryContext context, LeadString amount);
/* Both for a sum that is present; palloc'd. */
extern char *align_amount_sum_text(const AmountSum *sum);
extern Numeric align_amount_sum_numeric(const AmountSum *sum);

#endif							/* ALIGN_AMOUNT_SUM_H */
