/*
 * clocks.c
 *	  Service-level clocks: start, pause, resume, stop, cancel, new cycle.
 *
 * A lead has at most one open clock per service level.  Entering a stage
 * affects each service level in a fixed order: stop (or cancel), resume,
 * pause, start.  So a stage that stops a clock may start the next cycle.
 *
 * The passing of time changes no clock: whether an open one is running, at
 * risk or overdue is derived when it is read.
 */
#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "judge/judge.h"
#include "time_text.h"

#define INITIAL_CLOCKS 8

/* The first span in which MissingTime looks for open time. */
#define FIRST_SPAN (28 * USECS_PER_DAY)

#define LAST_TIMESTAMP (END_TIMESTAMP - 1)

/* After its last fixed date a calendar repeats every 400 years. */
#define CALENDAR_CYCLE (146097 * USECS_PER_DAY)

static const char *const state_names[] = {
	[CLOCK_RUNNING] = "running",
	[CLOCK_AT_RISK] = "at_risk",
	[CLOCK_OVERDUE] = "overdue",
	[CLOCK_PAUSED] = "paused",
	[CLOCK_MET] = "met",
	[CLOCK_MISSED] = "missed",
	[CLOCK_CANCELLED] = "cancelled",
};

static const char *const problem_texts[] = {
	[CLOCK_NO_PROBLEM] = "nothing is wrong",
	[CLOCK_NEVER_OPENS] = "its calendar never opens again",
	[CLOCK_CLOSES_TOO_SOON] = "its calendar has too little open time left",
	[CLOCK_OUT_OF_RANGE] = "it would be due after the last timestamp",
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
 * Arithmetic in the kind of time of a promise.
 */
static inline Calendar *
WorkingHours(Funnel *funnel, const ServiceLevel *sla)
{
	return align_funnel_calendar(funnel, sla->team);
}

static void
FailInterval(const ServiceLevel *sla)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("interval out of range"),
			 errdetail("The clock of service level \"%s\" spans more than 292,000 years.",
					   sla->name)));
}

static int64
TimeBetween(Funnel *funnel, const ServiceLevel *sla, TimestampTz from, TimestampTz to)
{
	int64		result;

	if (sla->promise.kind != DUE_ELAPSED)
		return align_working_time(WorkingHours(funnel, sla), from, to);
	if (pg_sub_s64_overflow(to, from, &result))
		FailInterval(sla);
	return result;
}

int64
align_clock_time(Funnel *funnel, int sla, TimestampTz from, TimestampTz to)
{
	return TimeBetween(funnel, &funnel->service_levels[sla], from, to);
}

const char *
align_clock_problem_text(ClockProblem problem)
{
	return problem_texts[problem];
}

int
align_clock_problem_sqlstate(ClockProblem problem)
{
	return problem == CLOCK_OUT_OF_RANGE ? ERRCODE_DATETIME_VALUE_OUT_OF_RANGE :
		ERRCODE_INVALID_PARAMETER_VALUE;
}

/*
 * The part of an amount of working time that the calendar does not have
 * between an instant and the last timestamp.
 *
 * A calendar builds its tables as far as a query reaches, and mostly a few
 * weeks are enough.  So this looks at spans that start small and double.
 */
static int64
MissingTime(Calendar *calendar, TimestampTz at, int64 amount)
{
	int64		span = FIRST_SPAN;

	while (amount > 0 && at < LAST_TIMESTAMP)
	{
		TimestampTz to = at < LAST_TIMESTAMP - span ? at + span : LAST_TIMESTAMP;

		amount -= Min(amount, align_working_time(calendar, at, to));
		at = to;
		if (span < PG_INT64_MAX / 4)
			span *= 2;
	}
	return amount;
}

/*
 * The reason for which an amount of working time cannot pass after an instant.
 * Determined beforehand, because the calendar's functions raise errors that do
 * not name the service level.
 */
