/*
 * steps.h
 *	  A list of steps, with the rules by which a lead fills them.
 *
 * A step is filled by an entry into one of its stages.  An optional step may
 * be skipped; the first and the last step are never optional.
 *
 * A limit is a length of time: elapsed time, or, if the list has a time zone,
 * months and days of the calendar there and elapsed time after them.
 *
 * A list is canonical (see align_steps_canonical): lists that mean the same
 * have the same content.
 */
#ifndef ALIGN_JUDGE_STEPS_H
#define ALIGN_JUDGE_STEPS_H

#include "compat.h"

#include "lead/lead.h"
#include "lib/stringinfo.h"
#include "matching/matching.h"

#define PROGRESS_MAX_STEPS MATCH_MAX_STEPS
#define STEP_MAX_STAGES 64		/* of one step */
#define STEPS_MAX_EXCLUDED 256

typedef struct StepLimit
{
	int32		months;			/* months and days: 0 without a time zone */
	int32		days;
	int64		time;			/* microseconds; -1: there is no window */
} StepLimit;

typedef struct Step
{
	bool		optional;
	int			nstages;
	LeadString *stages;			/* any of them; in the order of their bytes */
} Step;

typedef struct StepList
{
	int			nsteps;
	Step	   *steps;
	MatchModes	modes;			/* a set, see matching.h */
	bool		passages;		/* each passage is followed on its own */
	StepLimit	within;			/* from the first step */
	StepLimit  *gaps;			/* gaps[i]: the longest time until step i + 1,
								 * from 0, since the last step filled before
								 * it; NULL: no step has any */
	int			nexclude;
	LeadString *exclude;		/* stages that end an attempt, in the order of
								 * their bytes */
	LeadString	zone;			/* time zone, absent if no window has months
								 * or days */
} StepList;

static inline StepLimit
align_no_limit(void)
{
	StepLimit	none = {0, 0, -1};

	return none;
}

static inline bool
align_is_limited(const StepLimit *limit)
{
	return limit->time >= 0;
}

static inline bool
align_same_limit(const StepLimit *a, const StepLimit *b)
{
	return a->months == b->months && a->days == b->days && a->time == b->time;
}

/*
 * True if the list has only what release 0.5 had: steps of one stage each, all
 * required, at most with a window of elapsed time.
 */
extern bool align_steps_are_plain(const StepList *list);

/* True if a step, from 0, is optional. */
static inline bool
align_step_is_optional(const StepList *list, int step)
{
	return list->steps[step].optional;
}

/*
 * Make a list canonical: stages are sorted, with each once; gaps without any
 * window are removed; so is a time zone without months or days.  Without a
 * time zone, days become 24 hours, and the result is false if that is out of
 * range; there must be no months then.  Changes the arrays in place.
 */
extern bool align_steps_canonical(StepList *list);

/*
 * Check what must hold across a canonical list.  Returns NULL, or a sentence
 * about a mistake, palloc'd.
 */
extern const char *align_steps_problem(const StepList *list);

/*
 * The text of a step: the name of its stage, if it has one and is required,
 * just as it is; else in the language of align_step_parse.  palloc'd, except
 * for the former.
 */
extern LeadString align_step_text(const Step *step);

/*
 * Parse the text of a step:
 *
 *		step := name {"|" name} ["?"]
 *
 * A name is in double quotes, doubled within, or it is any text without "|",
 * from which white space at its ends is removed.  A text without "|", without
 * "?" at its end and without a quote at its beginning is the name of a stage
 * just as it is.  Malformed texts are an error.  The names point into the
 * text, if they are not palloc'd.
 */
extern void align_step_parse(LeadString text, Step *step);

#endif							/* ALIGN_JUDGE_STEPS_H */
