/*
 * old_clocks.c
 *	  What recomputed clocks take over from the clocks that they replace.
 *
 * It is what does not follow from the history: which clocks have been
 * announced, and which ones follow a later version of the agreement than the
 * entry that started them.
 */
#include "postgres.h"

#include "agreement/agreement.h"
#include "history/replay.h"

/*
 * qsort comparators for pointers to LeadClock: by service level and cycle; by
 * service level, start and cycle; and the same with the number among those of
 * the same start instead of the cycle.
 *
 * Cycles can start at the same instant, since the effective_at of an entry is
 * that of an earlier one if the row gives a time before that.
 */
static int
CompareCycles(const void *left, const void *right)
{
	const LeadClock *a = *(LeadClock *const *) left;
	const LeadClock *b = *(LeadClock *const *) right;
	int			result = strcmp(a->sla, b->sla);

	if (result != 0)
		return result;
	return (a->clock.cycle > b->clock.cycle) - (a->clock.cycle < b->clock.cycle);
}

static int
CompareStarts(const void *left, const void *right)
{
	const LeadClock *a = *(LeadClock *const *) left;
	const LeadClock *b = *(LeadClock *const *) right;
	int			result = strcmp(a->sla, b->sla);

	if (result != 0)
		return result;
	return (a->clock.started_at > b->clock.started_at) - (a->clock.started_at < b->clock.started_at);
}

static int
CompareStartsAndCycles(const void *left, const void *right)
{
	int			result = CompareStarts(left, right);

	return result != 0 ? result : CompareCycles(left, right);
}

static int
CompareNthStarts(const void *left, const void *right)
{
	const LeadClock *a = *(LeadClock *const *) left;
	const LeadClock *b = *(LeadClock *const *) right;
	int			result = CompareStarts(left, right);

	return result != 0 ? result : (a->nth_start > b->nth_start) - (a->nth_start < b->nth_start);
}

/*
 * Returns an array of pointers to the clocks, sorted.
 */
static LeadClock **
SortClocks(LeadClocks *clocks, int (*compare) (const void *, const void *))
{
	LeadClock **result = MemoryContextAlloc(clocks->context, clocks->nclocks * sizeof(LeadClock *));

	for (int i = 0; i < clocks->nclocks; i++)
		result[i] = &clocks->clocks[i];
	qsort(result, clocks->nclocks, sizeof(LeadClock *), compare);
	return result;
}

/*
 * Returns an array of pointers to old clocks, sorted by CompareNthStarts(),
 * and sets their nth_start.
 */
static LeadClock **
SortStarts(LeadClocks *clocks)
{
	LeadClock **result = SortClocks(clocks, CompareStartsAndCycles);

	for (int i = 1; i < clocks->nclocks; i++)
	{
		if (CompareStarts(&result[i - 1], &result[i]) == 0)
			result[i]->nth_start = result[i - 1]->nth_start + 1;
	}
	return result;
}

/*
 * Returns the index of a service level that a version starts in a stage, or
 * -1.
 */
static int
LevelStartedIn(const Funnel *funnel, const char *sla, const char *stage_name)
{
	int			stage = -1;

	if (funnel != NULL && stage_name != NULL)
		stage = align_funnel_stage(funnel, stage_name, strlen(stage_name));
	for (int level = 0; stage >= 0 && level < funnel->nservice_levels; level++)
	{
		if (strcmp(funnel->service_levels[level].name, sla) == 0)
			return align_clock_starts(funnel, level, stage) ? level : -1;
	}
	return -1;
}

/*
 * Returns the open clock of a service level, or NULL.
 */
static LeadClock *
OpenClock(const LeadClocks *clocks, const char *sla)
{
	for (int i = 0; i < clocks->nlevels; i++)
	{
		LeadClock  *clock = &clocks->clocks[clocks->last[i]];

		if (strcmp(clock->sla, sla) == 0)
			return clock->clock.closed ? NULL : clock;
	}
	return NULL;
}

/*
 * Returns the old clock whose version a new one keeps, and sets *version to
 * that; NULL if there is none.  What now takes the place of a clock that was
 * open follows open_version, even if it has become several cycles.
 */
static const LeadClock *
FindKept(const LeadClocks *clocks, const char *sla, TimestampTz at, int nth_start, int32 *version)
{
	LeadClock	wanted = {.sla = unconstify(char *, sla),.nth_start = nth_start};
	LeadClock  *key = &wanted;
	LeadClock **found;

	if (clocks->open_version != 0)
	{
		const LeadClock *open = OpenClock(clocks->old, sla);

		if (open != NULL &&
			(open->clock.started_at < at ||
			 (open->clock.started_at == at && open->nth_start <= nth_start)))
		{
			*version = clocks->open_version;
			return open;
		}
	}
	wanted.clock.started_at = at;
	found = bsearch(&key, clocks->kept, clocks->nkept, sizeof(LeadClock *), CompareNthStarts);
	if (found == NULL)
		return NULL;
	*version = (*found)->version;
	return *found;
}

/*
 * If a clock is to run under a later version of the agreement than *version,
 * sets *version, *funnel and *level to that version.
 */
