/*
 * scan.c
 *	  Reading attached tables, histories and clock tables in order of the key.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "attachment/key_sql.h"
#include "catalog/as_role.h"
#include "record/flush.h"
#include "record/plans.h"
#include "report/scan.h"

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

/*
 * Plans of scans by key, per attached table and kind of scan.  Planning would take
 * longer than reading a single lead.
 */
typedef enum KeyedScan
{
	SCAN_HISTORY,
	SCAN_OPEN_CLOCKS
} KeyedScan;

typedef struct KeptPlanKey
{
	AttachmentId root;
	KeyedScan	kind;
} KeptPlanKey;

typedef struct KeptPlan
{
	KeptPlanKey key;			/* hash key */
	char	   *sql;			/* NULL: no plan yet */
	SPIPlanPtr	plan;
} KeptPlan;

static HTAB *kept_plans = NULL;

static SPIPlanPtr
Prepare(const char *sql, int nargs, Oid *types)
{
	SPIPlanPtr	plan = SPI_prepare(sql, nargs, types);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * The plan for a statement, which is kept for the next scan of the kind.
 */
static SPIPlanPtr
FindPlan(const Attachment *attachment, KeyedScan kind, const char *sql, Oid *types)
{
	KeptPlanKey key = {attachment->root_id, kind};
	KeptPlan   *kept;
	SPIPlanPtr	plan;
	bool		found;

	if (kept_plans == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(KeptPlanKey);
		control.entrysize = sizeof(KeptPlan);
		control.hcxt = TopMemoryContext;
		kept_plans = hash_create("align scans by key", 16, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	kept = hash_search(kept_plans, &key, HASH_ENTER, &found);
	if (!found)
		kept->sql = NULL;
	if (kept->sql != NULL && strcmp(kept->sql, sql) == 0 && SPI_plan_is_valid(kept->plan))
		return kept->plan;
	if (kept->sql != NULL)
	{
		SPI_freeplan(kept->plan);
		pfree(kept->sql);
		kept->sql = NULL;
	}
	plan = Prepare(sql, attachment->nkeys, types);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	kept->plan = plan;
	kept->sql = MemoryContextStrdup(TopMemoryContext, sql);
	return plan;
}

/* SELECT of the key, and of columns after it. */
static void
AppendSelect(StringInfo sql, const Attachment *attachment, AttachedTable table, const char *columns)
{
	appendStringInfoString(sql, "SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, "r.%s, ", align_table_key(attachment, table, i));
	appendStringInfo(sql, "%s FROM %s AS r", columns, align_table_name(attachment, table));
}

static void
InitScan(RecordScan *scan, const Attachment *attachment, bool ordered)
{
	memset(scan, 0, sizeof(RecordScan));
	scan->attachment = attachment;
	for (int i = 0; ordered && i < attachment->nkeys; i++)
		InitCompare(scan, i);
}

void
align_records_begin(RecordScan *scan, const Attachment *attachment, AttachedTable table,
					const char *columns, const char *condition, const char *order)
{
	StringInfoData sql;

	InitScan(scan, attachment, order != NULL);
	initStringInfo(&sql);
	AppendSelect(&sql, attachment, table, columns);
	if (condition != NULL)
		appendStringInfo(&sql, " WHERE %s", condition);
	if (order != NULL)
		AppendOrder(&sql, attachment, table, order);
	/* read-only: with the snapshot that is set, not one of its own */
	scan->portal = SPI_cursor_open(NULL, Prepare(sql.data, 0, NULL), NULL, NULL, true);
}

static void
OpenByKey(RecordScan *scan, KeyedScan kind, const char *sql, const Datum *key)
{
	Oid			types[ATTACHMENT_MAX_KEYS];

	align_key_types(scan->attachment, types);
	scan->portal = SPI_cursor_open(NULL, FindPlan(scan->attachment, kind, sql, types),
								   unconstify(Datum *, key), NULL, true);
}

void
align_records_of_key(RecordScan *scan, const Attachment *attachment, AttachedTable table,
					 const char *columns, const char *condition, const char *order,
					 const Datum *key)
{
	StringInfoData sql;

	Assert(table == TABLE_HISTORY);
	InitScan(scan, attachment, true);
	initStringInfo(&sql);
	AppendSelect(&sql, attachment, table, columns);
	appendStringInfo(&sql, " WHERE %s AND ", condition);
	align_append_key_parameters(&sql, attachment, table, "r", 1);
	AppendOrder(&sql, attachment, table, order);
	OpenByKey(scan, SCAN_HISTORY, sql.data, key);
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

/*
 * Of one lead, only the clock of the highest cycle of each service level can be open;
 * past cycles are not read.
 */
void
align_records_of_open_clocks(RecordScan *scan, const Attachment *attachment, const Datum *key)
{
	StringInfoData sql;

	if (key == NULL)
	{
		align_records_of_clocks(scan, attachment, "r.outcome IS NULL", NULL);
		return;
	}
	InitScan(scan, attachment, false);
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(&sql, "c.%s, ", align_table_key(attachment, TABLE_SLA, i));
	for (int i = 0; i < SLA_NCOLUMNS; i++)
		appendStringInfo(&sql, "%sc.%s", i > 0 ? ", " : "", align_sla_columns[i].name);
	appendStringInfoString(&sql, " FROM (SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(&sql, "%s$%d AS key_%d", i > 0 ? ", " : "", i + 1, i + 1);
	appendStringInfoString(&sql, ") AS r, LATERAL (");
	align_append_last_clocks(&sql, attachment);
	appendStringInfoString(&sql, ") AS c WHERE c.outcome IS NULL");
	OpenByKey(scan, SCAN_OPEN_CLOCKS, sql.data, key);
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
