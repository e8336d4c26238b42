/*
 * conversion.h
 *	  The type conversion: a mergeable summary of many leads' progress.
 *
 * Counts are kept per level: a lead of level i has reached the steps 1 to i
 * and no further.  So adding a lead changes one level.  The values of a step
 * (reached, amount) are sums over its own level and those above, computed when
 * they are read.
 *
 * Invariants, checked for all input (text, binary, stored bytes):
 *	  - there is at least one lead, and the sum of all counts fits a bigint;
 *	  - the leads of the last level have converted, and no others have;
 *	  - the leads that entered a step are among those that reached it, and
 *		include those of its level, except at the last step of a funnel, which
 *		may have other won stages; plain steps are not skipped, so entered is
 *		reached;
 *	  - the times of a step are of leads that entered it and the previous step,
 *		and for plain steps of all of them; those of the last step of a funnel
 *		also of leads that won elsewhere;
 *	  - count, sum, least, most and buckets of the times agree;
 *	  - a level without leads has no amount;
 *	  - matured leads are known only along steps with a window; those that
 *		reached a step are among the leads that reached it.
 *
 * A lead is matured when the window of its earliest first step is over.  Its
 * matured level is how far it got within that window, which may be less than
 * its level if it began again later.  Releases before 0.5 did not count
 * matured leads.  A summary that one of theirs was merged into does not know
 * them either, in whatever order it was merged.
 *
 * Flat form, after the varlena header, in the numbers of wire.h and without
 * alignment, so that it can be read in place from a short varlena:
 *
 *	  flags		number: CONVERSION_MATURED or 0; unknown bits are refused
 *	  identity	kind, then
 *				steps:	mode, 1 + window in microseconds or 0 for none
 *				funnel: fingerprint, 8 bytes, most significant first
 *				and number of steps, their names
 *	  as_of		the least, signed; distance of the most from it
 *	  levels	from 0: open, dropped; of a funnel from 1 also: entered, timed
 *	  converted
 *	  matured	from level 1: matured leads; only with CONVERSION_MATURED
 *	  amounts	from level 1: canonical decimal text, empty for none
 *	  times		from step 2, if timed is not 0: number of buckets, each as
 *				number of empty buckets before it, and count;
 *				sum: high, low 64 bits; least and most, as distances from the
 *				least duration of the first and of the last bucket
 *
 * The form is canonical: equal summaries have equal bytes.  The wire
 * (send/recv) form is a version byte followed by the same bytes.
 *
 * In memory a summary is an expanded object, which an aggregate updates in
 * place.
 */
#ifndef ALIGN_CONVERSION_H
#define ALIGN_CONVERSION_H

#include "compat.h"

#include "conversion/amount_sum.h"
#include "conversion/histogram.h"
#include "judge/judge.h"
#include "text_scan.h"
#include "utils/expandeddatum.h"
#include "value.h"

#define CONVERSION_TYPE "conversion"
#define CONVERSION_MAX_STEPS PROGRESS_MAX_STEPS

/* Bits of the flags in the flat form. */
#define CONVERSION_MATURED 0x01 /* the matured leads are known */

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
 * The steps or funnel, mode and window that a summary is about.  Only
 * summaries of equal identity can be merged.
 */
typedef struct ConversionIdentity
{
	ConversionKind kind;
	ConversionMode mode;		/* steps only */
	int64		within;			/* steps only: microseconds, -1 no window */
	uint64		fingerprint;	/* funnel only: of its canonical text */
	int			nsteps;
	LeadString *names;			/* of the steps; point into bytes */
	const char *bytes;			/* encoding as in the flat form */
	size_t		len;
} ConversionIdentity;

typedef struct ConversionLevel
{
	int64		open;			/* leads of exactly this level, still open */
	int64		dropped;		/* leads of exactly this level, dropped */
	int64		entered;		/* leads that entered this step; 0 for plain
								 * steps */
	int64		matured;		/* leads of exactly this matured level */
	AmountSum	amount;			/* of the leads of exactly this level */
	Histogram	times;			/* from the previous step to this one */
} ConversionLevel;

typedef struct Conversion
{
	ExpandedObjectHeader header;
	ConversionIdentity identity;
	TimestampTz least_as_of;
	TimestampTz most_as_of;
	int64		leads;			/* including level 0; 0 while empty */
	int64		converted;
	bool		knows_matured;	/* else the levels have none */
	StringInfoData flat;		/* encoded form, if flat_valid */
	bool		flat_valid;
	ConversionLevel levels[FLEXIBLE_ARRAY_MEMBER];	/* 0 to nsteps */
} Conversion;

