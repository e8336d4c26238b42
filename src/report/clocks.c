/*
 * clocks.c
 *	  clocks(): returns the open clocks with their state as of a given time.
 *
 * For the present, only open clocks are read, through an index that contains
 * no others.  For a time in the past, clocks that were closed since are read,
 * too, and each is set back to that time.  The state of a clock is derived
 * from the version of the agreement under which the clock was started.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "attachment/key.h"
#include "history/replay.h"
#include "report/scan.h"
#include "time_text.h"

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
 * State of one call of clocks().
 */
typedef struct ClocksCall
{
	ReturnSetInfo *rsinfo;
	const Attachment *attachment;
	TimestampTz as_of;
	bool		past;			/* as_of is before the current transaction */
	AttrNumber	columns[SLA_NCOLUMNS];
	LeadClocks	clocks;			/* the current clock */
} ClocksCall;

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

/*
 * Raises the error for a clock that cannot be set back, which the rules of
 * time zones that were changed since may cause.
 */
static void
ReportFailure(const ClockFailure *failure)
{
	ereport(ERROR,
			(errcode(align_clock_problem_sqlstate(failure->problem)),
			 errmsg("service level \"%s\" cannot %s at %s: %s", failure->sla,
					failure->at_start ? "start" : "resume", align_time_text(failure->at),
					align_clock_problem_text(failure->problem))));
}

/*
 * Loads the clock in the current row of a scan.
 */
static const LeadClock *
LoadClock(ClocksCall *call, const TableScan *scan)
{
	LeadClock  *clock = align_replay_load_open(&call->clocks, scan->row, scan->desc,
											   call->columns);

	if (call->past && !align_replay_set_back(&call->clocks, clock, call->as_of))
		ReportFailure(&call->clocks.failure);
	return clock;
}

/*
 * Returns the assignee that a clock counts for as of a time: who held the lead
 * then, or at the due instant if that was before.  The row of the clock has it
 * as of now.
 */
static char *
AssigneeAt(const ClocksCall *call, const Datum *key, const LeadClock *clock, ClockState state)
{
	TimestampTz at = state == CLOCK_OVERDUE ? clock->clock.due_at : call->as_of;
	char	   *result = clock->assignee_at_start;
	TableScan	scan;

	if (!call->past)
		return clock->assignee_at_due;
	if (!align_has_role(call->attachment, ROW_ASSIGNEE) && clock->assignee_at_start == NULL &&
		clock->assignee_at_due == NULL)
		return NULL;
	align_table_scan_assignee(&scan, call->attachment, clock->clock.started_at, at, key);
	if (align_table_scan_next(&scan))
		result = align_table_scan_text(&scan, 0);
	align_table_scan_end(&scan);
	return result;
}

static void
PutText(Datum *values, bool *nulls, ClocksColumn column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
PutClock(const ClocksCall *call, const Datum *key, const LeadClock *lead_clock)
{
	const SlaClock *clock = &lead_clock->clock;
	const ServiceLevel *sla = &lead_clock->funnel->service_levels[clock->sla];
	ClockReading reading;
	Datum		values[CLOCKS_NCOLUMNS];
	bool		nulls[CLOCKS_NCOLUMNS] = {false};

	align_clock_read(lead_clock->funnel, clock, ClampAsOf(clock, call->as_of), &reading);
	values[CLOCKS_KEY] = align_key_jsonb(call->attachment, key);
	PutText(values, nulls, CLOCKS_SLA, lead_clock->sla);
	values[CLOCKS_CYCLE] = Int32GetDatum(clock->cycle);
	PutText(values, nulls, CLOCKS_TEAM,
			sla->team >= 0 ? lead_clock->funnel->teams[sla->team].name : NULL);
	PutText(values, nulls, CLOCKS_ASSIGNEE, AssigneeAt(call, key, lead_clock, reading.state));
	values[CLOCKS_STARTED_AT] = TimestampTzGetDatum(clock->started_at);
	values[CLOCKS_DUE_AT] = TimestampTzGetDatum(reading.due_at);
	nulls[CLOCKS_WARN_AT] = reading.warn_at == CLOCK_NO_WARNING;
	values[CLOCKS_WARN_AT] = TimestampTzGetDatum(reading.warn_at);
	values[CLOCKS_ELAPSED] = align_interval_datum(reading.elapsed);
	values[CLOCKS_REMAINING] = align_interval_datum(reading.remaining);
	values[CLOCKS_OVERRUN] = align_interval_datum(Max(-reading.remaining, 0));
	PutText(values, nulls, CLOCKS_STATE, align_clock_state_name(reading.state));
	values[CLOCKS_VERSION] = Int32GetDatum(lead_clock->version);
	tuplestore_putvalues(call->rsinfo->setResult, call->rsinfo->setDesc, values, nulls);
}

/*
 * Common to both forms of clocks().
 *
 * now(), the default of as_of, is the start of the transaction, and what the
 * transaction itself has done since counts.  A clock that starts later than
 * as_of and the present is left out.
 */
static Datum
Clocks(FunctionCallInfo fcinfo, bool with_key)
{
	ClocksCall	call = {0};
	TimestampTz latest_start;
	MemoryContext caller;
	MemoryContext context;
	TableScan	scan;
	Datum		key[ATTACHMENT_MAX_KEYS];

	align_require_argument(fcinfo, 0, "relation");
	call.as_of = align_as_of_arg(fcinfo, 1);
	call.past = call.as_of < GetCurrentTransactionStartTimestamp();
	latest_start = call.past ? call.as_of : Max(call.as_of, GetCurrentTimestamp());
	align_begin_rows(fcinfo);
	call.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	call.attachment = align_begin_reading(PG_GETARG_OID(0));
	if (with_key)
		align_key_argument(fcinfo, 2, call.attachment, key);
	caller = CurrentMemoryContext;
	context = AllocSetContextCreate(caller, "align clock", ALLOCSET_SMALL_SIZES);
	for (int i = 0; i < SLA_NCOLUMNS; i++)
		call.columns[i] = call.attachment->nkeys + 1 + i;

	align_replay_begin(&call.clocks, call.attachment->marker.agreement, caller);
	if (call.past)
		align_table_scan_clocks_at(&scan, call.attachment, call.as_of, with_key ? key : NULL);
	else
		align_table_scan_open_clocks(&scan, call.attachment, with_key ? key : NULL);
	while (align_table_scan_next(&scan))
	{
		const LeadClock *clock = LoadClock(&call, &scan);

		MemoryContextSwitchTo(context);
		if (clock->clock.started_at <= latest_start)
			PutClock(&call, scan.key, clock);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
		align_replay_reset(&call.clocks);
	}
	align_table_scan_end(&scan);
	align_end_reading();
	return (Datum) 0;
}

/*
 * clocks(relation, as_of): one row per clock that was open.
 */
Datum
align_clocks(PG_FUNCTION_ARGS)
{
	return Clocks(fcinfo, false);
}

/*
 * clocks(relation, as_of, key): the same for one lead.
 */
Datum
align_clocks_of_key(PG_FUNCTION_ARGS)
{
	return Clocks(fcinfo, true);
}
