/*
 * graph.c
 *	  Stages and moves of a process in memory: leads are added, and processes
 *	  merged.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "common/int.h"
#include "utils/memutils.h"

#include "attribute/attribute.h"
#include "process/process.h"

#define LEAST_ROOM 4

/*
 * The index of the stages by name.  Its hash function has a seed, because the
 * names of stages may be free text that users choose.
 */
typedef struct StageName
{
	LeadString	name;
	uint32		hash;
	int			stage;
	char		status;			/* for simplehash */
} StageName;

#define SH_PREFIX stage_names
#define SH_ELEMENT_TYPE StageName
#define SH_KEY_TYPE LeadString
#define SH_KEY name
#define SH_HASH_KEY(table, key) align_campaign_hash(key)
#define SH_EQUAL(table, a, b) align_lead_same(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(table, element) (element)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * The index of the moves by the pair of their stages.
 */
typedef struct StagePair
{
	uint64		pair;
	int			move;
	char		status;			/* for simplehash */
} StagePair;

#define SH_PREFIX stage_pairs
#define SH_ELEMENT_TYPE StagePair
#define SH_KEY_TYPE uint64
#define SH_KEY pair
#define SH_HASH_KEY(table, key) \
	hash_combine(murmurhash32((uint32) ((key) >> 32)), murmurhash32((uint32) (key)))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

int
align_process_find_stage(const Process *process, LeadString name)
{
	StageName  *entry;

	if (process->names == NULL)
		return -1;
	entry = stage_names_lookup(process->names, name);
	return entry != NULL ? entry->stage : -1;
}

/*
 * Room for one more element of a zero-initialised array that doubles.
 */
static void *
Enlarge(void *array, int *room, int count, size_t size, MemoryContext context)
{
	int			more;

	if (count < *room)
		return array;
	more = Max(*room * 2, LEAST_ROOM);
	if (array == NULL)
		array = MemoryContextAlloc(context, more * size);
	else
		array = repalloc(array, more * size);
	memset((char *) array + count * size, 0, (more - count) * size);
	*room = more;
	return array;
}

int
align_process_stage(Process *process, LeadString name)
{
	MemoryContext context = PROCESS_CONTEXT(process);
	StageName  *entry;
	bool		found;

	if (process->names == NULL)
	{
		align_campaign_seed_hash();
		process->names = stage_names_create(context, LEAST_ROOM, NULL);
	}
	else
	{
		entry = stage_names_lookup(process->names, name);
		if (likely(entry != NULL))
			return entry->stage;
	}
	if (process->nstages == PROCESS_MAX_STAGES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many stages for a process"),
				 errdetail("A process has at most %d stages.", PROCESS_MAX_STAGES),
				 errhint("Use leads whose stages are those of an agreement, not free text.")));

	process->stages = Enlarge(process->stages, &process->stages_room, process->nstages,
							  sizeof(ProcessStage), context);
	name = align_lead_copy(context, name);
	entry = stage_names_insert(process->names, name, &found);
	entry->stage = process->nstages++;
	process->stages[entry->stage].name = name;
	return entry->stage;
}

int
align_process_move(Process *process, int from, int to)
{
	MemoryContext context = PROCESS_CONTEXT(process);
	uint64		pair = (uint64) from << 32 | (uint64) to;
	StagePair  *entry;
	bool		found;

	if (process->pairs == NULL)
		process->pairs = stage_pairs_create(context, LEAST_ROOM, NULL);
	else
	{
		entry = stage_pairs_lookup(process->pairs, pair);
		if (likely(entry != NULL))
			return entry->move;
	}
	if (process->nmoves == PROCESS_MAX_MOVES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different moves for a process"),
				 errdetail("A process has moves between at most %d pairs of stages.",
						   PROCESS_MAX_MOVES),
				 errhint("Use leads whose stages are those of an agreement, not free text.")));

	process->moves = Enlarge(process->moves, &process->moves_room, process->nmoves,
							 sizeof(ProcessMove), context);
	entry = stage_pairs_insert(process->pairs, pair, &found);
	entry->move = process->nmoves++;
	process->moves[entry->move].from = from;
	process->moves[entry->move].to = to;
	return entry->move;
}

/*
 * The same as a pointer, which is valid until moves are added.
 */
static ProcessMove *
MoveBetween(Process *process, int from, int to)
{
	int			move = align_process_move(process, from, to);

	return &process->moves[move];
}

void
align_process_count(Process *process, int64 leads, int64 moves)
{
	int64		visits;

	/* there are no more leads than visits */
	if (pg_add_s64_overflow(leads, moves, &visits) ||
		pg_add_s64_overflow(process->visits, visits, &visits))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a process cannot count so many moves"),
				 errdetail("Together they are more than a bigint can count.")));
	process->visits = visits;
	process->leads += leads;
}

/*
 * Add the time between two instants, the first not after the second.
 */
static void
AddTimes(Process *process, ProcessTimes *times, Calendar *calendar, TimestampTz from,
		 TimestampTz to)
{
	MemoryContext context = PROCESS_CONTEXT(process);

	align_histogram_add(&times->elapsed, context, (uint64) to - (uint64) from);
	if (calendar != NULL)
		align_histogram_add(&times->working, context,
							(uint64) align_working_time(calendar, from, to));
}

