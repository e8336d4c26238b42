/*
 * conversion.h
 *	  The type conversion: a mergeable summary of many leads' progress.
 *
 * Counts are kept per level: a lead whose level is i has reached the steps 1 to
 * i and no further.  What is told per step (reached, amount) is the sum over
 * its own level and those above, made when it is asked for; adding a lead
 * touches one level.
 *
 * Invariants, checked on every way in (text, binary, stored bytes):
 *	  - at least one lead; all counts together fit a bigint;
 *	  - the leads of the last level have converted, and no others;
 *	  - a step was entered by no more leads than reached it, and (but for the
 *		last, since a funnel may have other won stages) by all whose level it
 *		is; along plain steps nothing is skipped, and entered is reached;
 *	  - a step's times are those of leads that entered it and the step before;
 *		along plain steps of all that entered it;
 *	  - count, sum, least, most and buckets of the times agree;
 *	  - only a level with leads has an amount.
 *
 * Flat form, after the varlena header, in the numbers of wire.h and without
 * alignment (so it may be read in place from a short varlena):
 *
 *	  flags		number, zero today; unknown bits are refused
 *	  identity	kind, then
 *				steps:	mode, 1 + window in microseconds or 0 for none
 *				funnel: fingerprint, 8 bytes, most significant first
 *				and number of steps, their names
 *	  as_of		the least, signed; how much later the most is
 *	  levels	from 0: open, dropped; of a funnel from 1 also: entered, timed
 *	  converted
 *	  amounts	from level 1: canonical decimal text, empty for none
 *	  times		from step 2, where any were timed: number of buckets, each as
 *				distance from the one before (the first from -1) and count;
 *				sum: high, low 64 bits; least and most, as distances from the
 *				least duration of the first and of the last bucket
 *
 * The form is canonical: equal summaries have equal bytes.  The wire
 * (send/recv) form is a version byte followed by the same bytes.
 *
 * In memory a summary is an expanded object, so that an aggregate can update
 * its state in place.
 */
#ifndef ALIGN_CONVERSION_H
#define ALIGN_CONVERSION_H

#include "compat.h"

#include "amount_sum.h"
#include "histogram.h"
#include "judge/judge.h"
#include "text_scan.h"
#include "utils/expandeddatum.h"
#include "value.h"

#define CONVERSION_TYPE "conversion"
#define CONVERSION_MAX_STEPS PROGRESS_MAX_STEPS

typedef enum ConversionKind
{
	CONVERSION_STEPS,
	CONVERSION_FUNNEL
} ConversionKind;

typedef enum ConversionMode
{
	CONVERSION_ORDERED
} ConversionMode;

/*
 * What a summary counts.  Only summaries of equal identity can be merged.
 */
typedef struct ConversionIdentity
{
	ConversionKind kind;
	ConversionMode mode;		/* steps only */
	int64		within;			/* steps only: microseconds, -1 no window */
	uint64		fingerprint;	/* funnel only: of its canonical text */
	int			nsteps;
	LeadString *names;			/* of the steps; they point into bytes */
	const char *bytes;			/* encoded, as in the flat form */
	size_t		len;
} ConversionIdentity;

typedef struct ConversionLevel
{
	int64		open;			/* leads of exactly this level that may go on */
	int64		dropped;		/* ... that will not */
	int64		entered;		/* leads that entered this step; a funnel only */
	AmountSum	amount;			/* of the leads of exactly this level */
	Histogram	times;			/* from the step before to this one */
} ConversionLevel;

typedef struct Conversion
{
	ExpandedObjectHeader header;
	ConversionIdentity identity;
	TimestampTz least_as_of;
	TimestampTz most_as_of;
	int64		leads;			/* in all, those of level 0 too; 0 while empty */
	int64		converted;
	StringInfoData flat;		/* encoded form, if flat_valid */
	bool		flat_valid;
	ConversionLevel levels[FLEXIBLE_ARRAY_MEMBER];	/* 0 to nsteps */
} Conversion;

/*
 * The counts alone, for checking and for telling.  Indexed by level, or by step
 * from 1.
 */
