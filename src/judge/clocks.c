/*
 * clocks.c
 *	  Service-level clocks: start, pause, resume, stop, cancel, new cycle.
 *
 * A lead has at most one open clock per service level.  Entering a stage acts
 * on each service level in a fixed order: stop (or cancel), resume, pause,
 * start; so a stage that stops a clock may start the next cycle.
 *
 * Nothing happens to a clock because time passes: whether an open clock is
 * running, at risk or overdue is derived when it is read.
 */
#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "judge/judge.h"

#define INITIAL_CLOCKS 8

static const char *const state_names[] = {
	[CLOCK_RUNNING] = "running",
	[CLOCK_AT_RISK] = "at_risk",
	[CLOCK_OVERDUE] = "overdue",
	[CLOCK_PAUSED] = "paused",
	[CLOCK_MET] = "met",
	[CLOCK_MISSED] = "missed",
	[CLOCK_CANCELLED] = "cancelled",
};

const char *
align_clock_state_name(ClockState state)
{
	return state_names[state];
}

void
align_clocks_begin(ClockBoard *board, Funnel *funnel)
{
	int			nlevels = Max(funnel->nservice_levels, 1);

	board->funnel = funnel;
	board->room = INITIAL_CLOCKS;
	board->clocks = palloc(board->room * sizeof(SlaClock));
	board->open = palloc(nlevels * sizeof(int));
	board->cycles = palloc(nlevels * sizeof(int));
	align_clocks_reset(board);
}

void
align_clocks_reset(ClockBoard *board)
{
	board->nclocks = 0;
	for (int i = 0; i < board->funnel->nservice_levels; i++)
	{
		board->open[i] = -1;
		board->cycles[i] = 0;
	}
}

void
align_clocks_end(ClockBoard *board)
{
	pfree(board->clocks);
	pfree(board->open);
	pfree(board->cycles);
}

/*
 * The two kinds of time.
 */
static inline Calendar *
WorkingHours(const ClockBoard *board, const ServiceLevel *sla)
{
	return align_funnel_calendar(board->funnel, sla->team);
}

