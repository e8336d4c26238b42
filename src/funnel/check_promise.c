/*
 * check_promise.c
 *	  The rules of teams, handoffs, service levels and targets: one function and
 *	  one message each, as in check.c.
 */
#include "postgres.h"

#include "funnel/build.h"

/* More digits than any target has. */
#define GOAL_MAX_LEN 30

static const char *
StageName(const FunnelBuild *build, int stage)
{
	return build->funnel->stages[stage].name;
}

/*
 * Whoever holds a stage, promises something or takes part in a handoff is a
 * team; they come first.  Where there are such, a target or hours of anyone
 * else are taken for a typing error.
 */
bool
align_check_team_known(FunnelBuild *build, const ScanName *name, int team)
{
	int			nnamed = build->nnamed;
	const char **names;

	if (nnamed == 0 || team < nnamed)
		return true;
	names = (const char **) palloc(sizeof(char *) * nnamed);
	for (int i = 0; i < nnamed; i++)
		names[i] = build->funnel->teams[i].name;
	return align_scan_fail_code(build->scan, ERRCODE_UNDEFINED_OBJECT, name->at,
								"It holds no stage, promises nothing and takes part in no handoff.",
								align_nearest_hint(name->text, name->len, names, nnamed),
								"unknown team \"%s\"", name->text);
}

bool
align_check_service_level_new(FunnelBuild *build, const ScanName *name)
{
	for (int i = 0; i < build->funnel->nservice_levels; i++)
	{
		if (strcmp(build->funnel->service_levels[i].name, name->text) == 0)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, name->at, NULL,
										"Handoffs and slas share their names.",
										"handoff or sla \"%s\" is declared twice", name->text);
	}
	return true;
}

/*
 * The first name in "later" that "earlier" holds too.
 */
static bool
CheckApart(FunnelBuild *build, const char *level, List *earlier, List *later,
		   const char *first_role, const char *second_role)
{
	ListCell   *cell;
	ListCell   *inner;

	foreach(cell, later)
	{
		ScanName   *name = (ScanName *) lfirst(cell);

		foreach(inner, earlier)
		{
			if (strcmp(((ScanName *) lfirst(inner))->text, name->text) == 0)
				return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, name->at,
											"The two contradict each other.", NULL,
											"stage \"%s\" both %s and %s \"%s\"",
											name->text, first_role, second_role, level);
		}
	}
	return true;
}

/*
 * A stage that stops or starts a clock cannot pause it as well.  It may stop one
 * cycle and start the next: "from contacted to contacted, customer" is a promise
 * to come back.  A handoff is submitted once and then answered.
 */
bool
align_check_roles(FunnelBuild *build, const DraftServiceLevel *draft, const ServiceLevel *level)
{
	if (draft->is_handoff)
		return CheckApart(build, level->name, draft->starts, draft->accept, "submits", "accepts") &&
			CheckApart(build, level->name, draft->starts, draft->reject, "submits", "rejects");
	return CheckApart(build, level->name, draft->starts, draft->pauses, "starts", "pauses") &&
		CheckApart(build, level->name, draft->stops, draft->pauses, "stops", "pauses");
}

bool
align_check_handoff(FunnelBuild *build, const DraftServiceLevel *draft, const ServiceLevel *level)
{
	Funnel	   *funnel = build->funnel;
	int			stage = level->starts.stages[0];
	int			holder = funnel->stages[stage].team;

	if (level->from_team == level->team)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->team.at, NULL,
									"A promise of one team alone is an sla.",
									"handoff from team \"%s\" to itself", draft->team.text);
	if (holder >= 0 && holder != level->from_team)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->from_team.at,
									psprintf("Stage \"%s\" is held by \"%s\".",
											 StageName(build, stage), funnel->teams[holder].name),
									"The team that holds the stage hands it over.",
									"team \"%s\" does not hold stage \"%s\"",
									draft->from_team.text, StageName(build, stage));
	for (int i = 0; i < level->stops.n; i++)
	{
		bool		accepts = i < level->naccept;
		ScanName   *name = (ScanName *) list_nth(accepts ? draft->accept : draft->reject,
												 accepts ? i : i - level->naccept);

		if (!(FUNNEL_MOVE(funnel, stage, level->stops.stages[i]) & MOVE_LEGAL))
			return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, name->at,
										psprintf("From \"%s\" a lead may move to: %s.",
												 StageName(build, stage),
												 align_funnel_next_text(funnel, stage)),
										psprintf("Add a path from \"%s\" to \"%s\".",
												 StageName(build, stage), name->text),
										"no path leads from \"%s\" to the %s stage \"%s\"",
										StageName(build, stage),
										accepts ? "accepting" : "rejecting", name->text);
	}
	return true;
}

