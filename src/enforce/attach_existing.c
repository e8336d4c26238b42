/*
 * attach_existing.c
 *	  The rows that are there when a table is attached.
 *
 * With a new history every lead gets an opening entry, in one scan of the table.
 * Where there is a history already (the table is attached again, or what an
 * earlier attachment left is taken over), table and history are compared: what
 * has changed in between, unseen, is recorded as 'adopted'.
 *
 * The caller's locks keep writers out; what they committed before is seen
 * whatever the snapshot of the calling statement.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"

#include "enforce/attach.h"
#include "enforce/needs.h"
#include "enforce/recorder.h"
#include "enforce/verdict.h"

/* Rows fetched from a cursor at a time. */
#define PORTION 1000
/* How many unknown labels are counted apart, and how many are listed. */
#define MAX_UNKNOWN 1000
#define MAX_UNKNOWN_LISTED 10

typedef struct UnknownLabel
{
	char	   *label;
	int64		nrows;
} UnknownLabel;

/*
 * The work on one attached table.
 */
typedef struct Standing
{
	AttachRequest *request;
	Snapshot	snapshot;
	MemoryContext context;		/* of unknown */
	MemoryContext row_context;	/* reset for every row */
	int64		nopenings;
	int64		nunknown;		/* rows whose stage is not known */
	int			nlabels;
	UnknownLabel labels[MAX_UNKNOWN];
} Standing;

/*
 * One table that holds rows.
 */
typedef struct RowTable
{
	Relation	rel;
	Attachment *attachment;
	RowCondition *live;			/* NULL: all rows are */
	TupleTableSlot *slot;
} RowTable;

/* What history last said of a lead. */
typedef struct LastEntry
{
	bool		ended;			/* in no stage, or no entry at all */
	char	   *stage;
	char	   *team;			/* NULL: null */
	char	   *assignee;
} LastEntry;

static void
OpenTable(RowTable *table, Oid relid)
{
	table->rel = table_open(relid, NoLock);
	table->attachment = align_attachment(relid, false);
	table->slot = table_slot_create(table->rel, NULL);
	table->live = NULL;
	if (table->attachment->live != NULL)
		table->live = align_condition_compile(table->rel, table->attachment->live,
											  CurrentMemoryContext);
}

static void
CloseTable(RowTable *table)
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
	LeadString	now;

	if (table->attachment->column[role] == InvalidAttrNumber)
		return true;
	now = align_row_column(table->attachment, role, RelationGetDescr(table->rel), row);
	if (now.text == NULL || recorded == NULL)
		return now.text == NULL && recorded == NULL;
	return strlen(recorded) == (size_t) now.len && memcmp(recorded, now.text, now.len) == 0;
}

/*
 * A row as it stands; last is NULL if nothing is recorded of it.
 */
static void
TakeRow(Standing *standing, RowTable *table, HeapTuple row, const LastEntry *last)
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
		align_record_standing(table->attachment, table->rel, row, EVENT_OPENING,
							  fresh ? NULL : SOURCE_ADOPTED, fresh);
		standing->nopenings++;
	}
	else if (!SameText(table, ROW_TEAM, row, last->team) ||
			 !SameText(table, ROW_ASSIGNEE, row, last->assignee))
		align_record_standing(table->attachment, table->rel, row, EVENT_OWNER, SOURCE_ADOPTED,
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

	OpenTable(&table, relid);
	scan = table_beginscan(table.rel, standing->snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, table.slot))
	{
		MemoryContext old_context = MemoryContextSwitchTo(standing->row_context);
		bool		should_free;
		HeapTuple	row = ExecFetchSlotHeapTuple(table.slot, false, &should_free);

		CHECK_FOR_INTERRUPTS();
		TakeRow(standing, &table, row, NULL);
		if (should_free)
			heap_freetuple(row);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(standing->row_context);
	}
	table_endscan(scan);
	CloseTable(&table);
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
 * "t.id OPERATOR(pg_catalog.=) h.id AND ..."
 */
