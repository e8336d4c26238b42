/*
 * assignment.c
 *	  Elements assigned to distinct steps: bipartite matching, by an
 *	  alternating search over at most 64 steps.
 */
#include "postgres.h"

#include "matching/search.h"

/*
 * The steps that an alternating path from a new element reaches.
 */
typedef struct Reached
{
	uint64		steps;
	int8		before[MATCH_MAX_STEPS];	/* the step before it in the path,
											 * -1: the new element */
} Reached;

/*
 * Search until a step that is not taken; returns it, or -1.
 */
static int
SearchFree(const Assignment *assignment, uint64 steps, Reached *reached)
{
	uint64		todo = steps;
	uint64		fresh = steps;
	int			from = -1;

	reached->steps = steps;
	for (;;)
	{
		uint64		open = fresh & ~assignment->taken;

		for (uint64 rest = fresh; rest != 0; rest &= rest - 1)
			reached->before[LowestStep(rest)] = from;
		if (open != 0)
			return LowestStep(open);
		if (todo == 0)
			return -1;
		from = LowestStep(todo);
		todo &= todo - 1;
		fresh = assignment->steps[from] & ~reached->steps;
		reached->steps |= fresh;
		todo |= fresh;
	}
}

/*
 * Move the elements along the path to a step that has none, and put the new
 * one at its beginning.
 */
static void
Shift(Assignment *assignment, const Reached *reached, int step, uint64 steps, TimestampTz at)
{
	assignment->taken |= STEP_BIT(step);
	while (reached->before[step] >= 0)
	{
		int			before = reached->before[step];

		assignment->steps[step] = assignment->steps[before];
		assignment->times[step] = assignment->times[before];
		step = before;
	}
	assignment->steps[step] = steps;
	assignment->times[step] = at;
}

/*
 * Add an element if all of them can still be assigned; false if not.
 */
bool
align_assignment_add(Assignment *assignment, uint64 steps, TimestampTz at)
{
	Reached		reached;
	int			step = SearchFree(assignment, steps, &reached);

	if (step < 0)
		return false;
	Shift(assignment, &reached, step, steps, at);
	return true;
}

/*
 * Add an element that is not earlier than the others; if they cannot all be
 * assigned, the earliest of those that prevent it is dropped.  Returns
 * its time, or NO_START if none is dropped.
 */
TimestampTz
align_assignment_exchange(Assignment *assignment, uint64 steps, TimestampTz at)
{
	Reached		reached;
	int			step = SearchFree(assignment, steps, &reached);
	TimestampTz earliest = at;

	if (step >= 0)
	{
		Shift(assignment, &reached, step, steps, at);
		return NO_START;
	}
	for (uint64 rest = reached.steps; rest != 0; rest &= rest - 1)
	{
		int			other = LowestStep(rest);

		if (assignment->times[other] < earliest)
		{
			earliest = assignment->times[other];
			step = other;
		}
	}
	if (step >= 0)
		Shift(assignment, &reached, step, steps, at);
	return earliest;
}
