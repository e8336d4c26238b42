/*
 * text.c
 *	  A broken rule in words, as a report to the current user.
 *
 * What the row says is shown only to those who may read it anyway, as in the
 * messages of core's own constraints.  The stage that was to be entered is the
 * user's own word; the key, the stage before and the reason (which may have been
 * there before) are not.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "agreement/teams.h"
#include "attachment/key.h"
#include "attachment/may_read.h"
#include "condition/condition.h"
#include "verdict/verdict.h"

/* Needs that a message lists; the detail lists all. */
#define MESSAGE_MAX_NEEDS 5

/*
 * What goes into the words.
 */
typedef struct Report
{
	Attachment *attachment;
	Relation	rel;
	const RowMove *row_move;
	const Move *move;
	const Funnel *funnel;
	HeapTuple	row;
	char	   *subject;		/* "lead (id)=(42)", "lead" */
	char	   *agreement;		/* "Agreement "b2b" version 3" */
	bool		show_from;		/* may the stage before be told? */
	bool		show_reason;
} Report;

/*
 * A key that is null in part names no lead.
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

static const char *
ToName(const Report *report)
{
	return report->funnel->stages[report->move->to].name;
}

static char *
FromText(const Report *report)
{
	if (report->move->from >= 0)
		return pstrdup(report->funnel->stages[report->move->from].name);
	return pnstrdup(report->move->from_label.text, report->move->from_label.len);
}

/*
 * A need of a row, for a list: a column's name, or a condition in quotes.
 */
static char *
NeedText(const FunnelNeed *need)
{
	if (need->kind == NEED_COLUMN)
		return pstrdup(need->text);
	return psprintf("\"%s\"", align_condition_clip(need->text));
}

static void
NeedsWords(const Report *report, VerdictText *text)
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

		if (i < MESSAGE_MAX_NEEDS)
			appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", NeedText(unmet[i]));
		appendStringInfoString(&detail, i > 0 ? "; " : "");
		if (unmet[i]->kind == NEED_COLUMN)
			appendStringInfo(&detail, "column \"%s\" filled", unmet[i]->text);
		else
			appendStringInfo(&detail, "condition %s true", NeedText(unmet[i]));
		if (why != NULL)
			appendStringInfo(&detail, " (which it cannot be: %s)", why);
		problem = problem || why != NULL;
		columns = columns || unmet[i]->kind == NEED_COLUMN;
	}
	if (nunmet > MESSAGE_MAX_NEEDS)
		appendStringInfo(&names, " and %d more", nunmet - MESSAGE_MAX_NEEDS);

	text->message = psprintf("%s cannot enter \"%s\": needs %s", report->subject, ToName(report),
							 names.data);
	text->detail = psprintf("%s wants for this: %s.", report->agreement, detail.data);
	if (problem)
		text->hint = pstrdup("The table has changed since it was agreed: agree on a new version with align.agree(), or change the table back.");
	else if (columns)
		text->hint = pstrdup("Fill in what is missing before the change of stage, or in the same statement.");
	else
		text->hint = pstrdup("Correct the row before the change of stage, or in the same statement.");
}

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

static void
LeftFunnelWords(const Report *report, VerdictText *text)
{
	char	   *lost = StagesOfKind(report->funnel, STAGE_LOST);
	char	   *won = StagesOfKind(report->funnel, STAGE_WON);

	if (report->show_from)
		text->message = psprintf("%s cannot leave the funnel from \"%s\"", report->subject,
								 FromText(report));
	else
		text->message = psprintf("%s cannot leave the funnel", report->subject);
	text->detail = psprintf("%s ends journeys in: %s%s%s; this stage was set to null.",
							report->agreement, won, lost[0] != '\0' ? ", " : "", lost);
	if (lost[0] != '\0')
		text->hint = psprintf("Move the lead to %s, or delete its row.", lost);
	else
		text->hint = pstrdup("Give the lead a stage, or delete its row.");
}

/*
 * "crm_marketing" or "crm_sales": the roles that may make the move.
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
 * Names the role that history will name, too: the one outside of any security
 * definer function.
 */
static void
WrongTeamWords(const Report *report, VerdictText *text)
{
	const UserTeams *teams = align_user_teams(report->row_move->agreement, report->funnel);
	char	   *role = GetUserNameFromId(GetOuterUserId(), false);

	if (!report->show_from)
	{
		text->message = psprintf("%s may not be moved to \"%s\" by role \"%s\"",
								 report->subject, ToName(report), role);
		text->detail = psprintf("Role \"%s\" is a member of no team that may make this move.", role);
		return;
	}
	text->message = psprintf("%s may not be moved from \"%s\" to \"%s\" by role \"%s\"",
							 report->subject, FromText(report), ToName(report), role);
	text->detail = psprintf("%s Role \"%s\" is no member of %s.",
							align_holders_text(report->funnel, report->move), role,
							RolesText(report, teams));
	text->hint = psprintf("Have it moved by a member of %s.", RolesText(report, teams));
}

