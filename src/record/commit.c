/*
 * commit.c
 *	  Records what is left before commit; see commit.h.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "record/commit.h"
#include "record/flush.h"
#include "record/reload.h"
#include "record/reload_change.h"

/*
 * Adds up to PENDING_BATCH deferred deletions to the pending changes.  Returns
 * false if there are none.
 */
static bool
AddDeferred(Attachment *attachment, Batch *batch)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align deferred deletion",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	int			nadded = 0;
	Datum		key[ATTACHMENT_MAX_KEYS];
	DeferredDeletion deletion;

	while (nadded < PENDING_BATCH && align_reload_remove_any(attachment, key, &deletion))
	{
		align_add_deferred(batch, attachment, key, &deletion);
		MemoryContextReset(context);
		nadded++;
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return nadded > 0;
}

/*
 * Records the deferred deletions of an attachment, some at a time, so that the
 * memory for changes does not depend on their number.
 */
static void
FinishAttachment(AttachmentId root)
{
	Attachment *attachment = align_attachment(root, true);
	Batch	   *batch;
	bool		need_snapshot = !ActiveSnapshotSet();

	/* the table may have been dropped or detached meanwhile */
	if (attachment == NULL)
	{
		align_reload_forget(root);
		return;
	}
	if (!align_reload_any(attachment))
		return;
	batch = align_pending_batch(root);
	if (need_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	while (AddDeferred(attachment, batch))
	{
		CHECK_FOR_INTERRUPTS();
		align_recorder_flush(attachment, batch, FLUSH_ALL);
	}
	if (need_snapshot)
		PopActiveSnapshot();
}

/*
 * Records the deferred deletions of the attachments of a table.
 */
void
align_recorder_finish_reload(Oid root)
{
	ListCell   *cell;

	foreach(cell, align_reload_attachments())
	{
		const AttachmentId *id = (AttachmentId *) lfirst(cell);

		if (id->relid == root)
			FinishAttachment(*id);
	}
}

/*
 * Transaction callback: before commit and PREPARE TRANSACTION, writes all that
 * is left.  PostgreSQL has fired the deferred triggers by then, so fire those
 * that the owner may have on the record tables for the rows that are written
 * here, and write what these may add.
 */
static void
TransactionEnds(XactEvent event, void *arg)
{
	List	   *deferred;
	ListCell   *cell;

	(void) arg;
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE)
		return;
	while ((deferred = align_reload_attachments()) != NIL || align_pending_batches() != NIL)
	{
		CHECK_FOR_INTERRUPTS();
		align_recorder_flush_at_commit();
		foreach(cell, deferred)
			FinishAttachment(*(AttachmentId *) lfirst(cell));
		AfterTriggerFireDeferred();
	}
}

/*
 * Registers the transaction callback, once per session.
 */
void
align_recorder_watch_commit(void)
{
	static bool watching = false;

	if (watching)
		return;
	RegisterXactCallback(TransactionEnds, NULL);
	watching = true;
}
