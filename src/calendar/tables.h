/*
 * tables.h
 *	  The compiled form of a calendar: open intervals on the UTC timeline.
 *
 * The timeline is cut into blocks of 189 UTC days (27 weeks), numbered from
 * 2000-01-01, which begins block 0.  773 blocks are exactly 400 years, after
 * which the Gregorian calendar, its weekdays and the rules of every time zone
 * repeat.  (Blocks have equal lengths, unlike years, so that a division by a
 * constant finds the block of an instant.)
 *
 * Blocks are built when first needed, and those built are always contiguous.
 * So there is a running total of open time over all of them, and the open time
 * between any two instants takes two lookups.  Only blocks of a window are
 * built.  Blocks outside are mapped into its first or last 400 years, in which
 * everything repeats: no fixed date lies there, and time zones have local mean
 * time before the 19th century and only yearly rules after the 21st.
 */
#ifndef ALIGN_CALENDAR_TABLES_H
#define ALIGN_CALENDAR_TABLES_H

#include "pgtime.h"
#include "utils/timestamp.h"

#include "calendar/rules.h"

#define BLOCK_DAYS 189
#define CYCLE_BLOCKS 773
#define CYCLE_DAYS (BLOCK_DAYS * CYCLE_BLOCKS)	/* 146097: 400 years */
#define BLOCK_SECS (BLOCK_DAYS * SECS_PER_DAY)
#define BLOCK_USECS (BLOCK_DAYS * USECS_PER_DAY)

/* The window: its first and last CYCLE_BLOCKS are those that repeat. */
#define PAST_END (-387)			/* ends on 1799-09-28 */
#define PAST_START (PAST_END - CYCLE_BLOCKS)
#define FUTURE_START 580		/* 2300-02-17 */
#define FUTURE_END (FUTURE_START + CYCLE_BLOCKS)
#define WINDOW_BLOCKS (FUTURE_END - PAST_START)

/*
 * Seconds since the start of the block.  Intervals are clipped to the block
 * and never touch each other.
 */
typedef struct OpenInterval
{
	uint32		start;
	uint32		end;
	uint32		before;			/* open seconds of the block before start */
} OpenInterval;

typedef struct OpenBlock
{
	uint32		total;			/* open seconds */
	int			n;				/* intervals, not counting the last, a
								 * sentinel later than all times */
	uint16		first[BLOCK_DAYS];	/* by day: first interval that ends after
									 * the day begins */
	OpenInterval interval[FLEXIBLE_ARRAY_MEMBER];
} OpenBlock;

/*
 * A stretch of time with one offset: from start to before end, local time is
 * UTC plus the offset.
 */
typedef struct ZoneSegment
{
	int64		start;			/* seconds since 2000-01-01 UTC */
	int64		end;			/* likewise; the start of the next segment */
	int			offset;			/* seconds east of UTC */
} ZoneSegment;

typedef struct ZoneSegments
{
	int			n;
	int			max;
	ZoneSegment *segment;
} ZoneSegments;

struct Calendar
{
	MemoryContext context;		/* everything below is allocated here */
	CalendarRules *rules;
	pg_tz	   *zone;
	ZoneSegments segments;		/* result of align_zone_segments */
	OpenInterval *scratch;		/* intervals of the block being built */
	int			max_scratch;

	int			lo;				/* blocks lo to before hi are built */
	int			hi;
	OpenBlock **block;			/* by block number - PAST_START */
	int64	   *before;			/* likewise: open microseconds from the start
								 * of the first block ever built to the start
								 * of this one, possibly negative; valid from
								 * lo up to and including hi */
};

/* compile.c */

/* Builds the blocks from those already built to this one of the window. */
extern void align_calendar_build_to(Calendar *calendar, int block);

/* Sets calendar->segments to the offsets between two UTC times, in seconds. */
extern void align_zone_segments(Calendar *calendar, int64 from, int64 to);

/* Local to UTC seconds; the segments must cover the time. */
extern int64 align_local_to_utc(const ZoneSegments *segments, int64 local);

/* Spans of a local date, given as day number. */
extern const DaySpans *align_calendar_day(const Calendar *calendar, int day);

/* arithmetic.c: raise for missing open time, for a result out of range */
extern void align_calendar_fail_closed(Calendar *calendar, bool later) pg_attribute_noreturn();
extern void align_calendar_fail_range(void) pg_attribute_noreturn();

/*
 * Quotient rounded down; the divisor must be positive.
 */
static inline int64
FloorDivide(int64 value, int64 divisor)
{
	int64		quotient = value / divisor;

	return quotient - (value % divisor < 0);
}

/*
 * The block of the window that this one maps to.  *cycles is set to how many
 * cycles the block lies after it (negative: before it).
 */
static inline int
WindowBlock(int block, int *cycles)
{
	*cycles = 0;
	if (unlikely(block < PAST_START))
		*cycles = -((PAST_END - 1 - block) / CYCLE_BLOCKS);
	else if (unlikely(block >= FUTURE_END))
		*cycles = (block - FUTURE_START) / CYCLE_BLOCKS;
	return block - *cycles * CYCLE_BLOCKS;
}

/*
 * Raises unless a time is finite.
 */
static inline void
align_calendar_check_time(TimestampTz time)
{
	if (unlikely(TIMESTAMP_NOT_FINITE(time)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp must be finite"),
				 errdetail("The timestamp is \"%s\".",
						   TIMESTAMP_IS_NOBEGIN(time) ? "-infinity" : "infinity")));
}

/*
 * The table of a block of the window.
 */
static inline const OpenBlock *
BlockOf(Calendar *calendar, int block)
{
	if (unlikely(block < calendar->lo || block >= calendar->hi))
		align_calendar_build_to(calendar, block);
	return calendar->block[block - PAST_START];
}

#endif							/* ALIGN_CALENDAR_TABLES_H */
