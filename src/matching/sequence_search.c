/*
 * sequence_search.c
 *	  How often a pattern matches: one pass over the events.
 *
 * After each group of simultaneous events, the pass knows the greatest number
 * of complete matches, and the set of positions that one more match can have
 * reached.  A match under way that leaves a smaller number of complete ones is
 * given up: the greater number and a match that begins later lead to at least
 * as much.  So the search forgets what was before a group
 * that completes a match.
 *
 * A position between neighbours can be continued only by the next group.  One
 * at which any number of events may lie is kept.  One with a time is looked
 * up: for each group, the positions reached in it are kept, and for each span
 * a window of the groups whose distance is in it, with the number of those
 * that reached the position.
 *
 * Within a group, a run of items from p to q - 1 can be matched by events in
 * an order that suits it.  If the position p is between neighbours, the run
 * begins with the group's first event; if q is, it ends with the last one.  So
 * if both are, and only neighbours are between them, the run is all events of
 * the group.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "matching/pattern_set.h"
#include "matching/sequence.h"

/*
 * The groups whose distance from the current one is in a span.
 */
typedef struct SpanWindow
{
	int			position;
	PatternSpan span;
	size_t		first;			/* the first group that is not too far away */
	size_t		end;			/* the first group that is too near */
	size_t		nreached;		/* groups from first to end - 1 that reached
								 * the position */
} SpanWindow;

typedef struct Search
{
	const SequencePattern *pattern;
	bool		only_first;
	SequenceProgress *progress;
	GroupSearch *groups;
	int64	   *ends;			/* by position */
	uint64	   *positions;		/* from which the current group continues */
	uint64	   *reached;		/* by it */
	uint64	   *items;			/* that an event matches */

	/* of a pattern with times, by group */
	SpanWindow *windows;
	int			nwindows;
	size_t		ngroups;
	TimestampTz *times;
	uint64	   *history;		/* positions reached */
} Search;

static void
MakeWindows(Search *search, size_t nevents)
{
	const SequencePattern *pattern = search->pattern;

	search->windows = palloc(pattern->nspans * sizeof(SpanWindow));
	for (int p = 0; p < pattern->nitems; p++)
	{
		const PatternItem *item = &pattern->items[p];

		for (int i = 0; i < item->nspans; i++)
		{
			SpanWindow *window = &search->windows[search->nwindows++];

			memset(window, 0, sizeof(SpanWindow));
			window->position = p;
			window->span = pattern->spans[item->first_span + i];
		}
	}
	search->times = MemoryContextAllocHuge(CurrentMemoryContext, nevents * sizeof(TimestampTz));
	search->history = MemoryContextAllocHuge(CurrentMemoryContext,
											 nevents * pattern->nwords * sizeof(uint64));
}

static inline bool
HasReached(const Search *search, size_t group, int position)
{
	return align_set_has(search->history + group * search->pattern->nwords, position);
}

/*
 * Add the positions with a time that a group at that time can continue.
 */
static void
AddTimed(Search *search, TimestampTz at)
{
	for (int i = 0; i < search->nwindows; i++)
	{
		SpanWindow *window = &search->windows[i];

		while (window->end < search->ngroups &&
			   (uint64) at - (uint64) search->times[window->end] >= window->span.least)
			window->nreached += HasReached(search, window->end++, window->position);
		while (window->first < window->end &&
			   (uint64) at - (uint64) search->times[window->first] > window->span.most)
			window->nreached -= HasReached(search, window->first++, window->position);
		if (window->nreached > 0)
			align_set_add(search->positions, window->position);
	}
}

/*
 * Forget the groups before the last one.
 */
static void
ForgetGroups(Search *search)
{
	for (int i = 0; i < search->nwindows; i++)
	{
		SpanWindow *window = &search->windows[i];

		window->first = window->end = search->ngroups - 1;
		window->nreached = 0;
	}
}

/*
 * The positions that a group of one event reaches.  Returns the number of
 * matches that it completes.
 */
static int64
ReachByOne(Search *search, const StepEvent *event)
{
	const SequencePattern *pattern = search->pattern;
	uint64		carry = 0;

	align_event_items(pattern, event, search->items);
	for (int word = 0; word < pattern->nwords; word++)
	{
		uint64		moved = search->positions[word] & search->items[word];

		search->reached[word] = moved << 1 | carry;
		carry = moved >> 63;
	}
	if (!align_set_has(search->reached, pattern->nitems))
		return 0;
	memset(search->reached, 0, pattern->nwords * sizeof(uint64));
	return 1;
}

