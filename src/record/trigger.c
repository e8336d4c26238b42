/*
 * trigger.c
 *	  The trigger functions of attached tables and their record tables.
 *
 * Rows are judged in AFTER ROW triggers, in the form in which they were stored
 * after all BEFORE triggers.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "attachment/key.h"
#include "catalog/as_role.h"
#include "catalog/cursor.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "attachment/labels.h"
#include "record/change.h"
#include "record/commit.h"
#include "record/flush.h"
#include "record/found.h"
#include "record/pending.h"
#include "record/reload_change.h"
#include "record/truncate.h"
#include "record/writer.h"

PG_FUNCTION_INFO_V1(align_record_row);
PG_FUNCTION_INFO_V1(align_record_statement);
PG_FUNCTION_INFO_V1(align_history_guard);

/* Number of rows of a truncated table that are fetched at a time. */
#define TRUNCATE_FETCH_SIZE 1000

/*
 * Raises an error unless the function was called as a trigger of the right
 * level.
 */
static void
CheckCalled(FunctionCallInfo fcinfo, const char *name, bool for_row)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"align.%s\" was not called by trigger manager", name)));
	if ((TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) != 0) != for_row)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 for_row ?
				 errmsg("function \"align.%s\" must be fired for each row", name) :
				 errmsg("function \"align.%s\" must be fired for each statement", name)));
}

/*
 * Returns the command of the current transaction that has replaced or deleted
 * a row version; InvalidCommandId if none has.
 */
static CommandId
ReplacedBy(Relation rel, HeapTuple row)
{
	if (rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		(row->t_data->t_infomask & HEAP_XMAX_INVALID) ||
		HEAP_XMAX_IS_LOCKED_ONLY(row->t_data->t_infomask) ||
		!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(row->t_data)))
		return InvalidCommandId;
	return HeapTupleHeaderGetCmax(row->t_data);
}

/*
 * Raises an error unless the trigger has the name that attach() gives it.  A
 * role with TRIGGER on the table could create others, which would record a
 * change twice.
 */
static void
CheckTriggerName(const TriggerData *trigdata, const char *function, const char *base,
				 int32 number)
{
	const char *name = align_numbered_name(base, number);

	if (strcmp(trigdata->tg_trigger->tgname, name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" of relation \"%s\" must not call align.%s()",
						trigdata->tg_trigger->tgname,
						RelationGetRelationName(trigdata->tg_relation), function),
				 errdetail("For this event, trigger \"%s\" calls it.", name),
				 errhint("Drop the trigger, and call align.attach() again.")));
}

/*
 * Returns the attachment that a trigger belongs to by its argument.  The name
 * of the trigger has the same number, which CheckTriggerName() checks once the
 * table is known to be attached.
 */
static AttachmentId
TriggerAttachment(const TriggerData *trigdata)
{
	const Trigger *trigger = trigdata->tg_trigger;
	AttachmentId id = {RelationGetRelid(trigdata->tg_relation), ATTACHMENT_FIRST};

	if (trigger->tgnargs == 0)
		return id;
	id.number = align_parse_number(trigger->tgargs[0]);
	if (trigger->tgnargs > 1 || id.number == 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" of relation \"%s\" does not have the arguments that align.attach() gives it",
						trigger->tgname, RelationGetRelationName(trigdata->tg_relation)),
				 errhint("Drop the trigger, and call align.attach() again.")));
	return id;
}

static const char *
RowTriggerName(const TriggerData *trigdata)
{
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		return ATTACH_INSERT;
	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? ATTACH_UPDATE : ATTACH_DELETE;
}

static const char *
StatementTriggerName(const TriggerData *trigdata)
{
	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		return ATTACH_TRUNCATE;
	return TRIGGER_FIRED_BEFORE(trigdata->tg_event) ? ATTACH_BEGIN : ATTACH_FLUSH;
}

/*
 * Returns the command of the current transaction that made a row version, or
 * deleted it.  Command identifiers give the order in which the versions of a
 * row were made.
 */
static CommandId
CommandOf(Relation rel, HeapTuple row, bool deleted)
{
	/* other access methods need not store commands */
	if (rel->rd_rel->relam != HEAP_TABLE_AM_OID)
		return GetCurrentCommandId(false);
	if (deleted)
		return HeapTupleHeaderGetCmax(row->t_data);
	if (!HeapTupleHeaderXminFrozen(row->t_data))
		return HeapTupleHeaderGetCmin(row->t_data);

	/*
	 * A row of COPY FREEZE.  Its command cannot be read, but is less than
	 * that of a nested statement which has replaced the row version.
	 */
	if (ReplacedBy(rel, row) == InvalidCommandId)
		return GetCurrentCommandId(false);
	return ReplacedBy(rel, row) - 1;
}

