/*
 * search.h
 *	  What the files of the search share.
 */
#ifndef ALIGN_MATCHING_SEARCH_H
#define ALIGN_MATCHING_SEARCH_H

#include "port/pg_bitutils.h"

#include "matching/matching.h"

#define STEP_BIT(step) (UINT64CONST(1) << (step))

/* No chain: earlier than any start. */
#define NO_START DT_NOBEGIN

/* The lowest step of an event that matches none: higher than any step. */
#define NO_STEP 64

static inline int
LowestStep(uint64 steps)
{
	return steps == 0 ? NO_STEP : pg_rightmost_one_pos64(steps);
}

/* The steps from one up to, not including, another of at most 64. */
static inline uint64
StepRange(int from, int to)
{
	uint64		below_to = to >= 64 ? ~UINT64CONST(0) : STEP_BIT(to) - 1;

	return from >= to ? 0 : below_to & ~(STEP_BIT(from) - 1);
}

/*
 * The events between two cuts.
 */
typedef struct Segment
{
	const StepEvent *events;
	size_t		nevents;
} Segment;

/*
 * The best chain so far.
 */
typedef struct BestChain
{
	int			level;
	TimestampTz completed;
	TimestampTz start;
	Segment		segment;		/* where it lies */
} BestChain;

static inline bool
IsBetter(const BestChain *best, int level, TimestampTz completed, TimestampTz start)
{
	if (level != best->level)
		return level > best->level;
	if (completed != best->completed)
		return completed < best->completed;
	return start > best->start;
}

static inline void
Consider(BestChain *best, const Segment *segment, int level, TimestampTz completed,
		 TimestampTz start)
{
	if (likely(!IsBetter(best, level, completed, start)))
		return;
	best->level = level;
	best->completed = completed;
	best->start = start;
	best->segment = *segment;
}

/* True if an instant lies within a window of elapsed time. */
static inline bool
InElapsedWindow(const StepWindow *window, TimestampTz from, TimestampTz at)
{
	/* unsigned, because the difference of valid times may exceed an int64 */
	return !window->limited || (uint64) at - (uint64) from <= (uint64) window->time;
}

/* The index after the events that are simultaneous with the one at from. */
static inline size_t
EndOfInstant(const Segment *segment, size_t from)
{
	TimestampTz at = segment->events[from].at;

	while (++from < segment->nevents && segment->events[from].at == at)
		 /* the next */ ;
	return from;
}

/*
 * An assignment of elements, which match steps, to distinct ones of these
 * steps.  Its elements are those of largest weight that can all be assigned,
 * if they are added in ascending order of their times, which are the weights.
 * (assignment.c)
 */
typedef struct Assignment
{
	uint64		taken;			/* the steps that have an element */
	uint64		steps[MATCH_MAX_STEPS]; /* of the element of a step */
	TimestampTz times[MATCH_MAX_STEPS]; /* likewise */
} Assignment;

extern bool align_assignment_add(Assignment *assignment, uint64 steps, TimestampTz at);
extern TimestampTz align_assignment_exchange(Assignment *assignment, uint64 steps,
											 TimestampTz at);

/*
 * What simultaneous events do to chains of each level.  A chain of level L,
 * before them, can pass through them and have a level from least[L] to most[L]
 * after them, but no level below pass; least[L] may be above most[L].  A chain
 * that begins or ends among them need not pass them: it can have each level up
 * to most[L].  (instant.c)
 */
typedef struct InstantReach
{
	uint8		most[MATCH_MAX_STEPS];	/* by level, from 0 */
	uint8		least[MATCH_MAX_STEPS];
	uint8		pass;
} InstantReach;

extern void align_instant_reach(const StepRules *rules, const StepEvent *events, size_t nevents,
								InstantReach *reach);
extern int	align_instant_most(const StepRules *rules, const StepEvent *events, size_t nevents,
							   uint8 most[MATCH_MAX_STEPS]);

/*
 * The searches.  Each finds the best chain of a segment, if it is better than
 * the one so far, and returns until when a chain could go on; its companion
 * fills in the times of the best chain.
 */
extern TimestampTz align_search_plain(const StepRules *rules, const Segment *segment,
									  BestChain *best);
extern void align_trace_plain(const StepRules *rules, const BestChain *best, TimestampTz *times);

extern TimestampTz align_search_sets(const StepRules *rules, const Segment *segment,
									 BestChain *best);
extern void align_trace_sets(const StepRules *rules, const BestChain *best, TimestampTz *times);

extern TimestampTz align_search_order(const StepRules *rules, const Segment *segment,
									  BestChain *best);
extern void align_trace_order(const StepRules *rules, const BestChain *best, TimestampTz *times);

extern TimestampTz align_search_any(const StepRules *rules, const Segment *segment,
									BestChain *best);
extern void align_trace_any(const StepRules *rules, const BestChain *best, TimestampTz *times);

#endif							/* ALIGN_MATCHING_SEARCH_H */
