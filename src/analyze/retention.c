/*
 * retention.c
 *	  retention: which of some conditions were met by the rows of a group,
 *	  given that the first one was.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "analyze/step_flags.h"
#include "matching/matching.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_retention_trans);
PG_FUNCTION_INFO_V1(align_retention_combine);
PG_FUNCTION_INFO_V1(align_retention_serialise);
PG_FUNCTION_INFO_V1(align_retention_deserialise);
PG_FUNCTION_INFO_V1(align_retention_final);

typedef struct Retention
{
	uint64		met;			/* bit i for condition i, from 0 */
	int			nconditions;
} Retention;

/*
 * Add conditions met to a state, or to a new one.
 */
static Datum
AddMet(FunctionCallInfo fcinfo, uint64 met, int nconditions)
{
	Retention  *state;

	if (PG_ARGISNULL(0))
	{
		state = MemoryContextAllocZero(align_aggregate_context(fcinfo), sizeof(Retention));
		state->nconditions = nconditions;
	}
	else
		state = (Retention *) PG_GETARG_POINTER(0);
	if (unlikely(state->nconditions != nconditions))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("rows of one retention have different numbers of conditions"),
				 errdetail("Their numbers are %d and %d.", state->nconditions, nconditions)));
	state->met |= met;
	PG_RETURN_POINTER(state);
}

/*
 * (state, VARIADIC conditions boolean[])
 */
Datum
align_retention_trans(PG_FUNCTION_ARGS)
{
	uint64		met;
	int			nconditions;

	align_require_argument(fcinfo, 1, "conditions");
	met = align_step_flags(align_step_flags_arg(PG_GETARG_DATUM(1)), &nconditions);
	return AddMet(fcinfo, met, nconditions);
}

Datum
align_retention_combine(PG_FUNCTION_ARGS)
{
	const Retention *other;

	(void) align_aggregate_context(fcinfo);
	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	other = (const Retention *) PG_GETARG_POINTER(1);
	return AddMet(fcinfo, other->met, other->nconditions);
}

/*
 * A serialised state is read by another process of the same server.
 */
Datum
align_retention_serialise(PG_FUNCTION_ARGS)
{
	bytea	   *result;

	(void) align_aggregate_context(fcinfo);
	result = palloc(VARHDRSZ + sizeof(Retention));
	SET_VARSIZE(result, VARHDRSZ + sizeof(Retention));
	memcpy(VARDATA(result), PG_GETARG_POINTER(0), sizeof(Retention));
	PG_RETURN_BYTEA_P(result);
}

Datum
align_retention_deserialise(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	Retention  *state = palloc(sizeof(Retention));

	(void) align_aggregate_context(fcinfo);
	memcpy(state, VARDATA_ANY(bytes), sizeof(Retention));
	PG_RETURN_POINTER(state);
}

Datum
align_retention_final(PG_FUNCTION_ARGS)
{
	const Retention *state;
	Datum		kept[MATCH_MAX_STEPS];

	(void) align_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (const Retention *) PG_GETARG_POINTER(0);
	for (int i = 0; i < state->nconditions; i++)
		kept[i] = BoolGetDatum((state->met & 1) && ((state->met >> i) & 1));
	PG_RETURN_ARRAYTYPE_P(construct_array(kept, state->nconditions, BOOLOID, sizeof(bool), true,
										  TYPALIGN_CHAR));
}
