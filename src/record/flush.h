/*
 * flush.h
 *	  Writes pending changes to the history, and brings the clocks up to date.
 *
 * A flush takes the pending changes of one attached table (pending.h) in the
 * order of the commands that made them, and writes them in runs, as the owner
 * of the table.  For each run it reads the last entries and the clocks of all
 * leads concerned in one statement, applies the changes in memory, and writes
 * the new entries and clocks in another.  So keys of any type, partitioned
 * record tables, and columns, indexes and triggers that the owner has added to
 * them work as usual.  If both record tables are plain, the executor is
 * bypassed (direct.h).
 *
 * When changes are written
 *
 *	  - At the end of the outermost open statement on the table, and before
 *		commit or PREPARE TRANSACTION: all changes.
 *	  - Within a statement, whenever PENDING_BATCH changes are pending: those
 *		that may be written early.  This is done at the nesting level of the
 *		outermost statement only; in an exception block changes stay pending.
 *	  - If no statement is open (logical replication, direct writes to a
 *		partition that was added after align.attach()), after each row event:
 *		its changes.  Only a DELETE that may be the first half of a row
 *		movement stays pending, until the next event or commit.
 *	  - In functions that read the history, by align_recorder_flush_all().
 *
 * Where the stack of open statements does not show that no row trigger is
 * outstanding (pending.h), only those changes are written at the end of a
 * statement that may be written early; what is left waits for the end of the
 * next statement or for commit.
 *
 * Which changes may be written early
 *
 * A change must not be written before a change of the same lead whose row
 * trigger is outstanding.  Let V be the row version that the change replaced.
 * The change is written early if its from_stage is the stage that is recorded
 * last (for an entry: if the lead is not in the funnel), and if one of (a) to
 * (d), and (e) if it is an entry, holds:
 *
 *	  (a) Of the statements that were open around the one that made the change,
 *		  none is still open.
 *
 *	  (b) V was made by another transaction.  Then no open statement has
 *		  changed the row before.
 *
 *	  (c) The change that made V is written in the same run, directly before.
 *		  So is, if a row event makes several changes, the one before.
 *
 *	  (d) Of the statements that were open around the one that made the change,
 *		  unlisted ones included, only one is still open, say S.  S does not
 *		  set key columns.  And V
 *		  has exactly the stage, team and assignee that are recorded, and is
 *		  live if and only if the lead is recorded as being in the funnel.
 *
 *		  Proof: S makes at most one new version of a row.  Suppose that it has
 *		  made one, that its row trigger is outstanding, and that this will add
 *		  a change.  Then the stage, team, assignee or liveness of the new
 *		  version is not the recorded one.  The first change that a nested
 *		  statement made afterwards replaced a version with that state; so it
 *		  was not written, but waits, and later changes of the lead wait behind
 *		  it.
 *
 *		  If two statements are open around the change, what they have changed
 *		  may cancel out.  If S sets key columns, what is recorded under the
 *		  key may belong to another lead.
 *
 *	  (e) Every row is live, or (a) or (c) holds.  The row trigger for the
 *		  deletion of a row with the same key may be outstanding.  If that row
 *		  was live, its lead is still recorded as being in the funnel.  If not,
 *		  nothing shows it.
 *
 * A change that may not be written early waits until no row trigger is
 * outstanding, and so do all later changes of its lead.  Waiting changes are
 * not examined before, so the cost of a statement stays linear in the number
 * of changes.
 *
 * Changes of keys
 *
 * When the key of a lead changes, all its entries and clocks get the new key,
 * so what precedes must be written.  A flush with such a change writes nothing
 * while changes of outer nesting levels are pending, nor, as long as a row
 * trigger may be outstanding, if any change was made in a nested statement or
 * waits.
 *
 * Row movement
 *
 * When an UPDATE moves a row to another partition, row triggers fire for a
 * DELETE and for an INSERT of the same command.  The trigger puts the two
 * together again, and treats them as the UPDATE that they are.  An apply
 * worker of logical replication gets them as two separate events; there, a
 * DELETE and an INSERT of the same key that follows it directly are treated as
 * one UPDATE.
 */
#ifndef ALIGN_RECORD_FLUSH_H
#define ALIGN_RECORD_FLUSH_H

#include "compat.h"

#include "attachment/attachment.h"
#include "verdict/verdict.h"

struct Batch;

/* What a flush writes. */
typedef enum FlushMode
{
	FLUSH_EARLY,				/* what may be written early; waiting changes
								 * are not examined */
	FLUSH_RETRY,				/* the same, waiting changes included */
	FLUSH_ALL					/* everything: no row trigger is outstanding */
} FlushMode;

/*
 * Writes pending changes of a batch.  While a flush of the batch is in
 * progress, does nothing: that flush will write them.
 */
extern void align_recorder_flush(Attachment *attachment, struct Batch *batch, FlushMode mode);

/*
 * Writes pending changes at the end of a statement: everything if no statement
 * is open any more.
 */
extern void align_recorder_flush_at_end(Attachment *attachment, struct Batch *batch);

/*
 * Writes what may be written early, if enough changes are pending and if the
 * current nesting level is that of the outermost open statement.
 */
extern void align_recorder_flush_if_long(Attachment *attachment, struct Batch *batch);

/*
 * Sets the stage of a lead's last entry, palloc'd; its name is NULL if the
 * lead is not in the funnel, or if it has pending changes by commands less
 * than "before".  Takes one index scan.
 */
extern void align_recorded_stage(Attachment *attachment, struct Batch *batch, const Datum *key,
								 CommandId before, RecordedStage *result);

/*
 * Writes the pending changes of all attached tables that can be written now.
 * Called by functions that read the history (check, journeys, merge_leads,
 * erase, ...).
 */
extern void align_recorder_flush_all(void);

/*
 * Writes the pending changes of all attached tables, before commit or PREPARE
 * TRANSACTION.
 */
extern void align_recorder_flush_at_commit(void);

#endif							/* ALIGN_RECORD_FLUSH_H */
