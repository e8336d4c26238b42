/*
 * paths.c
 *	  The legal moves that are not on the success path, as few "path"
 *	  statements.
 */
#include "postgres.h"

#include "funnel/draft.h"

/*
 * The stages from which a legal move that is not on the success path leads to
 * this one.  *any is set to whether one can move to it from every open stage,
 * the success path included.
 */
static StageSet
SourceStages(const Funnel *funnel, int to, bool *any)
{
	StageSet	result = {0, (int *) palloc(sizeof(int) * funnel->nstages)};

	*any = true;
	for (int from = 0; from < funnel->nstages; from++)
	{
		uint8		move = FUNNEL_MOVE(funnel, from, to);

		if (from != to && funnel->stages[from].kind == STAGE_OPEN && !(move & MOVE_LEGAL))
			*any = false;
	}
	for (int from = 0; from < funnel->nstages; from++)
	{
		uint8		move = FUNNEL_MOVE(funnel, from, to);

		if ((move & MOVE_LEGAL) && !(move & MOVE_SUCCESS))
			result.stages[result.n++] = from;
	}
	return result;
}

/*
 * True if two sets list the same stages.  The arrays of empty ones may be
 * NULL, which memcmp does not accept.
 */
static bool
SameStages(const StageSet *a, const StageSet *b)
{
	return a->n == b->n &&
		(a->n == 0 || memcmp(a->stages, b->stages, sizeof(int) * a->n) == 0);
}

/*
 * Adds a stage to the group with the same sources, which is made if there is
 * none.
 */
static void
AddToGroup(List **groups, const Funnel *funnel, bool any, StageSet from, int to)
{
	ListCell   *cell;
	PathGroup  *group = NULL;

	foreach(cell, *groups)
	{
		PathGroup  *candidate = (PathGroup *) lfirst(cell);

		if (candidate->any == any && SameStages(&candidate->from, &from))
		{
			group = candidate;
			break;
		}
	}
	if (group == NULL)
	{
		group = (PathGroup *) palloc0(sizeof(PathGroup));
		group->any = any;
		group->from = from;
		group->to.stages = (int *) palloc(sizeof(int) * funnel->nstages);
		*groups = lappend(*groups, group);
	}
	group->to.stages[group->to.n++] = to;
}

/*
 * Groups of moves: stages that are entered from the same stages share a group.
 * Both are in the order of declaration.
 */
List *
align_funnel_path_groups(const Funnel *funnel)
{
	List	   *groups = NIL;

	for (int to = 0; to < funnel->nstages; to++)
	{
		bool		any;
		StageSet	from = SourceStages(funnel, to, &any);
		StageSet	rest = {0, from.stages};
		bool		from_open = false;

		for (int i = 0; i < from.n; i++)
			from_open |= funnel->stages[from.stages[i]].kind == STAGE_OPEN;
		if (any && from_open)
		{
			StageSet	none = {0, NULL};

			AddToGroup(&groups, funnel, true, none, to);
			/* "any" does not include won and lost stages */
			for (int i = 0; i < from.n; i++)
			{
				if (funnel->stages[from.stages[i]].kind != STAGE_OPEN)
					rest.stages[rest.n++] = from.stages[i];
			}
			from = rest;
		}
		if (from.n > 0)
			AddToGroup(&groups, funnel, false, from, to);
	}
	return groups;
}
