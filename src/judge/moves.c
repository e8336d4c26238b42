/*
 * moves.c
 *	  Judges a move by the rules of an agreement, and words the error.
 *
 * align_judge_move calls one Check... function per rule, in order of gravity.
 * The columns and conditions that a stage needs are checked where the row is
 * available; a reason is part of the move and is checked here.
 */
#include "postgres.h"

#include "judge/judge.h"

typedef struct RuleInfo
{
	const char *name;
	const char *constraint;
	int			sqlstate;
} RuleInfo;

#define RULE(name, digit) {name, "align_" name, MAKE_SQLSTATE('2', '3', 'L', '0', digit)}

/* Indexed by Rule.  The codes are documented: never renumber. */
static const RuleInfo rules[] = {
	[RULE_NONE] = {"none", NULL, MAKE_SQLSTATE('0', '0', '0', '0', '0')},
	[RULE_UNKNOWN_STAGE] = RULE("unknown_stage", '1'),
	[RULE_ILLEGAL_MOVE] = RULE("illegal_move", '2'),
	[RULE_NOT_AN_ENTRY] = RULE("not_an_entry", '3'),
	[RULE_MISSING_NEED] = RULE("missing_need", '4'),
	[RULE_MISSING_REASON] = RULE("missing_reason", '5'),
	[RULE_UNLISTED_REASON] = RULE("unlisted_reason", '6'),
	[RULE_WRONG_TEAM] = RULE("wrong_team", '7'),
	[RULE_LEFT_FUNNEL] = RULE("left_funnel", '8'),
};

const char *
align_rule_name(Rule rule)
{
	return rules[rule].name;
}

/*
 * Sets the code and the constraint name of the error that is being reported.
 */
int
align_errrule(Rule rule)
{
	errcode(rules[rule].sqlstate);
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, rules[rule].constraint);
}

static inline bool
IsEntry(const Move *move)
{
	return move->from < 0 && move->from_label.text == NULL;
}

static Rule
CheckEntry(const Funnel *funnel, const Move *move)
{
	return funnel->stages[move->to].is_entry ? RULE_NONE : RULE_NOT_AN_ENTRY;
}

static Rule
CheckMove(const Funnel *funnel, const Move *move)
{
	/* the entry into an unknown stage has broken a rule already */
	if (move->from < 0)
		return RULE_NONE;
	return (FUNNEL_MOVE(funnel, move->from, move->to) & MOVE_LEGAL) ? RULE_NONE :
		RULE_ILLEGAL_MOVE;
}

/*
 * The reasons of which a move must give one.  An empty list accepts any.
 */
typedef struct ReasonList
{
	int			nreasons;
	char	  **reasons;
} ReasonList;

static Rule
CheckReasonIn(const ReasonList *list, LeadString reason)
{
	if (reason.text == NULL || reason.len == 0)
		return RULE_MISSING_REASON;
	if (list->nreasons == 0)
		return RULE_NONE;
	for (int i = 0; i < list->nreasons; i++)
	{
		if (strlen(list->reasons[i]) == (size_t) reason.len &&
			memcmp(list->reasons[i], reason.text, reason.len) == 0)
			return RULE_NONE;
	}
	return RULE_UNLISTED_REASON;
}

static const FunnelNeed *
ReasonNeed(const FunnelNeed *needs, int nneeds)
{
	for (int i = 0; i < nneeds; i++)
	{
		if (needs[i].kind == NEED_REASON)
			return &needs[i];
	}
	return NULL;
}

/*
 * A reason may be needed by the stage entered, by the move itself, and by
 * every handoff that the move rejects, each with its own list.  Sets
 * *unsatisfied to the first list that the move does not satisfy.
 */
