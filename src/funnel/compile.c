/*
 * compile.c
 *	  Draft to compiled agreement: names resolved, rules checked.
 *
 * The steps follow one another because each relies on the former: stages, their
 * labels, moves, entries; then needs, service levels and targets, which refer to
 * moves; then hours, which refer to teams.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "funnel/draft.h"

/*
 * Everything that outlives the build.
 */
static void *
Keep(FunnelBuild *build, Size size)
{
	return MemoryContextAllocZero(build->funnel->context, Max(size, 1));
}

static char *
KeepText(FunnelBuild *build, const char *text)
{
	return MemoryContextStrdup(build->funnel->context, text);
}

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
	funnel->stages = (FunnelStage *) Keep(build, sizeof(FunnelStage) * list_length(drafts));
	build->stage_at = (const char **) palloc(sizeof(char *) * Max(list_length(drafts), 1));
	foreach(cell, drafts)
	{
		DraftStage *draft = (DraftStage *) lfirst(cell);
		FunnelStage *stage = &funnel->stages[funnel->nstages];

		if (!align_check_stage_new(build, &draft->name))
			return false;
		stage->name = KeepText(build, draft->name.text);
		stage->kind = draft->kind;
		stage->team = -1;
		stage->position = -1;
		build->stage_at[funnel->nstages++] = draft->name.at;
	}
	funnel->moves = (uint8 *) Keep(build, (Size) funnel->nstages * funnel->nstages);
	return true;
}

/*
 * A stage by its declared name.  Until labels are in place only names are known,
 * so this serves "known as" itself too.
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

static bool
BuildLabels(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	int			room = funnel->nstages;
	int		   *nlabels = (int *) palloc0(sizeof(int) * (funnel->nstages + 1));
	const char **at;
	ListCell   *cell;
	ListCell   *inner;

	foreach(cell, build->draft->labels)
	{
		DraftLabels *draft = (DraftLabels *) lfirst(cell);
		int			stage;

		if (!align_check_stage_known(build, &draft->stage, &stage))
			return false;
		room += list_length(draft->labels);
		if (!align_check_limit(build, draft->stage.at, room, FUNNEL_MAX_LABELS, "labels"))
			return false;
		nlabels[stage] += list_length(draft->labels);
	}

	funnel->labels = (FunnelLabel *) Keep(build, sizeof(FunnelLabel) * room);
	at = (const char **) palloc(sizeof(char *) * Max(room, 1));
	for (int i = 0; i < funnel->nstages; i++)
	{
		FunnelLabel *label = &funnel->labels[funnel->nlabels];

		funnel->stages[i].labels = (char **) Keep(build, sizeof(char *) * nlabels[i]);
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

			label->text = KeepText(build, name->text);
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
 * Names of stages, each at most once.
 */
