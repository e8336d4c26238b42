/*
 * statements.c
 *	  The text of the statements that read and write the record tables.
 *
 * In all of them, "h" is the history or clock table, and "r" is the input.
 * All names and operators are qualified, so that search_path does not matter.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "attachment/key_sql.h"
#include "history/history.h"
#include "record/plans.h"

/*
 * Appends "h.<key column> = r.<prefix>_1 AND ...".
 */
static void
AppendKeyMatch(StringInfo buf, const Attachment *attachment, AttachedTable table,
			   const char *prefix)
{
	align_append_key_match(buf, attachment, table, "h", psprintf("r.%s", prefix));
}

/*
 * Appends "h.<key column> DESC, ...", for all columns of the key, so that the
 * index on them gives the order.
 */
static void
AppendKeyDescending(StringInfo buf, const Attachment *attachment, AttachedTable table)
{
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "h.%s DESC, ", align_table_key(attachment, table, i));
}

/*
 * Appends ", <prefix><name>" for each of a table's own columns.
 */
static void
AppendOwnColumns(StringInfo buf, const char *prefix, const OwnColumn *columns, int ncolumns)
{
	for (int i = 0; i < ncolumns; i++)
		appendStringInfo(buf, ", %s%s", prefix, columns[i].name);
}

/*
 * Appends an INSERT of all rows of an input relation.
 */
static void
AppendInsert(StringInfo buf, const Attachment *attachment, AttachedTable table,
			 const OwnColumn *columns, int ncolumns, const char *rows)
{
	appendStringInfo(buf, "INSERT INTO %s (", align_table_name(attachment, table));
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "%s%s", i > 0 ? ", " : "", align_table_key(attachment, table, i));
	AppendOwnColumns(buf, "", columns, ncolumns);
	appendStringInfoString(buf, ") SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "%sr.key_%d", i > 0 ? ", " : "", i + 1);
	AppendOwnColumns(buf, "r.", columns, ncolumns);
	appendStringInfo(buf, " FROM %s AS r", rows);
}

/*
 * Appends a query for the number of the last of a lead's entries that meet a
 * condition; NULL if there is none.
 */
static void
AppendLastNumber(StringInfo buf, const Attachment *attachment, const char *condition)
{
	appendStringInfo(buf, "(SELECT h.entry_no FROM %s AS h WHERE ", attachment->history_name);
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfo(buf, " AND %s ORDER BY ", condition);
	AppendKeyDescending(buf, attachment, TABLE_HISTORY);
	appendStringInfoString(buf, "h.entry_no DESC LIMIT 1)");
}

/*
 * Appends lateral subqueries with "m" (latest, latest_stage, in_order) over
 * the entries from the last stage entry in order on.  Does the same as
 * ReadTimes() in run.c.
 */
static void
AppendTimes(StringInfo buf, const Attachment *attachment)
{
	/* the first entry to read, and the last one of the previous life */
	appendStringInfoString(buf, " LEFT JOIN LATERAL (SELECT COALESCE(");
	AppendLastNumber(buf, attachment, HISTORY_IN_ORDER("h"));
	appendStringInfoString(buf, ", 1) AS first) AS f ON true LEFT JOIN LATERAL (SELECT COALESCE(");
	AppendLastNumber(buf, attachment,
					 "h.entry_no OPERATOR(pg_catalog.>=) f.first AND " HISTORY_ENDS_LIFE("h"));
	appendStringInfo(buf, ", 0) AS ended) AS d ON true"
					 " LEFT JOIN LATERAL (SELECT pg_catalog.max(h.effective_at) FILTER (WHERE "
					 "h.entry_no OPERATOR(pg_catalog.>) d.ended AND (" HISTORY_PUTS_INTO_STAGE("h")
					 " OR h.event OPERATOR(pg_catalog.=) 'owner' AND " HISTORY_IS_NOT_MERGED("h")
					 ")) AS latest, pg_catalog.max(h.effective_at) FILTER (WHERE "
					 HISTORY_PUTS_INTO_STAGE("h") ") AS latest_stage, pg_catalog.count(*) FILTER (WHERE "
					 "h.entry_no OPERATOR(pg_catalog.>) d.ended AND h.source OPERATOR(pg_catalog.=) '"
					 SOURCE_BACKFILL "') OPERATOR(pg_catalog.=) 0 AS in_order FROM %s AS h WHERE ",
					 attachment->history_name);
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, " AND h.entry_no OPERATOR(pg_catalog.>=) f.first) AS m ON true");
}

