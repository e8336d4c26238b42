/*
 * journey.h
 *	  Progress along lists of steps that need the search of matching.h.
 */
#ifndef ALIGN_JUDGE_JOURNEY_H
#define ALIGN_JUDGE_JOURNEY_H

#include "judge/judge.h"

/* Make a progress that has reached no step. */
static inline void
align_progress_begin(Progress *progress, int nsteps)
{
	progress->nsteps = nsteps;
	progress->level = 0;
	progress->matured_level = 0;
	progress->entered_end = false;
	progress->amount.text = NULL;
	progress->amount.len = 0;
	progress->status = PROGRESS_OPEN;
	for (int i = 0; i < nsteps; i++)
		progress->times[i] = PROGRESS_NO_TIME;
}

/* align_progress for any list; the progress has begun. */
extern void align_journey_progress(const StepPlan *plan, const struct varlena *lead,
								   TimestampTz as_of, Progress *progress);

#endif							/* ALIGN_JUDGE_JOURNEY_H */
