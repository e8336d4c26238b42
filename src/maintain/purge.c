/*
 * purge.c
 *	  purge(): deletes entries and clocks of leads that ended long ago.
 *
 * A lead's life ends when its row is deleted, truncated or no longer live.  If
 * the key lives again, the lead keeps all of its entries and clocks.
 *
 * Deferred deletions (reload.h) need not be recorded first: until then, the
 * lead is alive in the history, and its end is recorded too late for "before".
 *
 * Rows are deleted under row locks only.  Neither readers nor writers of leads
 * wait for these: writers do not update rows of a lead whose life has ended.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/timestamp.h"

#include "attachment/key_sql.h"
#include "catalog/as_role.h"
#include "history/history.h"
#include "maintain/owned.h"
#include "record/flush.h"
#include "record/writer.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_purge);

/*
 * Appends a query in parentheses for the keys (key_1, key_2, ...) of the leads
 * to be purged: those whose last entry, not counting entries of rows that are
 * not live, ends a life and was recorded before $1, and which have no later
 * entry that was recorded at or after $1.
 */
static void
AppendPurgedLeads(StringInfo sql, const Attachment *attachment)
{
	appendStringInfoString(sql, "(SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, "%sl.key_%d", i > 0 ? ", " : "", i + 1);
	appendStringInfoString(sql, " FROM (SELECT DISTINCT ON (");
	align_append_key(sql, attachment, TABLE_HISTORY);
	appendStringInfoString(sql, ") h.entry_no, h.event, h.source, h.recorded_at");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, ", h.%s AS key_%d", align_table_key(attachment, TABLE_HISTORY, i),
						 i + 1);
	appendStringInfo(sql, " FROM %s AS h WHERE " HISTORY_IS_LIVE("h") " ORDER BY ",
					 attachment->history_name);
	align_append_key(sql, attachment, TABLE_HISTORY);
	appendStringInfo(sql, ", h.entry_no DESC) AS l WHERE " HISTORY_ENDS_LIFE("l")
					 " AND l.recorded_at OPERATOR(pg_catalog.<) $1"
					 " AND NOT EXISTS (SELECT FROM %s AS h WHERE ", attachment->history_name);
	align_append_key_match(sql, attachment, TABLE_HISTORY, "h", "l.key");
	appendStringInfoString(sql, " AND h.entry_no OPERATOR(pg_catalog.>) l.entry_no"
						   " AND h.recorded_at OPERATOR(pg_catalog.>=) $1))");
}

/*
 * Appends two queries of a WITH clause: "name" deletes the rows of a table
 * that belong to the leads in "purged", and "name_left" returns those that it
 * has not deleted.
 */
static void
AppendDelete(StringInfo sql, const Attachment *attachment, AttachedTable table, const char *name)
{
	const char *table_name = table == TABLE_HISTORY ? attachment->history_name :
		attachment->sla_name;

	appendStringInfo(sql, ", %s AS (DELETE FROM %s AS h USING purged WHERE ", name, table_name);
	align_append_key_match(sql, attachment, table, "h", "purged.key");
	appendStringInfo(sql, " RETURNING h.tableoid AS relid, h.ctid AS row),"
					 " %s_left AS (SELECT h.tableoid AS relid, h.ctid AS row FROM %s AS h, purged WHERE ",
					 name, table_name);
	align_append_key_match(sql, attachment, table, "h", "purged.key");
	appendStringInfo(sql, " EXCEPT SELECT relid, row FROM %s)", name);
}

/*
 * Raises an error if any of the given rows still exists.  rows has two
 * elements: an array of tableoids and one of ctids.
 */
static void
CheckDeleted(Attachment *attachment, const char *table_name, uint64 ndeleted, Datum *rows)
{
	Oid			types[] = {OIDARRAYOID, TIDARRAYOID};
	char	   *query = psprintf("SELECT FROM %s AS h, ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS r (relid, row)"
								 " WHERE h.tableoid OPERATOR(pg_catalog.=) r.relid AND h.ctid OPERATOR(pg_catalog.=) r.row",
								 table_name);

	align_execute_as_owner(attachment, query, lengthof(types), types, rows, NULL);
	align_check_written(attachment, ndeleted, ndeleted + SPI_processed);
}

/*
 * Deletes entries and clocks, and returns their number.
 */
static int64
Purge(Attachment *attachment, TimestampTz before)
{
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(before)};
	StringInfoData command;
	Datum		left[4];
	bool		left_isnull[lengthof(left)];
	bool		isnull;
	int64		result;

	/*
	 * One statement deletes from both tables, so that both deletes see the
	 * same leads.
	 */
	initStringInfo(&command);
	appendStringInfoString(&command, "WITH purged AS MATERIALIZED ");
	AppendPurgedLeads(&command, attachment);
	AppendDelete(&command, attachment, TABLE_HISTORY, "entries");
	AppendDelete(&command, attachment, TABLE_SLA, "clocks");
	appendStringInfoString(&command,
						   " SELECT (SELECT pg_catalog.count(*) FROM entries)"
						   " OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM clocks),"
						   " (SELECT pg_catalog.array_agg(relid) FROM entries_left),"
						   " (SELECT pg_catalog.array_agg(row) FROM entries_left),"
						   " (SELECT pg_catalog.array_agg(relid) FROM clocks_left),"
						   " (SELECT pg_catalog.array_agg(row) FROM clocks_left)");
	align_execute_as_owner(attachment, command.data, lengthof(types), types, values, NULL);
	result = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	for (int i = 0; i < (int) lengthof(left); i++)
		left[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 2,
								&left_isnull[i]);

	/*
	 * Check that no trigger of the owner has suppressed a delete.  That rows
	 * were left does not prove it: another session may have deleted them at
	 * the same time.
	 */
	if (!left_isnull[0])
		CheckDeleted(attachment, attachment->history_name, result, left);
	if (!left_isnull[2])
		CheckDeleted(attachment, attachment->sla_name, result, left + 2);
	return result;
}

/*
 * purge(relation, before): returns the number of entries and clocks deleted.
 */
Datum
align_purge(PG_FUNCTION_ARGS)
{
	Attachment *attachment = align_owned_attachment(fcinfo, "align.purge()");
	TimestampTz before;
	RestrictedCaller caller;
	int64		result;

	align_require_argument(fcinfo, 1, "before");
	before = PG_GETARG_TIMESTAMPTZ(1);
	/* this also keeps leads that are deleted meanwhile from qualifying */
	if (before > GetCurrentTransactionStartTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("before must not be in the future")));
	align_recorder_flush_all();
	align_begin_restricted(&caller, attachment->root_owner);
	align_spi_connect();
	result = Purge(attachment, before);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}
