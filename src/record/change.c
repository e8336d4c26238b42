/*
 * change.c
 *	  From versions of a row to the changes of its lead: which there are, the
 *	  verdict on them, and what is recorded of them.
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

/*
 * What the rows of one statement are judged by.
 */
typedef struct Judges
{
	const char *agreement;
	int32		version;
	Funnel	   *funnel;
} Judges;

static void
FindJudges(Attachment *attachment, Judges *judges)
{
	judges->agreement = attachment->marker.agreement;
	judges->funnel = align_judging_funnel(attachment, &judges->version);
}

static void
ReadKey(const RowVersion *version, Datum *key)
{
	const Attachment *attachment = version->attachment;

	for (int i = 0; i < attachment->nkeys; i++)
	{
		bool		isnull;

		key[i] = heap_getattr(version->row, attachment->keys[i].attnum,
							  RelationGetDescr(version->rel), &isnull);
		if (isnull)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("key column \"%s\" of table %s is null",
							attachment->keys[i].name, attachment->root_name),
					 errdetail("The history of a lead is kept under its key.")));
	}
}

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

static LeadString
RowText(const RowVersion *version, RowRole role)
{
	return align_row_column(version->attachment, role, RelationGetDescr(version->rel), version->row);
}

static int
RowStage(const RowVersion *version, const Funnel *funnel, LeadString *label)
{
	return align_row_stage(version->attachment, RelationGetDescr(version->rel), version->row,
						   funnel, label);
}

/* A stage by its name in the agreement, else by its label; NULL for none. */
static const char *
StageText(Batch *batch, const Funnel *funnel, int stage, LeadString label)
{
	if (stage >= 0)
		return funnel->stages[stage].name;
	return align_pending_string(batch, label.text, label.len);
}

/*
 * Who holds the row: as its team column tells, else the holder of its stage.
 */
static const char *
TeamText(Batch *batch, const RowVersion *version, const Funnel *funnel, int stage)
{
	if (version->attachment->column[ROW_TEAM] != 0)
	{
		LeadString	team = RowText(version, ROW_TEAM);

		return align_pending_string(batch, team.text, team.len);
	}
	if (stage >= 0 && funnel->stages[stage].team >= 0)
		return funnel->teams[funnel->stages[stage].team].name;
	return NULL;
}

static const char *
CopyText(Batch *batch, const RowVersion *version, RowRole role)
{
	LeadString	text;

	if (version->attachment->column[role] == 0)
		return NULL;
	text = RowText(version, role);
	return align_pending_string(batch, text.text, text.len);
}

static Datum
ColumnDatum(const RowVersion *version, RowRole role, bool *isnull)
{
	AttrNumber	attnum = version->attachment->column[role];

	if (attnum == 0)
	{
		*isnull = true;
		return (Datum) 0;
	}
	return heap_getattr(version->row, attnum, RelationGetDescr(version->rel), isnull);
}

static TimestampTz
TimeOf(const Attachment *attachment, Datum value)
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
 * When it happened, as the row tells.  A time that an UPDATE left as it was tells
 * nothing about this change.
 */
static TimestampTz
EffectiveAt(const RowVersion *before, const RowVersion *after)
{
	bool		isnull;
	Datum		value = ColumnDatum(after, ROW_CHANGED_AT, &isnull);
	TimestampTz result;

	if (isnull)
		return CHANGE_TIME_UNKNOWN;
	result = TimeOf(after->attachment, value);
	if (before != NULL)
	{
		value = ColumnDatum(before, ROW_CHANGED_AT, &isnull);
		if (!isnull && TimeOf(before->attachment, value) == result)
			return CHANGE_TIME_UNKNOWN;
	}
	return result;
}

static void
CopyAmount(Batch *batch, Change *change, const RowVersion *version)
{
	bool		isnull;
	Datum		value = ColumnDatum(version, ROW_AMOUNT, &isnull);
	MemoryContext old_context;

	if (isnull)
		return;
	old_context = MemoryContextSwitchTo(batch->context);
	switch (version->attachment->type[ROW_AMOUNT])
	{
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
			elog(ERROR, "amount column of unexpected type %u",
				 version->attachment->type[ROW_AMOUNT]);
	}
	change->has_amount = true;
	MemoryContextSwitchTo(old_context);
}

/*
 * The role outside any security definer function.  The same for a whole batch,
 * nearly always.
 */
