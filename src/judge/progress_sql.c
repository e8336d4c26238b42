/*
 * progress_sql.c
 *	  SQL functions progress(), passages() and funnel_progress().
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "judge/judge.h"

PG_FUNCTION_INFO_V1(align_progress_sql);
PG_FUNCTION_INFO_V1(align_passages_sql);
PG_FUNCTION_INFO_V1(align_funnel_progress_sql);

static const char *const status_names[] = {
	[PROGRESS_OPEN] = "open",
	[PROGRESS_CONVERTED] = "converted",
	[PROGRESS_DROPPED] = "dropped",
};

/*
 * What a call site of progress() or passages() remembers.
 */
typedef struct ProgressSite
{
	StepSite	steps;
	TupleDesc	desc;			/* of progress() */
} ProgressSite;

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

/*
 * Set the columns level, times, amount and status.
 */
static void
SetColumns(const Progress *progress, Datum *values, bool *nulls)
{
	values[0] = Int32GetDatum(progress->level);
	values[1] = TimesDatum(progress);
	nulls[0] = nulls[1] = nulls[3] = false;
	nulls[2] = progress->amount.text == NULL;
	values[2] = nulls[2] ? (Datum) 0 : align_amount_numeric(progress->amount);
	values[3] = CStringGetTextDatum(status_names[progress->status]);
}

static Datum
ProgressDatum(TupleDesc desc, const Progress *progress)
{
	Datum		values[4];
	bool		nulls[4];

	SetColumns(progress, values, nulls);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/*
 * The site of a call of progress() or passages(), with the plan of its
 * arguments.
 */
static ProgressSite *
ProgressArgs(FunctionCallInfo fcinfo, bool passages)
{
	ProgressSite *site = (ProgressSite *) fcinfo->flinfo->fn_extra;
	StepArguments arguments = {{0}, passages};

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ProgressSite));
		fcinfo->flinfo->fn_extra = site;
	}
	arguments.argno[STEPS_ARG_STEPS] = 1;
	arguments.argno[STEPS_ARG_WITHIN] = 2;
	arguments.argno[STEPS_ARG_MODE] = 3;
	if (PG_NARGS() > 5)
	{
		arguments.argno[STEPS_ARG_GAPS] = 5;
		arguments.argno[STEPS_ARG_EXCLUDE] = 6;
		arguments.argno[STEPS_ARG_TIME_ZONE] = 7;
	}
	align_step_site(fcinfo, &arguments, &site->steps);
	return site;
}

/*
 * progress(lead, steps, within, mode, as_of [, gaps, exclude, time_zone])
 */
Datum
align_progress_sql(PG_FUNCTION_ARGS)
{
	TimestampTz as_of = align_as_of_arg(fcinfo, 4);
	ProgressSite *site = ProgressArgs(fcinfo, false);
	Progress	progress;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (site->desc == NULL)
		site->desc = align_result_desc(fcinfo, fcinfo->flinfo->fn_mcxt);

	align_progress(site->steps.plan, PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)), as_of,
				   &progress);
	PG_RETURN_DATUM(ProgressDatum(site->desc, &progress));
}

/*
 * passages(lead, steps, within, mode, as_of, gaps, exclude, time_zone)
 */
Datum
align_passages_sql(PG_FUNCTION_ARGS)
{
	TimestampTz as_of = align_as_of_arg(fcinfo, 4);
	ProgressSite *site = ProgressArgs(fcinfo, true);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	PassageScan *scan;
	Progress	progress;
	int			number = 0;

	align_begin_rows(fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	scan = align_passages_begin(site->steps.plan,
								PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)), as_of);
	while (align_passages_next(scan, &progress))
	{
		Datum		values[5];
		bool		nulls[5];

		values[0] = Int32GetDatum(++number);
		nulls[0] = false;
		SetColumns(&progress, values + 1, nulls + 1);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		pfree(DatumGetPointer(values[2]));
		pfree(DatumGetPointer(values[4]));
	}
	align_passages_end(scan);
	return (Datum) 0;
}

/*
 * funnel_progress(lead, funnel, as_of)
 */
Datum
align_funnel_progress_sql(PG_FUNCTION_ARGS)
{
	TimestampTz as_of = align_as_of_arg(fcinfo, 2);
	ValueMemo  *memo = align_memo(fcinfo->flinfo, 1, 2);
	Progress	progress;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();

	/* the row type of the result is looked up once per call site */
	if (memo->compiled == NULL)
		memo->compiled = align_result_desc(fcinfo, memo->context);
	align_funnel_progress(align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 2),
						  PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)), as_of, &progress);
	PG_RETURN_DATUM(ProgressDatum((TupleDesc) memo->compiled, &progress));
}