static void
AppendKeyJoin(StringInfo sql, const Attachment *attachment)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *key = &attachment->keys[i];

		if (i > 0)
			appendStringInfoString(sql, " AND ");
		generate_operator_clause(sql, psprintf("t.%s", quote_identifier(key->name)), key->type,
								 key->eq_operator, psprintf("h.%s", key->history_column), key->type);
	}
}

static void
AppendKeys(StringInfo sql, const Attachment *attachment, const char *prefix)
{
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, "%s%s%s", i > 0 ? ", " : "", prefix,
						 attachment->keys[i].history_column);
}

/*
 * The last entry of each lead, as h.
 */
static void
AppendLastEntries(StringInfo sql, const Attachment *attachment)
{
	appendStringInfoString(sql, "(SELECT DISTINCT ON (");
	AppendKeys(sql, attachment, "");
	appendStringInfoString(sql, ") * FROM ");
	appendStringInfoString(sql, attachment->history_name);
	appendStringInfoString(sql, " ORDER BY ");
	AppendKeys(sql, attachment, "");
	appendStringInfoString(sql, ", entry_no DESC) AS h");
}

static Portal
OpenCursor(const Standing *standing, const char *sql)
{
	CallerIdentity caller;
	Portal		portal;

	align_become(standing->request->owner, 0, &caller);
	portal = SPI_cursor_open_with_args(NULL, sql, 0, NULL, NULL, NULL, true, 0);
	align_resume(&caller);
	if (portal == NULL)
		elog(ERROR, "SPI_cursor_open_with_args failed: %s", sql);
	return portal;
}

