/*
 * bottlenecks.c
 *	  bottlenecks(process [, funnel]): where the time goes, worst first.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "funnel/funnel.h"
#include "process/process.h"
#include "process/times.h"

PG_FUNCTION_INFO_V1(align_bottlenecks);

enum
{
	COL_PLACE,
	COL_FROM_STAGE,
	COL_STAGE,
	COL_VISITS,
	COL_LEADS,
	COL_SHARE,
	COL_CUMULATIVE_SHARE,
	COL_WORKING_SHARE,
	COL_TIMES,
	NCOLUMNS = COL_TIMES + 2 * TIMES_NCOLUMNS
};

/*
 * The visits of a stage that end with the same move, or that have not ended.
 */
typedef struct Bottleneck
{
	int			from;			/* index of a stage */
	int			to;				/* likewise; -1: the leads are still there */
	int64		leads;
	ProcessTimes *times;
} Bottleneck;

/*
 * The longest total first; equal ones in the order of their stages.
 */
static int
CompareBottlenecks(const void *a, const void *b)
{
	const Bottleneck *x = (const Bottleneck *) a;
	const Bottleneck *y = (const Bottleneck *) b;

	if (x->times->elapsed.sum != y->times->elapsed.sum)
		return x->times->elapsed.sum > y->times->elapsed.sum ? -1 : 1;
	if (x->from != y->from)
		return x->from - y->from;
	return x->to - y->to;
}

/*
 * Visits that have not ended count unless the agreement says that the stage is
 * won or lost.
 */
static bool
IsOpen(const Funnel *funnel, LeadString name)
{
	int			stage = align_funnel_stage(funnel, name.text, name.len);

	return stage < 0 || funnel->stages[stage].kind == STAGE_OPEN;
}

static int
CollectRows(Process *process, const Funnel *funnel, Bottleneck *result)
{
	int			n = 0;

	for (int i = 0; i < process->nmoves; i++)
	{
		ProcessMove *move = &process->moves[i];

		result[n++] = (Bottleneck)
		{
			move->from, move->to, move->leads, &move->times
		};
	}
	for (int i = 0; funnel != NULL && i < process->nstages; i++)
	{
		ProcessStage *stage = &process->stages[i];

		if (stage->ends > 0 && IsOpen(funnel, stage->name))
			result[n++] = (Bottleneck)
		{
			i, -1, stage->ends, &stage->ages
		};
	}
	qsort(result, n, sizeof(Bottleneck), CompareBottlenecks);
	return n;
}

/*
 * A share, NULL if there is no time at all.
 */
static void
SetShare(uint128 part, uint128 whole, int column, Datum *values, bool *nulls)
{
	if (whole > 0)
		values[column] = Float8GetDatum((double) part / (double) whole);
	else
		nulls[column] = true;
}

static void
PutRows(ReturnSetInfo *rsinfo, const Process *process, Bottleneck *rows, int nrows)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "align bottlenecks row",
													  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row_context);
	uint128		elapsed = 0;
	uint128		working = 0;
	uint128		so_far = 0;

	for (int i = 0; i < nrows; i++)
	{
		elapsed += rows[i].times->elapsed.sum;
		working += rows[i].times->working.sum;
	}
	for (int i = 0; i < nrows; i++)
	{
		const Bottleneck *row = &rows[i];
		Datum		values[NCOLUMNS];
		bool		nulls[NCOLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		so_far += row->times->elapsed.sum;
		values[COL_PLACE] = Int32GetDatum(i + 1);
		values[COL_FROM_STAGE] = align_lead_text_datum(process->stages[row->from].name);
		if (row->to >= 0)
			values[COL_STAGE] = align_lead_text_datum(process->stages[row->to].name);
		else
			nulls[COL_STAGE] = true;
		values[COL_VISITS] = Int64GetDatum(row->times->elapsed.count);
		values[COL_LEADS] = Int64GetDatum(row->leads);
		SetShare(row->times->elapsed.sum, elapsed, COL_SHARE, values, nulls);
		SetShare(so_far, elapsed, COL_CUMULATIVE_SHARE, values, nulls);
		SetShare(row->times->working.sum, working, COL_WORKING_SHARE, values, nulls);
		align_times_columns(&row->times->elapsed, false, values + COL_TIMES, nulls + COL_TIMES);
		align_times_columns(&row->times->working, true, values + COL_TIMES + TIMES_NCOLUMNS,
							nulls + COL_TIMES + TIMES_NCOLUMNS);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_context);
}

Datum
align_bottlenecks(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = PG_NARGS() > 1 ?
		align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1) : NULL;
	Process    *process;
	Bottleneck *rows;
	int			nrows;

	align_begin_rows(fcinfo);
	process = align_process_decode_datum(PG_GETARG_DATUM(0), CurrentMemoryContext, false);
	if (funnel != NULL && !process->identity.has_as_of)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("process does not contain the time of leads that are still in a stage"),
				 errdetail("It was made without an as_of."),
				 errhint("Give dfg_agg() an as_of, or call bottlenecks() without an agreement.")));
	rows = palloc((process->nmoves + process->nstages) * sizeof(Bottleneck));
	nrows = CollectRows(process, funnel, rows);
	PutRows((ReturnSetInfo *) fcinfo->resultinfo, process, rows, nrows);
	pfree(rows);
	MemoryContextDelete(PROCESS_CONTEXT(process));
	return (Datum) 0;
}
