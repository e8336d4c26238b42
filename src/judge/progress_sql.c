/*
 * progress_sql.c
 *	  SQL functions progress() and funnel_progress().
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "judge/judge.h"

PG_FUNCTION_INFO_V1(align_progress_sql);
PG_FUNCTION_INFO_V1(align_funnel_progress_sql);

static const char *const status_names[] = {
	[PROGRESS_OPEN] = "open",
	[PROGRESS_CONVERTED] = "converted",
	[PROGRESS_DROPPED] = "dropped",
};

/*
 * The row type of the result, looked up once per call site.
 */
static TupleDesc
ResultDesc(FunctionCallInfo fcinfo)
{
	ValueMemo  *memo = align_memo(fcinfo->flinfo, 1, 2);

	if (memo->compiled == NULL)
		memo->compiled = align_result_desc(fcinfo, memo->context);
	return (TupleDesc) memo->compiled;
}

/*
 * The times of all steps as an array, NULL where a step was not entered.
 */
static Datum
TimesDatum(const Progress *progress)
{
	Datum		times[PROGRESS_MAX_STEPS];
	bool		nulls[PROGRESS_MAX_STEPS];
	int			dims[1];
	int			lbs[1] = {1};

	dims[0] = progress->nsteps;
	for (int i = 0; i < progress->nsteps; i++)
	{
		nulls[i] = progress->times[i] == PROGRESS_NO_TIME;
		times[i] = nulls[i] ? (Datum) 0 : TimestampTzGetDatum(progress->times[i]);
	}
	return PointerGetDatum(construct_md_array(times, nulls, 1, dims, lbs, TIMESTAMPTZOID,
											  sizeof(TimestampTz), FLOAT8PASSBYVAL,
											  TYPALIGN_DOUBLE));
}

static Datum
ProgressDatum(FunctionCallInfo fcinfo, const Progress *progress)
{
	Datum		values[4];
	bool		nulls[4] = {0};

	values[0] = Int32GetDatum(progress->level);
	values[1] = TimesDatum(progress);
	nulls[2] = progress->amount.text == NULL;
	values[2] = nulls[2] ? (Datum) 0 : align_amount_numeric(progress->amount);
	values[3] = CStringGetTextDatum(status_names[progress->status]);
	return HeapTupleGetDatum(heap_form_tuple(ResultDesc(fcinfo), values, nulls));
}

/*
 * progress(lead, steps, within, mode, as_of)
 */
Datum
align_progress_sql(PG_FUNCTION_ARGS)
{
	TimestampTz as_of = align_as_of_arg(fcinfo, 4);
	ProgressSteps steps;
	Progress	progress;

	align_require_argument(fcinfo, 1, "steps");
	align_progress_steps(PG_GETARG_ARRAYTYPE_P(1), &steps);
	steps.within = PG_ARGISNULL(2) ? -1 : align_window_arg(PG_GETARG_INTERVAL_P(2));
	if (!PG_ARGISNULL(3))
		align_mode_arg(PG_GETARG_TEXT_PP(3));
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();

	align_progress(&steps, PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)), as_of, &progress);
	PG_RETURN_DATUM(ProgressDatum(fcinfo, &progress));
}

/*
 * funnel_progress(lead, funnel, as_of)
 */
Datum
align_funnel_progress_sql(PG_FUNCTION_ARGS)
{
	TimestampTz as_of = align_as_of_arg(fcinfo, 2);
	Progress	progress;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	align_funnel_progress(align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 2),
						  PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)), as_of, &progress);
	PG_RETURN_DATUM(ProgressDatum(fcinfo, &progress));
}
