/*
 * run.h
 *	  A run: changes of an attached table that are written together, and what is
 *	  recorded already of the leads that they concern.
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
 * A lead with changes in the run: its record as it was read, brought up to date with
 * every change that is written.
 */
typedef struct LeadState
{
	Datum	   *key;
	uint32		hash;
	int			next;			/* in its hash bucket, -1 none */
	bool		fresh;			/* known to have no entries */
	bool		recorded;		/* has it any entry? */
	bool		deferred;		/* a change of it is not written by this run,
								 * so later ones are not either */
	bool		recompute;		/* its entries are not in order of
								 * effective_at: its clocks are computed from
								 * all of them */
	CommandId	command;		/* of the last change written by this run */
	int32		entry_no;		/* of its last entry */
	TimestampTz recorded_at;	/* likewise */
	TimestampTz latest;			/* greatest effective_at of its life */
	bool		alive;			/* its last entry has a stage; also if it has
								 * no entry but an open clock */
	bool		ended;			/* its last entry ends a life */
	char	   *stage;			/* of its last entry, NULL none; so are the
								 * next three */
	char	   *team;
	char	   *assignee;
	char	   *source;
	bool		has_clocks;		/* clocks is set up */
	LeadClocks	clocks;			/* per service level at least that of the
								 * highest cycle, which alone can be open */
} LeadState;

typedef struct Run
{
	Attachment *attachment;
	Batch	   *batch;
	MemoryContext context;
	int			nchanges;
	Change	  **changes;		/* in the order in which they are to be
								 * written */
	LeadState **lead_of;		/* of each change */
	int			nleads;
	LeadState  *leads;
	int			nbuckets;
	int		   *buckets;
	bool		all_fresh;
	TimestampTz now;
	Direct	   *direct;			/* NULL: read and write by SQL */
} Run;

/* Sets leads and lead_of from the changes. */
extern void align_run_gather(Run *run);

/* Reads what is recorded of all leads: last entries and clocks. */
extern void align_run_read(Run *run);

/* Applies an entry to the clocks of a lead. */
extern void align_run_replay(const Run *run, LeadState *lead, const ReplayEntry *entry);

/*
 * Writes an entry for a change of a lead, and applies it to the lead's state.  What
 * is written goes to the tables with align_run_finish_writing().
 */
typedef struct RunWriter
{
	Tuplestorestate *entries;	/* NULL where entries are written directly */
	TupleDesc	entry_desc;
} RunWriter;

extern void align_run_begin_writing(Run *run, RunWriter *writer);
extern void align_run_write(Run *run, RunWriter *writer, LeadState *lead, const Change *change);
extern void align_run_finish_writing(Run *run, RunWriter *writer);

/* Is the stage that a change comes from the one recorded last? */
extern bool align_follows_record(const Run *run, const LeadState *lead, const Change *change);

/* Where the order was broken, computes clocks from all entries; returns how many
 * clocks the leads have then. */
extern int64 align_run_recompute_clocks(Run *run);

/* A row for the clock table. */
extern void align_run_put_clock(const Run *run, Tuplestorestate *rows, TupleDesc desc,
								const LeadState *lead, const LeadClock *clock);

/* The keys of the leads for which "wanted" is true, with their index as n. */
extern Tuplestorestate *align_run_keys(Run *run, bool (*wanted) (const LeadState *lead));

/* Is it a change of a row that is not live? */
static inline bool
SaysNotLive(const char *source)
{
	return source != NULL && align_source_is_not_live(source, strlen(source));
}

/* Is a lead in the funnel after such an entry? */
extern bool align_leaves_alive(int event, const char *stage, const char *source);

/*
 * Fields of SPI's result.  Text points into it.
 */
static inline Datum
SpiField(uint64 row, int attnum, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, attnum, isnull);
}

extern LeadString align_spi_text(uint64 row, int attnum);

#endif							/* ALIGN_RECORD_RUN_H */
