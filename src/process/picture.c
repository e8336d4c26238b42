/*
 * picture.c
 *	  What a picture of a process shows.
 */
#include "postgres.h"

#include "process/picture.h"
#include "process/times.h"

/*
 * The most frequent move first; equal ones in the order of their stages.
 */
static int
CompareMoves(const void *a, const void *b, void *arg)
{
	const Process *process = (const Process *) arg;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (process->moves[x].moves != process->moves[y].moves)
		return process->moves[x].moves > process->moves[y].moves ? -1 : 1;
	return x - y;
}

void
align_picture(FunctionCallInfo fcinfo, Picture *picture)
{
	Process    *process = align_process_decode_datum(PG_GETARG_DATUM(0), CurrentMemoryContext,
													 false);

	memset(picture, 0, sizeof(*picture));
	picture->process = process;
	picture->min_leads = PG_GETARG_INT64(1);
	picture->min_share = PG_GETARG_FLOAT8(2);
	if (picture->min_leads < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_leads must not be negative")));
	if (!(picture->min_share >= 0 && picture->min_share <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_share must be between 0 and 1")));
	picture->stage_shown = palloc0(process->nstages * sizeof(bool));
	picture->moves = palloc(process->nmoves * sizeof(int));

	for (int i = 0; i < process->nstages; i++)
	{
		const ProcessStage *stage = &process->stages[i];

		picture->stage_shown[i] = align_picture_shows(picture, stage->starts) ||
			align_picture_shows(picture, stage->ends);
	}
	for (int i = 0; i < process->nmoves; i++)
	{
		const ProcessMove *move = &process->moves[i];

		picture->moves_in_all += move->moves;
		if (!align_picture_shows(picture, move->leads))
			continue;
		picture->moves[picture->nmoves++] = i;
		picture->moves_shown += move->moves;
		picture->stage_shown[move->from] = true;
		picture->stage_shown[move->to] = true;
	}
	qsort_arg(picture->moves, picture->nmoves, sizeof(int), CompareMoves, process);
}

void
align_picture_times(StringInfo out, const ProcessTimes *times)
{
	align_write_duration(out, align_histogram_mean(&times->elapsed), false);
	if (times->working.count == 0)
		return;
	appendStringInfoString(out, " (");
	align_write_duration(out, align_histogram_mean(&times->working), true);
	appendStringInfoString(out, " working)");
}
