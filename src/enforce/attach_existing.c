/*
 * attach_existing.c
 *	  The rows that are there when a table is attached.
 *
 * With a new history every lead gets an opening entry, in one scan of the table.
 * Where there is a history already it is compared with the table, see
 * attach_compare.c.
 *
 * The caller's locks keep writers out; what they committed before is seen
 * whatever the snapshot of the calling statement.
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

#include "enforce/attach_standing.h"
#include "enforce/needs.h"
#include "enforce/recorder.h"
#include "enforce/row_change.h"
#include "enforce/verdict.h"

/* How many unknown labels are listed. */
#define MAX_UNKNOWN_LISTED 10

void
align_standing_open(RowTable *table, Oid relid)
{
	table->rel = table_open(relid, NoLock);
	table->attachment = align_attachment(relid, false);
	table->slot = table_slot_create(table->rel, NULL);
	table->live = NULL;
	if (table->attachment->live != NULL)
		table->live = align_condition_compile(table->rel, table->attachment->live,
											  CurrentMemoryContext);
}

void
align_standing_close(RowTable *table)
{
	ExecDropSingleTupleTableSlot(table->slot);
	table_close(table->rel, NoLock);
}

/*
 * In mode enforce no lead may be where the agreement has no place for it.
 */
static void
CountUnknown(Standing *standing, LeadString label)
{
	MemoryContext old_context;

	standing->nunknown++;
	for (int i = 0; i < standing->nlabels; i++)
	{
		if (strlen(standing->labels[i].label) == (size_t) label.len &&
			memcmp(standing->labels[i].label, label.text, label.len) == 0)
		{
			standing->labels[i].nrows++;
			return;
		}
	}
	if (standing->nlabels == MAX_UNKNOWN)
		return;
	old_context = MemoryContextSwitchTo(standing->context);
	standing->labels[standing->nlabels].label = pnstrdup(label.text, label.len);
	standing->labels[standing->nlabels].nrows = 1;
	standing->nlabels++;
	MemoryContextSwitchTo(old_context);
}

static int
CompareUnknown(const void *left, const void *right)
{
	const UnknownLabel *a = left;
	const UnknownLabel *b = right;

	if (a->nrows != b->nrows)
		return a->nrows > b->nrows ? -1 : 1;
	return strcmp(a->label, b->label);
}

static void
RefuseUnknown(Standing *standing)
{
	Relation	rel = table_open(standing->request->relid, NoLock);
	StringInfoData list;

	initStringInfo(&list);
	qsort(standing->labels, standing->nlabels, sizeof(UnknownLabel), CompareUnknown);
	for (int i = 0; i < standing->nlabels && i < MAX_UNKNOWN_LISTED; i++)
		appendStringInfo(&list, "%s\"%s\" (" INT64_FORMAT ")", i > 0 ? ", " : "",
						 standing->labels[i].label, standing->labels[i].nrows);
	if (standing->nlabels > MAX_UNKNOWN_LISTED)
		appendStringInfoString(&list, ", ...");
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("relation \"%s\" has rows in stages that agreement \"%s\" does not know",
					RelationGetRelationName(rel), standing->request->agreement),
			 errdetail("Version %d knows no stage for these labels (rows): %s.",
					   standing->request->version, list.data),
			 errhint("Say in the agreement what they mean, as in: sal known as 'Sales Accepted'; or attach with mode => 'warn' or 'observe'."),
			 errtable(rel)));
}

/*
 * A row that is no lead any more.
 */
static void
RecordEnded(const RowTable *table, HeapTuple row, const char *source)
{
	Attachment *attachment = table->attachment;
	Datum		key[ATTACHMENT_MAX_KEYS];
	bool		isnull;

	for (int i = 0; i < attachment->nkeys; i++)
		key[i] = heap_getattr(row, attachment->keys[i].attnum, RelationGetDescr(table->rel), &isnull);
	align_record_gone(attachment, key, EVENT_DELETED, source);
}

