/*
 * raw_events.c
 *	  The events of one group of rows.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "matching/raw_events.h"

/* The least allocation. */
#define RAW_LEAST 64

static inline Size
EventSize(const RawEventsKind *kind)
{
	return sizeof(TimestampTz) + kind->width;
}

uint16
align_raw_width(int nsteps)
{
	return nsteps <= 8 ? 1 : nsteps <= 16 ? 2 : nsteps <= 32 ? 4 : 8;
}

RawEvents *
align_raw_events(const RawEventsKind *kind, MemoryContext context)
{
	RawEvents  *raw = MemoryContextAlloc(context, RAW_LEAST);

	raw->kind = *kind;
	raw->nevents = 0;
	raw->room = (RAW_LEAST - offsetof(RawEvents, events)) / EventSize(kind);
	raw->sorted = true;
	return raw;
}

RawEvents *
align_raw_grow(RawEvents *raw, uint64 more)
{
	Size		event_size = EventSize(&raw->kind);
	uint64		needed = raw->nevents + more;
	Size		size = RAW_LEAST;

	if (needed > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many events in a group"),
				 errdetail("The limit is %u.", PG_UINT32_MAX)));
	while ((size - offsetof(RawEvents, events)) / event_size < needed)
		size *= 2;
	raw = repalloc_huge(raw, size);
	raw->room = Min((size - offsetof(RawEvents, events)) / event_size, PG_UINT32_MAX);
	return raw;
}

Size
align_raw_size(const RawEvents *raw)
{
	return offsetof(RawEvents, events) + raw->nevents * EventSize(&raw->kind);
}

RawEvents *
align_raw_append(RawEvents *raw, const RawEvents *other)
{
	Size		event_size = EventSize(&raw->kind);

	if (other->nevents == 0)
		return raw;
	if (raw->room - raw->nevents < other->nevents)
		raw = align_raw_grow(raw, other->nevents);
	raw->sorted = raw->sorted && other->sorted &&
		(raw->nevents == 0 ||
		 align_raw_time(raw, raw->nevents - 1) <= align_raw_time(other, 0));
	memcpy(raw->events + raw->nevents * event_size, other->events, other->nevents * event_size);
	raw->nevents += other->nevents;
	return raw;
}

static inline int
CompareEvents(const StepEvent *a, const StepEvent *b)
{
	return a->at < b->at ? -1 : a->at > b->at;
}

#define ST_SORT SortEvents
#define ST_ELEMENT_TYPE StepEvent
#define ST_COMPARE(a, b) CompareEvents(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Most groups are small. */
#define INSERTION_MOST 16

static void
SortByTime(StepEvent *events, size_t nevents)
{
	if (nevents > INSERTION_MOST)
	{
		SortEvents(events, nevents);
		return;
	}
	for (size_t i = 1; i < nevents; i++)
	{
		StepEvent	event = events[i];
		size_t		at = i;

		for (; at > 0 && events[at - 1].at > event.at; at--)
			events[at] = events[at - 1];
		events[at] = event;
	}
}

void
align_raw_read(const RawEvents *raw, StepEvent *events)
{
	const char *from = raw->events;

	for (uint32 i = 0; i < raw->nevents; i++)
	{
		memcpy(&events[i].at, from, sizeof(TimestampTz));
		from += sizeof(TimestampTz);
		if (raw->kind.width == 1)
			events[i].steps = *(const uint8 *) from;
		else
		{
			/* little and big endian alike */
			uint16		two;
			uint32		four;

			switch (raw->kind.width)
			{
				case 2:
					memcpy(&two, from, sizeof(two));
					events[i].steps = two;
					break;
				case 4:
					memcpy(&four, from, sizeof(four));
					events[i].steps = four;
					break;
				default:
					memcpy(&events[i].steps, from, sizeof(uint64));
					break;
			}
		}
		from += raw->kind.width;
	}
	if (!raw->sorted)
		SortByTime(events, raw->nevents);
}