static ClockProblem
WorkingTimeProblem(Calendar *calendar, TimestampTz at, int64 amount)
{
	int64		needed = Max(amount, 1);	/* 0 means the next opening */
	int64		missing = MissingTime(calendar, at, needed);

	if (missing == 0)
		return CLOCK_NO_PROBLEM;
	/* if it opens in its last cycle, only the range of timestamps ends */
	if (align_working_time(calendar, LAST_TIMESTAMP - CALENDAR_CYCLE, LAST_TIMESTAMP) > 0)
		return CLOCK_OUT_OF_RANGE;
	return missing == needed ? CLOCK_NEVER_OPENS : CLOCK_CLOSES_TOO_SOON;
}

/*
 * The instant at which an amount of the promise's kind of time has passed.
 */
static ClockProblem
TimeAfter(Funnel *funnel, const ServiceLevel *sla, TimestampTz at, int64 amount,
		  TimestampTz *result)
{
	Calendar   *calendar;
	ClockProblem problem;

	if (sla->promise.kind == DUE_ELAPSED)
	{
		if (pg_add_s64_overflow(at, amount, result) || !IS_VALID_TIMESTAMP(*result))
			return CLOCK_OUT_OF_RANGE;
		return CLOCK_NO_PROBLEM;
	}
	calendar = WorkingHours(funnel, sla);
	problem = WorkingTimeProblem(calendar, at, amount);
	if (problem == CLOCK_NO_PROBLEM)
		*result = align_add_working_time(calendar, at, amount);
	return problem;
}

/*
 * The instant at which a clock that starts with a promise is due.
 */
static ClockProblem
DueAt(Funnel *funnel, const ServiceLevel *sla, const Promise *promise, TimestampTz started_at,
	  TimestampTz *due_at)
{
	Calendar   *calendar;
	ClockProblem problem;

	if (promise->kind != DUE_END_OF_DAY)
		return TimeAfter(funnel, sla, started_at, promise->amount, due_at);
	calendar = WorkingHours(funnel, sla);
	problem = WorkingTimeProblem(calendar, started_at, 1);
	if (problem != CLOCK_NO_PROBLEM)
		return problem;
	switch (align_try_end_of_working_day(calendar, started_at, (int) promise->amount, due_at))
	{
		case CALENDAR_OPEN:
			break;
		case CALENDAR_CLOSED:
			return CLOCK_CLOSES_TOO_SOON;
		case CALENDAR_OUT_OF_RANGE:
			return CLOCK_OUT_OF_RANGE;
	}
	return CLOCK_NO_PROBLEM;
}

/*
 * The instant that is an amount of time before the due one, not before the
 * start.
 */
static TimestampTz
WarnBefore(Funnel *funnel, const ServiceLevel *sla, TimestampTz started_at, TimestampTz due_at)
{
	int64		amount = sla->promise.warn;

	if (amount >= TimeBetween(funnel, sla, started_at, due_at))
		return started_at;
	if (sla->promise.kind == DUE_ELAPSED)
		return due_at - amount;
	return align_add_working_time(WorkingHours(funnel, sla), due_at, -amount);
}

/*
 * The instant from which a clock is at risk, never after it is due.
 */
static TimestampTz
WarnAt(Funnel *funnel, const ServiceLevel *sla, TimestampTz started_at, TimestampTz due_at)
{
	TimestampTz warn_at;

	if (sla->promise.warn < 0)
		return CLOCK_NO_WARNING;
	if (sla->promise.warn_before)
		return WarnBefore(funnel, sla, started_at, due_at);
	/* "by end of day" may be sooner, or there may be no time to warn at all */
	if (TimeAfter(funnel, sla, started_at, sla->promise.warn, &warn_at) != CLOCK_NO_PROBLEM)
		return due_at;
	return Min(warn_at, due_at);
}

/*
 * Move due_at or warn_at of a paused clock as if it resumed at "at": as much
 * time remains then as when the pause began.  An instant that had passed by
 * then does not move, nor does any after an empty pause (adding no working
 * time would move it to the next opening).
 */
