/*
 * instant.c
 *	  What a set of simultaneous events does to chains.
 *
 * In the best order, those events that a chain does not use are where they do
 * least harm: first, where the chain has passed the fewest steps, or last,
 * where it has passed the most.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "matching/search.h"

/* A level that no chain has. */
#define NEVER (MATCH_MAX_STEPS + 1)

/*
 * Events that match the same steps.
 */
typedef struct EventKind
{
	uint64		steps;
	size_t		unused;			/* events that no step is assigned */
} EventKind;

/*
 * Events assigned to consecutive steps.
 */
typedef struct StepFilling
{
	size_t		nkinds;
	EventKind  *kinds;
	uint64		filled;			/* the steps */
	EventKind  *kind[MATCH_MAX_STEPS];	/* by step */
} StepFilling;

static int
CompareSteps(const void *a, const void *b)
{
	uint64		left = ((const EventKind *) a)->steps;
	uint64		right = ((const EventKind *) b)->steps;

	return left < right ? -1 : left > right;
}

/*
 * Count the events of each kind.  The kinds are palloc'd.
 */
static void
GatherKinds(StepFilling *filling, const StepEvent *events, size_t nevents)
{
	EventKind  *kinds = MemoryContextAllocHuge(CurrentMemoryContext,
											   nevents * sizeof(EventKind));
	size_t		nkinds = 0;

	for (size_t i = 0; i < nevents; i++)
	{
		kinds[i].steps = events[i].steps;
		kinds[i].unused = 1;
	}
	qsort(kinds, nevents, sizeof(EventKind), CompareSteps);
	for (size_t i = 0; i < nevents; i++)
	{
		if (nkinds > 0 && kinds[nkinds - 1].steps == kinds[i].steps)
			kinds[nkinds - 1].unused++;
		else
			kinds[nkinds++] = kinds[i];
	}
	filling->kinds = kinds;
	filling->nkinds = nkinds;
	filling->filled = 0;
}

/*
 * A kind of which an event is left for a step, or NULL.
 */
static EventKind *
UnusedKind(StepFilling *filling, int step)
{
	for (size_t i = 0; i < filling->nkinds; i++)
	{
		if (filling->kinds[i].unused > 0 && filling->kinds[i].steps & STEP_BIT(step))
			return &filling->kinds[i];
	}
	return NULL;
}

/*
 * Fill one more step, by an alternating search; false if that is impossible.
 */
static bool
FillStep(StepFilling *filling, int step)
{
	int8		after[MATCH_MAX_STEPS]; /* the step that takes this one's
										 * event */
	uint64		seen = STEP_BIT(step);
	uint64		todo = seen;

	after[step] = -1;
	while (todo != 0)
	{
		int			at = LowestStep(todo);
		EventKind  *kind = UnusedKind(filling, at);

		CHECK_FOR_INTERRUPTS();
		todo &= todo - 1;
		if (kind != NULL)
		{
			kind->unused--;
			for (; at >= 0; at = after[at])
			{
				EventKind  *had = filling->kind[at];

				filling->kind[at] = kind;
				kind = had;
			}
			filling->filled |= STEP_BIT(step);
			return true;
		}
		for (uint64 rest = filling->filled & ~seen; rest != 0; rest &= rest - 1)
		{
			int			other = LowestStep(rest);

			if (filling->kind[other]->steps & STEP_BIT(at))
			{
				after[other] = at;
				seen |= STEP_BIT(other);
				todo |= STEP_BIT(other);
			}
		}
	}
	return false;
}

/*
 * The level up to which distinct events fill the steps from each level.  The
 * furthest does not descend, so the steps are filled and freed once.
 */
static void
FillDistinct(const StepRules *rules, const StepEvent *events, size_t nevents, uint8 *most)
{
	StepFilling filling;
	int			to = 0;

	GatherKinds(&filling, events, nevents);
	for (int level = 0; level < rules->nsteps; level++)
	{
		to = Max(to, level);
		while (to < rules->nsteps && FillStep(&filling, to))
			to++;
		most[level] = to;
		if (to > level)
		{
			filling.kind[level]->unused++;
			filling.filled &= ~STEP_BIT(level);
		}
	}
	pfree(filling.kinds);
}

