/*
 * process.h
 *	  The type process: a mergeable directly-follows graph of many leads.
 *
 * A visit of a stage begins when the lead enters it from another stage, or
 * enters its first stage, and ends when the lead enters another stage.  A move
 * leads from one stage to another; an entry into the stage that the lead is in
 * is no move.  Touches do not count.
 *
 * Contents.  Per stage: leads that were ever in it, leads that started in it,
 * leads that ended in it, that is, whose last stage it is.  Per pair of stages
 * with moves: the moves, the leads that made any, and their times, from the
 * entry into the first stage to the entry into the second.  With a calendar
 * also the working times.  With an as_of, later entries are ignored, and the
 * ages of the last visits, from the entry to as_of, are kept per stage.
 *
 * Everything is a count, a sum of integers or an extreme, so merging is exact
 * and does not depend on the order.
 *
 * Invariants, checked for all input (text, binary, stored bytes):
 *	  - there is at least one lead, and all visits fit a bigint;
 *	  - a stage is entered as often as it is left, where starts are entries
 *		and ends are exits, and at least once;
 *	  - no more leads were in a stage than it was entered, and no fewer than
 *		started there, ended there, or made one of its moves;
 *	  - a move leads to another stage, and no more leads made it than there
 *		are moves;
 *	  - working times are as many as times, and not longer.
 *
 * Flat form, after the varlena header, in the numbers of wire.h and without
 * alignment:
 *
 *	  flags		number: PROCESS_WORKING, PROCESS_AS_OF; others are refused
 *	  calendar	fingerprint, 8 bytes, most significant first; only with
 *				PROCESS_WORKING
 *	  as_of		the least, signed; distance of the most from it; only with
 *				PROCESS_AS_OF
 *	  stages	their number; each as name, leads, starts, ends, and with
 *				PROCESS_AS_OF, if it has ends, their ages
 *	  moves		number of pairs; each as distance of the first stage from that
 *				of the last pair, second stage, moves, leads, times
 *
 * Ages and times are a histogram of elapsed times (histogram_forms.c), and
 * with PROCESS_WORKING one of working times.  Stages are sorted by the bytes
 * of their names, and pairs by their stages, so the form is canonical: equal
 * processes have equal bytes.  The wire (send/recv) form is a version byte
 * followed by the same bytes, with the names in the client's encoding.
 *
 * In memory a process is an expanded object, which an aggregate updates in
 * place.
 */
#ifndef ALIGN_PROCESS_H
#define ALIGN_PROCESS_H

#include "compat.h"

#include "calendar/calendar.h"
#include "conversion/histogram.h"
#include "lead/lead.h"
#include "text_scan.h"
#include "utils/expandeddatum.h"
#include "wire.h"

#define PROCESS_TYPE "process"
#define PROCESS_MAX_STAGES (64 * 1024)
#define PROCESS_MAX_MOVES (1024 * 1024) /* pairs of stages */

/* Bits of the flags in the flat form. */
#define PROCESS_WORKING 0x01	/* there are working times */
#define PROCESS_AS_OF 0x02		/* there is an as_of, and there are ages */

/*
 * Only processes of equal identity can be merged.
 */
typedef struct ProcessIdentity
{
	bool		has_working;
	bool		has_as_of;
	uint64		calendar;		/* fingerprint of its canonical text; 0
								 * without working times */
} ProcessIdentity;

typedef struct ProcessTimes
{
	Histogram	elapsed;
	Histogram	working;		/* as many, or empty without a calendar */
} ProcessTimes;

typedef struct ProcessStage
{
	LeadString	name;
	int64		leads;
	int64		starts;
	int64		ends;
	ProcessTimes ages;			/* of ends; empty without an as_of */
} ProcessStage;

typedef struct ProcessMove
{
	int			from;			/* index of a stage */
	int			to;
	int64		moves;
	int64		leads;
	int64		last_lead;		/* number of the last lead counted in leads */
	ProcessTimes times;
} ProcessMove;