typedef struct ConversionCounts
{
	int64		leads;
	int64		converted;
	int64		open[CONVERSION_MAX_STEPS + 1];
	int64		dropped[CONVERSION_MAX_STEPS + 1];
	int64		entered[CONVERSION_MAX_STEPS + 1];
	int64		timed[CONVERSION_MAX_STEPS + 1];
	int64		reached[CONVERSION_MAX_STEPS + 1];	/* derived */
} ConversionCounts;

/* identity.c */
/* Append its encoding, made from all fields but bytes. */
extern void align_identity_encode(StringInfo out, const ConversionIdentity *identity);
/* Complete an identity whose other fields are set: its bytes, and names in them. */
extern void align_identity_make(ConversionIdentity *identity);
/* names are palloc'd, bytes are those read.  With from_client these are in the
 * client's encoding, the names are converted. */
extern void align_identity_read(ConversionIdentity *identity, WireReader *reader,
								bool from_client);
extern bool align_name_repeats(const LeadString *names, int n, LeadString name);
extern const char *align_mode_name(ConversionMode mode);
/* "(inquiry, mql, customer)" */
extern void align_write_names(StringInfo out, const ConversionIdentity *identity);
/* "30 days" */
extern void align_write_window(StringInfo out, int64 within);

static inline bool
align_identity_equal(const ConversionIdentity *a, const ConversionIdentity *b)
{
	if (a->bytes == b->bytes)
		return true;
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Raise, naming what differs: between two summaries, or between two rows. */
extern void align_identity_differs(const ConversionIdentity *a, const ConversionIdentity *b,
								   bool rows) pg_attribute_noreturn();

/* expanded.c */
/* An empty summary in a context of its own below parent, or in parent if that comes
 * from align_conversion_states_context(). */
extern Conversion *align_conversion_make(const ConversionIdentity *identity, MemoryContext parent);

/* What a call site of an aggregate remembers of the context of its states; zeroed at
 * first.  It lives longer than the context. */
typedef struct ConversionStates
{
	MemoryContext parent;
	MemoryContext context;		/* NULL: not known */
	ConversionIdentity identity;	/* of the states made last, in that context; bytes
									 * NULL: none */
} ConversionStates;

/* The context for the states of all groups of an aggregate. */
extern MemoryContext align_conversion_states_context(ConversionStates *states,
													 MemoryContext aggregate_context);
/* An empty summary in that context; states of one identity share it. */
extern Conversion *align_conversion_make_state(const ConversionIdentity *identity,
											   ConversionStates *states,
											   MemoryContext aggregate_context);
/* One lead's progress, as of a finite time. */
extern void align_conversion_add(Conversion *conversion, const Progress *progress,
								 TimestampTz as_of);
/* Count more leads; raises when a bigint cannot. */
extern void align_conversion_count(Conversion *conversion, int64 leads);
extern void align_conversion_see(Conversion *conversion, TimestampTz least_as_of,
								 TimestampTz most_as_of);
/* The expanded object that the datum lets one write to, if it is a child of
 * context; else NULL. */
extern Conversion *align_conversion_writable(Datum datum, MemoryContext context);
/* A flat value in the current context. */
extern struct varlena *align_conversion_flatten(Conversion *conversion);

/* counts.c */
extern void align_counts_of(const Conversion *conversion, ConversionCounts *counts);
/* Fill in leads and reached.  Both return NULL, or a sentence about what is
 * wrong with a level. */
extern const char *align_counts_derive(int nsteps, ConversionCounts *counts, int *level);
extern const char *align_counts_check(ConversionKind kind, int nsteps,
									  const ConversionCounts *counts, int *level);

/* flat.c */
extern void align_conversion_encode(StringInfo out, Conversion *conversion);
/* Add what a flat body says; a NULL "into" makes a new summary in context. */
extern Conversion *align_conversion_absorb(Conversion *into, WireReader *reader,
										   MemoryContext context);
/* The same with a datum of any form. */
extern Conversion *align_conversion_absorb_datum(Conversion *into, Datum datum,
												 MemoryContext context);

/* text.c: in a new context below the current one; NULL after a soft error */
extern Conversion *align_conversion_parse(const char *text, Node *escontext);
/* The same with a scan that its caller has begun. */
extern Conversion *align_conversion_parse_scan(TextScan *scan);

/* text_write.c */
extern char *align_conversion_write(Conversion *conversion);
extern void align_write_uint128(StringInfo out, uint128 value);

#endif							/* ALIGN_CONVERSION_H */