void
align_replay_keep_version(const LeadClocks *clocks, LeadString agreement, TimestampTz at,
						  int nth_start, Funnel **funnel, int *level, int32 *version)
{
	const char *sla = (*funnel)->service_levels[*level].name;
	int32		kept_version;
	const LeadClock *kept = FindKept(clocks, sla, at, nth_start, &kept_version);
	Funnel	   *kept_funnel;
	int			kept_level;

	if (kept == NULL || kept_version <= *version ||
		!align_lead_same(align_lead_cstring(kept->agreement), agreement))
		return;
	kept_funnel = align_agreement_funnel(kept->agreement, kept_version);
	kept_level = LevelStartedIn(kept_funnel, sla, clocks->stage);
	if (kept_level < 0)
		return;
	*funnel = kept_funnel;
	*level = kept_level;
	*version = kept_version;
}

/*
 * Makes new clocks run under the versions of the old ones of the same starts,
 * or under open_version.
 */
void
align_replay_keep_versions(LeadClocks *clocks, LeadClocks *old_clocks, int32 open_version)
{
	clocks->nkept = old_clocks->nclocks;
	clocks->kept = old_clocks->nclocks > 0 ? SortStarts(old_clocks) : NULL;
	clocks->old = old_clocks;
	clocks->open_version = open_version;
}

/* How an old clock is found that a new one continues, the surest way first. */
typedef enum Continuation
{
	SAME_START,					/* numbers change when an earlier cycle is
								 * recorded later */
	BOTH_OPEN,					/* the start was corrected */
	SAME_CYCLE					/* likewise */
} Continuation;

/*
 * Copies the times of announcements from the old clock that a clock continues.
 * If that followed another version, what it announced need not be so now.
 */
static void
CopyAnnounced(LeadClock *clock, const LeadClock *old)
{
	const SlaClock *inner = &clock->clock;
	bool		same = inner->closed || clock->version == old->version;

	clock->warn_notified = old->warn_notified &&
		(same || Min(inner->warn_at, inner->due_at) <= old->warn_notified_at);
	clock->warn_notified_at = old->warn_notified_at;
	clock->due_notified = old->due_notified && (same || inner->due_at <= old->due_notified_at);
	clock->due_notified_at = old->due_notified_at;
}

/*
 * Copies the times of announcements from the old clocks to those new ones that
 * have none yet, found in one way.  taken[] tells which old clocks have been
 * found already.
 */
static void
CarryAnnounced(LeadClocks *clocks, LeadClocks *old_clocks, Continuation how, bool *done,
			   bool *taken)
{
	int			(*compare) (const void *, const void *) =
		how == SAME_START ? CompareNthStarts : CompareCycles;
	LeadClock **sorted = how == SAME_START ? SortStarts(old_clocks) :
		SortClocks(old_clocks, compare);

	for (int i = 0; i < clocks->nclocks; i++)
	{
		LeadClock  *clock = &clocks->clocks[i];
		LeadClock  *old = NULL;

		if (done[i])
			continue;
		if (how != BOTH_OPEN)
		{
			LeadClock **found = bsearch(&clock, sorted, old_clocks->nclocks,
										sizeof(LeadClock *), compare);

			old = found != NULL ? *found : NULL;
		}
		else if (!clock->clock.closed)
			old = OpenClock(old_clocks, clock->sla);
		if (old == NULL || taken[old - old_clocks->clocks])
			continue;
		CopyAnnounced(clock, old);
		done[i] = taken[old - old_clocks->clocks] = true;
	}
	pfree(sorted);
}

/*
 * Copies the times of announcements from the old clocks to those that continue
 * them.
 */
void
align_replay_carry_announced(LeadClocks *clocks, LeadClocks *old_clocks)
{
	bool	   *done;
	bool	   *taken;

	if (old_clocks->nclocks == 0 || clocks->nclocks == 0)
		return;
	done = palloc0(clocks->nclocks * sizeof(bool));
	taken = palloc0(old_clocks->nclocks * sizeof(bool));
	CarryAnnounced(clocks, old_clocks, SAME_START, done, taken);
	CarryAnnounced(clocks, old_clocks, BOTH_OPEN, done, taken);
	CarryAnnounced(clocks, old_clocks, SAME_CYCLE, done, taken);
	pfree(done);
	pfree(taken);
}

/*
 * Marks the open clocks that were at risk or overdue at an instant as
 * announced then.
 */
void
align_replay_announced_until(LeadClocks *clocks, TimestampTz until)
{
	for (int i = 0; i < clocks->nlevels; i++)
	{
		LeadClock  *clock = &clocks->clocks[clocks->last[i]];
		const SlaClock *inner = &clock->clock;
		TimestampTz at = inner->paused ? Min(inner->paused_at, until) : until;

		if (inner->closed)
			continue;
		if (!clock->warn_notified && Min(inner->warn_at, inner->due_at) <= at)
		{
			clock->warn_notified = true;
			clock->warn_notified_at = until;
		}
		if (!clock->due_notified && inner->due_at <= at)
		{
			clock->due_notified = true;
			clock->due_notified_at = until;
		}
	}
}
