/*
 * arithmetic.c
 *	  Working time: how much there is, and when it is up.
 *
 * Everything is a walk along the running total of open time, in microseconds.
 * Forwards, an amount is used up at the first instant at which so much open
 * time has passed (a closing time, rather than the next opening); backwards, at
 * the last.
 */
#include "postgres.h"

#include "common/int.h"
#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "calendar/tables.h"

/*
 * Raise because a result lies outside the range of timestamps.
 */
void
align_calendar_fail_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("timestamp out of range")));
}

static inline TimestampTz
BlockStart(int block)
{
	return block * BLOCK_USECS;
}

static inline int
BlockNumber(TimestampTz time)
{
	return (int) FloorDivide(time, BLOCK_USECS);
}

/*
 * First interval of the block that ends after this time of it (microseconds
 * since its start); maybe the sentinel.
 */
static inline const OpenInterval *
IntervalAt(const OpenBlock *block, int64 time)
{
	const OpenInterval *interval = &block->interval[block->first[time / USECS_PER_DAY]];

	while (interval->end * USECS_PER_SEC <= time)
		interval++;
	return interval;
}

/* Open time of the block before this time of it. */
static inline int64
OpenBefore(const OpenBlock *block, int64 time)
{
	const OpenInterval *interval = IntervalAt(block, time);
	int64		start = interval->start * USECS_PER_SEC;

	return interval->before * USECS_PER_SEC + (time > start ? time - start : 0);
}

/*
 * Open time between the starts of two blocks of the window.
 */
static int64
OpenBetween(Calendar *calendar, int from, int to)
{
	Assert(from < to);
	(void) BlockOf(calendar, from);
	(void) BlockOf(calendar, to - 1);
	return calendar->before[to - PAST_START] - calendar->before[from - PAST_START];
}

/*
 * Raise because a calendar has no more open time, later or earlier.
 */
void
align_calendar_fail_closed(Calendar *calendar, bool later)
{
	if (OpenBetween(calendar, PAST_START, FUTURE_END) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("calendar never opens")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 later ? errmsg("calendar does not open any more") :
			 errmsg("calendar did not open before"),
			 later ? errdetail("It does not have so much open time after the time given.") :
			 errdetail("It does not have so much open time before the time given.")));
}

/*
 * The running total at an instant.  Its zero is arbitrary, and it is counted
 * modulo 2^64: only differences mean something.
 */
static inline uint64
RunningTotal(Calendar *calendar, TimestampTz time)
{
	int			block = BlockNumber(time);
	int64		rest = time - BlockStart(block);
	const OpenBlock *open;
	uint64		total;

	if (likely(block >= calendar->lo && block < calendar->hi))
	{
		open = calendar->block[block - PAST_START];
		total = calendar->before[block - PAST_START];
	}
	else
	{
		int			cycles;

		block = WindowBlock(block, &cycles);
		open = BlockOf(calendar, block);
		total = calendar->before[block - PAST_START];
		if (cycles > 0)
			total += (uint64) cycles * OpenBetween(calendar, FUTURE_START, FUTURE_END);
		else if (cycles < 0)
			total -= (uint64) -cycles * OpenBetween(calendar, PAST_START, PAST_END);
	}
	return total + OpenBefore(open, rest);
}

int64
align_working_time(Calendar *calendar, TimestampTz from, TimestampTz to)
{
	int64		elapsed;
	int64		result;

	align_calendar_check_time(from);
	align_calendar_check_time(to);

	/* open time is at most the time elapsed, so that fits if this fits */
	if (likely(!pg_sub_s64_overflow(to, from, &elapsed)))
	{
		/* build the tables from one end to the other, not beyond */
		uint64		before = RunningTotal(calendar, from);

		return (int64) (RunningTotal(calendar, to) - before);
	}
	if (pg_add_s64_overflow(align_working_time(calendar, from, 0),
							align_working_time(calendar, 0, to), &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range"),
				 errdetail("An interval cannot hold so much working time.")));
	return result;
}

/*
 * The instant of a block at which so much of its open time, at least 1 and at
 * most all, has passed.
 */
static int64
TimeAfter(const OpenBlock *block, int64 amount)
{
	int			lo = 0;
	int			hi = block->n - 1;

	/* the last interval with less before it */
	while (lo < hi)
	{
		int			middle = (lo + hi + 1) / 2;

		if (block->interval[middle].before * USECS_PER_SEC < amount)
			lo = middle;
		else
			hi = middle - 1;
	}
	return block->interval[lo].start * USECS_PER_SEC +
		(amount - block->interval[lo].before * USECS_PER_SEC);
}

/*
 * The block of the window, from "from" to before "to", in which this amount of
 * open time since the start of "from" is reached; together they have it.
 */