/*
 * Returns Change.replaced_command for a row version that was replaced or
 * deleted: the command that made it, if its row trigger may be outstanding
 * because it was made by this transaction and a statement is open around the
 * current one.
 */
static CommandId
ReplacedCommand(const Attachment *attachment, const Batch *batch, Relation rel, HeapTuple row)
{
	bool		is_nested = align_pending_outer_statements(batch) > 0 ||
		!align_pending_stack_is_exact(attachment);

	if (!is_nested || rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		HeapTupleHeaderXminFrozen(row->t_data) ||
		!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmin(row->t_data)))
		return InvalidCommandId;
	return HeapTupleHeaderGetCmin(row->t_data);
}

/*
 * True if the end of a statement will flush the changes of this row event.
 * False for statements that fire no statement triggers of align: those of an
 * apply worker of logical replication, and direct writes to a partition that
 * was added after attach().  (Tables attached by a version before 0.2.1 have
 * no align_begin, so for them the stack of open statements is always empty.)
 */
static bool
FlushesAtStatementEnd(const Attachment *attachment, const Batch *batch)
{
	if (batch->nopen > 0)
		return true;
	return !attachment->has_begin && !attachment->marker.partitioned && !IsLogicalWorker();
}

/*
 * Writes pending changes in a row trigger.
 *
 * An apply worker of logical replication executes one row event at a time, so
 * when its own row trigger fires, which is not inside another trigger, none is
 * outstanding.
 */
static void
FlushInRowTrigger(Attachment *attachment, Batch *batch)
{
	if (FlushesAtStatementEnd(attachment, batch))
		align_recorder_flush_if_long(attachment, batch);
	else if (IsLogicalWorker() && align_trigger_depth() <= 1)
		align_recorder_flush(attachment, batch, FLUSH_ALL);
	else
		align_recorder_flush(attachment, batch, FLUSH_EARLY);
}

/*
 * True if a DELETE is, or may be, the first half of a row movement between
 * partitions.  The heap marks the old row version.  An apply worker of logical
 * replication gets a DELETE and an INSERT without such a mark, so there any
 * DELETE may be one.
 */
static bool
IsMoving(const Attachment *attachment, Relation rel, HeapTuple row)
{
	if (IsLogicalWorker())
		return !attachment->marker.options.reload;
	return attachment->marker.partitioned && rel->rd_rel->relam == HEAP_TABLE_AM_OID &&
		HeapTupleHeaderIndicatesMovedPartitions(row->t_data);
}

/*
 * Marks the change of a DELETE as the first half of a row movement, and keeps
 * the old row with it.
 */
static void
KeepFirstHalf(Batch *batch, Change *change, Relation rel, HeapTuple old_row)
{
	MemoryContext old_context = MemoryContextSwitchTo(batch->context);

	change->first_half = true;
	change->old_row = heap_copytuple(old_row);
	change->old_relid = RelationGetRelid(rel);
	MemoryContextSwitchTo(old_context);
}

/*
 * Adds the changes of an UPDATE, or of a row movement.
 */
static void
AddChangesOfUpdate(Batch *batch, const RowVersion *before, const RowVersion *after)
{
	if (after->attachment->marker.options.reload)
	{
		if (align_changes_of_first_stage(batch, before, after))
			return;
		align_change_before_rekey(batch, before, after);
	}
	align_changes_of_update(batch, before, after);
}

/*
 * Handles the INSERT of a row movement: removes the change of the DELETE from
 * the batch, and adds those of the corresponding UPDATE.
 */
static void
RecordMovement(Batch *batch, Attachment *attachment, Relation rel, HeapTuple new_row,
			   Change *removed, CommandId command)
{
	Relation	old_rel = table_open(removed->old_relid, NoLock);
	const OpenStatement *update = align_pending_current_update(batch);
	AttachmentId old_id;
	RowVersion	before = {0};
	RowVersion	after = {0};

	old_id.relid = removed->old_relid;
	old_id.number = attachment->id.number;
	before.attachment = align_attachment(old_id, false);
	before.rel = old_rel;
	before.row = heap_copytuple(removed->old_row);
	before.command = ReplacedCommand(before.attachment, batch, old_rel, before.row);
	after.attachment = attachment;
	after.rel = rel;
	after.row = new_row;
	after.command = command;
	after.replaced_by = ReplacedBy(rel, new_row);
	after.sets_reason = update == NULL || update->sets_reason;
	after.sets_changed_at = update == NULL || update->sets_changed_at;

	align_pending_remove_one(batch, removed);
	AddChangesOfUpdate(batch, &before, &after);
	heap_freetuple(before.row);
	table_close(old_rel, NoLock);
}

