/*
 * sequence.h
 *	  How often a pattern matches a sequence of events, and when.
 *
 * The events are sorted by time.  Simultaneous events are a set: a pattern
 * matches if it does in some order of them.  Two matches do not overlap if, in
 * one order, each event of the one is before each event of the other.
 *
 * Functions allocate in the current memory context; only what is large is
 * freed again.
 *
 * Cost: the number of events times that of the pattern's items, apart from
 * large sets of simultaneous events of many kinds, whose cost is limited.
 */
#ifndef ALIGN_SEQUENCE_H
#define ALIGN_SEQUENCE_H

#include "matching/matching.h"
#include "matching/pattern.h"

/*
 * Simultaneous events.
 */
typedef struct EventGroup
{
	const StepEvent *events;
	size_t		nevents;		/* at least 1 */
} EventGroup;

/* The memory and work of sequence_group.c. */
typedef struct GroupSearch GroupSearch;

/* The search is freed with the current memory context. */
extern GroupSearch *align_group_search(const SequencePattern *pattern);

/*
 * Where runs of items end that distinct events of the group can match, in some
 * order of the events.  For each position p of starts, ends[p] is the greatest
 * position q such that the items p to q - 1 are such a run, p if there is
 * none.  q is at most "last" or, if that is negative, continues with the first
 * item after the last one: position nitems + i is i of the next match.
 */
extern void align_group_ends(GroupSearch *search, const EventGroup *group,
							 const uint64 *starts, int last, int64 *ends);

/* Set "items" to those that the event matches. */
extern void align_event_items(const SequencePattern *pattern, const StepEvent *event,
							  uint64 *items);

/*
 * How far the matches of a pattern get.
 */
typedef struct SequenceProgress
{
	int64		matches;		/* complete ones, that do not overlap */
	int			level;			/* as many items, from the first one, are
								 * matched by some events */
	size_t		level_at;		/* the first event of the group that first
								 * gets there */
} SequenceProgress;

/*
 * The greatest number of matches that do not overlap or, with only_first, the
 * first match, if there is one.
 */
extern void align_sequence_search(const SequencePattern *pattern, const StepEvent *events,
								  size_t nevents, bool only_first, SequenceProgress *progress);

/*
 * The times of the events that match the (?N) of the longest beginning of the
 * pattern that can be matched: of the matches that are complete earliest, the
 * one whose first event is earliest, then whose second is, and so on.  Returns
 * their number; there must be room for as many as the pattern has items.
 */
extern int	align_sequence_times(const SequencePattern *pattern, const StepEvent *events,
								 size_t nevents, TimestampTz *times);

/* The group that begins with an event. */
static inline EventGroup
align_event_group(const StepEvent *events, size_t nevents, size_t first)
{
	EventGroup	group = {events + first, 1};

	while (first + group.nevents < nevents && group.events[group.nevents].at == group.events[0].at)
		group.nevents++;
	return group;
}

#endif							/* ALIGN_SEQUENCE_H */