static Rule
CheckReason(const Funnel *funnel, const Move *move, ReasonList *unsatisfied)
{
	const FunnelStage *to = &funnel->stages[move->to];
	const MoveNeeds *move_needs = align_funnel_move_needs(funnel, move->from, move->to);
	const FunnelNeed *needs[2];
	Rule		rule;

	needs[0] = ReasonNeed(to->needs, to->nneeds);
	needs[1] = move_needs ? ReasonNeed(move_needs->needs, move_needs->nneeds) : NULL;
	for (int i = 0; i < 2; i++)
	{
		if (needs[i] == NULL)
			continue;
		unsatisfied->nreasons = needs[i]->nreasons;
		unsatisfied->reasons = needs[i]->reasons;
		rule = CheckReasonIn(unsatisfied, move->reason);
		if (rule != RULE_NONE)
			return rule;
	}

	/* a handoff is submitted in its stage, so only a move out of it rejects */
	for (int i = 0; i < funnel->nservice_levels && move->from >= 0; i++)
	{
		const ServiceLevel *sla = &funnel->service_levels[i];

		if (!sla->is_handoff || sla->starts.stages[0] != move->from ||
			!(sla->effects[move->to] & EFFECT_REJECT))
			continue;
		unsatisfied->nreasons = sla->nreasons;
		unsatisfied->reasons = sla->reasons;
		rule = CheckReasonIn(unsatisfied, move->reason);
		if (rule != RULE_NONE)
			return rule;
	}
	return RULE_NONE;
}

/*
 * True if the move accepts or rejects a handoff to this team.
 */
static bool
AnswersHandoff(const Funnel *funnel, const Move *move, int team)
{
	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		const ServiceLevel *sla = &funnel->service_levels[i];

		if (sla->is_handoff && sla->team == team && sla->starts.stages[0] == move->from &&
			(sla->effects[move->to] & (EFFECT_ACCEPT | EFFECT_REJECT)))
			return true;
	}
	return false;
}

/*
 * A move may be made by the team that holds the stage left or the stage
 * entered.  The team to which a handoff is submitted may also accept or reject
 * it, even if it holds neither.  If no team holds either stage any team may
 * move the lead, and so may any team at the entry into the funnel or with an
 * unknown stage.
 */
bool
align_team_may_move(const Funnel *funnel, const Move *move, int team)
{
	int			from_team;
	int			to_team;

	if (move->from < 0 || move->to < 0)
		return true;
	from_team = funnel->stages[move->from].team;
	to_team = funnel->stages[move->to].team;
	if ((from_team < 0 && to_team < 0) || team == from_team || team == to_team)
		return true;
	return AnswersHandoff(funnel, move, team);
}

/*
 * A team that is not part of the agreement is not checked.
 */
static Rule
CheckTeam(const Funnel *funnel, const Move *move)
{
	int			team;

	if (move->team.text == NULL)
		return RULE_NONE;
	team = align_funnel_team(funnel, move->team.text, move->team.len);
	if (team < 0 || align_team_may_move(funnel, move, team))
		return RULE_NONE;
	return RULE_WRONG_TEAM;
}

int
align_judge_move(const Funnel *funnel, const Move *move, Rule broken[MOVE_MAX_BROKEN])
{
	ReasonList	unsatisfied;
	Rule		found[MOVE_MAX_BROKEN];
	int			nbroken = 0;

	if (move->to < 0)
	{
		/* every other rule depends on the stage */
		broken[0] = RULE_UNKNOWN_STAGE;
		return 1;
	}
	if (move->from == move->to)
		return 0;

	found[0] = IsEntry(move) ? CheckEntry(funnel, move) : CheckMove(funnel, move);
	found[1] = CheckReason(funnel, move, &unsatisfied);
	found[2] = CheckTeam(funnel, move);
	for (int i = 0; i < MOVE_MAX_BROKEN; i++)
	{
		if (found[i] != RULE_NONE)
			broken[nbroken++] = found[i];
	}
	return nbroken;
}

/*
 * Returns the one of two stages that is further along the success path.
 */
int
align_further_stage(const Funnel *funnel, int stage, int other)
{
	if (other < 0 || funnel->stages[other].position < 0)
		return stage;
	return stage < 0 || funnel->stages[other].position > funnel->stages[stage].position ?
		other : stage;
}

/*
 * The texts of errors.
 */
static char *
EntryStagesText(const Funnel *funnel)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < funnel->nstages; i++)
	{
		if (funnel->stages[i].is_entry)
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? ", " : "", funnel->stages[i].name);
	}
	return buf.data;
}

static char *
AllStagesText(const Funnel *funnel)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < funnel->nstages; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", funnel->stages[i].name);
	return buf.data;
}

static char *
ReasonsText(const ReasonList *list)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < list->nreasons; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", list->reasons[i]);
	return buf.data;
}