/*
 * Returns the DELETE whose second half is the current INSERT, or NULL.  Both
 * belong to the same nesting level.
 */
static Change *
FindFirstHalf(Batch *batch, const RowVersion *after)
{
	Change	   *removed = NULL;

	if (batch->nchanges > 0 && IsLogicalWorker())
		removed = align_change_first_half(batch, after);
	else if (batch->nchanges > 0 && after->attachment->marker.partitioned)
		removed = align_pending_first_half(batch, after->command);
	return removed != NULL && removed->nest_level == GetCurrentTransactionNestLevel() ?
		removed : NULL;
}

/*
 * True if the SET list of an UPDATE has a column that a role is read from.
 */
static bool
SetsRole(const Attachment *attachment, const TriggerData *trigdata, RowRole role)
{
	return bms_overlap(attachment->read_columns[role], trigdata->tg_updatedcols);
}

/*
 * Adds the changes of an UPDATE.
 */
static void
RecordUpdate(Batch *batch, Attachment *attachment, const TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	RowVersion	before = {.attachment = attachment,.rel = rel,.row = trigdata->tg_trigtuple};
	RowVersion	after = {.attachment = attachment,.rel = rel,.row = trigdata->tg_newtuple};

	before.command = ReplacedCommand(attachment, batch, rel, before.row);
	after.command = CommandOf(rel, after.row, false);
	after.replaced_by = ReplacedBy(rel, after.row);
	after.sets_reason = SetsRole(attachment, trigdata, ROW_REASON);
	after.sets_changed_at = SetsRole(attachment, trigdata, ROW_CHANGED_AT);
	AddChangesOfUpdate(batch, &before, &after);
	FlushInRowTrigger(attachment, batch);
}

/*
 * Adds the changes of an INSERT, which may be the second half of a row
 * movement.
 */
static void
RecordInsert(Batch *batch, Attachment *attachment, const TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	RowVersion	after = {.attachment = attachment,.rel = rel,.row = trigdata->tg_trigtuple};
	Change	   *removed;

	after.command = CommandOf(rel, after.row, false);
	after.replaced_by = ReplacedBy(rel, after.row);
	after.sets_reason = after.sets_changed_at = true;
	removed = FindFirstHalf(batch, &after);
	if (removed != NULL)
		RecordMovement(batch, attachment, rel, after.row, removed, after.command);
	else if (!attachment->marker.options.reload || !align_changes_of_reload(batch, &after))
		align_changes_of_insert(batch, &after);
	FlushInRowTrigger(attachment, batch);
}

/*
 * Adds the change of a DELETE, which may be the first half of a row movement.
 */
static void
RecordDelete(Batch *batch, Attachment *attachment, const TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	RowVersion	before = {.attachment = attachment,.rel = rel,.row = trigdata->tg_trigtuple};
	CommandId	command = CommandOf(rel, before.row, true);
	bool		isnull;

	before.command = ReplacedCommand(attachment, batch, rel, before.row);
	before.replaced_by = InvalidCommandId;
	if (IsMoving(attachment, rel, before.row))
	{
		/* flush now what is pending, not between the halves of a move */
		FlushInRowTrigger(attachment, batch);
		KeepFirstHalf(batch, align_change_of_delete(batch, &before, command), rel, before.row);
		return;
	}
	if (attachment->marker.options.reload &&
		align_defer_deletion(batch, &before, command, false))
		return;
	(void) align_role_value(attachment, ROW_STAGE, rel, before.row, &isnull);
	if (!isnull && align_row_is_live(&before))
		(void) align_change_of_delete(batch, &before, command);
	FlushInRowTrigger(attachment, batch);
}

/*
 * Row trigger of attached tables: adds the changes of a row event to the
 * batch.
 */
Datum
align_record_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	AttachmentId id;
	Attachment *attachment;
	Batch	   *batch;

	CheckCalled(fcinfo, "record_row", true);
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"align.record_row\" must be fired after the event")));

	id = TriggerAttachment(trigdata);
	attachment = align_attachment(id, false);
	CheckTriggerName(trigdata, "record_row", RowTriggerName(trigdata), id.number);
	batch = align_pending_batch(attachment->root_id);
	align_recorder_watch_commit();
	if (batch->nopen == 0)
		align_labels_forget();	/* no statement trigger has done so */
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		RecordUpdate(batch, attachment, trigdata);
	else if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		RecordInsert(batch, attachment, trigdata);
	else
		RecordDelete(batch, attachment, trigdata);
	return PointerGetDatum(NULL);
}

