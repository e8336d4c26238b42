/*
 * order.c
 *	  The search in events that are in order, with all rules.
 *
 * Whether a chain can go on depends on its level, its start and the time of
 * its last event.  Chains wait for the steps that they may fill next.  Among
 * those that wait for a step the latest start is best; where the step has a
 * gap, an earlier start counts, too, if it can wait longer.
 *
 * A window in the calendar of a zone can end earlier than that of an earlier
 * start: at the end of a month, and where clocks are set back.  So starts are
 * divided into classes in which the ends do not descend, very few in practice,
 * and each class is searched on its own.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "matching/search.h"

typedef struct Chain
{
	TimestampTz start;			/* or NO_START */
	TimestampTz end;			/* of its window */
} Chain;

static const Chain no_chain = {NO_START, NO_START};

/*
 * A chain that waits for a step with a gap.
 */
typedef struct GapChain
{
	Chain		chain;
	TimestampTz deadline;		/* the end of the gap */
} GapChain;

/*
 * The chains that wait for a step.
 */
typedef struct Waiting
{
	Chain		latest;			/* if the step has no gap */
	GapChain   *chains;			/* else: deadlines ascend, starts descend */
	int			head;
	int			nchains;		/* head included */
	int			room;
	Chain		fresh;			/* with increase: those whose last event is at
								 * the current instant */
} Waiting;

typedef struct OrderSearch
{
	const StepRules *rules;
	const Segment *segment;
	BestChain  *best;
	bool		increase;
	bool		reuse;			/* without increase */
	uint64		live;			/* the steps that chains wait for */
	uint64		fresh;			/* those that fresh ones wait for */
	TimestampTz fresh_at;
	Waiting		waiting[MATCH_MAX_STEPS];	/* by step */
} OrderSearch;

static inline bool
HasGap(const StepRules *rules, int step)
{
	return rules->gaps != NULL && rules->gaps[step].limited;
}

/*
 * True if an event ends the chains that wait for a step, unless it is their
 * own.  The steps of a block of optional ones and the step after it are the
 * same to all chains that wait for one of them.
 */
static inline bool
Ends(const StepRules *rules, int lowest, int step)
{
	int			next = rules->mandatory[step];

	return ((rules->modes & MATCH_STRICT) && lowest > next) ||
		((rules->modes & MATCH_NO_REPEAT) && lowest <= next);
}

/*
 * Add a chain to those that wait for a step with a gap.
 */
static void
AddGapChain(Waiting *waiting, Chain chain, TimestampTz deadline)
{
	int			end = waiting->nchains;
	int			at;

	/* after those that end earlier; deadlines rarely descend */
	for (at = end; at > waiting->head && waiting->chains[at - 1].deadline >= deadline; at--)
	{
		if (waiting->chains[at - 1].chain.start >= chain.start)
			return;
	}
	for (end = at; at > waiting->head && waiting->chains[at - 1].chain.start <= chain.start;)
		at--;

	/* replace those from at to end, which are no better in any respect */
	if (end < waiting->nchains && waiting->chains[end].deadline == deadline)
		end++;
	if (end == at)
	{
		if (at == waiting->nchains && waiting->head > waiting->room / 2)
		{
			memmove(waiting->chains, waiting->chains + waiting->head,
					(waiting->nchains - waiting->head) * sizeof(GapChain));
			at -= waiting->head;
			end -= waiting->head;
			waiting->nchains -= waiting->head;
			waiting->head = 0;
		}
		if (waiting->nchains == waiting->room)
		{
			waiting->room = Max(8, waiting->room * 2);
			waiting->chains = waiting->chains == NULL ?
				palloc(waiting->room * sizeof(GapChain)) :
				repalloc_huge(waiting->chains, waiting->room * sizeof(GapChain));
		}
		memmove(waiting->chains + at + 1, waiting->chains + at,
				(waiting->nchains - at) * sizeof(GapChain));
		waiting->nchains++;
	}
	else if (end > at + 1)
	{
		memmove(waiting->chains + at + 1, waiting->chains + end,
				(waiting->nchains - end) * sizeof(GapChain));
		waiting->nchains -= end - at - 1;
	}
	waiting->chains[at].chain = chain;
	waiting->chains[at].deadline = deadline;
}