static const char *
ActingRole(Batch *batch)
{
	if (batch->db_role == NULL || batch->db_role_id != GetOuterUserId())
	{
		char	   *name = GetUserNameFromId(GetOuterUserId(), true);

		batch->db_role_id = GetOuterUserId();
		batch->db_role = align_pending_string(batch, name, name ? strlen(name) : 0);
		if (name != NULL)
			pfree(name);
	}
	return batch->db_role;
}

/*
 * What decides whether the change may be written while the statement that made the
 * version before is open.
 */
static void
SetBefore(Batch *batch, Change *change, const RowVersion *before)
{
	change->before = before->command;
	change->from_assignee = CopyText(batch, before, ROW_ASSIGNEE);
}

/* A change with all columns of the row but its stage. */
static Change *
NewChange(Batch *batch, HistoryEvent event, const Datum *key, const RowVersion *before,
		  const RowVersion *after, const Judges *judges)
{
	Change	   *change = align_pending_add(batch, after->attachment, key);

	change->event = event;
	change->command = after->command;
	if (before != NULL && before->command != InvalidCommandId)
		SetBefore(batch, change, before);
	change->version = judges->version;
	change->db_role = ActingRole(batch);
	change->assignee = CopyText(batch, after, ROW_ASSIGNEE);
	change->actor = CopyText(batch, after, ROW_ACTOR);
	change->reason = CopyText(batch, after, ROW_REASON);
	change->note = CopyText(batch, after, ROW_NOTE);
	change->campaign = CopyText(batch, after, ROW_CAMPAIGN);
	CopyAmount(batch, change, after);
	change->effective_at = EffectiveAt(before, after);

	/*
	 * recorded, but the lead has left the funnel with its row's life, and if
	 * that comes back now, an opening will say so
	 */
	if (before != NULL && !IsLive(before) &&
		(event != EVENT_ENTRY || !IsLive(after)))
		change->source = SOURCE_NOT_LIVE;
	return change;
}

/* The handoff that entering a stage submits. */
static void
SetHandoff(Change *change, const Funnel *funnel, int stage)
{
	for (int i = 0; i < funnel->nservice_levels && stage >= 0; i++)
	{
		const ServiceLevel *sla = &funnel->service_levels[i];

		if (!sla->is_handoff || !(sla->effects[stage] & EFFECT_START))
			continue;
		change->handoff = sla->name;
		change->handoff_from_team = sla->from_team >= 0 ? funnel->teams[sla->from_team].name : NULL;
		change->handoff_to_team = sla->team >= 0 ? funnel->teams[sla->team].name : NULL;
		return;
	}
}

/* Of an override: why, before what the row's note says. */
static const char *
OverrideNote(Batch *batch, const char *why, const char *note)
{
	char	   *text;
	char	   *result;

	if (note == NULL)
		return align_pending_string(batch, why, strlen(why));
	text = psprintf("%s; %s", why, note);
	result = align_pending_string(batch, text, strlen(text));
	pfree(text);
	return result;
}

/*
 * Judge a change of stage, and record it.
 */
static void
ChangeStage(Batch *batch, const Datum *key, const RowVersion *before, const RowVersion *after,
			const Judges *judges, const RowMove *row_move)
{
	Attachment *attachment = after->attachment;
	const Move *move = &row_move->move;
	Verdict		verdict;
	Change	   *change;

	align_verdict(attachment, after->rel, row_move, after->row, &verdict);
	if (verdict.nbroken > 0 && align_override() == NULL)
	{
		if (attachment->marker.mode == ATTACH_ENFORCE)
			align_verdict_report(attachment, after->rel, row_move, after->row, &verdict, ERROR);
		if (attachment->marker.mode == ATTACH_WARN)
			align_verdict_report(attachment, after->rel, row_move, after->row, &verdict, WARNING);
	}

	change = NewChange(batch, move->from_label.text == NULL ? EVENT_ENTRY : EVENT_MOVE,
					   key, before, after, judges);
	change->from_stage = StageText(batch, judges->funnel, move->from, move->from_label);
	change->stage = StageText(batch, judges->funnel, move->to, move->to_label);
	if (before != NULL)
		change->from_team = TeamText(batch, before, judges->funnel, move->from);
	if (move->to_label.text != NULL)
		change->team = TeamText(batch, after, judges->funnel, move->to);
	SetHandoff(change, judges->funnel, move->to);
	if (verdict.nbroken > 0)
	{
		char	   *names = align_verdict_names(&verdict);

		change->violation = align_pending_string(batch, names, strlen(names));
		pfree(names);
		if (align_override() != NULL)
		{
			change->event = EVENT_OVERRIDE;
			change->note = OverrideNote(batch, align_override(), change->note);
		}
	}
}

