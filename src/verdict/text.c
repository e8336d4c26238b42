/*
 * text.c
 *	  The texts of errors about broken rules.
 *
 * As in the messages of PostgreSQL's own constraints, values of the row are
 * shown only if the current user can read them.  The new stage was supplied by
 * the user and is always shown.  The key, the stage before and the reason,
 * which may have been in the row before, are not.  A label that was looked up
 * is shown to users who can read it; names of the agreement's stages are no
 * secret.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "agreement/teams.h"
#include "attachment/key.h"
#include "attachment/may_read.h"
#include "condition/condition.h"
#include "verdict/verdict.h"

/* A message lists at most this many needs; the detail lists all. */
#define MESSAGE_MAX_NEEDS 5

/*
 * What the texts are made from.
 */
typedef struct Report
{
	Attachment *attachment;
	Relation	rel;
	const RowMove *row_move;
	const Move *move;
	const Funnel *funnel;
	HeapTuple	row;
	char	   *subject;		/* "lead (id)=(42)", or "lead" if the key must
								 * not be shown */
	char	   *agreement;		/* "Agreement "b2b" version 3" */
	bool		show_from;		/* the user can read key and stage before */
	bool		show_reason;	/* the user can read the reason */
} Report;

/*
 * Returns the subject of the message.  A key that contains a null does not
 * identify a lead and is not shown.
 */
static char *
Subject(const Report *report, bool show_key)
{
	const Attachment *attachment = report->attachment;
	Datum		values[ATTACHMENT_MAX_KEYS];

	if (!show_key)
		return pstrdup("lead");
	for (int i = 0; i < attachment->nkeys; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(report->row, attachment->keys[i].attnum,
								 RelationGetDescr(report->rel), &isnull);
		if (isnull)
			return pstrdup("lead");
	}
	return psprintf("lead %s", align_key_text(attachment, values));
}

/*
 * Returns the name of the stage that the move enters.
 */
static const char *
ToName(const Report *report)
{
	return report->funnel->stages[report->move->to].name;
}

/*
 * Returns the name of the stage that the move leaves, or its label if it is
 * unknown.
 */
static char *
FromText(const Report *report)
{
	if (report->move->from >= 0)
		return pstrdup(report->funnel->stages[report->move->from].name);
	return pnstrdup(report->move->from_label.text, report->move->from_label.len);
}

/*
 * Returns a need as an element of a list: the name of a column, or a condition
 * in quotes.
 */
static char *
NeedText(const FunnelNeed *need)
{
	if (need->kind == NEED_COLUMN)
		return pstrdup(need->text);
	return psprintf("\"%s\"", align_condition_clip(need->text));
}

/*
 * Fills in the texts for missing_need.
 */
static void
MissingNeedText(const Report *report, VerdictText *text)
{
	RowNeeds   *needs = align_verdict_needs(report->attachment, report->rel, report->row_move);
	const FunnelNeed *unmet[2 * FUNNEL_MAX_NEEDS];
	int			nunmet = align_needs_unmet(needs, report->row, report->move->from,
										   report->move->to, unmet, lengthof(unmet));
	StringInfoData names;
	StringInfoData detail;
	bool		problem = false;
	bool		columns = false;

	initStringInfo(&names);
	initStringInfo(&detail);
	for (int i = 0; i < nunmet; i++)
	{
		const char *why = align_need_problem(needs, unmet[i]);

		/* the first needs for the message, all of them for the detail */
		if (i < MESSAGE_MAX_NEEDS)
			appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", NeedText(unmet[i]));
		appendStringInfoString(&detail, i > 0 ? "; " : "");
		if (unmet[i]->kind == NEED_COLUMN)
			appendStringInfo(&detail, "column \"%s\" to be filled", unmet[i]->text);
		else
			appendStringInfo(&detail, "condition %s to be true", NeedText(unmet[i]));
		if (why != NULL)
			appendStringInfo(&detail, " (which is impossible: %s)", why);
		problem = problem || why != NULL;
		columns = columns || unmet[i]->kind == NEED_COLUMN;
	}
	if (nunmet > MESSAGE_MAX_NEEDS)
		appendStringInfo(&names, " and %d more", nunmet - MESSAGE_MAX_NEEDS);

	text->message = psprintf("%s cannot enter \"%s\": needs %s", report->subject, ToName(report),
							 names.data);
	text->detail = psprintf("%s requires %s.", report->agreement, detail.data);
	if (problem)
		text->hint = pstrdup("The table has changed since the version was agreed. "
							 "Agree on a new version with align.agree(), or undo the change.");
	else if (columns)
		text->hint = pstrdup("Fill in the missing values before the change of stage, "
							 "or in the same statement.");
	else
		text->hint = pstrdup("Correct the row before the change of stage, "
							 "or in the same statement.");
}

/*
 * Returns the names of the stages of a kind, joined by commas.
 */
static char *
StagesOfKind(const Funnel *funnel, StageKind kind)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < funnel->nstages; i++)
	{
		if (funnel->stages[i].kind == kind)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", funnel->stages[i].name);
	}
	return names.data;
}