/*
 * A chain whose last event is at an instant waits for a step.
 */
static void
Wait(OrderSearch *search, int step, Chain chain, TimestampTz at)
{
	Waiting    *waiting = &search->waiting[step];

	search->live |= STEP_BIT(step);
	if (HasGap(search->rules, step))
		AddGapChain(waiting, chain, align_window_end(&search->rules->gaps[step], at));
	else if (chain.start > waiting->latest.start)
		waiting->latest = chain;
}

/*
 * The best chain that waits for a step at an instant, or none.
 */
static Chain
BestWaiting(OrderSearch *search, int step, TimestampTz at)
{
	Waiting    *waiting = &search->waiting[step];
	Chain		chain = waiting->latest;

	if (!(search->live & STEP_BIT(step)))
		return no_chain;
	if (HasGap(search->rules, step))
	{
		while (waiting->head < waiting->nchains && waiting->chains[waiting->head].deadline < at)
			waiting->head++;
		if (waiting->head == waiting->nchains)
			return no_chain;
		chain = waiting->chains[waiting->head].chain;
	}
	/* a chain that started earlier does not end later */
	return chain.start == NO_START || chain.end < at ? no_chain : chain;
}

/*
 * End all chains that wait for a step.
 */
static void
Clear(OrderSearch *search, int step)
{
	Waiting    *waiting = &search->waiting[step];

	waiting->latest = no_chain;
	waiting->fresh = no_chain;
	waiting->head = 0;
	waiting->nchains = 0;
	search->live &= ~STEP_BIT(step);
	search->fresh &= ~STEP_BIT(step);
}

/*
 * The time has gone on: chains whose last event is at the instant before may
 * be continued.
 */
static void
AddFresh(OrderSearch *search)
{
	for (; search->fresh != 0; search->fresh &= search->fresh - 1)
	{
		int			step = LowestStep(search->fresh);

		Wait(search, step, search->waiting[step].fresh, search->fresh_at);
		search->waiting[step].fresh = no_chain;
	}
}

/*
 * Chains of a level, the last event of which is at an instant, wait for the
 * steps that they may fill.
 */
static void
WaitForNext(OrderSearch *search, int level, Chain chain, TimestampTz at)
{
	if (level == search->rules->nsteps)
		return;
	for (int step = level; step <= search->rules->mandatory[level]; step++)
	{
		if (!search->increase)
			Wait(search, step, chain, at);
		else
		{
			search->fresh |= STEP_BIT(step);
			search->fresh_at = at;
			if (chain.start > search->waiting[step].fresh.start)
				search->waiting[step].fresh = chain;
		}
	}
}

/*
 * Add an event, which may start a chain or not.
 */
static void
AddEvent(OrderSearch *search, const StepEvent *event, bool starts)
{
	const StepRules *rules = search->rules;
	uint64		steps = event->steps & StepRange(0, rules->nsteps);
	Chain		filled[MATCH_MAX_STEPS];	/* the chain that fills a step */
	uint64		fills = 0;

	if (search->fresh != 0 && event->at > search->fresh_at)
		AddFresh(search);

	/* all chains are found before they wait, so none fills two steps */
	for (uint64 rest = steps; rest != 0; rest &= rest - 1)
	{
		int			step = LowestStep(rest);
		Chain		chain = no_chain;

		if (step > 0)
			chain = BestWaiting(search, step, event->at);
		else if (starts)
		{
			chain.start = event->at;
			chain.end = align_window_end(&rules->within, event->at);
		}
		if (search->reuse)
		{
			/* a level is that of the step before it */
			for (int level = Max(1, rules->behind[step]); level <= step; level++)
			{
				if (fills & STEP_BIT(level - 1) && filled[level - 1].start > chain.start)
					chain = filled[level - 1];
			}
		}
		if (chain.start == NO_START)
			continue;
		filled[step] = chain;
		fills |= STEP_BIT(step);
		Consider(search->best, search->segment, step + 1, event->at, chain.start);
	}

	if (rules->modes & (MATCH_STRICT | MATCH_NO_REPEAT))
	{
		int			lowest = LowestStep(steps);

		for (uint64 rest = search->live | search->fresh; rest != 0; rest &= rest - 1)
		{
			if (Ends(rules, lowest, LowestStep(rest)))
				Clear(search, LowestStep(rest));
		}
	}
	for (; fills != 0; fills &= fills - 1)
		WaitForNext(search, LowestStep(fills) + 1, filled[LowestStep(fills)], event->at);
}