/*
 * The highest level after the events that a chain of each level before them
 * can have; returns the one of a chain that begins among them.
 */
int
align_instant_most(const StepRules *rules, const StepEvent *events, size_t nevents,
				   uint8 most[MATCH_MAX_STEPS])
{
	uint64		steps = 0;
	bool		several = false;	/* an event matches several steps */

	for (size_t i = 0; i < nevents; i++)
	{
		steps |= events[i].steps;
		several |= (events[i].steps & (events[i].steps - 1)) != 0;
	}
	if (rules->modes & MATCH_INCREASE)
	{
		for (int level = 0; level < rules->nsteps; level++)
			most[level] = level + ((steps >> level) & 1);
	}
	else if (several && nevents == 1 && !(rules->modes & MATCH_REUSE))
	{
		for (int level = 0; level < rules->nsteps; level++)
			most[level] = level + ((steps >> level) & 1);
	}
	else if (several && !(rules->modes & MATCH_REUSE))
		FillDistinct(rules, events, nevents, most);
	else
	{
		/* one event may fill several steps, or there is one for each */
		int			to = rules->nsteps;

		for (int level = rules->nsteps - 1; level >= 0; level--)
		{
			if (!(steps & STEP_BIT(level)))
				to = level;
			most[level] = to;
		}
	}
	return most[0];
}

/*
 * The lowest level after the events of a chain that has to use some of them,
 * whose steps from its level on are given; at most most.
 */
static int
LeastToUse(const uint64 *required, int nrequired, int level, int most)
{
	int			least = level + nrequired;
	int			enough = NEVER;

	/* more steps never make it harder */
	while (least <= most)
	{
		int			to = enough == NEVER ? most : least + (most - least) / 2;
		Assignment	assignment;
		int			i;

		assignment.taken = 0;
		for (i = 0; i < nrequired; i++)
		{
			if (!align_assignment_add(&assignment, required[i] & StepRange(level, to), 0))
				break;
		}
		if (i == nrequired)
		{
			enough = to;
			most = to - 1;
		}
		else if (enough == NEVER)
			return NEVER;
		else
			least = to + 1;
	}
	return enough;
}

/*
 * no_repeat: the events that match a step that the chain has passed, or the
 * next one, must be its own; with strict, all events.
 */
static int
LeastOfLevel(const StepRules *rules, const StepEvent *events, size_t nevents, int level, int most)
{
	uint64		required[MATCH_MAX_STEPS];
	int			nrequired = 0;

	for (size_t i = 0; i < nevents; i++)
	{
		if (!(rules->modes & MATCH_STRICT) && LowestStep(events[i].steps) > level)
			continue;
		if (nrequired == most - level ||
			(events[i].steps & StepRange(level, most)) == 0)
			return NEVER;
		required[nrequired++] = events[i].steps;
	}
	return LeastToUse(required, nrequired, level, most);
}

void
align_instant_reach(const StepRules *rules, const StepEvent *events, size_t nevents,
					InstantReach *reach)
{
	align_instant_most(rules, events, nevents, reach->most);
	reach->pass = 0;
	if (rules->modes & MATCH_NO_REPEAT)
	{
		for (int level = 1; level < rules->nsteps; level++)
			reach->least[level] = LeastOfLevel(rules, events, nevents, level, reach->most[level]);
		return;
	}
	for (int level = 1; level < rules->nsteps; level++)
		reach->least[level] = level;

	/* strict: the others are last, where most steps have been passed */
	if (rules->modes & MATCH_STRICT)
	{
		for (size_t i = 0; i < nevents; i++)
			reach->pass = Max(reach->pass, LowestStep(events[i].steps));
	}
}
