/*
 * sequence_group.c
 *	  Runs of a pattern's items within a set of simultaneous events.
 *
 * A run of items can be matched within a group if its items can be assigned
 * to distinct events: a matching in a bipartite graph.  Events that match the
 * same conditions of the pattern are one kind, items with the same condition
 * are interchangeable; so the state of a matching is a number of events for
 * each pair of kind and condition.  Items "." match what is left: they only
 * count.
 *
 * A part of a run that can be matched can be matched, too.  So the ends of
 * runs do not fall as their starts rise, and one sweep finds all of them: add
 * an item at the end as long as an augmenting path exists, else remove one at
 * the beginning.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "matching/pattern_set.h"
#include "matching/sequence.h"

#define ST_SORT SortMasks
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Kinds of events that a search looks at, in all groups together. */
#define MAX_WORK ((int64) 2000 * 1000 * 1000)

/* Numbers of events by kind and condition, 4 bytes each. */
#define MAX_COUNTS ((size_t) 64 * 1024 * 1024)

struct GroupSearch
{
	const SequencePattern *pattern;
	MemoryContext context;
	int			nconditions;	/* that the pattern refers to */
	int8		number[PATTERN_MAX_CONDITIONS]; /* of a condition, from 0 */
	uint64	   *items;			/* that an event matches */
	int64		work;

	/* by kind of events, as many as there is room for */
	size_t		room;
	size_t		nkinds;
	uint64	   *masks;			/* numbers of the conditions that hold */
	uint64	   *used;			/* conditions to which events are assigned */
	size_t	   *left;			/* events that are not assigned */
	uint32	   *counts;			/* events assigned, for each condition */

	/* by condition: no kind before this one has events left for it */
	size_t		first_left[PATTERN_MAX_CONDITIONS];
};

GroupSearch *
align_group_search(const SequencePattern *pattern)
{
	GroupSearch *search = palloc0(sizeof(GroupSearch));

	search->pattern = pattern;
	search->context = CurrentMemoryContext;
	search->items = palloc(pattern->nwords * sizeof(uint64));
	for (int i = 0; i < PATTERN_MAX_CONDITIONS; i++)
	{
		if ((pattern->conditions >> i) & 1)
			search->number[i] = search->nconditions++;
	}
	return search;
}

void
align_event_items(const SequencePattern *pattern, const StepEvent *event, uint64 *items)
{
	uint64		conditions = event->steps & pattern->conditions;

	memcpy(items, pattern->any, pattern->nwords * sizeof(uint64));
	for (; conditions != 0; conditions &= conditions - 1)
	{
		const uint64 *matches = pattern->matches[pg_rightmost_one_pos64(conditions)];

		for (int word = 0; word < pattern->nwords; word++)
			items[word] |= matches[word];
	}
}

static void
FailTooComplex(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("pattern is too complex for the simultaneous events"),
			 errdetail("Too many events of different kinds have the same time."),
			 errhint("Give times that distinguish more events, or fewer conditions.")));
}

/*
 * Make room for a number of kinds.
 */
static void
ReserveKinds(GroupSearch *search, size_t room)
{
	size_t		ncounts = room * Max(search->nconditions, 1);

	if (room <= search->room)
		return;
	if (ncounts > MAX_COUNTS)
		FailTooComplex();
	if (search->room > 0)
	{
		pfree(search->masks);
		pfree(search->used);
		pfree(search->left);
		pfree(search->counts);
	}
	search->masks = MemoryContextAllocHuge(search->context, room * sizeof(uint64));
	search->used = MemoryContextAllocHuge(search->context, room * sizeof(uint64));
	search->left = MemoryContextAllocHuge(search->context, room * sizeof(size_t));
	search->counts = MemoryContextAllocHuge(search->context, ncounts * sizeof(uint32));
	search->room = room;
}

/*
 * The conditions of an event that the pattern refers to, by number.
 */
static uint64
EventMask(const GroupSearch *search, const StepEvent *event)
{
	uint64		conditions = event->steps & search->pattern->conditions;
	uint64		result = 0;

	for (; conditions != 0; conditions &= conditions - 1)
		result |= UINT64CONST(1) << search->number[pg_rightmost_one_pos64(conditions)];
	return result;
}

/*
 * Set the kinds of the group's events.  No event is assigned.
 */
static void
FindKinds(GroupSearch *search, const EventGroup *group)
{
	uint64	   *masks = MemoryContextAllocHuge(search->context, group->nevents * sizeof(uint64));
	size_t		nkinds = 1;

	for (size_t i = 0; i < group->nevents; i++)
		masks[i] = EventMask(search, &group->events[i]);
	SortMasks(masks, group->nevents);
	for (size_t i = 1; i < group->nevents; i++)
		nkinds += masks[i] != masks[i - 1];
	ReserveKinds(search, nkinds);

	search->nkinds = 0;
	for (size_t i = 0; i < group->nevents; i++)
	{
		if (i == 0 || masks[i] != masks[i - 1])
		{
			search->masks[search->nkinds] = masks[i];
			search->left[search->nkinds++] = 0;
		}
		search->left[search->nkinds - 1]++;
	}
	pfree(masks);
	memset(search->used, 0, nkinds * sizeof(uint64));
	memset(search->counts, 0, nkinds * search->nconditions * sizeof(uint32));
	memset(search->first_left, 0, sizeof(search->first_left));
}

