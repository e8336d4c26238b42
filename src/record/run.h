/*
 * run.h
 *	  A run: changes of an attached table that are written together, and the
 *	  state of their leads.
 *
 * The recorder fills in the changes of a run and then takes these steps:
 *
 *	1. align_run_group() groups the changes by lead.
 *
 *	2. align_run_read() reads the last entry and the clocks of each lead.
 *
 *	3. Between align_run_begin_writing() and align_run_finish_writing(),
 *	   align_run_write() is called for each change that can be written.
 *
 *	4. align_run_recompute_clocks() computes the clocks that do not follow from
 *	   the state that was read.
 *
 * All memory of a run is in its own context.  The caller is connected to SPI
 * and has the identity that record tables are written with (writer.h).
 */
#ifndef ALIGN_RECORD_RUN_H
#define ALIGN_RECORD_RUN_H

#include "compat.h"

#include "record/pending.h"
#include "record/direct.h"
#include "record/flush.h"
#include "record/plans.h"
#include "history/replay.h"
#include "executor/spi.h"
#include "utils/tuplestore.h"

/*
 * A lead with changes in the run.  The state is that of its last entry: first
 * as it was read, then after each change that is written.
 *
 * A "life" of a lead is a section of its entries that ends with the deletion
 * of the row (also by TRUNCATE, or because it is no longer live).
 */
typedef struct LeadState
{
	Datum	   *key;
	uint32		hash;			/* of key */
	int			next;			/* index of the next lead in the same hash
								 * bucket, -1 if there is none */
	bool		new_lead;		/* known to have no entries: nothing is read */
	bool		recorded;		/* it has an entry */
	bool		deferred;		/* a change of it stays pending, so later ones
								 * must not be written */
	bool		recompute;		/* clocks must be computed from all entries,
								 * because these are not in order of
								 * effective_at */
	CommandId	last_command;	/* of the last change written in this run;
								 * InvalidCommandId if there is none */
	int32		entry_no;		/* 0 if there is no entry */
	TimestampTz recorded_at;
	TimestampTz latest;			/* greatest effective_at of the stage and
								 * owner entries of the current life;
								 * DT_NOBEGIN if it has none yet */
	TimestampTz latest_stage;	/* greatest effective_at of all stage entries;
								 * DT_NOBEGIN if there are none */
	bool		alive;			/* in the funnel after its last entry; also if
								 * it has no entry, but an open clock */
	bool		ended;			/* the last entry that was read ends a life */
	char	   *stage;			/* of the last entry, like the next three;
								 * NULL stands for SQL NULL */
	char	   *team;
	char	   *assignee;
	char	   *source;
	StageSource judged_by;		/* version that judged the last entry */
	bool		has_clocks;		/* clocks is set up */
	LeadClocks	clocks;			/* of each service level at least the clock of
								 * the highest cycle: only that can be open */
} LeadState;

typedef struct Run
{
	Attachment *attachment;
	Batch	   *batch;
	MemoryContext context;		/* of the leads and their clocks */
	int			nchanges;
	Change	  **changes;		/* in the order in which they are written */
	LeadState **lead_of;		/* lead of each change */
	int			nleads;
	LeadState  *leads;
	int			nbuckets;		/* of the hash table of leads, a power of 2 */
	int		   *buckets;		/* index of the first lead of each, or -1 */
	bool		all_new;		/* new_lead is true for all leads */
	TimestampTz now;			/* earliest recorded_at of new entries */
	Direct	   *direct;			/* NULL: read and write by SQL */
	const struct Recomputation *recomputation;	/* NULL: the default, see
												 * recompute.h */
} Run;

/* Sets leads, lead_of and the hash table from the changes. */
extern void align_run_group(Run *run);

/* Reads the last entry and the clocks of all leads that are not new. */
extern void align_run_read(Run *run);

/*
 * Applies an entry to the clocks of a lead.  Raises an error if a clock cannot
 * start or resume, because it could never be due.
 */
extern void align_run_replay(const Run *run, LeadState *lead, const ReplayEntry *entry);

/* Entries on their way to the history. */
typedef struct RunWriter
{
	Tuplestorestate *entries;	/* NULL if they are written directly */
	TupleDesc	entry_desc;
} RunWriter;

/*
 * Writing the changes of a run.  align_run_write() makes an entry of a change,
 * and applies it to the state and the clocks of the lead;
 * align_run_finish_writing() writes to the tables what is still in memory.
 */
extern void align_run_begin_writing(Run *run, RunWriter *writer);
extern void align_run_write(Run *run, RunWriter *writer, LeadState *lead, const Change *change);
extern void align_run_finish_writing(Run *run, RunWriter *writer);

/*
 * True if a change begins at the stage that is recorded last, or need not: an
 * entry, an opening, or a change of a row that is not live.
 */
extern bool align_fits_recorded_stage(const Run *run, const LeadState *lead, const Change *change);

/*
 * Replaces the clocks of leads for which recompute is set by clocks computed
 * from all entries.  Returns the number of new clocks.
 */
extern int64 align_run_recompute_clocks(Run *run);

/* Adds a clock to rows of the kind ROWS_CLOCKS. */
extern void align_run_put_clock(const Run *run, Tuplestorestate *rows, TupleDesc desc,
								const LeadState *lead, const LeadClock *clock);

/*
 * Returns rows of the kind ROWS_KEYS, one for each lead for which wanted() is
 * true; n is the index of the lead.  The caller ends the tuplestore.
 */
extern Tuplestorestate *align_run_keys(Run *run, bool (*wanted) (const LeadState *lead));

/*
 * True if a lead is in the funnel after an entry with the given event, stage
 * and source.  event is a HistoryEvent, or -1 if it is unknown.
 */
extern bool align_alive_after(int event, const char *stage, const char *source);

/* Returns a field of the current result of SPI. */
static inline Datum
SpiField(uint64 row, int attnum, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, attnum, isnull);
}

/*
 * The same for a field of type text.  The string is part of the result; its
 * text is NULL if the field is null.
 */
extern LeadString align_spi_text(uint64 row, int attnum);

#endif							/* ALIGN_RECORD_RUN_H */
