/*
 * sequence_times.c
 *	  When the events of a match are.
 *
 * A first pass finds how many items can be matched, and the group of
 * simultaneous events that completes them first.  A second one, backwards from
 * that group, finds from which positions each group leads there: a position p
 * leads on from a group if the group's events match the items from p to some
 * q - 1, and q may follow the group and leads on from a later one.  A third
 * one, forwards, takes for each item the earliest group that leads on, and in
 * it as many items as possible.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "matching/pattern_set.h"
#include "matching/sequence.h"

/*
 * The groups after the current one whose distance is in a span.
 */
typedef struct LaterWindow
{
	int			position;
	PatternSpan span;
	size_t		first;			/* the first group that is not too near */
	size_t		end;			/* the first group that is too far away */
	size_t		nleading;		/* groups from first to end - 1 that the
								 * position leads on from */
} LaterWindow;

typedef struct Trace
{
	const SequencePattern *pattern;
	const StepEvent *events;
	int			nitems;			/* that are matched */
	size_t		ngroups;
	EventGroup *groups;
	GroupSearch *search;
	int64	   *ends;			/* by position */
	uint64	   *starts;			/* all positions, or one */
	uint64	   *leading;		/* by group: positions that lead on from it */
	uint64	   *exits;			/* by group: positions that may follow it */
	LaterWindow *windows;
	int			nwindows;
} Trace;

static inline uint64 *
Leading(const Trace *trace, size_t group)
{
	return trace->leading + group * trace->pattern->nwords;
}

static inline uint64 *
Exits(const Trace *trace, size_t group)
{
	return trace->exits + group * trace->pattern->nwords;
}

static inline uint64
Distance(const Trace *trace, size_t from, size_t to)
{
	return (uint64) trace->groups[to].events[0].at - (uint64) trace->groups[from].events[0].at;
}

/*
 * The groups up to the one that completes the items.
 */
static void
MakeGroups(Trace *trace, size_t nevents, size_t last)
{
	size_t		room = 0;

	for (size_t first = 0; first <= last; room++)
		first += align_event_group(trace->events, nevents, first).nevents;
	trace->groups = MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(EventGroup));
	for (size_t first = 0; first <= last;)
	{
		EventGroup	group = align_event_group(trace->events, nevents, first);

		trace->groups[trace->ngroups++] = group;
		first += group.nevents;
	}
}

static void
MakeWindows(Trace *trace)
{
	const SequencePattern *pattern = trace->pattern;

	trace->windows = palloc(pattern->nspans * sizeof(LaterWindow));
	for (int p = 0; p < trace->nitems; p++)
	{
		const PatternItem *item = &pattern->items[p];

		for (int i = 0; i < item->nspans; i++)
		{
			LaterWindow *window = &trace->windows[trace->nwindows++];

			window->position = p;
			window->span = pattern->spans[item->first_span + i];
			window->first = window->end = trace->ngroups;
			window->nleading = 0;
		}
	}
}

/*
 * Set the positions that may follow a group.  "Any" are those that lead on
 * from any later group.
 */
static void
FindExits(Trace *trace, size_t group, const uint64 *any)
{
	const SequencePattern *pattern = trace->pattern;
	uint64	   *exits = Exits(trace, group);
	bool		is_last = group == trace->ngroups - 1;

	for (int word = 0; word < pattern->nwords; word++)
	{
		exits[word] = any[word] & pattern->waits[word];
		if (!is_last)
			exits[word] |= Leading(trace, group + 1)[word] & pattern->neighbours[word];
	}
	for (int i = 0; i < trace->nwindows; i++)
	{
		LaterWindow *window = &trace->windows[i];

		while (window->first > group + 1 &&
			   Distance(trace, group, window->first - 1) >= window->span.least)
			window->nleading += align_set_has(Leading(trace, --window->first), window->position);
		while (window->end > window->first &&
			   Distance(trace, group, window->end - 1) > window->span.most)
			window->nleading -= align_set_has(Leading(trace, --window->end), window->position);
		if (window->nleading > 0)
			align_set_add(exits, window->position);
	}
	if (is_last)
		align_set_add(exits, trace->nitems);
}

/*
 * The greatest position that a run from p within a group may end at, so that
 * it leads on; -1 if there is none.  See sequence_search.c for runs between
 * neighbours.
 */
static int
LastExit(const Trace *trace, size_t group, int p)
{
	const SequencePattern *pattern = trace->pattern;
	int			end = (int) trace->ends[p];
	int			begin = p + 1;

	if (align_set_has(pattern->neighbours, p))
	{
		int			block_end = Min(pattern->block_end[p], trace->nitems);

		if (end >= block_end)
			begin = block_end;
		else if (end - p == (int64) trace->groups[group].nevents)
			begin = end;
		else
			return -1;
	}
	return end < begin ? -1 : align_set_last_of_range(Exits(trace, group), begin, end);
}