static Datum
Value(int row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

static char *
ValueText(int row, int column)
{
	bool		isnull;
	Datum		value = Value(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static RowTable *
FindTable(List **tables, Oid relid)
{
	ListCell   *lc;
	RowTable   *table;

	foreach(lc, *tables)
	{
		table = lfirst(lc);
		if (RelationGetRelid(table->rel) == relid)
			return table;
	}
	table = palloc(sizeof(RowTable));
	OpenTable(table, relid);
	*tables = lcons(table, *tables);
	return table;
}

/*
 * Rows beside what was last recorded of them.
 */
static void
CompareRows(Standing *standing, const Attachment *attachment)
{
	List	   *tables = NIL;
	ListCell   *lc;
	StringInfoData sql;
	Portal		portal;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT t.tableoid, t.ctid, h.event IN ('deleted', 'truncated') OR h.stage IS NULL "
					 "OR h.source ~ '" SOURCE_NOT_LIVE "$' IS TRUE, h.stage, h.team, h.assignee "
					 "FROM %s AS t LEFT JOIN ", attachment->root_name);
	AppendLastEntries(&sql, attachment);
	appendStringInfoString(&sql, " ON (");
	AppendKeyJoin(&sql, attachment);
	appendStringInfoChar(&sql, ')');

	portal = OpenCursor(standing, sql.data);
	for (;;)
	{
		SPITupleTable *rows;
		uint64		nrows;

		SPI_cursor_fetch(portal, true, PORTION);
		rows = SPI_tuptable;
		nrows = SPI_processed;
		for (uint64 i = 0; i < nrows; i++)
		{
			RowTable   *table;
			bool		isnull;
			LastEntry	last;
			HeapTuple	row;
			bool		should_free;
			ItemPointer tid;
			MemoryContext old_context;

			SPI_tuptable = rows;
			table = FindTable(&tables, DatumGetObjectId(Value(i, 1, &isnull)));
			tid = (ItemPointer) DatumGetPointer(Value(i, 2, &isnull));
			old_context = MemoryContextSwitchTo(standing->row_context);
			last.ended = DatumGetBool(Value(i, 3, &isnull));
			last.stage = ValueText(i, 4);
			last.team = ValueText(i, 5);
			last.assignee = ValueText(i, 6);
			if (!table_tuple_fetch_row_version(table->rel, tid, standing->snapshot, table->slot))
				elog(ERROR, "row of relation %u is gone", RelationGetRelid(table->rel));
			row = ExecFetchSlotHeapTuple(table->slot, false, &should_free);
			TakeRow(standing, table, row, &last);
			if (should_free)
				heap_freetuple(row);
			ExecClearTuple(table->slot);
			MemoryContextSwitchTo(old_context);
			MemoryContextReset(standing->row_context);
		}
		SPI_freetuptable(rows);
		if (nrows == 0)
			break;
	}
	SPI_cursor_close(portal);
	foreach(lc, tables)
		CloseTable(lfirst(lc));
}

/*
 * Calls back for each row of a query that yields keys.
 */
static void
ForEachKey(Standing *standing, Attachment *attachment, const char *sql,
		   void (*callback) (Attachment *attachment, const Datum *key))
{
	Portal		portal = OpenCursor(standing, sql);

	for (;;)
	{
		SPITupleTable *rows;
		uint64		nrows;

		SPI_cursor_fetch(portal, true, PORTION);
		rows = SPI_tuptable;
		nrows = SPI_processed;
		for (uint64 i = 0; i < nrows; i++)
		{
			MemoryContext old_context = MemoryContextSwitchTo(standing->row_context);
			Datum		key[ATTACHMENT_MAX_KEYS];
			bool		isnull;

			SPI_tuptable = rows;
			for (int j = 0; j < attachment->nkeys; j++)
				key[j] = Value(i, j + 1, &isnull);
			callback(attachment, key);
			MemoryContextSwitchTo(old_context);
			MemoryContextReset(standing->row_context);
		}
		SPI_freetuptable(rows);
		if (nrows == 0)
			break;
	}
	SPI_cursor_close(portal);
}

static void
RecordGone(Attachment *attachment, const Datum *key)
{
	align_record_gone(attachment, key, EVENT_DELETED, SOURCE_ADOPTED);
}

/*
 * Leads that history still has in a stage, but the table no longer has.
 */
static void
CompareHistory(Standing *standing, Attachment *attachment)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	AppendKeys(&sql, attachment, "h.");
	appendStringInfoString(&sql, " FROM ");
	AppendLastEntries(&sql, attachment);
	appendStringInfo(&sql,
					 " WHERE h.stage IS NOT NULL AND h.event NOT IN ('deleted', 'truncated') "
					 "AND NOT EXISTS (SELECT FROM %s AS t WHERE ", attachment->root_name);
	AppendKeyJoin(&sql, attachment);
	appendStringInfoChar(&sql, ')');
	ForEachKey(standing, attachment, sql.data, RecordGone);
}

/*
 * A history that came without its clocks tells what they were.
 */
static void
MakeClocks(Standing *standing, Attachment *attachment)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT DISTINCT ");
	AppendKeys(&sql, attachment, "h.");
	appendStringInfo(&sql, " FROM %s AS h", attachment->history_name);
	ForEachKey(standing, attachment, sql.data, align_recompute_clocks);
}

/*
 * The caller is connected to SPI, and has made tables and triggers.
 */
int64
align_attach_rows(AttachRequest *request)
{
	Standing   *standing = palloc0(sizeof(Standing));
	Attachment *attachment = align_attachment(request->relid, false);

	standing->request = request;
	standing->context = CurrentMemoryContext;
	standing->row_context = AllocSetContextCreate(CurrentMemoryContext, "align existing row",
												  ALLOCSET_DEFAULT_SIZES);
	standing->snapshot = RegisterSnapshot(GetLatestSnapshot());
	PushActiveSnapshot(standing->snapshot);
	if (request->fresh)
		ScanAll(standing);
	else
	{
		if (request->without_clocks)
			MakeClocks(standing, attachment);
		CompareRows(standing, attachment);
		CompareHistory(standing, attachment);
	}
	PopActiveSnapshot();
	UnregisterSnapshot(standing->snapshot);
	if (standing->nunknown > 0)
		RefuseUnknown(standing);
	align_recorder_flush_all();
	return standing->nopenings;
}