/*
 * Fills in the texts for left_funnel.
 */
static void
LeftFunnelText(const Report *report, VerdictText *text)
{
	char	   *lost = StagesOfKind(report->funnel, STAGE_LOST);
	char	   *won = StagesOfKind(report->funnel, STAGE_WON);

	if (report->show_from)
		text->message = psprintf("%s cannot leave the funnel from \"%s\"", report->subject,
								 FromText(report));
	else
		text->message = psprintf("%s cannot leave the funnel", report->subject);
	text->detail = psprintf("%s ends journeys in: %s%s%s. The stage was set to null, which is none of them.",
							report->agreement, won, lost[0] != '\0' ? ", " : "", lost);
	if (lost[0] != '\0')
		text->hint = psprintf("Move the lead to %s, or delete its row.", lost);
	else
		text->hint = pstrdup("Give the lead a stage, or delete its row.");
}

/*
 * Returns the roles that may make the move: ""crm_marketing" or "crm_sales"".
 */
static char *
RolesText(const Report *report, const UserTeams *teams)
{
	StringInfoData roles;

	initStringInfo(&roles);
	for (int team = 0; team < report->funnel->nteams; team++)
	{
		const char *role = NameStr(teams->roles[team]);

		if (role[0] == '\0' || !align_team_may_move(report->funnel, report->move, team))
			continue;
		appendStringInfo(&roles, "%s\"%s\"%s", roles.len > 0 ? " or " : "", role,
						 OidIsValid(get_role_oid(role, true)) ? "" : " (which does not exist)");
	}
	return roles.data;
}

/*
 * Returns the hint for a move by the wrong role.
 */
static char *
RolesHint(const Report *report, const UserTeams *teams)
{
	for (int team = 0; team < report->funnel->nteams; team++)
	{
		const char *role = NameStr(teams->roles[team]);

		if (role[0] != '\0' && align_team_may_move(report->funnel, report->move, team) &&
			OidIsValid(get_role_oid(role, true)))
			return psprintf("Ask a member of %s to move it.", RolesText(report, teams));
	}
	return pstrdup("The agreement's owner can assign an existing role with align.assign_team().");
}

/*
 * Fills in the texts for wrong_team.  They name the role outside any security
 * definer function, which is the one that the history records.
 */
static void
WrongTeamText(const Report *report, VerdictText *text)
{
	const UserTeams *teams = align_user_teams(report->row_move->agreement, report->funnel);
	char	   *role = GetUserNameFromId(GetOuterUserId(), false);

	if (!report->show_from)
	{
		text->message = psprintf("%s may not be moved to \"%s\" by role \"%s\"",
								 report->subject, ToName(report), role);
		text->detail = psprintf("Role \"%s\" is not a member of any team that may make this move.",
								role);
		return;
	}
	text->message = psprintf("%s may not be moved from \"%s\" to \"%s\" by role \"%s\"",
							 report->subject, FromText(report), ToName(report), role);
	text->detail = psprintf("%s Role \"%s\" is not a member of %s.",
							align_holders_text(report->funnel, report->move), role,
							RolesText(report, teams));
	text->hint = RolesHint(report, teams);
}

/*
 * Returns the names of the columns that a role is read from: ""a" or "b"".
 */
static char *
RoleColumnsText(const AttachmentMarker *marker, RowRole role)
{
	Bitmapset  *columns = align_role_columns(marker, role);
	StringInfoData names;
	int			member = -1;

	initStringInfo(&names);
	while ((member = bms_next_member(columns, member)) >= 0)
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? " or " : "",
						 get_attname(marker->root, member + FirstLowInvalidHeapAttributeNumber,
									 false));
	return names.data;
}

/*
 * Returns the hint for a reason that is missing or not listed.
 */
static char *
ReasonHint(const Report *report)
{
	const AttachmentMarker *marker = &report->attachment->marker;

	if (!align_marker_has_role(marker, ROW_REASON))
		return pstrdup("The table is attached without a reason column. "
					   "Attach it again with align.attach(..., reason => ...).");
	return psprintf("Set the reason in column %s in the same statement.",
					RoleColumnsText(marker, ROW_REASON));
}

/*
 * Fills in the texts for illegal_move and unlisted_reason without values that
 * the user cannot read.
 */
static void
RedactedText(const Report *report, Rule rule, VerdictText *text)
{
	if (rule == RULE_ILLEGAL_MOVE)
	{
		text->message = psprintf("%s cannot move to \"%s\"", report->subject, ToName(report));
		text->detail = psprintf("%s does not allow this move from the current stage of the lead.",
								report->agreement);
	}
	else
	{
		text->message = psprintf("%s cannot move to \"%s\" for the given reason",
								 report->subject, ToName(report));
		text->detail = psprintf("%s does not list this reason.", report->agreement);
	}
}

/*
 * Fills in the texts of an error about a broken rule, for the current user.
 */
