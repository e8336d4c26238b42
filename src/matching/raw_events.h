/*
 * raw_events.h
 *	  The events of one group of rows, as the state of an aggregate.
 *
 * One allocation holds header and events, and is doubled when it is full.  An
 * event takes 8 bytes for its time, and 1, 2, 4 or 8 for its steps.  The size
 * of the allocation is a power of two, which is what PostgreSQL's allocator
 * rounds up to.  So an event takes at most 20 bytes with 16 steps, 24 with 32
 * and 32 with 64, half of that when the allocation is full.
 */
#ifndef ALIGN_MATCHING_RAW_EVENTS_H
#define ALIGN_MATCHING_RAW_EVENTS_H

#include "matching/matching.h"

/*
 * What all rows of a group have in common.
 */
typedef struct RawEventsKind
{
	int64		window;			/* microseconds, -1: none */
	uint32		modes;
	uint16		nsteps;			/* 1 to MATCH_MAX_STEPS */
	uint16		width;			/* bytes that the steps of an event take */
} RawEventsKind;

typedef struct RawEvents
{
	RawEventsKind kind;
	uint32		nevents;
	uint32		room;			/* for so many events */
	bool		sorted;			/* in ascending order of their times */
	char		events[FLEXIBLE_ARRAY_MEMBER];
} RawEvents;

extern uint16 align_raw_width(int nsteps);

/* An empty group, in a memory context. */
extern RawEvents *align_raw_events(const RawEventsKind *kind, MemoryContext context);

/* Make room for so many more events; returns the group, which may move. */
extern RawEvents *align_raw_grow(RawEvents *raw, uint64 more);

/* Append the events of another group of the same kind; the group may move. */
extern RawEvents *align_raw_append(RawEvents *raw, const RawEvents *other);

/* The size of a group, which can be copied as it is, without spare room. */
extern Size align_raw_size(const RawEvents *raw);

/*
 * Write the events in ascending order of their times.  The array has room for
 * all of them.
 */
extern void align_raw_read(const RawEvents *raw, StepEvent *events);

/*
 * With many groups the one of a row is rarely in the cache.  The lines of a
 * small one are fetched together, before the place of the next event is known.
 */
static inline void
align_raw_prefetch(const RawEvents *raw)
{
	align_prefetch(raw);
	align_prefetch((const char *) raw + 64);
	align_prefetch((const char *) raw + 128);
}

static inline bool
align_raw_same_kind(const RawEventsKind *a, const RawEventsKind *b)
{
	return a->window == b->window && a->modes == b->modes && a->nsteps == b->nsteps;
}

static inline TimestampTz
align_raw_time(const RawEvents *raw, uint32 number)
{
	TimestampTz at;

	memcpy(&at, raw->events + (Size) number * (sizeof(TimestampTz) + raw->kind.width), sizeof(at));
	return at;
}

/* Append an event; the group may move. */
static inline RawEvents *
align_raw_add(RawEvents *raw, TimestampTz at, uint64 steps)
{
	char	   *event;
	uint16		two = (uint16) steps;
	uint32		four = (uint32) steps;

	if (unlikely(raw->nevents == raw->room))
		raw = align_raw_grow(raw, 1);
	if (raw->nevents > 0 && at < align_raw_time(raw, raw->nevents - 1))
		raw->sorted = false;
	event = raw->events + (Size) raw->nevents * (sizeof(TimestampTz) + raw->kind.width);
	memcpy(event, &at, sizeof(at));
	event += sizeof(at);
	switch (raw->kind.width)
	{
		case 1:
			*(uint8 *) event = (uint8) steps;
			break;
		case 2:
			memcpy(event, &two, sizeof(two));
			break;
		case 4:
			memcpy(event, &four, sizeof(four));
			break;
		default:
			memcpy(event, &steps, sizeof(steps));
			break;
	}
	raw->nevents++;
	return raw;
}

#endif							/* ALIGN_MATCHING_RAW_EVENTS_H */