static void
BeginMove(const Judges *judges, RowMove *row_move)
{
	memset(row_move, 0, sizeof(RowMove));
	row_move->agreement = judges->agreement;
	row_move->version = judges->version;
	row_move->funnel = judges->funnel;
	row_move->move.from = row_move->move.to = -1;
}

/* A row ends its life in the funnel without being deleted. */
static void
EndLife(Batch *batch, const Datum *key, const RowVersion *version, const Judges *judges)
{
	Change	   *change = NewChange(batch, EVENT_DELETED, key, NULL, version, judges);
	LeadString	label;
	int			stage = RowStage(version, judges->funnel, &label);

	change->effective_at = CHANGE_TIME_UNKNOWN;
	change->source = SOURCE_LIVE;
	change->from_stage = StageText(batch, judges->funnel, stage, label);
	change->from_team = TeamText(batch, version, judges->funnel, stage);
}

/* A row comes back to life, or is found as it is. */
static Change *
StandingChange(Batch *batch, const Datum *key, const RowVersion *version, const Judges *judges,
			   const char *source)
{
	Change	   *change = NewChange(batch, EVENT_OPENING, key, NULL, version, judges);
	LeadString	label;
	int			stage = RowStage(version, judges->funnel, &label);

	change->source = source;
	change->stage = StageText(batch, judges->funnel, stage, label);
	change->team = TeamText(batch, version, judges->funnel, stage);
	if (stage < 0 && label.text != NULL)
		change->violation = align_rule_name(RULE_UNKNOWN_STAGE);
	return change;
}

void
align_changes_of_insert(Batch *batch, const RowVersion *after)
{
	Judges		judges;
	RowMove		row_move;
	Datum		key[ATTACHMENT_MAX_KEYS];

	FindJudges(after->attachment, &judges);
	BeginMove(&judges, &row_move);
	row_move.move.to = RowStage(after, judges.funnel, &row_move.move.to_label);
	if (row_move.move.to_label.text == NULL)
		return;
	row_move.move.reason = RowText(after, ROW_REASON);
	ReadKey(after, key);
	ChangeStage(batch, key, NULL, after, &judges, &row_move);
	if (!IsLive(after))
		EndLife(batch, key, after, &judges);
}

/* Is the lead held by the same team and person as before? */
static bool
SameOwner(const RowVersion *before, const RowVersion *after)
{
	static const RowRole roles[] = {ROW_TEAM, ROW_ASSIGNEE};

	for (int i = 0; i < (int) lengthof(roles); i++)
	{
		if (after->attachment->column[roles[i]] != 0 &&
			!align_lead_same(RowText(before, roles[i]), RowText(after, roles[i])))
			return false;
	}
	return true;
}

static void
ChangeKey(Batch *batch, const Datum *old_key, const Datum *key, const RowVersion *before,
		  const RowVersion *after, const Judges *judges)
{
	Change	   *change = NewChange(batch, EVENT_REKEY, key, before, after, judges);
	LeadString	label;
	int			stage = RowStage(before, judges->funnel, &label);
	char	   *old_text = align_stored_key_text(after->attachment, old_key);
	char	   *note = psprintf("was %s", old_text);
	MemoryContext old_context = MemoryContextSwitchTo(batch->context);

	align_copy_key(after->attachment, old_key, change->old_key);
	MemoryContextSwitchTo(old_context);
	change->effective_at = CHANGE_TIME_UNKNOWN;
	change->note = align_pending_string(batch, note, strlen(note));
	change->from_stage = change->stage = StageText(batch, judges->funnel, stage, label);
	change->from_team = change->team = TeamText(batch, before, judges->funnel, stage);
	change->assignee = CopyText(batch, before, ROW_ASSIGNEE);
	pfree(old_text);
	pfree(note);
}

