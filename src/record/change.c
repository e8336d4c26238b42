/*
 * change.c
 *	  From an event of a row to the changes of its lead: finds them, judges
 *	  them, and adds them to the batch.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "attachment/judging_version.h"
#include "attachment/key.h"
#include "lead/lead.h"
#include "record/change.h"
#include "record/flush.h"
#include "verdict/verdict.h"

/*
 * The version of the agreement that an event is judged by.
 */
typedef struct JudgingFunnel
{
	const char *agreement;
	int32		version;
	Funnel	   *funnel;
} JudgingFunnel;

/*
 * Looks up the version that judges now.
 */
static void
GetJudgingFunnel(Attachment *attachment, JudgingFunnel *judging)
{
	judging->agreement = attachment->marker.agreement;
	judging->funnel = align_judging_funnel(attachment, &judging->version);
}

/*
 * Reads the key of a row, which must not contain nulls.
 */
static void
ReadKey(const RowVersion *version, Datum *key)
{
	align_key_from_row(version->attachment, version->row, RelationGetDescr(version->rel), key);
}

/*
 * True if the live condition holds for a row, or if there is none.
 */
static bool
IsLive(const RowVersion *version)
{
	Attachment *attachment = version->attachment;

	if (attachment->live == NULL)
		return true;
	if (attachment->live_condition == NULL)
		attachment->live_condition = align_condition_compile(version->rel, attachment->live,
															 attachment->context);
	return align_condition_true(attachment->live_condition, version->row);
}

/*
 * Returns a role as text, not copied; its text is NULL for SQL NULL and if the
 * attachment has no such role.
 */
static LeadString
RowText(const RowVersion *version, RowRole role)
{
	return align_role_text(version->attachment, role, version->rel, version->row);
}

/*
 * Returns the index of the stage of a row, or -1, and its label as the row has
 * it.
 */
static int
RowStage(const RowVersion *version, const Funnel *funnel, LeadString *label)
{
	return align_row_stage(version->attachment, version->rel, version->row, funnel, label);
}

/*
 * Returns a stage by its name in the agreement, or a copy of its label if it
 * is unknown.
 */
static const char *
StageText(Batch *batch, const Funnel *funnel, int stage, LeadString label)
{
	if (stage >= 0)
		return funnel->stages[stage].name;
	return align_pending_copy_string(batch, label.text, label.len);
}

/*
 * Returns the team that holds a row: that in the row if the attachment has
 * the role, else the team that holds the stage.
 */
static const char *
TeamText(Batch *batch, const RowVersion *version, const Funnel *funnel, int stage)
{
	if (align_has_role(version->attachment, ROW_TEAM))
	{
		LeadString	team = RowText(version, ROW_TEAM);

		return align_pending_copy_string(batch, team.text, team.len);
	}
	if (stage >= 0 && funnel->stages[stage].team >= 0)
		return funnel->teams[funnel->stages[stage].team].name;
	return NULL;
}

/*
 * Returns a copy of a role as text, or NULL.
 */
static const char *
CopyText(Batch *batch, const RowVersion *version, RowRole role)
{
	LeadString	text;

	if (!align_has_role(version->attachment, role))
		return NULL;
	text = RowText(version, role);
	return align_pending_copy_string(batch, text.text, text.len);
}

/*
 * Returns the value of a role; null if the attachment has no such role.
 */
static Datum
RoleDatum(const RowVersion *version, RowRole role, bool *isnull)
{
	return align_role_value(version->attachment, role, version->rel, version->row, isnull);
}

/*
 * Converts a value of changed_at, which must be finite.
 */
