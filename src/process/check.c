/*
 * check.c
 *	  The invariants of a process; see process.h.
 */
#include "postgres.h"

#include "common/int.h"

#include "process/process.h"

/*
 * What the moves of a stage add up to.  No sum overflows, because all visits
 * fit a bigint.
 */
typedef struct StageSums
{
	uint64		entries;
	uint64		exits;
	int64		most_leads;		/* of starts, ends and all its moves */
} StageSums;

const char *
align_process_check_times(const ProcessTimes *times, bool has_working)
{
	if (!has_working)
		return NULL;
	if (times->working.sum > times->elapsed.sum || times->working.least > times->elapsed.least ||
		times->working.most > times->elapsed.most)
		return "Working times are longer than the elapsed times.";
	return NULL;
}

/*
 * Add up leads and visits.
 */
static const char *
SumVisits(Process *process)
{
	int64		ends = 0;

	process->leads = 0;
	for (int i = 0; i < process->nstages; i++)
	{
		if (pg_add_s64_overflow(process->leads, process->stages[i].starts, &process->leads) ||
			pg_add_s64_overflow(ends, process->stages[i].ends, &ends))
			return "Leads are more than a bigint can count.";
	}
	process->visits = process->leads;
	for (int i = 0; i < process->nmoves; i++)
	{
		if (pg_add_s64_overflow(process->visits, process->moves[i].moves, &process->visits))
			return "Moves are more than a bigint can count.";
	}
	if (process->leads == 0)
		return "There is no lead.";
	return NULL;
}

static const char *
CheckMove(const ProcessMove *move)
{
	if (move->from == move->to)
		return "A move leads to the stage that it leaves.";
	if (move->moves < 1 || move->leads < 1)
		return "A move has a count of zero.";
	if (move->leads > move->moves)
		return "More leads than moves.";
	return NULL;
}

static const char *
CheckStage(const Process *process, const ProcessStage *stage, const StageSums *sums)
{
	if (sums->entries == 0)
		return "No lead enters the stage.";
	if (sums->entries != sums->exits)
		return "The stage is not left as often as it is entered.";
	if (stage->leads < sums->most_leads || stage->leads > process->leads ||
		(uint64) stage->leads > sums->entries)
		return "The leads of the stage disagree with its moves.";
	return NULL;
}

const char *
align_process_check(Process *process, int *stage)
{
	StageSums  *sums;
	const char *wrong;

	*stage = -1;
	wrong = SumVisits(process);
	if (wrong != NULL)
		return wrong;

	sums = palloc(process->nstages * sizeof(StageSums));
	for (int i = 0; i < process->nstages; i++)
	{
		sums[i].entries = process->stages[i].starts;
		sums[i].exits = process->stages[i].ends;
		sums[i].most_leads = Max(process->stages[i].starts, process->stages[i].ends);
	}
	for (int i = 0; i < process->nmoves; i++)
	{
		const ProcessMove *move = &process->moves[i];
		StageSums  *from = &sums[move->from];
		StageSums  *to = &sums[move->to];

		*stage = move->from;
		wrong = CheckMove(move);
		if (wrong != NULL)
			return wrong;
		from->exits += move->moves;
		to->entries += move->moves;
		from->most_leads = Max(from->most_leads, move->leads);
		to->most_leads = Max(to->most_leads, move->leads);
	}
	for (int i = 0; i < process->nstages; i++)
	{
		*stage = i;
		wrong = CheckStage(process, &process->stages[i], &sums[i]);
		if (wrong != NULL)
			return wrong;
	}
	pfree(sums);
	return NULL;
}
