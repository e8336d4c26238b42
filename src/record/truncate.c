/*
 * truncate.c
 *	  TRUNCATE of tables that are attached with reload; see truncate.h.
 *
 * Each row is deferred as if it had been deleted (reload.h).
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "catalog/trigger.h"
#include "record/reload_change.h"
#include "record/truncate.h"

/*
 * Defers the deletion of all rows of a table that has storage.
 */
static void
DeferRows(Batch *batch, Attachment *attachment, Relation rel)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align truncated row",
												  ALLOCSET_SMALL_SIZES);
	TupleTableSlot *slot = table_slot_create(rel, NULL);

	/* also rows that were committed while the caller waited for the lock */
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan;

	PushActiveSnapshot(snapshot);
	scan = table_beginscan(rel, snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext old_context = MemoryContextSwitchTo(context);
		RowVersion	row = {.attachment = attachment,.rel = rel};

		CHECK_FOR_INTERRUPTS();
		row.row = ExecFetchSlotHeapTuple(slot, false, NULL);
		row.command = row.replaced_by = InvalidCommandId;

		/*
		 * No statement is open on the table, so a row that is deferred
		 * already is one of a partition that has been read before.
		 */
		(void) align_defer_deletion(batch, &row, GetCurrentCommandId(false), true);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(context);
	}
	table_endscan(scan);
	PopActiveSnapshot();
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(context);
}

/*
 * Defers the deletion of all rows of a relation.
 */
void
align_defer_truncate(Attachment *attachment, Relation rel)
{
	Batch	   *batch = align_pending_batch(attachment->root_id);
	ListCell   *lc;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
	{
		DeferRows(batch, attachment, rel);
		return;
	}

	/* a partition that was added after attach() has no trigger of its own */
	foreach(lc, find_all_inheritors(RelationGetRelid(rel), NoLock, NULL))
	{
		AttachmentId id = {lfirst_oid(lc), attachment->id.number};
		Relation	partition;

		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_PARTITIONED_TABLE ||
			align_has_trigger(id.relid, align_numbered_name(ATTACH_TRUNCATE, id.number)))
			continue;
		partition = table_open(lfirst_oid(lc), NoLock);
		DeferRows(batch, align_attachment(id, false), partition);
		table_close(partition, NoLock);
	}
}
