/*
 * alerts.c
 *	  notify_handoffs() and notify_due(): send notifications.
 *
 * Both select and lock the rows that have not been announced yet, skipping
 * rows that another session has locked; send the notifications; and mark the
 * rows as announced, all in the caller's transaction.  Rows are selected by
 * one statement and marked by the next, which finds them by ctid: locked rows
 * do not move.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/itemptr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attachment/key.h"
#include "attachment/key_sql.h"
#include "catalog/as_role.h"
#include "history/history.h"
#include "history/replay.h"
#include "maintain/owned.h"
#include "record/flush.h"
#include "record/notify.h"
#include "record/writer.h"

PG_FUNCTION_INFO_V1(align_notify_handoffs);
PG_FUNCTION_INFO_V1(align_notify_due);

/* The first columns of every selected row: its location, then the key. */
#define SELECTED_LOCATION "h.tableoid, h.ctid, "
#define SELECTED_TABLEOID 1
#define SELECTED_CTID 2
#define SELECTED_KEY 3

/*
 * Rows to be marked as announced.
 */
typedef struct AnnouncedRows
{
	int			n;
	Datum	   *tables;			/* oid: history and clock table may be
								 * partitioned */
	Datum	   *ctids;			/* tid */
	Datum	   *flags;			/* boolean, for the caller's use */
} AnnouncedRows;

static void
InitAnnounced(AnnouncedRows *announced, uint64 capacity)
{
	Size		size = mul_size(Max(capacity, 1), sizeof(Datum));

	announced->n = 0;
	announced->tables = MemoryContextAllocHuge(CurrentMemoryContext, size);
	announced->ctids = MemoryContextAllocHuge(CurrentMemoryContext, size);
	announced->flags = MemoryContextAllocHuge(CurrentMemoryContext, size);
}

static void
AddAnnounced(AnnouncedRows *announced, HeapTuple row, TupleDesc desc, bool flag)
{
	bool		isnull;

	announced->tables[announced->n] = SPI_getbinval(row, desc, SELECTED_TABLEOID, &isnull);
	announced->ctids[announced->n] = SPI_getbinval(row, desc, SELECTED_CTID, &isnull);
	announced->flags[announced->n] = BoolGetDatum(flag);
	announced->n++;
}

/*
 * Updates the rows of a history or clock table that were announced.  In the
 * assignments, $1 is the time given by now, and m.flag the flag of the row.
 */
static void
MarkAnnounced(Attachment *attachment, const char *table, const char *assignments,
			  const AnnouncedRows *announced, TimestampTz now)
{
	Oid			types[] = {TIMESTAMPTZOID, OIDARRAYOID, TIDARRAYOID, BOOLARRAYOID};
	Datum		values[4];
	char	   *command;

	if (announced->n == 0)
		return;
	values[0] = TimestampTzGetDatum(now);
	values[1] = PointerGetDatum(construct_array(announced->tables, announced->n, OIDOID,
												sizeof(Oid), true, TYPALIGN_INT));
	values[2] = PointerGetDatum(construct_array(announced->ctids, announced->n, TIDOID,
												sizeof(ItemPointerData), false, TYPALIGN_SHORT));
	values[3] = PointerGetDatum(construct_array(announced->flags, announced->n, BOOLOID,
												sizeof(bool), true, TYPALIGN_CHAR));
	command = psprintf("UPDATE %s AS h SET %s"
					   " FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4))"
					   " AS m (relid, row, flag)"
					   " WHERE h.tableoid OPERATOR(pg_catalog.=) m.relid"
					   " AND h.ctid OPERATOR(pg_catalog.=) m.row",
					   table, assignments);
	align_execute_as_owner(attachment, command, lengthof(types), types, values, NULL);
	align_check_written(attachment, SPI_processed, announced->n);
}

/*
 * Returns a handoff of an agreement by name; NULL if the funnel is NULL or
 * does not have it.
 */
