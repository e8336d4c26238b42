/*
 * merge.c
 *	  merge_leads(): the journey of a duplicate joins that of the lead that stays.
 *
 * Entries change their key and get numbers after those of the lead that stays,
 * and with the numbers the times of recording, which follow them; when they
 * happened stays.  source tells where they came from.  The clocks of both leads
 * are made anew from the joined journey.  The rows of the table are the
 * application's business, and are only locked.
 *
 * Two entries more may be needed for the record to agree with the table: the
 * joined journey may end, by when things happened, elsewhere than the row stands
 * (the duplicate was moved last), and if the duplicate is still in the table it
 * begins a record of its own.
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
#include "record/flush.h"
#include "record/recompute.h"
#include "record/writer.h"

PG_FUNCTION_INFO_V1(align_merge_leads);

/*
 * The keys as parameters: that of the duplicate from $1 on, then the other.
 */
static void
BothKeys(const Attachment *attachment, const MergedLead *from, const MergedLead *into, Oid *types,
		 Datum *values)
{
	int			nkeys = attachment->nkeys;

	align_key_types(attachment, types);
	align_key_types(attachment, types + nkeys);
	memcpy(values, from->key, nkeys * sizeof(Datum));
	memcpy(values + nkeys, into->key, nkeys * sizeof(Datum));
}

/*
 * Both rows, as far as they are there, in the order of their keys, so that two
 * that merge the same leads do not wait for each other.
 */
static void
LockTableRows(Attachment *attachment, MergedLead *from, MergedLead *into)
{
	int			nkeys = attachment->nkeys;
	Oid			types[2 * ATTACHMENT_MAX_KEYS];
	Datum		values[2 * ATTACHMENT_MAX_KEYS];
	StringInfoData query;

	BothKeys(attachment, from, into, types, values);

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
		bool		isnull;

		for (int j = 0; j < nkeys; j++)
			key[j] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, j + 1, &isnull);
		if (align_same_key(attachment, key, from->key))
			from->in_table = true;
		else
			into->in_table = true;
	}
}

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
	align_read_as_owner(attachment, query.data, lead->key);

	lead->recorded = SPI_processed > 0;
	if (!lead->recorded)
		return;
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	lead->entry_no = DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull));
	lead->recorded_at = DatumGetTimestampTz(SPI_getbinval(row, desc, 2, &isnull));
	lead->stage = SPI_getvalue(row, desc, 3);
	lead->team = SPI_getvalue(row, desc, 4);
	lead->assignee = SPI_getvalue(row, desc, 5);
	lead->has_journey = DatumGetBool(SPI_getbinval(row, desc, 6, &isnull));
}

/*
 * A transaction that keeps to an older snapshot cannot change what it does not
 * see.  The rows that we have locked tell of most changes, but not of merges.
 */
static void
CheckLastEntrySeen(Attachment *attachment, MergedLead *lead)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	StringInfoData query;
	Datum		last;
	bool		isnull;

	if (!IsolationUsesXactSnapshot() || !lead->recorded)
		return;
	align_key_types(attachment, types);
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT pg_catalog.max(h.entry_no) FROM %s AS h WHERE ",
					 attachment->history_name);
	align_append_key_condition(&query, attachment, TABLE_HISTORY, 1);
	align_execute_as_owner(attachment, query.data, attachment->nkeys, types, lead->key, NULL);
	last = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull || DatumGetInt32(last) != lead->entry_no)
		align_lead_changed(lead->text);
}

static void
CheckLeads(Attachment *attachment, const MergedLead *from, const MergedLead *into)
{
	if (!into->in_table)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("lead %s does not exist", into->text),
				 errdetail("There is no such row in %s.", attachment->root_name)));
	if (!from->recorded)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("nothing is recorded of lead %s", from->text),
				 errdetail("There is no such key in %s.", attachment->history_name)));

	/*
	 * all of its entries went to another lead, and it has entered no stage
	 * since
	 */
	if (!from->has_journey)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("lead %s has been merged already", from->text),
				 errdetail("It has no journey of its own that could be joined to another.")));
	if (!into->recorded || into->stage == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("lead %s is not in the funnel", into->text),
				 errdetail("A journey can only be joined to one that is under way."),
				 errhint("Put it into a stage first.")));
}

