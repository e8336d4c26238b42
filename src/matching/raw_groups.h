/*
 * raw_groups.h
 *	  The groups of an aggregate, whose events are added with some delay.
 *
 * When rows are grouped by hashing, the group of a row is rarely in the cache,
 * and waiting for it takes longer than anything else that an aggregate does.
 * So an event waits in a queue while the lines of its group are fetched.  What
 * the aggregate keeps for a group is therefore a small struct that does not
 * move when the events do; those of many groups lie side by side.
 */
#ifndef ALIGN_MATCHING_RAW_GROUPS_H
#define ALIGN_MATCHING_RAW_GROUPS_H

#include "matching/raw_events.h"

typedef struct RawGroup
{
	RawEvents  *events;			/* without those that wait */
	struct RawQueue *queue;		/* NULL: no event waits */
} RawGroup;

/* An event that waits for its group. */
typedef struct RawWaiting
{
	RawGroup   *group;			/* NULL: none */
	TimestampTz at;
	uint64		steps;
} RawWaiting;

/* Events that wait.  A power of two. */
#define RAW_QUEUE_LENGTH 16

/*
 * The queue of a call site, which outlives its groups.  All events in it are
 * of one kind.
 */
typedef struct RawQueue
{
	RawEventsKind kind;
	uint32		next;			/* the place of the next event, and of the one
								 * that has waited longest */
	RawWaiting	waiting[RAW_QUEUE_LENGTH];
	RawGroup   *free;			/* groups that are not in use yet */
	int			nfree;
} RawQueue;

/*
 * A group without events, in the context of the aggregate.  The queue may be
 * NULL; if not, the context is that of all its groups.
 */
extern RawGroup *align_raw_group(RawQueue *queue, const RawEventsKind *kind,
								 MemoryContext context);

/* Add the events that wait to their groups. */
extern void align_raw_flush(RawQueue *queue);

/* An error that names the difference of two kinds. */
extern void align_raw_kinds_differ(const RawEventsKind *a, const RawEventsKind *b);

/* All events of a group. */
static inline RawEvents *
align_raw_group_events(const RawGroup *group)
{
	if (group->queue != NULL)
		align_raw_flush(group->queue);
	return group->events;
}

static inline void
align_raw_group_add(RawGroup *group, const RawEventsKind *kind, TimestampTz at, uint64 steps)
{
	if (unlikely(!align_raw_same_kind(&group->events->kind, kind)))
		align_raw_kinds_differ(&group->events->kind, kind);
	group->events = align_raw_add(group->events, at, steps);
}

/*
 * Put an event into the queue, and add the one that has waited longest.  In
 * the first half of its time the group of an event is fetched, in the second
 * half the group's events.
 */
static inline void
align_raw_enqueue(RawQueue *queue, RawGroup *group, const RawEventsKind *kind, TimestampTz at,
				  uint64 steps)
{
	RawWaiting *oldest;
	RawGroup   *half_way;

	align_prefetch(group);
	if (unlikely(!align_raw_same_kind(&queue->kind, kind)))
	{
		align_raw_flush(queue);
		queue->kind = *kind;
	}
	oldest = &queue->waiting[queue->next];
	half_way = queue->waiting[queue->next ^ (RAW_QUEUE_LENGTH / 2)].group;
	queue->next = (queue->next + 1) & (RAW_QUEUE_LENGTH - 1);
	if (half_way != NULL)
		align_raw_prefetch(half_way->events);
	if (oldest->group != NULL)
		align_raw_group_add(oldest->group, &queue->kind, oldest->at, oldest->steps);
	oldest->group = group;
	oldest->at = at;
	oldest->steps = steps;
}

#endif							/* ALIGN_MATCHING_RAW_GROUPS_H */