static ClockProblem
ShiftInstant(Funnel *funnel, const SlaClock *clock, TimestampTz *instant, TimestampTz at)
{
	const ServiceLevel *sla = &funnel->service_levels[clock->sla];

	if (*instant == CLOCK_NO_WARNING || *instant < clock->paused_at || at == clock->paused_at)
		return CLOCK_NO_PROBLEM;
	return TimeAfter(funnel, sla, at, TimeBetween(funnel, sla, clock->paused_at, *instant),
					 instant);
}

/*
 * The time that a clock has spent by an instant.
 */
static int64
SpentAt(Funnel *funnel, const SlaClock *clock, TimestampTz at)
{
	const ServiceLevel *sla = &funnel->service_levels[clock->sla];
	int64		result;

	if (clock->paused || clock->closed)
		return clock->spent;
	if (pg_add_s64_overflow(clock->spent, TimeBetween(funnel, sla, clock->running_since, at),
							&result))
		FailInterval(sla);
	return result;
}

/*
 * Raise if there is a problem; verb is "start" or "resume".
 */
static void
CheckClock(const Funnel *funnel, int level, ClockProblem problem, const char *verb, TimestampTz at)
{
	if (problem != CLOCK_NO_PROBLEM)
		ereport(ERROR,
				(errcode(align_clock_problem_sqlstate(problem)),
				 errmsg("service level \"%s\" cannot %s at %s: %s",
						funnel->service_levels[level].name, verb, align_time_text(at),
						align_clock_problem_text(problem))));
}

/*
 * The events of one clock.
 */
ClockProblem
align_clock_start(Funnel *funnel, int sla, int cycle, TimestampTz at, SegmentMask segments,
				  SlaClock *clock)
{
	const ServiceLevel *level = &funnel->service_levels[sla];
	ClockProblem problem;

	memset(clock, 0, sizeof(SlaClock));
	clock->sla = sla;
	clock->cycle = cycle;
	clock->started_at = clock->running_since = at;
	problem = DueAt(funnel, level, align_promise_to(level, segments), at, &clock->due_at);
	if (problem != CLOCK_NO_PROBLEM)
		return problem;
	clock->warn_at = WarnAt(funnel, level, at, clock->due_at);
	clock->stopped_by = -1;
	return CLOCK_NO_PROBLEM;
}

void
align_clock_pause(Funnel *funnel, SlaClock *clock, TimestampTz at)
{
	Assert(!clock->paused && !clock->closed);
	clock->spent = SpentAt(funnel, clock, at);
	clock->paused = true;
	clock->paused_at = at;
}

ClockProblem
align_clock_resume(Funnel *funnel, SlaClock *clock, TimestampTz at)
{
	ClockProblem problem;

	Assert(clock->paused && !clock->closed);
	problem = ShiftInstant(funnel, clock, &clock->due_at, at);
	if (problem == CLOCK_NO_PROBLEM)
		problem = ShiftInstant(funnel, clock, &clock->warn_at, at);
	clock->paused = false;
	clock->running_since = at;
	return problem;
}

/*
 * Close a clock.  answered: by an event that stops it, and not by one that
 * cancels it.  A clock that still runs at its due instant is missed in either
 * case, so a lead that is moved away too late does not mend the promise.
 * stage is -1 if no stage of the funnel closes it.
 */
static ClockProblem
CloseClock(Funnel *funnel, SlaClock *clock, int stage, TimestampTz at, bool answered)
{
	ClockProblem problem = CLOCK_NO_PROBLEM;

	Assert(!clock->closed);
	/* a paused clock resumes at the same instant */
	if (clock->paused)
		problem = align_clock_resume(funnel, clock, at);
	clock->spent = SpentAt(funnel, clock, at);
	clock->closed = true;
	clock->stopped_at = at;
	clock->stopped_by = stage;
	if (answered && at <= clock->due_at)
		clock->outcome = CLOCK_MET;
	else
		clock->outcome = at < clock->due_at ? CLOCK_CANCELLED : CLOCK_MISSED;
	return problem;
}

ClockProblem
align_clock_cancel(Funnel *funnel, SlaClock *clock, TimestampTz at)
{
	return CloseClock(funnel, clock, -1, at, false);
}