static TimestampTz
ColumnTime(const Attachment *attachment, Datum value)
{
	TimestampTz result;

	switch (attachment->type[ROW_CHANGED_AT])
	{
		case DATEOID:
			result = DatumGetTimestampTz(DirectFunctionCall1(date_timestamptz, value));
			break;
		case TIMESTAMPOID:
			result = DatumGetTimestampTz(DirectFunctionCall1(timestamp_timestamptz, value));
			break;
		default:
			result = DatumGetTimestampTz(value);
			break;
	}
	if (TIMESTAMP_NOT_FINITE(result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time of a change in table %s must be finite", attachment->root_name)));
	return result;
}

/*
 * Returns the time of a change by changed_at, or CHANGE_TIME_UNKNOWN.  If an
 * UPDATE has left the value unchanged, it is not the time of this change.
 */
static TimestampTz
EffectiveAt(const RowVersion *before, const RowVersion *after)
{
	bool		isnull;
	Datum		value = RoleDatum(after, ROW_CHANGED_AT, &isnull);
	TimestampTz result;

	if (isnull)
		return CHANGE_TIME_UNKNOWN;
	result = ColumnTime(after->attachment, value);
	if (before != NULL)
	{
		value = RoleDatum(before, ROW_CHANGED_AT, &isnull);
		if (!isnull && ColumnTime(before->attachment, value) == result)
			return CHANGE_TIME_UNKNOWN;
	}
	return result;
}

/*
 * Sets the amount of a change, which is always numeric.
 */
static void
CopyAmount(Batch *batch, Change *change, const RowVersion *version)
{
	bool		isnull;
	Datum		value = RoleDatum(version, ROW_AMOUNT, &isnull);
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
static const char *
OuterRole(Batch *batch)
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
static void
SetReplaced(Batch *batch, Change *change, const RowVersion *before)
{
	change->replaced_command = before->command;
	change->from_assignee = CopyText(batch, before, ROW_ASSIGNEE);
}

/*
 * Adds a change with all members that do not depend on the stage.  before is
 * NULL if no row version was replaced, or if it does not matter.
 */
static Change *
NewChange(Batch *batch, HistoryEvent event, const Datum *key, const RowVersion *before,
		  const RowVersion *after, const JudgingFunnel *judging)
{
	Change	   *change = align_pending_add(batch, after->attachment, key);

	change->event = event;
	change->command = after->command;
	change->replaced_by = after->replaced_by;
	if (before != NULL && before->command != InvalidCommandId)
		SetReplaced(batch, change, before);
	change->version = judging->version;
	change->db_role = OuterRole(batch);
	change->assignee = CopyText(batch, after, ROW_ASSIGNEE);
	change->actor = CopyText(batch, after, ROW_ACTOR);
	change->reason = CopyText(batch, after, ROW_REASON);
	change->note = CopyText(batch, after, ROW_NOTE);
	change->campaign = CopyText(batch, after, ROW_CAMPAIGN);
	CopyAmount(batch, change, after);
	change->effective_at = EffectiveAt(before, after);

	/*
	 * A change of a row that is not live is recorded, but the lead is not in
	 * the funnel.  If the row becomes live now, an opening follows.
	 */
	if (before != NULL && !IsLive(before) &&
		(event != EVENT_ENTRY || !IsLive(after)))
		change->source = SOURCE_NOT_LIVE;
	return change;
}

/*
 * Sets the handoff that is submitted when a lead enters a stage.
 */
static void
SetHandoff(Change *change, const Funnel *funnel, int stage)
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
 * Returns the note of an override: its reason, followed by the note of the
 * row.
 */
static const char *
OverrideNote(Batch *batch, const char *why, const char *note)
{
	char	   *text;
	char	   *result;

	if (note == NULL)
		return align_pending_copy_string(batch, why, strlen(why));
	text = psprintf("%s; %s", why, note);
	result = align_pending_copy_string(batch, text, strlen(text));
	pfree(text);
	return result;
}

/*
 * Judges a change of stage, and adds it.
 */
static void
AddStageChange(Batch *batch, const Datum *key, const RowVersion *before, const RowVersion *after,
			   const JudgingFunnel *judging, const RowMove *row_move)
{
	Attachment *attachment = after->attachment;
	const Move *move = &row_move->move;
	Verdict		verdict;
	Change	   *change;

	/* with an override, the change passes in all modes */
	align_verdict(attachment, after->rel, row_move, after->row, &verdict);
	if (verdict.nbroken > 0 && align_override() == NULL)
	{
		if (attachment->marker.mode == ATTACH_ENFORCE)
			align_verdict_report(attachment, after->rel, row_move, after->row, &verdict, ERROR);
		if (attachment->marker.mode == ATTACH_WARN)
			align_verdict_report(attachment, after->rel, row_move, after->row, &verdict, WARNING);
	}

	change = NewChange(batch, move->from_label.text == NULL ? EVENT_ENTRY : EVENT_MOVE,
					   key, before, after, judging);
	change->from_stage = StageText(batch, judging->funnel, move->from, move->from_label);
	change->stage = StageText(batch, judging->funnel, move->to, move->to_label);
	if (before != NULL)
		change->from_team = TeamText(batch, before, judging->funnel, move->from);
	if (move->to_label.text != NULL)
		change->team = TeamText(batch, after, judging->funnel, move->to);
	SetHandoff(change, judging->funnel, move->to);
	if (verdict.nbroken > 0)
	{
		char	   *names = align_verdict_names(&verdict);

		change->violation = align_pending_copy_string(batch, names, strlen(names));
		pfree(names);
		if (align_override() != NULL)
		{
			change->event = EVENT_OVERRIDE;
			change->note = OverrideNote(batch, align_override(), change->note);
		}
	}
}

/*
 * Initializes a move from no stage to no stage.
 */
static void
InitRowMove(const JudgingFunnel *judging, RowMove *row_move)
{
	memset(row_move, 0, sizeof(RowMove));
	row_move->agreement = judging->agreement;
	row_move->version = judging->version;
	row_move->funnel = judging->funnel;
	row_move->move.from = row_move->move.to = -1;
}

/*
 * Adds the end of a lead's life whose row is no longer live.  before is NULL
 * if no row version was replaced.
 */
static void
AddEndOfLife(Batch *batch, const Datum *key, const RowVersion *before, const RowVersion *version,
			 const JudgingFunnel *judging)
{
	Change	   *change = NewChange(batch, EVENT_DELETED, key, NULL, version, judging);
	LeadString	label;
	int			stage = RowStage(version, judging->funnel, &label);

	change->effective_at = CHANGE_TIME_UNKNOWN;
	if (before != NULL)
		SetReplaced(batch, change, before);
	change->source = SOURCE_LIVE;
	change->from_stage = StageText(batch, judging->funnel, stage, label);
	change->from_team = TeamText(batch, version, judging->funnel, stage);
}

/*
 * Adds an opening in the stage of a row, which has become live, or was there
 * already.
 */
static Change *
AddOpening(Batch *batch, const Datum *key, const RowVersion *version, const JudgingFunnel *judging,
		   const char *source)
{
	Change	   *change = NewChange(batch, EVENT_OPENING, key, NULL, version, judging);
	LeadString	label;
	int			stage = RowStage(version, judging->funnel, &label);

	change->source = source;
	change->stage = StageText(batch, judging->funnel, stage, label);
	change->team = TeamText(batch, version, judging->funnel, stage);
	if (stage < 0 && label.text != NULL)
		change->violation = align_rule_name(RULE_UNKNOWN_STAGE);
	return change;
}

/*
 * Judges an INSERT, and adds its changes to the batch.
 */
void
align_changes_of_insert(Batch *batch, const RowVersion *after)
{
	JudgingFunnel judging;
	RowMove		row_move;
	Datum		key[ATTACHMENT_MAX_KEYS];

	GetJudgingFunnel(after->attachment, &judging);
	InitRowMove(&judging, &row_move);
	row_move.move.to = RowStage(after, judging.funnel, &row_move.move.to_label);
	if (row_move.move.to_label.text == NULL)
		return;
	row_move.move.reason = RowText(after, ROW_REASON);
	ReadKey(after, key);
	AddStageChange(batch, key, NULL, after, &judging, &row_move);
	if (!IsLive(after))
		AddEndOfLife(batch, key, NULL, after, &judging);
}

/*
 * True if the same team and person hold the lead as before.
 */
static bool
SameHolder(const RowVersion *before, const RowVersion *after)
{
	static const RowRole roles[] = {ROW_TEAM, ROW_ASSIGNEE};

	for (int i = 0; i < (int) lengthof(roles); i++)
	{
		if (align_has_role(after->attachment, roles[i]) &&
			!align_lead_same(RowText(before, roles[i]), RowText(after, roles[i])))
			return false;
	}
	return true;
}

/*
 * Adds a change of key.
 */
static void
AddRekey(Batch *batch, const Datum *old_key, const Datum *key, const RowVersion *before,
		 const RowVersion *after, const JudgingFunnel *judging)
{
	Change	   *change = NewChange(batch, EVENT_REKEY, key, before, after, judging);
	LeadString	label;
	int			stage = RowStage(before, judging->funnel, &label);
	char	   *old_text = align_stored_key_text(after->attachment, old_key);
	char	   *note = psprintf("was %s", old_text);
	MemoryContext old_context = MemoryContextSwitchTo(batch->context);

	align_copy_key(after->attachment, old_key, change->old_key);
	change->old_hash = align_pending_hash(after->attachment, old_key);
	MemoryContextSwitchTo(old_context);
	change->effective_at = CHANGE_TIME_UNKNOWN;
	change->note = align_pending_copy_string(batch, note, strlen(note));
	change->from_stage = change->stage = StageText(batch, judging->funnel, stage, label);
	change->from_team = change->team = TeamText(batch, before, judging->funnel, stage);
	change->assignee = CopyText(batch, before, ROW_ASSIGNEE);
	pfree(old_text);
	pfree(note);
}

/*
 * Judges an UPDATE, and adds its changes to the batch.
 */
void
align_changes_of_update(Batch *batch, const RowVersion *before, const RowVersion *after)
{
	JudgingFunnel judging;
	RowMove		row_move;
	Datum		old_key[ATTACHMENT_MAX_KEYS];
	Datum		key[ATTACHMENT_MAX_KEYS];
	Move	   *move = &row_move.move;
	bool		stage_changes;
	bool		was_live;
	bool		is_live;

	GetJudgingFunnel(after->attachment, &judging);
	InitRowMove(&judging, &row_move);
	move->from = RowStage(before, judging.funnel, &move->from_label);
	move->to = RowStage(after, judging.funnel, &move->to_label);
	if (move->from_label.text == NULL && move->to_label.text == NULL)
		return;					/* not in the funnel */

	ReadKey(before, old_key);
	ReadKey(after, key);
	if (move->from_label.text != NULL &&
		!align_same_key(after->attachment, old_key, key))
		AddRekey(batch, old_key, key, before, after, &judging);

	/*
	 * Labels of the same stage are not distinguished.  Unknown ones (index
	 * -1) are.
	 */
	stage_changes = !align_lead_same(move->from_label, move->to_label) &&
		(move->from != move->to || move->from < 0);
	if (stage_changes)
	{
		move->reason = RowText(after, ROW_REASON);
		AddStageChange(batch, key, before, after, &judging, &row_move);
	}

	was_live = IsLive(before);
	is_live = IsLive(after);
	if (move->to_label.text == NULL)
		return;
	if (is_live && !was_live && move->from_label.text != NULL)
	{
		Change	   *change = AddOpening(batch, key, after, &judging, SOURCE_LIVE);

		change->effective_at = CHANGE_TIME_UNKNOWN;
		SetReplaced(batch, change, before);
	}
	else if (!is_live && (was_live || move->from_label.text == NULL))
		AddEndOfLife(batch, key, before, after, &judging);
	else if (!stage_changes && !SameHolder(before, after))
	{
		Change	   *change = NewChange(batch, EVENT_OWNER, key, before, after, &judging);

		change->from_stage = change->stage = StageText(batch, judging.funnel, move->to,
													   move->to_label);
		change->from_team = TeamText(batch, before, judging.funnel, move->from);
		change->team = TeamText(batch, after, judging.funnel, move->to);
	}
}

/*
 * Adds the deletion of a row to the batch.
 */
Change *
align_change_of_delete(Batch *batch, const RowVersion *before, CommandId deleted_by)
{
	JudgingFunnel judging;
	Datum		key[ATTACHMENT_MAX_KEYS];
	LeadString	label;
	int			stage;
	Change	   *change;

	GetJudgingFunnel(before->attachment, &judging);
	ReadKey(before, key);
	change = NewChange(batch, EVENT_DELETED, key, NULL, before, &judging);
	change->command = deleted_by;
	change->removes_row = true;
	SetReplaced(batch, change, before);
	stage = RowStage(before, judging.funnel, &label);
	change->effective_at = CHANGE_TIME_UNKNOWN;
	change->from_stage = StageText(batch, judging.funnel, stage, label);
	change->from_team = TeamText(batch, before, judging.funnel, stage);
	return change;
}

/*
 * Returns the last change if it may be the DELETE half of a movement of the
 * row.
 */
Change *
align_change_first_half(Batch *batch, const RowVersion *after)
{
	Change	   *last = batch->changes[batch->nchanges - 1];
	Datum		key[ATTACHMENT_MAX_KEYS];

	if (!last->first_half)
		return NULL;
	ReadKey(after, key);
	return align_same_key(after->attachment, last->key, key) ? last : NULL;
}

/*
 * Adds a change that records the present state of a row.
 */
void
align_record_found(Attachment *attachment, Relation rel, HeapTuple row, HistoryEvent event,
				   const char *source, bool new_lead)
{
	Batch	   *batch = align_pending_batch(attachment->root_id);
	RowVersion	version = {attachment, rel, row, GetCurrentCommandId(false), InvalidCommandId};
	JudgingFunnel judging;
	Datum		key[ATTACHMENT_MAX_KEYS];
	Change	   *change;

	GetJudgingFunnel(attachment, &judging);
	ReadKey(&version, key);
	change = AddOpening(batch, key, &version, &judging, source);
	change->event = event;
	change->new_lead = new_lead;
	change->as_found = true;
	align_recorder_flush_if_long(attachment, batch);
}

/*
 * Adds a change that records that a lead is gone.
 */
void
align_record_gone(Attachment *attachment, const Datum *key, HistoryEvent event, const char *source)
{
	Batch	   *batch = align_pending_batch(attachment->root_id);
	JudgingFunnel judging;
	Change	   *change;

	GetJudgingFunnel(attachment, &judging);
	change = align_pending_add(batch, attachment, key);
	change->event = event;
	change->source = source;
	change->as_found = true;
	change->command = GetCurrentCommandId(false);
	change->version = judging.version;
	change->db_role = OuterRole(batch);
	align_recorder_flush_if_long(attachment, batch);
}
