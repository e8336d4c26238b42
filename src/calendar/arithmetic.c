/*
 * arithmetic.c
 *	  Working time: its amount between instants, and the instant after which
 *	  an amount has passed.
 *
 * All functions rest on the running total of open time, in microseconds.  It
 * is constant while the calendar is closed, so an amount is reached at many
 * instants: forwards the first of them counts (the closing time, not the next
 * opening), backwards the last.
 */
#include "postgres.h"

#include "common/int.h"
#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "calendar/tables.h"

/*
 * Raises because a result lies outside the range of timestamps.
 */
void
align_calendar_fail_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("timestamp out of range")));
}

/*
 * The instant at which a block begins.
 */
static inline TimestampTz
BlockStart(int block)
{
	return block * BLOCK_USECS;
}

/*
 * The block that contains an instant.
 */
static inline int
BlockAt(TimestampTz time)
{
	return (int) FloorDivide(time, BLOCK_USECS);
}

/*
 * First interval of the block that ends after this time (microseconds since
 * the start of the block); possibly the sentinel.
 */
static inline const OpenInterval *
IntervalAt(const OpenBlock *block, int64 time)
{
	const OpenInterval *interval = &block->interval[block->first[time / USECS_PER_DAY]];

	while (interval->end * USECS_PER_SEC <= time)
		interval++;
	return interval;
}

/*
 * Open time of the block before this time (microseconds since its start).
 */
static inline int64
OpenBefore(const OpenBlock *block, int64 time)
{
	const OpenInterval *interval = IntervalAt(block, time);
	int64		start = interval->start * USECS_PER_SEC;

	return interval->before * USECS_PER_SEC + (time > start ? time - start : 0);
}

/*
 * Open time between the starts of two blocks of the window.  The blocks from
 * "from" to before "to" must be built.
 */
static inline int64
BuiltOpenBetween(const Calendar *calendar, int from, int to)
{
	return calendar->before[to - PAST_START] - calendar->before[from - PAST_START];
}

/*
 * The same, but builds the blocks.
 */
static int64
OpenBetween(Calendar *calendar, int from, int to)
{
	Assert(from < to);
	(void) BlockOf(calendar, from);
	(void) BlockOf(calendar, to - 1);
	return BuiltOpenBetween(calendar, from, to);
}

/*
 * Raises because a calendar has not enough open time after (later) or before a
 * time.
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
			 later ? errmsg("calendar does not open again") :
			 errmsg("calendar does not open earlier"),
			 later ? errdetail("The calendar does not have enough open time after the given time.") :
			 errdetail("The calendar does not have enough open time before the given time.")));
}

/*
 * The running total of open time at an instant.  Its origin is arbitrary and
 * it wraps around, so only differences have a meaning.
 */
static inline uint64
RunningTotal(Calendar *calendar, TimestampTz time)
{
	int			block = BlockAt(time);
	int64		time_of_block = time - BlockStart(block);
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
	return total + OpenBefore(open, time_of_block);
}

/*
 * Open time between two instants, negative if "to" is before "from".
 */
int64
align_working_time(Calendar *calendar, TimestampTz from, TimestampTz to)
{
	int64		elapsed;
	int64		result;

	align_calendar_check_time(from);
	align_calendar_check_time(to);

	/* open time is at most the elapsed time, so it fits if that does */
	if (likely(!pg_sub_s64_overflow(to, from, &elapsed)))
	{
		/* in this order, so that the tables grow forwards */
		uint64		before = RunningTotal(calendar, from);

		return (int64) (RunningTotal(calendar, to) - before);
	}
	/* else add the parts before and after 2000-01-01 */
	if (pg_add_s64_overflow(align_working_time(calendar, from, 0),
							align_working_time(calendar, 0, to), &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range"),
				 errdetail("An interval cannot hold that much working time.")));
	return result;
}

/*
 * The time of a block (microseconds since its start) at which "amount" of its
 * open time has passed: at least 1 and at most all of it.
 */
static int64
TimeAfter(const OpenBlock *block, int64 amount)
{
	int			lo = 0;
	int			hi = block->n - 1;

	/* find the last interval that has less than the amount before it */
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
 * The block of the window, from "from" to before "to", in which "amount" of
 * open time since the start of "from" is reached.  The blocks must be built
 * and have that much open time together.
 */
static int
BlockAfter(Calendar *calendar, int from, int to, int64 amount)
{
	int64		target = calendar->before[from - PAST_START] + amount;

	/* find the last block that begins before the target is reached */
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

/*
 * The instant at this time (microseconds) of a block; raises if it lies
 * outside the range of timestamps.
 */
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
 * The first instant at which "amount" (> 0) of open time has passed since the
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

		if (block > BlockAt(END_TIMESTAMP))
			align_calendar_fail_range();

		/*
		 * In the years that repeat, skip the whole cycles that do not use up
		 * the amount.  At least 1 of it remains; a past without open time is
		 * skipped altogether.
		 */
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
			if (skip > BlockAt(END_TIMESTAMP) / CYCLE_BLOCKS)
				align_calendar_fail_range();
			amount -= skip * cycle;
			block += skip * CYCLE_BLOCKS;
		}

		from = WindowBlock(block, &cycles);
		to = block < PAST_START ? PAST_END : FUTURE_END;

		/* usually this block uses up the amount */
		if (likely(amount <= BlockOf(calendar, from)->total * USECS_PER_SEC))
			return CheckedTime(block, TimeAfter(calendar->block[from - PAST_START], amount));

		/* else find the block, and build no more of them than needed */
		while (calendar->hi < to && BuiltOpenBetween(calendar, from, calendar->hi) < amount)
			align_calendar_build_to(calendar, calendar->hi);
		to = Min(to, calendar->hi);

		open = BuiltOpenBetween(calendar, from, to);
		if (amount <= open)
		{
			int			found = BlockAfter(calendar, from, to, amount);

			amount -= BuiltOpenBetween(calendar, from, found);
			return CheckedTime(found + cycles * CYCLE_BLOCKS,
							   TimeAfter(calendar->block[found - PAST_START], amount));
		}

		/* not in the rest of this cycle or window: go on after it */
		amount -= open;
		block += to - from;
	}
}

