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

#include "record/pending.h"
#include "record/row_version.h"

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

#endif							/* ALIGN_RECORD_CHANGE_H */
