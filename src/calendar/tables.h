/*
 * tables.h
 *	  The compiled form of a calendar: open intervals on the UTC timeline.
 *
 * The timeline is cut into blocks of 189 UTC days (27 weeks), numbered from
 * 2000-01-01, which begins block 0.  773 blocks are exactly 400 years, after
 * which the Gregorian calendar, its weekdays and the rules of every time zone
 * repeat.  (Years would have served as well, but a division by a constant finds
 * the block of an instant, and blocks are alike.)
 *
 * Blocks are built when first needed, but always so that those built are
 * contiguous; hence a running total of open time over all of them, and the open
 * time between any two instants is a matter of two lookups.  Only blocks of a
 * window are ever built.  What lies outside is mapped into its first or last
 * 400 years, which are chosen so that nothing in them happens only once: no
 * fixed date, and no time zone that still makes history (zones keep local mean
 * time until the 19th century, and have nothing but yearly rules after the
 * 21st).
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
 * Seconds since the start of the block.  Intervals are clipped to the block and
 * never touch each other.
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
	int			n;				/* intervals, without the last, which is a
								 * sentinel beyond all times */
	uint16		first[BLOCK_DAYS];	/* by day: first interval that ends after
									 * the day begins */
	OpenInterval interval[FLEXIBLE_ARRAY_MEMBER];
} OpenBlock;

/*
 * Local clock readings are the UTC readings plus the offset, from start (UTC)
 * to the start of the next segment.
 */
typedef struct ZoneSegment
{
	int64		start;			/* seconds since 2000-01-01 UTC */
	int64		end;
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
	ZoneSegments segments;		/* scratch of whoever needs them */
	OpenInterval *scratch;
	int			max_scratch;

	int			lo;				/* blocks lo to before hi are built */
	int			hi;
	OpenBlock **block;			/* by block number - PAST_START */
	int64	   *before;			/* likewise: open microseconds since the start
								 * of the first block ever built; valid up to
								 * and including hi */
};

/* compile.c */
extern void align_calendar_reach(Calendar *calendar, int block);
extern void align_zone_segments(Calendar *calendar, int64 from, int64 to);
extern int64 align_local_to_utc(const ZoneSegments *segments, int64 local);
extern const DaySpans *align_calendar_day(const Calendar *calendar, int day);

/* arithmetic.c */
extern void align_calendar_fail_closed(Calendar *calendar, bool later) pg_attribute_noreturn();
extern void align_calendar_fail_range(void) pg_attribute_noreturn();

static inline int64
FloorDivide(int64 value, int64 divisor)
{
	int64		quotient = value / divisor;

	return quotient - (value % divisor < 0);
}

/*
 * The block that stands for this one, and how many whole cycles earlier
 * (negative: later) it lies.
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

static inline void
align_calendar_check_time(TimestampTz time)
{
	if (unlikely(TIMESTAMP_NOT_FINITE(time)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("working hours need a finite time"),
				 errdetail("The time is %s.",
						   TIMESTAMP_IS_NOBEGIN(time) ? "-infinity" : "infinity")));
}

/*
 * The table of a block of the window.
 */
static inline const OpenBlock *
BlockOf(Calendar *calendar, int block)
{
	if (unlikely(block < calendar->lo || block >= calendar->hi))
		align_calendar_reach(calendar, block);
	return calendar->block[block - PAST_START];
}

#endif							/* ALIGN_CALENDAR_TABLES_H */
