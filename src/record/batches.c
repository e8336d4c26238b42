/*
 * batches.c
 *	  The batches of the transaction, one per attached table; see pending.h.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "record/pending.h"
#include "record/reload_store.h"

static List *batches = NIL;		/* of Batch, in TopTransactionContext */
static bool callbacks_registered = false;

/*
 * Transaction callback: the memory of the batches is gone with
 * TopTransactionContext, but files are not.
 */
static void
TransactionEnds(XactEvent event, void *arg)
{
	ListCell   *cell;

	(void) arg;
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	foreach(cell, batches)
	{
		const Batch *batch = (Batch *) lfirst(cell);

		if (batch->deletions != NULL)
			align_store_close(batch->deletions);
	}
	batches = NIL;
}

/*
 * Subtransaction callback.
 */
static void
SubtransactionEnds(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				   void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	bool		aborted = event == SUBXACT_EVENT_ABORT_SUB;
	ListCell   *cell;

	(void) mySubid;
	(void) parentSubid;
	(void) arg;
	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	foreach(cell, batches)
	{
		Batch	   *batch = (Batch *) lfirst(cell);

		align_pending_release_level(batch, level, aborted);
		if (batch->deletions != NULL && aborted)
			align_leads_abort_level(&batch->deletions->leads, level);
		else if (batch->deletions != NULL)
			align_leads_commit_level(&batch->deletions->leads, level);
	}
}

/*
 * Returns the batch of an attached table, or NULL.
 */
Batch *
align_pending_find_batch(AttachmentId root)
{
	ListCell   *cell;

	foreach(cell, batches)
	{
		Batch	   *batch = (Batch *) lfirst(cell);

		if (batch->root.relid == root.relid && batch->root.number == root.number)
			return batch;
	}
	return NULL;
}

/*
 * Returns the batch of an attached table, which it creates if need be.
 */
Batch *
align_pending_batch(AttachmentId root)
{
	Batch	   *batch = align_pending_find_batch(root);
	MemoryContext old_context;

	if (batch != NULL)
		return batch;
	if (!callbacks_registered)
	{
		RegisterXactCallback(TransactionEnds, NULL);
		RegisterSubXactCallback(SubtransactionEnds, NULL);
		callbacks_registered = true;
	}
	old_context = MemoryContextSwitchTo(TopTransactionContext);
	batch = palloc0(sizeof(Batch));
	batch->root = root;
	batch->context = AllocSetContextCreate(TopTransactionContext, "align pending changes",
										   ALLOCSET_DEFAULT_SIZES);
	batches = lappend(batches, batch);
	MemoryContextSwitchTo(old_context);
	return batch;
}

/*
 * Returns all batches.
 */
const List *
align_pending_all_batches(void)
{
	return batches;
}

/*
 * Returns the batches that have pending changes.
 */
List *
align_pending_batches(void)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, batches)
	{
		Batch	   *batch = (Batch *) lfirst(cell);

		if (batch->nchanges > 0 || batch->waiting.n > 0)
			result = lappend(result, batch);
	}
	return result;
}

/*
 * Removes statements that are marked as ended in a query.
 */
static void
RemoveEndedIn(Batch *batch, uint64 query)
{
	int			kept = 0;

	for (int i = 0; i < batch->nopen; i++)
	{
		if (batch->open[i].ended_in != query)
			batch->open[kept++] = batch->open[i];
	}
	batch->nopen = kept;
}

/*
 * Removes the statements that are marked as ended in a query, which is over.
 */
void
align_pending_query_ends(uint64 query)
{
	ListCell   *cell;

	foreach(cell, batches)
		RemoveEndedIn((Batch *) lfirst(cell), query);
}