/*
 * The first instant at which the open time since "at" is "amount".  If that is
 * zero or negative, the instant lies at or before "at".
 */
static TimestampTz
FirstTimeAfter(Calendar *calendar, TimestampTz at, int64 amount)
{
	int			block = BlockAt(at);
	int			cycles;
	const OpenBlock *open = BlockOf(calendar, WindowBlock(block, &cycles));
	int64		passed = OpenBefore(open, at - BlockStart(block));
	int64		left = open->total * USECS_PER_SEC - passed;

	if (amount > left)
		return TimeAfterBlockStart(calendar, block + 1, amount - left);

	/*
	 * Go back to a block that begins before the instant: by whole cycles in
	 * the years that repeat, else by one block or by all that are built.
	 * "amount" counts from the start of "block", and becomes positive there.
	 */
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
			else if (skip > (uint64) ((block - BlockAt(MIN_TIMESTAMP)) / CYCLE_BLOCKS + 1))
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
			int			from;

			while (calendar->lo > PAST_START &&
				   (uint64) BuiltOpenBetween(calendar, calendar->lo, block) < missing)
				align_calendar_build_to(calendar, calendar->lo - 1);
			from = calendar->lo;
			amount += BuiltOpenBetween(calendar, from, block);
			block = from;
		}
	}
	return TimeAfterBlockStart(calendar, block, amount);
}

/*
 * The instant at which "amount" of open time has passed since "at", or before
 * it if the amount is negative.
 */
TimestampTz
align_add_working_time(Calendar *calendar, TimestampTz at, int64 amount)
{
	align_calendar_check_time(at);
	if (amount > 0)
		return FirstTimeAfter(calendar, at, amount);
	if (amount == 0)
		return align_next_open(calendar, at);

	/*
	 * The last instant with a running total is 1 microsecond before the first
	 * with the next total.
	 */
	return CheckedTime(0, FirstTimeAfter(calendar, at, amount + 1) - 1);
}

/*
 * True if the calendar is open at this instant.
 */
bool
align_is_open(Calendar *calendar, TimestampTz at)
{
	int			block;
	int			cycles;
	int64		time;
	const OpenInterval *interval;

	align_calendar_check_time(at);
	block = BlockAt(at);
	time = at - BlockStart(block);
	interval = IntervalAt(BlockOf(calendar, WindowBlock(block, &cycles)), time);
	return interval->start * USECS_PER_SEC <= time;
}

/*
 * First instant at or after "at" that is open.
 */
TimestampTz
align_next_open(Calendar *calendar, TimestampTz at)
{
	align_calendar_check_time(at);
	/* 1 microsecond before the first microsecond of open time has passed */
	return FirstTimeAfter(calendar, at, 1) - 1;
}

/*
 * True if there is open time at or after this instant.
 */
bool
align_calendar_opens_after(Calendar *calendar, TimestampTz at)
{
	int			block;
	int			cycles;
	const OpenBlock *open;

	align_calendar_check_time(at);
	block = BlockAt(at);
	open = BlockOf(calendar, WindowBlock(block, &cycles));
	if (OpenBefore(open, at - BlockStart(block)) < open->total * USECS_PER_SEC)
		return true;

	/*
	 * The last cycle of the window repeats for ever, so from any instant in
	 * it or after it the whole cycle lies ahead.
	 */
	for (block = Max(Min(block + 1, FUTURE_START), PAST_START); block < FUTURE_END; block++)
	{
		if (BlockOf(calendar, block)->total > 0)
			return true;
	}
	return false;
}

/*
 * The end of the open period that contains an open instant, but at most
 * "limit".
 */
static TimestampTz
CloseAfter(Calendar *calendar, TimestampTz at, TimestampTz limit)
{
	int			block = BlockAt(at);
	int			last = Max(block, FUTURE_END) + CYCLE_BLOCKS;
	uint32		end;
	int			cycles;

	end = IntervalAt(BlockOf(calendar, WindowBlock(block, &cycles)), at - BlockStart(block))->end;
	while (end == BLOCK_SECS && block < BlockAt(limit))
	{
		const OpenInterval *next;

		/* open for a whole cycle that repeats, so it never closes */
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

/*
 * End of the open period that contains align_next_open(at).
 */
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
 * True if there is open time between two instants.  The whole range may hold
 * more open time than an int64, so it is counted in two halves.
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
 * The first open period between two instants, clipped to them; false if there
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
