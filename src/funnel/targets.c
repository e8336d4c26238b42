/*
 * targets.c
 *	  The statement "target": its grammar, its checks, and its forms in the
 *	  canonical document and in jsonb.
 *
 * A target of several teams is one target, which they have in common.
 */
#include "postgres.h"

#include "funnel/build.h"
#include "funnel/json_document.h"
#include "funnel/parse.h"

/* Longest text of a goal. */
#define GOAL_MAX_LEN 30

/*
 * name | amount of name, then the period.  "amount" is the name of a stage
 * unless "of" follows.
 */
static bool
ParseCounted(TextScan *scan, DraftTarget *target)
{
	TextScan	ahead = *scan;

	target->kind = TARGET_COUNT;
	if (align_scan_take_word(&ahead, "amount") && align_scan_take_word(&ahead, "of"))
	{
		target->kind = TARGET_AMOUNT;
		*scan = ahead;
	}
	return align_parse_name(scan, "stage name", &target->what) &&
		align_scan_expect_word(scan, "per") &&
		align_parse_period(scan, &target->per);
}

/*
 * of sla | from stage to stage [within time], then an optional period
 */
static bool
ParseRate(TextScan *scan, DraftTarget *target)
{
	if (align_scan_take_word(scan, "of"))
	{
		target->kind = TARGET_SERVICE_LEVEL;
		if (!align_parse_name(scan, "name of a handoff or sla", &target->what))
			return false;
	}
	else if (align_scan_take_word(scan, "from"))
	{
		target->kind = TARGET_CONVERSION;
		if (!align_parse_name(scan, "stage name", &target->what) ||
			!align_scan_expect_word(scan, "to") ||
			!align_parse_name(scan, "stage name", &target->to))
			return false;
		if (align_scan_peek_word(scan, "within") &&
			!align_funnel_scan_window(scan, &target->within))
			return false;
	}
	else
		return align_scan_expected(scan, "\"of\" or \"from\"", NULL);
	return !align_scan_take_word(scan, "per") || align_parse_period(scan, &target->per);
}

/*
 * target team {, team}: N [amount of] stage per period
 *						 | P% of sla [per period]
 *						 | P% from stage to stage [within time] [per period]
 */
bool
align_parse_target(TextScan *scan, Draft *draft)
{
	DraftTarget *target = (DraftTarget *) palloc0(sizeof(DraftTarget));

	target->at = draft->statement;
	target->within = -1;
	if (!align_parse_names(scan, "team name", FOLLOWED_BY_NONE, &target->teams) ||
		!align_scan_expect(scan, ":"))
		return false;
	align_scan_space(scan);
	target->goal_at = scan->cur;
	if (!align_parse_decimal(scan,
							 "Write a target as \"400 mql per month\", \"5000 amount of customer per month\", \"90% of speed_to_lead\" or \"25% from mql to customer\".",
							 &target->goal))
		return false;
	if (align_scan_take(scan, "%") ? !ParseRate(scan, target) : !ParseCounted(scan, target))
		return false;
	draft->targets = lappend(draft->targets, target);
	return true;
}

/*
 * A goal is not too long, not zero, and as a percentage at most 100.
 */
static bool
CheckGoal(FunnelBuild *build, const DraftTarget *draft)
{
	const char *goal = draft->goal;

	if (strlen(goal) > GOAL_MAX_LEN)
		return align_scan_fail_code(build->scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, draft->goal_at,
									psprintf("A goal may have at most %d digits.", GOAL_MAX_LEN),
									NULL, "goal too long");
	if (strcmp(goal, "0") == 0)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->goal_at,
									NULL, NULL, "goal of zero");

	/*
	 * The goal has no leading zeros, so more than three digits before the
	 * point are 1000 or more; that also keeps atoi in its range.
	 */
	if (TARGET_IS_RATE(draft) &&
		(strcspn(goal, ".") > 3 || atoi(goal) > 100 || (atoi(goal) == 100 && goal[3] != '\0')))
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->goal_at,
									"A percentage must be more than 0 and at most 100.", NULL,
									"goal of %s%%", goal);
	return true;
}

