/*
 * scan.c
 *	  Scans of attached tables, histories and clock tables in order of the key.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "attachment/key_sql.h"
#include "attachment/sweep.h"
#include "catalog/as_role.h"
#include "record/flush.h"
#include "record/plans.h"
#include "report/scan.h"

#define SCAN_BATCH 1000			/* rows per fetch */

/*
 * Locks a table and gets everything ready for scans; returns the attachment
 * that the relation means.
 */
Attachment *
align_begin_reading(Oid relid)
{
	AttachmentId root = align_lock_attached(relid);
	Attachment *attachment;

	align_recorder_flush_all();
	attachment = align_attachment_locked(root, AccessShareLock);
	/* the snapshot of the statement must show the changes just written */
	PushCopiedSnapshot(GetActiveSnapshot());
	UpdateActiveSnapshotCommandId();
	align_spi_connect();
	return attachment;
}

/*
 * Undoes align_begin_reading(), except for the locks.
 */
void
align_end_reading(void)
{
	SPI_finish();
	PopActiveSnapshot();
}

/*
 * Appends ORDER BY.  All tables are sorted by the collations of the attached
 * table's key; key columns of a history or clock table may have others.
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

/*
 * Looks up the comparison function of a key column.
 */
static void
InitCompare(TableScan *scan, int i)
{
	const KeyColumn *key = &scan->attachment->keys[i];
	TypeCacheEntry *type = lookup_type_cache(key->type, TYPECACHE_CMP_PROC);

	if (!OidIsValid(type->cmp_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("could not identify a comparison function for type %s",
						format_type_be(key->type)),
				 errdetail("Key column \"%s\" is of this type.", key->name)));
	fmgr_info(type->cmp_proc, &scan->compare[i]);
}

/*
 * Cache of plans for scans of one key, which take longer to plan than to
 * execute, and of other scans with parameters.  There is one plan per attached
 * table and kind of scan.  It lives until the table is dropped, unless it
 * becomes invalid or the text of the query changes.
 */
typedef enum KeyScanKind
{
	SCAN_HISTORY,
	SCAN_OPEN_CLOCKS,
	SCAN_CLOCKS_AT,
	SCAN_CLOCKS_AT_OF_KEY,
	SCAN_ASSIGNEE
} KeyScanKind;

typedef struct CachedScanKey
{
	AttachmentId root;
	KeyScanKind kind;
} CachedScanKey;

typedef struct CachedScan
{
	CachedScanKey key;			/* hash key */
	char	   *sql;			/* text of the query; NULL if none */
	SPIPlanPtr	plan;			/* NULL while it is in use */
} CachedScan;

static HTAB *cached_scans = NULL;

static long sweep_at = 0;		/* for align_sweep_dropped() */

static SPIPlanPtr
Prepare(const char *sql, int nargs, Oid *types)
{
	SPIPlanPtr	plan = SPI_prepare(sql, nargs, types);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	return plan;
}

static void
FreePlan(void *element)
{
	CachedScan *cached = (CachedScan *) element;

	if (cached->plan != NULL)
		SPI_freeplan(cached->plan);
	cached->plan = NULL;
	if (cached->sql != NULL)
		pfree(cached->sql);
	cached->sql = NULL;
}

/*
 * Returns the cache entry for scans of a kind.
 */