void
align_row_verdict_text(Attachment *attachment, Relation rel, const RowMove *row_move,
					   HeapTuple row, Rule rule, VerdictText *text)
{
	Report		report = {.attachment = attachment,.rel = rel,.row_move = row_move,
	.move = &row_move->move,.funnel = row_move->funnel,.row = row};
	bool		show_stage = align_may_read(attachment, GetUserId(), ROW_STAGE);

	report.show_from = show_stage &&
		(row_move->move.from >= 0 || align_may_read_labels(attachment, GetUserId(), ROW_STAGE));
	report.show_reason = align_may_read(attachment, GetUserId(), ROW_REASON) &&
		align_may_read_labels(attachment, GetUserId(), ROW_REASON);
	report.subject = Subject(&report, show_stage);
	report.agreement = psprintf("Agreement \"%s\" version %d", row_move->agreement,
								row_move->version);
	text->hint = NULL;
	switch (rule)
	{
		case RULE_MISSING_NEED:
			MissingNeedText(&report, text);
			break;
		case RULE_LEFT_FUNNEL:
			LeftFunnelText(&report, text);
			break;
		case RULE_WRONG_TEAM:
			WrongTeamText(&report, text);
			break;
		default:
			/* these texts would show a value of the row */
			if ((rule == RULE_ILLEGAL_MOVE && !report.show_from) ||
				(rule == RULE_UNLISTED_REASON && !report.show_reason))
				RedactedText(&report, rule, text);
			else
				align_verdict_text(report.funnel, report.move, rule, report.subject,
								   report.agreement, text);
			if (rule == RULE_MISSING_REASON || rule == RULE_UNLISTED_REASON)
				text->hint = ReasonHint(&report);
			break;
	}
}

/*
 * Returns the column for the error field: that of the first unmet need, that
 * of the reason, or else that of the stage.  NULL if an expression uses
 * several columns.
 */
static const char *
ColumnOf(Attachment *attachment, Relation rel, const RowMove *move, HeapTuple row, Rule rule)
{
	RowRole		role = ROW_STAGE;
	const FunnelNeed *unmet;
	int			column;

	if (rule == RULE_MISSING_NEED &&
		align_needs_unmet(align_verdict_needs(attachment, rel, move), row,
						  move->move.from, move->move.to, &unmet, 1) > 0 &&
		unmet->kind == NEED_COLUMN)
		return unmet->text;
	if ((rule == RULE_MISSING_REASON || rule == RULE_UNLISTED_REASON) &&
		align_marker_has_role(&attachment->marker, ROW_REASON))
		role = ROW_REASON;
	if (!bms_get_singleton_member(align_role_columns(&attachment->marker, role), &column))
		return NULL;
	return get_attname(attachment->marker.root, column + FirstLowInvalidHeapAttributeNumber,
					   false);
}

/*
 * Returns the label of a role, or its value if the current user may not see
 * labels.
 */
LeadString
align_visible_label(const Attachment *attachment, RowRole role, LeadString value,
					LeadString label)
{
	return align_may_read_labels(attachment, GetUserId(), role) ? label : value;
}

/*
 * Reports one broken rule.  The error fields name the attached table, even if
 * the row is in a partition.
 */
static void
ReportRule(Attachment *attachment, Relation rel, const RowMove *move, HeapTuple row, Rule rule,
		   int elevel)
{
	Oid			root = attachment->marker.root;
	const char *column = ColumnOf(attachment, rel, move, row, rule);
	RowMove		visible = *move;
	VerdictText text;

	if (rule == RULE_UNKNOWN_STAGE)
		visible.move.to_label =
			align_visible_label(attachment, ROW_STAGE,
								align_role_unlabeled(attachment, ROW_STAGE, rel, row),
								move->move.to_label);
	align_row_verdict_text(attachment, rel, &visible, row, rule, &text);
	ereport(elevel,
			(align_errrule(rule),
			 errmsg_internal("%s", text.message),
			 errdetail_internal("%s", text.detail),
			 text.hint ? errhint("%s", text.hint) : 0,
			 err_generic_string(PG_DIAG_SCHEMA_NAME,
								get_namespace_name(get_rel_namespace(root))),
			 err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(root)),
			 column != NULL ? err_generic_string(PG_DIAG_COLUMN_NAME, column) : 0));
}

/*
 * Reports the broken rules, each by its mode.  An enforced rule is an error,
 * however grave the rules before it that are not, so errors come first.
 */
void
align_verdict_report(Attachment *attachment, Relation rel, const RowMove *move, HeapTuple row,
					 const Verdict *verdict)
{
	static const struct
	{
		AttachMode	mode;
		int			elevel;
	}			levels[] = {{ATTACH_ENFORCE, ERROR}, {ATTACH_WARN, WARNING}};
	const AttachmentMarker *marker = &attachment->marker;

	for (int i = 0; i < (int) lengthof(levels); i++)
	{
		for (int j = 0; j < verdict->nbroken; j++)
		{
			Rule		rule = verdict->broken[j];

			if (align_attach_rule_mode(marker->mode, &marker->options, rule) == levels[i].mode)
				ReportRule(attachment, rel, move, row, rule, levels[i].elevel);
		}
	}
}