static int64
TimeBetween(const ClockBoard *board, const ServiceLevel *sla, TimestampTz from, TimestampTz to)
{
	int64		result;

	if (sla->promise.kind != DUE_ELAPSED)
		return align_working_time(WorkingHours(board, sla), from, to);
	if (pg_sub_s64_overflow(to, from, &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range")));
	return result;
}

static TimestampTz
TimeAfter(const ClockBoard *board, const ServiceLevel *sla, TimestampTz at, int64 amount)
{
	TimestampTz result;

	if (sla->promise.kind != DUE_ELAPSED)
		return align_add_working_time(WorkingHours(board, sla), at, amount);
	if (pg_add_s64_overflow(at, amount, &result) || !IS_VALID_TIMESTAMP(result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range"),
				 errdetail("Service level \"%s\" would be due beyond the last timestamp.", sla->name)));
	return result;
}

static TimestampTz
DueAt(const ClockBoard *board, const ServiceLevel *sla, TimestampTz started_at)
{
	if (sla->promise.kind == DUE_END_OF_DAY)
		return align_end_of_working_day(WorkingHours(board, sla), started_at,
										(int) sla->promise.amount);
	return TimeAfter(board, sla, started_at, sla->promise.amount);
}

static TimestampTz
WarnAt(const ClockBoard *board, const ServiceLevel *sla, TimestampTz started_at, TimestampTz due_at)
{
	TimestampTz warn_at;

	if (sla->promise.warn < 0)
		return CLOCK_NO_WARNING;
	warn_at = TimeAfter(board, sla, started_at, sla->promise.warn);
	/* "by end of day" may come sooner than the hours after which to warn */
	return Min(warn_at, due_at);
}

/*
 * Where an instant that lay ahead when the clock was paused comes to lie if the
 * clock resumes at "at".
 */
static TimestampTz
ShiftedBy(const ClockBoard *board, const SlaClock *clock, TimestampTz instant, TimestampTz at)
{
	const ServiceLevel *sla = &board->funnel->service_levels[clock->sla];

	if (instant == CLOCK_NO_WARNING || instant < clock->paused_at)
		return instant;
	return TimeAfter(board, sla, at, TimeBetween(board, sla, clock->paused_at, instant));
}

static int64
SpentAt(const ClockBoard *board, const SlaClock *clock, TimestampTz at)
{
	if (clock->paused || clock->closed)
		return clock->spent;
	return clock->spent + TimeBetween(board, &board->funnel->service_levels[clock->sla],
									  clock->running_since, at);
}

static void
StartClock(ClockBoard *board, int level, TimestampTz at)
{
	const ServiceLevel *sla = &board->funnel->service_levels[level];
	SlaClock   *clock;

	if (board->nclocks == board->room)
	{
		board->room *= 2;
		board->clocks = repalloc(board->clocks, board->room * sizeof(SlaClock));
	}
	clock = &board->clocks[board->nclocks];
	clock->sla = level;
	clock->cycle = ++board->cycles[level];
	clock->paused = clock->closed = false;
	clock->started_at = clock->running_since = at;
	clock->due_at = DueAt(board, sla, at);
	clock->warn_at = WarnAt(board, sla, at, clock->due_at);
	clock->spent = 0;
	board->open[level] = board->nclocks++;
}

static void
PauseClock(ClockBoard *board, SlaClock *clock, TimestampTz at)
{
	clock->spent = SpentAt(board, clock, at);
	clock->paused = true;
	clock->paused_at = at;
}

static void
ResumeClock(ClockBoard *board, SlaClock *clock, TimestampTz at)
{
	clock->due_at = ShiftedBy(board, clock, clock->due_at, at);
	clock->warn_at = ShiftedBy(board, clock, clock->warn_at, at);
	clock->paused = false;
	clock->running_since = at;
}

static void
CloseClock(ClockBoard *board, SlaClock *clock, int stage, TimestampTz at, bool cancelled)
{
	/* from a pause: as if it had resumed at this very instant */
	if (clock->paused)
		ResumeClock(board, clock, at);
	clock->spent = SpentAt(board, clock, at);
	clock->closed = true;
	clock->stopped_at = at;
	clock->stopped_by = stage;
	if (cancelled)
		clock->outcome = CLOCK_CANCELLED;
	else
		clock->outcome = at <= clock->due_at ? CLOCK_MET : CLOCK_MISSED;
	board->open[clock->sla] = -1;
}

void
align_clocks_enter(ClockBoard *board, int stage, TimestampTz at)
{
	const Funnel *funnel = board->funnel;
	bool		terminal = stage >= 0 && funnel->stages[stage].kind != STAGE_OPEN;

	for (int level = 0; level < funnel->nservice_levels; level++)
	{
		const ServiceLevel *sla = &funnel->service_levels[level];
		uint8		effects = stage >= 0 ? sla->effects[stage] : 0;

		if (sla->promise.kind == DUE_NONE)
			continue;

		if (board->open[level] >= 0)
		{
			SlaClock   *clock = &board->clocks[board->open[level]];

			if (effects & EFFECT_STOP)
				CloseClock(board, clock, stage, at, false);
			else if (terminal)
				CloseClock(board, clock, stage, at, true);
			else if (sla->is_handoff && !(effects & EFFECT_PAUSE))
				CloseClock(board, clock, stage, at, true);	/* withdrawn */
			else if (clock->paused && !(effects & EFFECT_PAUSE))
				ResumeClock(board, clock, at);
			else if (!clock->paused && (effects & EFFECT_PAUSE))
				PauseClock(board, clock, at);
		}
		if (board->open[level] < 0 && (effects & EFFECT_START))
			StartClock(board, level, at);
	}
}

void
align_clocks_run(ClockBoard *board, const struct varlena *lead, TimestampTz as_of)
{
	Walk		walk;

	align_walk_begin(&walk, board->funnel, lead, as_of);
	while (align_walk_next(&walk))
	{
		CHECK_FOR_INTERRUPTS();
		align_clocks_enter(board, walk.to, walk.entry.at);
	}
	align_walk_end(&walk);
}

static ClockState
OpenState(const SlaClock *clock, TimestampTz as_of)
{
	/* while paused time stands still, but a broken promise stays broken */
	TimestampTz now = clock->paused ? clock->paused_at : as_of;

	if (now > clock->due_at)
		return CLOCK_OVERDUE;
	if (clock->paused)
		return CLOCK_PAUSED;
	return now >= clock->warn_at ? CLOCK_AT_RISK : CLOCK_RUNNING;
}

void
align_clock_read(const ClockBoard *board, const SlaClock *clock, TimestampTz as_of,
				 ClockReading *reading)
{
	const ServiceLevel *sla = &board->funnel->service_levels[clock->sla];

	reading->elapsed = SpentAt(board, clock, as_of);
	reading->due_at = clock->due_at;
	reading->warn_at = clock->warn_at;
	reading->remaining = 0;
	if (clock->closed)
	{
		reading->state = clock->outcome;
		return;
	}

	reading->state = OpenState(clock, as_of);
	reading->remaining = TimeBetween(board, sla, clock->paused ? clock->paused_at : as_of,
									 clock->due_at);
	if (clock->paused)
	{
		reading->due_at = ShiftedBy(board, clock, clock->due_at, as_of);
		reading->warn_at = ShiftedBy(board, clock, clock->warn_at, as_of);
	}
}
