/*
 * conversion_agg.c
 *	  conversion_agg, funnel_conversion_agg and rollup: many leads, or many
 *	  summaries, to one conversion.
 *
 * The transition type is conversion itself, held as a read-write expanded
 * object in a child of the aggregate's context, which the states of all groups
 * share; the executor then leaves it where it is and hands out only read-only
 * pointers or flat copies.  So the transition functions may update it in
 * place, and partial aggregates travel between workers and machines as plain
 * values of the type.
 *
 * What the arguments other than lead and as_of say is compiled once per call
 * site, remembered in fn_extra.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "conversion/conversion.h"

PG_FUNCTION_INFO_V1(align_conversion_trans);
PG_FUNCTION_INFO_V1(align_funnel_conversion_trans);
PG_FUNCTION_INFO_V1(align_conversion_combine);

typedef struct ListSite
{
	StepSite	steps;
	ConversionIdentity identity;	/* in the context of steps */
	ConversionStates states;
} ListSite;

typedef struct FunnelSite
{
	Funnel	   *funnel;
	ConversionIdentity identity;
	ConversionStates *states;	/* outlives a change of the funnel */
} FunnelSite;

/*
 * The state to add to, of the given identity.
 */
static Conversion *
StateArg(FunctionCallInfo fcinfo, const ConversionIdentity *identity, ConversionStates *states,
		 MemoryContext context)
{
	Conversion *state;

	if (PG_ARGISNULL(0))
		return align_conversion_make_state(identity, states, context);
	state = align_conversion_writable(PG_GETARG_DATUM(0), context);
	if (unlikely(state == NULL))
		state = align_conversion_absorb_datum(NULL, PG_GETARG_DATUM(0),
											  align_conversion_states_context(states, context));

	/*
	 * a state that shares the identity of those made last is not compared
	 * again
	 */
	if (state->identity.bytes != states->identity.bytes &&
		unlikely(!align_identity_equal(&state->identity, identity)))
		align_identity_differs(&state->identity, identity, true);
	return state;
}

static ListSite *
StepsArgs(FunctionCallInfo fcinfo)
{
	ListSite   *site = (ListSite *) fcinfo->flinfo->fn_extra;
	StepArguments arguments = {{0}, false};

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ListSite));
		fcinfo->flinfo->fn_extra = site;
	}
	arguments.argno[STEPS_ARG_STEPS] = 2;
	arguments.argno[STEPS_ARG_WITHIN] = 3;
	arguments.argno[STEPS_ARG_MODE] = 4;
	if (PG_NARGS() > 6)
	{
		arguments.argno[STEPS_ARG_GAPS] = 6;
		arguments.argno[STEPS_ARG_EXCLUDE] = 7;
		arguments.argno[STEPS_ARG_COUNT] = 8;
		arguments.argno[STEPS_ARG_TIME_ZONE] = 9;
	}
	if (unlikely(align_step_site(fcinfo, &arguments, &site->steps)))
	{
		MemoryContext old_context = MemoryContextSwitchTo(site->steps.context);

		/* not known while it is being made, in case of an error */
		site->steps.valid = false;
		site->states.identity.bytes = NULL;
		memset(&site->identity, 0, sizeof(site->identity));
		site->identity.kind = CONVERSION_STEPS;
		site->identity.list = *site->steps.plan->list;
		align_identity_make(&site->identity);
		MemoryContextSwitchTo(old_context);
		site->steps.valid = true;
	}
	return site;
}

/*
 * Add the passages of a lead; the state is made with the first of any lead.
 */
