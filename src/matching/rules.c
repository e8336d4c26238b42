/*
 * rules.c
 *	  What follows from the rules of a search.
 */
#include "postgres.h"

#include "matching/search.h"

/*
 * Optional steps lie in blocks: from each level of a block its steps and the
 * mandatory one after it may be filled next.
 */
void
align_prepare_rules(StepRules *rules)
{
	int			behind = 0;

	Assert(rules->nsteps >= 1 && rules->nsteps <= MATCH_MAX_STEPS);
	Assert((rules->optional & STEP_BIT(0)) == 0);
	Assert((rules->optional & STEP_BIT(rules->nsteps - 1)) == 0);
	for (int step = 0; step < rules->nsteps; step++)
	{
		rules->behind[step] = behind;
		if ((rules->optional & STEP_BIT(step)) == 0)
			behind = step + 1;
	}
	for (int step = rules->nsteps - 1; step >= 0; step--)
		rules->mandatory[step] = rules->optional & STEP_BIT(step) ?
			rules->mandatory[step + 1] : step;
}
