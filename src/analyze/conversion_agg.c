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
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "conversion/conversion.h"

PG_FUNCTION_INFO_V1(align_conversion_trans);
PG_FUNCTION_INFO_V1(align_funnel_conversion_trans);
PG_FUNCTION_INFO_V1(align_conversion_combine);

/*
 * Arguments as last seen, and what they mean.
 */
typedef struct StepsSite
{
	ConversionStates states;
	MemoryContext context;		/* of all that follows */
	bool		valid;
	char	   *steps_key;		/* bytes of the array */
	size_t		steps_len;
	bool		has_within;
	Interval	within;
	bool		has_mode;
	char	   *mode_key;
	size_t		mode_len;
	ProgressSteps steps;
	ConversionIdentity identity;
} StepsSite;

typedef struct FunnelSite
{
	Funnel	   *funnel;
	ConversionIdentity identity;
	ConversionStates states;
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

/*
 * Whether the arguments are those that the site last compiled.
 */
static inline bool
SiteMatches(FunctionCallInfo fcinfo, const StepsSite *site, const struct varlena *steps)
{
	if (!site->valid ||
		site->steps_len != VARSIZE_ANY_EXHDR(steps) ||
		memcmp(site->steps_key, VARDATA_ANY(steps), site->steps_len) != 0)
		return false;
	if (site->has_within == PG_ARGISNULL(3) ||
		(site->has_within &&
		 memcmp(&site->within, PG_GETARG_INTERVAL_P(3), sizeof(Interval)) != 0))
		return false;
	if (site->has_mode == PG_ARGISNULL(4))
		return false;
	if (site->has_mode)
	{
		text	   *mode = PG_GETARG_TEXT_PP(4);

		if (site->mode_len != VARSIZE_ANY_EXHDR(mode) ||
			memcmp(site->mode_key, VARDATA_ANY(mode), site->mode_len) != 0)
			return false;
	}
	return true;
}

/*
 * Compile (steps, within, mode), arguments 2 to 4, in the site's context.
 */
static void
CompileSite(FunctionCallInfo fcinfo, StepsSite *site, const struct varlena *steps)
{
	MemoryContext context = site->context;
	MemoryContext old_context;

	MemoryContextReset(context);
	memset(&site->valid, 0, sizeof(*site) - offsetof(StepsSite, valid));
	site->states.identity.bytes = NULL;
	old_context = MemoryContextSwitchTo(context);

	site->steps_len = VARSIZE_ANY_EXHDR(steps);
	site->steps_key = palloc(site->steps_len);
	memcpy(site->steps_key, VARDATA_ANY(steps), site->steps_len);
	align_progress_steps(PG_GETARG_ARRAYTYPE_P_COPY(2), &site->steps);

	site->steps.within = -1;
	if (!PG_ARGISNULL(3))
	{
		site->has_within = true;
		site->within = *PG_GETARG_INTERVAL_P(3);
		site->steps.within = align_window_arg(&site->within);
	}
	if (!PG_ARGISNULL(4))
	{
		text	   *mode = PG_GETARG_TEXT_PP(4);

		align_mode_arg(mode);
		site->has_mode = true;
		site->mode_len = VARSIZE_ANY_EXHDR(mode);
		site->mode_key = palloc(site->mode_len);
		memcpy(site->mode_key, VARDATA_ANY(mode), site->mode_len);
	}

	site->identity.kind = CONVERSION_STEPS;
	site->identity.mode = CONVERSION_ORDERED;
	site->identity.within = site->steps.within;
	site->identity.nsteps = site->steps.nsteps;
	site->identity.names = site->steps.steps;
	align_identity_make(&site->identity);

	MemoryContextSwitchTo(old_context);
	site->valid = true;
}

static StepsSite *
StepsArgs(FunctionCallInfo fcinfo)
{
	StepsSite  *site = (StepsSite *) fcinfo->flinfo->fn_extra;
	struct varlena *steps;

	align_require_argument(fcinfo, 2, "steps");
	steps = PG_GETARG_VARLENA_PP(2);
	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(StepsSite));
		site->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt,
											  "align conversion arguments",
											  ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = site;
	}
	if (unlikely(!SiteMatches(fcinfo, site, steps)))
		CompileSite(fcinfo, site, steps);
	return site;
}

/*
 * conversion_agg: (state, lead, steps text[], within interval, mode text,
 * as_of timestamptz)
 */
Datum
align_conversion_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	StepsSite  *site;
	TimestampTz as_of;
	Conversion *state;
	Progress	progress;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	site = StepsArgs(fcinfo);
	as_of = align_as_of_arg(fcinfo, 5);
	state = StateArg(fcinfo, &site->identity, &site->states, context);
	align_progress(&site->steps, PG_GETARG_VARLENA_PP(1), as_of, &progress);
	align_conversion_add(state, &progress, as_of);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

static FunnelSite *
FunnelArg(FunctionCallInfo fcinfo)
{
	ValueMemo  *memo = align_memo(fcinfo->flinfo, 0, 1);
	TextValue  *value;
	FunnelSite *site;
	MemoryContext old_context;

	align_require_argument(fcinfo, 2, "funnel");
	value = align_text_value_arg(PG_GETARG_DATUM(2), "funnel");
	if (likely(align_memo_valid(memo, value)))
		return (FunnelSite *) memo->compiled;

	StaticAssertStmt(FUNNEL_MAX_PATH <= CONVERSION_MAX_STEPS,
					 "every success path must fit a conversion");
	align_memo_reset(memo);
	old_context = MemoryContextSwitchTo(memo->context);
	site = palloc0(sizeof(FunnelSite));
	site->funnel = align_funnel_compile(align_text_value_cstring(value), memo->context, NULL);
	site->identity.kind = CONVERSION_FUNNEL;
	site->identity.within = -1;
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
	state = StateArg(fcinfo, &site->identity, &site->states, context);
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
	MemoryContext states_context;
	Conversion *state = NULL;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
														  sizeof(ConversionStates));
	states_context = align_conversion_states_context(fcinfo->flinfo->fn_extra, context);
	if (!PG_ARGISNULL(0))
	{
		state = align_conversion_writable(PG_GETARG_DATUM(0), context);
		if (unlikely(state == NULL))
			state = align_conversion_absorb_datum(NULL, PG_GETARG_DATUM(0), states_context);
	}
	state = align_conversion_absorb_datum(state, PG_GETARG_DATUM(1), states_context);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}
