/*
 * replay.c
 *	  Applies recorded entries to service-level clocks.
 *
 * An entry takes effect in this order: first it stops, cancels, resumes or
 * pauses every open clock, under the version that the clock was started under;
 * then it sets the assignee of the lead; then it starts new clocks, under its
 * own version.  So the assignee when a clock stopped is the one before the
 * change that stopped it, and the assignee when it started is the one after
 * the change that started it.
 *
 * Each step considers only one clock per service level, so the cost of an
 * entry does not grow with the number of past cycles.
 *
 * assignee_at_due follows the assignee until the due instant has passed.  A
 * pause that began before that instant postpones it.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "history/lead_clocks.h"
#include "history/pauses.h"


/*
 * Sets the fields of an entry that depend on its source.
 */
void
align_replay_set_source(ReplayEntry *entry, LeadString source)
{
	entry->merged = align_source_is_merged(source.text, source.len);
	entry->not_live = align_source_is_not_live(source.text, source.len);
	entry->undated = align_source_is_undated(source.text, source.len);
	entry->live = align_source_is_live(source.text, source.len);
	entry->resumed = align_source_is_resumed(source.text, source.len);
}

/*
 * Copies a C string that may be NULL into the memory of the clocks.
 */
static inline char *
CopyCString(LeadClocks *clocks, const char *string)
{
	return string != NULL ? MemoryContextStrdup(clocks->context, string) : NULL;
}

/*
 * Returns the index of a stage in a funnel, -1 if either is NULL or the stage
 * is unknown.
 */
static inline int
StageIndex(const Funnel *funnel, const char *stage)
{
	if (funnel == NULL || stage == NULL)
		return -1;
	return align_funnel_stage(funnel, stage, strlen(stage));
}

/*
 * Returns the index in a clock's funnel of a stage that was recorded under the
 * version of an entry or before, -1 if it is NULL or unknown.
 */
static int
ClockStage(const LeadClock *clock, const StageSource *source, const char *stage)
{
	if (stage == NULL)
		return -1;
	return align_carry_stage(source, clock->agreement, clock->version, clock->funnel, stage);
}

/*
 * Updates pauses and assignee of a clock after an event that may have paused,
 * resumed or closed it.
 */
static void
UpdateClockRow(LeadClocks *clocks, LeadClock *clock, bool was_paused, TimestampTz at)
{
	const SlaClock *inner = &clock->clock;

	if (was_paused == inner->paused && !inner->closed)
		return;
	clock->changed = true;
	if (was_paused && !inner->paused)
		align_pause_end(clock, at);
	else if (!was_paused && inner->paused)
	{
		if (clock->npauses > 0 && clock->pauses[clock->npauses * 2 - 1] == at)
			align_pause_continue(clocks, clock);
		else
			align_pause_begin(clocks, clock, at);
	}
	if (inner->closed)
		clock->assignee_at_stop = CopyCString(clocks, clocks->assignee);
}

/*
 * Closes all open clocks, because the lead left the funnel or was deleted.
 * If they are suspended, because the row is no longer live, ResumeClocks() can
 * restore them.
 */
static void
CloseOpenClocks(LeadClocks *clocks, TimestampTz at, bool suspend)
{
	for (int i = 0; i < clocks->nlevels; i++)
	{
		LeadClock  *clock = &clocks->clocks[clocks->last[i]];
		bool		was_paused = clock->clock.paused;

		clock->suspended = suspend && !clock->clock.closed;
		if (clock->clock.closed)
			continue;
		clock->before = clock->clock;
		align_clocks_set_failure(clocks, clock, align_clock_cancel(clock->funnel, &clock->clock, at), false, at);
		UpdateClockRow(clocks, clock, was_paused, at);
	}
}

/*
 * Restores the clocks that CloseOpenClocks() has suspended.
 */
static void
ResumeClocks(LeadClocks *clocks)
{
	for (int i = 0; i < clocks->nlevels; i++)
	{
		LeadClock  *clock = &clocks->clocks[clocks->last[i]];

		if (!clock->suspended)
			continue;
		clock->suspended = false;
		clock->clock = clock->before;
		clock->changed = true;
		align_free_string(&clock->assignee_at_stop);
		if (!clock->clock.paused)
			continue;
		/* the end of the life has ended the pause, or removed an empty one */
		if (clock->npauses > 0 &&
			clock->pauses[(clock->npauses - 1) * 2] == clock->clock.paused_at)
			clock->pauses[clock->npauses * 2 - 1] = DT_NOEND;
		else
			align_pause_begin(clocks, clock, clock->clock.paused_at);
	}
}

/*
 * Applies a move of the lead to the open clocks, each under its own version.
 * entry_funnel is that of the entry, which is of the version "source".
 */