/* The teams of a target, one bit each. */
static uint64
TeamMask(const FunnelTarget *target)
{
	uint64		mask = 0;

	StaticAssertStmt(FUNNEL_MAX_TEAMS <= 64, "every team must have a bit");
	for (int i = 0; i < target->nteams; i++)
		mask |= UINT64CONST(1) << target->teams[i];
	return mask;
}

/*
 * The period in which a target is measured.
 */
static const char *
PeriodOf(const FunnelTarget *target)
{
	return target->per != NULL ? target->per : "month";
}

/*
 * No other target of the same teams has the same metric and period.
 */
static bool
CheckTargetNew(FunnelBuild *build, const DraftTarget *draft, const FunnelTarget *target)
{
	for (int i = 0; i < build->funnel->ntargets; i++)
	{
		const FunnelTarget *other = &build->funnel->targets[i];
		bool		alike = (other->per == NULL) == (target->per == NULL);

		if (other->kind == target->kind && TeamMask(other) == TeamMask(target) &&
			other->stage == target->stage && other->to_stage == target->to_stage &&
			other->service_level == target->service_level && other->within == target->within &&
			strcmp(PeriodOf(other), PeriodOf(target)) == 0)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, draft->at,
										psprintf("The same target already has the goal %s%s.",
												 other->goal, TARGET_IS_RATE(other) ? "%" : ""),
										alike ? NULL :
										"The period of a percentage without \"per\" is a month.",
										target->nteams > 1 ? "target of teams \"%s\" is set twice" :
										"target of team \"%s\" is set twice",
										align_target_teams_text(build->funnel, target));
	}
	return true;
}

/*
 * The teams of a target in the order of the document.
 */
static bool
BuildTeams(FunnelBuild *build, List *names, FunnelTarget *target)
{
	ListCell   *cell;

	if (!align_check_named_once(build, names, "team"))
		return false;
	target->teams = (int *) align_build_alloc(build, sizeof(int) * list_length(names));
	foreach(cell, names)
	{
		ScanName   *name = (ScanName *) lfirst(cell);
		int		   *team = &target->teams[target->nteams];

		if (!align_build_team(build, name, team) || !align_check_team_known(build, name, *team))
			return false;
		target->nteams++;
	}
	return true;
}

/*
 * Targets in the order of the document.
 */
bool
align_build_targets(FunnelBuild *build)
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
	funnel->targets = (FunnelTarget *)
		align_build_alloc(build, sizeof(FunnelTarget) * list_length(drafts));
	foreach(cell, drafts)
	{
		DraftTarget *draft = (DraftTarget *) lfirst(cell);
		FunnelTarget *target = &funnel->targets[funnel->ntargets];

		if (!BuildTeams(build, draft->teams, target) || !CheckGoal(build, draft))
			return false;
		target->kind = draft->kind;
		target->goal = align_build_strdup(build, draft->goal);
		target->stage = target->to_stage = target->service_level = -1;
		target->per = draft->per;
		target->within = draft->within;

		/* "what" is a service level or a stage, depending on the kind */
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
		if (!align_check_target_route(build, draft, target) ||
			!CheckTargetNew(build, draft, target))
			return false;
		funnel->ntargets++;
	}
	return true;
}

/*
 * "marketing, sales"
 */
char *
align_target_teams_text(const Funnel *funnel, const FunnelTarget *target)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < target->nteams; i++)
		appendStringInfo(&out, "%s%s", i > 0 ? ", " : "", funnel->teams[target->teams[i]].name);
	return out.data;
}

static void
WriteStage(StringInfo out, const Funnel *funnel, int stage)
{
	const char *name = funnel->stages[stage].name;

	align_write_name(out, name, strlen(name));
}

/*
 * A target, without semicolon and optionally without its goal.
 */