/*
 * Appends a query for the last clock in the order of key, sla and cycle; if
 * below is not NULL, for the last one with an sla less than that expression.
 */
static void
AppendLastClock(StringInfo buf, const Attachment *attachment, const char *below)
{
	appendStringInfo(buf, "SELECT h.* FROM %s AS h WHERE ", attachment->sla_name);
	AppendKeyMatch(buf, attachment, TABLE_SLA, "key");
	if (below != NULL)
		appendStringInfo(buf, " AND h.sla OPERATOR(pg_catalog.<) %s", below);
	appendStringInfoString(buf, " ORDER BY ");
	AppendKeyDescending(buf, attachment, TABLE_SLA);
	appendStringInfoString(buf, "h.sla DESC, h.cycle DESC LIMIT 1");
}

/*
 * Appends a query for the clock of the highest cycle of each service level.
 */
void
align_append_last_clocks(StringInfo buf, const Attachment *attachment)
{
	appendStringInfoString(buf, "WITH RECURSIVE c AS ((");
	AppendLastClock(buf, attachment, NULL);
	appendStringInfoString(buf, ") UNION ALL SELECT n.* FROM c, LATERAL (");
	AppendLastClock(buf, attachment, "c.sla");
	appendStringInfoString(buf, ") AS n) SELECT * FROM c");
}

/*
 * READ_LEADS, READ_LEADS_WITH_TIMES
 */
static void
AppendReadLeads(StringInfo buf, const Attachment *attachment, bool with_times)
{
	appendStringInfoString(buf, "SELECT r.n, l.entry_no, l.recorded_at, l.effective_at, l.event, "
						   "l.stage, l.team, l.assignee, l.source, l.agreement, l.version, ");
	appendStringInfoString(buf, with_times ? "m.latest, m.latest_stage, m.in_order" :
						   "NULL::pg_catalog.timestamptz, NULL::pg_catalog.timestamptz, true");
	AppendOwnColumns(buf, "c.", align_sla_columns, SLA_NCOLUMNS);
	appendStringInfo(buf, " FROM align_rows AS r LEFT JOIN LATERAL (SELECT h.entry_no, "
					 "h.recorded_at, h.effective_at, h.event, h.stage, h.team, h.assignee, h.source, "
					 "h.agreement, h.version FROM %s AS h WHERE ", attachment->history_name);
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, " ORDER BY ");
	AppendKeyDescending(buf, attachment, TABLE_HISTORY);
	appendStringInfoString(buf, "h.entry_no DESC LIMIT 1) AS l ON true");
	if (with_times)
		AppendTimes(buf, attachment);
	appendStringInfoString(buf, " LEFT JOIN LATERAL (");
	align_append_last_clocks(buf, attachment);
	appendStringInfoString(buf, ") AS c ON true");
}

/*
 * READ_ENTRIES.  "life" is the number of lives that ended before an entry.
 */
static void
AppendReadEntries(StringInfo buf, const Attachment *attachment)
{
	const char *segments = attachment->history_ncolumns > HISTORY_SEGMENTS ? "h.segments" :
		"NULL::pg_catalog.text[]";

	appendStringInfo(buf, "SELECT e.n, e.event, e.at, e.recorded_at, e.stage, e.assignee, "
					 "e.agreement, e.version, e.source, e.segments FROM (SELECT l.*, "
					 "CASE WHEN l.event OPERATOR(pg_catalog.=) 'owner' THEN LEAST(l.effective_at, "
					 "pg_catalog.min(l.effective_at) FILTER (WHERE " HISTORY_IN_ORDER("l") ") OVER "
					 "(PARTITION BY l.n, l.life ORDER BY l.entry_no DESC "
					 "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) ELSE l.effective_at END AS at "
					 "FROM (SELECT r.n, h.entry_no, h.event, h.effective_at, h.recorded_at, h.stage, "
					 "h.assignee, h.agreement, h.version, h.source, %s AS segments, "
					 "pg_catalog.count(*) FILTER (WHERE "
					 HISTORY_ENDS_LIFE("h") ") OVER (PARTITION BY r.n ORDER BY h.entry_no "
					 "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS life "
					 "FROM align_rows AS r, %s AS h WHERE ", segments, attachment->history_name);
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, ") AS l) AS e ORDER BY e.n, e.life, e.at, e.entry_no");
}

