/*
 * conversion.h
 *	  The type conversion: a mergeable summary of many leads' progress.
 *
 * Counts are kept per level: a lead of level i has reached the steps 1 to i
 * and no further.  So adding a lead changes one level.  The values of a step
 * (reached, amount) are sums over its own level and those above, computed when
 * they are read.  Where passages are counted, each counts as a lead.
 *
 * Invariants, checked for all input (text, binary, stored bytes):
 *	  - there is at least one lead, and the sum of all counts fits a bigint;
 *	  - the leads of the last level have converted, and no others have;
 *	  - the leads that entered a step are among those that reached it, and
 *		include those of its level, except at the last step of a funnel, which
 *		may have other won stages; plain steps are skipped only if they are
 *		optional, so for others entered is reached;
 *	  - along a funnel, the times of a step are of leads that entered it and
 *		the previous step; those of its last step also of leads that won
 *		elsewhere.  Along plain steps they are of all leads that entered the
 *		step, from the last step before it that the lead entered;
 *	  - count, sum, least, most and buckets of the times agree;
 *	  - a level without leads has no amount;
 *	  - matured leads are known only along steps with a window; those that
 *		reached a step are among the leads that reached it;
 *	  - the times of the whole way, if they are known, are of all leads that
 *		converted; along a funnel of those that entered the first step, not
 *		after they won.
 *
 * A lead is matured when the window of its earliest first step is over.  Its
 * matured level is how far it got within that window, which may be less than
 * its level if it began again later.  In the mode "any" the window begins with
 * its earliest entry that fills any step.  Releases before 0.5 did not count
 * matured leads, and releases before 0.6 did not keep the times of the whole
 * way.  A summary that one of theirs was merged into does not know them
 * either, in whatever order it was merged.
 *
 * Flat form, after the varlena header, in the numbers of wire.h and without
 * alignment, so that it can be read in place from a short varlena:
 *
 *	  flags		number: bits CONVERSION_MATURED, CONVERSION_WAY; unknown ones
 *				are refused
 *	  identity	kind, then
 *				steps:	0, 1 + window in microseconds or 0 for none,
 *						number of steps, their names; or, if the list is not
 *						plain (see align_steps_are_plain),
 *						1, modes, 1 if passages are counted or 0, time zone or
 *						empty text, window, number of steps, by step: twice
 *						the number of its stages, plus 1 if it is optional,
 *						and their names; number of gaps, each as a window;
 *						number of excluded stages, their names.
 *						A window is 0 for none, or 1 + microseconds, and with
 *						a time zone then months and days.
 *				funnel: fingerprint, 8 bytes, most significant first,
 *						number of steps, their names
 *	  as_of		the least, signed; distance of the most from it
 *	  levels	from 0: open, dropped; of a funnel from 1 also: entered, timed;
 *				of an optional step also: entered
 *	  converted
 *	  matured	from level 1: matured leads; only with CONVERSION_MATURED
 *	  amounts	from level 1: canonical decimal text, empty for none
 *	  times		from step 2, if timed is not 0: number of buckets, each as
 *				number of empty buckets before it, and count;
 *				sum: high, low 64 bits; least and most, as distances from the
 *				least duration of the first and of the last bucket
 *	  way		only with CONVERSION_WAY: along a funnel its number of times;
 *				and if that is not 0, the same as of a step
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
#include "group_states.h"
#include "judge/judge.h"
#include "text_scan.h"
#include "utils/expandeddatum.h"
#include "value.h"

#define CONVERSION_TYPE "conversion"
#define CONVERSION_MAX_STEPS PROGRESS_MAX_STEPS

/* Bits of the flags in the flat form. */
#define CONVERSION_MATURED 0x01 /* the matured leads are known */
#define CONVERSION_WAY 0x02		/* the times of the whole way are known */
#define CONVERSION_ALL_FLAGS (CONVERSION_MATURED | CONVERSION_WAY)

typedef enum ConversionKind
{
	CONVERSION_STEPS,
	CONVERSION_FUNNEL
} ConversionKind;

/*
 * What a summary is about: a list of steps, or a funnel.  Only summaries of
 * equal identity can be merged.
 */
typedef struct ConversionIdentity
{
	ConversionKind kind;
	StepList	list;			/* steps only; canonical */
	uint64		fingerprint;	/* funnel only: of its canonical text */
	int			nsteps;
	LeadString *names;			/* of the steps, as text; along a funnel their
								 * stages */
	const char *bytes;			/* encoding as in the flat form; the stages
								 * point into it */
	size_t		len;
} ConversionIdentity;