/*
 * The same for a group of several.
 */
static int64
ReachBySeveral(Search *search, const EventGroup *group, size_t first)
{
	const SequencePattern *pattern = search->pattern;
	SequenceProgress *progress = search->progress;
	const int	nitems = pattern->nitems;
	int64		best = 0;

	align_group_ends(search->groups, group, search->positions,
					 search->only_first ? nitems : -1, search->ends);
	memset(search->reached, 0, pattern->nwords * sizeof(uint64));
	for (int p = align_set_next(search->positions, pattern->nwords, 0); p >= 0;
		 p = align_set_next(search->positions, pattern->nwords, p + 1))
	{
		int64		end = search->ends[p];
		int64		begin = p + 1;
		int64		matches;

		if (Min(end, nitems) > progress->level)
		{
			progress->level = Min(end, nitems);
			progress->level_at = first;
		}
		if (align_set_has(pattern->neighbours, p) && end < pattern->block_end[p])
		{
			/* only neighbours: all events, or none */
			if (end != p + (int64) group->nevents)
				continue;
			begin = end;
		}
		else if (align_set_has(pattern->neighbours, p))
			begin = pattern->block_end[p];
		if (end < begin)
			continue;

		/* the positions of the greatest number of matches */
		matches = end / nitems;
		begin = Max(begin, matches * nitems);
		if (matches > best)
			memset(search->reached, 0, pattern->nwords * sizeof(uint64));
		best = Max(matches, best);
		if (matches == best)
			align_set_add_range(search->reached, begin - matches * nitems,
								end - matches * nitems);
	}
	return best;
}

/*
 * Continue with a group: first is the index of its first event.
 */
static void
Continue(Search *search, const EventGroup *group, size_t first)
{
	const SequencePattern *pattern = search->pattern;
	SequenceProgress *progress = search->progress;
	TimestampTz at = group->events[0].at;
	int64		matches;

	AddTimed(search, at);
	if (group->nevents == 1)
	{
		int			level;

		matches = ReachByOne(search, &group->events[0]);
		level = matches > 0 ? pattern->nitems : align_set_last(search->reached, pattern->nwords);
		if (level > progress->level)
		{
			progress->level = level;
			progress->level_at = first;
		}
	}
	else
		matches = ReachBySeveral(search, group, first);
	progress->matches += matches;

	if (search->nwindows > 0)
	{
		memcpy(search->history + search->ngroups * pattern->nwords, search->reached,
			   pattern->nwords * sizeof(uint64));
		search->times[search->ngroups++] = at;
		if (matches > 0)
			ForgetGroups(search);
	}

	for (int word = 0; word < pattern->nwords; word++)
	{
		uint64		kept = matches > 0 ? 0 : search->positions[word] & pattern->waits[word];

		/* positions with a time are looked up when the next group is known */
		search->positions[word] = kept |
			(search->reached[word] & (pattern->waits[word] | pattern->neighbours[word]));
	}
	align_set_add(search->positions, 0);
}

void
align_sequence_search(const SequencePattern *pattern, const StepEvent *events, size_t nevents,
					  bool only_first, SequenceProgress *progress)
{
	Search		search = {.pattern = pattern,.only_first = only_first,.progress = progress};

	memset(progress, 0, sizeof(SequenceProgress));
	search.groups = align_group_search(pattern);
	search.ends = palloc(pattern->nitems * sizeof(int64));
	search.positions = palloc0(pattern->nwords * sizeof(uint64));
	search.reached = palloc(pattern->nwords * sizeof(uint64));
	search.items = palloc(pattern->nwords * sizeof(uint64));
	if (pattern->nspans > 0)
		MakeWindows(&search, nevents);

	align_set_add(search.positions, 0);
	for (size_t first = 0; first < nevents;)
	{
		EventGroup	group = align_event_group(events, nevents, first);

		CHECK_FOR_INTERRUPTS();
		Continue(&search, &group, first);
		if (only_first && progress->matches > 0)
			break;
		first += group.nevents;
	}
	if (search.nwindows > 0)
	{
		pfree(search.times);
		pfree(search.history);
	}
}