static Datum
AddPassages(FunctionCallInfo fcinfo, ListSite *site, TimestampTz as_of, MemoryContext context)
{
	PassageScan *scan = align_passages_begin(site->steps.plan, PG_GETARG_VARLENA_PP(1), as_of);
	Conversion *state = NULL;
	Progress	progress;

	while (align_passages_next(scan, &progress))
	{
		if (state == NULL)
			state = StateArg(fcinfo, &site->identity, &site->states, context);
		align_conversion_add(state, &progress, as_of);
	}
	align_passages_end(scan);
	if (state == NULL)
		return align_state_as_it_is(fcinfo);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

/*
 * conversion_agg: (state, lead, steps text[], within interval, mode text,
 * as_of timestamptz [, gaps interval[], exclude text[], count text,
 * time_zone text])
 */
Datum
align_conversion_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	ListSite   *site;
	TimestampTz as_of;
	Conversion *state;
	Progress	progress;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	site = StepsArgs(fcinfo);
	as_of = align_as_of_arg(fcinfo, 5);
	if (site->steps.plan->list->passages)
		return AddPassages(fcinfo, site, as_of, context);
	state = StateArg(fcinfo, &site->identity, &site->states, context);
	align_progress(site->steps.plan, PG_GETARG_VARLENA_PP(1), as_of, &progress);
	align_conversion_add(state, &progress, as_of);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

static FunnelSite *
FunnelArg(FunctionCallInfo fcinfo)
{
	ValueMemo  *memo = align_memo(fcinfo->flinfo, 0, 1);
	TextValue  *value;
	FunnelSite *site;
	ConversionStates *states;
	MemoryContext old_context;

	align_require_argument(fcinfo, 2, "funnel");
	value = align_text_value_arg(PG_GETARG_DATUM(2), "funnel");
	if (likely(align_memo_valid(memo, value)))
		return (FunnelSite *) memo->compiled;

	StaticAssertStmt(FUNNEL_MAX_PATH <= CONVERSION_MAX_STEPS,
					 "every success path must fit a conversion");
	if (memo->compiled != NULL)
		states = ((FunnelSite *) memo->compiled)->states;
	else
		states = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ConversionStates));
	align_memo_reset(memo);

	/* existing states are compared with the new agreement */
	states->identity.bytes = NULL;
	old_context = MemoryContextSwitchTo(memo->context);
	site = palloc0(sizeof(FunnelSite));
	site->states = states;
	site->funnel = align_funnel_compile(align_text_value_cstring(value), memo->context, NULL);
	site->identity.kind = CONVERSION_FUNNEL;
	site->identity.fingerprint = align_fingerprint(value->text, TEXT_VALUE_LEN(value));
	site->identity.nsteps = site->funnel->npath;
	site->identity.names = palloc(site->funnel->npath * sizeof(LeadString));
	for (int i = 0; i < site->funnel->npath; i++)
	{
		char	   *name = site->funnel->stages[site->funnel->success_path[i]].name;

		site->identity.names[i].text = name;
		site->identity.names[i].len = strlen(name);
	}
	align_identity_make(&site->identity);
	MemoryContextSwitchTo(old_context);
	align_memo_keep(memo, value, site);
	return site;
}

/*
 * funnel_conversion_agg: (state, lead, funnel, as_of timestamptz)
 */
Datum
align_funnel_conversion_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	FunnelSite *site;
	TimestampTz as_of;
	Conversion *state;
	Progress	progress;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	site = FunnelArg(fcinfo);
	as_of = align_as_of_arg(fcinfo, 3);
	state = StateArg(fcinfo, &site->identity, site->states, context);
	align_funnel_progress(site->funnel, PG_GETARG_VARLENA_PP(1), as_of, &progress);
	align_conversion_add(state, &progress, as_of);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

/*
 * rollup(conversion), and the combine function of all three: (state,
 * conversion).  The second argument may be flat, packed or a read-only
 * expanded object; it is only read.
 */
Datum
align_conversion_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	Conversion *state = NULL;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
														  sizeof(ConversionStates));
	if (!PG_ARGISNULL(0))
		state = align_conversion_writable(PG_GETARG_DATUM(0), context);
	if (state == NULL)
	{
		/* only for new states: each look-up of another context costs memory */
		context = align_conversion_states_context(fcinfo->flinfo->fn_extra, context);
		if (!PG_ARGISNULL(0))
			state = align_conversion_absorb_datum(NULL, PG_GETARG_DATUM(0), context);
	}
	state = align_conversion_absorb_datum(state, PG_GETARG_DATUM(1), context);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}
