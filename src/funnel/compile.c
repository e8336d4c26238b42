/*
 * compile.c
 *	  From draft to compiled agreement: stages, labels, moves and needs.
 *
 * Names are resolved and the rules of check.c and check_promise.c are checked.
 * Each step relies on those before it: stages, their labels, moves and
 * entries; then needs, service levels and targets, which refer to moves; then
 * hours, which refer to teams.  Service levels and hours are compiled in
 * compile_promise.c; targets in targets.c; segments, to which service levels
 * refer, in segments.c; mixes of segments in mixes.c; channels, which refer to
 * nothing, in channels.c.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "funnel/build.h"

/*
 * Stages in the order of declaration, and an empty table of moves.
 */
static bool
BuildStages(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	List	   *drafts = build->draft->stages;
	ListCell   *cell;

	if (list_length(drafts) > FUNNEL_MAX_STAGES)
	{
		DraftStage *first_over = (DraftStage *) list_nth(drafts, FUNNEL_MAX_STAGES);

		return align_check_limit(build, first_over->name.at, list_length(drafts),
								 FUNNEL_MAX_STAGES, "stages");
	}
	funnel->stages = (FunnelStage *)
		align_build_alloc(build, sizeof(FunnelStage) * list_length(drafts));
	build->stage_at = (const char **) palloc(sizeof(char *) * Max(list_length(drafts), 1));
	foreach(cell, drafts)
	{
		DraftStage *draft = (DraftStage *) lfirst(cell);
		FunnelStage *stage = &funnel->stages[funnel->nstages];

		if (!align_check_stage_new(build, &draft->name))
			return false;
		stage->name = align_build_strdup(build, draft->name.text);
		stage->kind = draft->kind;
		stage->team = -1;
		stage->position = -1;
		build->stage_at[funnel->nstages++] = draft->name.at;
	}
	funnel->moves = (uint8 *) align_build_alloc(build, (Size) funnel->nstages * funnel->nstages);
	return true;
}

/*
 * Index of the stage with this name, -1 if there is none.  Unlike
 * align_funnel_stage this does not search the labels, which are not compiled
 * yet when it is called.
 */
static int
StageByName(const Funnel *funnel, const ScanName *name)
{
	for (int i = 0; i < funnel->nstages; i++)
	{
		if (strcmp(funnel->stages[i].name, name->text) == 0)
			return i;
	}
	return -1;
}

/*
 * Names and "known as" labels, sorted for align_funnel_stage.
 */
static bool
BuildLabels(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	int			max = funnel->nstages;
	int		   *nlabels = (int *) palloc0(sizeof(int) * (funnel->nstages + 1));
	const char **at;
	ListCell   *cell;
	ListCell   *inner;

	/* several statements may give labels to one stage, so count them first */
	foreach(cell, build->draft->labels)
	{
		DraftLabels *draft = (DraftLabels *) lfirst(cell);
		int			stage;

		if (!align_check_stage_known(build, &draft->stage, &stage))
			return false;
		max += list_length(draft->labels);
		if (!align_check_limit(build, draft->stage.at, max, FUNNEL_MAX_LABELS, "labels"))
			return false;
		nlabels[stage] += list_length(draft->labels);
	}

	funnel->labels = (FunnelLabel *) align_build_alloc(build, sizeof(FunnelLabel) * max);
	at = (const char **) palloc(sizeof(char *) * Max(max, 1));
	for (int i = 0; i < funnel->nstages; i++)
	{
		FunnelLabel *label = &funnel->labels[funnel->nlabels];

		funnel->stages[i].labels = (char **) align_build_alloc(build, sizeof(char *) * nlabels[i]);
		label->text = funnel->stages[i].name;
		label->len = strlen(label->text);
		label->stage = i;
		at[funnel->nlabels++] = build->stage_at[i];
	}
	foreach(cell, build->draft->labels)
	{
		DraftLabels *draft = (DraftLabels *) lfirst(cell);
		int			stage_no = StageByName(funnel, &draft->stage);
		FunnelStage *stage = &funnel->stages[stage_no];

		foreach(inner, draft->labels)
		{
			ScanName   *name = (ScanName *) lfirst(inner);
			FunnelLabel *label = &funnel->labels[funnel->nlabels];

			label->text = align_build_strdup(build, name->text);
			label->len = name->len;
			label->stage = stage_no;
			stage->labels[stage->nlabels++] = label->text;
			at[funnel->nlabels++] = name->at;
		}
	}
	if (!align_check_labels_distinct(build, funnel->labels, at, funnel->nlabels))
		return false;
	qsort(funnel->labels, funnel->nlabels, sizeof(FunnelLabel), align_label_cmp);
	return true;
}

