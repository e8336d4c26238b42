/*
 * sets.c
 *	  The search in simultaneous events that are a set, with the modes strict
 *	  and no_repeat.
 *
 * Whether a chain can go on depends only on its level and its start, and the
 * one that started latest has the most left of its window.  So the search
 * keeps for each level the latest start, and takes the events instant by
 * instant.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "matching/search.h"

/*
 * An instant with one event that fills at most one step of a chain.
 */
static void
AddEvent(const StepRules *rules, const Segment *segment, const StepEvent *event,
		 TimestampTz *starts, BestChain *best)
{
	int			lowest = LowestStep(event->steps);

	for (int level = rules->nsteps; level >= 1; level--)
	{
		TimestampTz start = NO_START;

		if (event->steps & STEP_BIT(level - 1))
		{
			if (level == 1)
				start = event->at;
			else if (starts[level - 1] != NO_START &&
					 InElapsedWindow(&rules->within, starts[level - 1], event->at))
				start = starts[level - 1];
			if (start != NO_START)
				Consider(best, segment, level, event->at, start);
		}

		/* chains to which the event does not belong */
		if (((rules->modes & MATCH_STRICT) && lowest > level) ||
			((rules->modes & MATCH_NO_REPEAT) && lowest <= level))
			starts[level] = start;
		else
			starts[level] = Max(starts[level], start);
	}
}

/*
 * An instant with several events.
 */
static void
AddInstant(const StepRules *rules, const Segment *segment, const StepEvent *events,
		   size_t nevents, TimestampTz *starts, BestChain *best)
{
	TimestampTz at = events->at;
	TimestampTz after[MATCH_MAX_STEPS + 1];
	InstantReach reach;

	align_instant_reach(rules, events, nevents, &reach);
	for (int level = 1; level <= rules->nsteps; level++)
	{
		after[level] = NO_START;
		if (level <= reach.most[0])
		{
			after[level] = at;
			Consider(best, segment, level, at, at);
			continue;
		}
		for (int before = level; before >= 1; before--)
		{
			TimestampTz start;

			if (before == rules->nsteps)
				continue;
			if (reach.most[before] < level)
				break;
			start = starts[before];
			if (start == NO_START)
				continue;
			if (before < level)
			{
				if (!InElapsedWindow(&rules->within, start, at))
					continue;
				Consider(best, segment, level, at, start);
			}
			if (reach.least[before] <= level && level >= reach.pass)
				after[level] = Max(after[level], start);
		}
	}
	memcpy(&starts[1], &after[1], rules->nsteps * sizeof(TimestampTz));
}

/* True if an event can fill several steps of a chain. */
static inline bool
FillsSeveral(const StepRules *rules, const StepEvent *event)
{
	return (rules->modes & (MATCH_REUSE | MATCH_INCREASE)) == MATCH_REUSE &&
		(event->steps & (event->steps - 1)) != 0;
}

TimestampTz
align_search_sets(const StepRules *rules, const Segment *segment, BestChain *best)
{
	TimestampTz starts[MATCH_MAX_STEPS + 1];
	TimestampTz open_until = DT_NOBEGIN;

	for (int level = 0; level <= rules->nsteps; level++)
		starts[level] = NO_START;
	for (size_t from = 0; from < segment->nevents;)
	{
		const StepEvent *event = &segment->events[from];
		size_t		to = EndOfInstant(segment, from);

		CHECK_FOR_INTERRUPTS();
		if (to == from + 1 && !FillsSeveral(rules, event))
			AddEvent(rules, segment, event, starts, best);
		else
			AddInstant(rules, segment, event, to - from, starts, best);
		from = to;
	}
	for (int level = 1; level < rules->nsteps; level++)
	{
		if (starts[level] != NO_START)
			open_until = Max(open_until, align_window_end(&rules->within, starts[level]));
	}
	return open_until;
}

/*
 * The levels before an instant that lead to one of those after it.
 */
static uint64
LevelsBefore(const StepRules *rules, const InstantReach *reach, uint64 after)
{
	uint64		before = 0;

	for (int level = 1; level < rules->nsteps; level++)
	{
		int			least = Max(reach->least[level], reach->pass);

		if (after & StepRange(least, reach->most[level] + 1))
			before |= STEP_BIT(level);
	}
	return before;
}

/* The highest of the levels that are in a range; 0 if none. */
static inline int
HighestLevel(uint64 levels, int least, int most)
{
	levels &= StepRange(least, most + 1);
	return levels == 0 ? 0 : pg_leftmost_one_pos64(levels);
}

/*
 * Go back from the end, and note for each instant the levels after it from
 * which the chain can be completed; then go forward from the start, and take
 * the highest of these: that fills each step at the earliest time.
 */
void
align_trace_sets(const StepRules *rules, const BestChain *best, TimestampTz *times)
{
	const Segment *segment = &best->segment;
	uint64	   *good;			/* by the first event of an instant */
	uint64		levels = 0;
	size_t		from = 0;
	size_t		end;
	size_t		i;
	int			level = 0;
	InstantReach reach;

	if (best->start == best->completed)
	{
		for (int step = 0; step < best->level; step++)
			times[step] = best->start;
		return;
	}
	while (segment->events[from].at < best->start)
		from++;
	for (end = from; end < segment->nevents && segment->events[end].at <= best->completed;)
		end++;
	good = MemoryContextAllocHuge(CurrentMemoryContext, (end - from) * sizeof(uint64));

	for (i = end; i > from;)
	{
		size_t		after = i;

		CHECK_FOR_INTERRUPTS();
		while (--i > from && segment->events[i - 1].at == segment->events[i].at)
			 /* to the first of the instant */ ;
		good[i - from] = levels;
		if (i == from)
			break;
		align_instant_reach(rules, &segment->events[i], after - i, &reach);
		if (after < end)
			levels = LevelsBefore(rules, &reach, levels);
		else
		{
			/* the chain ends here, and need not pass */
			for (int before = 1; before < best->level; before++)
			{
				if (reach.most[before] >= best->level)
					levels |= STEP_BIT(before);
			}
		}
	}

	for (i = from; level < best->level;)
	{
		size_t		after = EndOfInstant(segment, i);
		int			to;

		Assert(i < end);
		align_instant_reach(rules, &segment->events[i], after - i, &reach);
		if (i == from)
			to = HighestLevel(good[0], 1, reach.most[0]);
		else if (after == end)
			to = best->level;
		else
			to = HighestLevel(good[i - from], Max(reach.least[level], reach.pass),
							  reach.most[level]);
		for (; level < to; level++)
			times[level] = segment->events[i].at;
		i = after;
	}
	pfree(good);
}