static bool
ResolveStages(FunnelBuild *build, List *names, StageSet *set)
{
	ListCell   *cell;

	if (!align_check_named_once(build, names, "stage"))
		return false;
	set->n = 0;
	set->stages = (int *) Keep(build, sizeof(int) * list_length(names));
	foreach(cell, names)
	{
		if (!align_check_stage_known(build, (ScanName *) lfirst(cell), &set->stages[set->n++]))
			return false;
	}
	return true;
}

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
	funnel->success_path = (int *) Keep(build, sizeof(int) * list_length(draft->steps));
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
 * Every stage of one step leads to every stage of the next; "any" is all open
 * stages but the one that is entered.
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

		if (!ResolveStages(build, names, &to))
			return false;
		for (int i = 0; i < to.n; i++)
		{
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
				if (!align_check_moves_on(build, (ScanName *) list_nth(names, i),
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
		if (!ResolveStages(build, draft->stages, &entries))
			return false;
		for (int i = 0; i < entries.n; i++)
			funnel->stages[entries.stages[i]].is_entry = true;
	}
	return align_check_reached(build);
}

static bool
BuildReasons(FunnelBuild *build, List *names, int *nreasons, char ***reasons)
{
	ListCell   *cell;

	if (names != NIL &&
		!align_check_limit(build, ((ScanName *) linitial(names))->at, list_length(names),
						   FUNNEL_MAX_REASONS, "reasons in one list"))
		return false;
	if (!align_check_named_once(build, names, "reason"))
		return false;
	*nreasons = 0;
	*reasons = (char **) Keep(build, sizeof(char *) * list_length(names));
	foreach(cell, names)
		(*reasons)[(*nreasons)++] = KeepText(build, ((ScanName *) lfirst(cell))->text);
	return true;
}

/*
 * Add needs to those that earlier statements gave to the same stage or move.
 */
static bool
AddNeeds(FunnelBuild *build, const DraftNeeds *draft, int *nneeds, FunnelNeed **needs)
{
	int			room = *nneeds + list_length(draft->needs);
	FunnelNeed *all;
	ListCell   *cell;

	if (!align_check_limit(build, draft->to.at, room, FUNNEL_MAX_NEEDS, "needs of one stage or move"))
		return false;
	all = (FunnelNeed *) Keep(build, sizeof(FunnelNeed) * room);
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
			if (!BuildReasons(build, need_draft->reasons, &need->nreasons, &need->reasons))
				return false;
		}
		else
			need->text = KeepText(build, need_draft->text.text);
		(*nneeds)++;
	}
	return true;
}

static int
MoveNeedsCmp(const void *a, const void *b)
{
	const MoveNeeds *left = (const MoveNeeds *) a;
	const MoveNeeds *right = (const MoveNeeds *) b;

	return left->from != right->from ? left->from - right->from : left->to - right->to;
}

static bool
BuildNeeds(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	ListCell   *cell;

	funnel->move_needs = (MoveNeeds *) Keep(build, sizeof(MoveNeeds) * list_length(build->draft->needs));
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
	qsort(funnel->move_needs, funnel->nmoveneeds, sizeof(MoveNeeds), MoveNeedsCmp);
	return true;
}

/*
 * The team of that name, entered if it is new.
 */
static bool
AddTeam(FunnelBuild *build, const ScanName *name, int *team)
{
	Funnel	   *funnel = build->funnel;

	*team = align_funnel_team(funnel, name->text, name->len);
	if (*team >= 0)
		return true;
	if (!align_check_limit(build, name->at, funnel->nteams + 1, FUNNEL_MAX_TEAMS, "teams"))
		return false;
	*team = funnel->nteams++;
	funnel->teams[*team].name = KeepText(build, name->text);
	return true;
}

static bool
BuildHolders(FunnelBuild *build)
{
	ListCell   *cell;

	build->funnel->teams = (FunnelTeam *) Keep(build, sizeof(FunnelTeam) * FUNNEL_MAX_TEAMS);
	foreach(cell, build->draft->stages)
	{
		DraftStage *draft = (DraftStage *) lfirst(cell);

		if (draft->team != NULL &&
			!AddTeam(build, draft->team, &build->funnel->stages[foreach_current_index(cell)].team))
			return false;
	}
	return true;
}

