/*
 * new_change.c
 *	  Adds a change to the batch, with what it copies from the row; see
 *	  new_change.h.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/date.h"

#include "attachment/judging_version.h"
#include "attachment/key.h"
#include "record/new_change.h"
#include "settings.h"

/*
 * Looks up the version that judges now.
 */
void
align_judging_now(Attachment *attachment, JudgingFunnel *judging)
{
	judging->agreement = attachment->marker.agreement;
	judging->funnel = align_judging_funnel(attachment, &judging->version);
}

/*
 * Initializes a move from no stage to no stage.
 */
void
align_init_row_move(const JudgingFunnel *judging, RowMove *row_move)
{
	memset(row_move, 0, sizeof(RowMove));
	row_move->agreement = judging->agreement;
	row_move->version = judging->version;
	row_move->funnel = judging->funnel;
	row_move->move.from = row_move->move.to = -1;
}

/*
 * Returns a stage by its name in the agreement, or a copy of its label if it
 * is unknown.
 */
const char *
align_stage_text(Batch *batch, const Funnel *funnel, int stage, LeadString label)
{
	if (stage >= 0)
		return funnel->stages[stage].name;
	return align_pending_copy_string(batch, label.text, label.len);
}

/*
 * Returns the team that holds a row: that in the row if the attachment has
 * the role, else the team that holds the stage.
 */
const char *
align_team_text(Batch *batch, const RowVersion *version, const Funnel *funnel, int stage)
{
	if (align_has_role(version->attachment, ROW_TEAM))
	{
		LeadString	team = align_version_text(version, ROW_TEAM);

		return align_pending_copy_string(batch, team.text, team.len);
	}
	if (stage >= 0 && funnel->stages[stage].team >= 0)
		return funnel->teams[funnel->stages[stage].team].name;
	return NULL;
}

/*
 * Returns a copy of a role as text, or NULL.
 */
const char *
align_copy_text(Batch *batch, const RowVersion *version, RowRole role)
{
	LeadString	text;

	if (!align_has_role(version->attachment, role))
		return NULL;
	text = align_version_text(version, role);
	return align_pending_copy_string(batch, text.text, text.len);
}

/*
 * Returns who makes a change: the person in the actor column, else the one in
 * the setting align.actor.
 */
static const char *
ActorText(Batch *batch, const RowVersion *version)
{
	const char *text = align_copy_text(batch, version, ROW_ACTOR);

	if (text == NULL && align_actor() != NULL)
		text = align_pending_copy_string(batch, align_actor(), strlen(align_actor()));
	return text;
}

/*
 * True if two row versions have the same value of changed_at.
 */
static bool
SameChangedAt(const RowVersion *before, const RowVersion *after)
{
	bool		was_null;
	bool		is_null;
	Datum		old = align_version_value(before, ROW_CHANGED_AT, &was_null);
	Datum		new = align_version_value(after, ROW_CHANGED_AT, &is_null);

	if (was_null || is_null)
		return was_null && is_null;
	if (after->attachment->type[ROW_CHANGED_AT] == DATEOID)
		return DatumGetDateADT(old) == DatumGetDateADT(new);
	return DatumGetInt64(old) == DatumGetInt64(new);
}

/*
 * Returns the time of a change by the changed_at column, or
 * CHANGE_TIME_UNKNOWN.
 *
 * The value before is not converted: it may be infinite, which is an error
 * only where it would be the time of a change.
 */
TimestampTz
align_effective_at(const RowVersion *before, const RowVersion *after)
{
	if (before != NULL && !after->sets_changed_at && SameChangedAt(before, after))
		return CHANGE_TIME_UNKNOWN;
	return align_version_time(after, ROW_CHANGED_AT);
}

/*
 * Returns the reason of a change; absent if the statement does not give one.
 * If an UPDATE neither sets the column nor changes it, the reason in the row
 * is that of an earlier change.
 */
LeadString
align_given_reason(const RowVersion *before, const RowVersion *after)
{
	LeadString	reason = align_version_text(after, ROW_REASON);
	bool		is_set = after->sets_reason &&
		(before == NULL || !after->attachment->marker.options.reason_must_change);

	if (is_set ||
		(before != NULL && !align_lead_same(align_version_text(before, ROW_REASON), reason)))
		return reason;
	return align_lead_cstring(NULL);
}

/*
 * Sets the amount of a change, which is always numeric.
 */
