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
#include "record/column_time.h"
#include "record/flush.h"
#include "record/past.h"
#include "settings.h"
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
 * Reads the key of a row, which must not contain nulls.
 */
static void
ReadKey(const RowVersion *version, Datum *key)
{
	if (version->deferred != NULL)
	{
		memcpy(key, version->deferred_key, version->attachment->nkeys * sizeof(Datum));
		return;
	}
	align_key_from_row(version->attachment, version->row, RelationGetDescr(version->rel), key);
}

/*
 * True if the live condition holds for a row, or if there is none.
 */
bool
align_row_is_live(const RowVersion *version)
{
	if (version->deferred != NULL)
		return version->deferred->live;
	return align_satisfies_live(version->attachment, version->rel, version->row);
}

/*
 * Returns what is kept of the column of a deleted row.
 */
static LeadString
DeferredText(const DeferredDeletion *deletion, RowRole role)
{
	switch (role)
	{
		case ROW_STAGE:
			return align_lead_cstring(deletion->stage);
		case ROW_TEAM:
			return align_lead_cstring(deletion->team);
		case ROW_ASSIGNEE:
			return align_lead_cstring(deletion->assignee);
		case ROW_REASON:
			return align_lead_cstring(deletion->reason);
		default:
			return align_lead_cstring(NULL);
	}
}

/*
 * Returns a role as text, not copied; its text is NULL for SQL NULL and if the
 * attachment has no such role.
 */
static LeadString
RowText(const RowVersion *version, RowRole role)
{
	if (version->deferred != NULL)
		return DeferredText(version->deferred, role);
	return align_role_text(version->attachment, role, version->rel, version->row);
}

/*
 * Returns the index of the stage of a row, or -1, and its label as the row has
 * it.
 */
