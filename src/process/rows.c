/*
 * rows.c
 *	  dfg(process) and dfg_stages(process): the moves and the stages of a
 *	  process as rows.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "process/process.h"
#include "process/times.h"

PG_FUNCTION_INFO_V1(align_dfg);
PG_FUNCTION_INFO_V1(align_dfg_stages);

/* Columns of dfg(); times and working times follow. */
enum
{
	MOVE_FROM_STAGE,
	MOVE_STAGE,
	MOVE_MOVES,
	MOVE_LEADS,
	MOVE_TIMES,
	MOVE_NCOLUMNS = MOVE_TIMES + 2 * TIMES_NCOLUMNS
};

/* Columns of dfg_stages(); times, working times and both of ages follow. */
enum
{
	STAGE_STAGE,
	STAGE_VISITS,
	STAGE_LEADS,
	STAGE_STARTS,
	STAGE_ENDS,
	STAGE_TIMES,
	STAGE_AGES = STAGE_TIMES + 2 * TIMES_NCOLUMNS,
	STAGE_NCOLUMNS = STAGE_AGES + 2 * TIMES_NCOLUMNS
};

/*
 * The columns of elapsed times, and after them those of working times.
 */
static void
SetTimes(ProcessTimes *times, Datum *values, bool *nulls)
{
	align_times_columns(&times->elapsed, false, values, nulls);
	align_times_columns(&times->working, true, values + TIMES_NCOLUMNS, nulls + TIMES_NCOLUMNS);
}

/*
 * dfg(process): one row per pair of stages with moves.
 */
Datum
align_dfg(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Process    *process;
	MemoryContext row_context;
	MemoryContext caller;

	align_begin_rows(fcinfo);
	process = align_process_decode_datum(PG_GETARG_DATUM(0), CurrentMemoryContext, false);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "align dfg row",
										ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(row_context);
	for (int i = 0; i < process->nmoves; i++)
	{
		ProcessMove *move = &process->moves[i];
		Datum		values[MOVE_NCOLUMNS];
		bool		nulls[MOVE_NCOLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		values[MOVE_FROM_STAGE] = align_lead_text_datum(process->stages[move->from].name);
		values[MOVE_STAGE] = align_lead_text_datum(process->stages[move->to].name);
		values[MOVE_MOVES] = Int64GetDatum(move->moves);
		values[MOVE_LEADS] = Int64GetDatum(move->leads);
		SetTimes(&move->times, values + MOVE_TIMES, nulls + MOVE_TIMES);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_context);
	MemoryContextDelete(PROCESS_CONTEXT(process));
	return (Datum) 0;
}

/*
 * The times of the visits of each stage that are over, which are those of the
 * moves that ended them.
 */
static ProcessTimes *
VisitTimes(Process *process)
{
	MemoryContext context = PROCESS_CONTEXT(process);
	ProcessTimes *result = MemoryContextAllocZero(context,
												  process->nstages * sizeof(ProcessTimes));

	for (int i = 0; i < process->nmoves; i++)
	{
		ProcessMove *move = &process->moves[i];

		align_histogram_merge(&result[move->from].elapsed, context, &move->times.elapsed);
		align_histogram_merge(&result[move->from].working, context, &move->times.working);
	}
	return result;
}

/*
 * dfg_stages(process): one row per stage.
 */
Datum
align_dfg_stages(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Process    *process;
	ProcessTimes *times;
	MemoryContext row_context;
	MemoryContext caller;

	align_begin_rows(fcinfo);
	process = align_process_decode_datum(PG_GETARG_DATUM(0), CurrentMemoryContext, false);
	times = VisitTimes(process);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "align dfg row",
										ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(row_context);
	for (int i = 0; i < process->nstages; i++)
	{
		ProcessStage *stage = &process->stages[i];
		Datum		values[STAGE_NCOLUMNS];
		bool		nulls[STAGE_NCOLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		values[STAGE_STAGE] = align_lead_text_datum(stage->name);
		values[STAGE_VISITS] = Int64GetDatum(times[i].elapsed.count + stage->ends);
		values[STAGE_LEADS] = Int64GetDatum(stage->leads);
		values[STAGE_STARTS] = Int64GetDatum(stage->starts);
		values[STAGE_ENDS] = Int64GetDatum(stage->ends);
		SetTimes(&times[i], values + STAGE_TIMES, nulls + STAGE_TIMES);
		SetTimes(&stage->ages, values + STAGE_AGES, nulls + STAGE_AGES);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_context);
	MemoryContextDelete(PROCESS_CONTEXT(process));
	return (Datum) 0;
}
