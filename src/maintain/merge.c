/*
 * merge.c
 *	  merge_leads(): merges the journey of a duplicate into that of the lead
 *	  that survives.
 *
 * The entries of the duplicate get the key of the surviving lead, entry
 * numbers after its last one, and new recorded_at, which must increase with
 * the numbers.  effective_at stays; source names the duplicate.  The clocks of
 * both leads are replaced by those that follow from the joined journey.  The
 * rows of the attached table are locked but not changed: merging them is up to
 * the application.
 *
 * Besides the entry that records the merge, two more may be needed so that the
 * history agrees with the table.  If the duplicate was moved last, the joined
 * journey, which is ordered by effective_at, does not end in the stage of the
 * surviving row.  And if the row of the duplicate still exists, it needs a
 * history of its own.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "attachment/key.h"
#include "attachment/key_sql.h"
#include "catalog/as_role.h"
#include "history/history.h"
#include "maintain/merge.h"
#include "maintain/owned.h"
#include "record/commit.h"
#include "record/flush.h"
#include "record/recompute.h"
#include "record/writer.h"

PG_FUNCTION_INFO_V1(align_merge_leads);

/*
 * Sets types and values of the parameters of a query: the key of the duplicate
 * from $1 on, then that of the surviving lead.
 */
static void
SetKeyParameters(const Attachment *attachment, const MergedLead *from, const MergedLead *into,
				 Oid *types, Datum *values)
{
	int			nkeys = attachment->nkeys;

	align_key_types(attachment, types);
	align_key_types(attachment, types + nkeys);
	memcpy(values, from->key, nkeys * sizeof(Datum));
	memcpy(values + nkeys, into->key, nkeys * sizeof(Datum));
}

/*
 * Locks the rows of both leads, as far as they exist, and sets in_table.  They
 * are locked in the order of their keys, so that two sessions that merge the
 * same leads cannot deadlock.
 */
static void
LockTableRows(Attachment *attachment, MergedLead *from, MergedLead *into)
{
	int			nkeys = attachment->nkeys;
	Oid			types[2 * ATTACHMENT_MAX_KEYS];
	Datum		values[2 * ATTACHMENT_MAX_KEYS];
	StringInfoData query;

	SetKeyParameters(attachment, from, into, types, values);

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	align_append_key(&query, attachment, TABLE_ITSELF);
	appendStringInfo(&query, " FROM %s AS h WHERE ", attachment->root_name);
	align_append_key_condition(&query, attachment, TABLE_ITSELF, 1);
	appendStringInfoString(&query, " OR ");
	align_append_key_condition(&query, attachment, TABLE_ITSELF, 1 + nkeys);
	appendStringInfoString(&query, " ORDER BY ");
	align_append_key(&query, attachment, TABLE_ITSELF);
	appendStringInfoString(&query, " FOR UPDATE OF h");
	align_execute_as_owner(attachment, query.data, 2 * nkeys, types, values, NULL);

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		key[ATTACHMENT_MAX_KEYS];

		align_key_from_result(attachment, TABLE_ITSELF, SPI_tuptable->vals[i],
							  SPI_tuptable->tupdesc, 1, key);
		if (align_same_key(attachment, key, from->key))
			from->in_table = true;
		else
			into->in_table = true;
	}
}

/*
 * Sets has_entries and the fields of the last entry.
 */
static void
ReadLastEntry(Attachment *attachment, MergedLead *lead)
{
	StringInfoData query;
	HeapTuple	row;
	TupleDesc	desc;
	bool		isnull;

	initStringInfo(&query);
	appendStringInfo(&query,
					 "SELECT h.entry_no, h.recorded_at, CASE WHEN " HISTORY_IS_LIVE("h") " THEN h.stage END,"
					 " h.team, h.assignee, pg_catalog.bool_or("
					 "h.event OPERATOR(pg_catalog.=) ANY ('{opening,entry,move,override}'::pg_catalog.text[])) OVER ()"
					 " FROM %s AS h WHERE ",
					 attachment->history_name);
	align_append_key_condition(&query, attachment, TABLE_HISTORY, 1);
	appendStringInfoString(&query, " ORDER BY h.entry_no DESC LIMIT 1");
	align_read_latest_as_owner(attachment, query.data, lead->key);

	lead->has_entries = SPI_processed > 0;
	if (!lead->has_entries)
		return;
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	lead->last_entry_no = DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull));
	lead->last_recorded_at = DatumGetTimestampTz(SPI_getbinval(row, desc, 2, &isnull));
	lead->stage = SPI_getvalue(row, desc, 3);
	lead->team = SPI_getvalue(row, desc, 4);
	lead->assignee = SPI_getvalue(row, desc, 5);
	lead->has_stage_entry = DatumGetBool(SPI_getbinval(row, desc, 6, &isnull));
}

