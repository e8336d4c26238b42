/*
 * recorder.h
 *	  Writes history and clocks.
 *
 * The row triggers hand over changes (pending.h).  They are written in batches of
 * PENDING_BATCH, as the owner of the attached table.  Each flush reads what is
 * recorded of all leads concerned in one statement, applies the changes in memory,
 * and writes entries and clocks in another, so that any type of key, partitioned
 * history, and whatever the owner put on these tables work as usual.  Where both
 * tables are plain it does the same without the executor (record_direct.h).
 *
 * When.  The end of the outermost open statement on the table writes everything.
 * Before that, whenever PENDING_BATCH changes have gathered, those are written whose
 * predecessors are known to be written or pending, too.  This happens at the nesting
 * level of the outermost statement only: inside an exception block changes wait.
 * Where no statement is open (logical replication, a write directly to a partition)
 * each change is written at once, but for a DELETE that may be the first half of a
 * row movement: it waits for the next change, or for commit.  A change that does not
 * qualify waits for the end of the next outermost statement on the root, or for commit.
 *
 * Which changes may be written while statements are open (see pending.h for the
 * problem):
 *
 *	  - If the version that a change replaces was made by another transaction, no open
 *		statement has touched the row before.
 *	  - If the change that made that version is written by the same flush, the change
 *		follows it directly.
 *	  - Otherwise an open statement S may have changed the row, and its row trigger is
 *		outstanding, or has fired already, or does not fire because nothing changed
 *		that is recorded.  If the replaced version has exactly the stage, team and
 *		assignee that are recorded, then no change by S is outstanding: it would have
 *		changed one of these, so the first nested change after it would not fit what
 *		is recorded, and would wait, together with all that follow.  (If more than one
 *		open statement was around the change, their outstanding changes might cancel
 *		each other out, and if S changes keys the record may be that of another lead.
 *		Then the change waits.)
 *	  - In any case the change must come out of the stage that is recorded.
 *
 * A change that does not qualify waits for the end of the outermost statement, and so
 * do all later changes of its lead.  Waiting changes are not looked at again before
 * that, so the cost stays linear.
 *
 * Row movement between partitions arrives as DELETE and INSERT of one command with
 * one key, and is put together again.
 */
#ifndef ALIGN_RECORDER_H
#define ALIGN_RECORDER_H

#include "compat.h"

#include "access/htup.h"
#include "catalog/as_role.h"
#include "enforce/attachment.h"
#include "enforce/history.h"
#include "enforce/replay.h"
#include "enforce/verdict.h"

/* Is align itself writing this very history or clock table?  (For
 * history_guard.) */
extern bool align_recorder_writes(Oid relid);
/* The role for which history and clocks are being written; the current user otherwise. */
extern Oid	align_recorder_caller(void);

struct Batch;

/* Writes what can be written now of a batch. */
extern void align_recorder_flush(Attachment *attachment, struct Batch *batch);
/* The same in a row trigger that no end of a statement follows. */
extern void align_recorder_flush_row(Attachment *attachment, struct Batch *batch);
/* The same if enough has gathered and this is the place for it; cheap otherwise. */
extern void align_recorder_flush_if_long(Attachment *attachment, struct Batch *batch);

/* Has what is pending written before commit; to be called with the first change. */
extern void align_recorder_watch_commit(void);

/*
 * Writes what is pending of all tables; for functions that read history (check,
 * journeys, merge_leads, erase, ...).
 */
extern void align_recorder_flush_all(void);

/*
 * Records what is there as it is: an opening (or deleted) entry for a row that is
 * not being changed.  For attach(): "row" is a tuple of rel with all columns.
 * from_stage and entry numbers come from what is recorded already; with fresh
 * nothing is, and nothing is read.
 */
extern void align_record_found(Attachment *attachment, Relation rel, HeapTuple row,
							   HistoryEvent event, const char *source, bool fresh);
/* The same for a lead whose row is gone. */
extern void align_record_gone(Attachment *attachment, const Datum *key, HistoryEvent event,
							  const char *source);

/*
 * Deletes the clocks of some leads and computes them from their histories.  keys are
 * those of one lead after the other; returns how many clocks they have.
 */
extern int64 align_recompute_clocks(Attachment *attachment, const Datum *keys, int nleads);

/*
 * The identity that history and clocks are written with: the owner of the
 * attached table, row security off, past the guard on history and clocks.
 */
typedef struct OwnerIdentity
{
	CallerRole	caller;			/* to go back to */
	int			nwriting;		/* writers before this one */
} OwnerIdentity;

extern void align_become_owner(const Attachment *attachment, OwnerIdentity *identity);
extern void align_resume_identity(const OwnerIdentity *identity);

/*
 * Run a statement as the owner of the attached table, allowed to write its
 * history and clocks; like SPI_execute_with_args (the caller is connected).
 */
extern int	align_execute_as_owner(Attachment *attachment, const char *command, int nargs,
								   Oid *types, Datum *values, const char *nulls);

/*
 * Raises unless a statement wrote as many rows of history or clock table as it was
 * given: a BEFORE trigger of the owner may have suppressed some.
 */
extern void align_check_written(const Attachment *attachment, uint64 nwritten, uint64 ngiven);

#endif							/* ALIGN_RECORDER_H */