/*
 * READ_PAST
 */
static void
AppendReadPast(StringInfo buf, const Attachment *attachment)
{
	appendStringInfoString(buf, "SELECT l.event, l.source, l.from_stage, l.stage, l.agreement, l.version, "
						   "COALESCE(m.entry_no, 0) OPERATOR(pg_catalog.>) COALESCE(o.entry_no, 0) "
						   "FROM align_rows AS r, LATERAL (SELECT h.entry_no, h.event, h.source, "
						   "h.from_stage, h.stage, h.agreement, h.version FROM ");
	appendStringInfo(buf, "%s AS h WHERE ", attachment->history_name);
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, " AND " HISTORY_SHOWS_STAGE("h") " ORDER BY ");
	AppendKeyDescending(buf, attachment, TABLE_HISTORY);
	appendStringInfoString(buf, "h.entry_no DESC LIMIT 1) AS l LEFT JOIN LATERAL (SELECT ");
	/* the last stage entry of the lead itself, and one merged after that */
	AppendLastNumber(buf, attachment,
					 HISTORY_IS_STAGE_EVENT("h") " AND " HISTORY_IS_NOT_MERGED("h"));
	appendStringInfoString(buf, " AS entry_no) AS o ON true LEFT JOIN LATERAL (SELECT ");
	AppendLastNumber(buf, attachment,
					 "h.entry_no OPERATOR(pg_catalog.>) COALESCE(o.entry_no, 0) AND NOT ("
					 HISTORY_IS_NOT_MERGED("h") ") AND " HISTORY_IS_STAGE_EVENT("h"));
	appendStringInfoString(buf, " AS entry_no) AS m ON true");
}

/*
 * READ_HISTORY
 */
static void
AppendReadHistory(StringInfo buf, const Attachment *attachment)
{
	appendStringInfoString(buf, "SELECT r.n");
	AppendOwnColumns(buf, "h.", align_history_columns, HISTORY_NOTIFIED_AT + 1);
	appendStringInfo(buf, " FROM align_rows AS r, %s AS h WHERE ", attachment->history_name);
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, " ORDER BY r.n, h.entry_no");
}

/*
 * COUNT_OLD_KEYS
 */
static void
AppendCountOldKeys(StringInfo buf, const Attachment *attachment)
{
	static const AttachedTable tables[] = {TABLE_HISTORY, TABLE_SLA};

	for (int i = 0; i < (int) lengthof(tables); i++)
	{
		appendStringInfo(buf, "%s(SELECT pg_catalog.count(*) FROM align_rows AS r, %s AS h WHERE ",
						 i == 0 ? "SELECT " : ", ", align_table_name(attachment, tables[i]));
		AppendKeyMatch(buf, attachment, tables[i], "old");
		appendStringInfoChar(buf, ')');
	}
}

/*
 * Appends the UPDATE of WRITE_LEADS.  Columns that do not change after the
 * start of a clock are left out, and so are warn_notified_at and
 * due_notified_at, which notify_due() may be setting at the same time.
 *
 * attach() creates the indexes of a new clock table after it has filled it.
 * Until then the UPDATE reads all of the table, so it must not be executed if
 * no clock has changed: EXISTS makes a one-time filter.
 */
static void
AppendChangeClocks(StringInfo buf, const Attachment *attachment)
{
	appendStringInfo(buf, "UPDATE %s AS h SET assignee_at_due = r.assignee_at_due, "
					 "assignee_at_stop = r.assignee_at_stop, due_at = r.due_at, "
					 "warn_at = r.warn_at, paused = r.paused, elapsed = r.elapsed, "
					 "stopped_at = r.stopped_at, outcome = r.outcome FROM align_changed_clocks AS r WHERE ",
					 attachment->sla_name);
	AppendKeyMatch(buf, attachment, TABLE_SLA, "key");
	appendStringInfoString(buf, " AND h.sla OPERATOR(pg_catalog.=) r.sla "
						   "AND h.cycle OPERATOR(pg_catalog.=) r.cycle "
						   "AND EXISTS (SELECT FROM align_changed_clocks)");
}

