/*
 * window_funnel.c
 *	  window_funnel and window_funnel_times: how far the events of a group of
 *	  rows get along steps.
 *
 * The state is made by the first row that can matter, so a group without one
 * has none.  Aggregates of the same arguments share it: nothing but the
 * transition functions changes it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/execnodes.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "analyze/event_time.h"
#include "analyze/step_flags.h"
#include "judge/judge.h"
#include "matching/raw_groups.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_window_funnel_trans);
PG_FUNCTION_INFO_V1(align_window_funnel_combine);
PG_FUNCTION_INFO_V1(align_window_funnel_serialise);
PG_FUNCTION_INFO_V1(align_window_funnel_deserialise);
PG_FUNCTION_INFO_V1(align_window_funnel_final);
PG_FUNCTION_INFO_V1(align_window_funnel_times_final);

/*
 * The arguments of a call site as last seen, and what they mean.
 */
typedef struct FunnelSite
{
	bool		valid;
	bool		constant;		/* they are the same in all rows */
	bool		keeps_all;		/* rows that match no step matter */
	bool		hashed;			/* all groups are filled at the same time */
	RawQueue	queue;			/* if so */
	RawEventsKind kind;			/* the number of steps apart */
	bool		has_within;
	Interval	within;
	char	   *mode;			/* NULL: none */
	Size		mode_len;
} FunnelSite;

/*
 * True if an argument of the aggregate is a constant of the query.
 */
static bool
IsConstant(const Aggref *aggref, int argno)
{
	return aggref != NULL && argno < list_length(aggref->args) &&
		IsA(((TargetEntry *) list_nth(aggref->args, argno))->expr, Const);
}

static bool
SiteMatches(FunctionCallInfo fcinfo, const FunnelSite *site)
{
	if (site->constant)
		return true;
	if (!site->valid || site->has_within == PG_ARGISNULL(1) ||
		(site->has_within && memcmp(&site->within, PG_GETARG_INTERVAL_P(1), sizeof(Interval)) != 0))
		return false;
	if ((site->mode != NULL) == PG_ARGISNULL(2))
		return false;
	if (site->mode != NULL)
	{
		text	   *mode = PG_GETARG_TEXT_PP(2);

		if (site->mode_len != VARSIZE_ANY_EXHDR(mode) ||
			memcmp(site->mode, VARDATA_ANY(mode), site->mode_len) != 0)
			return false;
	}
	return true;
}

/*
 * Read (within, mode), arguments 1 and 2.
 */
static FunnelSite *
ReadSite(FunctionCallInfo fcinfo)
{
	FunnelSite *site = fcinfo->flinfo->fn_extra;
	Aggref	   *aggref = AggGetAggref(fcinfo);

	if (site == NULL)
		site = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(FunnelSite));
	site->valid = false;
	site->has_within = !PG_ARGISNULL(1);
	site->kind.window = -1;
	if (site->has_within)
	{
		site->within = *PG_GETARG_INTERVAL_P(1);
		site->kind.window = align_window_arg(&site->within);
	}
	if (site->mode != NULL)
		pfree(site->mode);
	site->mode = NULL;
	site->kind.modes = MATCH_ORDERED;
	if (!PG_ARGISNULL(2))
	{
		text	   *mode = PG_GETARG_TEXT_PP(2);

		site->kind.modes = align_match_modes(VARDATA_ANY(mode), VARSIZE_ANY_EXHDR(mode));
		site->mode_len = VARSIZE_ANY_EXHDR(mode);
		site->mode = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, site->mode_len + 1);
		memcpy(site->mode, VARDATA_ANY(mode), site->mode_len);
	}
	site->keeps_all = (site->kind.modes & MATCH_STRICT) != 0;
	site->constant = IsConstant(aggref, 0) && IsConstant(aggref, 1);
	site->hashed = IsA(fcinfo->context, AggState) &&
		((AggState *) fcinfo->context)->aggstrategy == AGG_HASHED;
	site->valid = true;
	return site;
}

/*
 * (state, within interval, mode text, at timestamptz, VARIADIC steps
 * boolean[])
 */
Datum
align_window_funnel_trans(PG_FUNCTION_ARGS)
{
	FunnelSite *site = fcinfo->flinfo->fn_extra;
	RawGroup   *group = PG_ARGISNULL(0) ? NULL : (RawGroup *) PG_GETARG_POINTER(0);
	TimestampTz at;
	uint64		steps;
	int			nsteps;

	if (unlikely(site == NULL || !SiteMatches(fcinfo, site)))
		site = ReadSite(fcinfo);
	if (unlikely(PG_ARGISNULL(4)))
		align_require_argument(fcinfo, 4, "steps");
	steps = align_step_flags(align_step_flags_arg(PG_GETARG_DATUM(4)), &nsteps);
	if (PG_ARGISNULL(3) || (steps == 0 && !site->keeps_all))
		return align_state_as_it_is(fcinfo);

	at = PG_GETARG_TIMESTAMPTZ(3);
	align_check_event_time(at);
	site->kind.nsteps = nsteps;
	if (group == NULL)
	{
		site->kind.width = align_raw_width(nsteps);
		group = align_raw_group(site->hashed ? &site->queue : NULL, &site->kind,
								align_aggregate_context(fcinfo));
		align_raw_group_add(group, &site->kind, at, steps);
	}
	else if (site->hashed)
		align_raw_enqueue(&site->queue, group, &site->kind, at, steps);
	else
		align_raw_group_add(group, &site->kind, at, steps);
	PG_RETURN_POINTER(group);
}

