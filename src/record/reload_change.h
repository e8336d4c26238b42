/*
 * reload_change.h
 *	  From the deletions and insertions of a table that is attached with
 *	  reload to changes of its leads (reload.h has the rules).
 */
#ifndef ALIGN_RECORD_RELOAD_CHANGE_H
#define ALIGN_RECORD_RELOAD_CHANGE_H

#include "compat.h"

#include "record/change.h"
#include "record/deletion.h"

/*
 * align_defer_deletion() defers a deletion; it returns false if the deletion
 * must be added to the batch instead.  align_changes_of_reload() removes
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
 * Adds to the batch a deferred deletion that was removed.
 */
extern void align_add_deferred(Batch *batch, Attachment *attachment, const Datum *key,
							   const DeferredDeletion *deletion);

#endif							/* ALIGN_RECORD_RELOAD_CHANGE_H */