static void
AdvanceOpenClocks(LeadClocks *clocks, const char *from, const char *to, const Funnel *entry_funnel,
				  const StageSource *source, TimestampTz at)
{
	int			entry_stage = StageIndex(entry_funnel, to);
	bool		entry_terminal = entry_stage >= 0 &&
		entry_funnel->stages[entry_stage].kind != STAGE_OPEN;

	for (int i = 0; i < clocks->nlevels; i++)
	{
		LeadClock  *clock = &clocks->clocks[clocks->last[i]];
		bool		was_paused = clock->clock.paused;
		bool		terminal = entry_terminal;
		int			stage;

		if (clock->clock.closed)
			continue;
		/* the entry's version decides if the clock's does not know it */
		stage = ClockStage(clock, source, to);
		if (stage >= 0)
		{
			/* two stages of the entry's version can be one of the clock's */
			if (stage == ClockStage(clock, source, from))
				continue;
			terminal = clock->funnel->stages[stage].kind != STAGE_OPEN;
		}
		align_clocks_set_failure(clocks, clock,
				   align_clock_enter(clock->funnel, &clock->clock, stage, terminal, at),
				   false, at);
		UpdateClockRow(clocks, clock, was_paused, at);
	}
}

/*
 * Returns true if the due instant of an open clock has not passed at an
 * instant.  A paused clock counts time up to the beginning of the pause only.
 */
static inline bool
IsBeforeDue(const SlaClock *clock, TimestampTz at)
{
	return (clock->paused ? clock->paused_at : at) <= clock->due_at;
}

/*
 * Sets the assignee of the lead, and that of open clocks which are not due
 * yet.
 */
static void
SetAssignee(LeadClocks *clocks, LeadString assignee, TimestampTz at)
{
	if (align_lead_same(align_lead_cstring(clocks->assignee), assignee))
		return;
	align_free_string(&clocks->assignee);
	clocks->assignee = align_clocks_copy(clocks, assignee);
	for (int i = 0; i < clocks->nlevels; i++)
	{
		LeadClock  *clock = &clocks->clocks[clocks->last[i]];

		if (clock->clock.closed || !IsBeforeDue(&clock->clock, at))
			continue;
		align_free_string(&clock->assignee_at_due);
		clock->assignee_at_due = CopyCString(clocks, clocks->assignee);
		clock->changed = true;
	}
}

/*
 * Returns the clock of the highest cycle of a service level so far, or NULL.
 */
static const LeadClock *
LastClock(const LeadClocks *clocks, const char *sla)
{
	for (int i = 0; i < clocks->nlevels; i++)
	{
		const LeadClock *clock = &clocks->clocks[clocks->last[i]];

		if (strcmp(clock->sla, sla) == 0)
			return clock;
	}
	return NULL;
}

/*
 * Starts the clocks that a version starts for the current stage of the lead,
 * except those of service levels that have an open clock.
 */
static void
StartClocks(LeadClocks *clocks, Funnel *funnel, LeadString agreement, const ReplayEntry *entry)
{
	TimestampTz at = entry->effective_at;
	int32		version = entry->version;
	int			stage = StageIndex(funnel, clocks->stage);

	for (int i = 0; stage >= 0 && i < funnel->nservice_levels; i++)
	{
		const char *sla = funnel->service_levels[i].name;
		Funnel	   *clock_funnel = funnel;
		int			level = i;
		int32		clock_version = version;
		LeadClock  *clock;
		SlaClock	inner;
		ClockProblem problem;
		const LeadClock *last;
		int			cycle;
		int			nth_start;

		if (!align_clock_starts(funnel, level, stage))
			continue;
		last = LastClock(clocks, sla);
		if (last != NULL && !last->clock.closed)
			continue;
		cycle = last != NULL ? last->clock.cycle + 1 : 1;
		nth_start = last != NULL && last->clock.started_at == at ? last->nth_start + 1 : 0;
		if (clocks->nkept > 0)
			align_replay_keep_version(clocks, agreement, at, nth_start, &clock_funnel, &level,
									  &clock_version);
		problem = align_clock_start(clock_funnel, level, cycle, at,
									align_segments_of(clock_funnel, entry->segments), &inner);
		if (problem != CLOCK_NO_PROBLEM)
		{
			/* only to report it */
			LeadClock	unstarted = {.sla = unconstify(char *, sla),.version = clock_version,
			.agreement = align_clocks_copy(clocks, agreement)};

			align_clocks_set_failure(clocks, &unstarted, problem, true, at);
			pfree(unstarted.agreement);
			continue;
		}
		clock = align_replay_new_clock(clocks, CopyCString(clocks, sla), cycle);
		clock->clock = inner;
		clock->funnel = clock_funnel;
		clock->agreement = align_clocks_copy(clocks, agreement);
		clock->version = clock_version;
		clock->nth_start = nth_start;
		clock->assignee_at_start = CopyCString(clocks, clocks->assignee);
		clock->assignee_at_due = CopyCString(clocks, clocks->assignee);
		clock->is_new = clock->changed = true;
		if (entry->event != EVENT_OPENING || entry->merged)
			continue;
		clock->due_notified = inner.due_at <= entry->recorded_at;
		clock->warn_notified = clock->due_notified || inner.warn_at <= entry->recorded_at;
		clock->warn_notified_at = clock->due_notified_at = entry->recorded_at;
	}
}

