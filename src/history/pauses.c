/*
 * pauses.c
 *	  The pauses of a clock, and what a clock is that has had certain pauses.
 *
 * due_at and warn_at depend on the pauses.  If one is taken back or continued,
 * the clock is recomputed from its start.
 */
#include "postgres.h"

#include "history/lead_clocks.h"
#include "history/pauses.h"

#define INITIAL_PAUSES 2

/*
 * Appends a pause that begins at an instant.
 */
void
align_pause_begin(LeadClocks *clocks, LeadClock *clock, TimestampTz at)
{
	if (clock->npauses == clock->pauses_room)
	{
		if (clock->pauses == NULL)
			clock->pauses = MemoryContextAlloc(clocks->context,
											   INITIAL_PAUSES * 2 * sizeof(TimestampTz));
		else
			clock->pauses = repalloc(clock->pauses,
									 clock->pauses_room * 2 * 2 * sizeof(TimestampTz));
		clock->pauses_room = Max(clock->pauses_room * 2, INITIAL_PAUSES);
	}
	clock->pauses[clock->npauses * 2] = at;
	clock->pauses[clock->npauses * 2 + 1] = DT_NOEND;
	clock->npauses++;
}

/*
 * Ends the last pause, or removes it if it would be empty.
 */
void
align_pause_end(LeadClock *clock, TimestampTz at)
{
	TimestampTz *pause = &clock->pauses[(clock->npauses - 1) * 2];

	if (pause[0] == at)
		clock->npauses--;		/* empty */
	else
		pause[1] = at;
}

/*
 * Computes a clock from its start and its pauses, the last of which may be
 * open, with the promise to leads of these segments.
 */
static ClockProblem
ReplayPauses(const LeadClock *clock, SegmentMask segments, SlaClock *result)
{
	ClockProblem problem;

	problem = align_clock_start(clock->funnel, clock->clock.sla, clock->clock.cycle,
								clock->clock.started_at, segments, result);
	for (int i = 0; i < clock->npauses && problem == CLOCK_NO_PROBLEM; i++)
	{
		align_clock_pause(clock->funnel, result, clock->pauses[i * 2]);
		if (clock->pauses[i * 2 + 1] != DT_NOEND)
			problem = align_clock_resume(clock->funnel, result, clock->pauses[i * 2 + 1]);
	}
	return problem;
}

/*
 * Segments that held at the start of a clock, as far as they decide its
 * promise.  The clock table does not have them, but due_at shows which promise
 * was made.
 */
static SegmentMask
ClockSegments(const LeadClock *clock)
{
	const ServiceLevel *level = &clock->funnel->service_levels[clock->clock.sla];

	for (int i = 0; i < level->nsegment_promises; i++)
	{
		SegmentMask segments = SEGMENT_BIT(level->segment_promises[i].segment);
		SlaClock	computed;

		if (ReplayPauses(clock, segments, &computed) == CLOCK_NO_PROBLEM &&
			computed.due_at == clock->clock.due_at)
			return segments;
	}
	return 0;
}

/*
 * Recomputes a clock from its start and its pauses.
 */
static void
RecomputeClock(LeadClocks *clocks, LeadClock *clock, SegmentMask segments)
{
	TimestampTz started_at = clock->clock.started_at;
	SlaClock	computed;
	ClockProblem problem = ReplayPauses(clock, segments, &computed);

	if (problem != CLOCK_NO_PROBLEM)
		align_clocks_set_failure(clocks, clock, problem, true, started_at);
	else
		clock->clock = computed;
}

/*
 * Continues the last pause, for one that begins at the instant at which the
 * last one ended.  The table has a single period then, with due_at as of its
 * beginning.  Resuming has changed due_at, so the clock is recomputed.
 */
void
align_pause_continue(LeadClocks *clocks, LeadClock *clock)
{
	SegmentMask segments = ClockSegments(clock);

	clock->pauses[(clock->npauses - 1) * 2 + 1] = DT_NOEND;
	RecomputeClock(clocks, clock, segments);
}

/*
 * Sets a clock, which was loaded as an open one, back to what it was at an
 * instant between its start and its stop.  Only pauses move due_at and
 * warn_at, so unless one is cut off, they are those of the table.
 */
bool
align_replay_set_back(LeadClocks *clocks, LeadClock *clock, TimestampTz as_of)
{
	SegmentMask segments = ClockSegments(clock);
	int			npauses = clock->npauses;
	TimestampTz *last;
	bool		cut = false;

	while (npauses > 0 && clock->pauses[(npauses - 1) * 2] > as_of)
		npauses--;
	cut = npauses < clock->npauses;
	clock->npauses = npauses;
	if (npauses > 0)
	{
		last = &clock->pauses[(npauses - 1) * 2];
		if (last[1] > as_of && last[1] != DT_NOEND)
		{
			last[1] = DT_NOEND;
			cut = true;
		}
	}
	if (cut)
		RecomputeClock(clocks, clock, segments);
	return clocks->failure.problem == CLOCK_NO_PROBLEM;
}