ClockProblem
align_clock_enter(Funnel *funnel, SlaClock *clock, int stage, bool terminal, TimestampTz at)
{
	const ServiceLevel *sla = &funnel->service_levels[clock->sla];
	uint8		effects = stage >= 0 ? sla->effects[stage] : 0;

	if (effects & EFFECT_STOP)
		return CloseClock(funnel, clock, stage, at, true);
	if (terminal)
		return CloseClock(funnel, clock, stage, at, false);
	if (sla->is_handoff && !(effects & EFFECT_PAUSE))
		return CloseClock(funnel, clock, stage, at, false); /* withdrawn */
	if (clock->paused && !(effects & EFFECT_PAUSE))
		return align_clock_resume(funnel, clock, at);
	if (!clock->paused && (effects & EFFECT_PAUSE))
		align_clock_pause(funnel, clock, at);
	return CLOCK_NO_PROBLEM;
}

bool
align_clock_starts(const Funnel *funnel, int sla, int stage)
{
	const ServiceLevel *level = &funnel->service_levels[sla];

	return level->promise.kind != DUE_NONE && stage >= 0 && (level->effects[stage] & EFFECT_START);
}

/*
 * The clocks of a lead under one agreement.
 */
static void
StartClock(ClockBoard *board, int level, TimestampTz at, SegmentMask segments)
{
	if (board->nclocks == board->room)
	{
		board->room *= 2;
		board->clocks = repalloc(board->clocks, board->room * sizeof(SlaClock));
	}
	CheckClock(board->funnel, level,
			   align_clock_start(board->funnel, level, board->cycles[level] + 1, at, segments,
								 &board->clocks[board->nclocks]),
			   "start", at);
	board->cycles[level]++;
	board->open[level] = board->nclocks++;
}

void
align_clocks_enter(ClockBoard *board, int stage, TimestampTz at, SegmentMask segments)
{
	Funnel	   *funnel = board->funnel;
	bool		terminal = stage >= 0 && funnel->stages[stage].kind != STAGE_OPEN;

	for (int level = 0; level < funnel->nservice_levels; level++)
	{
		if (board->open[level] >= 0)
		{
			SlaClock   *clock = &board->clocks[board->open[level]];

			CheckClock(funnel, level, align_clock_enter(funnel, clock, stage, terminal, at),
					   "resume", at);
			if (clock->closed)
				board->open[level] = -1;
		}
		if (board->open[level] < 0 && align_clock_starts(funnel, level, stage))
			StartClock(board, level, at, segments);
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
		align_clocks_enter(board, walk.to, walk.entry.at, align_walk_segments(&walk));
	}
	align_walk_end(&walk);
}

/*
 * The state of an open clock.
 */
static ClockState
OpenState(const SlaClock *clock, TimestampTz as_of)
{
	/* during a pause no time passes, but a missed due instant stays missed */
	TimestampTz now = clock->paused ? clock->paused_at : as_of;

	if (now > clock->due_at)
		return CLOCK_OVERDUE;
	if (clock->paused)
		return CLOCK_PAUSED;
	return now >= clock->warn_at ? CLOCK_AT_RISK : CLOCK_RUNNING;
}

void
align_clock_read(Funnel *funnel, const SlaClock *clock, TimestampTz as_of, ClockReading *reading)
{
	const ServiceLevel *sla = &funnel->service_levels[clock->sla];

	reading->elapsed = SpentAt(funnel, clock, as_of);
	reading->due_at = clock->due_at;
	reading->warn_at = clock->warn_at;
	reading->remaining = 0;
	if (clock->closed)
	{
		reading->state = clock->outcome;
		return;
	}

	reading->state = OpenState(clock, as_of);
	reading->remaining = TimeBetween(funnel, sla, clock->paused ? clock->paused_at : as_of,
									 clock->due_at);
	if (clock->paused)
	{
		CheckClock(funnel, clock->sla, ShiftInstant(funnel, clock, &reading->due_at, as_of),
				   "resume", as_of);
		CheckClock(funnel, clock->sla, ShiftInstant(funnel, clock, &reading->warn_at, as_of),
				   "resume", as_of);
	}
}