static void
CopyAmount(Batch *batch, Change *change, const RowVersion *version)
{
	bool		isnull;
	Datum		value = align_version_value(version, ROW_AMOUNT, &isnull);
	MemoryContext old_context;

	if (isnull)
		return;
	old_context = MemoryContextSwitchTo(batch->context);
	switch (version->attachment->type[ROW_AMOUNT])
	{
			/* a copy that does not refer to TOAST tables */
		case NUMERICOID:
			change->amount = datumCopy(PointerGetDatum(PG_DETOAST_DATUM(value)), false, -1);
			break;
		case INT2OID:
			change->amount = DirectFunctionCall1(int2_numeric, value);
			break;
		case INT4OID:
			change->amount = DirectFunctionCall1(int4_numeric, value);
			break;
		case INT8OID:
			change->amount = DirectFunctionCall1(int8_numeric, value);
			break;
		case FLOAT4OID:
			change->amount = DirectFunctionCall1(float4_numeric, value);
			break;
		case FLOAT8OID:
			change->amount = DirectFunctionCall1(float8_numeric, value);
			break;
		default:
			elog(ERROR, "amount of unexpected type %u",
				 version->attachment->type[ROW_AMOUNT]);
	}
	change->has_amount = true;
	MemoryContextSwitchTo(old_context);
}

/*
 * Returns the name of the role outside any security definer function.  It is
 * nearly always the same for a whole batch, so the batch remembers the last
 * one.
 */
const char *
align_outer_role(Batch *batch)
{
	if (batch->db_role == NULL || batch->db_role_id != GetOuterUserId())
	{
		char	   *name = GetUserNameFromId(GetOuterUserId(), true);

		batch->db_role_id = GetOuterUserId();
		batch->db_role = align_pending_copy_string(batch, name, name ? strlen(name) : 0);
		if (name != NULL)
			pfree(name);
	}
	return batch->db_role;
}

/*
 * Sets what flush.c needs to know about the replaced row version.
 */
void
align_set_replaced(Batch *batch, Change *change, const RowVersion *before)
{
	change->replaced_command = before->command;
	change->from_assignee = align_copy_text(batch, before, ROW_ASSIGNEE);
}

/*
 * Returns the canonical list of the segments that hold of a row; NULL if there
 * are none, or if the history has no column for them.
 */
static const char *
SegmentsText(Batch *batch, const RowVersion *version, const JudgingFunnel *judging)
{
	RowMove		row_move;
	LeadString	list;

	align_init_row_move(judging, &row_move);
	list = align_verdict_segments(version->attachment, version->rel, &row_move, version->row);
	return align_pending_copy_string(batch, list.text, list.len);
}

/*
 * True if a row version has a key.
 */
static bool
HasKey(const RowVersion *version, const Datum *key)
{
	Datum		own[ATTACHMENT_MAX_KEYS];

	align_version_key(version, own);
	return align_same_key(version->attachment, own, key);
}

/*
 * Adds a change with all members that do not depend on the stage.  before is
 * NULL if no row version was replaced.
 */
Change *
align_new_change(Batch *batch, HistoryEvent event, const Datum *key, const RowVersion *before,
				 const RowVersion *after, const JudgingFunnel *judging)
{
	Change	   *change = align_pending_add(batch, after->attachment, key);
	LeadString	reason = align_given_reason(before, after);

	change->event = event;
	change->command = after->command;
	change->replaced_by = after->replaced_by;
	if (before != NULL && before->command != InvalidCommandId)
		align_set_replaced(batch, change, before);
	change->keeps_key = before != NULL && before->deferred == NULL && HasKey(before, key);
	change->version = judging->version;
	change->db_role = align_outer_role(batch);
	change->assignee = align_copy_text(batch, after, ROW_ASSIGNEE);
	change->actor = ActorText(batch, after);
	change->reason = align_pending_copy_string(batch, reason.text, reason.len);
	change->note = align_copy_text(batch, after, ROW_NOTE);
	change->campaign = align_copy_text(batch, after, ROW_CAMPAIGN);
	CopyAmount(batch, change, after);
	if (event != EVENT_DELETED)
		change->segments = SegmentsText(batch, after, judging);
	return change;
}

/*
 * Sets the handoff that is submitted when a lead enters a stage.
 */
void
align_set_handoff(Change *change, const Funnel *funnel, int stage)
{
	for (int i = 0; i < funnel->nservice_levels && stage >= 0; i++)
	{
		const ServiceLevel *sla = &funnel->service_levels[i];

		if (!sla->is_handoff || !(sla->effects[stage] & EFFECT_START))
			continue;
		change->handoff = sla->name;
		change->handoff_from_team =
			sla->from_team >= 0 ? funnel->teams[sla->from_team].name : NULL;
		change->handoff_to_team = sla->team >= 0 ? funnel->teams[sla->team].name : NULL;
		return;
	}
}

/*
 * Adds an opening in the stage of a row that was there already.
 */
Change *
align_new_opening(Batch *batch, const Datum *key, const RowVersion *version,
				  const JudgingFunnel *judging, const char *source)
{
	Change	   *change = align_new_change(batch, EVENT_OPENING, key, NULL, version, judging);
	LeadString	label;
	int			stage = align_version_stage(version, judging->funnel, &label);

	change->source = source;
	change->stage = align_stage_text(batch, judging->funnel, stage, label);
	change->team = align_team_text(batch, version, judging->funnel, stage);
	if (stage < 0 && label.text != NULL)
		change->violation = align_rule_name(RULE_UNKNOWN_STAGE);
	return change;
}
