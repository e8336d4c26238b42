/*
 * compare.c
 *	  Compares a table with the history that it already has, when it is
 *	  attached again or adopts the history of an earlier attachment.
 *
 * Differences are changes that align did not see.  They are recorded with
 * source 'adopted'.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "attach/existing_row.h"
#include "attachment/key.h"
#include "attachment/key_sql.h"
#include "catalog/cursor.h"
#include "record/found.h"
#include "record/recompute.h"

/* Number of rows to fetch from a cursor at a time. */
#define FETCH_COUNT 1000

static void
AppendKeys(StringInfo sql, const Attachment *attachment, const char *prefix)
{
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, "%s%s%s", i > 0 ? ", " : "", prefix,
						 attachment->keys[i].history_column);
}

/*
 * Appends a subquery with the latest entry of each lead, as h.
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

static Datum
Value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

static char *
ValueText(uint64 row, int column)
{
	bool		isnull;
	Datum		value = Value(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * The open table of an OID; opens it if necessary.
 */
static RowTable *
FindTable(const AttachRequest *request, List **tables, Oid relid)
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
	align_open_row_table(table, request, relid);
	*tables = lcons(table, *tables);
	return table;
}

/*
 * Callback for a row of a query.  row is its index in SPI_tuptable.  The
 * current memory context is reset after each row.
 */
typedef void (*RowCallback) (ExistingRows *work, Attachment *attachment, uint64 row, void *state);

/*
 * Runs a query as the owner, and call the callback for each of its rows.
 */
static void
ForEachRow(ExistingRows *work, Attachment *attachment, const char *sql, RowCallback callback,
		   void *state)
{
	Portal		portal = align_open_cursor_as(work->request->owner, sql);

	for (;;)
	{
		SPITupleTable *rows;
		uint64		nrows = align_fetch_as(work->request->owner, portal, FETCH_COUNT);

		rows = SPI_tuptable;
		for (uint64 i = 0; i < nrows; i++)
		{
			MemoryContext old_context = MemoryContextSwitchTo(work->row_context);

			/* the callback may run queries, which set SPI_tuptable */
			SPI_tuptable = rows;
			callback(work, attachment, i, state);
			MemoryContextSwitchTo(old_context);
			MemoryContextReset(work->row_context);
		}
		SPI_freetuptable(rows);
		if (nrows == 0)
			break;
	}
	SPI_cursor_close(portal);
}

/*
 * State of CompareRows.
 */
typedef struct Comparison
{
	MemoryContext context;		/* holds tables */
	List	   *tables;			/* open tables, as RowTable * */
} Comparison;

/*
 * Compares a row of the table with the latest entry of its lead.
 */
static void
CompareRow(ExistingRows *work, Attachment *attachment, uint64 row, void *state)
{
	Comparison *comparison = (Comparison *) state;
	MemoryContext row_context = MemoryContextSwitchTo(comparison->context);
	RowTable   *table;
	bool		isnull;
	LastEntry	last;
	HeapTuple	tuple;
	bool		should_free;
	ItemPointer tid;

	(void) attachment;
	table = FindTable(work->request, &comparison->tables,
					  DatumGetObjectId(Value(row, 1, &isnull)));
	MemoryContextSwitchTo(row_context);
	tid = (ItemPointer) DatumGetPointer(Value(row, 2, &isnull));
	last.ended = DatumGetBool(Value(row, 3, &isnull));
	last.stage = ValueText(row, 4);
	last.team = ValueText(row, 5);
	last.assignee = ValueText(row, 6);
	if (!last.ended)
	{
		last.source.agreement = TextDatumGetCString(Value(row, 7, &isnull));
		last.source.version = DatumGetInt32(Value(row, 8, &isnull));
	}
	if (!table_tuple_fetch_row_version(table->rel, tid, work->snapshot, table->slot))
		elog(ERROR, "could not fetch row version of relation %u", RelationGetRelid(table->rel));
	tuple = ExecFetchSlotHeapTuple(table->slot, false, &should_free);
	align_record_existing_row(work, table, tuple, &last);
	if (should_free)
		heap_freetuple(tuple);
	ExecClearTuple(table->slot);
}

/*
 * Compares all rows of the table with the history.  The columns of the query
 * are those that CompareRow reads.
 */
static void
CompareRows(ExistingRows *work, Attachment *attachment)
{
	Comparison	comparison = {CurrentMemoryContext, NIL};
	ListCell   *lc;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT t.tableoid, t.ctid, h.event IN ('deleted', 'truncated') OR h.stage IS NULL "
					 "OR NOT (" HISTORY_IS_LIVE("h") "), h.stage, h.team, h.assignee, "
					 "COALESCE(h.agreement, ''), COALESCE(h.version, 0) "
					 "FROM %s AS t LEFT JOIN ", attachment->root_name);
	AppendLastEntries(&sql, attachment);
	appendStringInfoString(&sql, " ON (");
	align_append_key_join(&sql, attachment, TABLE_ITSELF, "t", TABLE_HISTORY, "h");
	appendStringInfoChar(&sql, ')');

	ForEachRow(work, attachment, sql.data, CompareRow, &comparison);
	foreach(lc, comparison.tables)
		align_close_row_table(lfirst(lc));
}

/*
 * Callback for a row of a query that returns keys.
 */
typedef void (*KeyCallback) (Attachment *attachment, const Datum *key);

static void
ReadKey(ExistingRows *work, Attachment *attachment, uint64 row, void *state)
{
	Datum		key[ATTACHMENT_MAX_KEYS];

	(void) work;
	align_key_from_result(attachment, TABLE_HISTORY, SPI_tuptable->vals[row],
						  SPI_tuptable->tupdesc, 1, key);
	(*(KeyCallback *) state) (attachment, key);
}

static void
ForEachKey(ExistingRows *work, Attachment *attachment, const char *sql, KeyCallback callback)
{
	ForEachRow(work, attachment, sql, ReadKey, &callback);
}

static void
RecordGone(Attachment *attachment, const Datum *key)
{
	align_record_gone(attachment, key, EVENT_DELETED, SOURCE_ADOPTED);
}

/*
 * Records as deleted the leads that are in a stage according to the history,
 * but are no longer in the table.
 */
static void
CompareHistory(ExistingRows *work, Attachment *attachment)
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
	align_append_key_join(&sql, attachment, TABLE_ITSELF, "t", TABLE_HISTORY, "h");
	appendStringInfoChar(&sql, ')');
	ForEachKey(work, attachment, sql.data, RecordGone);
}

/*
 * Compares the table with its history, and records the differences.
 */
void
align_compare_with_history(ExistingRows *work)
{
	AttachmentId id = {work->request->relid, work->request->options.number};
	Attachment *attachment = align_attachment(id, false);

	/* the history was adopted without its clocks */
	if (work->request->without_clocks)
		(void) align_recompute_all_clocks(attachment, NULL);
	CompareRows(work, attachment);
	CompareHistory(work, attachment);
}
