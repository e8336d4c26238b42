/*
 * found.c
 *	  Records the present state of rows that are not being changed; see
 *	  found.h.
 */
#include "postgres.h"

#include "record/flush.h"
#include "record/found.h"
#include "record/new_change.h"
#include "settings.h"
#include "verdict/verdict.h"

/*
 * Returns the time since which a lead that is found in a stage has been there,
 * or CHANGE_TIME_UNKNOWN.
 */
static TimestampTz
OpenedAt(const RowVersion *found)
{
	if (found->attachment->marker.options.opened_now)
		return CHANGE_TIME_UNKNOWN;
	return align_version_time(found, align_has_role(found->attachment, ROW_OPENED_AT) ?
							  ROW_OPENED_AT : ROW_CHANGED_AT);
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
	align_judging_now(attachment, &judging);
	align_version_key(&version, key);
	change = align_new_opening(batch, key, &version, &judging, source);
	change->event = event;
	/* the row was not changed by the session that attaches the table */
	change->actor = align_copy_text(batch, &version, ROW_ACTOR);
	change->new_lead = new_lead;
	change->as_found = true;
	change->effective_at = event == EVENT_OPENING ? OpenedAt(&version) :
		align_effective_at(NULL, &version);
	if (event == EVENT_OPENING)
	{
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
	align_judging_now(attachment, &judging);
	align_init_row_move(&judging, &row_move);
	move->from_label = align_lead_cstring(from_stage);
	move->from = align_carry_stage(source, judging.agreement, judging.version, judging.funnel,
								   from_stage);
	move->to = align_version_stage(&version, judging.funnel, &move->to_label);
	move->reason = align_version_text(&version, ROW_REASON);
	align_verdict(attachment, rel, &row_move, row, &verdict);
	align_verdict_remove(&verdict, RULE_WRONG_TEAM);

	align_version_key(&version, key);
	change = align_new_opening(batch, key, &version, &judging, SOURCE_ADOPTED);
	change->event = EVENT_MOVE;
	change->as_found = true;
	if (move->from >= 0)
		change->from_stage = judging.funnel->stages[move->from].name;
	align_set_handoff(change, judging.funnel, move->to);
	names = align_verdict_names(&verdict);
	change->violation = align_pending_copy_string(batch, names, names ? strlen(names) : 0);
	change->effective_at = align_effective_at(NULL, &version);
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

	align_judging_now(attachment, &judging);
	change = align_pending_add(batch, attachment, key);
	change->event = event;
	change->source = source;
	change->as_found = true;
	change->command = GetCurrentCommandId(false);
	change->version = judging.version;
	change->db_role = align_outer_role(batch);
	if (event == EVENT_TRUNCATED && align_actor() != NULL)
		change->actor = align_pending_copy_string(batch, align_actor(), strlen(align_actor()));
	align_recorder_flush_if_long(attachment, batch);
}
