/*
 * recorder_text.c
 *	  The statements that read and write history and clocks, as text.
 *
 * In all of them "h" is the history or clock table and "r" the rows that come
 * with the statement.  Every name is qualified and every operator is told by its
 * schema, so the search_path has no say.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/ruleutils.h"

#include "enforce/history.h"
#include "enforce/lead_sql.h"
#include "enforce/recorder_sql.h"

#define ROWS_NAME RECORDER_ROWS_NAME

/* h.<key> = r.<prefix>_1 AND ... */
static void
AppendKeyMatch(StringInfo buf, const Attachment *attachment, AttachedTable table, const char *prefix)
{
	align_append_key_match(buf, attachment, table, "h", psprintf("r.%s", prefix));
}

static void
AppendOwnColumns(StringInfo buf, const char *prefix, const OwnColumn *columns, int ncolumns)
{
	for (int i = 0; i < ncolumns; i++)
		appendStringInfo(buf, ", %s%s", prefix, columns[i].name);
}

static void
AppendInsert(StringInfo buf, const Attachment *attachment, AttachedTable table,
			 const OwnColumn *columns, int ncolumns)
{
	appendStringInfo(buf, "INSERT INTO %s (", align_table_name(attachment, table));
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "%s%s", i > 0 ? ", " : "", align_table_key(attachment, table, i));
	AppendOwnColumns(buf, "", columns, ncolumns);
	appendStringInfoString(buf, ") SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "%sr.key_%d", i > 0 ? ", " : "", i + 1);
	AppendOwnColumns(buf, "r.", columns, ncolumns);
	appendStringInfoString(buf, " FROM " ROWS_NAME " AS r");
}

static void
AppendReadLast(StringInfo buf, const Attachment *attachment, bool with_latest)
{
	appendStringInfoString(buf, "SELECT r.n, l.entry_no, l.recorded_at, l.effective_at, l.event, "
						   "l.stage, l.team, l.assignee, l.source");
	if (with_latest)
		appendStringInfoString(buf, ", m.latest");
	appendStringInfo(buf, " FROM " ROWS_NAME " AS r LEFT JOIN LATERAL (SELECT h.entry_no, "
					 "h.recorded_at, h.effective_at, h.event, h.stage, h.team, h.assignee, h.source "
					 "FROM %s AS h WHERE ", attachment->history_name);
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	/* all of the key, so that an index on it gives the order */
	appendStringInfoString(buf, " ORDER BY ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "h.%s DESC, ", align_table_key(attachment, TABLE_HISTORY, i));
	appendStringInfoString(buf, "h.entry_no DESC LIMIT 1) AS l ON true");
	if (with_latest)
	{
		appendStringInfo(buf, " LEFT JOIN LATERAL (SELECT pg_catalog.max(h.effective_at) AS latest "
						 "FROM %s AS h WHERE ", attachment->history_name);
		AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
		/* of the life that it is in */
		appendStringInfo(buf, " AND h.entry_no OPERATOR(pg_catalog.>) COALESCE((SELECT "
						 "pg_catalog.max(h.entry_no) FROM %s AS h WHERE ", attachment->history_name);
		AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
		appendStringInfoString(buf, " AND " HISTORY_ENDS_LIFE("h") "), 0)) AS m ON true");
	}
}

static void
AppendRekeyAside(StringInfo buf, const Attachment *attachment, AttachedTable table,
				 const char *number)
{
	appendStringInfo(buf, "UPDATE %s AS h SET ", align_table_name(attachment, table));
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "%s = r.key_%d, ", align_table_key(attachment, table, i), i + 1);
	appendStringInfo(buf, "%s = OPERATOR(pg_catalog.-) h.%s FROM " ROWS_NAME " AS r WHERE ",
					 number, number);
	AppendKeyMatch(buf, attachment, table, "old");
	appendStringInfo(buf, " AND h.%s OPERATOR(pg_catalog.>) 0", number);
}

/*
 * The key may have been another lead's before: its entries stay in front, as
 * those of an earlier life.
 */
static void
AppendRekeyEntries(StringInfo buf, const Attachment *attachment)
{
	appendStringInfo(buf, "UPDATE %s AS h SET entry_no = o.last OPERATOR(pg_catalog.-) h.entry_no, "
					 "recorded_at = CASE WHEN o.last OPERATOR(pg_catalog.>) 0 "
					 "THEN GREATEST(o.latest, pg_catalog.now()) OPERATOR(pg_catalog.+) "
					 "pg_catalog.make_interval(secs => 0.000001 OPERATOR(pg_catalog.*) (OPERATOR(pg_catalog.-) h.entry_no)) "
					 "ELSE h.recorded_at END "
					 "FROM " ROWS_NAME " AS r, LATERAL (SELECT "
					 "COALESCE(pg_catalog.max(h.entry_no), 0) AS last, pg_catalog.max(h.recorded_at) AS latest FROM %s AS h WHERE ",
					 attachment->history_name, attachment->history_name);
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, " AND h.entry_no OPERATOR(pg_catalog.>) 0) AS o WHERE ");
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, " AND h.entry_no OPERATOR(pg_catalog.<) 0");
}