Datum
align_window_funnel_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	const RawEvents *other;
	RawGroup   *group;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	other = align_raw_group_events((const RawGroup *) PG_GETARG_POINTER(1));
	if (PG_ARGISNULL(0))
		group = align_raw_group(NULL, &other->kind, context);
	else
		group = (RawGroup *) PG_GETARG_POINTER(0);
	if (!align_raw_same_kind(&group->events->kind, &other->kind))
		align_raw_kinds_differ(&group->events->kind, &other->kind);
	group->events = align_raw_append(group->events, other);
	PG_RETURN_POINTER(group);
}

/*
 * A serialised state is the events as they are: they are read by another
 * process of the same server.
 */
Datum
align_window_funnel_serialise(PG_FUNCTION_ARGS)
{
	const RawEvents *raw = align_raw_group_events((const RawGroup *) PG_GETARG_POINTER(0));
	Size		size = align_raw_size(raw);
	bytea	   *result;

	(void) align_aggregate_context(fcinfo);
	align_check_state_size(VARHDRSZ + size);
	result = palloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	memcpy(VARDATA(result), raw, size);
	PG_RETURN_BYTEA_P(result);
}

Datum
align_window_funnel_deserialise(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	RawGroup   *group = palloc(sizeof(RawGroup));

	(void) align_aggregate_context(fcinfo);
	group->queue = NULL;
	group->events = palloc(VARSIZE_ANY_EXHDR(bytes));
	memcpy(group->events, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	group->events->room = group->events->nevents;
	PG_RETURN_POINTER(group);
}

/*
 * What the final functions keep from group to group.
 */
typedef struct FinalSite
{
	bool		valid;
	RawEventsKind kind;
	StepRules	rules;			/* of that kind */
	StepEvent  *events;			/* room for the events of a group */
	uint32		room;
} FinalSite;

/* Larger arrays are freed after each group. */
#define KEPT_ROOM 65536

/*
 * The events of a group in order, and the rules for them.
 */
static FinalSite *
BeginFinal(FunctionCallInfo fcinfo, const RawEvents *raw, StepEvents *events)
{
	FinalSite  *site = fcinfo->flinfo->fn_extra;

	align_raw_prefetch(raw);
	if (site == NULL)
		site = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(FinalSite));
	if (!site->valid || !align_raw_same_kind(&site->kind, &raw->kind))
	{
		site->kind = raw->kind;
		memset(&site->rules, 0, sizeof(StepRules));
		site->rules.nsteps = raw->kind.nsteps;
		site->rules.modes = raw->kind.modes;
		site->rules.within = raw->kind.window < 0 ? align_no_window() :
			align_elapsed_window(raw->kind.window);
		site->rules.sets = true;
		align_prepare_rules(&site->rules);
		site->valid = true;
	}
	if (site->room < raw->nevents)
	{
		if (site->events != NULL)
			pfree(site->events);
		site->events = NULL;
		site->room = Max(64, raw->nevents);
		site->events = MemoryContextAllocHuge(fcinfo->flinfo->fn_mcxt,
											  site->room * sizeof(StepEvent));
	}
	align_raw_read(raw, site->events);
	memset(events, 0, sizeof(StepEvents));
	events->nevents = raw->nevents;
	events->events = site->events;
	return site;
}

static void
EndFinal(FinalSite *site)
{
	if (site->room <= KEPT_ROOM)
		return;
	pfree(site->events);
	site->events = NULL;
	site->room = 0;
}

Datum
align_window_funnel_final(PG_FUNCTION_ARGS)
{
	const RawEvents *raw;
	FinalSite  *site;
	StepEvents	events;
	int			level;

	(void) align_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_INT32(0);
	raw = align_raw_group_events((const RawGroup *) PG_GETARG_POINTER(0));
	site = BeginFinal(fcinfo, raw, &events);
	level = align_match_level(&site->rules, &events);
	EndFinal(site);
	PG_RETURN_INT32(level);
}

Datum
align_window_funnel_times_final(PG_FUNCTION_ARGS)
{
	const RawEvents *raw;
	FinalSite  *site;
	StepEvents	events;
	StepMatch	match;
	Datum		times[MATCH_MAX_STEPS];

	(void) align_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(TIMESTAMPTZOID));
	raw = align_raw_group_events((const RawGroup *) PG_GETARG_POINTER(0));
	site = BeginFinal(fcinfo, raw, &events);
	align_match(&site->rules, &events, &match);
	EndFinal(site);
	for (int step = 0; step < match.level; step++)
		times[step] = TimestampTzGetDatum(match.times[step]);
	PG_RETURN_ARRAYTYPE_P(construct_array(times, match.level, TIMESTAMPTZOID,
										  sizeof(TimestampTz), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}
