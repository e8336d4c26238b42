/*
 * compile.c
 *	  From rules to the compiled calendar: zone, local dates, block tables.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/memutils.h"

#include "calendar/tables.h"

/* The epoch of pg_time_t, in seconds since 2000-01-01. */
#define UNIX_EPOCH_SECS ((int64) (UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE) * SECS_PER_DAY)

/*
 * How far local dates can be from UTC dates, with a wide margin for clocks
 * that once were set a whole day back or forth.
 */
#define ZONE_MARGIN_DAYS 4

/* Values of an argument that are kept compiled: the hours of so many teams. */
#define ARGUMENT_VALUES 8

/*
 * Sets calendar->segments to the offsets between two instants (seconds since
 * 2000-01-01 UTC).  Neighbouring segments differ in their offsets.
 */
void
align_zone_segments(Calendar *calendar, int64 from, int64 to)
{
	ZoneSegments *segments = &calendar->segments;
	int64		start = from;

	segments->n = 0;
	while (start < to)
	{
		pg_time_t	probe = start - UNIX_EPOCH_SECS;
		pg_time_t	boundary;
		long		offset;
		long		next_offset;
		int			isdst;
		int			next_isdst;
		int64		end;
		int			found;

		found = pg_next_dst_boundary(&probe, &offset, &isdst, &boundary,
									 &next_offset, &next_isdst, calendar->zone);
		if (found < 0)
			elog(ERROR, "could not find the offset of time zone \"%s\"",
				 pg_get_timezone_name(calendar->zone));

		/*
		 * pg_next_dst_boundary may report no boundary for far years that have
		 * one, so ask again four weeks later.
		 */
		end = found > 0 ? boundary + UNIX_EPOCH_SECS : start + 28 * SECS_PER_DAY;
		end = Min(end, to);

		/* not every boundary changes the offset */
		if (segments->n > 0 && segments->segment[segments->n - 1].offset == offset)
			segments->segment[segments->n - 1].end = end;
		else
		{
			ZoneSegment *segment;

			if (segments->n == segments->max)
			{
				segments->max *= 2;
				segments->segment = repalloc(segments->segment,
											 segments->max * sizeof(ZoneSegment));
			}
			segment = &segments->segment[segments->n++];
			segment->start = start;
			segment->end = end;
			segment->offset = (int) offset;
		}
		start = end;
	}
}

/*
 * First instant at which the local clock reads this time (seconds since local
 * 2000-01-01) or a later one.  The segments must cover it.
 */
int64
align_local_to_utc(const ZoneSegments *segments, int64 local)
{
	const ZoneSegment *segment = segments->segment;
	const ZoneSegment *last = segment + segments->n - 1;

	while (segment < last && segment->end + segment->offset <= local)
		segment++;
	return Max(segment->start, local - segment->offset);
}

/*
 * The spans of a local date, given as day number.
 */
const DaySpans *
align_calendar_day(const Calendar *calendar, int day)
{
	int			year,
				month,
				day_of_month;

	/*
	 * Map dates outside the window into it, by whole cycles: j2date does not
	 * reach so far.
	 */
	if (day < PAST_START * BLOCK_DAYS)
		day += (PAST_END * BLOCK_DAYS - 1 - day) / CYCLE_DAYS * CYCLE_DAYS;
	else if (day >= FUTURE_END * BLOCK_DAYS)
		day -= (day - FUTURE_START * BLOCK_DAYS) / CYCLE_DAYS * CYCLE_DAYS;
	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &day_of_month);
	return SpansOfDate(calendar->rules, day, month, day_of_month);
}

/*
 * Element i of calendar->scratch, which is enlarged if needed.
 */
static OpenInterval *
ScratchInterval(Calendar *calendar, int i)
{
	if (i >= calendar->max_scratch)
	{
		calendar->max_scratch *= 2;
		calendar->scratch = repalloc(calendar->scratch,
									 calendar->max_scratch * sizeof(OpenInterval));
	}
	return &calendar->scratch[i];
}

/*
 * Collects the open intervals of a block in calendar->scratch, in order and
 * disjoint, and returns how many.  Spans are visited in the order of their
 * starts, so each either extends the last interval or follows it.
 */
static int
CollectIntervals(Calendar *calendar, int block)
{
	int			first_day = block * BLOCK_DAYS;
	int64		block_start = (int64) block * BLOCK_SECS;
	int			n = 0;

	align_zone_segments(calendar, block_start - ZONE_MARGIN_DAYS * SECS_PER_DAY,
						block_start + BLOCK_SECS + ZONE_MARGIN_DAYS * SECS_PER_DAY);

	/*
	 * A span ends up to two dates after its own, and local time differs from
	 * UTC by less than a day: so start three dates early.
	 */
	for (int day = first_day - 3; day <= first_day + BLOCK_DAYS + 1; day++)
	{
		const DaySpans *open = align_calendar_day(calendar, day);
		int64		midnight = (int64) day * SECS_PER_DAY;

		for (int i = 0; i < open->n; i++)
		{
			const DaySpan *span = &open->span[i];
			int64		start = align_local_to_utc(&calendar->segments,
												   midnight + span->start * SECS_PER_MINUTE);
			int64		end = align_local_to_utc(&calendar->segments,
												 midnight + span->end * SECS_PER_MINUTE);

			/* clip to the block */
			start = Max(start - block_start, 0);
			end = Min(end - block_start, BLOCK_SECS);
			if (start >= end)
				continue;
			if (n > 0 && start <= (int64) calendar->scratch[n - 1].end)
				calendar->scratch[n - 1].end = Max(calendar->scratch[n - 1].end, (uint32) end);
			else
			{
				OpenInterval *interval = ScratchInterval(calendar, n++);

				interval->start = start;
				interval->end = end;
				interval->before = 0;
			}
		}
	}
	return n;
}