/*
 * WRITE_LEADS
 */
static void
AppendWrite(StringInfo buf, const Attachment *attachment)
{
	appendStringInfoString(buf, "WITH e AS (");
	AppendInsert(buf, attachment, TABLE_HISTORY, align_history_columns,
				 attachment->history_ncolumns, "align_entries");
	appendStringInfoString(buf, " RETURNING 1), n AS (");
	AppendInsert(buf, attachment, TABLE_SLA, align_sla_columns, SLA_NCOLUMNS, "align_new_clocks");
	appendStringInfoString(buf, " RETURNING 1), c AS (");
	AppendChangeClocks(buf, attachment);
	appendStringInfoString(buf, " RETURNING 1) SELECT (SELECT pg_catalog.count(*) FROM e), "
						   "(SELECT pg_catalog.count(*) FROM n), (SELECT pg_catalog.count(*) FROM c)");
}

/*
 * DROP_CLOCKS
 */
static void
AppendDropClocks(StringInfo buf, const Attachment *attachment)
{
	appendStringInfo(buf, "WITH d AS (DELETE FROM %s AS h USING align_rows AS r WHERE ",
					 attachment->sla_name);
	AppendKeyMatch(buf, attachment, TABLE_SLA, "key");
	appendStringInfoString(buf, " RETURNING r.n");
	AppendOwnColumns(buf, "h.", align_sla_columns, SLA_NCOLUMNS);
	appendStringInfo(buf, ") SELECT t.total, d.* FROM (SELECT pg_catalog.count(*) AS total "
					 "FROM align_rows AS r, %s AS h WHERE ", attachment->sla_name);
	AppendKeyMatch(buf, attachment, TABLE_SLA, "key");
	appendStringInfoString(buf, ") AS t LEFT JOIN d ON true");
}

/*
 * REKEY_ENTRIES_ASIDE, REKEY_CLOCKS_ASIDE.  number is entry_no or cycle.
 */
static void
AppendRekeyAside(StringInfo buf, const Attachment *attachment, AttachedTable table,
				 const char *number)
{
	appendStringInfo(buf, "UPDATE %s AS h SET ", align_table_name(attachment, table));
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "%s = r.key_%d, ", align_table_key(attachment, table, i), i + 1);
	appendStringInfo(buf, "%s = OPERATOR(pg_catalog.-) h.%s FROM align_rows AS r WHERE ",
					 number, number);
	AppendKeyMatch(buf, attachment, table, "old");
	appendStringInfo(buf, " AND h.%s OPERATOR(pg_catalog.>) 0", number);
}

/*
 * REKEY_ENTRIES.  If another lead had the key before, its entries stay in
 * front, and recorded_at of the others becomes as late as needed for it to
 * increase with entry_no: the greater of two times that do.
 */
static void
AppendRekeyEntries(StringInfo buf, const Attachment *attachment)
{
	appendStringInfo(buf, "UPDATE %s AS h SET entry_no = o.last OPERATOR(pg_catalog.-) h.entry_no, "
					 "recorded_at = CASE WHEN o.last OPERATOR(pg_catalog.>) 0 "
					 "THEN GREATEST(h.recorded_at, GREATEST(o.latest, pg_catalog.now()) OPERATOR(pg_catalog.+) "
					 "pg_catalog.make_interval(secs => 0.000001 OPERATOR(pg_catalog.*) (OPERATOR(pg_catalog.-) h.entry_no))) "
					 "ELSE h.recorded_at END "
					 "FROM align_rows AS r, LATERAL (SELECT "
					 "COALESCE(pg_catalog.max(h.entry_no), 0) AS last, pg_catalog.max(h.recorded_at) AS latest FROM %s AS h WHERE ",
					 attachment->history_name, attachment->history_name);
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, " AND h.entry_no OPERATOR(pg_catalog.>) 0) AS o WHERE ");
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, " AND h.entry_no OPERATOR(pg_catalog.<) 0");
}

/*
 * REKEY_CLOCKS
 */