static const ServiceLevel *
FindHandoff(const Funnel *funnel, const char *name)
{
	for (int i = 0; funnel != NULL && i < funnel->nservice_levels; i++)
	{
		const ServiceLevel *level = &funnel->service_levels[i];

		if (level->is_handoff && strcmp(level->name, name) == 0)
			return level;
	}
	return NULL;
}

/*
 * Sends the notification for one entry: after the key, row has the columns
 * entry_no, handoff, agreement and version.
 */
static void
AnnounceHandoff(Attachment *attachment, HeapTuple row, TupleDesc desc)
{
	int			column = SELECTED_KEY + attachment->nkeys;
	Datum		key[ATTACHMENT_MAX_KEYS];
	bool		isnull;
	int32		entry_no = DatumGetInt32(SPI_getbinval(row, desc, column, &isnull));
	char	   *handoff = SPI_getvalue(row, desc, column + 1);
	char	   *agreement = SPI_getvalue(row, desc, column + 2);
	int32		version = DatumGetInt32(SPI_getbinval(row, desc, column + 3, &isnull));
	Funnel	   *funnel = NULL;
	const ServiceLevel *level;

	align_key_from_result(attachment, TABLE_HISTORY, row, desc, SELECTED_KEY, key);
	/* the teams are those of the version that judged the entry */
	if (agreement != NULL && !isnull)
		funnel = align_agreement_funnel(agreement, version);
	level = FindHandoff(funnel, handoff);
	align_notify_handoff(attachment, key, entry_no, handoff,
						 level != NULL ? funnel->teams[level->from_team].name : NULL,
						 level != NULL ? funnel->teams[level->team].name : NULL);
}

static int64
NotifyHandoffs(Attachment *attachment)
{
	StringInfoData query;
	SPITupleTable *selected;
	uint64		nselected;
	AnnouncedRows announced;
	MemoryContext row_context;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT " SELECTED_LOCATION);
	align_append_key(&query, attachment, TABLE_HISTORY);
	appendStringInfo(&query, ", h.entry_no, h.handoff, h.agreement, h.version FROM %s AS h"
					 " WHERE h.handoff IS NOT NULL AND h.notified_at IS NULL"
					 " ORDER BY h.recorded_at, h.entry_no FOR UPDATE OF h SKIP LOCKED",
					 attachment->history_name);
	align_execute_as_owner(attachment, query.data, 0, NULL, NULL, NULL);
	selected = SPI_tuptable;
	nselected = SPI_processed;

	InitAnnounced(&announced, nselected);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "align notification",
										ALLOCSET_DEFAULT_SIZES);
	for (uint64 i = 0; i < nselected; i++)
	{
		MemoryContext old_context;

		CHECK_FOR_INTERRUPTS();
		AddAnnounced(&announced, selected->vals[i], selected->tupdesc, true);
		old_context = MemoryContextSwitchTo(row_context);
		AnnounceHandoff(attachment, selected->vals[i], selected->tupdesc);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(row_context);
	}
	MarkAnnounced(attachment, attachment->history_name, "notified_at = $1", &announced,
				  GetCurrentTimestamp());
	return announced.n;
}

/*
 * Sends the notification for one open clock, if it is at risk or overdue and
 * that has not been announced.  Returns the state that was announced, or
 * CLOCK_RUNNING if none was.
 */
static ClockState
AnnounceClock(Attachment *attachment, LeadClocks *clocks, const AttrNumber columns[SLA_NCOLUMNS],
			  HeapTuple row, TupleDesc desc, TimestampTz now)
{
	const LeadClock *clock;
	ClockReading reading;
	Datum		key[ATTACHMENT_MAX_KEYS];

	align_replay_reset(clocks);
	align_replay_load(clocks, row, desc, columns);
	clock = &clocks->clocks[0];
	align_clock_read(clock->funnel, &clock->clock, now, &reading);
	if (!(reading.state == CLOCK_OVERDUE && !clock->due_notified) &&
		!(reading.state == CLOCK_AT_RISK && !clock->warn_notified))
		return CLOCK_RUNNING;

	align_key_from_result(attachment, TABLE_SLA, row, desc, SELECTED_KEY, key);
	align_notify_clock(attachment, key, clock->sla, clock->clock.cycle,
					   align_clock_state_name(reading.state), reading.due_at);
	return reading.state;
}

