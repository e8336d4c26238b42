/*
 * change.h
 *	  From versions of a row to the changes of its lead.
 */
#ifndef ALIGN_RECORD_CHANGE_H
#define ALIGN_RECORD_CHANGE_H

#include "compat.h"

#include "access/htup.h"
#include "attachment/attachment.h"
#include "history/history.h"
#include "record/pending.h"
#include "utils/rel.h"

/* A version of a row in a relation (a partition, perhaps). */
typedef struct RowVersion
{
	Attachment *attachment;		/* of rel */
	Relation	rel;
	HeapTuple	row;
	CommandId	command;		/* that made it; of a version that was
								 * replaced or deleted as in Change.before */
} RowVersion;

/*
 * Judge a change, and add what is to be recorded to the batch; raises in mode
 * enforce.  deleted_by: the command of the DELETE.
 */
extern void align_changes_of_insert(Batch *batch, const RowVersion *after);
extern void align_changes_of_update(Batch *batch, const RowVersion *before,
									const RowVersion *after);
extern Change *align_change_of_delete(Batch *batch, const RowVersion *before,
									  CommandId deleted_by);

/* The DELETE of the same lead directly before an INSERT, if it waits for its
 * second half; NULL if there is none. */
extern Change *align_change_replaced(Batch *batch, const RowVersion *after);

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

#endif							/* ALIGN_RECORD_CHANGE_H */
