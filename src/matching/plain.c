/*
 * plain.c
 *	  The search for the modes ordered, increase and reuse, with a window of
 *	  elapsed time over all steps or none.
 *
 * Of the chains of a level the one that started latest has the most left of
 * its window, so the search keeps only that start.  A chain of a level begins
 * with one of the level below, so starts do not ascend with the level.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "matching/search.h"

/*
 * An instant, or one event of it.
 */
typedef struct Instant
{
	const StepEvent *events;
	size_t		nevents;
	TimestampTz at;
	uint64		steps;			/* of all events */
	bool		several;		/* an event matches several steps */
} Instant;

/* How a chain can use an instant. */
typedef enum InstantUse
{
	USE_ONE,					/* for one step */
	USE_EACH,					/* for each of its steps */
	USE_DISTINCT				/* each event for one step */
} InstantUse;

/* True if the search takes simultaneous events together. */
static inline bool
TakesInstants(const StepRules *rules)
{
	return rules->sets || (rules->modes & MATCH_INCREASE);
}

/*
 * Read the instant, or the event, at an index; returns the index after it.
 */
static inline size_t
NextInstant(const Segment *segment, size_t from, bool together, Instant *instant)
{
	const StepEvent *event = &segment->events[from];
	const StepEvent *end = segment->events + segment->nevents;

	instant->events = event;
	instant->at = event->at;
	instant->steps = event->steps;
	instant->several = (event->steps & (event->steps - 1)) != 0;
	instant->nevents = 1;
	if (!together)
		return from + 1;
	for (event++; event < end && event->at == instant->at; event++)
	{
		instant->steps |= event->steps;
		instant->several |= (event->steps & (event->steps - 1)) != 0;
		instant->nevents++;
	}
	return from + instant->nevents;
}

static inline InstantUse
UseOf(const StepRules *rules, const Instant *instant)
{
	if (rules->modes & MATCH_INCREASE)
		return USE_ONE;
	if (rules->modes & MATCH_REUSE)
		return USE_EACH;
	if (instant->nevents == 1)
		return USE_ONE;
	return instant->several ? USE_DISTINCT : USE_EACH;
}

/*
 * A chain of a level that ends at an instant.
 */
static inline void
Reach(const Segment *segment, TimestampTz *starts, int level, TimestampTz at, TimestampTz start,
	  BestChain *best)
{
	starts[level] = Max(starts[level], start);
	Consider(best, segment, level, at, start);
}

/*
 * Fill a step from the level before it.
 */
static inline void
Fill(const StepRules *rules, const Segment *segment, TimestampTz *starts, int step,
	 TimestampTz at, BestChain *best)
{
	if (step == 0)
		Reach(segment, starts, 1, at, at, best);
	else if (starts[step] != NO_START && InElapsedWindow(&rules->within, starts[step], at))
		Reach(segment, starts, step + 1, at, starts[step], best);
}

/*
 * Fill steps with distinct events: a level is reached from the lowest one from
 * which it can be, since that has the latest start.
 */
static void
FillDistinct(const StepRules *rules, const Segment *segment, const Instant *instant,
			 TimestampTz *starts, BestChain *best)
{
	uint8		most[MATCH_MAX_STEPS];
	int			before = rules->nsteps - 1;

	align_instant_most(rules, instant->events, instant->nevents, most);
	for (int level = rules->nsteps; level >= 1; level--)
	{
		before = Min(before, level - 1);
		while (before > 0 && most[before - 1] >= level)
			before--;
		if (most[before] < level)
			continue;
		if (before == 0)
			Reach(segment, starts, level, instant->at, instant->at, best);
		else if (starts[before] != NO_START &&
				 InElapsedWindow(&rules->within, starts[before], instant->at))
			Reach(segment, starts, level, instant->at, starts[before], best);
	}
}

TimestampTz
align_search_plain(const StepRules *rules, const Segment *segment, BestChain *best)
{
	TimestampTz starts[MATCH_MAX_STEPS + 1];
	bool		together = TakesInstants(rules);
	Instant		instant;

	for (int level = 0; level <= rules->nsteps; level++)
		starts[level] = NO_START;
	for (size_t i = 0; i < segment->nevents;)
	{
		CHECK_FOR_INTERRUPTS();
		i = NextInstant(segment, i, together, &instant);
		switch (UseOf(rules, &instant))
		{
			case USE_ONE:
				/* the highest step first, so that no chain fills two */
				while (instant.steps != 0)
				{
					int			step = pg_leftmost_one_pos64(instant.steps);

					instant.steps &= ~STEP_BIT(step);
					Fill(rules, segment, starts, step, instant.at, best);
				}
				break;
			case USE_EACH:
				for (; instant.steps != 0; instant.steps &= instant.steps - 1)
					Fill(rules, segment, starts, LowestStep(instant.steps), instant.at, best);
				break;
			case USE_DISTINCT:
				FillDistinct(rules, segment, &instant, starts, best);
				break;
		}
	}
	if (rules->nsteps == 1 || starts[1] == NO_START)
		return DT_NOBEGIN;
	return align_window_end(&rules->within, starts[1]);
}

/*
 * The level after an instant of a chain that uses it as far as it can.
 */
static int
LevelAfter(const StepRules *rules, const Instant *instant, int level)
{
	uint8		most[MATCH_MAX_STEPS];

	switch (UseOf(rules, instant))
	{
		case USE_ONE:
			return level + ((instant->steps >> level) & 1);
		case USE_EACH:
			while (level < rules->nsteps && instant->steps & STEP_BIT(level))
				level++;
			return level;
		case USE_DISTINCT:
			align_instant_most(rules, instant->events, instant->nevents, most);
			return most[level];
	}
	return level;
}

/*
 * A chain that is further at an instant is never behind later, so filling each
 * step as early as possible leads to the best chain.
 */
void
align_trace_plain(const StepRules *rules, const BestChain *best, TimestampTz *times)
{
	const Segment *segment = &best->segment;
	bool		together = TakesInstants(rules);
	size_t		i = 0;
	int			level = 0;
	Instant		instant;

	while (segment->events[i].at < best->start)
		i++;
	while (level < best->level)
	{
		int			after;

		Assert(i < segment->nevents);
		i = NextInstant(segment, i, together, &instant);
		for (after = Min(LevelAfter(rules, &instant, level), best->level); level < after; level++)
			times[level] = instant.at;
	}
}