/*
 * Raises an error if the snapshot of a REPEATABLE READ or SERIALIZABLE
 * transaction is too old to show the last entry of a lead.  After most
 * changes, locking the row of the table has failed already; but merges do not
 * change that row.
 */
static void
CheckLastEntryVisible(Attachment *attachment, MergedLead *lead)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	StringInfoData query;
	Datum		last;
	bool		isnull;

	if (!IsolationUsesXactSnapshot() || !lead->has_entries)
		return;
	align_key_types(attachment, types);
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT pg_catalog.max(h.entry_no) FROM %s AS h WHERE ",
					 attachment->history_name);
	align_append_key_condition(&query, attachment, TABLE_HISTORY, 1);
	align_execute_as_owner(attachment, query.data, attachment->nkeys, types, lead->key, NULL);
	last = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull || DatumGetInt32(last) != lead->last_entry_no)
		align_report_concurrent_change(lead->text);
}

static void
CheckLeads(Attachment *attachment, const MergedLead *from, const MergedLead *into)
{
	if (!into->in_table)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("lead %s does not exist", into->text),
				 errdetail("There is no row with this key in %s.", attachment->root_name)));
	if (!from->has_entries)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("lead %s has no history", from->text),
				 errdetail("There is no entry with this key in %s.", attachment->history_name)));

	/*
	 * Its entries have been moved to another lead, and it has not entered a
	 * stage since.
	 */
	if (!from->has_stage_entry)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("lead %s has already been merged", from->text),
				 errdetail("It has not entered a stage since.")));
	if (!into->has_entries || into->stage == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("lead %s is not in the funnel", into->text),
				 errdetail("Leads can be merged only into a lead that is in a stage."),
				 errhint("Set its stage first.")));
}

/*
 * Moves the entries of the duplicate to the surviving lead, and returns their
 * number.  The first gets recorded_at, each other one a microsecond later than
 * the one before.
 */
static int64
MoveEntries(Attachment *attachment, const MergedLead *from, const MergedLead *into,
			TimestampTz recorded_at)
{
	int			nkeys = attachment->nkeys;
	Oid			types[2 * ATTACHMENT_MAX_KEYS + 3];
	Datum		values[2 * ATTACHMENT_MAX_KEYS + 3];
	StringInfoData command;

	SetKeyParameters(attachment, from, into, types, values);
	types[2 * nkeys] = INT4OID;
	values[2 * nkeys] = Int32GetDatum(into->last_entry_no);
	types[2 * nkeys + 1] = TIMESTAMPTZOID;
	values[2 * nkeys + 1] = TimestampTzGetDatum(recorded_at);
	types[2 * nkeys + 2] = TEXTOID;
	values[2 * nkeys + 2] = CStringGetTextDatum(psprintf(SOURCE_MERGED " %s", from->stored_text));

	/* row_number() leaves no gaps, even if the first entries were dropped */
	initStringInfo(&command);
	appendStringInfo(&command, "UPDATE %s AS h SET ", attachment->history_name);
	align_append_key_assignment(&command, attachment, TABLE_HISTORY, 1 + nkeys);
	appendStringInfo(&command,
					 ", entry_no = ($%d OPERATOR(pg_catalog.+) m.place)::pg_catalog.int4"
					 ", recorded_at = $%d OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => (m.place OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.*) 0.000001)"
					 ", source = pg_catalog.concat_ws(', ', $%d, h.source)"
					 " FROM (SELECT h.entry_no, pg_catalog.row_number() OVER (ORDER BY h.entry_no) FROM %s AS h WHERE ",
					 2 * nkeys + 1, 2 * nkeys + 2, 2 * nkeys + 3, attachment->history_name);
	align_append_key_condition(&command, attachment, TABLE_HISTORY, 1);
	appendStringInfoString(&command, ") AS m (entry_no, place) WHERE ");
	align_append_key_condition(&command, attachment, TABLE_HISTORY, 1);
	appendStringInfoString(&command, " AND h.entry_no OPERATOR(pg_catalog.=) m.entry_no");
	align_execute_as_owner(attachment, command.data, 2 * nkeys + 3, types, values, NULL);
	return SPI_processed;
}