/*
 * Records the end of all leads of a table or partition that is about to be
 * truncated.  The rows are read as the owner, because a role that may truncate
 * need not have SELECT.
 */
static void
RecordTruncate(Attachment *attachment, Relation rel)
{
	StringInfoData query;
	Portal		portal;
	int			nest_level = align_begin_role_sql();

	/* a partition has the columns of the root, under the same names */
	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(&query, "%st.%s", i > 0 ? ", " : "",
						 quote_identifier(attachment->keys[i].name));
	appendStringInfo(&query, " FROM %s AS t WHERE %s IS NOT NULL",
					 align_relation_name(RelationGetRelid(rel)),
					 align_role_sql(&attachment->marker, ROW_STAGE, "t"));

	align_spi_connect();
	/* also see rows that were committed while we waited for the lock */
	PushActiveSnapshot(GetLatestSnapshot());
	portal = align_open_cursor_as(attachment->root_owner, query.data);
	align_end_role_sql(nest_level);
	PopActiveSnapshot();
	while (align_fetch_as(attachment->root_owner, portal, TRUNCATE_FETCH_SIZE) > 0)
	{
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			Datum		key[ATTACHMENT_MAX_KEYS];

			align_key_from_result(attachment, TABLE_ITSELF, SPI_tuptable->vals[i],
								  SPI_tuptable->tupdesc, 1, key);
			align_record_gone(attachment, key, EVENT_TRUNCATED, NULL);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
	align_recorder_flush_at_end(attachment, align_pending_batch(attachment->root_id));
}

/*
 * True if a key column is in the SET list of an UPDATE.
 */
static bool
SetsKey(const Attachment *attachment, const TriggerData *trigdata)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		if (bms_is_member(attachment->keys[i].attnum - FirstLowInvalidHeapAttributeNumber,
						  trigdata->tg_updatedcols))
			return true;
	}
	return false;
}

/*
 * Statement trigger of attached tables: maintains the stack of open
 * statements, flushes at the end of a statement, and records TRUNCATE.
 */
Datum
align_record_statement(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TriggerEvent kind;
	Relation	rel;
	AttachmentId id;
	Attachment *attachment;
	Batch	   *batch;

	CheckCalled(fcinfo, "record_statement", false);
	id = TriggerAttachment(trigdata);
	rel = trigdata->tg_relation;
	kind = trigdata->tg_event & TRIGGER_EVENT_OPMASK;

	/*
	 * A detached partition keeps the statement triggers, but not the row
	 * triggers.
	 */
	if (!align_relation_has_trigger(rel, align_numbered_name(ATTACH_INSERT, id.number)) &&
		!OidIsValid(align_numbered_root(id)))
		return PointerGetDatum(NULL);

	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
	{
		attachment = align_attachment_locked(id, RowExclusiveLock);
		CheckTriggerName(trigdata, "record_statement", StatementTriggerName(trigdata), id.number);
		align_recorder_watch_commit();
		align_labels_forget();
		if (attachment->marker.options.reload)
			align_defer_truncate(attachment, rel);
		else
			RecordTruncate(attachment, rel);
		return PointerGetDatum(NULL);
	}

	attachment = align_attachment(id, false);
	CheckTriggerName(trigdata, "record_statement", StatementTriggerName(trigdata), id.number);
	batch = align_pending_batch(attachment->root_id);
	if (TRIGGER_FIRED_BEFORE(trigdata->tg_event))
	{
		OpenStatement *statement;

		align_labels_forget();
		statement = align_pending_begin_statement(batch, kind);
		statement->sets_key = SetsKey(attachment, trigdata);
		statement->sets_reason = SetsRole(attachment, trigdata, ROW_REASON);
		statement->sets_changed_at = SetsRole(attachment, trigdata, ROW_CHANGED_AT);
		return PointerGetDatum(NULL);
	}
	align_pending_end_statement(batch, kind);
	align_recorder_flush_at_end(attachment, batch);
	return PointerGetDatum(NULL);
}

/*
 * Statement trigger of record tables: raises an error unless align is writing.
 */
Datum
align_history_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	CheckCalled(fcinfo, "history_guard", false);
	if (align_recorder_writes(RelationGetRelid(trigdata->tg_relation)))
		return PointerGetDatum(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot write to table \"%s\"",
					RelationGetRelationName(trigdata->tg_relation)),
			 errdetail("Only the triggers and functions of align write to history and clock tables."),
			 errhint("To remove the entries of a lead, use align.erase(). To remove old entries, use align.purge(), or partition the table.")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}