/* NULL if there is no route. */
static char *
RouteHint(const Funnel *funnel, int from, int to)
{
	int		   *route = palloc(funnel->nstages * sizeof(int));
	int			length = align_funnel_route(funnel, from, to, route);
	StringInfoData buf;

	if (length <= 0)
		return NULL;
	initStringInfo(&buf);
	appendStringInfoString(&buf, "The shortest legal route is ");
	for (int i = 0; i < length; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", funnel->stages[route[i]].name);
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

static char *
StringText(LeadString string)
{
	return string.text ? pnstrdup(string.text, string.len) : pstrdup("");
}

static const char *
TeamName(const Funnel *funnel, int stage)
{
	return funnel->teams[funnel->stages[stage].team].name;
}

char *
align_holders_text(const Funnel *funnel, const Move *move)
{
	const FunnelStage *from = &funnel->stages[move->from];
	const FunnelStage *to = &funnel->stages[move->to];

	if (from->team == to->team)
		return psprintf("Team \"%s\" holds \"%s\" and \"%s\".",
						TeamName(funnel, move->from), from->name, to->name);
	if (from->team >= 0 && to->team >= 0)
		return psprintf("Team \"%s\" holds \"%s\" and team \"%s\" holds \"%s\".",
						TeamName(funnel, move->from), from->name,
						TeamName(funnel, move->to), to->name);
	if (from->team >= 0)
		return psprintf("Team \"%s\" holds \"%s\".", TeamName(funnel, move->from), from->name);
	return psprintf("Team \"%s\" holds \"%s\".", TeamName(funnel, move->to), to->name);
}

/*
 * The texts of a missing or unlisted reason.
 */
static void
ReasonText(const Funnel *funnel, const Move *move, Rule rule, const char *subject,
		   const char *agreement, VerdictText *text)
{
	ReasonList	list = {0, NULL};
	const char *to = funnel->stages[move->to].name;

	/* only for the list that the move does not satisfy */
	(void) CheckReason(funnel, move, &list);
	if (rule == RULE_MISSING_REASON)
		text->message = psprintf("%s needs a reason to move to \"%s\"", subject, to);
	else
		text->message = psprintf("%s cannot move to \"%s\" for reason \"%s\"",
								 subject, to, StringText(move->reason));
	if (list.nreasons > 0)
		text->detail = psprintf("%s lists these reasons: %s.", agreement, ReasonsText(&list));
	else
		text->detail = psprintf("%s requires a reason here, and accepts any.", agreement);
	text->hint = NULL;
}

void
align_verdict_text(const Funnel *funnel, const Move *move, Rule rule,
				   const char *subject, const char *agreement, VerdictText *text)
{
	const char *to = move->to >= 0 ? funnel->stages[move->to].name : NULL;
	const char *from = move->from >= 0 ? funnel->stages[move->from].name : NULL;

	text->hint = NULL;
	switch (rule)
	{
		case RULE_UNKNOWN_STAGE:
			text->message = psprintf("%s cannot enter unknown stage \"%s\"",
									 subject, StringText(move->to_label));
			text->detail = psprintf("%s has the stages %s.", agreement, AllStagesText(funnel));
			text->hint = pstrdup("If the label stands for one of these stages, "
								 "add it to the agreement with \"known as\".");
			return;
		case RULE_ILLEGAL_MOVE:
			text->message = psprintf("%s cannot move from \"%s\" to \"%s\"", subject, from, to);
			text->detail = psprintf("%s allows from \"%s\": %s.", agreement, from,
									align_funnel_next_text(funnel, move->from));
			text->hint = RouteHint(funnel, move->from, move->to);
			return;
		case RULE_NOT_AN_ENTRY:
			text->message = psprintf("%s cannot enter the funnel in stage \"%s\"", subject, to);
			text->detail = psprintf("%s lets leads enter in: %s.", agreement,
									EntryStagesText(funnel));
			return;
		case RULE_MISSING_REASON:
		case RULE_UNLISTED_REASON:
			ReasonText(funnel, move, rule, subject, agreement, text);
			return;
		case RULE_WRONG_TEAM:
			text->message = psprintf("%s may not be moved from \"%s\" to \"%s\" by team \"%s\"",
									 subject, from, to, StringText(move->team));
			text->detail = align_holders_text(funnel, move);
			return;
		case RULE_NONE:
		case RULE_MISSING_NEED:
		case RULE_LEFT_FUNNEL:
			/* align_judge_move never returns these */
			break;
	}
	elog(ERROR, "rule \"%s\" has no text here", align_rule_name(rule));
}
