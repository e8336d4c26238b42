/*
 * progress.c
 *	  How far along a list of steps, or a funnel's success path, did a lead get?
 *
 * Steps, mode "ordered".  For every level L the search keeps one chain that
 * fills the steps 1..L: the one with the latest start, since that leaves the
 * most of the window.  An entry that fits step L extends the chain of level
 * L - 1 if it lies within the window; levels are visited from the highest down,
 * so that one entry never fills two steps of a chain.  The first chain to reach
 * a level completes earliest; one that completes at the same time replaces it
 * if it starts later.  Cost: entries times steps.
 */
#include "postgres.h"

#include "judge/judge.h"

typedef struct Chain
{
	bool		exists;
	TimestampTz times[PROGRESS_MAX_STEPS];	/* as many as its level */
} Chain;

/*
 * Equal strings have equal signatures, and different stages seldom do: spares
 * most of the comparisons of every name with every step.
 */
static inline uint32
Signature(LeadString name)
{
	if (name.len == 0)
		return 0;
	return (uint32) name.len << 16 | (uint32) (uint8) name.text[0] << 8 |
		(uint8) name.text[name.len - 1];
}

/* Bit L is set if the string is the name of step L. */
static inline uint64
StepsNamed(const ProgressSteps *steps, const uint32 *signatures, LeadString name)
{
	uint32		signature = Signature(name);
	uint64		result = 0;

	for (int i = 0; i < steps->nsteps; i++)
	{
		if (signatures[i] == signature && steps->steps[i].len == name.len &&
			memcmp(steps->steps[i].text, name.text, name.len) == 0)
			result |= UINT64CONST(1) << i;
	}
	return result;
}

static inline bool
WithinWindow(const ProgressSteps *steps, TimestampTz start, TimestampTz at)
{
	/* unsigned: the difference of two valid times always fits */
	return steps->within < 0 || (uint64) at - (uint64) start <= (uint64) steps->within;
}

/*
 * Put an entry to all the steps that it fits.
 */
static void
ExtendChains(const ProgressSteps *steps, Chain *chains, uint64 fits, TimestampTz at,
			 Progress *best)
{
	for (int step = steps->nsteps - 1; step >= 0; step--)
	{
		Chain	   *chain = &chains[step];
		const Chain *before = step > 0 ? &chains[step - 1] : NULL;
		TimestampTz start;

		if (!(fits & (UINT64CONST(1) << step)))
			continue;
		if (before != NULL && !before->exists)
			continue;
		start = before ? before->times[0] : at;
		if (!WithinWindow(steps, start, at))
			continue;

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
 * Not yet is not lost: a lead that has not converted is dropped only when even
 * its latest start can no longer lead to anything.
 */
static ProgressStatus
StepsStatus(const ProgressSteps *steps, const Chain *chains, const Progress *progress,
			TimestampTz as_of)
{
	if (progress->level == steps->nsteps)
		return PROGRESS_CONVERTED;
	if (progress->level > 0 && !WithinWindow(steps, chains[0].times[0], as_of))
		return PROGRESS_DROPPED;
	return PROGRESS_OPEN;
}

static void
BeginProgress(Progress *progress, int nsteps)
{
	progress->nsteps = nsteps;
	progress->level = 0;
	progress->amount.text = NULL;
	progress->amount.len = 0;
	progress->status = PROGRESS_OPEN;
	for (int i = 0; i < nsteps; i++)
		progress->times[i] = PROGRESS_NO_TIME;
}

void
align_progress(const ProgressSteps *steps, const struct varlena *lead, TimestampTz as_of,
			   Progress *progress)
{
	LeadReader	reader;
	LeadEntry	entry;
	Chain		chains[PROGRESS_MAX_STEPS];
	uint32		signatures[PROGRESS_MAX_STEPS];
	uint64		inline_fits[LEAD_INLINE_STRINGS];
	uint64	   *fits = inline_fits;

	BeginProgress(progress, steps->nsteps);
	for (int i = 0; i < steps->nsteps; i++)
	{
		chains[i].exists = false;
		signatures[i] = Signature(steps->steps[i]);
	}

	align_lead_read(&reader, lead);
	if (reader.nstrings > LEAD_INLINE_STRINGS)
		fits = palloc(reader.nstrings * sizeof(uint64));
	for (int i = 0; i < reader.nstrings; i++)
		fits[i] = StepsNamed(steps, signatures, reader.strings[i]);

	while (align_lead_next(&reader, &entry) && entry.at <= as_of)
	{
		if (entry.amount >= 0)
			progress->amount = reader.strings[entry.amount];
		if (entry.stage >= 0 && fits[entry.stage] != 0)
			ExtendChains(steps, chains, fits[entry.stage], entry.at, progress);
	}
	progress->status = StepsStatus(steps, chains, progress, as_of);

	if (fits != inline_fits)
		pfree(fits);
	align_lead_read_end(&reader);
}

void
align_funnel_progress(const Funnel *funnel, const struct varlena *lead, TimestampTz as_of,
					  Progress *progress)
{
	Walk		walk;
	bool		won = false;
	bool		lost = false;

	StaticAssertStmt(FUNNEL_MAX_PATH <= PROGRESS_MAX_STEPS,
					 "a success path must fit into a Progress");
	BeginProgress(progress, funnel->npath);

	align_walk_begin(&walk, funnel, lead, as_of);
	while (align_walk_next(&walk))
	{
		const FunnelStage *stage;

		lost = false;
		if (walk.to < 0)
			continue;
		stage = &funnel->stages[walk.to];
		lost = stage->kind == STAGE_LOST;
		if (stage->position >= 0)
		{
			if (progress->times[stage->position] == PROGRESS_NO_TIME)
				progress->times[stage->position] = walk.entry.at;
			progress->level = Max(progress->level, stage->position + 1);
		}
		if (stage->kind == STAGE_WON)
		{
			won = true;
			progress->level = funnel->npath;
		}
	}
	progress->amount = align_walk_string(&walk, walk.amount);
	align_walk_end(&walk);

	if (won)
		progress->status = PROGRESS_CONVERTED;
	else if (lost)
		progress->status = PROGRESS_DROPPED;
}
