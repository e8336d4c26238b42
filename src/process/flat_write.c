/*
 * flat_write.c
 *	  Writes the flat form of a process.
 */
#include "postgres.h"

#include "process/process.h"

static int
CompareNames(const void *a, const void *b, void *arg)
{
	const Process *process = (const Process *) arg;
	const LeadString *x = &process->stages[*(const int *) a].name;
	const LeadString *y = &process->stages[*(const int *) b].name;
	int			result = memcmp(x->text, y->text, Min(x->len, y->len));

	return result != 0 ? result : x->len - y->len;
}

/*
 * A move and its place in the canonical order.
 */
typedef struct MovePlace
{
	uint64		pair;
	int			move;
} MovePlace;

static int
ComparePlaces(const void *a, const void *b)
{
	uint64		x = ((const MovePlace *) a)->pair;
	uint64		y = ((const MovePlace *) b)->pair;

	return (x > y) - (x < y);
}

static void
EncodeTimes(StringInfo out, ProcessTimes *times)
{
	align_histogram_encode(out, &times->elapsed);
	align_histogram_encode(out, &times->working);
}

/*
 * Append the stages, and set the place of each.
 */
static void
EncodeStages(StringInfo out, Process *process, int *places)
{
	int		   *order = palloc(process->nstages * sizeof(int));

	for (int i = 0; i < process->nstages; i++)
		order[i] = i;
	qsort_arg(order, process->nstages, sizeof(int), CompareNames, process);

	align_wire_append_uint(out, process->nstages);
	for (int i = 0; i < process->nstages; i++)
	{
		ProcessStage *stage = &process->stages[order[i]];

		places[order[i]] = i;
		align_wire_append_text(out, stage->name.text, stage->name.len);
		align_wire_append_uint(out, stage->leads);
		align_wire_append_uint(out, stage->starts);
		align_wire_append_uint(out, stage->ends);
		EncodeTimes(out, &stage->ages);
	}
	pfree(order);
}

static void
EncodeMoves(StringInfo out, Process *process, const int *places)
{
	MovePlace  *order = palloc(process->nmoves * sizeof(MovePlace));
	uint64		last_from = 0;

	for (int i = 0; i < process->nmoves; i++)
	{
		order[i].pair = (uint64) places[process->moves[i].from] << 32 |
			(uint64) places[process->moves[i].to];
		order[i].move = i;
	}
	qsort(order, process->nmoves, sizeof(MovePlace), ComparePlaces);

	align_wire_append_uint(out, process->nmoves);
	for (int i = 0; i < process->nmoves; i++)
	{
		ProcessMove *move = &process->moves[order[i].move];
		uint64		from = order[i].pair >> 32;

		align_wire_append_uint(out, from - last_from);
		align_wire_append_uint(out, (uint32) order[i].pair);
		align_wire_append_uint(out, move->moves);
		align_wire_append_uint(out, move->leads);
		EncodeTimes(out, &move->times);
		last_from = from;
	}
	pfree(order);
}

void
align_process_encode(StringInfo out, Process *process)
{
	const ProcessIdentity *identity = &process->identity;
	int		   *places = palloc(process->nstages * sizeof(int));

	Assert(process->leads > 0);

	align_wire_append_uint(out, (identity->has_working ? PROCESS_WORKING : 0) |
						   (identity->has_as_of ? PROCESS_AS_OF : 0));
	if (identity->has_working)
	{
		for (int shift = 56; shift >= 0; shift -= 8)
			appendStringInfoChar(out, (char) (identity->calendar >> shift));
	}
	if (identity->has_as_of)
	{
		align_wire_append_int(out, process->least_as_of);
		align_wire_append_uint(out, (uint64) process->most_as_of - (uint64) process->least_as_of);
	}
	EncodeStages(out, process, places);
	EncodeMoves(out, process, places);
	pfree(places);
}