static int
BlockAfter(Calendar *calendar, int from, int to, int64 amount)
{
	int64		target = calendar->before[from - PAST_START] + amount;

	/* the last block that begins before the target is reached */
	for (to--; from < to;)
	{
		int			middle = from + (to - from + 1) / 2;

		if (calendar->before[middle - PAST_START] < target)
			from = middle;
		else
			to = middle - 1;
	}
	return from;
}

static TimestampTz
CheckedTime(int block, int64 time)
{
	TimestampTz result;

	if (pg_mul_s64_overflow(block, BLOCK_USECS, &result) ||
		pg_add_s64_overflow(result, time, &result) || !IS_VALID_TIMESTAMP(result))
		align_calendar_fail_range();
	return result;
}

/*
 * The instant at which this amount (> 0) of open time has passed since the
 * start of a block.
 */
static TimestampTz
TimeAfterBlockStart(Calendar *calendar, int block, int64 amount)
{
	for (;;)
	{
		int			cycles;
		int			from;
		int			to;
		int64		open;

		if (block > BlockNumber(END_TIMESTAMP))
			align_calendar_fail_range();

		/* whole cycles that pass without using it up */
		if (block < PAST_START || block >= FUTURE_END)
		{
			int64		cycle = block < PAST_START ?
				OpenBetween(calendar, PAST_START, PAST_END) :
				OpenBetween(calendar, FUTURE_START, FUTURE_END);
			int64		skip;

			if (cycle == 0 && block >= FUTURE_END)
				align_calendar_fail_closed(calendar, true);
			skip = cycle == 0 ? PG_INT32_MAX : (amount - 1) / cycle;
			if (block < PAST_START)
				skip = Min(skip, (PAST_END - 1 - block) / CYCLE_BLOCKS);
			if (skip > BlockNumber(END_TIMESTAMP) / CYCLE_BLOCKS)
				align_calendar_fail_range();
			amount -= skip * cycle;
			block += skip * CYCLE_BLOCKS;
		}

		from = WindowBlock(block, &cycles);
		to = block < PAST_START ? PAST_END : FUTURE_END;

		/* mostly it is used up in this block */
		if (likely(amount <= BlockOf(calendar, from)->total * USECS_PER_SEC))
			return CheckedTime(block, TimeAfter(calendar->block[from - PAST_START], amount));

		/* build no more than it takes */
		while (calendar->hi < to &&
			   calendar->before[calendar->hi - PAST_START] - calendar->before[from - PAST_START] < amount)
			align_calendar_reach(calendar, calendar->hi);
		to = Min(to, calendar->hi);

		open = calendar->before[to - PAST_START] - calendar->before[from - PAST_START];
		if (amount <= open)
		{
			int			found = BlockAfter(calendar, from, to, amount);

			amount -= calendar->before[found - PAST_START] - calendar->before[from - PAST_START];
			return CheckedTime(found + cycles * CYCLE_BLOCKS,
							   TimeAfter(calendar->block[found - PAST_START], amount));
		}
		amount -= open;
		block += to - from;
	}
}

/*
 * The first instant at which open time since "at" amounts to this: negative or
 * zero if it lies before (or where) "at" does.
 */
static TimestampTz
FirstTimeAfter(Calendar *calendar, TimestampTz at, int64 amount)
{
	int			block = BlockNumber(at);
	int			cycles;
	const OpenBlock *open = BlockOf(calendar, WindowBlock(block, &cycles));
	int64		passed = OpenBefore(open, at - BlockStart(block));
	int64		left = open->total * USECS_PER_SEC - passed;

	if (amount > left)
		return TimeAfterBlockStart(calendar, block + 1, amount - left);

	/* go back to a block that begins before the instant, in larger steps at need */
	amount += passed;
	while (amount <= 0)
	{
		uint64		missing = UINT64CONST(1) - (uint64) amount;

		if (block <= PAST_START || block > FUTURE_END)
		{
			int64		cycle = block <= PAST_START ?
				OpenBetween(calendar, PAST_START, PAST_END) :
				OpenBetween(calendar, FUTURE_START, FUTURE_END);
			uint64		skip;

			if (cycle == 0 && block <= PAST_START)
				align_calendar_fail_closed(calendar, false);
			skip = cycle == 0 ? PG_INT32_MAX : (missing - 1) / cycle + 1;
			if (block > FUTURE_END)
				skip = Min(skip, (uint64) ((block - FUTURE_START) / CYCLE_BLOCKS));
			else if (skip > (uint64) ((block - BlockNumber(MIN_TIMESTAMP)) / CYCLE_BLOCKS + 1))
				align_calendar_fail_range();
			amount += skip * cycle;
			block -= skip * CYCLE_BLOCKS;
		}
		else if (BlockOf(calendar, block - 1)->total * USECS_PER_SEC >= missing)
		{
			block--;
			amount += calendar->block[block - PAST_START]->total * USECS_PER_SEC;
		}
		else
		{
			int			from = block - 1;

			while (calendar->before[block - PAST_START] - calendar->before[calendar->lo - PAST_START] < (int64) Min(missing, PG_INT64_MAX) &&
				   calendar->lo > PAST_START)
				align_calendar_reach(calendar, calendar->lo - 1);
			from = calendar->lo;
			amount += calendar->before[block - PAST_START] - calendar->before[from - PAST_START];
			block = from;
		}
	}
	return TimeAfterBlockStart(calendar, block, amount);
}