/*
 * The success path, the positions of its stages, and its moves.
 */
static bool
BuildSuccessPath(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	DraftPath  *draft;
	ListCell   *cell;

	if (!align_check_one_success_path(build))
		return false;
	draft = (DraftPath *) linitial(build->draft->success_paths);
	if (!align_check_limit(build, draft->at, list_length(draft->steps), FUNNEL_MAX_PATH,
						   "stages on the success path"))
		return false;
	funnel->success_path = (int *)
		align_build_alloc(build, sizeof(int) * list_length(draft->steps));
	foreach(cell, draft->steps)
	{
		ScanName   *name = (ScanName *) linitial((List *) lfirst(cell));

		if (!align_check_stage_known(build, name, &funnel->success_path[funnel->npath++]))
			return false;
	}
	if (!align_check_success_path(build, draft->steps))
		return false;
	for (int i = 0; i < funnel->npath; i++)
	{
		funnel->stages[funnel->success_path[i]].position = i;
		if (i > 0)
			FUNNEL_MOVE(funnel, funnel->success_path[i - 1], funnel->success_path[i]) =
				MOVE_LEGAL | MOVE_SUCCESS;
	}
	return true;
}

/*
 * The moves of a "path" statement: from every stage of one step to every stage
 * of the next.  "any" is every open stage other than the one that is entered.
 */
static bool
BuildPath(FunnelBuild *build, const DraftPath *draft)
{
	Funnel	   *funnel = build->funnel;
	StageSet	from = {0, NULL};
	ListCell   *cell;
	bool		first = true;

	foreach(cell, draft->steps)
	{
		List	   *names = (List *) lfirst(cell);
		StageSet	to;

		if (!align_build_stage_set(build, names, &to))
			return false;
		for (int i = 0; i < to.n; i++)
		{
			/* "any" precedes the first step of the list */
			if (first && draft->any)
			{
				for (int stage = 0; stage < funnel->nstages; stage++)
				{
					if (funnel->stages[stage].kind == STAGE_OPEN && stage != to.stages[i])
						FUNNEL_MOVE(funnel, stage, to.stages[i]) |= MOVE_LEGAL;
				}
			}
			for (int j = 0; j < from.n; j++)
			{
				if (!align_check_move_leaves_stage(build, (ScanName *) list_nth(names, i),
												   from.stages[j], to.stages[i]))
					return false;
				FUNNEL_MOVE(funnel, from.stages[j], to.stages[i]) |= MOVE_LEGAL;
			}
		}
		from = to;
		first = false;
	}
	return true;
}

/*
 * All legal moves.
 */
static bool
BuildMoves(FunnelBuild *build)
{
	ListCell   *cell;

	if (!BuildSuccessPath(build))
		return false;
	foreach(cell, build->draft->paths)
	{
		if (!BuildPath(build, (DraftPath *) lfirst(cell)))
			return false;
	}
	return true;
}

/*
 * Entry stages: by default the first stage of the success path.
 */
static bool
BuildEntries(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	DraftEntry *draft;
	StageSet	entries;

	if (!align_check_one_entry(build))
		return false;
	if (build->draft->entries == NIL)
		funnel->stages[funnel->success_path[0]].is_entry = true;
	else
	{
		draft = (DraftEntry *) linitial(build->draft->entries);
		if (!align_build_stage_set(build, draft->stages, &entries))
			return false;
		for (int i = 0; i < entries.n; i++)
			funnel->stages[entries.stages[i]].is_entry = true;
	}
	return align_check_reached(build);
}

/*
 * Adds the needs of a statement to those that earlier statements gave to the
 * same stage or move.
 */
