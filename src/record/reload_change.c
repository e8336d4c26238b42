/*
 * reload_change.c
 *	  From the deletions and insertions of a reload to changes; see
 *	  reload_change.h.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/date.h"

#include "attachment/key.h"
#include "record/change.h"
#include "record/new_change.h"
#include "record/reload.h"
#include "record/reload_change.h"
#include "settings.h"

/*
 * Returns a null-terminated copy of the column with a role, or NULL.
 */
static char *
KeptText(const RowVersion *version, RowRole role)
{
	LeadString	text = align_version_text(version, role);

	return text.text != NULL ? pnstrdup(text.text, text.len) : NULL;
}

/*
 * Sets what is kept of the changed_at column.
 */
static void
KeepChangedAt(DeferredDeletion *deletion, const RowVersion *version)
{
	Datum		value = align_version_value(version, ROW_CHANGED_AT, &deletion->no_changed_at);

	if (deletion->no_changed_at)
		return;
	if (version->attachment->type[ROW_CHANGED_AT] == DATEOID)
		deletion->changed_at = DatumGetDateADT(value);
	else
		deletion->changed_at = DatumGetInt64(value);
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
 * Returns a copy of a string, or NULL.
 */
static const char *
CopyKept(Batch *batch, const char *text)
{
	return text == NULL ? NULL : align_pending_copy_string(batch, text, strlen(text));
}

/*
 * Adds a deferred deletion that was removed.
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
	change->actor = CopyKept(batch, deletion->actor);
	change->db_role = CopyKept(batch, deletion->db_role);
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

	align_judging_now(attachment, &judging);
	(void) align_version_stage(before, judging.funnel, &label);
	if (label.text == NULL)
		return true;			/* not in the funnel */
	align_version_key(before, key);
	deletion.stage = pnstrdup(label.text, label.len);
	deletion.team = KeptText(before, ROW_TEAM);
	deletion.assignee = KeptText(before, ROW_ASSIGNEE);
	if (attachment->marker.options.reason_must_change)
		deletion.reason = KeptText(before, ROW_REASON);
	deletion.actor = KeptText(before, ROW_ACTOR);
	if (deletion.actor == NULL)
		deletion.actor = align_actor();
	deletion.db_role = align_outer_role(batch);
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
	if (!truncated && align_reload_remove(attachment, key, deleted_by, &earlier))
	{
		align_add_deferred(batch, attachment, key, &earlier);
		return false;
	}
	return align_reload_defer(attachment, key, &deletion);
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
	align_judging_now(attachment, &judging);
	(void) align_version_stage(after, judging.funnel, &label);
	if (label.text == NULL)
		return false;			/* the lead is gone */
	align_version_key(after, key);
	if (nested)
		align_reload_note_made(attachment, key, after->command);
	if (!align_reload_remove(attachment, key, after->replaced_by, &deletion))
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
	align_judging_now(after->attachment, &judging);
	(void) align_version_stage(before, judging.funnel, &label);
	return label.text == NULL && align_changes_of_reload(batch, after);
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
	align_version_key(before, old_key);
	align_version_key(after, key);
	if (align_same_key(attachment, old_key, key))
		return;

	/* the row has its old key by an INSERT that has not arrived yet */
	if (nested && align_reload_remove(attachment, old_key, after->command, &deletion))
		align_add_deferred(batch, attachment, old_key, &deletion);
	if (nested)
		align_reload_note_made(attachment, key, after->command);
	if (align_reload_remove(attachment, key, after->replaced_by, &deletion))
		align_add_deferred(batch, attachment, key, &deletion);
}