static void
AppendRekeyClocks(StringInfo buf, const Attachment *attachment)
{
	appendStringInfo(buf, "UPDATE %s AS h SET cycle = (SELECT COALESCE(pg_catalog.max(o.cycle), 0) "
					 "FROM %s AS o WHERE ", attachment->sla_name, attachment->sla_name);
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *column = &attachment->keys[i];
		char	   *left = psprintf("o.%s", align_table_key(attachment, TABLE_SLA, i));
		char	   *right = psprintf("h.%s", align_table_key(attachment, TABLE_SLA, i));

		generate_operator_clause(buf, left, column->type, column->eq_operator,
								 right, column->type);
		appendStringInfoString(buf, " AND ");
	}
	appendStringInfoString(buf, "o.sla OPERATOR(pg_catalog.=) h.sla AND o.cycle OPERATOR(pg_catalog.>) 0) "
						   "OPERATOR(pg_catalog.-) h.cycle FROM " ROWS_NAME " AS r WHERE ");
	AppendKeyMatch(buf, attachment, TABLE_SLA, "key");
	appendStringInfoString(buf, " AND h.cycle OPERATOR(pg_catalog.<) 0");
}

char *
align_recorder_text(const Attachment *attachment, RecorderStatement statement)
{
	StringInfoData buf;

	initStringInfo(&buf);
	switch (statement)
	{
		case READ_LAST:
			AppendReadLast(&buf, attachment, true);
			break;
		case READ_LAST_ONLY:
			AppendReadLast(&buf, attachment, false);
			break;
		case READ_CLOCKS:
			appendStringInfoString(&buf, "SELECT r.n");
			AppendOwnColumns(&buf, "h.", align_sla_columns, SLA_NCOLUMNS);
			appendStringInfo(&buf, " FROM " ROWS_NAME " AS r, %s AS h WHERE ", attachment->sla_name);
			AppendKeyMatch(&buf, attachment, TABLE_SLA, "key");
			break;
		case READ_ENTRIES:
			appendStringInfo(&buf, "SELECT r.n, h.event, h.effective_at, h.stage, h.assignee, "
							 "h.agreement, h.version, h.source FROM " ROWS_NAME " AS r, %s AS h WHERE ",
							 attachment->history_name);
			AppendKeyMatch(&buf, attachment, TABLE_HISTORY, "key");
			appendStringInfoString(&buf, " ORDER BY r.n, pg_catalog.count(*) FILTER (WHERE " HISTORY_ENDS_LIFE("h") ") "
								   "OVER (PARTITION BY r.n ORDER BY h.entry_no "
								   "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), "
								   "h.effective_at, h.entry_no");
			break;
		case ADD_ENTRIES:
			AppendInsert(&buf, attachment, TABLE_HISTORY, align_history_columns, HISTORY_NCOLUMNS);
			break;
		case ADD_CLOCKS:
			AppendInsert(&buf, attachment, TABLE_SLA, align_sla_columns, SLA_NCOLUMNS);
			break;
		case CHANGE_CLOCKS:
			/* what identifies a clock, and what others write, stays */
			appendStringInfo(&buf, "UPDATE %s AS h SET assignee_at_due = r.assignee_at_due, "
							 "assignee_at_stop = r.assignee_at_stop, due_at = r.due_at, "
							 "warn_at = r.warn_at, paused = r.paused, elapsed = r.elapsed, "
							 "stopped_at = r.stopped_at, outcome = r.outcome FROM " ROWS_NAME
							 " AS r WHERE ", attachment->sla_name);
			AppendKeyMatch(&buf, attachment, TABLE_SLA, "key");
			appendStringInfoString(&buf, " AND h.sla OPERATOR(pg_catalog.=) r.sla "
								   "AND h.cycle OPERATOR(pg_catalog.=) r.cycle");
			break;
		case DROP_CLOCKS:
			appendStringInfo(&buf, "DELETE FROM %s AS h USING " ROWS_NAME " AS r WHERE ",
							 attachment->sla_name);
			AppendKeyMatch(&buf, attachment, TABLE_SLA, "key");
			appendStringInfoString(&buf, " RETURNING r.n");
			AppendOwnColumns(&buf, "h.", align_sla_columns, SLA_NCOLUMNS);
			break;
		case REKEY_ENTRIES_ASIDE:
			AppendRekeyAside(&buf, attachment, TABLE_HISTORY, "entry_no");
			break;
		case REKEY_CLOCKS_ASIDE:
			AppendRekeyAside(&buf, attachment, TABLE_SLA, "cycle");
			break;
		case REKEY_ENTRIES:
			AppendRekeyEntries(&buf, attachment);
			break;
		case REKEY_CLOCKS:
			AppendRekeyClocks(&buf, attachment);
			break;
	}
	return buf.data;
}
