/*
 * lead_clocks.c
 *	  The clocks of a lead as a data structure: its memory, the clock of the
 *	  highest cycle of each service level, and the versions that clocks need.
 */
#include "postgres.h"

#include "history/lead_clocks.h"

#define INITIAL_CLOCKS 4

/*
 * Initializes an empty set of clocks.
 */
void
align_replay_begin(LeadClocks *clocks, const char *agreement, MemoryContext context)
{
	memset(clocks, 0, sizeof(LeadClocks));
	clocks->agreement = agreement;
	clocks->context = context;
	clocks->room = INITIAL_CLOCKS;
	clocks->clocks = MemoryContextAlloc(context, INITIAL_CLOCKS * sizeof(LeadClock));
}

/*
 * Frees a string that may be NULL and sets it to NULL.
 */
void
align_free_string(char **string)
{
	if (*string != NULL)
		pfree(*string);
	*string = NULL;
}

/*
 * Removes the clocks and the state of the lead, but keeps the arrays.
 */
void
align_replay_reset(LeadClocks *clocks)
{
	for (int i = 0; i < clocks->nclocks; i++)
	{
		LeadClock  *clock = &clocks->clocks[i];

		pfree(clock->sla);
		pfree(clock->agreement);
		align_free_string(&clock->assignee_at_start);
		align_free_string(&clock->assignee_at_due);
		align_free_string(&clock->assignee_at_stop);
		if (clock->pauses != NULL)
			pfree(clock->pauses);
	}
	clocks->nclocks = 0;
	clocks->nlevels = 0;
	clocks->nkept = 0;
	clocks->kept = NULL;
	clocks->failure.problem = CLOCK_NO_PROBLEM;
	align_free_string(&clocks->failure.sla);
	align_free_string(&clocks->failure.agreement);
	clocks->alive = false;
	align_free_string(&clocks->stage);
	align_free_string(&clocks->assignee);
	align_free_string(&clocks->suspended_stage);
}

/*
 * Copies a string into the memory of the clocks; NULL if it is absent.
 */
char *
align_clocks_copy(LeadClocks *clocks, LeadString string)
{
	char	   *copy;

	if (string.text == NULL)
		return NULL;
	copy = MemoryContextAlloc(clocks->context, string.len + 1);
	memcpy(copy, string.text, string.len);
	copy[string.len] = '\0';
	return copy;
}

/*
 * Sets the state of the lead before the next entry.
 */
void
align_replay_set_state(LeadClocks *clocks, bool alive, LeadString stage, LeadString assignee)
{
	align_free_string(&clocks->stage);
	align_free_string(&clocks->assignee);
	clocks->alive = alive;
	clocks->stage = align_clocks_copy(clocks, stage);
	clocks->assignee = align_clocks_copy(clocks, assignee);
}

/*
 * Updates clocks->last for a new clock, which may be the one of the highest
 * cycle of its service level.
 */
static void
UpdateLastCycle(LeadClocks *clocks, int index)
{
	const LeadClock *clock = &clocks->clocks[index];

	for (int i = 0; i < clocks->nlevels; i++)
	{
		const LeadClock *last = &clocks->clocks[clocks->last[i]];

		if (strcmp(last->sla, clock->sla) == 0)
		{
			if (clock->clock.cycle > last->clock.cycle)
				clocks->last[i] = index;
			return;
		}
	}
	if (clocks->nlevels == clocks->levels_room)
	{
		clocks->levels_room = Max(clocks->levels_room * 2, INITIAL_CLOCKS);
		if (clocks->last == NULL)
			clocks->last = MemoryContextAlloc(clocks->context, clocks->levels_room * sizeof(int));
		else
			clocks->last = repalloc(clocks->last, clocks->levels_room * sizeof(int));
	}
	clocks->last[clocks->nlevels++] = index;
}

/*
 * Adds a clock of a service level and cycle.
 */
LeadClock *
align_replay_new_clock(LeadClocks *clocks, char *sla, int cycle)
{
	LeadClock  *clock;

	if (clocks->nclocks == clocks->room)
	{
		clocks->room *= 2;
		clocks->clocks = repalloc_huge(clocks->clocks, clocks->room * sizeof(LeadClock));
	}
	clock = &clocks->clocks[clocks->nclocks];
	memset(clock, 0, sizeof(LeadClock));
	clock->sla = sla;
	clock->clock.cycle = cycle;
	UpdateLastCycle(clocks, clocks->nclocks++);
	return clock;
}

/*
 * Raises that a version in the history does not exist.
 */
static void
ReportMissingVersion(const char *agreement, int32 version)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("version %d of agreement \"%s\" does not exist", version, agreement),
			 errdetail("The history contains entries that were judged by this version."),
			 errhint("Restore the missing versions of the agreement.")));
}

/*
 * Returns the funnel of a version; NULL if version is 0, or if it does not
 * exist and clocks is tolerant.  The last funnel is kept, because histories
 * are long and have few versions.
 */
Funnel *
align_replay_funnel(LeadClocks *clocks, LeadString agreement, int32 version)
{
	if (version == 0)
		return NULL;
	if (clocks->funnel_version != version ||
		!align_lead_same(align_lead_cstring(clocks->funnel_agreement), agreement))
	{
		int			len = Min(agreement.len, AGREEMENT_MAX_NAME);

		memcpy(clocks->funnel_agreement, agreement.text, len);
		clocks->funnel_agreement[len] = '\0';
		clocks->funnel_version = 0;
		clocks->funnel = len < agreement.len ? NULL :
			align_agreement_funnel(clocks->funnel_agreement, version);
		if (clocks->funnel == NULL && !clocks->tolerant)
			ReportMissingVersion(clocks->funnel_agreement, version);
		clocks->funnel_version = version;
	}
	return clocks->funnel;
}

/*
 * Sets clocks->failure if there is a problem, and it is the first.
 */
void
align_clocks_set_failure(LeadClocks *clocks, const LeadClock *clock, ClockProblem problem,
						 bool at_start, TimestampTz at)
{
	ClockFailure *failure = &clocks->failure;

	if (problem == CLOCK_NO_PROBLEM || failure->problem != CLOCK_NO_PROBLEM)
		return;
	failure->problem = problem;
	failure->sla = MemoryContextStrdup(clocks->context, clock->sla);
	failure->agreement = MemoryContextStrdup(clocks->context, clock->agreement);
	failure->version = clock->version;
	failure->at_start = at_start;
	failure->at = at;
}