/*
 * Until when one of the chains could go on.
 */
static TimestampTz
OpenUntil(OrderSearch *search)
{
	TimestampTz result = DT_NOBEGIN;

	AddFresh(search);
	for (uint64 rest = search->live; rest != 0; rest &= rest - 1)
	{
		const Waiting *waiting = &search->waiting[LowestStep(rest)];

		if (waiting->latest.start != NO_START)
			result = Max(result, waiting->latest.end);
		for (int i = waiting->head; i < waiting->nchains; i++)
			result = Max(result, Min(waiting->chains[i].chain.end, waiting->chains[i].deadline));
	}
	return result;
}

/*
 * The class of each event that may start a chain, from 1; 0 for others.
 */
static uint16 *
ClassesOfStarts(const StepRules *rules, const Segment *segment, int *nclasses)
{
	uint16	   *classes = MemoryContextAllocHuge(CurrentMemoryContext,
												 segment->nevents * sizeof(uint16));
	TimestampTz *last_ends = palloc((PG_UINT16_MAX + 1) * sizeof(TimestampTz));

	*nclasses = 0;
	for (size_t i = 0; i < segment->nevents; i++)
	{
		TimestampTz end;
		int			class = 0;

		classes[i] = 0;
		if (!(segment->events[i].steps & STEP_BIT(0)))
			continue;
		end = align_window_end(&rules->within, segment->events[i].at);
		while (class < *nclasses && last_ends[class] > end)
			class++;
		if (class == PG_UINT16_MAX)
			elog(ERROR, "ends of calendar windows descend too often");
		last_ends[class] = end;
		*nclasses = Max(*nclasses, class + 1);
		classes[i] = class + 1;
	}
	pfree(last_ends);
	return classes;
}

TimestampTz
align_search_order(const StepRules *rules, const Segment *segment, BestChain *best)
{
	OrderSearch search;
	TimestampTz open_until = DT_NOBEGIN;
	uint16	   *classes = NULL;
	int			nclasses = 1;

	search.rules = rules;
	search.segment = segment;
	search.best = best;
	search.increase = (rules->modes & MATCH_INCREASE) != 0;
	search.reuse = (rules->modes & MATCH_REUSE) && !search.increase;
	memset(search.waiting, 0, rules->nsteps * sizeof(Waiting));
	if (rules->within.limited && rules->within.zone != NULL && segment->nevents > 0)
		classes = ClassesOfStarts(rules, segment, &nclasses);

	for (int class = 1; class <= nclasses; class++)
	{
		search.live = 0;
		search.fresh = 0;
		for (int step = 0; step < rules->nsteps; step++)
			Clear(&search, step);
		for (size_t i = 0; i < segment->nevents; i++)
		{
			CHECK_FOR_INTERRUPTS();
			AddEvent(&search, &segment->events[i], classes == NULL || classes[i] == class);
		}
		open_until = Max(open_until, OpenUntil(&search));
	}

	for (int step = 0; step < rules->nsteps; step++)
	{
		if (search.waiting[step].chains != NULL)
			pfree(search.waiting[step].chains);
	}
	if (classes != NULL)
		pfree(classes);
	return open_until;
}
