/*
 * aggregate.c
 *	  lead_agg and rollup: the rows of one lead as one value.
 *
 * The state is a LeadBuilder.  The first row that is not ignored creates it,
 * so a state has at least one entry.  The final and serialise functions sort
 * the state in place, and that of rollup removes duplicates; neither affects
 * rows that are added afterwards (in window frames).
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead/lead.h"

PG_FUNCTION_INFO_V1(align_lead_agg_stage_trans);
PG_FUNCTION_INFO_V1(align_lead_agg_ordinal_trans);
PG_FUNCTION_INFO_V1(align_lead_agg_trans);
PG_FUNCTION_INFO_V1(align_lead_agg_final);
PG_FUNCTION_INFO_V1(align_lead_rollup_trans);
PG_FUNCTION_INFO_V1(align_lead_rollup_final);
PG_FUNCTION_INFO_V1(align_lead_agg_combine);
PG_FUNCTION_INFO_V1(align_lead_agg_serialise);
PG_FUNCTION_INFO_V1(align_lead_agg_deserialise);

/*
 * The state argument, or a new state.
 */
static inline LeadBuilder *
StateArgument(FunctionCallInfo fcinfo)
{
	MemoryContext context = align_aggregate_context(fcinfo);

	if (PG_ARGISNULL(0))
		return align_lead_builder(context);
	return (LeadBuilder *) PG_GETARG_POINTER(0);
}

/*
 * lead_agg(at, stage)
 */
Datum
align_lead_agg_stage_trans(PG_FUNCTION_ARGS)
{
	LeadBuilder *state;
	text	   *stage;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return align_state_as_it_is(fcinfo);

	state = StateArgument(fcinfo);
	stage = PG_GETARG_TEXT_PP(2);
	align_lead_add_stage(state, PG_GETARG_TIMESTAMPTZ(1),
						 VARDATA_ANY(stage), VARSIZE_ANY_EXHDR(stage));
	PG_RETURN_POINTER(state);
}

static LeadString
TextArgument(FunctionCallInfo fcinfo, int argument)
{
	if (argument >= PG_NARGS() || PG_ARGISNULL(argument))
		return align_lead_bytes(NULL, 0);
	return align_lead_varlena(PG_GETARG_DATUM(argument));
}

/*
 * A log's own number of an entry, 0 if it is NULL.
 */
static int64
OrdinalArgument(FunctionCallInfo fcinfo, int argument)
{
	int64		ordinal;

	if (argument >= PG_NARGS() || PG_ARGISNULL(argument))
		return 0;
	ordinal = PG_GETARG_INT64(argument);
	if (ordinal <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("ordinal of a lead's entry must be positive"),
				 errdetail("It is " INT64_FORMAT ".", ordinal),
				 errhint("Shift a numbering that begins at zero or below, as in ordinal + 1; pass NULL where there is no number.")));
	return ordinal;
}

/*
 * The version of the agreement that judged an entry, 0 if it is NULL.
 */
static int32
VersionArgument(FunctionCallInfo fcinfo, int argument)
{
	int32		version;

	if (argument >= PG_NARGS() || PG_ARGISNULL(argument))
		return 0;
	version = PG_GETARG_INT32(argument);
	if (version <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("version of a lead's entry must be positive"),
				 errdetail("It is %d.", version),
				 errhint("Pass NULL where no version is recorded.")));
	return version;
}

/*
 * lead_agg(at, stage, ordinal)
 */
Datum
align_lead_agg_ordinal_trans(PG_FUNCTION_ARGS)
{
	LeadBuilder *state;
	LeadInput	input = {0};

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return align_state_as_it_is(fcinfo);

	input.at = PG_GETARG_TIMESTAMPTZ(1);
	input.stage = TextArgument(fcinfo, 2);
	input.ordinal = OrdinalArgument(fcinfo, 3);
	state = StateArgument(fcinfo);
	align_lead_add(state, &input);
	PG_RETURN_POINTER(state);
}

/*
 * lead_agg(at, stage, team, reason [, campaign, amount [, ordinal, segments
 * [, version]]])
 */
Datum
align_lead_agg_trans(PG_FUNCTION_ARGS)
{
	LeadBuilder *state;
	LeadInput	input = {0};

	input.stage = TextArgument(fcinfo, 2);
	input.campaign = TextArgument(fcinfo, 5);
	if (PG_ARGISNULL(1) || (input.stage.text == NULL && input.campaign.text == NULL))
		return align_state_as_it_is(fcinfo);

	input.at = PG_GETARG_TIMESTAMPTZ(1);
	input.team = TextArgument(fcinfo, 3);
	input.reason = TextArgument(fcinfo, 4);
	if (PG_NARGS() > 6 && !PG_ARGISNULL(6))
	{
		input.amount.text = align_amount_text(PG_GETARG_NUMERIC(6));
		input.amount.len = strlen(input.amount.text);
	}
	input.ordinal = OrdinalArgument(fcinfo, 7);
	if (PG_NARGS() > 8 && !PG_ARGISNULL(8))
		input.segments = align_segments_list(PG_GETARG_ARRAYTYPE_P(8));
	input.version = VersionArgument(fcinfo, 9);

	state = StateArgument(fcinfo);
	align_lead_add(state, &input);
	PG_RETURN_POINTER(state);
}

/*
 * rollup(lead)
 */
Datum
align_lead_rollup_trans(PG_FUNCTION_ARGS)
{
	LeadBuilder *state;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);

	state = StateArgument(fcinfo);
	align_lead_add_all(state, PG_GETARG_VARLENA_PP(1));
	PG_RETURN_POINTER(state);
}

static Datum
Finish(FunctionCallInfo fcinfo, bool drop_duplicates)
{
	(void) align_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(align_lead_encode((LeadBuilder *) PG_GETARG_POINTER(0), drop_duplicates));
}

Datum
align_lead_agg_final(PG_FUNCTION_ARGS)
{
	return Finish(fcinfo, false);
}

Datum
align_lead_rollup_final(PG_FUNCTION_ARGS)
{
	return Finish(fcinfo, true);
}

Datum
align_lead_agg_combine(PG_FUNCTION_ARGS)
{
	LeadBuilder *state;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);

	/* copy even into an empty state: the other is in another context */
	state = StateArgument(fcinfo);
	align_lead_add_builder(state, (LeadBuilder *) PG_GETARG_POINTER(1));
	PG_RETURN_POINTER(state);
}

/*
 * A serialised state is the lead that the state encodes to.
 */
Datum
align_lead_agg_serialise(PG_FUNCTION_ARGS)
{
	(void) align_aggregate_context(fcinfo);
	PG_RETURN_BYTEA_P((bytea *) align_lead_encode((LeadBuilder *) PG_GETARG_POINTER(0), false));
}

Datum
align_lead_agg_deserialise(PG_FUNCTION_ARGS)
{
	LeadBuilder *state;

	(void) align_aggregate_context(fcinfo);
	state = align_lead_builder(CurrentMemoryContext);
	align_lead_add_all(state, (struct varlena *) PG_GETARG_BYTEA_PP(0));
	PG_RETURN_POINTER(state);
}