void
align_changes_of_update(Batch *batch, const RowVersion *before, const RowVersion *after)
{
	Judges		judges;
	RowMove		row_move;
	Datum		old_key[ATTACHMENT_MAX_KEYS];
	Datum		key[ATTACHMENT_MAX_KEYS];
	Move	   *move = &row_move.move;
	bool		stage_changes;
	bool		was_live;
	bool		is_live;

	FindJudges(after->attachment, &judges);
	BeginMove(&judges, &row_move);
	move->from = RowStage(before, judges.funnel, &move->from_label);
	move->to = RowStage(after, judges.funnel, &move->to_label);
	if (move->from_label.text == NULL && move->to_label.text == NULL)
		return;					/* not in the funnel, whatever else it does */

	ReadKey(before, old_key);
	ReadKey(after, key);
	if (move->from_label.text != NULL &&
		!align_same_key(after->attachment, old_key, key))
		ChangeKey(batch, old_key, key, before, after, &judges);

	/* another label of the same stage is no move */
	stage_changes = !align_lead_same(move->from_label, move->to_label) &&
		(move->from != move->to || move->from < 0);
	if (stage_changes)
	{
		move->reason = RowText(after, ROW_REASON);
		ChangeStage(batch, key, before, after, &judges, &row_move);
	}

	was_live = IsLive(before);
	is_live = IsLive(after);
	if (move->to_label.text == NULL)
		return;
	if (is_live && !was_live && move->from_label.text != NULL)
	{
		Change	   *change = StandingChange(batch, key, after, &judges, SOURCE_LIVE);

		change->effective_at = CHANGE_TIME_UNKNOWN;
	}
	else if (!is_live && (was_live || move->from_label.text == NULL))
		EndLife(batch, key, after, &judges);
	else if (!stage_changes && !SameOwner(before, after))
	{
		Change	   *change = NewChange(batch, EVENT_OWNER, key, before, after, &judges);

		change->from_stage = change->stage = StageText(batch, judges.funnel, move->to,
													   move->to_label);
		change->from_team = TeamText(batch, before, judges.funnel, move->from);
		change->team = TeamText(batch, after, judges.funnel, move->to);
	}
}

Change *
align_change_of_delete(Batch *batch, const RowVersion *before, CommandId deleted_by)
{
	Judges		judges;
	Datum		key[ATTACHMENT_MAX_KEYS];
	LeadString	label;
	int			stage;
	Change	   *change;

	FindJudges(before->attachment, &judges);
	ReadKey(before, key);
	change = NewChange(batch, EVENT_DELETED, key, NULL, before, &judges);
	change->command = deleted_by;
	SetBefore(batch, change, before);
	stage = RowStage(before, judges.funnel, &label);
	change->effective_at = CHANGE_TIME_UNKNOWN;
	change->from_stage = StageText(batch, judges.funnel, stage, label);
	change->from_team = TeamText(batch, before, judges.funnel, stage);
	return change;
}

Change *
align_change_replaced(Batch *batch, const RowVersion *after)
{
	Change	   *last = batch->changes[batch->nchanges - 1];
	Datum		key[ATTACHMENT_MAX_KEYS];

	if (!last->movable)
		return NULL;
	ReadKey(after, key);
	return align_same_key(after->attachment, last->key, key) ? last : NULL;
}

/*
 * Rows as they are, for attach().
 */
void
align_record_found(Attachment *attachment, Relation rel, HeapTuple row, HistoryEvent event,
				   const char *source, bool fresh)
{
	Batch	   *batch = align_pending_batch(attachment->root_id);
	RowVersion	version = {attachment, rel, row, GetCurrentCommandId(false)};
	Judges		judges;
	Datum		key[ATTACHMENT_MAX_KEYS];
	Change	   *change;

	FindJudges(attachment, &judges);
	ReadKey(&version, key);
	change = StandingChange(batch, key, &version, &judges, source);
	change->event = event;
	change->fresh = fresh;
	change->as_found = true;
	align_recorder_flush_if_long(attachment, batch);
}

void
align_record_gone(Attachment *attachment, const Datum *key, HistoryEvent event, const char *source)
{
	Batch	   *batch = align_pending_batch(attachment->root_id);
	Judges		judges;
	Change	   *change;

	FindJudges(attachment, &judges);
	change = align_pending_add(batch, attachment, key);
	change->event = event;
	change->source = source;
	change->as_found = true;
	change->command = GetCurrentCommandId(false);
	change->version = judges.version;
	change->db_role = ActingRole(batch);
	align_recorder_flush_if_long(attachment, batch);
}