void
align_write_target(StringInfo out, const Funnel *funnel, const FunnelTarget *target,
				   bool with_goal)
{
	appendStringInfoString(out, "target ");
	for (int i = 0; i < target->nteams; i++)
	{
		const char *team = funnel->teams[target->teams[i]].name;

		appendStringInfoString(out, i > 0 ? ", " : "");
		align_write_name(out, team, strlen(team));
	}
	appendStringInfo(out, ": %s%s", with_goal ? target->goal : "",
					 TARGET_IS_RATE(target) ? "% " : with_goal ? " " : "");
	switch (target->kind)
	{
		case TARGET_COUNT:
			WriteStage(out, funnel, target->stage);
			break;
		case TARGET_AMOUNT:
			appendStringInfoString(out, "amount of ");
			WriteStage(out, funnel, target->stage);
			break;
		case TARGET_SERVICE_LEVEL:
			{
				const char *name = funnel->service_levels[target->service_level].name;

				appendStringInfoString(out, "of ");
				align_write_name(out, name, strlen(name));
				break;
			}
		case TARGET_CONVERSION:
			appendStringInfoString(out, "from ");
			WriteStage(out, funnel, target->stage);
			appendStringInfoString(out, " to ");
			WriteStage(out, funnel, target->to_stage);
			if (target->within >= 0)
				appendStringInfo(out, " within %s", align_window_text(target->within));
			break;
	}
	if (target->per != NULL)
		appendStringInfo(out, " per %s", target->per);
}

/*
 * Appends the teams of a target.
 */
static void
PutTeams(JsonDocument *document, const JsonNode *target)
{
	JsonNode	team = align_json_member(target, "team");
	JsonNode	teams = align_json_member(target, "teams");

	if (team.value != NULL && teams.value != NULL)
		align_json_fail(&teams, "must be absent where \"team\" is given");
	if (teams.value != NULL)
		align_json_put_names(document, &teams, ", ");
	else
		align_json_put_name(document, &team);
}

/*
 * The statement of an element of the member "targets".  One member determines
 * its kind, and which others are allowed.
 */
void
align_json_read_target(JsonDocument *document, const JsonNode *target)
{
	static const char *const count_members[] = {"team", "teams", "goal", "stage", "per", NULL};
	static const char *const amount_members[] = {"team", "teams", "goal", "amount_of", "per", NULL};
	static const char *const level_members[] = {"team", "teams", "goal", "of", "per", NULL};
	static const char *const conversion_members[] = {
		"team", "teams", "goal", "from", "to", "within", "per", NULL
	};
	JsonNode	per;
	bool		counts = true;

	align_json_check_object(target, NULL);
	align_json_put(document, "target ");
	PutTeams(document, target);
	align_json_put(document, ": ");
	align_json_put_number_member(document, target, "goal");

	if (align_json_member(target, "stage").value != NULL)
	{
		align_json_check_object(target, count_members);
		align_json_put(document, " ");
		align_json_put_name_member(document, target, "stage");
	}
	else if (align_json_member(target, "amount_of").value != NULL)
	{
		align_json_check_object(target, amount_members);
		align_json_put(document, " amount of ");
		align_json_put_name_member(document, target, "amount_of");
	}
	else if (align_json_member(target, "of").value != NULL)
	{
		align_json_check_object(target, level_members);
		align_json_put(document, "% of ");
		align_json_put_name_member(document, target, "of");
		counts = false;
	}
	else if (align_json_member(target, "from").value != NULL)
	{
		JsonNode	within = align_json_member(target, "within");

		align_json_check_object(target, conversion_members);
		align_json_put(document, "% from ");
		align_json_put_name_member(document, target, "from");
		align_json_put(document, " to ");
		align_json_put_name_member(document, target, "to");
		if (within.value != NULL)
		{
			align_json_put(document, " ");
			align_json_put_time(document, &within, "within");
		}
		counts = false;
	}
	else
		align_json_fail(target, "must have one of \"stage\", \"amount_of\", \"of\" and \"from\"");

	per = align_json_member(target, "per");
	if (counts || per.value != NULL)
	{
		align_json_put(document, " per ");
		align_json_put_period(document, &per);
	}
	align_json_put(document, ";\n");
}