TimestampTz
align_add_working_time(Calendar *calendar, TimestampTz at, int64 amount)
{
	align_calendar_check_time(at);
	if (amount > 0)
		return FirstTimeAfter(calendar, at, amount);
	if (amount == 0)
		return align_next_open(calendar, at);
	/* the last instant that is so far back is just before the next has passed */
	return CheckedTime(0, FirstTimeAfter(calendar, at, amount + 1) - 1);
}

bool
align_is_open(Calendar *calendar, TimestampTz at)
{
	int			block;
	int			cycles;
	int64		rest;

	align_calendar_check_time(at);
	block = BlockNumber(at);
	rest = at - BlockStart(block);
	return IntervalAt(BlockOf(calendar, WindowBlock(block, &cycles)), rest)->start * USECS_PER_SEC <= rest;
}

TimestampTz
align_next_open(Calendar *calendar, TimestampTz at)
{
	align_calendar_check_time(at);
	/* it opens just before the first microsecond of open time has passed */
	return FirstTimeAfter(calendar, at, 1) - 1;
}

/*
 * Is there open time at or after this instant?
 */
bool
align_calendar_opens_after(Calendar *calendar, TimestampTz at)
{
	int			block;
	int			cycles;
	const OpenBlock *open;

	align_calendar_check_time(at);
	block = BlockNumber(at);
	open = BlockOf(calendar, WindowBlock(block, &cycles));
	if (OpenBefore(open, at - BlockStart(block)) < open->total * USECS_PER_SEC)
		return true;

	/*
	 * Of the later blocks, those of the last cycle repeat for ever.  So from
	 * within it or beyond it the whole cycle lies ahead.
	 */
	for (block = Max(Min(block + 1, FUTURE_START), PAST_START); block < FUTURE_END; block++)
	{
		if (BlockOf(calendar, block)->total > 0)
			return true;
	}
	return false;
}

/*
 * The end of the open period that contains this open instant, but at most
 * "limit".
 */
static TimestampTz
CloseAfter(Calendar *calendar, TimestampTz at, TimestampTz limit)
{
	int			block = BlockNumber(at);
	int			last = Max(block, FUTURE_END) + CYCLE_BLOCKS;
	uint32		end;
	int			cycles;

	end = IntervalAt(BlockOf(calendar, WindowBlock(block, &cycles)), at - BlockStart(block))->end;
	while (end == BLOCK_SECS && block < BlockNumber(limit))
	{
		const OpenInterval *next;

		/* open for a whole cycle, so for good */
		if (block++ == last)
		{
			if (limit < END_TIMESTAMP)
				return limit;
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("calendar never closes")));
		}
		CHECK_FOR_INTERRUPTS();
		next = &BlockOf(calendar, WindowBlock(block, &cycles))->interval[0];
		end = next->start == 0 ? next->end : 0;
	}
	return Min(BlockStart(block) + end * USECS_PER_SEC, limit);
}

TimestampTz
align_next_close(Calendar *calendar, TimestampTz at)
{
	TimestampTz open = align_next_open(calendar, at);
	TimestampTz close = CloseAfter(calendar, open, END_TIMESTAMP);

	if (close == END_TIMESTAMP)
		align_calendar_fail_range();
	return close;
}

/*
 * Is there any open time?  Counted in two halves, for the whole may be more than
 * an interval holds.
 */
static bool
HasOpenTime(Calendar *calendar, TimestampTz from, TimestampTz to)
{
	if (from >= 0 || to <= 0)
		return align_working_time(calendar, from, to) > 0;
	return align_working_time(calendar, from, 0) > 0 ||
		align_working_time(calendar, 0, to) > 0;
}

/*
 * The first open period (clipped to them) between two instants; false if there
 * is none.
 */
bool
align_open_period(Calendar *calendar, TimestampTz from, TimestampTz to,
				  TimestampTz *open, TimestampTz *close)
{
	align_calendar_check_time(from);
	align_calendar_check_time(to);
	if (from >= to || !HasOpenTime(calendar, from, to))
		return false;
	*open = align_next_open(calendar, from);
	*close = CloseAfter(calendar, *open, to);
	return true;
}
