/*
 * alerts.c
 *	  notify_handoffs(), notify_due(): what a scheduler calls.
 *
 * Both pick rows of the outbox and lock them, leaving out those that another
 * scheduler holds; announce what is due; and mark that, all in the caller's
 * transaction.  Rows are picked by one statement and marked by the next, by
 * where they lie: locked by us, they stay there.
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

/* What every picked row begins with: where it lies, then the key. */
#define PICKED_PLACE "h.tableoid, h.ctid, "
#define PICKED_PART 1
#define PICKED_CTID 2
#define PICKED_KEY 3

/*
 * Rows that are to be marked.
 */
typedef struct Marks
{
	int			n;
	Datum	   *parts;			/* oid: history and clocks may be partitioned */
	Datum	   *places;			/* tid */
	Datum	   *flags;			/* boolean */
} Marks;

static void
BeginMarks(Marks *marks, uint64 room)
{
	Size		size = mul_size(Max(room, 1), sizeof(Datum));

	marks->n = 0;
	marks->parts = MemoryContextAllocHuge(CurrentMemoryContext, size);
	marks->places = MemoryContextAllocHuge(CurrentMemoryContext, size);
	marks->flags = MemoryContextAllocHuge(CurrentMemoryContext, size);
}

static void
AddMark(Marks *marks, HeapTuple row, TupleDesc desc, bool flag)
{
	bool		isnull;

	marks->parts[marks->n] = SPI_getbinval(row, desc, PICKED_PART, &isnull);
	marks->places[marks->n] = SPI_getbinval(row, desc, PICKED_CTID, &isnull);
	marks->flags[marks->n] = BoolGetDatum(flag);
	marks->n++;
}

/*
 * Execute what sets the columns of the marked rows; now is $1, and the rows are
 * m (part, place, flag).
 */
static void
SetMarks(Attachment *attachment, const char *table, const char *assignments, const Marks *marks,
		 TimestampTz now)
{
	Oid			types[] = {TIMESTAMPTZOID, OIDARRAYOID, TIDARRAYOID, BOOLARRAYOID};
	Datum		values[4];
	char	   *command;

	if (marks->n == 0)
		return;
	values[0] = TimestampTzGetDatum(now);
	values[1] = PointerGetDatum(construct_array(marks->parts, marks->n, OIDOID, sizeof(Oid), true,
												TYPALIGN_INT));
	values[2] = PointerGetDatum(construct_array(marks->places, marks->n, TIDOID,
												sizeof(ItemPointerData), false, TYPALIGN_SHORT));
	values[3] = PointerGetDatum(construct_array(marks->flags, marks->n, BOOLOID, sizeof(bool), true,
												TYPALIGN_CHAR));
	command = psprintf("UPDATE %s AS h SET %s"
					   " FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4))"
					   " AS m (part, place, flag)"
					   " WHERE h.tableoid OPERATOR(pg_catalog.=) m.part"
					   " AND h.ctid OPERATOR(pg_catalog.=) m.place",
					   table, assignments);
	align_execute_as_owner(attachment, command, lengthof(types), types, values, NULL);
	align_check_written(attachment, SPI_processed, marks->n);
}

static void
PickedKey(const Attachment *attachment, HeapTuple row, TupleDesc desc, Datum *key)
{
	bool		isnull;

	for (int i = 0; i < attachment->nkeys; i++)
	{
		key[i] = SPI_getbinval(row, desc, PICKED_KEY + i, &isnull);
		if (isnull)
			elog(ERROR, "null key in %s", attachment->history_name);
	}
}

/*
 * A handoff of an agreement, NULL if its version does not have it (any more).
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
 * Announce one entry of the history: key, entry_no, handoff, agreement, version.
 */