typedef struct Process
{
	ExpandedObjectHeader header;
	bool		in_shared_context;	/* with the states of other groups */
	ProcessIdentity identity;
	TimestampTz least_as_of;
	TimestampTz most_as_of;
	int64		leads;			/* sum of the starts; 0 while empty */
	int64		visits;			/* leads and all moves */
	int64		lead_number;	/* of the last lead added here; 0 none */
	int			nstages;
	int			stages_room;
	ProcessStage *stages;		/* in the order of their addition, which is
								 * the canonical order after decoding */
	int			nmoves;
	int			moves_room;
	ProcessMove *moves;			/* likewise */
	struct stage_names_hash *names; /* indexes of stages and moves */
	struct stage_pairs_hash *pairs;
	StringInfoData flat;		/* encoded form, if flat_valid */
	bool		flat_valid;
} Process;

/* The context of a process, in which everything it points to is allocated. */
#define PROCESS_CONTEXT(process) ((process)->header.eoh_context)

static inline bool
align_process_same_identity(const ProcessIdentity *a, const ProcessIdentity *b)
{
	return a->has_working == b->has_working && a->has_as_of == b->has_as_of &&
		a->calendar == b->calendar;
}

/* graph.c */
/* The index of a stage, -1 if it has none of this name. */
extern int	align_process_find_stage(const Process *process, LeadString name);

/* The same, of a stage that is added if need be, with counts of zero. */
extern int	align_process_stage(Process *process, LeadString name);

/* The same for moves from one stage to another. */
extern int	align_process_move(Process *process, int from, int to);

/* Count more leads and visits; raises when a bigint cannot. */
extern void align_process_count(Process *process, int64 leads, int64 moves);

/* True if the lead entered any stage by as_of. */
extern bool align_process_counts(const struct varlena *lead, TimestampTz as_of);

/*
 * Add a lead that counts.  calendar is NULL, and as_of DT_NOEND, if the
 * identity has none.
 */
extern void align_process_add(Process *process, const struct varlena *lead, Calendar *calendar,
							  TimestampTz as_of);

/*
 * Add another process.  Raises an error that names the difference unless they
 * have the same identity.
 */
extern void align_process_merge(Process *process, Process *other);

/*
 * Raise that error; rows: of two rows of an aggregate, else of two processes.
 */
extern void align_process_differs(const ProcessIdentity *a, const ProcessIdentity *b,
								  bool rows) pg_attribute_noreturn();

/* expanded.c */
/*
 * An empty process, in a context of its own below parent; or in parent itself
 * if that is the shared context of the states of an aggregate.
 */
extern Process *align_process_make(const ProcessIdentity *identity, MemoryContext parent,
								   bool parent_is_shared);

/* The expanded object that the datum lets one write to, if it is a child of
 * context; else NULL. */
extern Process *align_process_writable(Datum datum, MemoryContext context);

/* A flat value in the current context. */
extern struct varlena *align_process_flatten(Process *process);

/* check.c */
/*
 * Set leads and visits from the stages and moves.  Returns NULL, or a sentence
 * about a mistake in the counts, and then the index of a stage, or -1 if it is
 * not about one stage.
 */
extern const char *align_process_check(Process *process, int *stage);

/*
 * NULL, or a sentence about working times that do not suit the elapsed ones.
 */
extern const char *align_process_check_times(const ProcessTimes *times, bool has_working);

/* flat_write.c, flat_read.c */
/* Append the flat form; sorts lists of durations in place. */
extern void align_process_encode(StringInfo out, Process *process);

/*
 * Read a flat form into a new process, as align_process_make().  from_client:
 * names are in the client's encoding, and stages and moves in any order.
 */
extern Process *align_process_decode(WireReader *reader, bool from_client, MemoryContext parent,
									 bool parent_is_shared);

/* The same with a datum of any form. */
extern Process *align_process_decode_datum(Datum datum, MemoryContext parent,
										   bool parent_is_shared);

/* text_read.c, text_write.c */
/* Parse, into a child of the current context; NULL after a soft error. */
extern Process *align_process_parse(const char *text, Node *escontext);

/* The text form, palloc'd, of a process in canonical order. */
extern char *align_process_write(Process *process);

#endif							/* ALIGN_PROCESS_H */
