/*
 * check_promise.c
 *	  Checks of teams, handoffs, service levels and targets; as in check.c.
 */
#include "postgres.h"

#include "funnel/build.h"
#include "nearest.h"

static const char *
StageName(const FunnelBuild *build, int stage)
{
	return build->funnel->stages[stage].name;
}

/*
 * A target or hours belong to a team that holds a stage, promises something or
 * takes part in a handoff; other names are probably misspelt.  Those teams are
 * the first build->nnamed ones.  If there are none, any name is accepted.
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
								"The team holds no stage, promises nothing and takes part in no handoff.",
								align_nearest_hint(name->text, name->len, names, nnamed),
								"unknown team \"%s\"", name->text);
}

/*
 * Handoffs and slas have distinct names.
 */
bool
align_check_service_level_new(FunnelBuild *build, const ScanName *name)
{
	for (int i = 0; i < build->funnel->nservice_levels; i++)
	{
		if (strcmp(build->funnel->service_levels[i].name, name->text) == 0)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, name->at, NULL,
										"Names of handoffs and slas must be distinct.",
										"handoff or sla \"%s\" is declared twice", name->text);
	}
	return true;
}

/*
 * No name of "later" occurs in "earlier".  The roles of the two lists, such as
 * "starts" and "pauses", are for the message.
 */
static bool
CheckDisjoint(FunnelBuild *build, const char *level, List *earlier, List *later,
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
											"A stage can have only one of the two effects.", NULL,
											"stage \"%s\" both %s and %s \"%s\"",
											name->text, first_role, second_role, level);
		}
	}
	return true;
}

/*
 * A stage does not have two effects that exclude each other.
 *
 * A stage that starts or stops an sla cannot pause it.  It may stop one cycle
 * and start the next: "from contacted to contacted, customer" is a promise to
 * contact the lead again.  The stage that submits a handoff cannot accept or
 * reject it.
 */
bool
align_check_roles(FunnelBuild *build, const DraftServiceLevel *draft, const ServiceLevel *level)
{
	if (draft->is_handoff)
		return CheckDisjoint(build, level->name, draft->starts, draft->accept,
							 "submits", "accepts") &&
			CheckDisjoint(build, level->name, draft->starts, draft->reject,
						  "submits", "rejects");
	return CheckDisjoint(build, level->name, draft->starts, draft->pauses, "starts", "pauses") &&
		CheckDisjoint(build, level->name, draft->stops, draft->pauses, "stops", "pauses");
}

/*
 * The team that holds the stage hands the lead to another team, and legal
 * moves lead to the accepting and rejecting stages.
 */
bool
align_check_handoff(FunnelBuild *build, const DraftServiceLevel *draft, const ServiceLevel *level)
{
	Funnel	   *funnel = build->funnel;
	int			stage = level->starts.stages[0];
	int			holder = funnel->stages[stage].team;

	if (level->from_team == level->team)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->team.at, NULL,
									"Declare a promise of a single team as an sla.",
									"handoff from team \"%s\" to itself", draft->team.text);
	if (holder >= 0 && holder != level->from_team)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->from_team.at,
									psprintf("Stage \"%s\" is held by \"%s\".",
											 StageName(build, stage), funnel->teams[holder].name),
									"The team that holds the stage must hand it over.",
									"team \"%s\" does not hold stage \"%s\"",
									draft->from_team.text, StageName(build, stage));
	/* the drafts of the stops are in two lists, accepting and rejecting */
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
 * True if there is a legal route of at least one move.  The answers for all
 * pairs are computed on the first call.
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
 * True if a lead in stage "from" can enter stage "to".  If they are the same,
 * it must first move to another stage.
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

/*
 * Some stage that stops the clock can be entered from one that starts it.
 */
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

/*
 * A service level has one promise to a segment.
 */
bool
align_check_segment_promise_new(FunnelBuild *build, const ServiceLevel *level,
								const ScanName *segment, int index)
{
	for (int i = 0; i < level->nsegment_promises; i++)
	{
		if (level->segment_promises[i].segment == index)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, segment->at,
										"The first promise whose segment holds decides.", NULL,
										"a second promise to segment \"%s\"", segment->text);
	}
	return true;
}

