/*
 * change.h
 *	  From an event of a row to the changes of its lead.
 *
 * One event may cause several changes of the lead, in this order: a new key,
 * the end of its life (if the live condition becomes false), its resumption
 * (if the condition becomes true again), a new stage, a new team or assignee.
 *
 * A row that is not live is not a lead.  It is neither judged nor recorded;
 * only the entries that a lead has from a time when its row was live get the
 * new key when the key of the row changes.
 */
#ifndef ALIGN_RECORD_CHANGE_H
#define ALIGN_RECORD_CHANGE_H

#include "compat.h"

#include "access/htup.h"
#include "agreement/agreement.h"
#include "attachment/attachment.h"
#include "history/history.h"
#include "record/pending.h"
#include "record/reload.h"
#include "utils/rel.h"

/* A version of a row in the attached table or in a partition of it. */
typedef struct RowVersion
{
	Attachment *attachment;		/* of rel */
	Relation	rel;
	HeapTuple	row;
	CommandId	command;		/* command that made it; of a version that was
								 * replaced or deleted, may be
								 * InvalidCommandId as in
								 * Change.replaced_command */
	CommandId	replaced_by;	/* as in Change; only of the version that is
								 * recorded */
	bool		sets_reason;	/* the reason column is in the SET list of the
								 * statement that made the version, or that is
								 * an INSERT; also if the list is not known */
	bool		sets_changed_at;	/* likewise */
	const DeferredDeletion *deferred;	/* not NULL: row is NULL, this is kept
										 * of a deleted row, */
	const Datum *deferred_key;	/* and this is its key */
} RowVersion;

/* True if the live condition holds for a row, or if there is none. */
extern bool align_row_is_live(const RowVersion *version);

/*
 * Judge an event of a row, and add the changes to the batch.  In mode enforce,
 * an illegal change of stage is an error.  deleted_by is the command of the
 * DELETE.
 */
extern void align_changes_of_insert(Batch *batch, const RowVersion *after);
extern void align_changes_of_update(Batch *batch, const RowVersion *before,
									const RowVersion *after);
extern Change *align_change_of_delete(Batch *batch, const RowVersion *before,
									  CommandId deleted_by);

/*
 * The same for tables attached with reload.
 *
 * align_defer_deletion() defers a deletion; it returns false if the deletion
 * must be added to the batch instead.  align_changes_of_reload() takes away
 * the deferred deletion of the key of an INSERT, and adds the changes of the
 * corresponding UPDATE; it returns false if there is none.
 * align_changes_of_first_stage() does the same for an UPDATE of a row whose
 * stage was NULL.  align_change_before_rekey() adds the deferred deletions, if
 * any, of the keys that a row had and gets by an UPDATE.
 */
extern bool align_defer_deletion(Batch *batch, const RowVersion *before, CommandId deleted_by,
								 bool truncated);
extern bool align_changes_of_reload(Batch *batch, const RowVersion *after);
extern bool align_changes_of_first_stage(Batch *batch, const RowVersion *before,
										 const RowVersion *after);
extern void align_change_before_rekey(Batch *batch, const RowVersion *before,
									  const RowVersion *after);

/*
 * Adds to the batch a deferred deletion that was taken away.
 */
extern void align_add_deferred(Batch *batch, Attachment *attachment, const Datum *key,
							   const DeferredDeletion *deletion);

/*
 * Returns the last change of the batch, which must not be empty, if it is a
 * DELETE of the same key that may be the first half of a row movement;
 * otherwise NULL.
 */
extern Change *align_change_first_half(Batch *batch, const RowVersion *after);

/*
 * Add a change that records the present state of a row, which is not being
 * changed: an opening, or an owner entry (for attach()).  row is a tuple of
 * rel with all columns.  new_lead states that the lead has no entries.
 *
 * An opening has the time in the opened_at column, or else in the changed_at
 * column.  Only if there is none, and the attachment does not have opened_at
 * => 'now', the source is or ends in "undated" where the argument does.
 */
extern void align_record_found(Attachment *attachment, Relation rel, HeapTuple row,
							   HistoryEvent event, const char *source, bool new_lead);

/*
 * Adds a move from a recorded stage, which source judged, to the stage of a
 * row that is found in it.  Who made it is not known, so the rule wrong_team
 * is not judged.  Broken rules are recorded in all modes.
 */
extern void align_record_found_move(Attachment *attachment, Relation rel, HeapTuple row,
									const StageSource *source, const char *from_stage);

/* The same for a lead that is gone: a deleted or truncated entry. */
extern void align_record_gone(Attachment *attachment, const Datum *key, HistoryEvent event,
							  const char *source);

#endif							/* ALIGN_RECORD_CHANGE_H */
