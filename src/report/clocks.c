/*
 * clocks.c
 *	  clocks(): returns the open clocks with their state as of a given time.
 *
 * Only open clocks are read, through an index that contains no others.  The
 * state of a clock is derived from the version of the agreement under which
 * the clock was started.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "attachment/key.h"
#include "history/replay.h"
#include "report/scan.h"

PG_FUNCTION_INFO_V1(align_clocks);
PG_FUNCTION_INFO_V1(align_clocks_of_key);

typedef enum ClocksColumn
{
	CLOCKS_KEY,
	CLOCKS_SLA,
	CLOCKS_CYCLE,
	CLOCKS_TEAM,
	CLOCKS_ASSIGNEE,
	CLOCKS_STARTED_AT,
	CLOCKS_DUE_AT,
	CLOCKS_WARN_AT,
	CLOCKS_ELAPSED,
	CLOCKS_REMAINING,
	CLOCKS_OVERRUN,
	CLOCKS_STATE,
	CLOCKS_VERSION
} ClocksColumn;

#define CLOCKS_NCOLUMNS (CLOCKS_VERSION + 1)

/*
 * Returns as_of, or the time at which the clock was last started, paused or
 * resumed if that is later: align_clock_read() cannot go back before that.
 * now(), the default, may be a little earlier.
 */
static TimestampTz
ClampAsOf(const SlaClock *clock, TimestampTz as_of)
{
	return Max(as_of, clock->paused ? clock->paused_at : clock->running_since);
}

static void
PutText(Datum *values, bool *nulls, ClocksColumn column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
PutClock(ReturnSetInfo *rsinfo, const Attachment *attachment, const Datum *key,
		 const LeadClock *lead_clock, TimestampTz as_of)
{
	const SlaClock *clock = &lead_clock->clock;
	const ServiceLevel *sla = &lead_clock->funnel->service_levels[clock->sla];
	ClockReading reading;
	Datum		values[CLOCKS_NCOLUMNS];
	bool		nulls[CLOCKS_NCOLUMNS] = {false};

	align_clock_read(lead_clock->funnel, clock, ClampAsOf(clock, as_of), &reading);
	values[CLOCKS_KEY] = align_key_jsonb(attachment, key);
	PutText(values, nulls, CLOCKS_SLA, lead_clock->sla);
	values[CLOCKS_CYCLE] = Int32GetDatum(clock->cycle);
	PutText(values, nulls, CLOCKS_TEAM,
			sla->team >= 0 ? lead_clock->funnel->teams[sla->team].name : NULL);
	PutText(values, nulls, CLOCKS_ASSIGNEE, lead_clock->assignee_at_due);
	values[CLOCKS_STARTED_AT] = TimestampTzGetDatum(clock->started_at);
	values[CLOCKS_DUE_AT] = TimestampTzGetDatum(reading.due_at);
	nulls[CLOCKS_WARN_AT] = reading.warn_at == CLOCK_NO_WARNING;
	values[CLOCKS_WARN_AT] = TimestampTzGetDatum(reading.warn_at);
	values[CLOCKS_ELAPSED] = align_interval_datum(reading.elapsed);
	values[CLOCKS_REMAINING] = align_interval_datum(reading.remaining);
	values[CLOCKS_OVERRUN] = align_interval_datum(Max(-reading.remaining, 0));
	PutText(values, nulls, CLOCKS_STATE, align_clock_state_name(reading.state));
	values[CLOCKS_VERSION] = Int32GetDatum(lead_clock->version);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Common to both forms of clocks().
 */
static Datum
Clocks(FunctionCallInfo fcinfo, bool with_key)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Attachment *attachment;
	TimestampTz as_of;
	AttrNumber	columns[SLA_NCOLUMNS];
	MemoryContext caller;
	MemoryContext context;
	LeadClocks	clocks;
	TableScan	scan;
	Datum		key[ATTACHMENT_MAX_KEYS];

	align_require_argument(fcinfo, 0, "relation");
	as_of = align_as_of_arg(fcinfo, 1);
	align_begin_rows(fcinfo);
	attachment = align_begin_reading(PG_GETARG_OID(0));
	if (with_key)
		align_key_argument(fcinfo, 2, attachment, key);
	caller = CurrentMemoryContext;
	context = AllocSetContextCreate(caller, "align clock", ALLOCSET_SMALL_SIZES);
	for (int i = 0; i < SLA_NCOLUMNS; i++)
		columns[i] = attachment->nkeys + 1 + i;

	align_replay_begin(&clocks, attachment->marker.agreement, caller);
	align_table_scan_open_clocks(&scan, attachment, with_key ? key : NULL);
	while (align_table_scan_next(&scan))
	{
		align_replay_load(&clocks, scan.row, scan.desc, columns);
		MemoryContextSwitchTo(context);
		PutClock(rsinfo, attachment, scan.key, &clocks.clocks[0], as_of);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
		align_replay_reset(&clocks);
	}
	align_table_scan_end(&scan);
	align_end_reading();
	return (Datum) 0;
}

/*
 * clocks(relation, as_of): one row per open clock.
 */
Datum
align_clocks(PG_FUNCTION_ARGS)
{
	return Clocks(fcinfo, false);
}

/*
 * clocks(relation, as_of, key): one row per open clock of one lead.
 */
Datum
align_clocks_of_key(PG_FUNCTION_ARGS)
{
	return Clocks(fcinfo, true);
}