/*
 * Appends the query for the open clocks whose next notification is due by the
 * columns warn_at and due_at.  Some of them may be paused, which
 * align_clock_read() takes into account.
 */
static void
AppendDueQuery(StringInfo query, const Attachment *attachment)
{
	appendStringInfoString(query, "SELECT " SELECTED_LOCATION);
	align_append_key(query, attachment, TABLE_SLA);
	for (int i = 0; i < SLA_NCOLUMNS; i++)
		appendStringInfo(query, ", h.%s", align_sla_columns[i].name);
	appendStringInfo(query, " FROM %s AS h"
					 " WHERE h.outcome IS NULL AND h.due_notified_at IS NULL"
					 " AND CASE WHEN h.warn_notified_at IS NULL THEN coalesce(h.warn_at, h.due_at) ELSE h.due_at END"
					 " OPERATOR(pg_catalog.<=) $1"
					 " ORDER BY h.due_at, h.started_at, h.sla FOR UPDATE OF h SKIP LOCKED",
					 attachment->sla_name);
}

static int64
NotifyDue(Attachment *attachment)
{
	Oid			types[] = {TIMESTAMPTZOID};
	TimestampTz now = GetCurrentTimestamp();
	Datum		values[] = {TimestampTzGetDatum(now)};
	AttrNumber	columns[SLA_NCOLUMNS];
	StringInfoData query;
	SPITupleTable *selected;
	uint64		nselected;
	AnnouncedRows announced;
	LeadClocks	clocks;
	MemoryContext row_context;

	initStringInfo(&query);
	AppendDueQuery(&query, attachment);
	align_execute_as_owner(attachment, query.data, lengthof(types), types, values, NULL);
	selected = SPI_tuptable;
	nselected = SPI_processed;

	for (int i = 0; i < SLA_NCOLUMNS; i++)
		columns[i] = SELECTED_KEY + attachment->nkeys + i;
	InitAnnounced(&announced, nselected);
	align_replay_begin(&clocks, attachment->marker.agreement, CurrentMemoryContext);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "align notification",
										ALLOCSET_DEFAULT_SIZES);
	for (uint64 i = 0; i < nselected; i++)
	{
		HeapTuple	row = selected->vals[i];
		MemoryContext old_context = MemoryContextSwitchTo(row_context);
		ClockState	state;

		CHECK_FOR_INTERRUPTS();
		state = AnnounceClock(attachment, &clocks, columns, row, selected->tupdesc, now);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(row_context);
		if (state != CLOCK_RUNNING)
			AddAnnounced(&announced, row, selected->tupdesc, state == CLOCK_OVERDUE);
	}

	/* flag: overdue, which makes a later at_risk notification pointless */
	MarkAnnounced(attachment, attachment->sla_name,
				  "warn_notified_at = coalesce(h.warn_notified_at, $1),"
				  " due_notified_at = CASE WHEN m.flag THEN $1 ELSE h.due_notified_at END",
				  &announced, now);
	return announced.n;
}

/*
 * Common to both functions: runs notify as a security-restricted operation and
 * returns the number of notifications.
 */
static Datum
Notify(FunctionCallInfo fcinfo, const char *function, int64 (*notify) (Attachment *))
{
	Attachment *attachment = align_owned_attachment(fcinfo, function);
	RestrictedCaller caller;
	int64		result;

	align_recorder_flush_all();
	align_begin_restricted(&caller, attachment->root_owner);
	align_spi_connect();
	result = notify(attachment);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}

/*
 * notify_handoffs(relation)
 */
Datum
align_notify_handoffs(PG_FUNCTION_ARGS)
{
	return Notify(fcinfo, "align.notify_handoffs()", NotifyHandoffs);
}

/*
 * notify_due(relation)
 */
Datum
align_notify_due(PG_FUNCTION_ARGS)
{
	return Notify(fcinfo, "align.notify_due()", NotifyDue);
}