/*
 * Returns true if entering a stage is a move, and not an entry of the stage in
 * which the lead already is, by the same label or by another one.
 */
static bool
IsMove(const LeadClocks *clocks, LeadString to, const Funnel *funnel, const StageSource *source)
{
	int			from_stage;

	if (!clocks->alive || clocks->stage == NULL)
		return true;
	if (align_lead_same(align_lead_cstring(clocks->stage), to))
		return false;
	if (funnel == NULL)
		return true;
	from_stage = align_carry_stage(source, source->agreement, source->version, funnel,
								   clocks->stage);
	return from_stage < 0 || from_stage != align_funnel_stage(funnel, to.text, to.len);
}

/*
 * Applies an entry that puts the lead into a stage.
 */
static void
EnterStage(LeadClocks *clocks, const ReplayEntry *entry)
{
	LeadString	agreement = entry->agreement;
	StageSource source = {0};
	Funnel	   *funnel;
	bool		is_move;

	if (agreement.text == NULL)
		agreement = align_lead_cstring(clocks->agreement);
	funnel = align_replay_funnel(clocks, agreement, entry->version);
	if (funnel != NULL)
	{
		source.agreement = clocks->funnel_agreement;
		source.version = entry->version;
	}
	if (entry->resumed && clocks->suspended_stage != NULL)
	{
		ResumeClocks(clocks);
		clocks->stage = clocks->suspended_stage;
		clocks->suspended_stage = NULL;
		clocks->alive = true;
	}
	align_free_string(&clocks->suspended_stage);
	is_move = IsMove(clocks, entry->stage, funnel, &source);

	if (is_move)
	{
		char	   *from = clocks->stage;

		clocks->stage = align_clocks_copy(clocks, entry->stage);

		/*
		 * Without a previous stage no clock is open, except when the stage is
		 * unknown because its entry was removed from the history.  The entry
		 * then records where the lead was found, which is no move.
		 */
		if (from != NULL)
			AdvanceOpenClocks(clocks, from, clocks->stage, funnel, &source,
							  entry->effective_at);
		align_free_string(&from);
	}
	clocks->alive = true;
	SetAssignee(clocks, entry->assignee, entry->effective_at);
	if (is_move && funnel != NULL && !entry->undated)
		StartClocks(clocks, funnel, agreement, entry);
}

/*
 * Applies an entry that ends the life of the lead.
 */
static void
LeaveFunnel(LeadClocks *clocks, const ReplayEntry *entry)
{
	bool		suspend = entry->live && clocks->alive;

	CloseOpenClocks(clocks, entry->effective_at, suspend);
	align_free_string(&clocks->suspended_stage);
	clocks->alive = false;
	if (suspend)
	{
		clocks->suspended_stage = clocks->stage;
		clocks->stage = NULL;
	}
	align_free_string(&clocks->stage);
	align_free_string(&clocks->assignee);
}

/*
 * Applies the next entry; returns false if clocks->failure is set.
 */
bool
align_replay_entry(LeadClocks *clocks, const ReplayEntry *entry)
{
	CHECK_FOR_INTERRUPTS();
	if (entry->not_live)
		return true;
	switch (entry->event)
	{
		case EVENT_OPENING:
		case EVENT_ENTRY:
		case EVENT_MOVE:
		case EVENT_OVERRIDE:
			if (entry->stage.text != NULL)
				EnterStage(clocks, entry);
			else if (!entry->merged)
				LeaveFunnel(clocks, entry);
			break;
		case EVENT_OWNER:
			if (!entry->merged && clocks->alive)
				SetAssignee(clocks, entry->assignee, entry->effective_at);
			break;
		case EVENT_DELETED:
		case EVENT_TRUNCATED:
			if (!entry->merged)
				LeaveFunnel(clocks, entry);
			break;
		case EVENT_REKEY:
		case EVENT_TOUCH:
			break;
	}
	return clocks->failure.problem == CLOCK_NO_PROBLEM;
}