typedef struct ConversionLevel
{
	int64		open;			/* leads of exactly this level, still open */
	int64		dropped;		/* leads of exactly this level, dropped */
	int64		entered;		/* leads that entered this step; 0 where it is
								 * reached (align_counts_entered) */
	int64		matured;		/* leads of exactly this matured level */
	AmountSum	amount;			/* of the leads of exactly this level */
	Histogram	times;			/* from the step before to this one */
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
	bool		knows_way;		/* else way is empty */
	Histogram	way;			/* from the first to the last step */
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
	int64		way;			/* times of the whole way, if known */
	int64		reached[CONVERSION_MAX_STEPS + 1];	/* derived */
	int64		matured_reached[CONVERSION_MAX_STEPS + 1];	/* derived */
} ConversionCounts;

/* identity.c */
/* Append the encoding of all fields (names and bytes need not be set). */
extern void align_identity_encode(StringInfo out, const ConversionIdentity *identity);

/*
 * Set nsteps, names and bytes, palloc'd, from the other fields, and point the
 * stages into bytes.  Of a funnel, names and nsteps are set before.
 */
extern void align_identity_make(ConversionIdentity *identity);

/*
 * Read an identity in place: bytes are those of the reader, only arrays are
 * palloc'd.  from_client: the names are converted from the client's encoding,
 * and do not point into bytes.
 */
extern void align_identity_read(ConversionIdentity *identity, WireReader *reader,
								bool from_client);

/* True if name is among the n names. */
extern bool align_name_repeats(const LeadString *names, int n, LeadString name);

/* identity_text.c */
/* Append the steps, as in "(inquiry, mql|sql, sal?, customer)". */
extern void align_write_names(StringInfo out, const ConversionIdentity *identity);

/*
 * Append the window of a list, or a gap, from 0, as in "30 days", "1 month 12
 * hours" or "none".
 */
extern void align_write_within(StringInfo out, const StepList *list);
extern void align_write_gap(StringInfo out, const StepList *list, int gap);

/* Append the gaps, as in "(none, 3 days)". */
extern void align_write_gaps(StringInfo out, const StepList *list);

/* Append some names, as in "(lost, junk)". */
extern void align_write_stage_names(StringInfo out, const LeadString *names, int n);

/* Can leads mature: is there a window that may be over? */
static inline bool
align_identity_matures(const ConversionIdentity *identity)
{
	return identity->kind == CONVERSION_STEPS && align_is_limited(&identity->list.within);
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
	GroupStates group;
	ConversionIdentity identity;	/* of the states made last, in their
									 * context; bytes NULL: none */
	uint64		identity_number;	/* of that context */
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

/*
 * The matured leads, or the times of the whole way, are not known, now and
 * after what is merged later.
 */
extern void align_conversion_forget_matured(Conversion *conversion);
extern void align_conversion_forget_way(Conversion *conversion);

/* The expanded object that the datum lets one write to, if it is a child of
 * context; else NULL. */
extern Conversion *align_conversion_writable(Datum datum, MemoryContext context);

/* A flat value in the current context. */
extern struct varlena *align_conversion_flatten(Conversion *conversion);

/* counts.c */
/*
 * True if the leads that entered a step, from 1, are counted, because not all
 * that reach it do.
 */
static inline bool
align_counts_entered(const ConversionIdentity *identity, int step)
{
	return identity->kind == CONVERSION_FUNNEL || identity->list.steps[step - 1].optional;
}

/* All matured leads of a summary that knows them. */
extern int64 align_conversion_matured(const Conversion *conversion);

/* The counts of a summary, with leads and what they reached. */
extern void align_counts_of(const Conversion *conversion, ConversionCounts *counts);

/*
 * Compute leads and what they reached; check the invariants.  Both return
 * NULL, or a sentence about a mistake at *level.
 */
extern const char *align_counts_derive(int nsteps, ConversionCounts *counts, int *level);
extern const char *align_counts_check(const ConversionIdentity *identity,
									  const ConversionCounts *counts, int *level);

/* The same for the times of the whole way, where they are known. */
extern const char *align_counts_check_way(const ConversionIdentity *identity,
										  const ConversionCounts *counts);

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

/* identity_scan.c */
/* Read the identity; false after a soft error. */
extern bool align_scan_identity(TextScan *scan, ConversionIdentity *identity);

/* text.c */
/* Parse, into a child of the current context; NULL after a soft error. */
extern Conversion *align_conversion_parse(const char *text, Node *escontext);

/* The same with a scan that the caller has begun. */
extern Conversion *align_conversion_parse_scan(TextScan *scan);

/* text_write.c */
/* The text form, palloc'd. */
extern char *align_conversion_write(Conversion *conversion);

#endif							/* ALIGN_CONVERSION_H */
