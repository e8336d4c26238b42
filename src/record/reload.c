/*
 * reload.c
 *	  Deferred deletions of tables that are attached with reload; see reload.h.
 *
 * The batch of an attached table has a store (reload_store.h) if deletions of
 * the table have been deferred in the transaction.
 */
#include "postgres.h"

#include "record/pending.h"
#include "record/reload.h"
#include "record/reload_store.h"

/*
 * Forgets the deferred deletions of an attachment.
 */
void
align_reload_forget(AttachmentId root)
{
	Batch	   *batch = align_pending_find_batch(root);

	if (batch == NULL || batch->deletions == NULL)
		return;
	align_store_free(batch->deletions);
	batch->deletions = NULL;
}

/*
 * Returns the store of an attachment, or NULL.  attach() has recorded what was
 * deferred before the key could change; a marker that was not made by attach()
 * may have another key, and what is deferred is dropped.
 */
static ReloadStore *
StoreOf(const Attachment *attachment)
{
	const Batch *batch = align_pending_find_batch(attachment->root_id);

	if (batch == NULL || batch->deletions == NULL)
		return NULL;
	if (align_store_has_keys_of(batch->deletions, attachment))
		return batch->deletions;
	align_reload_forget(attachment->root_id);
	return NULL;
}

/*
 * Returns the store of an attachment, which is created if there is none.
 */
static ReloadStore *
StoreFor(const Attachment *attachment)
{
	ReloadStore *store = StoreOf(attachment);

	if (store == NULL)
	{
		store = align_store_create(attachment);
		align_pending_batch(attachment->root_id)->deletions = store;
	}
	return store;
}

/*
 * Defers the deletion of a row.
 */
bool
align_reload_defer(Attachment *attachment, const Datum *key, const DeferredDeletion *deletion)
{
	return align_store_defer(StoreFor(attachment), attachment, key, deletion);
}

/*
 * True if the attachment has deferred deletions.
 */
bool
align_reload_any(const Attachment *attachment)
{
	const ReloadStore *store = StoreOf(attachment);

	return store != NULL && store->leads.ndeferred > 0;
}

/*
 * True if the deletion of a key is deferred.
 */
bool
align_reload_is_deferred(Attachment *attachment, const Datum *key)
{
	ReloadStore *store = StoreOf(attachment);

	return store != NULL && align_store_is_deferred(store, attachment, key);
}

/*
 * Removes the deferred deletion of a key.
 */
bool
align_reload_remove(Attachment *attachment, const Datum *key, CommandId before,
				  DeferredDeletion *deletion)
{
	ReloadStore *store = StoreOf(attachment);

	return store != NULL && align_store_take(store, attachment, key, before, deletion);
}

/*
 * Notes that a command has made a row with a key.
 */
void
align_reload_note_made(Attachment *attachment, const Datum *key, CommandId command)
{
	align_store_note_made(StoreFor(attachment), attachment, key, command);
}

/*
 * Removes any deferred deletion.
 */
bool
align_reload_remove_any(Attachment *attachment, Datum *key, DeferredDeletion *deletion)
{
	ReloadStore *store = StoreOf(attachment);

	return store != NULL && align_store_take_any(store, attachment, key, deletion);
}

/*
 * Returns the attachments that have deferred deletions.
 */
List *
align_reload_attachments(void)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, align_pending_all_batches())
	{
		const Batch *batch = (Batch *) lfirst(cell);

		if (batch->deletions != NULL && batch->deletions->leads.ndeferred > 0)
		{
			AttachmentId *id = palloc(sizeof(AttachmentId));

			*id = batch->root;
			result = lappend(result, id);
		}
	}
	return result;
}
