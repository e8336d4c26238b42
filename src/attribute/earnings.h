/*
 * earnings.h
 *	  What campaigns earned over many leads: the state of credit_agg.
 *
 * Sums are kept as integers (shares in units of 2^-62, amounts in units of
 * 10^-6, or exactly as numeric if they have more digits), so they depend
 * neither on the order of the leads nor on how these are divided among
 * workers.  Memory depends on the number of different campaigns: those whose
 * canonical text is the same are one.  Of their spellings, the smallest by
 * bytes is shown.
 *
 * All of it is allocated in the context of the aggregate itself.
 */
#ifndef ALIGN_EARNINGS_H
#define ALIGN_EARNINGS_H

#include "compat.h"

#include "attribute/attribute.h"

/* Units of a share; a lead divides exactly so many. */
#define SHARE_BITS 62
#define SHARE_UNITS (INT64CONST(1) << SHARE_BITS)

typedef struct Earning
{
	LeadString	group;			/* canonical text */
	LeadString	campaign;		/* spelling */
	LeadString	channel;
	int64		touches;
	int128		share;			/* in units of 2^-SHARE_BITS */
	bool		has_amount;
	int			scale;			/* the largest of all amounts added */
	int128		units;			/* amounts in units of 10^-6, */
	Numeric		rest;			/* and the others; NULL: none */
} Earning;

typedef struct Earnings
{
	MemoryContext context;
	uint64		serial;			/* different for all states of a backend */
	uint64		fingerprint;	/* of the aggregate's arguments */
	int			nearnings;
	int			room;
	Earning    *earnings;		/* in the order of their first touch; the
								 * first is that of conversions without one */
	struct earningindex_hash *index;
} Earnings;

/* An empty state. */
extern Earnings *align_earnings(MemoryContext context, uint64 fingerprint);

/* Add a lead. */
extern void align_earnings_add(Earnings *earnings, CreditSite *site, const struct varlena *lead);

/* Add all of another state. */
extern void align_earnings_merge(Earnings *into, const Earnings *from);

/* Serialise; read back into the current memory context. */
extern void align_earnings_write(StringInfo out, const Earnings *earnings);
extern Earnings *align_earnings_read(const void *data, size_t len);

/*
 * The earnings that are not empty, as pointers in the order of campaign and
 * channel by bytes, palloc'd.
 */
extern const Earning **align_earnings_sorted(const Earnings *earnings, int *count);

/* The sum of the amounts, which must be present. */
extern Datum align_earning_amount(const Earning *earning);

#endif							/* ALIGN_EARNINGS_H */
