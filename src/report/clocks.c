/*
 * clocks.c
 *	  clocks(): the service-level clocks that are open, as of now.
 *
 * Only the open rows of the clock table are read, through its index of those;
 * state, remaining and overrun are derived from each clock's own agreement and
 * version.
 */
#include "postgres.h"

#include "miscadmin.h"
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
 * A clock cannot be read as of an instant before what happened to it last: the
 * transaction's now() may be a little earlier than that.
 */
static TimestampTz
NotBefore(const SlaClock *clock, TimestampTz as_of)
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

	align_clock_read(lead_clock->funnel, clock, NotBefore(clock, as_of), &reading);
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
	RecordScan	scan;
	Datum		key[ATTACHMENT_MAX_KEYS];

	align_require_argument(fcinfo, 0, "relation");
	as_of = align_as_of_arg(fcinfo, 1);
	align_begin_rows(fcinfo);
	attachment = align_reading_begin(PG_GETARG_OID(0));
	if (with_key)
		align_key_argument(fcinfo, 2, attachment, key);
	caller = CurrentMemoryContext;
	context = AllocSetContextCreate(caller, "align clock", ALLOCSET_SMALL_SIZES);
	for (int i = 0; i < SLA_NCOLUMNS; i++)
		columns[i] = attachment->nkeys + 1 + i;

	align_replay_begin(&clocks, attachment->marker.agreement, caller);
	align_records_of_open_clocks(&scan, attachment, with_key ? key : NULL);
	while (align_records_next(&scan))
	{
		align_replay_load(&clocks, scan.row, scan.desc, columns);
		MemoryContextSwitchTo(context);
		PutClock(rsinfo, attachment, scan.key, &clocks.clocks[0], as_of);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
		align_replay_reset(&clocks);
	}
	align_records_end(&scan);
	align_reading_end();
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
 * clocks(relation, as_of, key): the open clocks of one lead.
 */
Datum
align_clocks_of_key(PG_FUNCTION_ARGS)
{
	return Clocks(fcinfo, true);
}
