/*
 * infer.c
 *	  infer_agg: the aggregate's functions and the checks of its arguments.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "infer/infer.h"

PG_FUNCTION_INFO_V1(align_infer_transition);
PG_FUNCTION_INFO_V1(align_infer_combine);
PG_FUNCTION_INFO_V1(align_infer_serialize);
PG_FUNCTION_INFO_V1(align_infer_deserialize);
PG_FUNCTION_INFO_V1(align_infer_final);

/*
 * A label must not be listed as won and as lost.
 */
static void
CheckOutcomes(ArrayType *won, ArrayType *lost)
{
	int			nwon;
	int			nlost;
	LeadString *won_names = align_infer_names(won, "won", &nwon);
	LeadString *lost_names = align_infer_names(lost, "lost", &nlost);

	for (int i = 0; i < nwon; i++)
	{
		if (align_infer_listed(won_names[i], lost_names, nlost))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("label \"%s\" is listed both as won and as lost",
							pnstrdup(won_names[i].text, won_names[i].len))));
	}
}

static void
CheckShare(double min_share)
{
	if (isnan(min_share) || min_share < 0 || min_share > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_share must be between 0 and 1"),
				 errdetail("A move is rare if less than this share of the leads "
						   "that were in a stage left it that way.")));
}

static bool
SameArray(const ArrayType *a, const ArrayType *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static void
CheckSameParameters(const InferState *state, const ArrayType *won,
					const ArrayType *lost, double min_share)
{
	if (!SameArray(state->won, won) || !SameArray(state->lost, lost) ||
		state->min_share != min_share)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("won, lost and min_share of infer_agg must be the same for all rows"),
				 errhint("To infer one draft per group, put them in the GROUP BY clause.")));
}

/*
 * infer_agg's transition: (state, lead, won, lost, min_share).
 */
Datum
align_infer_transition(PG_FUNCTION_ARGS)
{
	InferState *state = PG_ARGISNULL(0) ? NULL : (InferState *) PG_GETARG_POINTER(0);
	ArrayType  *won = PG_ARGISNULL(2) ? NULL : PG_GETARG_ARRAYTYPE_P(2);
	ArrayType  *lost = PG_ARGISNULL(3) ? NULL : PG_GETARG_ARRAYTYPE_P(3);
	double		min_share = PG_ARGISNULL(4) ? INFER_DEFAULT_SHARE : PG_GETARG_FLOAT8(4);
	MemoryContext aggcontext = align_aggregate_context(fcinfo);

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);

	if (state == NULL)
	{
		CheckShare(min_share);
		CheckOutcomes(won, lost);
		state = align_infer_state(aggcontext, won, lost, min_share);
	}
	else
		CheckSameParameters(state, won, lost, min_share);

	align_infer_add_lead(state, PG_GETARG_VARLENA_PP(1));
	PG_RETURN_POINTER(state);
}

Datum
align_infer_combine(PG_FUNCTION_ARGS)
{
	InferState *into = PG_ARGISNULL(0) ? NULL : (InferState *) PG_GETARG_POINTER(0);
	InferState *from = PG_ARGISNULL(1) ? NULL : (InferState *) PG_GETARG_POINTER(1);
	MemoryContext aggcontext = align_aggregate_context(fcinfo);

	if (from == NULL)
		return align_state_as_it_is(fcinfo);
	if (into == NULL)
		into = align_infer_state(aggcontext, from->won, from->lost, from->min_share);
	else
		CheckSameParameters(into, from->won, from->lost, from->min_share);
	align_infer_add_state(into, from);
	PG_RETURN_POINTER(into);
}

Datum
align_infer_serialize(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	Assert(AggCheckCallContext(fcinfo, NULL));

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	align_infer_write_state(&out, (InferState *) PG_GETARG_POINTER(0));
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P((bytea *) out.data);
}

Datum
align_infer_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	(void) align_aggregate_context(fcinfo);
	PG_RETURN_POINTER(align_infer_read_state(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)));
}

/*
 * Final function: the draft, NULL if no lead ever entered a stage.
 */
Datum
align_infer_final(PG_FUNCTION_ARGS)
{
	InferState *state = PG_ARGISNULL(0) ? NULL : (InferState *) PG_GETARG_POINTER(0);

	Assert(AggCheckCallContext(fcinfo, NULL));

	if (state == NULL || state->nleads == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(align_infer_draft(state)));
}
