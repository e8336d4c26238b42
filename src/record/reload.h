/*
 * reload.h
 *	  Deletions of a table that is attached with reload, which wait for a new
 *	  row with the same key.
 *
 * With reload, a DELETE (or TRUNCATE) of a row and the INSERT of another one
 * with its key, in one transaction, are one change of the lead, as if the row
 * had been updated; if nothing has changed, they are none.  So a deletion is
 * not added to the pending changes (pending.h), but deferred: what an UPDATE
 * compares with the new row is stored by key.  An INSERT takes the
 * deferred deletion of its key away.  What is left before commit or PREPARE
 * TRANSACTION is recorded as deleted or truncated (commit.h); until then, the
 * history shows the lead as it was.
 *
 * Subtransactions
 *
 * A deferred deletion, and its being removed, belong to the subtransaction
 * that made them.  If that is rolled back, the state before is restored.
 *
 * Memory
 *
 * Deletions of an attachment that take more than work_mem are in a temporary
 * file, except for some 40 bytes for each key (reload_store.h).
 *
 * Order
 *
 * Row triggers may fire in another order than that of the commands that made
 * the row versions (pending.h), so a deletion is not always the one before the
 * INSERT that fires next.
 *
 *	  - If the deletion removed the very row that the INSERT made, or came
 *		after that, it is not taken.  This is the case if its command is not
 *		less than the one that replaced the new row version (compare order.h).
 *
 *	  - A deletion that arrives after a row with its key was made by a later
 *		command, in a nested statement, is not deferred: it is an ordinary
 *		change, and sorted before the later ones.
 *
 *	  - Nor is a deletion deferred while another one of the same key is: the
 *		INSERT between the two has not arrived yet.  Both become ordinary
 *		changes.
 *
 *	  - Nor does a deletion stay deferred when a nested statement gives another
 *		key to a row that has its key: the INSERT of that row has not arrived
 *		yet.
 *
 * Rows without a stage are not in the funnel.  The INSERT of one does not take
 * the deletion of its key; the UPDATE that gives it a stage does.
 */
#ifndef ALIGN_RECORD_RELOAD_H
#define ALIGN_RECORD_RELOAD_H

#include "compat.h"

#include "attachment/attachment.h"
#include "record/deletion.h"

/*
 * Defers the deletion of a row.  Key and strings are copied.  Returns false if
 * it must be an ordinary change instead.
 */
extern bool align_reload_defer(Attachment *attachment, const Datum *key,
							   const DeferredDeletion *deletion);

/*
 * True if the attachment has deferred deletions.
 */
extern bool align_reload_any(const Attachment *attachment);

/*
 * True if the deletion of a key is deferred.
 */
extern bool align_reload_is_deferred(Attachment *attachment, const Datum *key);

/*
 * Removes the deferred deletion of a key, unless it was made by the command
 * "before" or a later one.  Returns false if there is none.  Strings of the
 * deletion are in the current memory context.
 */
extern bool align_reload_remove(Attachment *attachment, const Datum *key, CommandId before,
							  DeferredDeletion *deletion);

/*
 * Notes that a command has made a row with a key, in a nested statement.
 */
extern void align_reload_note_made(Attachment *attachment, const Datum *key, CommandId command);

/*
 * Removes any deferred deletion.  Its key and strings are in the current
 * memory context.  Returns false if there is none.
 */
extern bool align_reload_remove_any(Attachment *attachment, Datum *key, DeferredDeletion *deletion);

/*
 * Returns a palloc'd list of the AttachmentIds, palloc'd, that have deferred
 * deletions.
 */
extern List *align_reload_attachments(void);

/*
 * Forgets the deferred deletions of an attachment.
 */
extern void align_reload_forget(AttachmentId root);

#endif							/* ALIGN_RECORD_RELOAD_H */
