/*
 * match.c
 *	  Chooses the search for some rules, and runs it between the cuts.
 */
#include "postgres.h"

#include "matching/search.h"

typedef struct SearchMethod
{
	TimestampTz (*search) (const StepRules *rules, const Segment *segment, BestChain *best);
	void		(*trace) (const StepRules *rules, const BestChain *best, TimestampTz *times);
} SearchMethod;

static SearchMethod
MethodOf(const StepRules *rules)
{
	bool		judges_others = (rules->modes & (MATCH_STRICT | MATCH_NO_REPEAT)) != 0;
	SearchMethod any = {align_search_any, align_trace_any};
	SearchMethod sets = {align_search_sets, align_trace_sets};
	SearchMethod order = {align_search_order, align_trace_order};
	SearchMethod plain = {align_search_plain, align_trace_plain};

	if (rules->modes & MATCH_ANY)
		return any;
	if (rules->sets)
		return judges_others ? sets : plain;
	if (judges_others || rules->gaps != NULL || rules->optional != 0 ||
		rules->within.zone != NULL)
		return order;
	return plain;
}

/* The part of the events before a cut, or after the last one. */
static Segment
SegmentOf(const StepEvents *events, size_t number)
{
	size_t		from = number == 0 ? 0 : events->cuts[number - 1];
	size_t		to = number < events->ncuts ? events->cuts[number] : events->nevents;
	Segment		segment = {events->events + from, to - from};

	return segment;
}

/*
 * True if a chain fills some step earlier than another of the same level,
 * start and completion.
 */
static bool
FillsEarlier(const TimestampTz *times, const TimestampTz *other, int level)
{
	for (int step = 1; step < level; step++)
	{
		if (times[step] != other[step])
			return other[step] == MATCH_NO_TIME ||
				(times[step] != MATCH_NO_TIME && times[step] < other[step]);
	}
	return false;
}

void
align_match(const StepRules *rules, const StepEvents *events, StepMatch *match)
{
	SearchMethod method = MethodOf(rules);
	BestChain	best = {0};

	for (size_t i = 0; i <= events->ncuts; i++)
	{
		Segment		segment = SegmentOf(events, i);
		BestChain	found = {0};
		TimestampTz times[MATCH_MAX_STEPS];

		match->open_until = method.search(rules, &segment, &found);
		if (found.level == 0)
			continue;

		/* a cut between simultaneous events can leave two of the same times */
		if (found.level == best.level && found.start == best.start &&
			found.completed == best.completed)
		{
			method.trace(rules, &found, times);
			if (FillsEarlier(times, match->times, best.level))
				memcpy(match->times, times, best.level * sizeof(TimestampTz));
		}
		else if (IsBetter(&best, found.level, found.completed, found.start))
		{
			best = found;
			method.trace(rules, &best, match->times);
		}
	}
	match->level = best.level;
}

int
align_match_level(const StepRules *rules, const StepEvents *events)
{
	SearchMethod method = MethodOf(rules);
	BestChain	best = {0};

	for (size_t i = 0; i <= events->ncuts; i++)
	{
		Segment		segment = SegmentOf(events, i);

		(void) method.search(rules, &segment, &best);
	}
	return best.level;
}