static bool
BuildServiceLevel(FunnelBuild *build, const DraftServiceLevel *draft)
{
	Funnel	   *funnel = build->funnel;
	ServiceLevel *level = &funnel->service_levels[funnel->nservice_levels];
	StageSet   *sets[3];

	if (!align_check_service_level_new(build, &draft->name))
		return false;
	level->name = KeepText(build, draft->name.text);
	level->is_handoff = draft->is_handoff;
	level->from_team = -1;
	level->promise = draft->due.promise;
	if ((draft->is_handoff && !AddTeam(build, &draft->from_team, &level->from_team)) ||
		!AddTeam(build, &draft->team, &level->team) ||
		!ResolveStages(build, draft->starts, &level->starts) ||
		!ResolveStages(build, draft->pauses, &level->pauses))
		return false;
	if (draft->is_handoff)
	{
		if (!ResolveStages(build, list_concat_copy(draft->accept, draft->reject), &level->stops) ||
			!BuildReasons(build, draft->reasons, &level->nreasons, &level->reasons))
			return false;
		level->naccept = list_length(draft->accept);
	}
	else if (!ResolveStages(build, draft->stops, &level->stops))
		return false;

	if (!align_check_roles(build, draft, level) ||
		(draft->is_handoff && !align_check_handoff(build, draft, level)) ||
		!align_check_can_stop(build, draft, level) ||
		!align_check_warn(build, &draft->due))
		return false;

	level->effects = (uint8 *) Keep(build, funnel->nstages);
	sets[0] = &level->starts;
	sets[1] = &level->stops;
	sets[2] = &level->pauses;
	for (int i = 0; i < (int) lengthof(sets); i++)
	{
		static const uint8 bits[] = {EFFECT_START, EFFECT_STOP, EFFECT_PAUSE};

		for (int j = 0; j < sets[i]->n; j++)
			level->effects[sets[i]->stages[j]] |= bits[i];
	}
	for (int i = 0; draft->is_handoff && i < level->stops.n; i++)
		level->effects[level->stops.stages[i]] |= i < level->naccept ? EFFECT_ACCEPT : EFFECT_REJECT;
	funnel->nservice_levels++;
	return true;
}

/*
 * Handoffs first: so does the canonical document, and the order is part of what
 * a reader sees.
 */
static bool
BuildServiceLevels(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	List	   *drafts = build->draft->service_levels;
	ListCell   *cell;

	if (list_length(drafts) > FUNNEL_MAX_SERVICE_LEVELS)
	{
		DraftServiceLevel *first_over = (DraftServiceLevel *) list_nth(drafts, FUNNEL_MAX_SERVICE_LEVELS);

		return align_check_limit(build, first_over->name.at, list_length(drafts),
								 FUNNEL_MAX_SERVICE_LEVELS, "handoffs and service levels");
	}
	funnel->service_levels = (ServiceLevel *) Keep(build, sizeof(ServiceLevel) * list_length(drafts));
	for (int pass = 0; pass < 2; pass++)
	{
		foreach(cell, drafts)
		{
			DraftServiceLevel *draft = (DraftServiceLevel *) lfirst(cell);

			if (draft->is_handoff == (pass == 0) && !BuildServiceLevel(build, draft))
				return false;
		}
	}
	build->nnamed = funnel->nteams;
	return align_check_reasons_meet(build);
}

static bool
BuildTargets(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	List	   *drafts = build->draft->targets;
	ListCell   *cell;

	if (list_length(drafts) > FUNNEL_MAX_TARGETS)
	{
		DraftTarget *first_over = (DraftTarget *) list_nth(drafts, FUNNEL_MAX_TARGETS);

		return align_check_limit(build, first_over->at, list_length(drafts),
								 FUNNEL_MAX_TARGETS, "targets");
	}
	funnel->targets = (FunnelTarget *) Keep(build, sizeof(FunnelTarget) * list_length(drafts));
	foreach(cell, drafts)
	{
		DraftTarget *draft = (DraftTarget *) lfirst(cell);
		FunnelTarget *target = &funnel->targets[funnel->ntargets];

		if (!AddTeam(build, &draft->team, &target->team) ||
			!align_check_team_known(build, &draft->team, target->team) ||
			!align_check_goal(build, draft))
			return false;
		target->kind = draft->kind;
		target->goal = KeepText(build, draft->goal);
		target->stage = target->to_stage = target->service_level = -1;
		target->within = draft->within;
		if (draft->kind == TARGET_SERVICE_LEVEL)
		{
			if (!align_check_service_level_known(build, &draft->what, &target->service_level))
				return false;
		}
		else if (!align_check_stage_known(build, &draft->what, &target->stage))
			return false;
		if (draft->kind == TARGET_CONVERSION &&
			!align_check_stage_known(build, &draft->to, &target->to_stage))
			return false;
		if (draft->kind == TARGET_COUNT)
			target->per = KeepText(build, draft->per);
		if (!align_check_target_route(build, draft, target) ||
			!align_check_target_new(build, draft, target))
			return false;
		funnel->ntargets++;
	}
	return true;
}

