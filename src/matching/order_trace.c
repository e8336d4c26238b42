/*
 * order_trace.c
 *	  The times of the best chain in events that are in order.
 *
 * Its level, start and completion are known.  A pass back from the end finds
 * the events that lead there, by the step that they fill; a pass forward from
 * the start then takes the earliest of them for each step.  Window and classes
 * of starts no longer matter: the end is within the window of the start.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "matching/search.h"

typedef struct OrderTrace
{
	const StepRules *rules;
	const StepEvent *events;	/* from the start to the completion */
	size_t		nevents;
	TimestampTz start;
	TimestampTz completed;
	int			level;
	bool		increase;
	bool		reuse;			/* without increase */
	uint64	   *leads;			/* by event: the steps that it can fill in a
								 * chain that is completed in time */
} OrderTrace;

/* True if a step is filled within its gap. */
static inline bool
InGap(const OrderTrace *trace, int step, TimestampTz before, TimestampTz at)
{
	return trace->rules->gaps == NULL || at <= align_window_end(&trace->rules->gaps[step], before);
}

/* True if an event that is not the chain's own ends it at a level. */
static inline bool
EndsChain(const StepRules *rules, const StepEvent *event, int level)
{
	int			lowest = LowestStep(event->steps & StepRange(0, rules->nsteps));
	int			next = rules->mandatory[level];

	return ((rules->modes & MATCH_STRICT) && lowest > next) ||
		((rules->modes & MATCH_NO_REPEAT) && lowest <= next);
}

/* The last step that may be filled next at a level. */
static inline int
LastNext(const OrderTrace *trace, int level)
{
	return Min(trace->rules->mandatory[level], trace->level - 1);
}

/*
 * The steps that an event can fill.  nearest has for each step the time of the
 * next event that can fill it, or NO_START.
 */
static uint64
StepsThatLead(const OrderTrace *trace, const StepEvent *event, const TimestampTz *nearest)
{
	uint64		steps = event->steps & StepRange(event->at == trace->start ? 0 : 1, trace->level);
	uint64		leads = 0;

	/* the highest first, because with reuse it may follow a lower one */
	while (steps != 0)
	{
		int			step = pg_leftmost_one_pos64(steps);
		bool		good = false;

		steps &= ~STEP_BIT(step);
		if (step + 1 == trace->level)
			good = event->at == trace->completed;
		else
		{
			for (int next = step + 1; next <= LastNext(trace, step + 1) && !good; next++)
				good = (trace->reuse && leads & STEP_BIT(next)) ||
					(nearest[next] != NO_START &&
					 InGap(trace, next, event->at, nearest[next]));
		}
		if (good)
			leads |= STEP_BIT(step);
	}
	return leads;
}

static void
TraceBack(OrderTrace *trace)
{
	const StepRules *rules = trace->rules;
	TimestampTz nearest[MATCH_MAX_STEPS];
	uint64		fresh = 0;		/* with increase: to be nearest before
								 * fresh_at */
	TimestampTz fresh_at = 0;

	for (int step = 0; step < trace->level; step++)
		nearest[step] = NO_START;
	for (size_t i = trace->nevents; i-- > 0;)
	{
		const StepEvent *event = &trace->events[i];

		CHECK_FOR_INTERRUPTS();
		if (event->at < fresh_at)
		{
			for (; fresh != 0; fresh &= fresh - 1)
				nearest[LowestStep(fresh)] = fresh_at;
		}
		trace->leads[i] = StepsThatLead(trace, event, nearest);

		/* chains that pass this event cannot be continued after it */
		if (rules->modes & (MATCH_STRICT | MATCH_NO_REPEAT))
		{
			for (int step = 1; step < trace->level; step++)
			{
				if (!EndsChain(rules, event, step))
					continue;
				nearest[step] = NO_START;
				fresh &= ~STEP_BIT(step);
			}
		}
		for (uint64 rest = trace->leads[i] & ~STEP_BIT(0); rest != 0; rest &= rest - 1)
		{
			if (trace->increase)
			{
				fresh |= STEP_BIT(LowestStep(rest));
				fresh_at = event->at;
			}
			else
				nearest[LowestStep(rest)] = event->at;
		}
	}
}

/*
 * Events at one instant, any of which can fill the step filled last.
 */
typedef struct Candidates
{
	size_t		n;
	size_t	   *events;			/* ascending */
} Candidates;

/*
 * The earliest events that can fill a step after one of the candidates, whose
 * level is given; false if there are none.
 */
static bool
FillNext(const OrderTrace *trace, const Candidates *candidates, int level, int step,
		 Candidates *found)
{
	TimestampTz at = trace->events[candidates->events[0]].at;
	size_t		ahead = 0;		/* candidates passed */
	bool		alive = false;	/* a chain of one of them can go on */

	found->n = 0;
	for (size_t i = candidates->events[0]; i < trace->nevents; i++)
	{
		const StepEvent *event = &trace->events[i];
		bool		is_candidate = ahead < candidates->n && candidates->events[ahead] == i;

		if (found->n > 0 && event->at > trace->events[found->events[0]].at)
			break;
		if (trace->leads[i] & STEP_BIT(step) &&
			((alive && (!trace->increase || event->at > at) && InGap(trace, step, at, event->at)) ||
			 (trace->reuse && is_candidate)))
			found->events[found->n++] = i;
		if (EndsChain(trace->rules, event, level))
			alive = false;
		if (is_candidate)
		{
			alive = true;
			ahead++;
		}
		if (!alive && ahead == candidates->n)
			break;
	}
	return found->n > 0;
}

static void
TraceForward(const OrderTrace *trace, TimestampTz *times)
{
	Candidates	candidates = {0};
	Candidates	found = {0};
	int			level = 1;

	candidates.events = MemoryContextAllocHuge(CurrentMemoryContext,
											   trace->nevents * sizeof(size_t));
	found.events = MemoryContextAllocHuge(CurrentMemoryContext, trace->nevents * sizeof(size_t));
	for (size_t i = 0; i < trace->nevents && trace->events[i].at == trace->start; i++)
	{
		if (trace->leads[i] & STEP_BIT(0))
			candidates.events[candidates.n++] = i;
	}
	times[0] = trace->start;
	while (level < trace->level)
	{
		Candidates	before = candidates;
		int			step = level;

		CHECK_FOR_INTERRUPTS();
		while (!FillNext(trace, &candidates, level, step, &found))
		{
			Assert(step < LastNext(trace, level));
			times[step++] = MATCH_NO_TIME;
		}
		times[step] = trace->events[found.events[0]].at;
		level = step + 1;
		candidates = found;
		found = before;
	}
	pfree(candidates.events);
	pfree(found.events);
}

void
align_trace_order(const StepRules *rules, const BestChain *best, TimestampTz *times)
{
	const Segment *segment = &best->segment;
	OrderTrace	trace;
	size_t		from = 0;
	size_t		to;

	while (segment->events[from].at < best->start)
		from++;
	for (to = from; to < segment->nevents && segment->events[to].at <= best->completed;)
		to++;
	trace.rules = rules;
	trace.events = segment->events + from;
	trace.nevents = to - from;
	trace.start = best->start;
	trace.completed = best->completed;
	trace.level = best->level;
	trace.increase = (rules->modes & MATCH_INCREASE) != 0;
	trace.reuse = (rules->modes & MATCH_REUSE) && !trace.increase;
	trace.leads = MemoryContextAllocHuge(CurrentMemoryContext, trace.nevents * sizeof(uint64));
	TraceBack(&trace);
	TraceForward(&trace, times);
	pfree(trace.leads);
}
