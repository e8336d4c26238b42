/*
 * attach_compare.c
 *	  A table and the history that it already has: it is attached again, or what
 *	  an earlier attachment left is taken over.
 *
 * What has changed in between, unseen, is recorded with source 'adopted'.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "enforce/attach_standing.h"
#include "enforce/recorder.h"

/* Rows fetched from a cursor at a time. */
#define PORTION 1000

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
	align_standing_open(table, relid);
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
			align_standing_take(standing, table, row, &last);
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
		align_standing_close(lfirst(lc));
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

void
align_standing_compare(Standing *standing)
{
	Attachment *attachment = align_attachment(standing->request->relid, false);

	if (standing->request->without_clocks)
		MakeClocks(standing, attachment);
	CompareRows(standing, attachment);
	CompareHistory(standing, attachment);
}
