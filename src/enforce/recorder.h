/*
 * recorder.h
 *	  Writing history and clocks.
 *
 * The row triggers hand over changes ("pending"); they are written in batches,
 * as the owner of the attached table, with SQL that reads them from tuplestores
 * (as transition tables are), so that any key type, partitioned history, and
 * whatever the owner put on these tables work as usual.
 *
 * When.  A statement's changes are flushed by its AFTER STATEMENT trigger; long
 * statements flush every RECORDER_BATCH changes.  Where no such trigger will
 * come (logical replication, a write directly to a partition), they are flushed
 * at once.  Whatever is left is flushed before commit and before PREPARE.
 *
 * Order.  Changes of one lead are recorded in the order in which the versions of
 * its row were made, which is that of their command identifiers, not of the
 * trigger calls: when an AFTER trigger of somebody else updates a row whose
 * change we have not been told yet, we hear of the second change first.  A
 * change whose predecessor is missing therefore waits in nested statements until
 * that arrives.
 *
 * Row movement between partitions arrives as DELETE and INSERT of one command
 * with one key, and is put together again.
 *
 * Rolled back (sub)transactions take their pending changes with them.
 */
#ifndef ALIGN_RECORDER_H
#define ALIGN_RECORDER_H

#include "compat.h"

#include "access/htup.h"
#include "enforce/attachment.h"
#include "enforce/history.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "enforce/replay.h"
#include "enforce/verdict.h"

#define RECORDER_BATCH 10000

/* Is align itself writing this very history or clock table?  (For
 * history_guard.) */
extern bool align_recorder_writes(Oid relid);

/*
 * Write what is pending for the root of the attachment, as far as it belongs to
 * this nesting level and its predecessors are known.  more_to_come: the statement
 * is not at its end (inside triggers of others it never is).
 */
struct Batch;
extern void align_recorder_flush(Attachment *attachment, struct Batch *batch, bool more_to_come);
/* How many triggers are under way; 1 in one that no other has set off. */
extern int	align_trigger_depth(void);

/*
 * Everything that is pending is written now; for functions that read history
 * (check, journeys, merge_leads, erase, ...).
 */
extern void align_recorder_flush_all(void);

/*
 * Record what is there as it is: an opening (or deleted) entry for a row that is
 * not being changed.  For attach(): "row" is a tuple of rel with all columns.
 * from_stage and entry numbers come from what is recorded already; with fresh
 * nothing is, and nobody looks.
 */
extern void align_record_standing(Attachment *attachment, Relation rel, HeapTuple row,
								  HistoryEvent event, const char *source, bool fresh);
/* The same for a lead whose row is gone. */
extern void align_record_gone(Attachment *attachment, const Datum *key, HistoryEvent event,
							  const char *source);

/*
 * Throw away the clocks of one lead and make them anew from its history; for
 * backfills and merge_leads().
 */
extern void align_recompute_clocks(Attachment *attachment, const Datum *key);

/*
 * The identity that history and clocks are written with: the owner of the
 * attached table, row security off, past the guard on history and clocks.
 */
typedef struct OwnerIdentity
{
	CallerRole caller;		/* to go back to */
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