/*
 * Is there a legal route?  Answered for all pairs at once, when first asked.
 */
static bool
Reaches(FunnelBuild *build, int from, int to)
{
	int			n = build->funnel->nstages;

	if (build->reaches == NULL)
	{
		build->reaches = (bool *) palloc((Size) n * n * sizeof(bool));
		for (int stage = 0; stage < n; stage++)
			align_funnel_reach(build->funnel, stage, build->reaches + (Size) stage * n);
	}
	return build->reaches[(Size) from * n + to];
}

/*
 * Can a lead that is in the one stage enter the other?  To enter the stage that
 * it is in, it must leave it and come back.
 */
static bool
CanEnter(FunnelBuild *build, int from, int to)
{
	if (from != to)
		return Reaches(build, from, to);
	for (int stage = 0; stage < build->funnel->nstages; stage++)
	{
		if (stage != from && (FUNNEL_MOVE(build->funnel, from, stage) & MOVE_LEGAL) &&
			Reaches(build, stage, to))
			return true;
	}
	return false;
}

bool
align_check_can_stop(FunnelBuild *build, const DraftServiceLevel *draft, const ServiceLevel *level)
{
	for (int i = 0; i < level->starts.n; i++)
	{
		for (int j = 0; j < level->stops.n; j++)
		{
			if (CanEnter(build, level->starts.stages[i], level->stops.stages[j]))
				return true;
		}
	}
	return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->name.at,
								"No path leads from a stage that starts it to one that stops it.",
								"Add the missing path, or name other stages.",
								"\"%s\" could never be kept", level->name);
}

bool
align_check_warn(FunnelBuild *build, const DraftPromise *due)
{
	const Promise *promise = &due->promise;

	if (promise->warn < 0)
		return true;
	if (promise->kind == DUE_NONE)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, due->warn_at, NULL,
									"Say \"within ...\" or \"by end of ...\" too.",
									"warning without a promise");
	if (due->warn_working != (promise->kind != DUE_ELAPSED))
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, due->warn_at,
									due->warn_working ? "The promise is in plain elapsed time." :
									"The promise is in working time.",
									due->warn_working ? "Leave out \"working\"." :
									"Write \"warn after ... working hours\".",
									"warning in another kind of time than the promise");
	if (promise->kind != DUE_END_OF_DAY && promise->warn >= promise->amount)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, due->warn_at,
									psprintf("The promise is due after %s.", align_promise_text(promise)),
									"Both count from the start; warn sooner.",
									"warning not before the promise is due");
	return true;
}

bool
align_check_has_hours(FunnelBuild *build, const DraftServiceLevel *draft, const ServiceLevel *level)
{
	Funnel	   *funnel = build->funnel;

	if (level->promise.kind == DUE_NONE || level->promise.kind == DUE_ELAPSED ||
		funnel->hours != NULL || funnel->teams[level->team].hours != NULL)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->due.due_at,
								psprintf("Team \"%s\" has no hours, and there are no common ones.",
										 funnel->teams[level->team].name),
								"Add \"hours 'Europe/London Mo-Fr 09:00-17:30';\".",
								"working time without working hours");
}

static bool
ShareReason(int n1, char **reasons1, int n2, char **reasons2)
{
	if (n1 == 0 || n2 == 0)
		return true;			/* no list: any reason */
	for (int i = 0; i < n1; i++)
	{
		for (int j = 0; j < n2; j++)
		{
			if (strcmp(reasons1[i], reasons2[j]) == 0)
				return true;
		}
	}
	return false;
}

static bool
ReasonServes(const ServiceLevel *handoff, int nneeds, const FunnelNeed *needs)
{
	for (int i = 0; i < nneeds; i++)
	{
		if (needs[i].kind == NEED_REASON &&
			!ShareReason(handoff->nreasons, handoff->reasons, needs[i].nreasons, needs[i].reasons))
			return false;
	}
	return true;
}

