/*
 * change.c
 *	  From an event of a row to the changes of its lead: finds them, judges
 *	  them, and adds them to the batch.
 */
#include "postgres.h"

#include "attachment/key.h"
#include "record/change.h"
#include "record/flush.h"
#include "record/new_change.h"
#include "record/past.h"
#include "record/reload.h"
#include "settings.h"

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
	const Move *move = &row_move->move;

	align_verdict(after->attachment, after->rel, row_move, after->row, verdict);
	/* the furthest stage is one of the success path */
	if (move->from >= 0 && move->to >= 0 && row_move->funnel->stages[move->to].position >= 0 &&
		align_verdict_breaks(verdict, RULE_ILLEGAL_MOVE) &&
		align_past_furthest_stage(after->attachment, batch, key, after->command + 1,
								  row_move) == move->to)
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

	change = align_new_change(batch, move->from_label.text == NULL ? EVENT_ENTRY : EVENT_MOVE,
							  key, before, after, judging);
	change->effective_at = align_effective_at(before, after);
	change->from_stage = align_stage_text(batch, judging->funnel, move->from, move->from_label);
	change->stage = align_stage_text(batch, judging->funnel, move->to, move->to_label);
	if (before != NULL)
		change->from_team = align_team_text(batch, before, judging->funnel, move->from);
	if (move->to_label.text != NULL)
		change->team = align_team_text(batch, after, judging->funnel, move->to);
	align_set_handoff(change, judging->funnel, move->to);
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
	Change	   *change = align_new_change(batch, EVENT_DELETED, key, before, after, judging);
	LeadString	label;
	int			stage = align_version_stage(before, judging->funnel, &label);

	change->effective_at = align_effective_at(before, after);
	change->source = SOURCE_LIVE;
	change->from_stage = align_stage_text(batch, judging->funnel, stage, label);
	change->from_team = align_team_text(batch, before, judging->funnel, stage);
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
	change = align_new_change(batch, EVENT_OPENING, key, before, after, judging);
	change->effective_at = align_effective_at(before, after);
	change->source = SOURCE_RESUMED;
	change->stage = align_stage_text(batch, judging->funnel, move->from, move->from_label);
	change->team = align_team_text(batch, after, judging->funnel, move->from);
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
	align_judging_now(after->attachment, &judging);
	align_init_row_move(&judging, &row_move);
	row_move.move.to = align_version_stage(after, judging.funnel, &row_move.move.to_label);
	if (row_move.move.to_label.text == NULL)
		return;
	row_move.move.reason = align_given_reason(NULL, after);
	align_version_key(after, key);
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
			!align_lead_same(align_version_text(before, roles[i]),
							 align_version_text(after, roles[i])))
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
	Change	   *change = align_new_change(batch, EVENT_REKEY, key, before, after, judging);
	LeadString	label;
	int			stage = align_version_stage(before, judging->funnel, &label);
	char	   *old_text = align_stored_key_text(after->attachment, old_key);
	char	   *note = psprintf("was %s", old_text);
	MemoryContext old_context = MemoryContextSwitchTo(batch->context);

	align_copy_key(after->attachment, old_key, change->old_key);
	change->old_hash = align_pending_hash(after->attachment, old_key);
	MemoryContextSwitchTo(old_context);
	if (!align_row_is_live(before))
		change->source = SOURCE_NOT_LIVE;
	change->note = align_pending_copy_string(batch, note, strlen(note));
	change->from_stage = change->stage = align_stage_text(batch, judging->funnel, stage, label);
	change->from_team = change->team = align_team_text(batch, before, judging->funnel, stage);
	change->assignee = align_copy_text(batch, before, ROW_ASSIGNEE);
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
	Change	   *change = align_new_change(batch, EVENT_OWNER, key, before, after, judging);

	change->effective_at = align_effective_at(before, after);
	change->from_stage = change->stage = align_stage_text(batch, judging->funnel, move->to,
														  move->to_label);
	change->from_team = align_team_text(batch, before, judging->funnel, move->from);
	change->team = align_team_text(batch, after, judging->funnel, move->to);
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
	bool		rekeyed;

	align_judging_now(after->attachment, &judging);
	align_init_row_move(&judging, &row_move);
	move->from = align_version_stage(before, judging.funnel, &move->from_label);
	move->to = align_version_stage(after, judging.funnel, &move->to_label);
	move->reason = align_given_reason(before, after);

	/*
	 * A row without stage may be that of a lead which left the funnel, and
	 * takes its history along.  If the deletion of its key is deferred, it is
	 * not, until it gets a stage.
	 */
	align_version_key(before, old_key);
	align_version_key(after, key);
	rekeyed = !align_same_key(after->attachment, old_key, key) &&
		(move->from_label.text != NULL || !align_reload_is_deferred(after->attachment, old_key));
	if (move->from_label.text == NULL && move->to_label.text == NULL)
	{
		if (rekeyed)
			AddRekey(batch, old_key, key, before, after, &judging);
		return;					/* not in the funnel */
	}

	/* the row trigger for a version of this transaction may be outstanding */
	if (was_live && before->command == InvalidCommandId && align_begins_as_recorded(move))
	{
		align_recorded_stage(after->attachment, batch, old_key, after->command, &recorded);
		(void) align_begin_in_stage(&row_move, &recorded);
	}
	if (rekeyed)
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

	align_judging_now(before->attachment, &judging);
	align_version_key(before, key);
	change = align_new_change(batch, EVENT_DELETED, key, NULL, before, &judging);
	change->command = deleted_by;
	change->removes_row = true;
	align_set_replaced(batch, change, before);
	stage = align_version_stage(before, judging.funnel, &label);
	change->from_stage = align_stage_text(batch, judging.funnel, stage, label);
	change->from_team = align_team_text(batch, before, judging.funnel, stage);
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
	align_version_key(after, key);
	return align_same_key(after->attachment, last->key, key) ? last : NULL;
}