static CachedScan *
FindCachedScan(const Attachment *attachment, KeyScanKind kind)
{
	CachedScanKey key = {attachment->root_id, kind};
	CachedScan *cached;
	bool		found;

	if (cached_scans == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(CachedScanKey);
		control.entrysize = sizeof(CachedScan);
		control.hcxt = TopMemoryContext;
		cached_scans = hash_create("align scans by key", 16, &control,
								   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	cached = hash_search(cached_scans, &key, HASH_FIND, &found);
	if (!found)
	{
		align_sweep_dropped(cached_scans, &sweep_at, FreePlan);
		cached = hash_search(cached_scans, &key, HASH_ENTER, NULL);
		cached->sql = NULL;
		cached->plan = NULL;
	}
	return cached;
}

/*
 * Takes the plan for a query out of the cache, after preparing it if
 * necessary.
 *
 * Functions that are called while the query is planned may start a scan of the
 * same kind, and must not free the plan.
 */
static SPIPlanPtr
TakePlan(const Attachment *attachment, KeyScanKind kind, const char *sql, int nargs, Oid *types)
{
	CachedScan *cached = FindCachedScan(attachment, kind);
	SPIPlanPtr	plan = cached->plan;

	if (plan != NULL && strcmp(cached->sql, sql) == 0 && SPI_plan_is_valid(plan))
	{
		cached->plan = NULL;
		return plan;
	}
	FreePlan(cached);
	plan = Prepare(sql, nargs, types);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	if (cached->sql == NULL)
		cached->sql = MemoryContextStrdup(TopMemoryContext, sql);
	return plan;
}

/*
 * Puts a plan back into the cache, unless there is another one by now, or one
 * would be for another query.
 */
static void
PutPlan(const Attachment *attachment, KeyScanKind kind, const char *sql, SPIPlanPtr plan)
{
	CachedScanKey key = {attachment->root_id, kind};
	CachedScan *cached = hash_search(cached_scans, &key, HASH_FIND, NULL);

	if (cached != NULL && cached->plan == NULL && cached->sql != NULL && strcmp(cached->sql, sql) == 0)
		cached->plan = plan;
	else
		SPI_freeplan(plan);
}

/*
 * Appends a SELECT of the key and of the columns after it, without WHERE.
 */
static void
AppendSelect(StringInfo sql, const Attachment *attachment, AttachedTable table, const char *columns)
{
	appendStringInfoString(sql, "SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, "r.%s, ", align_table_key(attachment, table, i));
	appendStringInfo(sql, "%s FROM %s AS r", columns, align_table_name(attachment, table));
}

static void
InitScan(TableScan *scan, const Attachment *attachment, bool ordered)
{
	memset(scan, 0, sizeof(TableScan));
	scan->attachment = attachment;
	for (int i = 0; ordered && i < attachment->nkeys; i++)
		InitCompare(scan, i);
}

/*
 * Starts a scan of a table with the given columns, condition and order.
 */
void
align_table_scan_begin(TableScan *scan, const Attachment *attachment, AttachedTable table,
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
	/* read_only makes SPI use the active snapshot, not a new one of its own */
	scan->portal = SPI_cursor_open(NULL, Prepare(sql.data, 0, NULL), NULL, NULL, true);
}

/*
 * Opens the portal of a scan whose query has parameters.
 */
static void
OpenWithParameters(TableScan *scan, KeyScanKind kind, const char *sql, int nargs, Oid *types,
				   const Datum *values)
{
	SPIPlanPtr volatile plan = TakePlan(scan->attachment, kind, sql, nargs, types);

	PG_TRY();
	{
		/* the portal keeps what it needs of the plan */
		scan->portal = SPI_cursor_open(NULL, plan, unconstify(Datum *, values), NULL, true);
	}
	PG_FINALLY();
	{
		PutPlan(scan->attachment, kind, sql, plan);
	}
	PG_END_TRY();
}

/*
 * Opens the portal of a scan whose query has as parameters the columns of a
 * key, none if it is NULL, and then some times.
 */
static void
OpenWithKey(TableScan *scan, KeyScanKind kind, const char *sql, const Datum *key, int ntimes,
			const TimestampTz *times)
{
	int			nkeys = key != NULL ? scan->attachment->nkeys : 0;
	Oid			types[ATTACHMENT_MAX_KEYS + 2];
	Datum		values[ATTACHMENT_MAX_KEYS + 2];

	Assert(ntimes <= 2);
	if (key != NULL)
	{
		align_key_types(scan->attachment, types);
		memcpy(values, key, nkeys * sizeof(Datum));
	}
	for (int i = 0; i < ntimes; i++)
	{
		types[nkeys + i] = TIMESTAMPTZOID;
		values[nkeys + i] = TimestampTzGetDatum(times[i]);
	}
	OpenWithParameters(scan, kind, sql, nkeys + ntimes, types, values);
}

/*
 * Starts an ordered scan of the rows of one key.
 */
void
align_table_scan_key(TableScan *scan, const Attachment *attachment, AttachedTable table,
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
	OpenWithKey(scan, SCAN_HISTORY, sql.data, key, 0, NULL);
}

/*
 * Returns a list of align's own columns of a history or clock table.
 */
static char *
OwnColumns(const OwnColumn *columns, int ncolumns)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < ncolumns; i++)
		appendStringInfo(&list, "%sr.%s", i > 0 ? ", " : "", columns[i].name);
	return list.data;
}

/*
 * The column segments of the history, which an older one does not have.
 */
const char *
align_scan_segments(const Attachment *attachment)
{
	return attachment->history_ncolumns > HISTORY_SEGMENTS ? "r.segments" :
		"NULL::pg_catalog.text[]";
}

/*
 * Starts a scan of align's own columns of the history.
 */
void
align_table_scan_history(TableScan *scan, const Attachment *attachment, const char *condition,
						 const char *order)
{
	char	   *columns = psprintf("%s, %s",
								   OwnColumns(align_history_columns, HISTORY_MIN_COLUMNS),
								   align_scan_segments(attachment));

	StaticAssertStmt(HISTORY_NCOLUMNS == HISTORY_MIN_COLUMNS + 1, "segments is the last column");
	align_table_scan_begin(scan, attachment, TABLE_HISTORY, columns, condition, order);
}

/*
 * Starts a scan of align's own columns of the clock table.
 */
void
align_table_scan_clocks(TableScan *scan, const Attachment *attachment, const char *condition,
						const char *order)
{
	align_table_scan_begin(scan, attachment, TABLE_SLA,
						   OwnColumns(align_sla_columns, SLA_NCOLUMNS), condition, order);
}

/*
 * Starts a scan of the open clocks of one lead or of all leads.
 *
 * Of one lead, only the clock of the highest cycle of each service level can
 * be open, so the query skips past cycles.
 */
void
align_table_scan_open_clocks(TableScan *scan, const Attachment *attachment, const Datum *key)
{
	StringInfoData sql;

	if (key == NULL)
	{
		align_table_scan_clocks(scan, attachment, "r.outcome IS NULL", NULL);
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
	OpenWithKey(scan, SCAN_OPEN_CLOCKS, sql.data, key, 0, NULL);
}

/*
 * Starts a scan of the clocks of one lead or of all leads that were open at an
 * instant.
 */
void
align_table_scan_clocks_at(TableScan *scan, const Attachment *attachment, TimestampTz as_of,
						   const Datum *key)
{
	int			parameter = key != NULL ? attachment->nkeys + 1 : 1;
	StringInfoData sql;

	InitScan(scan, attachment, false);
	initStringInfo(&sql);
	AppendSelect(&sql, attachment, TABLE_SLA, OwnColumns(align_sla_columns, SLA_NCOLUMNS));
	appendStringInfo(&sql, " WHERE r.started_at OPERATOR(pg_catalog.<=) $%d AND "
					 "(r.outcome IS NULL OR r.stopped_at OPERATOR(pg_catalog.>) $%d)",
					 parameter, parameter);
	if (key != NULL)
	{
		appendStringInfoString(&sql, " AND ");
		align_append_key_parameters(&sql, attachment, TABLE_SLA, "r", 1);
	}
	OpenWithKey(scan, key != NULL ? SCAN_CLOCKS_AT_OF_KEY : SCAN_CLOCKS_AT, sql.data, key, 1,
				&as_of);
}

/*
 * Starts a scan of the assignee of a lead at an instant.  Entries without a
 * stage, which end a life, leave it as it is; see replay.c.
 */
void
align_table_scan_assignee(TableScan *scan, const Attachment *attachment, TimestampTz since,
						  TimestampTz at, const Datum *key)
{
	const TimestampTz times[] = {since, at};
	int			parameter = attachment->nkeys + 1;
	StringInfoData sql;

	InitScan(scan, attachment, false);
	initStringInfo(&sql);
	AppendSelect(&sql, attachment, TABLE_HISTORY, "r.assignee");
	appendStringInfoString(&sql, " WHERE ");
	align_append_key_parameters(&sql, attachment, TABLE_HISTORY, "r", 1);
	appendStringInfo(&sql, " AND r.effective_at OPERATOR(pg_catalog.>=) $%d"
					 " AND r.effective_at OPERATOR(pg_catalog.<=) $%d"
					 " AND r.stage IS NOT NULL AND " HISTORY_IS_LIVE("r")
					 " AND (r.event OPERATOR(pg_catalog.=) ANY ('{opening,entry,move,override}'::pg_catalog.text[])"
					 " OR r.event OPERATOR(pg_catalog.=) 'owner' AND " HISTORY_IS_NOT_MERGED("r") ")"
					 " ORDER BY r.effective_at DESC, r.entry_no DESC LIMIT 1",
					 parameter, parameter + 1);
	OpenWithKey(scan, SCAN_ASSIGNEE, sql.data, key, lengthof(times), times);
}

/*
 * Fetches the next rows from the portal; returns false if there are none.
 */
static bool
NextBatch(TableScan *scan)
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
		/* both arrays begin with the key; values and nulls are what follows */
		scan->values = scan->key + nkeys;
		scan->nulls += nkeys;
	}
	return scan->nrows > 0;
}

/*
 * Advances to the next row whose key has no nulls; returns false at the end.
 */
bool
align_table_scan_next(TableScan *scan)
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

/*
 * Ends a scan.
 */
void
align_table_scan_end(TableScan *scan)
{
	if (scan->batch != NULL)
		SPI_freetuptable(scan->batch);
	SPI_cursor_close(scan->portal);
}

/*
 * Compares the key of the current row with another one.
 */
int
align_table_scan_compare(TableScan *scan, const Datum *key)
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

/*
 * Returns a value of type text as a string.
 */
char *
align_table_scan_text(const TableScan *scan, int column)
{
	return scan->nulls[column] ? NULL : TextDatumGetCString(scan->values[column]);
}