/*
 * The counts of a summary, to check and to show.  Indexed by level, or by step
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
	int64		matured[CONVERSION_MAX_STEPS + 1];
	int64		reached[CONVERSION_MAX_STEPS + 1];	/* derived */
	int64		matured_reached[CONVERSION_MAX_STEPS + 1];	/* derived */
} ConversionCounts;

/* identity.c */
/* Append the encoding of all fields (bytes need not be set). */
extern void align_identity_encode(StringInfo out, const ConversionIdentity *identity);

/* Set bytes, palloc'd, from the other fields, and point the names into it. */
extern void align_identity_make(ConversionIdentity *identity);

/*
 * Read an identity in place: bytes are those of the reader, only the array of
 * names is palloc'd.  from_client: the names are converted from the client's
 * encoding, and do not point into bytes.
 */
extern void align_identity_read(ConversionIdentity *identity, WireReader *reader,
								bool from_client);

/* True if name is among the n names. */
extern bool align_name_repeats(const LeadString *names, int n, LeadString name);
extern const char *align_mode_name(ConversionMode mode);

/* Append the steps, as in "(inquiry, mql, customer)". */
extern void align_write_names(StringInfo out, const ConversionIdentity *identity);

/* Append a window, as in "30 days". */
extern void align_write_window(StringInfo out, int64 within);

/* Can leads mature: is there a window that may be over? */
static inline bool
align_identity_matures(const ConversionIdentity *identity)
{
	return identity->kind == CONVERSION_STEPS && identity->within >= 0;
}

static inline bool
align_identity_equal(const ConversionIdentity *a, const ConversionIdentity *b)
{
	if (a->bytes == b->bytes)
		return true;
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/*
 * Raise an error that names the difference of two summaries, or of two rows.
 */
extern void align_identity_differs(const ConversionIdentity *a, const ConversionIdentity *b,
								   bool rows) pg_attribute_noreturn();

/* expanded.c */
/*
 * An empty summary in a context of its own below parent, or in parent if that
 * comes from align_conversion_states_context().
 */
extern Conversion *align_conversion_make(const ConversionIdentity *identity, MemoryContext parent);

/*
 * What a call site of an aggregate remembers of the context of its states;
 * zeroed at first.  It lives longer than the context.
 */
typedef struct ConversionStates
{
	MemoryContext parent;
	MemoryContext context;		/* NULL: not known */
	ConversionIdentity identity;	/* of the states made last, in that
									 * context; bytes NULL: none */
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

/* The matured leads are not known, now and after what is merged later. */
extern void align_conversion_forget_matured(Conversion *conversion);

/* The expanded object that the datum lets one write to, if it is a child of
 * context; else NULL. */
extern Conversion *align_conversion_writable(Datum datum, MemoryContext context);

/* A flat value in the current context. */
extern struct varlena *align_conversion_flatten(Conversion *conversion);

/* counts.c */
/* All matured leads of a summary that knows them. */
extern int64 align_conversion_matured(const Conversion *conversion);

/* The counts of a summary, with leads and what they reached. */
extern void align_counts_of(const Conversion *conversion, ConversionCounts *counts);

/*
 * Compute leads and what they reached; check the invariants.  Both return
 * NULL, or a sentence about a mistake at *level.
 */
extern const char *align_counts_derive(int nsteps, ConversionCounts *counts, int *level);
extern const char *align_counts_check(ConversionKind kind, int nsteps,
									  const ConversionCounts *counts, int *level);

/* flat_write.c, flat_read.c */
/* Append the flat form; sorts lists of durations in place. */
extern void align_conversion_encode(StringInfo out, Conversion *conversion);

/*
 * Add the summary in a flat form to another, or to a new one in a child of
 * context if "into" is NULL.  Returns it.  Malformed bytes and a different
 * identity are errors, after which "into" must not be used.
 */
extern Conversion *align_conversion_absorb(Conversion *into, WireReader *reader,
										   MemoryContext context);

/* The same with a datum of any form. */
extern Conversion *align_conversion_absorb_datum(Conversion *into, Datum datum,
												 MemoryContext context);

/* text.c */
/* Parse, into a child of the current context; NULL after a soft error. */
extern Conversion *align_conversion_parse(const char *text, Node *escontext);

/* The same with a scan that the caller has begun. */
extern Conversion *align_conversion_parse_scan(TextScan *scan);

/* text_write.c */
/* The text form, palloc'd. */
extern char *align_conversion_write(Conversion *conversion);

#endif							/* ALIGN_CONVERSION_H */