/*
 * A reason that is missing or not listed: where it is to be said.
 */
static char *
ReasonHint(const Report *report)
{
	const AttachmentMarker *marker = &report->attachment->marker;

	if (marker->column[ROW_REASON] == InvalidAttrNumber)
		return pstrdup("The table is attached without a column for reasons: name one in align.attach(..., reason => ...).");
	return psprintf("Say why in column \"%s\", in the same statement.",
					get_attname(marker->root, marker->column[ROW_REASON], false));
}

/*
 * The words of rules whose usual ones tell what is not to be told.
 */
static void
DiscreetWords(const Report *report, Rule rule, VerdictText *text)
{
	if (rule == RULE_ILLEGAL_MOVE)
	{
		text->message = psprintf("%s cannot move to \"%s\"", report->subject, ToName(report));
		text->detail = psprintf("%s does not allow it from the stage in which the lead is.",
								report->agreement);
	}
	else
	{
		text->message = psprintf("%s cannot move to \"%s\" for the reason given",
								 report->subject, ToName(report));
		text->detail = psprintf("%s does not list that reason.", report->agreement);
	}
}

void
align_verdict_words(Attachment *attachment, Relation rel, const RowMove *row_move, HeapTuple row,
					Rule rule, VerdictText *text)
{
	Report		report = {.attachment = attachment,.rel = rel,.row_move = row_move,
	.move = &row_move->move,.funnel = row_move->funnel,.row = row};

	report.show_from = align_may_read(attachment, GetUserId(), ROW_STAGE);
	report.show_reason = align_may_read(attachment, GetUserId(), ROW_REASON);
	report.subject = Subject(&report, report.show_from);
	report.agreement = psprintf("Agreement \"%s\" version %d", row_move->agreement,
								row_move->version);
	text->hint = NULL;
	switch (rule)
	{
		case RULE_MISSING_NEED:
			NeedsWords(&report, text);
			break;
		case RULE_LEFT_FUNNEL:
			LeftFunnelWords(&report, text);
			break;
		case RULE_WRONG_TEAM:
			WrongTeamWords(&report, text);
			break;
		default:
			if ((rule == RULE_ILLEGAL_MOVE && !report.show_from) ||
				(rule == RULE_UNLISTED_REASON && !report.show_reason))
				DiscreetWords(&report, rule, text);
			else
				align_verdict_text(report.funnel, report.move, rule, report.subject,
								   report.agreement, text);
			if (rule == RULE_MISSING_REASON || rule == RULE_UNLISTED_REASON)
				text->hint = ReasonHint(&report);
			break;
	}
}

/*
 * The column to look at: the one that is not filled, the reason, else the stage.
 */
static const char *
ColumnOf(Attachment *attachment, Relation rel, const RowMove *move, HeapTuple row, Rule rule)
{
	AttrNumber	attnum = attachment->marker.column[ROW_STAGE];
	const FunnelNeed *unmet;

	if (rule == RULE_MISSING_NEED &&
		align_needs_unmet(align_verdict_needs(attachment, rel, move), row,
						  move->move.from, move->move.to, &unmet, 1) > 0 &&
		unmet->kind == NEED_COLUMN)
		return unmet->text;
	if ((rule == RULE_MISSING_REASON || rule == RULE_UNLISTED_REASON) &&
		attachment->marker.column[ROW_REASON] != InvalidAttrNumber)
		attnum = attachment->marker.column[ROW_REASON];
	return get_attname(attachment->marker.root, attnum, false);
}

/*
 * The fields name the attached table, also when the row lies in a partition.
 */
void
align_verdict_report(Attachment *attachment, Relation rel, const RowMove *move, HeapTuple row,
					 const Verdict *verdict, int elevel)
{
	Oid			root = attachment->marker.root;

	for (int i = 0; i < verdict->nbroken; i++)
	{
		VerdictText text;

		align_verdict_words(attachment, rel, move, row, verdict->broken[i], &text);
		ereport(elevel,
				(errcode(align_rule_sqlstate(verdict->broken[i])),
				 errmsg_internal("%s", text.message),
				 errdetail_internal("%s", text.detail),
				 text.hint ? errhint("%s", text.hint) : 0,
				 err_generic_string(PG_DIAG_SCHEMA_NAME,
									get_namespace_name(get_rel_namespace(root))),
				 err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(root)),
				 err_generic_string(PG_DIAG_COLUMN_NAME,
									ColumnOf(attachment, rel, move, row, verdict->broken[i]))));
	}
}
