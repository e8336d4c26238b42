/*
 * amount_sum.h
 *	  Exact sums of amounts.
 *
 * Amounts of common size are added as integers, and only others as numeric.
 * The sum is exact, so it does not depend on the order.  Its text form is that
 * of the amounts of a lead, canonical decimal text (see lead/amount.h).
 */
#ifndef ALIGN_CONVERSION_AMOUNT_SUM_H
#define ALIGN_CONVERSION_AMOUNT_SUM_H

#include "postgres.h"

#include "lead/lead.h"
#include "lib/stringinfo.h"
#include "utils/numeric.h"

#define AMOUNT_SUM_DECIMALS 6	/* of the integer part */

typedef struct AmountSum
{
	bool		present;		/* true once an amount was added */
	int128		units;			/* in units of 10^-AMOUNT_SUM_DECIMALS */
	Numeric		rest;			/* sum of the other amounts, or NULL */
} AmountSum;

/* Add a canonical amount; rest is allocated in context. */
extern void align_amount_sum_add(AmountSum *sum, MemoryContext context, LeadString amount);

/* The sum, palloc'd; it must be present. */
extern char *align_amount_sum_text(const AmountSum *sum);
extern Numeric align_amount_sum_numeric(const AmountSum *sum);

#endif							/* ALIGN_CONVERSION_AMOUNT_SUM_H */
