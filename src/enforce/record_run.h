/*
 * record_run.h
 *	  A run: changes of an attached table that are written together, and what is
 *	  recorded already of the leads that they concern.
 */
#ifndef ALIGN_RECORD_RUN_H
#define ALIGN_RECORD_RUN_H

#include "compat.h"

#include "enforce/pending.h"
#include "enforce/record_direct.h"
#include "enforce/recorder.h"
#include "enforce/recorder_sql.h"
#include "enforce/replay.h"
#include "executor/spi.h"
#include "utils/tuplestore.h"

/*
 * A lead with changes in this run.
 */
typedef struct LeadState
{
	Datum	   *key;
	uint32		hash;
	int			next;			/* in its hash bucket, -1 none */
	bool		recorded;		/* has it any entry? */
	bool		fresh;			/* known to have none */
	bool		seen;			/* CountComplete has met a change of it, */
	const char *after;			/* after which it is in this stage */
	bool		recompute;		/* a backfill: make its clocks anew */
	int32		entry_no;		/* of its last entry */
	TimestampTz recorded_at;	/* likewise */
	TimestampTz latest;			/* effective_at of all entries of its life */
	bool		alive;			/* its last entry has a stage */
	bool		ended;			/* its last entry ends a life */
	char	   *stage;			/* of its last entry */
	char	   *team;
	char	   *source;
	bool		has_clocks;		/* clocks is set up */
	LeadClocks	clocks;
} LeadState;

typedef struct Run
{
	Attachment *attachment;
	Batch	   *batch;
	MemoryContext context;
	int			nchanges;
	Change	  **changes;		/* in the order of their commands */
	LeadState **lead_of;		/* of each change */
	int			nleads;
	LeadState  *leads;
	int			nbuckets;
	int		   *buckets;
	bool		all_fresh;
	bool	   *joined;			/* of each change, NULL none: see FindJoined */
	TimestampTz now;
	Direct	   *direct;			/* the short way; NULL: by SQL */
} Run;

/* Who the changes are about. */
extern void align_run_gather(Run *run);
/* What is recorded of them: last entries; clocks. */
extern void align_run_read_last(Run *run);
extern void align_run_read_clocks(Run *run);
/* Write; then, where the order was broken, make clocks anew from all entries. */
extern void align_run_write_entries(Run *run);
extern void align_run_write_clocks(Run *run);
extern void align_run_recompute_clocks(Run *run);

/* The keys of the leads that are wanted, with their index as n. */
extern Tuplestorestate *align_run_keys(Run *run, bool (*wanted) (const LeadState *lead));
/* A row for the clock table. */
extern void align_run_put_clock(const Run *run, Tuplestorestate *rows, TupleDesc desc,
								const LeadState *lead, const LeadClock *clock);

/* Does the change say that the lead was in a stage, and which? */
extern bool align_comes_out_of_a_stage(const Change *change);
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
