/*
 * reload.c
 *	  Deferred deletions of tables that are attached with reload; see reload.h.
 *
 * There is one store (reload_store.h) for each attachment, which lives until
 * the end of the transaction.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "record/reload.h"
#include "record/reload_store.h"

static List *stores = NIL;		/* of ReloadStore, in TopTransactionContext */
static bool callbacks_registered = false;

/*
 * Returns the store of an attached table, or NULL.
 */
static ReloadStore *
FindStore(AttachmentId root)
{
	ListCell   *cell;

	foreach(cell, stores)
	{
		ReloadStore *store = (ReloadStore *) lfirst(cell);

		if (store->root.relid == root.relid && store->root.number == root.number)
			return store;
	}
	return NULL;
}

/*
 * Forgets the deferred deletions of an attachment.
 */
void
align_reload_forget(AttachmentId root)
{
	ReloadStore *store = FindStore(root);

	if (store == NULL)
		return;
	stores = list_delete_ptr(stores, store);
	align_store_free(store);
}

/*
 * Returns the store of an attachment, or NULL.  attach() has recorded what was
 * deferred before the key could change; a marker that was not made by attach()
 * may have another key, and what is deferred is dropped.
 */
static ReloadStore *
StoreOf(const Attachment *attachment)
{
	ReloadStore *store = FindStore(attachment->root_id);

	if (store == NULL || align_store_has_keys_of(store, attachment))
		return store;
	align_reload_forget(attachment->root_id);
	return NULL;
}

/*
 * Subtransaction callback.
 */
static void
SubtransactionEnds(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				   void *arg)
{
	ListCell   *cell;

	(void) mySubid;
	(void) parentSubid;
	(void) arg;
	foreach(cell, stores)
	{
		ReloadStore *store = (ReloadStore *) lfirst(cell);

		if (event == SUBXACT_EVENT_ABORT_SUB)
			align_leads_abort_level(&store->leads, GetCurrentTransactionNestLevel());
		else if (event == SUBXACT_EVENT_COMMIT_SUB)
			align_leads_commit_level(&store->leads, GetCurrentTransactionNestLevel());
	}
}

/*
 * Transaction callback: the memory of the stores is freed with
 * TopTransactionContext.
 */
static void
TransactionEnds(XactEvent event, void *arg)
{
	ListCell   *cell;

	(void) arg;
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	foreach(cell, stores)
		align_store_close((ReloadStore *) lfirst(cell));
	stores = NIL;
}

/*
 * Returns the store of an attachment, which is created if there is none.
 */
static ReloadStore *
StoreFor(const Attachment *attachment)
{
	ReloadStore *store = StoreOf(attachment);
	MemoryContext old_context;

	if (store != NULL)
		return store;
	if (!callbacks_registered)
	{
		RegisterXactCallback(TransactionEnds, NULL);
		RegisterSubXactCallback(SubtransactionEnds, NULL);
		callbacks_registered = true;
	}
	store = align_store_create(attachment);
	old_context = MemoryContextSwitchTo(TopTransactionContext);
	stores = lappend(stores, store);
	MemoryContextSwitchTo(old_context);
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
 * Takes away the deferred deletion of a key.
 */
bool
align_reload_take(Attachment *attachment, const Datum *key, CommandId before,
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
 * Takes away any deferred deletion.
 */
bool
align_reload_take_any(Attachment *attachment, Datum *key, DeferredDeletion *deletion)
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

	foreach(cell, stores)
	{
		const ReloadStore *store = (ReloadStore *) lfirst(cell);

		if (store->leads.ndeferred > 0)
		{
			AttachmentId *id = palloc(sizeof(AttachmentId));

			*id = store->root;
			result = lappend(result, id);
		}
	}
	return result;
}