/*
 * Moves the clocks of the duplicate to the surviving lead, and returns their
 * number.  They get negative cycle numbers, which are not in use, until all
 * clocks are recomputed, which carries over what was announced.
 */
static uint64
MoveClocks(Attachment *attachment, const MergedLead *from, const MergedLead *into)
{
	int			nkeys = attachment->nkeys;
	Oid			types[2 * ATTACHMENT_MAX_KEYS];
	Datum		values[2 * ATTACHMENT_MAX_KEYS];
	StringInfoData command;

	SetKeyParameters(attachment, from, into, types, values);

	initStringInfo(&command);
	appendStringInfo(&command, "UPDATE %s AS h SET ", attachment->sla_name);
	align_append_key_assignment(&command, attachment, TABLE_SLA, 1 + nkeys);
	appendStringInfoString(&command, ", cycle = OPERATOR(pg_catalog.-) h.cycle WHERE ");
	align_append_key_condition(&command, attachment, TABLE_SLA, 1);
	align_execute_as_owner(attachment, command.data, 2 * nkeys, types, values, NULL);
	return SPI_processed;
}

/*
 * Raises an error if history or clock table still have rows of the duplicate:
 * the snapshot of the transaction is too old to show them, or a trigger of the
 * owner suppressed their update.
 */
static void
CheckMoved(Attachment *attachment, MergedLead *from, AttachedTable table, uint64 nmoved)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT FROM %s AS h WHERE ", align_table_name(attachment, table));
	align_append_key_condition(&query, attachment, table, 1);
	align_read_latest_as_owner(attachment, query.data, from->key);
	if (SPI_processed > 0 && IsolationUsesXactSnapshot())
		align_report_concurrent_change(from->text);
	align_check_written(attachment, nmoved, nmoved + SPI_processed);
}

/*
 * Merges one lead into another, and returns the number of entries moved.
 */
static int64
Merge(Attachment *attachment, MergedLead *from, MergedLead *into)
{
	TimestampTz recorded_at;
	int64		nmoved;

	LockTableRows(attachment, from, into);
	ReadLastEntry(attachment, from);
	ReadLastEntry(attachment, into);
	CheckLeads(attachment, from, into);
	CheckLastEntryVisible(attachment, from);
	CheckLastEntryVisible(attachment, into);

	recorded_at = Max(GetCurrentTimestamp(), into->last_recorded_at + 1);
	nmoved = MoveEntries(attachment, from, into, recorded_at);
	CheckMoved(attachment, from, TABLE_HISTORY, nmoved);
	/* without a row to lock, another session may have merged it meanwhile */
	if (nmoved == 0)
		align_report_concurrent_change(from->text);
	CheckMoved(attachment, from, TABLE_SLA, MoveClocks(attachment, from, into));
	align_write_survivor_entries(attachment, from, into, nmoved, recorded_at);
	align_write_duplicate_entry(attachment, from, into, recorded_at);
	(void) align_recompute_clocks(attachment, into->key, 1, NULL);
	return nmoved;
}

/*
 * merge_leads(relation, from_key, into_key): returns the number of entries
 * moved.
 */
Datum
align_merge_leads(PG_FUNCTION_ARGS)
{
	Attachment *attachment = align_owned_attachment(fcinfo, "align.merge_leads()");
	MergedLead	from = {0};
	MergedLead	into = {0};
	RestrictedCaller caller;
	int64		result;

	align_key_argument(fcinfo, 1, attachment, from.key);
	align_key_argument(fcinfo, 2, attachment, into.key);
	from.text = align_key_text(attachment, from.key);
	into.text = align_key_text(attachment, into.key);
	from.stored_text = align_stored_key_text(attachment, from.key);
	into.stored_text = align_stored_key_text(attachment, into.key);
	if (align_same_key(attachment, from.key, into.key))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge lead %s with itself", into.text)));

	align_recorder_flush_all();
	align_recorder_finish_reload(attachment->marker.root);
	align_begin_restricted(&caller, attachment->root_owner);
	align_spi_connect();
	result = Merge(attachment, &from, &into);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}