/*
 * Set the positions that lead on from a group of one event: it matches one
 * item.
 */
static void
LeadOnByOne(Trace *trace, size_t group)
{
	const int	nwords = trace->pattern->nwords;
	const uint64 *exits = Exits(trace, group);
	uint64	   *leading = Leading(trace, group);

	align_event_items(trace->pattern, &trace->groups[group].events[0], leading);
	for (int word = 0; word < nwords; word++)
		leading[word] &= exits[word] >> 1 | (word + 1 < nwords ? exits[word + 1] << 63 : 0);
}

/*
 * The same for a group of several.
 */
static void
LeadOnBySeveral(Trace *trace, size_t group)
{
	align_group_ends(trace->search, &trace->groups[group], trace->starts, trace->nitems,
					 trace->ends);
	for (int p = 0; p < trace->nitems; p++)
	{
		if (LastExit(trace, group, p) >= 0)
			align_set_add(Leading(trace, group), p);
	}
}

static void
TraceBackwards(Trace *trace)
{
	const SequencePattern *pattern = trace->pattern;
	uint64	   *any = palloc0(pattern->nwords * sizeof(uint64));

	align_set_add_range(trace->starts, 0, trace->nitems - 1);
	for (size_t group = trace->ngroups; group-- > 0;)
	{
		CHECK_FOR_INTERRUPTS();
		FindExits(trace, group, any);
		if (trace->groups[group].nevents == 1)
			LeadOnByOne(trace, group);
		else
			LeadOnBySeveral(trace, group);
		for (int word = 0; word < pattern->nwords; word++)
			any[word] |= Leading(trace, group)[word];
	}
}

/*
 * True if the position may lie between two groups.
 */
static bool
MayFollow(const Trace *trace, int p, size_t from, size_t to)
{
	const PatternItem *item = &trace->pattern->items[p];
	uint64		distance;

	if (item->gap == PATTERN_LATER)
		return true;
	if (item->gap == PATTERN_NEXT)
		return to == from + 1;
	distance = Distance(trace, from, to);
	for (int i = item->first_span; i < item->first_span + item->nspans; i++)
	{
		if (distance >= trace->pattern->spans[i].least && distance <= trace->pattern->spans[i].most)
			return true;
	}
	return false;
}

/*
 * Choose the groups of the items; returns the number of times.
 */
static int
TraceForwards(Trace *trace, TimestampTz *times)
{
	const SequencePattern *pattern = trace->pattern;
	size_t		from = 0;
	size_t		group = 0;
	int			ntimes = 0;

	for (int p = 0; p < trace->nitems;)
	{
		int			end;

		while (!align_set_has(Leading(trace, group), p) ||
			   !(p == 0 || MayFollow(trace, p, from, group)))
		{
			CHECK_FOR_INTERRUPTS();
			if (++group == trace->ngroups)
				elog(ERROR, "events of a match are missing");
		}
		memset(trace->starts, 0, pattern->nwords * sizeof(uint64));
		align_set_add(trace->starts, p);
		align_group_ends(trace->search, &trace->groups[group], trace->starts, trace->nitems,
						 trace->ends);
		end = LastExit(trace, group, p);
		for (; p < end; p++)
		{
			if (pattern->items[p].condition != PATTERN_ANY)
				times[ntimes++] = trace->groups[group].events[0].at;
		}
		from = group++;
	}
	return ntimes;
}

int
align_sequence_times(const SequencePattern *pattern, const StepEvent *events, size_t nevents,
					 TimestampTz *times)
{
	Trace		trace = {.pattern = pattern,.events = events};
	SequenceProgress progress;
	int			ntimes;
	size_t		nwords;

	align_sequence_search(pattern, events, nevents, true, &progress);
	if (progress.level == 0)
		return 0;

	trace.nitems = progress.level;
	MakeGroups(&trace, nevents, progress.level_at);
	MakeWindows(&trace);
	trace.search = align_group_search(pattern);
	trace.ends = palloc(pattern->nitems * sizeof(int64));
	trace.starts = palloc0(pattern->nwords * sizeof(uint64));
	nwords = trace.ngroups * pattern->nwords;
	trace.exits = MemoryContextAllocHuge(CurrentMemoryContext, nwords * sizeof(uint64));
	trace.leading = MemoryContextAllocHuge(CurrentMemoryContext, nwords * sizeof(uint64));
	memset(trace.leading, 0, nwords * sizeof(uint64));

	TraceBackwards(&trace);
	ntimes = TraceForwards(&trace, times);
	pfree(trace.groups);
	pfree(trace.exits);
	pfree(trace.leading);
	return ntimes;
}