static int
DraftHoursCmp(const ListCell *a, const ListCell *b)
{
	const DraftHours *left = (const DraftHours *) lfirst(a);
	const DraftHours *right = (const DraftHours *) lfirst(b);

	int			result;

	if (left->team == NULL || right->team == NULL)
		result = (left->team != NULL) - (right->team != NULL);
	else
		result = strcmp(left->team->text, right->team->text);
	return result != 0 ? result : (left->at > right->at) - (left->at < right->at);
}

/*
 * The calendar's own complaint becomes the detail of ours.
 */
static bool
BuildCalendar(FunnelBuild *build, const ScanName *calendar, char **hours)
{
	ErrorData  *error;
	TextValue  *value = align_capture_error(align_calendar_parse, calendar->text, &error);
	MemoryContext old;

	if (value == NULL)
		return align_scan_fail_code(build->scan, error->sqlerrcode, calendar->at,
									psprintf("The calendar: %s.%s%s", error->message,
											 error->detail ? " " : "",
											 error->detail ? error->detail : ""),
									error->hint, "hours that are no calendar");
	old = MemoryContextSwitchTo(build->funnel->context);
	*hours = align_text_value_cstring(value);
	MemoryContextSwitchTo(old);
	return true;
}

/*
 * Teams that nothing but their hours names come last, in the order of bytes, so
 * that the order of "hours" statements says nothing.
 */
static bool
BuildHours(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	List	   *drafts = list_copy(build->draft->hours);
	ListCell   *cell;

	list_sort(drafts, DraftHoursCmp);
	foreach(cell, drafts)
	{
		DraftHours *draft = (DraftHours *) lfirst(cell);
		char	  **hours = &funnel->hours;
		int			team;

		if (draft->team != NULL)
		{
			if (!AddTeam(build, draft->team, &team) ||
				!align_check_team_known(build, draft->team, team))
				return false;
			hours = &funnel->teams[team].hours;
		}
		if (*hours != NULL)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, draft->at, NULL,
										"Put all hours into one calendar.",
										draft->team ? "a second \"hours of %s\"" : "a second \"hours\"",
										draft->team ? draft->team->text : "");
		if (!BuildCalendar(build, &draft->calendar, hours))
			return false;
	}
	funnel->team_calendars = (Calendar **) Keep(build, sizeof(Calendar *) * funnel->nteams);

	foreach(cell, build->draft->service_levels)
	{
		DraftServiceLevel *draft = (DraftServiceLevel *) lfirst(cell);
		int			level;

		if (!align_check_service_level_known(build, &draft->name, &level) ||
			!align_check_has_hours(build, draft, &funnel->service_levels[level]))
			return false;
	}
	return true;
}

Funnel *
align_funnel_build(TextScan *scan, const Draft *draft, MemoryContext context)
{
	MemoryContext own = AllocSetContextCreate(context, "align funnel", ALLOCSET_SMALL_SIZES);
	FunnelBuild build = {0};

	build.scan = scan;
	build.draft = draft;
	build.funnel = (Funnel *) MemoryContextAllocZero(own, sizeof(Funnel));
	build.funnel->context = own;
	if (BuildStages(&build) &&
		BuildLabels(&build) &&
		BuildMoves(&build) &&
		BuildEntries(&build) &&
		BuildHolders(&build) &&
		BuildNeeds(&build) &&
		BuildServiceLevels(&build) &&
		BuildTargets(&build) &&
		BuildHours(&build))
		return build.funnel;
	MemoryContextDelete(own);
	return NULL;
}