/*
 * A rejection gives one reason, which both the handoff and the move must take.
 */
bool
align_check_reasons_meet(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	ListCell   *cell;

	foreach(cell, build->draft->service_levels)
	{
		DraftServiceLevel *draft = (DraftServiceLevel *) lfirst(cell);
		int			no;
		const ServiceLevel *level;

		if (!draft->is_handoff)
			continue;
		if (!align_check_service_level_known(build, &draft->name, &no))
			return false;
		level = &funnel->service_levels[no];
		for (int i = level->naccept; i < level->stops.n; i++)
		{
			int			to = level->stops.stages[i];
			const MoveNeeds *move = align_funnel_move_needs(funnel, level->starts.stages[0], to);
			ScanName   *name = (ScanName *) list_nth(draft->reject, i - level->naccept);

			if (!ReasonServes(level, funnel->stages[to].nneeds, funnel->stages[to].needs) ||
				(move != NULL && !ReasonServes(level, move->nneeds, move->needs)))
				return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, name->at,
											"The reasons that the handoff takes and those that the move needs have none in common.",
											"List at least one reason in both places.",
											"no reason could reject \"%s\" to stage \"%s\"",
											level->name, name->text);
		}
	}
	return true;
}

bool
align_check_service_level_known(FunnelBuild *build, const ScanName *name, int *level)
{
	Funnel	   *funnel = build->funnel;
	const char **names = (const char **) palloc(sizeof(char *) * Max(funnel->nservice_levels, 1));

	for (*level = 0; *level < funnel->nservice_levels; (*level)++)
	{
		names[*level] = funnel->service_levels[*level].name;
		if (strcmp(names[*level], name->text) == 0)
		{
			pfree(names);
			return true;
		}
	}
	return align_scan_fail_code(build->scan, ERRCODE_UNDEFINED_OBJECT, name->at,
								"No \"handoff\" or \"sla\" statement declares it.",
								align_nearest_hint(name->text, name->len, names, funnel->nservice_levels),
								"unknown handoff or sla \"%s\"", name->text);
}

bool
align_check_goal(FunnelBuild *build, const DraftTarget *draft)
{
	const char *goal = draft->goal;

	if (strlen(goal) > GOAL_MAX_LEN)
		return align_scan_fail_code(build->scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, draft->goal_at,
									psprintf("A goal may have at most %d digits.", GOAL_MAX_LEN),
									NULL, "goal too long");
	if (strcmp(goal, "0") == 0)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->goal_at,
									NULL, NULL, "goal of zero");
	/* shortest form: more than three characters before a point is 1000 or more */
	if (draft->kind != TARGET_COUNT &&
		(strcspn(goal, ".") > 3 || atoi(goal) > 100 || (atoi(goal) == 100 && goal[3] != '\0')))
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->goal_at,
									"A percentage is more than 0 and at most 100.", NULL,
									"goal of %s%%", goal);
	return true;
}

bool
align_check_target_route(FunnelBuild *build, const DraftTarget *draft, const FunnelTarget *target)
{
	if (target->kind != TARGET_CONVERSION)
		return true;
	if (target->stage != target->to_stage && Reaches(build, target->stage, target->to_stage))
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->what.at,
								psprintf("No path leads from \"%s\" to \"%s\".",
										 draft->what.text, draft->to.text),
								"Name stages that follow each other.",
								"target that could never be met");
}

bool
align_check_target_new(FunnelBuild *build, const DraftTarget *draft, const FunnelTarget *target)
{
	for (int i = 0; i < build->funnel->ntargets; i++)
	{
		const FunnelTarget *other = &build->funnel->targets[i];

		if (other->kind == target->kind && other->team == target->team &&
			other->stage == target->stage && other->to_stage == target->to_stage &&
			other->service_level == target->service_level && other->within == target->within &&
			(other->per == NULL || strcmp(other->per, target->per) == 0))
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, draft->at,
										psprintf("The same goal was set to %s%s before.", other->goal,
												 other->kind == TARGET_COUNT ? "" : "%"),
										NULL, "target of team \"%s\" is set twice", draft->team.text);
	}
	return true;
}