static void
AppendRekeyClocks(StringInfo buf, const Attachment *attachment)
{
	appendStringInfo(buf, "UPDATE %s AS h SET cycle = (SELECT COALESCE(pg_catalog.max(o.cycle), 0) "
					 "FROM %s AS o WHERE ", attachment->sla_name, attachment->sla_name);
	align_append_key_join(buf, attachment, TABLE_SLA, "o", TABLE_SLA, "h");
	appendStringInfoString(buf, " AND o.sla OPERATOR(pg_catalog.=) h.sla AND o.cycle OPERATOR(pg_catalog.>) 0) "
						   "OPERATOR(pg_catalog.-) h.cycle FROM align_rows AS r WHERE ");
	AppendKeyMatch(buf, attachment, TABLE_SLA, "key");
	appendStringInfoString(buf, " AND h.cycle OPERATOR(pg_catalog.<) 0");
}

/*
 * SHIFT_ENTRIES_ASIDE, SHIFT_ENTRIES_BACK
 */
static void
AppendShift(StringInfo buf, const Attachment *attachment, bool aside)
{
	appendStringInfo(buf, "UPDATE %s AS h SET entry_no = OPERATOR(pg_catalog.-) %s "
					 "FROM align_rows AS r WHERE ", attachment->history_name,
					 aside ? "(h.entry_no OPERATOR(pg_catalog.+) r.n)" : "h.entry_no");
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, aside ? " AND h.entry_no OPERATOR(pg_catalog.>) 1" :
						   " AND h.entry_no OPERATOR(pg_catalog.<) 0");
}

/*
 * REPLACE_FIRST_ENTRIES
 */
static void
AppendReplaceFirst(StringInfo buf, const Attachment *attachment)
{
	static const HistoryColumn columns[] = {
		HISTORY_ENTRY_NO, HISTORY_EVENT, HISTORY_EFFECTIVE_AT, HISTORY_FROM_STAGE, HISTORY_STAGE,
		HISTORY_FROM_TEAM, HISTORY_TEAM, HISTORY_ASSIGNEE, HISTORY_ACTOR, HISTORY_REASON,
		HISTORY_NOTE, HISTORY_CAMPAIGN, HISTORY_AMOUNT, HISTORY_AGREEMENT, HISTORY_VERSION,
		HISTORY_VIOLATION, HISTORY_SOURCE, HISTORY_HANDOFF
	};

	appendStringInfo(buf, "UPDATE %s AS h SET ", attachment->history_name);
	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		const char *name = align_history_columns[columns[i]].name;

		appendStringInfo(buf, "%s = r.%s, ", name, name);
	}
	appendStringInfoString(buf, "notified_at = COALESCE(h.notified_at, r.notified_at) "
						   "FROM align_entries AS r WHERE ");
	AppendKeyMatch(buf, attachment, TABLE_HISTORY, "key");
	appendStringInfoString(buf, " AND h.entry_no OPERATOR(pg_catalog.=) 1");
}

/*
 * Returns the text of a statement.
 */
char *
align_recorder_sql(const Attachment *attachment, RecorderStatement statement)
{
	StringInfoData buf;

	initStringInfo(&buf);
	switch (statement)
	{
		case READ_LEADS:
			AppendReadLeads(&buf, attachment, false);
			break;
		case READ_LEADS_WITH_TIMES:
			AppendReadLeads(&buf, attachment, true);
			break;
		case READ_ENTRIES:
			AppendReadEntries(&buf, attachment);
			break;
		case READ_PAST:
			AppendReadPast(&buf, attachment);
			break;
		case READ_HISTORY:
			AppendReadHistory(&buf, attachment);
			break;
		case COUNT_OLD_KEYS:
			AppendCountOldKeys(&buf, attachment);
			break;
		case WRITE_LEADS:
			AppendWrite(&buf, attachment);
			break;
		case ADD_CLOCKS:
			AppendInsert(&buf, attachment, TABLE_SLA, align_sla_columns, SLA_NCOLUMNS,
						 "align_new_clocks");
			break;
		case DROP_CLOCKS:
			AppendDropClocks(&buf, attachment);
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
		case SHIFT_ENTRIES_ASIDE:
			AppendShift(&buf, attachment, true);
			break;
		case SHIFT_ENTRIES_BACK:
			AppendShift(&buf, attachment, false);
			break;
		case REPLACE_FIRST_ENTRIES:
			AppendReplaceFirst(&buf, attachment);
			break;
	}
	return buf.data;
}
