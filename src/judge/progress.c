/*
 * progress.c
 *	  How far a lead got along a list of steps, or a funnel's success path.
 *
 * Simple lists of steps (see StepPlan) are searched here; journey.c searches
 * all others.
 *
 * For every level L the search keeps one chain that fills the steps 1 to L:
 * the one that started latest, because it has the most left of the window.  An
 * entry that matches step L extends the chain of level
 * L - 1 if it lies within that chain's window.  Levels are visited in
 * descending order, so that an entry never fills two steps of a chain.  The
 * first chain to reach a level is the one that completes earliest; a chain
 * that completes at the same time replaces it if it started later.  Cost:
 * entries times steps.
 *
 * Beside it there is the chain of the earliest first step, in which each step
 * is filled as early as possible.  How far it got when its window is over does
 * not depend on anything later, such as another first step, so it is what
 * rates of leads of the same age are made of.
 */
#include "postgres.h"

#include "judge/judge.h"
#include "judge/journey.h"

typedef struct Chain
{
	bool		exists;
	TimestampTz times[PROGRESS_MAX_STEPS];	/* one per step of its level */
} Chain;

/*
 * The chain of the lead's earliest first step.
 */
typedef struct FirstChain
{
	int			level;
	TimestampTz start;			/* undefined while level is 0 */
} FirstChain;

static inline bool
WithinWindow(const StepPlan *plan, TimestampTz start, TimestampTz at)
{
	/* unsigned, because the difference of valid times may exceed an int64 */
	return plan->within < 0 || (uint64) at - (uint64) start <= (uint64) plan->within;
}

/*
 * Extend the chains by an entry that matches some steps.
 */
static void
ExtendChains(const StepPlan *plan, Chain *chains, uint64 fits, TimestampTz at,
			 Progress *best)
{
	for (int step = plan->list->nsteps - 1; step >= 0; step--)
	{
		Chain	   *chain = &chains[step];
		const Chain *before = step > 0 ? &chains[step - 1] : NULL;
		TimestampTz start;

		if (!(fits & (UINT64CONST(1) << step)))
			continue;
		if (before != NULL && !before->exists)
			continue;

		/* start a chain, or continue the one that is a step behind */
		start = before ? before->times[0] : at;
		if (!WithinWindow(plan, start, at))
			continue;

		/* keep the later start, which leaves more of the window */
		if (!chain->exists || start > chain->times[0])
		{
			if (before)
				memcpy(chain->times, before->times, step * sizeof(TimestampTz));
			chain->times[step] = at;
			chain->exists = true;
		}
		if (step + 1 > best->level ||
			(step + 1 == best->level && at == best->times[step] && start > best->times[0]))
		{
			best->level = step + 1;
			memcpy(best->times, chain->times, (step + 1) * sizeof(TimestampTz));
		}
	}
}

/*
 * Extend the chain of the earliest first step by an entry that matches some
 * steps.
 */
static inline void
ExtendFirstChain(const StepPlan *plan, FirstChain *chain, uint64 fits, TimestampTz at)
{
	if (chain->level == plan->list->nsteps || !(fits & (UINT64CONST(1) << chain->level)))
		return;
	if (chain->level == 0)
		chain->start = at;
	else if (!WithinWindow(plan, chain->start, at))
		return;
	chain->level++;
}

/*
 * A lead that has not converted is dropped only after the window of its latest
 * first step has passed.
 */
static ProgressStatus
StepsStatus(const StepPlan *plan, const Chain *chains, const Progress *progress,
			TimestampTz as_of)
{
	if (progress->level == plan->list->nsteps)
		return PROGRESS_CONVERTED;
	if (progress->level > 0 && !WithinWindow(plan, chains[0].times[0], as_of))
		return PROGRESS_DROPPED;
	return PROGRESS_OPEN;
}

/*
 * The simple search, described at the top.
 */
static void
SimpleProgress(const StepPlan *plan, const struct varlena *lead, TimestampTz as_of,
			   Progress *progress)
{
	LeadReader	reader;
	LeadEntry	entry;
	Chain		chains[PROGRESS_MAX_STEPS];
	FirstChain	first = {0};
	uint64		inline_fits[LEAD_INLINE_STRINGS];
	uint64	   *fits = inline_fits;

	for (int i = 0; i < plan->list->nsteps; i++)
		chains[i].exists = false;

	align_lead_read(&reader, lead);
	if (reader.nstrings > LEAD_INLINE_STRINGS)
		fits = palloc(reader.nstrings * sizeof(uint64));
	/* match each dictionary string once, not each entry */
	for (int i = 0; i < reader.nstrings; i++)
	{
		const StepName *name = align_step_name(plan, reader.strings[i]);

		fits[i] = name != NULL ? name->steps : 0;
	}

	while (align_lead_next(&reader, &entry) && entry.at <= as_of)
	{
		if (entry.amount >= 0)
			progress->amount = reader.strings[entry.amount];
		if (entry.stage >= 0 && fits[entry.stage] != 0)
		{
			ExtendChains(plan, chains, fits[entry.stage], entry.at, progress);
			ExtendFirstChain(plan, &first, fits[entry.stage], entry.at);
		}
	}
	progress->status = StepsStatus(plan, chains, progress, as_of);
	if (first.level > 0 && !WithinWindow(plan, first.start, as_of))
		progress->matured_level = first.level;

	if (fits != inline_fits)
		pfree(fits);
	align_lead_read_end(&reader);
}

void
align_progress(const StepPlan *plan, const struct varlena *lead, TimestampTz as_of,
			   Progress *progress)
{
	align_progress_begin(progress, plan->list->nsteps);
	if (plan->simple)
		SimpleProgress(plan, lead, as_of, progress);
	else
		align_journey_progress(plan, lead, as_of, progress);
}

void
align_funnel_progress(const Funnel *funnel, const struct varlena *lead, TimestampTz as_of,
					  Progress *progress)
{
	Walk		walk;
	TimestampTz *won_at = &progress->times[funnel->npath - 1];
	bool		lost = false;

	StaticAssertStmt(FUNNEL_MAX_PATH <= PROGRESS_MAX_STEPS,
					 "a success path must fit into a Progress");
	align_progress_begin(progress, funnel->npath);

	align_walk_begin(&walk, funnel, lead, as_of);
	while (align_walk_next(&walk))
	{
		const FunnelStage *stage;

		/* a lead is lost while its stage is, and won until it is open again */
		lost = false;
		if (walk.to < 0)
			continue;
		stage = &funnel->stages[walk.to];
		lost = stage->kind == STAGE_LOST;
		if (stage->kind == STAGE_OPEN)
		{
			*won_at = PROGRESS_NO_TIME;
			progress->entered_end = false;
		}
		else if (stage->kind == STAGE_WON && *won_at == PROGRESS_NO_TIME)
			*won_at = walk.entry.at;
		/* the end of the path stands for all won stages */
		if (stage->position == funnel->npath - 1)
			progress->entered_end = true;
		else if (stage->position >= 0)
		{
			if (progress->times[stage->position] == PROGRESS_NO_TIME)
				progress->times[stage->position] = walk.entry.at;
			progress->level = Max(progress->level, stage->position + 1);
		}
	}
	progress->amount = align_walk_string(&walk, walk.amount);
	align_walk_end(&walk);

	if (*won_at != PROGRESS_NO_TIME)
	{
		progress->level = funnel->npath;
		progress->status = PROGRESS_CONVERTED;
	}
	else if (lost)
		progress->status = PROGRESS_DROPPED;
}
