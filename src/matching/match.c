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

/*
 * Search each segment; returns until when a chain of the last one can go on.
 */
static TimestampTz
SearchSegments(const SearchMethod *method, const StepRules *rules, const StepEvents *events,
			   BestChain *best)
{
	TimestampTz open_until = DT_NOBEGIN;
	size_t		from = 0;

	for (size_t i = 0; i <= events->ncuts; i++)
	{
		size_t		to = i < events->ncuts ? events->cuts[i] : events->nevents;
		Segment		segment = {events->events + from, to - from};

		open_until = method->search(rules, &segment, best);
		from = to;
	}
	return open_until;
}

void
align_match(const StepRules *rules, const StepEvents *events, StepMatch *match)
{
	SearchMethod method = MethodOf(rules);
	BestChain	best = {0};

	match->open_until = SearchSegments(&method, rules, events, &best);
	match->level = best.level;
	if (best.level > 0)
		method.trace(rules, &best, match->times);
}

int
align_match_level(const StepRules *rules, const StepEvents *events)
{
	SearchMethod method = MethodOf(rules);
	BestChain	best = {0};

	(void) SearchSegments(&method, rules, events, &best);
	return best.level;
}
