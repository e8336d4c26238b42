/*
 * any.c
 *	  The search for steps in any order.  Simultaneous events are a set.
 *
 * Sets of events that can be assigned to distinct steps are the independent
 * sets of a matroid.  The search keeps a basis of the events so far that
 * prefers the latest ones; then the number of its events since some instant is
 * the highest level of a chain that begins there or later.  With increase, an
 * instant is one element that matches what its events match; with reuse, the
 * level is the number of steps seen.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "matching/search.h"

typedef struct AnySearch
{
	const StepRules *rules;
	const Segment *segment;
	BestChain  *best;
	bool		increase;
	bool		reuse;			/* without increase */
	Assignment	basis;
	uint64		seen;			/* with reuse: steps seen, and when last */
	TimestampTz last[MATCH_MAX_STEPS];
	size_t		first;			/* an event: earlier ones start no chain that
								 * goes on */
	TimestampTz last_match;		/* the latest event that matches a step */
} AnySearch;

/* The steps that events match. */
static uint64
UnionOf(const StepRules *rules, const StepEvent *events, size_t nevents)
{
	uint64		steps = 0;

	for (size_t i = 0; i < nevents; i++)
		steps |= events[i].steps;
	return steps & StepRange(0, rules->nsteps);
}

/*
 * Add the events of an instant to the basis; returns the instant before which
 * no chain may begin that passes this one, or NO_START.
 */
static TimestampTz
AddInstant(AnySearch *search, const StepEvent *events, size_t nevents)
{
	MatchModes	modes = search->rules->modes;
	TimestampTz at = events->at;
	TimestampTz cut = NO_START;
	uint64		steps = UnionOf(search->rules, events, nevents);
	size_t		nmatching = 0;

	for (uint64 rest = search->reuse ? steps : 0; rest != 0; rest &= rest - 1)
		search->last[LowestStep(rest)] = at;
	search->seen |= steps;
	if (steps != 0)
		search->last_match = at;

	for (size_t i = 0; i < nevents; i++)
	{
		uint64		own = UnionOf(search->rules, &events[i], 1);
		TimestampTz dropped;

		if (own == 0)
		{
			if (modes & MATCH_STRICT)
				cut = at;
			continue;
		}
		nmatching++;
		if (search->increase || (search->reuse && !(modes & MATCH_NO_REPEAT)))
			continue;
		dropped = align_assignment_exchange(&search->basis, own, at);
		if (modes & MATCH_NO_REPEAT)
			cut = Max(cut, dropped);
	}
	if (search->increase && nmatching > 0)
	{
		TimestampTz dropped = align_assignment_exchange(&search->basis, steps, at);

		if (modes & MATCH_NO_REPEAT)
			cut = Max(cut, nmatching > 1 ? at : dropped);
	}
	return cut;
}

/*
 * The highest level of chains that begin at an instant or later, and the
 * latest start of those.
 */
static int
LevelSince(const AnySearch *search, TimestampTz since, TimestampTz *start)
{
	uint64		steps = search->reuse ? search->seen : search->basis.taken;
	const TimestampTz *times = search->reuse ? search->last : search->basis.times;
	int			level = 0;

	*start = DT_NOEND;
	for (; steps != 0; steps &= steps - 1)
	{
		TimestampTz at = times[LowestStep(steps)];

		if (at < since)
			continue;
		level++;
		*start = Min(*start, at);
	}
	return level;
}

/*
 * True if a chain can own an event of the instant of its start and all those
 * between, as it has to with no_repeat.
 */
static bool
OwnsAllBetween(const AnySearch *search, const StepEvent *start, TimestampTz end)
{
	const StepEvent *last = search->segment->events + search->segment->nevents;
	Assignment	assignment;
	uint64		steps = 0;

	assignment.taken = 0;
	for (const StepEvent *event = start; event < last && event->at < end; event++)
	{
		uint64		own = UnionOf(search->rules, event, 1);

		if (event->at > start->at && own != 0 &&
			!align_assignment_add(&assignment, own, event->at))
			return false;
		if (event->at == start->at)
			steps |= own;
	}
	return steps != 0 && align_assignment_add(&assignment, steps, start->at);
}

/*
 * Windows in the calendar of a zone: the highest level of the chains that end
 * at an instant, and the latest start of those.
 */
static int
LevelInCalendar(const AnySearch *search, TimestampTz end, TimestampTz *start)
{
	const StepRules *rules = search->rules;
	const StepEvent *events = search->segment->events;
	int			level = 0;

	/* a chain that starts earlier has no lower level */
	for (size_t i = search->first; i < search->segment->nevents && events[i].at <= end; i++)
	{
		TimestampTz latest;
		int			this_level = LevelSince(search, events[i].at, &latest);

		if (this_level < level || this_level == 0)
			break;
		if (UnionOf(rules, &events[i], 1) == 0 ||
			align_window_end(&rules->within, events[i].at) < end)
			continue;
		if ((rules->modes & MATCH_NO_REPEAT) && events[i].at == events[search->first].at &&
			events[i].at < end && !OwnsAllBetween(search, &events[i], end))
			continue;
		level = this_level;
		*start = events[i].at;
	}
	return level;
}

/*
 * Go to the first event whose window lasts until an instant.  The windows that
 * are over stay over, whatever the calendar.
 */