static void
AnnounceHandoff(Attachment *attachment, HeapTuple row, TupleDesc desc)
{
	int			column = PICKED_KEY + attachment->nkeys;
	Datum		key[ATTACHMENT_MAX_KEYS];
	bool		isnull;
	int32		entry_no = DatumGetInt32(SPI_getbinval(row, desc, column, &isnull));
	char	   *handoff = SPI_getvalue(row, desc, column + 1);
	char	   *agreement = SPI_getvalue(row, desc, column + 2);
	int32		version = DatumGetInt32(SPI_getbinval(row, desc, column + 3, &isnull));
	Funnel	   *funnel = NULL;
	const ServiceLevel *level;

	PickedKey(attachment, row, desc, key);
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
	SPITupleTable *picked;
	uint64		npicked;
	Marks		marks;
	MemoryContext row_context;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT " PICKED_PLACE);
	align_append_key(&query, attachment, TABLE_HISTORY);
	appendStringInfo(&query, ", h.entry_no, h.handoff, h.agreement, h.version FROM %s AS h"
					 " WHERE h.handoff IS NOT NULL AND h.notified_at IS NULL"
					 " ORDER BY h.recorded_at, h.entry_no FOR UPDATE OF h SKIP LOCKED",
					 attachment->history_name);
	align_execute_as_owner(attachment, query.data, 0, NULL, NULL, NULL);
	picked = SPI_tuptable;
	npicked = SPI_processed;

	BeginMarks(&marks, npicked);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "align notification",
										ALLOCSET_DEFAULT_SIZES);
	for (uint64 i = 0; i < npicked; i++)
	{
		MemoryContext old_context;

		CHECK_FOR_INTERRUPTS();
		AddMark(&marks, picked->vals[i], picked->tupdesc, true);
		old_context = MemoryContextSwitchTo(row_context);
		AnnounceHandoff(attachment, picked->vals[i], picked->tupdesc);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(row_context);
	}
	SetMarks(attachment, attachment->history_name, "notified_at = $1", &marks,
			 GetCurrentTimestamp());
	return marks.n;
}

/*
 * One open clock that may have something to announce: its state, CLOCK_RUNNING
 * if it has not.
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

	PickedKey(attachment, row, desc, key);
	align_notify_clock(attachment, key, clock->sla, clock->clock.cycle,
					   align_clock_state_name(reading.state), reading.due_at);
	return reading.state;
}

/*
 * Candidates are the open clocks whose next announcement has come as far as the
 * table tells.  That a pause holds one back is for align_clock_read() to say.
 */
static void
AppendDueQuery(StringInfo query, const Attachment *attachment)
{
	appendStringInfoString(query, "SELECT " PICKED_PLACE);
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
	SPITupleTable *picked;
	uint64		npicked;
	Marks		marks;
	LeadClocks	clocks;
	MemoryContext row_context;

	initStringInfo(&query);
	AppendDueQuery(&query, attachment);
	align_execute_as_owner(attachment, query.data, lengthof(types), types, values, NULL);
	picked = SPI_tuptable;
	npicked = SPI_processed;

	for (int i = 0; i < SLA_NCOLUMNS; i++)
		columns[i] = PICKED_KEY + attachment->nkeys + i;
	BeginMarks(&marks, npicked);
	align_replay_begin(&clocks, attachment->marker.agreement, CurrentMemoryContext);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "align notification",
										ALLOCSET_DEFAULT_SIZES);
	for (uint64 i = 0; i < npicked; i++)
	{
		HeapTuple	row = picked->vals[i];
		MemoryContext old_context = MemoryContextSwitchTo(row_context);
		ClockState	state;

		CHECK_FOR_INTERRUPTS();
		state = AnnounceClock(attachment, &clocks, columns, row, picked->tupdesc, now);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(row_context);
		if (state != CLOCK_RUNNING)
			AddMark(&marks, row, picked->tupdesc, state == CLOCK_OVERDUE);
	}

	/* whoever is told that it is overdue need not be told that it was at risk */
	SetMarks(attachment, attachment->sla_name,
			 "warn_notified_at = coalesce(h.warn_notified_at, $1),"
			 " due_notified_at = CASE WHEN m.flag THEN $1 ELSE h.due_notified_at END",
			 &marks, now);
	return marks.n;
}

static Datum
Notify(FunctionCallInfo fcinfo, const char *function, int64 (*notify) (Attachment *))
{
	Attachment *attachment = align_owned_attachment(fcinfo, function);
	RestrictedCaller caller;
	int64		result;

	align_recorder_flush_all();
	align_begin_restricted(&caller);
	align_spi_connect();
	result = notify(attachment);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}

Datum
align_notify_handoffs(PG_FUNCTION_ARGS)
{
	return Notify(fcinfo, "align.notify_handoffs()", NotifyHandoffs);
}

Datum
align_notify_due(PG_FUNCTION_ARGS)
{
	return Notify(fcinfo, "align.notify_due()", NotifyDue);
}
