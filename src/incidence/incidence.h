/*
 * incidence.h
 *	  The type incidence: a mergeable summary of when cases had which outcome,
 *	  of those that are open, and of those that came under observation late.
 *
 * Times are exact durations after the origin of each case, in microseconds.
 * A case left at the time of its outcome or, if it is open (censored), at the
 * time when it was last seen.  A case that entered late was not observed up to
 * and at the time of its entry; it is at risk only after that.  At the time at
 * which it left, a case is still at risk.
 *
 * Invariants, checked for text and binary input:
 *	  - there is at least one case, and the number of cases fits a bigint;
 *	  - counts are positive, times ascend, and no outcome is without cases;
 *	  - for every late entry there is a case that left later: of the cases that
 *		entered at any time or later, no more than left after it.
 *
 * Flat form, after the varlena header, in the numbers of wire.h and without
 * alignment, so that it can be read in place from a short varlena:
 *
 *	  flags		number: 0; unknown bits are refused
 *	  unit		number: index of the coarsest unit that all times are
 *				multiples of (see align_incidence_units)
 *	  outcomes	their number and names, in the order of their bytes
 *	  late, open, and each outcome:
 *				number of distinct times, each as distance from the one before
 *				in units, and count
 *
 * The form is canonical: equal summaries have equal bytes.  The wire
 * (send/recv) form is a version byte followed by the same bytes.
 *
 * In memory a summary is an expanded object, which an aggregate updates in
 * place.
 */
#ifndef ALIGN_INCIDENCE_INCIDENCE_H
#define ALIGN_INCIDENCE_INCIDENCE_H

#include "compat.h"

#include "group_states.h"
#include "incidence/series.h"
#include "lib/stringinfo.h"
#include "text_scan.h"
#include "utils/expandeddatum.h"
#include "utils/timestamp.h"
#include "value.h"

#define INCIDENCE_TYPE "incidence"
#define INCIDENCE_MAX_OUTCOMES 64
#define INCIDENCE_MAX_NAME 1024 /* bytes of the name of an outcome */
#define INCIDENCE_MAX_TIMES 10000000	/* distinct times of all series */

typedef struct IncidenceOutcome
{
	char	   *name;			/* not NUL-terminated */
	int			len;
	TimeSeries	times;
} IncidenceOutcome;

typedef struct Incidence
{
	ExpandedObjectHeader header;
	int64		cases;			/* 0 while empty */
	TimeSeries	late;			/* entries after the origin */
	TimeSeries	open;			/* last seen, without an outcome */
	int			noutcomes;
	int			outcomes_room;
	int			last_outcome;	/* index of the outcome found last */
	IncidenceOutcome *outcomes; /* in the order of their names if sorted */
	StringInfoData flat;		/* encoded form, if flat_valid */
	bool		flat_valid;
} Incidence;

/* Units of the flat form and the text form, the coarsest first. */
typedef struct IncidenceUnit
{
	const char *name;
	int64		microseconds;
} IncidenceUnit;

#define INCIDENCE_UNITS 6
extern const IncidenceUnit align_incidence_units[INCIDENCE_UNITS];

/* expanded.c */
/*
 * An empty summary in a context of its own below parent, or in parent if that
 * comes from align_group_states().
 */
extern Incidence *align_incidence_make(MemoryContext parent);

/*
 * Count more cases; an error if a bigint cannot, or if there are too many
 * distinct times.
 */
extern void align_incidence_count(Incidence *incidence, int64 cases);

/* The index of an outcome, which is added if it is new. */
extern int	align_incidence_outcome(Incidence *incidence, const char *name, int len);

/* The same, but -1 if it is not there. */
extern int	align_incidence_find(const Incidence *incidence, const char *name, int len);

/* Sort outcomes and times, as all readers need them. */
extern void align_incidence_sort(Incidence *incidence);

/*
 * NULL, or a sentence about what is wrong with the late entries; sorts.
 */
extern const char *align_incidence_check(Incidence *incidence);

/*
 * The expanded object that the datum lets one write to, if it is a child of
 * context; else NULL.
 */
extern Incidence *align_incidence_writable(Datum datum, MemoryContext context);

/*
 * The expanded object that a datum is, to be read only; NULL if it is another
 * form.
 */
extern Incidence *align_incidence_expanded(Datum datum);

/* A flat value in the current context. */
extern struct varlena *align_incidence_flatten(Incidence *incidence);

/* flat_write.c */
/*
 * The index of the coarsest unit that all times are multiples of; the series
 * are compact.
 */
extern int	align_incidence_unit(const Incidence *incidence);

/* Append the flat form of a summary that is sorted. */
extern void align_incidence_encode(StringInfo out, const Incidence *incidence);

/* flat_read.c */
/*
 * The summary in an argument, sorted, to be read only: the expanded object
 * itself, or a new one in the current context.
 */
extern Incidence *align_incidence_arg(Datum datum);

/*
 * Add the summary in a datum of any form to another, or to a new one in a
 * child of context if "into" is NULL.  Returns it.
 */
extern Incidence *align_incidence_absorb_datum(Incidence *into, Datum datum,
											   MemoryContext context);

/* The same with a flat form.  Malformed bytes are an error. */
extern Incidence *align_incidence_absorb(Incidence *into, WireReader *reader,
										 MemoryContext context);

/* text.c */
/* Parse, into a child of the current context; NULL after a soft error. */
extern Incidence *align_incidence_parse(const char *text, Node *escontext);

/* The text form, palloc'd; sorts. */
extern char *align_incidence_write(Incidence *incidence);

/* arguments.c */
/*
 * Microseconds of an interval argument; what names it in errors.  Months, and
 * what is not finite, are errors.
 */
extern int64 align_incidence_time(const Interval *interval, const char *what);

#endif							/* ALIGN_INCIDENCE_INCIDENCE_H */