/*
 * Does a column of the row still say what was last recorded?
 */
static bool
SameText(RowTable *table, RowRole role, HeapTuple row, const char *recorded)
{
	if (table->attachment->column[role] == InvalidAttrNumber)
		return true;
	return align_lead_same(align_lead_cstring(recorded),
						   align_row_column(table->attachment, role,
											RelationGetDescr(table->rel), row));
}

/*
 * A row as it stands; last is NULL if nothing is recorded of it.
 */
void
align_standing_take(Standing *standing, RowTable *table, HeapTuple row, const LastEntry *last)
{
	AttachRequest *request = standing->request;
	TupleDesc	desc = RelationGetDescr(table->rel);
	bool		fresh = request->fresh;
	LeadString	label;
	int			stage = align_row_stage(table->attachment, desc, row, request->funnel, &label);
	const char *name = stage < 0 ? NULL : request->funnel->stages[stage].name;
	bool		ended = last == NULL || last->ended;

	if (label.text == NULL || (table->live != NULL && !align_condition_true(table->live, row)))
	{
		if (!ended)
			RecordEnded(table, row, label.text == NULL ? SOURCE_ADOPTED : SOURCE_LIVE);
		return;
	}
	if (stage < 0)
	{
		if (request->mode == ATTACH_ENFORCE)
		{
			CountUnknown(standing, label);
			return;
		}
		name = pnstrdup(label.text, label.len);
	}
	if (ended || strcmp(last->stage, name) != 0)
	{
		align_record_found(table->attachment, table->rel, row, EVENT_OPENING,
							  fresh ? NULL : SOURCE_ADOPTED, fresh);
		standing->nopenings++;
	}
	else if (!SameText(table, ROW_TEAM, row, last->team) ||
			 !SameText(table, ROW_ASSIGNEE, row, last->assignee))
		align_record_found(table->attachment, table->rel, row, EVENT_OWNER, SOURCE_ADOPTED,
							  false);
}

/*
 * Every row of one table, in one scan.
 */
static void
ScanTable(Standing *standing, Oid relid)
{
	RowTable	table;
	TableScanDesc scan;

	align_standing_open(&table, relid);
	scan = table_beginscan(table.rel, standing->snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, table.slot))
	{
		MemoryContext old_context = MemoryContextSwitchTo(standing->row_context);
		bool		should_free;
		HeapTuple	row = ExecFetchSlotHeapTuple(table.slot, false, &should_free);

		CHECK_FOR_INTERRUPTS();
		align_standing_take(standing, &table, row, NULL);
		if (should_free)
			heap_freetuple(row);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(standing->row_context);
	}
	table_endscan(scan);
	align_standing_close(&table);
}

static void
ScanAll(Standing *standing)
{
	ListCell   *lc;

	if (!standing->request->partitioned)
		ScanTable(standing, standing->request->relid);
	foreach(lc, standing->request->partitions)
	{
		if (get_rel_relkind(lfirst_oid(lc)) != RELKIND_PARTITIONED_TABLE)
			ScanTable(standing, lfirst_oid(lc));
	}
}

/*
 * The caller is connected to SPI, and has made tables and triggers.
 */
int64
align_attach_rows(AttachRequest *request)
{
	Standing   *standing = palloc0(sizeof(Standing));

	standing->request = request;
	standing->context = CurrentMemoryContext;
	standing->row_context = AllocSetContextCreate(CurrentMemoryContext, "align existing row",
												  ALLOCSET_DEFAULT_SIZES);
	standing->snapshot = RegisterSnapshot(GetLatestSnapshot());
	PushActiveSnapshot(standing->snapshot);
	if (request->fresh)
		ScanAll(standing);
	else
		align_standing_compare(standing);
	PopActiveSnapshot();
	UnregisterSnapshot(standing->snapshot);
	if (standing->nunknown > 0)
		RefuseUnknown(standing);
	align_recorder_flush_all();
	return standing->nopenings;
}