bool
align_process_counts(const struct varlena *lead, TimestampTz as_of)
{
	LeadReader	reader;
	LeadEntry	entry;
	bool		found = false;

	align_lead_read(&reader, lead);
	while (!found && align_lead_next(&reader, &entry) && entry.at <= as_of)
		found = entry.stage >= 0;
	align_lead_read_end(&reader);
	return found;
}

void
align_process_add(Process *process, const struct varlena *lead, Calendar *calendar,
				  TimestampTz as_of)
{
	int			inline_stages[LEAD_INLINE_STRINGS];
	int		   *stage_of_string = inline_stages;
	LeadReader	reader;
	LeadEntry	entry;
	int			last_string = -1;
	int			last = -1;
	TimestampTz since = 0;
	int64		moves = 0;

	process->flat_valid = false;
	process->lead_number++;
	align_lead_read(&reader, lead);
	/* look up each string of the lead's dictionary once */
	if (reader.nstrings > LEAD_INLINE_STRINGS)
		stage_of_string = MemoryContextAllocHuge(CurrentMemoryContext,
												 (Size) reader.nstrings * sizeof(int));
	memset(stage_of_string, -1, reader.nstrings * sizeof(int));

	while (align_lead_next(&reader, &entry) && entry.at <= as_of)
	{
		ProcessStage *stage;
		int			here;

		if (entry.stage < 0 || entry.stage == last_string)
			continue;
		last_string = entry.stage;
		here = stage_of_string[last_string];
		if (here < 0)
		{
			here = align_process_stage(process, reader.strings[last_string]);
			stage_of_string[last_string] = here;
			process->stages[here].leads++;
		}
		stage = &process->stages[here];

		if (last < 0)
			stage->starts++;
		else
		{
			ProcessMove *move = MoveBetween(process, last, here);

			move->moves++;
			if (move->last_lead != process->lead_number)
			{
				move->last_lead = process->lead_number;
				move->leads++;
			}
			AddTimes(process, &move->times, calendar, since, entry.at);
			moves++;
		}
		last = here;
		since = entry.at;
	}
	Assert(last >= 0);
	process->stages[last].ends++;
	if (process->identity.has_as_of)
	{
		AddTimes(process, &process->stages[last].ages, calendar, since, as_of);
		process->least_as_of = Min(process->least_as_of, as_of);
		process->most_as_of = Max(process->most_as_of, as_of);
	}
	align_process_count(process, 1, moves);

	if (stage_of_string != inline_stages)
		pfree(stage_of_string);
	align_lead_read_end(&reader);
}

static void
MergeTimes(Process *process, ProcessTimes *times, ProcessTimes *other)
{
	align_histogram_merge(&times->elapsed, PROCESS_CONTEXT(process), &other->elapsed);
	align_histogram_merge(&times->working, PROCESS_CONTEXT(process), &other->working);
}

void
align_process_merge(Process *process, Process *other)
{
	int		   *stages;

	if (!align_process_same_identity(&process->identity, &other->identity))
		align_process_differs(&process->identity, &other->identity, false);
	/* first, because it makes sure that no sum below overflows */
	align_process_count(process, other->leads, other->visits - other->leads);
	process->flat_valid = false;
	process->least_as_of = Min(process->least_as_of, other->least_as_of);
	process->most_as_of = Max(process->most_as_of, other->most_as_of);

	stages = palloc(other->nstages * sizeof(int));
	for (int i = 0; i < other->nstages; i++)
	{
		ProcessStage *from = &other->stages[i];
		ProcessStage *stage;

		stages[i] = align_process_stage(process, from->name);
		stage = &process->stages[stages[i]];
		stage->leads += from->leads;
		stage->starts += from->starts;
		stage->ends += from->ends;
		MergeTimes(process, &stage->ages, &from->ages);
	}
	for (int i = 0; i < other->nmoves; i++)
	{
		ProcessMove *from = &other->moves[i];
		ProcessMove *move = MoveBetween(process, stages[from->from], stages[from->to]);

		move->moves += from->moves;
		move->leads += from->leads;
		MergeTimes(process, &move->times, &from->times);
	}
	pfree(stages);
}

void
align_process_differs(const ProcessIdentity *a, const ProcessIdentity *b, bool rows)
{
	const char *what;
	char	   *detail;

	if (a->has_working != b->has_working)
	{
		what = "calendars";
		detail = pstrdup("One has a calendar, the other none.");
	}
	else if (a->calendar != b->calendar)
	{
		what = "calendars";
		detail = psprintf("Their fingerprints are %016llx and %016llx.",
						  (unsigned long long) a->calendar, (unsigned long long) b->calendar);
	}
	else
	{
		what = "kinds";
		detail = pstrdup("One has an as_of, the other none.");
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 rows ?
			 errmsg("cannot summarise leads with different %s in one process", what) :
			 errmsg("cannot merge processes of different %s", what),
			 errdetail("%s", detail)));
}