static int
RowStage(const RowVersion *version, const Funnel *funnel, LeadString *label)
{
	if (version->deferred != NULL)
	{
		*label = DeferredText(version->deferred, ROW_STAGE);
		return align_funnel_stage(funnel, label->text, label->len);
	}
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
 * Returns what is kept of the column of a deleted row.
 */
static Datum
DeferredDatum(const RowVersion *version, RowRole role, bool *isnull)
{
	const DeferredDeletion *deletion = version->deferred;

	*isnull = role != ROW_CHANGED_AT || deletion->no_changed_at;
	if (*isnull)
		return (Datum) 0;
	if (version->attachment->type[role] == DATEOID)
		return DateADTGetDatum((DateADT) deletion->changed_at);
	return Int64GetDatum(deletion->changed_at);
}

/*
 * Returns who makes a change: the person in the actor column, else the one in
 * the setting align.actor.
 */
static const char *
ActorText(Batch *batch, const RowVersion *version)
{
	const char *text = CopyText(batch, version, ROW_ACTOR);

	if (text == NULL && align_actor() != NULL)
		text = align_pending_copy_string(batch, align_actor(), strlen(align_actor()));
	return text;
}

/*
 * Returns the value of a role; null if the attachment has no such role.
 */
static Datum
RoleDatum(const RowVersion *version, RowRole role, bool *isnull)
{
	if (version->deferred != NULL)
		return DeferredDatum(version, role, isnull);
	return align_role_value(version->attachment, role, version->rel, version->row, isnull);
}

/*
 * Returns the time of a role, or CHANGE_TIME_UNKNOWN.
 */
static TimestampTz
TimeOf(const RowVersion *version, RowRole role)
{
	bool		isnull;
	Datum		value = RoleDatum(version, role, &isnull);

	return isnull ? CHANGE_TIME_UNKNOWN : align_column_time(version->attachment, role, value);
}

/*
 * Returns the time of a change by the changed_at column, or
 * CHANGE_TIME_UNKNOWN.  If an UPDATE neither sets the column nor changes it,
 * its value is not the time of this change.
 */
static TimestampTz
EffectiveAt(const RowVersion *before, const RowVersion *after)
{
	TimestampTz result = TimeOf(after, ROW_CHANGED_AT);

	if (before != NULL && !after->sets_changed_at && TimeOf(before, ROW_CHANGED_AT) == result)
		return CHANGE_TIME_UNKNOWN;
	return result;
}

/*
 * Returns the time since which a lead that is found in a stage has been there,
 * or CHANGE_TIME_UNKNOWN.
 */
static TimestampTz
OpenedAt(const RowVersion *found)
{
	if (found->attachment->marker.options.opened_now)
		return CHANGE_TIME_UNKNOWN;
	return TimeOf(found, align_has_role(found->attachment, ROW_OPENED_AT) ?
				  ROW_OPENED_AT : ROW_CHANGED_AT);
}

/*
 * Returns the reason of a change; absent if the statement does not give one.
 * If an UPDATE neither sets the column nor changes it, the reason in the row
 * is that of an earlier change.
 */
static LeadString
Reason(const RowVersion *before, const RowVersion *after)
{
	LeadString	reason = RowText(after, ROW_REASON);
	bool		is_set = after->sets_reason &&
		(before == NULL || !after->attachment->marker.options.reason_must_change);

	if (is_set || (before != NULL && !align_lead_same(RowText(before, ROW_REASON), reason)))
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
 * Returns the canonical list of the segments that hold of a row; NULL if there
 * are none, or if the history has no column for them.
 */
static const char *
SegmentsText(Batch *batch, const RowVersion *version, const JudgingFunnel *judging)
{
	RowMove		row_move;
	LeadString	list;

	InitRowMove(judging, &row_move);
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

	ReadKey(version, own);
	return align_same_key(version->attachment, own, key);
}

/*
 * Adds a change with all members that do not depend on the stage.  before is
 * NULL if no row version was replaced.
 */
static Change *
NewChange(Batch *batch, HistoryEvent event, const Datum *key, const RowVersion *before,
		  const RowVersion *after, const JudgingFunnel *judging)
{
	Change	   *change = align_pending_add(batch, after->attachment, key);
	LeadString	reason = Reason(before, after);

	change->event = event;
	change->command = after->command;
	change->replaced_by = after->replaced_by;
	if (before != NULL && before->command != InvalidCommandId)
		SetReplaced(batch, change, before);
	change->keeps_key = before != NULL && before->deferred == NULL && HasKey(before, key);
	change->version = judging->version;
	change->db_role = OuterRole(batch);
	change->assignee = CopyText(batch, after, ROW_ASSIGNEE);
	change->actor = ActorText(batch, after);
	change->reason = align_pending_copy_string(batch, reason.text, reason.len);
	change->note = CopyText(batch, after, ROW_NOTE);
	change->campaign = CopyText(batch, after, ROW_CAMPAIGN);
	CopyAmount(batch, change, after);
	if (event != EVENT_DELETED)
		change->segments = SegmentsText(batch, after, judging);
	change->effective_at = EffectiveAt(before, after);
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
 * Judges a move.  Of a lead that was merged, a move to the furthest stage that
 * the joined journey has reached is legal.
 */
static void
Judge(Batch *batch, const Datum *key, const RowVersion *after, const RowMove *row_move,
	  Verdict *verdict)
{
	align_verdict(after->attachment, after->rel, row_move, after->row, verdict);
	if (row_move->move.from >= 0 && row_move->move.to >= 0 &&
		align_verdict_breaks(verdict, RULE_ILLEGAL_MOVE) &&
		align_past_furthest_stage(after->attachment, batch, key, after->command + 1,
								  row_move->funnel) == row_move->move.to)
		align_verdict_remove(verdict, RULE_ILLEGAL_MOVE);
}

/*
 * Judges a change of stage, and adds it.
 */
static Change *
AddStageChange(Batch *batch, const Datum *key, const RowVersion *before, const RowVersion *after,
			   const JudgingFunnel *judging, const RowMove *row_move)
{
	Attachment *attachment = after->attachment;
	const Move *move = &row_move->move;
	Verdict		verdict;
	Change	   *change;

	/* with an override, the change passes in all modes */
	Judge(batch, key, after, row_move, &verdict);
	if (verdict.nbroken > 0 && align_override() == NULL)
		align_verdict_report(attachment, after->rel, row_move, after->row, &verdict);

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
	return change;
}

/*
 * Adds the end of a lead's life whose row is no longer live.
 */
static void
AddEndOfLife(Batch *batch, const Datum *key, const RowVersion *before, const RowVersion *after,
			 const JudgingFunnel *judging)
{
	Change	   *change = NewChange(batch, EVENT_DELETED, key, before, after, judging);
	LeadString	label;
	int			stage = RowStage(before, judging->funnel, &label);

	change->source = SOURCE_LIVE;
	change->from_stage = StageText(batch, judging->funnel, stage, label);
	change->from_team = TeamText(batch, before, judging->funnel, stage);
}

/*
 * Adds an opening in the stage of a row that was there already.
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
 * Adds the beginning of a lead's life whose row has become live.
 *
 * If the row was live before, the lead goes on where it was: an opening in
 * that stage resumes its clocks, and another stage is a move from there.
 * Otherwise the lead enters the funnel.
 */
static void
AddBeginningOfLife(Batch *batch, const Datum *old_key, const Datum *key, const RowVersion *before,
				   const RowVersion *after, const JudgingFunnel *judging, RowMove *row_move)
{
	Move	   *move = &row_move->move;
	RecordedStage suspended;
	Change	   *change;

	align_past_suspended_stage(after->attachment, batch, old_key, after->command, &suspended);
	align_begin_suspended(row_move, &suspended);
	if (suspended.name == NULL)
	{
		change = AddStageChange(batch, key, before, after, judging, row_move);
		change->source = SOURCE_LIVE;
		return;
	}
	change = NewChange(batch, EVENT_OPENING, key, before, after, judging);
	change->source = SOURCE_RESUMED;
	change->stage = StageText(batch, judging->funnel, move->from, move->from_label);
	change->team = TeamText(batch, after, judging->funnel, move->from);
	if (move->from < 0)
		change->violation = align_rule_name(RULE_UNKNOWN_STAGE);
	if (move->from != move->to ||
		(move->from < 0 && !align_lead_same(move->from_label, move->to_label)))
		(void) AddStageChange(batch, key, before, after, judging, row_move);
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

	if (!align_row_is_live(after))
		return;
	GetJudgingFunnel(after->attachment, &judging);
	InitRowMove(&judging, &row_move);
	row_move.move.to = RowStage(after, judging.funnel, &row_move.move.to_label);
	if (row_move.move.to_label.text == NULL)
		return;
	row_move.move.reason = Reason(NULL, after);
	ReadKey(after, key);
	(void) AddStageChange(batch, key, NULL, after, &judging, &row_move);
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
	if (!align_row_is_live(before))
		change->source = SOURCE_NOT_LIVE;
	change->note = align_pending_copy_string(batch, note, strlen(note));
	change->from_stage = change->stage = StageText(batch, judging->funnel, stage, label);
	change->from_team = change->team = TeamText(batch, before, judging->funnel, stage);
	change->assignee = CopyText(batch, before, ROW_ASSIGNEE);
	pfree(old_text);
	pfree(note);
}

/*
 * Adds a change of who holds a lead that stays in its stage.
 */
static void
AddHolder(Batch *batch, const Datum *key, const RowVersion *before, const RowVersion *after,
		  const JudgingFunnel *judging, const Move *move)
{
	Change	   *change = NewChange(batch, EVENT_OWNER, key, before, after, judging);

	change->from_stage = change->stage = StageText(batch, judging->funnel, move->to,
												   move->to_label);
	change->from_team = TeamText(batch, before, judging->funnel, move->from);
	change->team = TeamText(batch, after, judging->funnel, move->to);
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
	RecordedStage recorded;
	bool		was_live = align_row_is_live(before);
	bool		is_live = align_row_is_live(after);

	GetJudgingFunnel(after->attachment, &judging);
	InitRowMove(&judging, &row_move);
	move->from = RowStage(before, judging.funnel, &move->from_label);
	move->to = RowStage(after, judging.funnel, &move->to_label);
	move->reason = Reason(before, after);
	if (move->from_label.text == NULL && move->to_label.text == NULL)
		return;					/* not in the funnel */

	ReadKey(before, old_key);
	ReadKey(after, key);

	/* the row trigger for a version of this transaction may be outstanding */
	if (was_live && before->command == InvalidCommandId && align_begins_as_recorded(move))
	{
		align_recorded_stage(after->attachment, batch, old_key, after->command, &recorded);
		(void) align_begin_in_stage(&row_move, &recorded);
	}
	if (move->from_label.text != NULL &&
		!align_same_key(after->attachment, old_key, key))
		AddRekey(batch, old_key, key, before, after, &judging);

	if (!was_live || !is_live)
	{
		if (was_live && move->from_label.text != NULL)
			AddEndOfLife(batch, key, before, after, &judging);
		else if (is_live && move->to_label.text != NULL)
			AddBeginningOfLife(batch, old_key, key, before, after, &judging, &row_move);
		return;
	}

	/*
	 * Labels of the same stage are not distinguished.  Unknown ones (index
	 * -1) are.
	 */
	if (!align_lead_same(move->from_label, move->to_label) &&
		(move->from != move->to || move->from < 0))
		(void) AddStageChange(batch, key, before, after, &judging, &row_move);
	else if (!SameHolder(before, after))
		AddHolder(batch, key, before, after, &judging, move);
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
 * Returns a null-terminated copy of the column with a role, or NULL.
 */
static char *
KeptText(const RowVersion *version, RowRole role)
{
	LeadString	text = RowText(version, role);

	return text.text != NULL ? pnstrdup(text.text, text.len) : NULL;
}

/*
 * Sets what is kept of the changed_at column.
 */
static void
KeepChangedAt(DeferredDeletion *deletion, const RowVersion *version)
{
	Datum		value = RoleDatum(version, ROW_CHANGED_AT, &deletion->no_changed_at);

	if (deletion->no_changed_at)
		return;
	if (version->attachment->type[ROW_CHANGED_AT] == DATEOID)
		deletion->changed_at = DatumGetDateADT(value);
	else
		deletion->changed_at = DatumGetInt64(value);
}

/*
 * Defers the deletion of a row.
 */
bool
align_defer_deletion(Batch *batch, const RowVersion *before, CommandId deleted_by, bool truncated)
{
	Attachment *attachment = before->attachment;
	DeferredDeletion deletion = {0};
	DeferredDeletion earlier;
	JudgingFunnel judging;
	Datum		key[ATTACHMENT_MAX_KEYS];
	LeadString	label;

	GetJudgingFunnel(attachment, &judging);
	(void) RowStage(before, judging.funnel, &label);
	if (label.text == NULL)
		return true;			/* not in the funnel */
	ReadKey(before, key);
	deletion.stage = pnstrdup(label.text, label.len);
	deletion.team = KeptText(before, ROW_TEAM);
	deletion.assignee = KeptText(before, ROW_ASSIGNEE);
	if (attachment->marker.options.reason_must_change)
		deletion.reason = KeptText(before, ROW_REASON);
	deletion.db_role = OuterRole(batch);
	KeepChangedAt(&deletion, before);
	deletion.command = deleted_by;
	deletion.replaced_command = before->command;
	deletion.live = align_row_is_live(before);
	deletion.truncated = truncated;
	deletion.restricted = InSecurityRestrictedOperation();

	/*
	 * If another deletion of the key is deferred, the row between the two was
	 * made by an INSERT that has not arrived yet.
	 */
	if (!truncated && align_reload_take(attachment, key, deleted_by, &earlier))
	{
		align_add_deferred(batch, attachment, key, &earlier);
		return false;
	}
	return align_reload_defer(attachment, key, &deletion);
}

/*
 * Returns the row version that a deferred deletion has removed.
 */
static RowVersion
DeletedVersion(Attachment *attachment, Relation rel, const Datum *key,
			   const DeferredDeletion *deletion)
{
	RowVersion	version = {.attachment = attachment,.rel = rel};

	version.deferred = deletion;
	version.deferred_key = key;
	version.command = deletion->replaced_command;
	version.replaced_by = InvalidCommandId;
	return version;
}

/*
 * True if the statement of the current row trigger may be nested in another
 * one on the table, whose deletion of the same key has not arrived yet.
 */
static bool
IsNested(const Batch *batch)
{
	return align_pending_outer_statements(batch) > 0 || align_trigger_depth() > 1;
}

/*
 * Judges an INSERT of a key whose deletion is deferred as an UPDATE.
 */
bool
align_changes_of_reload(Batch *batch, const RowVersion *after)
{
	Attachment *attachment = after->attachment;
	Datum		key[ATTACHMENT_MAX_KEYS];
	DeferredDeletion deletion;
	RowVersion	before;
	RowVersion	reloaded = *after;
	LeadString	label;
	JudgingFunnel judging;
	bool		nested = IsNested(batch);

	if (!nested && !align_reload_any(attachment))
		return false;
	GetJudgingFunnel(attachment, &judging);
	(void) RowStage(after, judging.funnel, &label);
	if (label.text == NULL)
		return false;			/* the lead is gone */
	ReadKey(after, key);
	if (nested)
		align_reload_note_made(attachment, key, after->command);
	if (!align_reload_take(attachment, key, after->replaced_by, &deletion))
		return false;
	before = DeletedVersion(attachment, after->rel, key, &deletion);
	/* a reload gives all columns, so only a time that has changed counts */
	reloaded.sets_changed_at = false;
	align_changes_of_update(batch, &before, &reloaded);
	return true;
}

/*
 * Judges the first stage of a row that was made without one, whose key has a
 * deferred deletion, as if the row had been made with it.
 */
bool
align_changes_of_first_stage(Batch *batch, const RowVersion *before, const RowVersion *after)
{
	JudgingFunnel judging;
	LeadString	label;

	if (!IsNested(batch) && !align_reload_any(after->attachment))
		return false;
	GetJudgingFunnel(after->attachment, &judging);
	(void) RowStage(before, judging.funnel, &label);
	return label.text == NULL && align_changes_of_reload(batch, after);
}

/*
 * Adds a deferred deletion that was taken away.
 */
void
align_add_deferred(Batch *batch, Attachment *attachment, const Datum *key,
				   const DeferredDeletion *deletion)
{
	RowVersion	before = DeletedVersion(attachment, NULL, key, deletion);
	Change	   *change;

	if (!deletion->live)
		return;
	change = align_change_of_delete(batch, &before, deletion->command);
	if (deletion->truncated)
		change->event = EVENT_TRUNCATED;
	change->restricted = deletion->restricted;
	change->db_role = deletion->db_role == NULL ? NULL :
		align_pending_copy_string(batch, deletion->db_role, strlen(deletion->db_role));
}

/*
 * Adds the deferred deletion of the key that an UPDATE gives to a row, and
 * that of the key which the row had.  The entries of the lead that had the key
 * precede those of the other one.
 */
void
align_change_before_rekey(Batch *batch, const RowVersion *before, const RowVersion *after)
{
	Attachment *attachment = after->attachment;
	Datum		old_key[ATTACHMENT_MAX_KEYS];
	Datum		key[ATTACHMENT_MAX_KEYS];
	DeferredDeletion deletion;
	bool		nested = IsNested(batch);

	if (!nested && !align_reload_any(attachment))
		return;
	ReadKey(before, old_key);
	ReadKey(after, key);
	if (align_same_key(attachment, old_key, key))
		return;

	/* the row has its old key by an INSERT that has not arrived yet */
	if (nested && align_reload_take(attachment, old_key, after->command, &deletion))
		align_add_deferred(batch, attachment, old_key, &deletion);
	if (nested)
		align_reload_note_made(attachment, key, after->command);
	if (align_reload_take(attachment, key, after->replaced_by, &deletion))
		align_add_deferred(batch, attachment, key, &deletion);
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
	RowVersion	version = {.attachment = attachment,.rel = rel,.row = row};
	JudgingFunnel judging;
	Datum		key[ATTACHMENT_MAX_KEYS];
	Change	   *change;

	version.command = GetCurrentCommandId(false);
	version.replaced_by = InvalidCommandId;
	version.sets_reason = version.sets_changed_at = true;
	GetJudgingFunnel(attachment, &judging);
	ReadKey(&version, key);
	change = AddOpening(batch, key, &version, &judging, source);
	change->event = event;
	/* the row was not changed by the session that attaches the table */
	change->actor = CopyText(batch, &version, ROW_ACTOR);
	change->new_lead = new_lead;
	change->as_found = true;
	if (event == EVENT_OPENING)
	{
		change->effective_at = OpenedAt(&version);
		if (source != NULL && align_source_is_undated(source, strlen(source)) &&
			(change->effective_at != CHANGE_TIME_UNKNOWN || attachment->marker.options.opened_now))
			change->source = strcmp(source, SOURCE_UNDATED) == 0 ? NULL : SOURCE_ADOPTED;
	}
	align_recorder_flush_if_long(attachment, batch);
}

/*
 * Adds a move from a recorded stage to that of a row.
 */
void
align_record_found_move(Attachment *attachment, Relation rel, HeapTuple row,
						const StageSource *source, const char *from_stage)
{
	Batch	   *batch = align_pending_batch(attachment->root_id);
	RowVersion	version = {.attachment = attachment,.rel = rel,.row = row};
	JudgingFunnel judging;
	RowMove		row_move;
	Move	   *move = &row_move.move;
	Verdict		verdict;
	Datum		key[ATTACHMENT_MAX_KEYS];
	Change	   *change;
	char	   *names;

	version.command = GetCurrentCommandId(false);
	version.replaced_by = InvalidCommandId;
	version.sets_reason = version.sets_changed_at = true;
	GetJudgingFunnel(attachment, &judging);
	InitRowMove(&judging, &row_move);
	move->from_label = align_lead_cstring(from_stage);
	move->from = align_carry_stage(source, judging.agreement, judging.version, judging.funnel,
								   from_stage);
	move->to = RowStage(&version, judging.funnel, &move->to_label);
	move->reason = RowText(&version, ROW_REASON);
	align_verdict(attachment, rel, &row_move, row, &verdict);
	align_verdict_remove(&verdict, RULE_WRONG_TEAM);

	ReadKey(&version, key);
	change = AddOpening(batch, key, &version, &judging, SOURCE_ADOPTED);
	change->event = EVENT_MOVE;
	change->as_found = true;
	if (move->from >= 0)
		change->from_stage = judging.funnel->stages[move->from].name;
	SetHandoff(change, judging.funnel, move->to);
	names = align_verdict_names(&verdict);
	change->violation = align_pending_copy_string(batch, names, names ? strlen(names) : 0);
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
	if (event == EVENT_TRUNCATED && align_actor() != NULL)
		change->actor = align_pending_copy_string(batch, align_actor(), strlen(align_actor()));
	align_recorder_flush_if_long(attachment, batch);
}