/*
 * Builds the table of one block, in calendar->context.
 */
static OpenBlock *
BuildBlock(Calendar *calendar, int block)
{
	int			n = CollectIntervals(calendar, block);
	OpenBlock  *result;
	int			i = 0;

	Assert(n < PG_UINT16_MAX);
	result = MemoryContextAlloc(calendar->context,
								offsetof(OpenBlock, interval) + (n + 1) * sizeof(OpenInterval));
	result->n = n;
	result->total = 0;
	for (i = 0; i < n; i++)
	{
		result->interval[i] = calendar->scratch[i];
		result->interval[i].before = result->total;
		result->total += calendar->scratch[i].end - calendar->scratch[i].start;
	}
	result->interval[n].start = result->interval[n].end = PG_UINT32_MAX;
	result->interval[n].before = result->total;

	i = 0;
	for (int day = 0; day < BLOCK_DAYS; day++)
	{
		while (result->interval[i].end <= (uint32) (day * SECS_PER_DAY))
			i++;
		result->first[day] = i;
	}
	return result;
}

/*
 * Builds the blocks that are missing between those already built and this one.
 * The bounds are moved after each block is complete, so that an error or a
 * cancellation leaves the tables valid.
 */
void
align_calendar_build_to(Calendar *calendar, int block)
{
	Assert(block >= PAST_START && block < FUTURE_END);
	if (calendar->lo == calendar->hi)
	{
		calendar->lo = calendar->hi = block;
		calendar->before[block - PAST_START] = 0;
	}
	while (block >= calendar->hi)
	{
		OpenBlock  *built;
		int			i = calendar->hi - PAST_START;

		CHECK_FOR_INTERRUPTS();
		built = BuildBlock(calendar, calendar->hi);
		calendar->block[i] = built;
		calendar->before[i + 1] = calendar->before[i] + built->total * USECS_PER_SEC;
		calendar->hi++;
	}
	while (block < calendar->lo)
	{
		OpenBlock  *built;
		int			i = calendar->lo - 1 - PAST_START;

		CHECK_FOR_INTERRUPTS();
		built = BuildBlock(calendar, calendar->lo - 1);
		calendar->block[i] = built;
		calendar->before[i] = calendar->before[i + 1] - built->total * USECS_PER_SEC;
		calendar->lo--;
	}
}

/*
 * The zone of that name.  The parser accepts unknown zones; here they raise.
 */
static pg_tz *
LookupZone(const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" of the calendar is not recognized", name),
				 errhint("The view pg_timezone_names lists the time zones of this server.")));
	if (!pg_tz_acceptable(zone))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("time zone \"%s\" of the calendar appears to use leap seconds", name),
				 errdetail("PostgreSQL does not support leap seconds.")));
	return zone;
}

/*
 * Compiles text in context.  No block is built yet.
 */
Calendar *
align_calendar_compile(const char *text, MemoryContext context)
{
	MemoryContext old_context = MemoryContextSwitchTo(context);
	Calendar   *calendar = palloc0(sizeof(Calendar));

	calendar->context = context;
	calendar->rules = align_rules_parse(text, NULL);
	calendar->zone = LookupZone(calendar->rules->zone);
	calendar->segments.max = 8;
	calendar->segments.segment = palloc(calendar->segments.max * sizeof(ZoneSegment));
	calendar->max_scratch = 2 * BLOCK_DAYS;
	calendar->scratch = palloc(calendar->max_scratch * sizeof(OpenInterval));
	/* not zeroed: only elements from lo to hi are read */
	calendar->block = palloc(WINDOW_BLOCKS * sizeof(OpenBlock *));
	calendar->before = palloc((WINDOW_BLOCKS + 1) * sizeof(int64));
	MemoryContextSwitchTo(old_context);
	return calendar;
}

/*
 * Fills a memo that is not valid for a value.
 */
static void
FillMemo(ValueMemo *memo, Datum value, const struct varlena *stored)
{
	TextValue  *text = align_text_value_arg(value, "calendar");

	align_memo_reset(memo);
	align_memo_keep(memo, stored,
					align_calendar_compile(align_text_value_cstring(text), memo->context));
}

/*
 * Compiled form of an argument, cached in a slot of flinfo while its value
 * stays the same.
 */
Calendar *
align_calendar_arg(FmgrInfo *flinfo, Datum value, int slot, int nslots)
{
	struct varlena *stored = PG_DETOAST_DATUM_PACKED(value);
	ValueMemo  *memo = align_memo(flinfo, slot, nslots);

	if (unlikely(!align_memo_valid(memo, stored)))
		FillMemo(memo, value, stored);
	if ((Pointer) stored != DatumGetPointer(value))
		pfree(stored);
	return memo->compiled;
}

/*
 * Compiled form of an argument, cached in flinfo with those of the last few
 * values.
 */
Calendar *
align_calendar_only_arg(FmgrInfo *flinfo, Datum value)
{
	struct varlena *stored = PG_DETOAST_DATUM_PACKED(value);
	ValueMemo  *memo = align_memo_of_value(flinfo, ARGUMENT_VALUES, stored);

	if (unlikely(memo->compiled == NULL))
		FillMemo(memo, value, stored);
	if ((Pointer) stored != DatumGetPointer(value))
		pfree(stored);
	return memo->compiled;
}