/*
 * The entries of a lead become those of the other, from recorded_at on, each a
 * microsecond after the one before.
 */
static int64
MoveEntries(Attachment *attachment, const MergedLead *from, const MergedLead *into,
			TimestampTz recorded_at)
{
	int			nkeys = attachment->nkeys;
	Oid			types[2 * ATTACHMENT_MAX_KEYS + 3];
	Datum		values[2 * ATTACHMENT_MAX_KEYS + 3];
	StringInfoData command;

	BothKeys(attachment, from, into, types, values);
	types[2 * nkeys] = INT4OID;
	values[2 * nkeys] = Int32GetDatum(into->entry_no);
	types[2 * nkeys + 1] = TIMESTAMPTZOID;
	values[2 * nkeys + 1] = TimestampTzGetDatum(recorded_at);
	types[2 * nkeys + 2] = TEXTOID;
	values[2 * nkeys + 2] = CStringGetTextDatum(psprintf(SOURCE_MERGED " %s", from->stored_text));

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
 * The clocks of the duplicate go to the other lead too, under numbers that no
 * cycle has, for as long as it takes to make all clocks anew: what was announced
 * of one then need not be announced again.
 */
static uint64
MoveClocks(Attachment *attachment, const MergedLead *from, const MergedLead *into)
{
	int			nkeys = attachment->nkeys;
	Oid			types[2 * ATTACHMENT_MAX_KEYS];
	Datum		values[2 * ATTACHMENT_MAX_KEYS];
	StringInfoData command;

	BothKeys(attachment, from, into, types, values);

	initStringInfo(&command);
	appendStringInfo(&command, "UPDATE %s AS h SET ", attachment->sla_name);
	align_append_key_assignment(&command, attachment, TABLE_SLA, 1 + nkeys);
	appendStringInfoString(&command, ", cycle = OPERATOR(pg_catalog.-) h.cycle WHERE ");
	align_append_key_condition(&command, attachment, TABLE_SLA, 1);
	align_execute_as_owner(attachment, command.data, 2 * nkeys, types, values, NULL);
	return SPI_processed;
}

/*
 * Raises if anything is still recorded under the key of the duplicate: an older
 * snapshot does not show it, or a trigger of the owner kept it.
 */
static void
CheckMoved(Attachment *attachment, MergedLead *from, AttachedTable table, uint64 nmoved)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT FROM %s AS h WHERE ", align_table_name(attachment, table));
	align_append_key_condition(&query, attachment, table, 1);
	align_read_as_owner(attachment, query.data, from->key);
	if (SPI_processed > 0 && IsolationUsesXactSnapshot())
		align_lead_changed(from->text);
	align_check_written(attachment, nmoved, nmoved + SPI_processed);
}

static int64
Merge(Attachment *attachment, MergedLead *from, MergedLead *into)
{
	TimestampTz recorded_at;
	int64		nmoved;

	LockTableRows(attachment, from, into);
	ReadLastEntry(attachment, from);
	ReadLastEntry(attachment, into);
	CheckLeads(attachment, from, into);
	CheckLastEntrySeen(attachment, from);
	CheckLastEntrySeen(attachment, into);

	recorded_at = Max(GetCurrentTimestamp(), into->recorded_at + 1);
	nmoved = MoveEntries(attachment, from, into, recorded_at);
	CheckMoved(attachment, from, TABLE_HISTORY, nmoved);
	/* without a row to lock, somebody else may have been first to merge it */
	if (nmoved == 0)
		align_lead_changed(from->text);
	CheckMoved(attachment, from, TABLE_SLA, MoveClocks(attachment, from, into));
	align_merge_entries_of_into(attachment, from, into, nmoved, recorded_at);
	align_merge_entry_of_from(attachment, from, into, recorded_at);
	(void) align_recompute_clocks(attachment, into->key, 1);
	return nmoved;
}

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
	align_begin_restricted(&caller);
	align_spi_connect();
	result = Merge(attachment, &from, &into);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}