/*
 * The promise to a segment is in the same kind of time as the common one: the
 * remaining time of a paused clock does not depend on the segment.
 */
bool
align_check_same_time(FunnelBuild *build, const DraftPromise *due,
					  const DraftSegmentPromise *draft)
{
	bool		working = due->promise.kind != DUE_ELAPSED;

	if ((draft->promise.kind != DUE_ELAPSED) == working)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->due_at,
								working ?
								"The promise to all other leads is in working time." :
								"The promise to all other leads is in plain elapsed time.",
								"Use the same kind of time in all promises of a handoff or sla.",
								"promises in different kinds of time");
}

/*
 * A warning has a promise in the same kind of time and comes before it is due.
 */
bool
align_check_warn(FunnelBuild *build, const DraftPromise *due)
{
	const Promise *promise = &due->promise;

	if (promise->warn < 0)
		return true;
	if (promise->kind == DUE_NONE)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, due->warn_at, NULL,
									"Add \"within ...\" or \"by end of ...\".",
									"warning without a promise");
	if (due->warn_working != (promise->kind != DUE_ELAPSED))
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, due->warn_at,
									due->warn_working ? "The promise is in plain elapsed time." :
									"The promise is in working time.",
									due->warn_working ? "Leave out \"working\"." :
									promise->warn_before ?
									"Write \"warn ... working hours before\"." :
									"Write \"warn after ... working hours\".",
									"warning in another kind of time than the promise");
	if (promise->kind != DUE_END_OF_DAY && promise->warn >= promise->amount)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, due->warn_at,
									psprintf("The promise is due after %s.", align_promise_text(promise)),
									promise->warn_before ?
									"A warning comes after the start of the clock." :
									"Both times count from the start of the clock; the warning must come first.",
									promise->warn_before ? "warning not after the start" :
									"warning not before the promise is due");
	return true;
}

/*
 * A promise in working time has hours to count in.
 */
bool
align_check_has_hours(FunnelBuild *build, const DraftServiceLevel *draft,
					  const ServiceLevel *level)
{
	Funnel	   *funnel = build->funnel;

	if (level->promise.kind == DUE_NONE || level->promise.kind == DUE_ELAPSED ||
		funnel->hours != NULL || funnel->teams[level->team].hours != NULL)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->due.due_at,
								psprintf("Team \"%s\" has no working hours, and there are no common ones.",
										 funnel->teams[level->team].name),
								"Add \"hours 'Europe/London Mo-Fr 09:00-17:30';\".",
								"working time without working hours");
}

/*
 * True if two lists have a reason in common.  An empty list allows any reason.
 */
static bool
ShareReason(int n1, char **reasons1, int n2, char **reasons2)
{
	if (n1 == 0 || n2 == 0)
		return true;
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

/*
 * True if a handoff allows a reason that meets all these needs of a reason.
 */
static bool
SharesReasonWithNeeds(const ServiceLevel *handoff, int nneeds, const FunnelNeed *needs)
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
 * For every rejection there is a reason that both the handoff and the needs of
 * the move allow: a rejection has only one reason.
 */
bool
align_check_common_reasons(FunnelBuild *build)
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

		/* a rejection is a move, so it has the needs of both move and stage */
		for (int i = level->naccept; i < level->stops.n; i++)
		{
			int			to = level->stops.stages[i];
			const FunnelStage *stage = &funnel->stages[to];
			const MoveNeeds *move = align_funnel_move_needs(funnel, level->starts.stages[0], to);
			ScanName   *name = (ScanName *) list_nth(draft->reject, i - level->naccept);

			if (!SharesReasonWithNeeds(level, stage->nneeds, stage->needs) ||
				(move != NULL && !SharesReasonWithNeeds(level, move->nneeds, move->needs)))
				return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, name->at,
											"The reasons allowed by the handoff and those needed by the move have none in common.",
											"List at least one reason in both places.",
											"no reason is allowed for rejecting \"%s\" to stage \"%s\"",
											level->name, name->text);
		}
	}
	return true;
}

/*
 * The handoff or sla is declared.  Sets *level to its index.
 */
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

/*
 * A target of a conversion has a route between its stages.
 */
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
