/*
 * build.c
 *	  What both files that compile a draft use.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "funnel/build.h"

/*
 * Zeroed memory in the context of the result; never NULL.
 */
void *
align_build_alloc(FunnelBuild *build, Size size)
{
	return MemoryContextAllocZero(build->funnel->context, Max(size, 1));
}

/*
 * Copy of a text in the context of the result.
 */
char *
align_build_strdup(FunnelBuild *build, const char *text)
{
	return MemoryContextStrdup(build->funnel->context, text);
}

/*
 * Resolves names of stages, each of which may occur once.
 */
bool
align_build_stage_set(FunnelBuild *build, List *names, StageSet *set)
{
	ListCell   *cell;

	if (!align_check_named_once(build, names, "stage"))
		return false;
	set->n = 0;
	set->stages = (int *) align_build_alloc(build, sizeof(int) * list_length(names));
	foreach(cell, names)
	{
		if (!align_check_stage_known(build, (ScanName *) lfirst(cell), &set->stages[set->n++]))
			return false;
	}
	return true;
}

/*
 * A list of reasons, each of which may occur once.
 */
bool
align_build_reasons(FunnelBuild *build, List *names, int *nreasons, char ***reasons)
{
	ListCell   *cell;

	if (names != NIL &&
		!align_check_limit(build, ((ScanName *) linitial(names))->at, list_length(names),
						   FUNNEL_MAX_REASONS, "reasons in one list"))
		return false;
	if (!align_check_named_once(build, names, "reason"))
		return false;
	*nreasons = 0;
	*reasons = (char **) align_build_alloc(build, sizeof(char *) * list_length(names));
	foreach(cell, names)
		(*reasons)[(*nreasons)++] = align_build_strdup(build, ((ScanName *) lfirst(cell))->text);
	return true;
}