static inline uint32 *
Count(GroupSearch *search, size_t kind, int condition)
{
	return &search->counts[kind * search->nconditions + condition];
}

static void
AssignEvent(GroupSearch *search, size_t kind, int condition)
{
	if ((*Count(search, kind, condition))++ == 0)
		search->used[kind] |= UINT64CONST(1) << condition;
}

static void
WithdrawEvent(GroupSearch *search, size_t kind, int condition)
{
	if (--(*Count(search, kind, condition)) == 0)
		search->used[kind] &= ~(UINT64CONST(1) << condition);
}

/*
 * A kind with an event that is left for the condition; false if there is none.
 */
static bool
FindLeft(GroupSearch *search, int condition, size_t *kind)
{
	size_t		i = search->first_left[condition];

	while (i < search->nkinds &&
		   (search->left[i] == 0 || !((search->masks[i] >> condition) & 1)))
		i++;
	search->first_left[condition] = i;
	*kind = i;
	return i < search->nkinds;
}

/*
 * Assign one more event to a condition, if necessary by moving others: a
 * breadth-first search for an augmenting path.  False if there is none.
 */
static bool
AddItem(GroupSearch *search, int condition)
{
	int			queue[PATTERN_MAX_CONDITIONS];
	int			parent[PATTERN_MAX_CONDITIONS];
	size_t		via[PATTERN_MAX_CONDITIONS];
	uint64		seen = UINT64CONST(1) << condition;
	int			nqueued = 1;

	queue[0] = condition;
	for (int i = 0; i < nqueued; i++)
	{
		int			current = queue[i];
		size_t		kind;

		if (FindLeft(search, current, &kind))
		{
			search->left[kind]--;
			for (;;)
			{
				AssignEvent(search, kind, current);
				if (current == condition)
					return true;
				kind = via[current];
				WithdrawEvent(search, kind, current);
				current = parent[current];
			}
		}

		/* the conditions that hold events which this one could have */
		search->work += search->nkinds;
		if (search->work > MAX_WORK)
			FailTooComplex();
		CHECK_FOR_INTERRUPTS();
		for (kind = 0; kind < search->nkinds; kind++)
		{
			uint64		others = search->used[kind] & ~seen;

			if (others == 0 || !((search->masks[kind] >> current) & 1))
				continue;
			seen |= others;
			for (; others != 0; others &= others - 1)
			{
				int			other = pg_rightmost_one_pos64(others);

				parent[other] = current;
				via[other] = kind;
				queue[nqueued++] = other;
			}
		}
	}
	return false;
}

/*
 * Undo the assignment of one event to a condition.
 */
static void
RemoveItem(GroupSearch *search, int condition)
{
	size_t		kind = 0;
	uint64		conditions;

	while (!((search->used[kind] >> condition) & 1))
		kind++;
	search->work += kind;
	WithdrawEvent(search, kind, condition);
	search->left[kind]++;
	for (conditions = search->masks[kind]; conditions != 0; conditions &= conditions - 1)
	{
		int			other = pg_rightmost_one_pos64(conditions);

		search->first_left[other] = Min(search->first_left[other], kind);
	}
}

/*
 * The ends in a group of one event.
 */
static void
EndsOfOne(GroupSearch *search, const EventGroup *group, const uint64 *starts, int last,
		  int64 *ends)
{
	const SequencePattern *pattern = search->pattern;

	align_event_items(pattern, &group->events[0], search->items);
	for (int p = align_set_next(starts, pattern->nwords, 0); p >= 0 && p < pattern->nitems;
		 p = align_set_next(starts, pattern->nwords, p + 1))
		ends[p] = p + ((last < 0 || p < last) && align_set_has(search->items, p));
}

void
align_group_ends(GroupSearch *search, const EventGroup *group, const uint64 *starts, int last,
				 int64 *ends)
{
	const SequencePattern *pattern = search->pattern;
	const int	nitems = pattern->nitems;
	int64		begin = 0;
	int64		end = 0;

	if (group->nevents == 1)
	{
		EndsOfOne(search, group, starts, last, ends);
		return;
	}

	FindKinds(search, group);
	for (int p = align_set_next(starts, pattern->nwords, 0); p >= 0 && p < nitems;
		 p = align_set_next(starts, pattern->nwords, p + 1))
	{
		for (; begin < p; begin++)
		{
			if (begin < end && pattern->items[begin].condition != PATTERN_ANY)
				RemoveItem(search, search->number[pattern->items[begin].condition]);
		}
		end = Max(end, begin);
		while (end - begin < (int64) group->nevents && (last < 0 || end < last) &&
			   end != pattern->cut[p])
		{
			int			condition = pattern->items[end % nitems].condition;

			if (condition != PATTERN_ANY && !AddItem(search, search->number[condition]))
				break;
			end++;
		}
		ends[p] = end;
	}
}
