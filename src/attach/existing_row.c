/*
 * existing_row.c
 *	  Records one row that a table contains when it is attached.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "utils/rel.h"

#include "agreement/agreement.h"
#include "attach/existing_row.h"
#include "attachment/key.h"
#include "record/found.h"
#include "verdict/verdict.h"

/*
 * Opens a table that the caller has locked.
 */
void
align_open_row_table(RowTable *table, const AttachRequest *request, Oid relid)
{
	AttachmentId id = {relid, request->options.number};

	table->rel = table_open(relid, NoLock);
	table->attachment = align_attachment(id, false);
	table->slot = table_slot_create(table->rel, NULL);
}

/*
 * Closes a table, keeping its lock.
 */
void
align_close_row_table(RowTable *table)
{
	ExecDropSingleTupleTableSlot(table->slot);
	table_close(table->rel, NoLock);
}

/*
 * Counts a row whose label is unknown, and the label.
 */
static void
CountUnknown(ExistingRows *work, LeadString label)
{
	MemoryContext old_context;

	work->nunknown++;
	for (int i = 0; i < work->nlabels; i++)
	{
		if (strlen(work->labels[i].label) == (size_t) label.len &&
			memcmp(work->labels[i].label, label.text, label.len) == 0)
		{
			work->labels[i].nrows++;
			return;
		}
	}
	if (work->nlabels == MAX_UNKNOWN)
		return;
	old_context = MemoryContextSwitchTo(work->context);
	work->labels[work->nlabels].label = pnstrdup(label.text, label.len);
	work->labels[work->nlabels].nrows = 1;
	work->nlabels++;
	MemoryContextSwitchTo(old_context);
}

/*
 * Records that the lead of a row has ended, because its stage is null or it is
 * not live.
 */
static void
RecordEnded(const RowTable *table, HeapTuple row, const char *source)
{
	Attachment *attachment = table->attachment;
	Datum		key[ATTACHMENT_MAX_KEYS];

	align_key_from_row(attachment, row, RelationGetDescr(table->rel), key);
	align_record_gone(attachment, key, EVENT_DELETED, source);
}

/*
 * True if a role has the recorded value, or if there is no such role.
 */
static bool
SameValue(RowTable *table, RowRole role, HeapTuple row, const char *recorded)
{
	if (!align_has_role(table->attachment, role))
		return true;
	return align_lead_same(align_lead_cstring(recorded),
						   align_role_text(table->attachment, role, table->rel, row));
}

/*
 * True if the stage of the latest entry is that of a row, under its name of
 * today, an earlier one, or that in another agreement.
 */
static bool
IsRecordedStage(const AttachRequest *request, const LastEntry *last, int stage, const char *name)
{
	if (strcmp(last->stage, name) == 0)
		return true;
	return stage >= 0 && stage == align_carry_stage(&last->source, request->agreement,
													request->version, request->funnel,
													last->stage);
}

/*
 * Records the state of a row if it differs from the latest entry of its lead.
 */
void
align_record_existing_row(ExistingRows *work, RowTable *table, HeapTuple row, const LastEntry *last)
{
	AttachRequest *request = work->request;
	bool		fresh = request->fresh;
	LeadString	label;
	int			stage = align_row_stage(table->attachment, table->rel, row, request->funnel, &label);
	const char *name = stage < 0 ? NULL : request->funnel->stages[stage].name;
	bool		ended = last == NULL || last->ended;

	if (label.text == NULL || !align_satisfies_live(table->attachment, table->rel, row))
	{
		if (!ended)
			RecordEnded(table, row, label.text == NULL ? SOURCE_ADOPTED : SOURCE_LIVE);
		return;
	}
	if (stage < 0)
	{
		/* an error at the end, with all unknown labels; see existing.c */
		if (align_attach_rule_mode(request->mode, &request->options, RULE_UNKNOWN_STAGE) ==
			ATTACH_ENFORCE)
		{
			CountUnknown(work, label);
			return;
		}
		name = pnstrdup(label.text, label.len);
	}
	if (ended)
	{
		/* how long the lead has been in its stage may not be known */
		align_record_found(table->attachment, table->rel, row, EVENT_OPENING,
						   fresh ? SOURCE_UNDATED : SOURCE_ADOPTED_UNDATED, fresh);
		work->nopenings++;
	}
	else if (!IsRecordedStage(request, last, stage, name))
	{
		align_record_found_move(table->attachment, table->rel, row, &last->source, last->stage);
		work->nopenings++;
	}
	else if (!SameValue(table, ROW_TEAM, row, last->team) ||
			 !SameValue(table, ROW_ASSIGNEE, row, last->assignee))
		align_record_found(table->attachment, table->rel, row, EVENT_OWNER, SOURCE_ADOPTED,
						   false);
}
