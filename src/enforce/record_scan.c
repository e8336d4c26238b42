/*
 * record_scan.c
 *	  Reading attached tables, histories and clock tables in order of the key.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "catalog/as_role.h"
#include "enforce/record_scan.h"
#include "enforce/recorder.h"

#define SCAN_BATCH 1000

Attachment *
align_reading_begin(Oid relid)
{
	Oid			root = align_lock_attached(relid);
	Attachment *attachment;

	align_recorder_flush_all();
	/* raises for what is not attached */
	attachment = align_attachment_locked(root, AccessShareLock);
	PushCopiedSnapshot(GetActiveSnapshot());
	UpdateActiveSnapshotCommandId();
	align_spi_connect();
	return attachment;
}

void
align_reading_end(void)
{
	SPI_finish();
	PopActiveSnapshot();
}

/*
 * All tables sort by the collation of the attached table's key, whatever their
 * own columns have.
 */
static void
AppendOrder(StringInfo sql, const Attachment *attachment, AttachedTable table, const char *order)
{
	appendStringInfoString(sql, " ORDER BY ");
	for (int i = 0; i < attachment->nkeys; i++)
	{
		appendStringInfo(sql, "%sr.%s", i > 0 ? ", " : "", align_table_key(attachment, table, i));
		if (OidIsValid(attachment->keys[i].collation))
			appendStringInfo(sql, " COLLATE %s",
							 generate_collation_name(attachment->keys[i].collation));
	}
	if (order[0] != '\0')
		appendStringInfo(sql, ", %s", order);
}

static void
InitCompare(RecordScan *scan, int i)
{
	const KeyColumn *key = &scan->attachment->keys[i];
	TypeCacheEntry *type = lookup_type_cache(key->type, TYPECACHE_CMP_PROC);

	if (!OidIsValid(type->cmp_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("key column \"%s\" has type %s, which cannot be sorted",
						key->name, format_type_be(key->type))));
	fmgr_info(type->cmp_proc, &scan->compare[i]);
}

void
align_records_begin(RecordScan *scan, const Attachment *attachment, AttachedTable table,
					const char *columns, const char *condition, const char *order)
{
	StringInfoData sql;
	SPIPlanPtr	plan;

	memset(scan, 0, sizeof(RecordScan));
	scan->attachment = attachment;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(&sql, "r.%s, ", align_table_key(attachment, table, i));
	appendStringInfo(&sql, "%s FROM %s AS r", columns, align_table_name(attachment, table));
	if (condition != NULL)
		appendStringInfo(&sql, " WHERE %s", condition);
	if (order != NULL)
	{
		for (int i = 0; i < attachment->nkeys; i++)
			InitCompare(scan, i);
		AppendOrder(&sql, attachment, table, order);
	}

	plan = SPI_prepare(sql.data, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	/* read-only: with the snapshot that is set, not one of its own */
	scan->portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
}

static char *
OwnColumns(const OwnColumn *columns, int ncolumns)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < ncolumns; i++)
		appendStringInfo(&list, "%sr.%s", i > 0 ? ", " : "", columns[i].name);
	return list.data;
}

void
align_records_of_history(RecordScan *scan, const Attachment *attachment, const char *condition,
						 const char *order)
{
	align_records_begin(scan, attachment, TABLE_HISTORY,
						OwnColumns(align_history_columns, HISTORY_NCOLUMNS), condition, order);
}

void
align_records_of_clocks(RecordScan *scan, const Attachment *attachment, const char *condition,
						const char *order)
{
	align_records_begin(scan, attachment, TABLE_SLA,
						OwnColumns(align_sla_columns, SLA_NCOLUMNS), condition, order);
}

static bool
NextBatch(RecordScan *scan)
{
	if (scan->batch != NULL)
		SPI_freetuptable(scan->batch);
	scan->batch = NULL;
	SPI_cursor_fetch(scan->portal, true, SCAN_BATCH);
	scan->batch = SPI_tuptable;
	scan->nrows = SPI_processed;
	scan->next = 0;
	if (scan->key == NULL)
	{
		int			nkeys = scan->attachment->nkeys;

		scan->desc = CreateTupleDescCopy(scan->batch->tupdesc);
		scan->key = palloc(scan->desc->natts * sizeof(Datum));
		scan->nulls = palloc(scan->desc->natts * sizeof(bool));
		scan->values = scan->key + nkeys;
		scan->nulls += nkeys;
	}
	return scan->nrows > 0;
}

bool
align_records_next(RecordScan *scan)
{
	int			nkeys = scan->attachment->nkeys;

	CHECK_FOR_INTERRUPTS();
	for (;;)
	{
		bool		null_key = false;

		if (scan->next == scan->nrows && !NextBatch(scan))
		{
			scan->row = NULL;
			return false;
		}
		scan->row = scan->batch->vals[scan->next++];
		heap_deform_tuple(scan->row, scan->desc, scan->key, scan->nulls - nkeys);
		for (int i = 0; i < nkeys; i++)
			null_key |= (scan->nulls - nkeys)[i];
		if (!null_key)
			return true;
	}
}

void
align_records_end(RecordScan *scan)
{
	if (scan->batch != NULL)
		SPI_freetuptable(scan->batch);
	SPI_cursor_close(scan->portal);
}

int
align_records_compare(RecordScan *scan, const Datum *key)
{
	if (scan->row == NULL)
		return 1;
	for (int i = 0; i < scan->attachment->nkeys; i++)
	{
		int32		result = DatumGetInt32(FunctionCall2Coll(&scan->compare[i],
															 scan->attachment->keys[i].collation,
															 scan->key[i], key[i]));

		if (result != 0)
			return result < 0 ? -1 : 1;
	}
	return 0;
}

char *
align_records_text(const RecordScan *scan, int column)
{
	return scan->nulls[column] ? NULL : TextDatumGetCString(scan->values[column]);
}
