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
#include "attachment/attachment.h"
#include "history/history.h"
#include "record/pending.h"
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

/* The same for a lead that is gone: a deleted or truncated entry. */
extern void align_record_gone(Attachment *attachment, const Datum *key, HistoryEvent event,
							  const char *source);

#endif							/* ALIGN_RECORD_CHANGE_H */
