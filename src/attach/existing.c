/*
 * existing.c
 *	  Records the rows that a table contains when it is attached.
 *
 * If the history is new, every lead gets an opening entry, in one scan of the
 * table.  An existing history is compared with the table (compare.c).
 *
 * The locks of attach() block writers.  A new snapshot is taken, so that all
 * rows that they committed before are visible, even if the snapshot of the
 * calling statement is older.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "attach/existing_row.h"
#include "attachment/labels.h"
#include "record/flush.h"

/* Maximum number of unknown labels in a message. */
#define MAX_UNKNOWN_LISTED 10

/*
 * qsort comparator: by descending number of rows, then by label.
 */
static int
CompareUnknown(const void *left, const void *right)
{
	const UnknownLabel *a = left;
	const UnknownLabel *b = right;

	if (a->nrows != b->nrows)
		return a->nrows > b->nrows ? -1 : 1;
	return strcmp(a->label, b->label);
}

/*
 * Raises an error that lists the most frequent unknown labels.
 */
static void
RaiseUnknownLabels(ExistingRows *work)
{
	Relation	rel = table_open(work->request->relid, NoLock);
	StringInfoData list;

	initStringInfo(&list);
	qsort(work->labels, work->nlabels, sizeof(UnknownLabel), CompareUnknown);
	for (int i = 0; i < work->nlabels && i < MAX_UNKNOWN_LISTED; i++)
		appendStringInfo(&list, "%s\"%s\" (" INT64_FORMAT ")", i > 0 ? ", " : "",
						 work->labels[i].label, work->labels[i].nrows);
	if (work->nlabels > MAX_UNKNOWN_LISTED)
		appendStringInfoString(&list, ", ...");
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("relation \"%s\" has rows in stages that are not in agreement \"%s\"",
					RelationGetRelationName(rel), work->request->agreement),
			 errdetail("Version %d has no stage for these labels (number of rows): %s.",
					   work->request->version, list.data),
			 errhint("Define the labels in the agreement, for example: sal known as 'Sales Accepted'; or attach with rules => '{\"unknown_stage\": \"warn\"}', or with mode => 'warn' or 'observe'."),
			 errtable(rel)));
}

/*
 * Records every row of one table that has storage.
 */
static void
ScanTable(ExistingRows *work, Oid relid)
{
	RowTable	table;
	TableScanDesc scan;

	align_open_row_table(&table, work->request, relid);
	scan = table_beginscan(table.rel, work->snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, table.slot))
	{
		MemoryContext old_context = MemoryContextSwitchTo(work->row_context);
		bool		should_free;
		HeapTuple	row = ExecFetchSlotHeapTuple(table.slot, false, &should_free);

		CHECK_FOR_INTERRUPTS();
		align_record_existing_row(work, &table, row, NULL);
		if (should_free)
			heap_freetuple(row);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(work->row_context);
	}
	table_endscan(scan);
	align_close_row_table(&table);
}

/*
 * Records every row of the attached table, or of its leaf partitions.
 */
static void
ScanAll(ExistingRows *work)
{
	ListCell   *lc;

	if (!work->request->partitioned)
		ScanTable(work, work->request->relid);
	foreach(lc, work->request->partitions)
	{
		if (get_rel_relkind(lfirst_oid(lc)) != RELKIND_PARTITIONED_TABLE)
			ScanTable(work, lfirst_oid(lc));
	}
}

/*
 * Records the rows that the table contains, after its record tables and
 * triggers were created.
 */
int64
align_record_existing_rows(AttachRequest *request)
{
	ExistingRows *work = palloc0(sizeof(ExistingRows));

	align_labels_forget();
	work->request = request;
	work->context = CurrentMemoryContext;
	work->row_context = AllocSetContextCreate(CurrentMemoryContext, "align existing row",
											  ALLOCSET_DEFAULT_SIZES);
	work->snapshot = RegisterSnapshot(GetLatestSnapshot());
	PushActiveSnapshot(work->snapshot);
	if (request->fresh)
		ScanAll(work);
	else
		align_compare_with_history(work);
	PopActiveSnapshot();
	UnregisterSnapshot(work->snapshot);
	if (work->nunknown > 0)
		RaiseUnknownLabels(work);
	align_recorder_flush_all();
	return work->nopenings;
}