static bool
AddNeeds(FunnelBuild *build, const DraftNeeds *draft, int *nneeds, FunnelNeed **needs)
{
	int			max = *nneeds + list_length(draft->needs);
	FunnelNeed *all;
	ListCell   *cell;

	if (!align_check_limit(build, draft->to.at, max, FUNNEL_MAX_NEEDS,
						   "needs of one stage or move"))
		return false;
	all = (FunnelNeed *) align_build_alloc(build, sizeof(FunnelNeed) * max);
	/* all arrays live in the context of the result, so the old one stays */
	if (*nneeds > 0)
		memcpy(all, *needs, sizeof(FunnelNeed) * *nneeds);
	*needs = all;
	foreach(cell, draft->needs)
	{
		DraftNeed  *need_draft = (DraftNeed *) lfirst(cell);
		FunnelNeed *need = &all[*nneeds];

		if (!align_check_need_new(build, need_draft, all, *nneeds))
			return false;
		if (need_draft->kind == NEED_CONDITION && !align_check_condition(build, &need_draft->text))
			return false;
		need->kind = need_draft->kind;
		if (need->kind == NEED_REASON)
		{
			if (!align_build_reasons(build, need_draft->reasons, &need->nreasons, &need->reasons))
				return false;
		}
		else
			need->text = align_build_strdup(build, need_draft->text.text);
		(*nneeds)++;
	}
	return true;
}

/*
 * qsort comparator of MoveNeeds by (from, to).
 */
static int
CompareMoveNeeds(const void *a, const void *b)
{
	const MoveNeeds *left = (const MoveNeeds *) a;
	const MoveNeeds *right = (const MoveNeeds *) b;

	return left->from != right->from ? left->from - right->from : left->to - right->to;
}

/*
 * Needs of stages and of moves; the latter sorted for align_funnel_move_needs.
 */
static bool
BuildNeeds(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	ListCell   *cell;

	funnel->move_needs = (MoveNeeds *)
		align_build_alloc(build, sizeof(MoveNeeds) * list_length(build->draft->needs));
	foreach(cell, build->draft->needs)
	{
		DraftNeeds *draft = (DraftNeeds *) lfirst(cell);
		int			from;
		int			to;

		if (draft->from == NULL)
		{
			if (!align_check_stage_known(build, &draft->to, &to) ||
				!AddNeeds(build, draft, &funnel->stages[to].nneeds, &funnel->stages[to].needs))
				return false;
		}
		else
		{
			MoveNeeds  *needs = NULL;

			if (!align_check_stage_known(build, draft->from, &from) ||
				!align_check_stage_known(build, &draft->to, &to) ||
				!align_check_move_legal(build, draft->from, from, to))
				return false;
			/* find the needs from earlier statements about the same move */
			for (int i = 0; i < funnel->nmoveneeds && needs == NULL; i++)
			{
				if (funnel->move_needs[i].from == from && funnel->move_needs[i].to == to)
					needs = &funnel->move_needs[i];
			}
			if (needs == NULL)
			{
				needs = &funnel->move_needs[funnel->nmoveneeds++];
				needs->from = from;
				needs->to = to;
			}
			if (!AddNeeds(build, draft, &needs->nneeds, &needs->needs))
				return false;
		}
	}
	qsort(funnel->move_needs, funnel->nmoveneeds, sizeof(MoveNeeds), CompareMoveNeeds);
	return true;
}

/*
 * Compiles a draft in a new child of context; NULL after a soft error.
 */
Funnel *
align_funnel_build(TextScan *scan, const Draft *draft, MemoryContext context)
{
	MemoryContext own = AllocSetContextCreate(context, "align funnel", ALLOCSET_SMALL_SIZES);
	FunnelBuild build = {0};

	build.scan = scan;
	build.draft = draft;
	build.funnel = (Funnel *) MemoryContextAllocZero(own, sizeof(Funnel));
	build.funnel->context = own;
	build.funnel->fiscal_month = draft->fiscal_month > 0 ? draft->fiscal_month : 1;
	if (BuildStages(&build) &&
		BuildLabels(&build) &&
		BuildMoves(&build) &&
		BuildEntries(&build) &&
		align_build_holders(&build) &&
		BuildNeeds(&build) &&
		align_build_segments(&build) &&
		align_build_service_levels(&build) &&
		align_build_targets(&build) &&
		align_build_hours(&build) &&
		align_build_mixes(&build) &&
		align_build_channels(&build))
		return build.funnel;
	MemoryContextDelete(own);
	return NULL;
}