static void
SkipPast(AnySearch *search, TimestampTz at)
{
	const StepEvent *events = search->segment->events;

	while (events[search->first].at < at &&
		   (align_window_end(&search->rules->within, events[search->first].at) < at ||
			UnionOf(search->rules, &events[search->first], 1) == 0))
		search->first++;
}

/*
 * True if a chain that begins at an instant can go on.  With no_repeat it owns
 * all later events, which are all in the basis, and one of that instant; at
 * the instant of the last cut there may be none left for it.
 */
static bool
CanGoOnFrom(const AnySearch *search, TimestampTz at)
{
	int			level = 1;
	bool		begins = at > search->segment->events[search->first].at;

	if (!(search->rules->modes & MATCH_NO_REPEAT))
		return true;
	for (uint64 rest = search->basis.taken; rest != 0; rest &= rest - 1)
	{
		level += search->basis.times[LowestStep(rest)] > at;
		begins |= search->basis.times[LowestStep(rest)] == at;
	}
	return begins && level < search->rules->nsteps;
}

/*
 * Until when a chain that begins at search->first or later could go on.
 */
static TimestampTz
OpenUntil(const AnySearch *search)
{
	const Segment *segment = search->segment;
	TimestampTz result = DT_NOBEGIN;

	if (search->rules->nsteps == 1 || search->last_match == NO_START)
		return result;
	for (size_t i = search->first; i < segment->nevents; i++)
	{
		if (UnionOf(search->rules, &segment->events[i], 1) != 0 &&
			CanGoOnFrom(search, segment->events[i].at))
			result = Max(result, align_window_end(&search->rules->within, segment->events[i].at));
	}
	return result;
}

TimestampTz
align_search_any(const StepRules *rules, const Segment *segment, BestChain *best)
{
	AnySearch	search;

	search.rules = rules;
	search.segment = segment;
	search.best = best;
	search.increase = (rules->modes & MATCH_INCREASE) != 0;
	search.reuse = (rules->modes & MATCH_REUSE) && !search.increase;
	search.basis.taken = 0;
	search.seen = 0;
	search.first = 0;
	search.last_match = NO_START;

	for (size_t from = 0; from < segment->nevents;)
	{
		TimestampTz at = segment->events[from].at;
		size_t		to = EndOfInstant(segment, from);
		TimestampTz cut = AddInstant(&search, segment->events + from, to - from);
		TimestampTz start;
		int			level;

		CHECK_FOR_INTERRUPTS();
		SkipPast(&search, at);
		level = LevelSince(&search, segment->events[search.first].at, &start);
		if (rules->within.zone != NULL && level > best->level)
			level = LevelInCalendar(&search, at, &start);
		if (level > 0)
			Consider(best, segment, level, at, start);

		/* the events of the instant of the cut can still start a chain */
		while (cut != NO_START && segment->events[search.first].at < cut)
			search.first++;
		from = to;
	}
	return OpenUntil(&search);
}

/*
 * Add an element to the assignment as often as possible, up to a number, and
 * note its time.
 */
static void
Take(const BestChain *best, Assignment *assignment, uint64 steps, TimestampTz at, int most,
	 TimestampTz *times, int *ntimes)
{
	while (steps != 0 && most-- > 0 && *ntimes < best->level &&
		   align_assignment_add(assignment, steps, at))
		times[(*ntimes)++] = at;
}

static int
CompareTimes(const void *a, const void *b)
{
	TimestampTz left = *(const TimestampTz *) a;
	TimestampTz right = *(const TimestampTz *) b;

	return left < right ? -1 : left > right;
}

/*
 * From the start on, take each event that adds to the level: that leads to the
 * earliest times.  With no_repeat, those between must all be taken, so they
 * come first.
 */
void
align_trace_any(const StepRules *rules, const BestChain *best, TimestampTz *times)
{
	const Segment *segment = &best->segment;
	bool		increase = (rules->modes & MATCH_INCREASE) != 0;
	int			most = (rules->modes & MATCH_REUSE) && !increase ? rules->nsteps : 1;
	bool		no_repeat = (rules->modes & MATCH_NO_REPEAT) != 0;
	Assignment	assignment;
	size_t		first = 0;
	int			ntimes = 0;

	assignment.taken = 0;
	while (segment->events[first].at < best->start)
		first++;
	for (size_t i = first; no_repeat && i < segment->nevents &&
		 segment->events[i].at < best->completed; i++)
	{
		if (segment->events[i].at > best->start)
			Take(best, &assignment, UnionOf(rules, &segment->events[i], 1),
				 segment->events[i].at, 1, times, &ntimes);
	}
	for (size_t i = first; ntimes < best->level;)
	{
		const StepEvent *event = &segment->events[i];
		size_t		to = increase ? EndOfInstant(segment, i) : i + 1;

		CHECK_FOR_INTERRUPTS();
		Assert(event->at <= best->completed);
		if (most > 1 || !no_repeat || event->at == best->start || event->at == best->completed)
			Take(best, &assignment, UnionOf(rules, event, to - i), event->at, most, times,
				 &ntimes);
		i = to;
	}
	qsort(times, ntimes, sizeof(TimestampTz), CompareTimes);
}
