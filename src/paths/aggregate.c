/*
 * aggregate.c
 *	  paths_agg and rollup: many leads, or many multisets, to one; and
 *	  path_counts, a multiset as rows.
 *
 * The transition type is paths itself, held as a read-write expanded object in
 * a child of the aggregate's context, which the states of all groups
 * share; see analyze/conversion_agg.c.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "lead/amount.h"
#include "paths/paths.h"

PG_FUNCTION_INFO_V1(align_paths_trans);
PG_FUNCTION_INFO_V1(align_paths_counts_trans);
PG_FUNCTION_INFO_V1(align_paths_combine);
PG_FUNCTION_INFO_V1(align_path_counts);

/* Columns of path_counts. */
enum
{
	COL_PATH,
	COL_CONVERSIONS,
	COL_VALUE,
	COL_NULLS,
	NCOLUMNS
};

static MemoryContext
StatesContext(FunctionCallInfo fcinfo, MemoryContext context)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
														  sizeof(GroupStates));
	return align_group_states(fcinfo->flinfo->fn_extra, context);
}

/*
 * The state to add to; NULL if it is to be made.
 */
static Paths *
StateArg(FunctionCallInfo fcinfo, MemoryContext context)
{
	Paths	   *state;

	if (PG_ARGISNULL(0))
		return NULL;
	state = align_paths_writable(PG_GETARG_DATUM(0), context);
	if (unlikely(state == NULL))
		state = align_paths_absorb_datum(NULL, PG_GETARG_DATUM(0),
										 StatesContext(fcinfo, context));
	return state;
}

/*
 * The value of an argument as a canonical amount; text NULL if it is NULL.
 */
static LeadString
ValueArg(FunctionCallInfo fcinfo, int argument)
{
	Numeric		value;

	if (PG_ARGISNULL(argument))
		return align_lead_bytes(NULL, 0);
	value = PG_GETARG_NUMERIC(argument);
	if (numeric_is_nan(value) || numeric_is_inf(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value of a path must be a finite number"),
				 errdetail("It is %s.", numeric_is_nan(value) ? "NaN" : "infinite")));
	return align_lead_cstring(align_amount_text(value));
}

/*
 * Add a row to the state.  A path that is NULL, as array_agg() returns for no
 * rows, is the empty one.
 */
static Datum
AddRow(FunctionCallInfo fcinfo, int64 conversions, int64 nulls, LeadString value)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	Paths	   *state = StateArg(fcinfo, context);
	LeadString *channels = NULL;
	int			length = 0;

	if (!PG_ARGISNULL(1))
		channels = align_path_elements(PG_GETARG_ARRAYTYPE_P(1), &length);
	if (state == NULL)
		state = align_paths_make(StatesContext(fcinfo, context));
	align_paths_begin(state);
	for (int i = 0; i < length; i++)
		align_paths_channel(state, channels[i]);
	align_paths_end(state, conversions, nulls, value);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

/*
 * paths_agg(path, converted, value): (state, text[], boolean, numeric)
 */
Datum
align_paths_trans(PG_FUNCTION_ARGS)
{
	/* a lead that is still open is in no path */
	if (PG_ARGISNULL(2))
	{
		(void) align_aggregate_context(fcinfo);
		return align_state_as_it_is(fcinfo);
	}
	if (PG_GETARG_BOOL(2))
		return AddRow(fcinfo, 1, 0, ValueArg(fcinfo, 3));
	return AddRow(fcinfo, 0, 1, align_lead_bytes(NULL, 0));
}

/*
 * A count, zero if it is NULL.
 */
static int64
CountArg(FunctionCallInfo fcinfo, int argument, const char *what)
{
	int64		count = PG_ARGISNULL(argument) ? 0 : PG_GETARG_INT64(argument);

	if (count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", what),
				 errdetail("It is " INT64_FORMAT ".", count)));
	return count;
}

/*
 * paths_agg(path, conversions, value, nulls): (state, text[], bigint, numeric,
 * bigint)
 */
Datum
align_paths_counts_trans(PG_FUNCTION_ARGS)
{
	int64		conversions = CountArg(fcinfo, 2, "conversions");
	int64		nulls = CountArg(fcinfo, 4, "nulls");
	LeadString	value = ValueArg(fcinfo, 3);

	if (conversions == 0 && value.text != NULL)
	{
		if (value.len != 1 || *value.text != '0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("path without conversions has a value"),
					 errdetail("The value is %.*s; it is that of the conversions.",
							   value.len, value.text)));
		value = align_lead_bytes(NULL, 0);
	}
	if (conversions == 0 && nulls == 0)
	{
		(void) align_aggregate_context(fcinfo);
		return align_state_as_it_is(fcinfo);
	}
	return AddRow(fcinfo, conversions, nulls, value);
}

/*
 * rollup(paths), and the combine function of all three: (state, paths).  The
 * second argument may be flat, packed or a read-only expanded object; it is
 * only read.
 */
Datum
align_paths_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	Paths	   *state;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	state = StateArg(fcinfo, context);
	if (state == NULL)
		context = StatesContext(fcinfo, context);
	state = align_paths_absorb_datum(state, PG_GETARG_DATUM(1), context);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

/*
 * path_counts(paths): a row per path.
 */
Datum
align_path_counts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	MemoryContext row_context;
	MemoryContext old_context;
	PathsReader reader;

	align_begin_rows(fcinfo);
	align_paths_read_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "align path",
										ALLOCSET_DEFAULT_SIZES);
	while (align_paths_read_next(&reader))
	{
		Datum		values[NCOLUMNS];
		bool		nulls[NCOLUMNS] = {false};

		old_context = MemoryContextSwitchTo(row_context);
		values[COL_PATH] = align_path_array(reader.channels, reader.path, reader.length);
		values[COL_CONVERSIONS] = Int64GetDatum(reader.conversions);
		nulls[COL_VALUE] = reader.value.text == NULL;
		values[COL_VALUE] = nulls[COL_VALUE] ? (Datum) 0 : align_amount_numeric(reader.value);
		values[COL_NULLS] = Int64GetDatum(reader.nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
	align_paths_read_end(&reader);
	return (Datum) 0;
}
