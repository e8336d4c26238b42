/*
 * aggregate.c
 *	  incidence_agg and rollup: many cases, or many summaries, to one
 *	  incidence.
 *
 * The transition type is incidence itself, held as a read-write expanded
 * object in a child of the aggregate's context, which the states of all groups
 * share; the executor then leaves it where it is and hands out only read-only
 * pointers or flat copies.  So the transition functions may update it in
 * place, and partial aggregates travel between workers and machines as plain
 * values of the type.
 */
#include "postgres.h"

#include "fmgr.h"

#include "incidence/incidence.h"

PG_FUNCTION_INFO_V1(align_incidence_trans);
PG_FUNCTION_INFO_V1(align_incidence_trans_late);
PG_FUNCTION_INFO_V1(align_incidence_combine);

/*
 * The state in the first argument, or a new one if it is NULL.
 */
static Incidence *
StateArg(FunctionCallInfo fcinfo)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	GroupStates *states = (GroupStates *) fcinfo->flinfo->fn_extra;
	Incidence  *state;

	if (unlikely(states == NULL))
		fcinfo->flinfo->fn_extra = states =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(GroupStates));
	if (!PG_ARGISNULL(0))
	{
		state = align_incidence_writable(PG_GETARG_DATUM(0), context);
		if (likely(state != NULL))
			return state;
	}
	context = align_group_states(states, context);
	if (PG_ARGISNULL(0))
		return align_incidence_make(context);
	return align_incidence_absorb_datum(NULL, PG_GETARG_DATUM(0), context);
}

/*
 * Add a case that came under observation at entered, or at the origin if that
 * is not positive, and left with the outcome of an argument, or open.
 */
static Datum
AddCase(FunctionCallInfo fcinfo, int64 entered, int64 left, int outcome_argno)
{
	Incidence  *state;
	TimeSeries *series;

	state = StateArg(fcinfo);
	state->flat_valid = false;
	align_incidence_count(state, 1);
	if (entered > 0)
		align_series_add(&state->late, state->header.eoh_context, entered, 1);
	if (PG_ARGISNULL(outcome_argno))
		series = &state->open;
	else
	{
		text	   *name = PG_GETARG_TEXT_PP(outcome_argno);
		int			outcome = align_incidence_outcome(state, VARDATA_ANY(name),
													  VARSIZE_ANY_EXHDR(name));

		series = &state->outcomes[outcome].times;
	}
	align_series_add(series, state->header.eoh_context, left, 1);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

static int64
LeftArg(FunctionCallInfo fcinfo, int argno)
{
	int64		left = align_incidence_time(PG_GETARG_INTERVAL_P(argno), "left_after");

	if (left < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("left_after must not be negative"),
				 errhint("Ignore cases that ended before they began with FILTER (WHERE ...).")));
	return left;
}

/*
 * incidence_agg: (state, left_after interval, outcome text)
 */
Datum
align_incidence_trans(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	return AddCase(fcinfo, 0, LeftArg(fcinfo, 1), 2);
}

/*
 * incidence_agg: (state, entered interval, left_after interval, outcome text)
 */
Datum
align_incidence_trans_late(PG_FUNCTION_ARGS)
{
	int64		entered = 0;
	int64		left;

	if (PG_ARGISNULL(2))
		return align_state_as_it_is(fcinfo);
	left = LeftArg(fcinfo, 2);
	if (!PG_ARGISNULL(1))
		entered = align_incidence_time(PG_GETARG_INTERVAL_P(1), "entered");
	if (entered > left)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("left_after must not be before entered"),
				 errdetail("A case cannot leave before it comes under observation.")));

	/* it left when it came under observation: it was never at risk */
	if (entered > 0 && entered == left)
		return align_state_as_it_is(fcinfo);
	return AddCase(fcinfo, entered, left, 3);
}

/*
 * rollup(incidence), and the combine function of all: (state, incidence).  The
 * second argument may be flat, packed or a read-only expanded object; it is
 * only read.
 */
Datum
align_incidence_combine(PG_FUNCTION_ARGS)
{
	Incidence  *state;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	state = StateArg(fcinfo);
	state = align_incidence_absorb_datum(state, PG_GETARG_DATUM(1), NULL);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}
