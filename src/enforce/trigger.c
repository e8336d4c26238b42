/*
 * trigger.c
 *	  The trigger functions of an attached table: from row events to judged changes.
 *
 * The verdict is given after the row, on the version that really stands.  One event
 * of a row may be several changes of its lead, in this order: a new key, a new stage,
 * the end or the beginning of its life, a new owner.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "enforce/attach.h"
#include "enforce/pending.h"
#include "enforce/recorder.h"
#include "enforce/row_change.h"

PG_FUNCTION_INFO_V1(align_record_row);
PG_FUNCTION_INFO_V1(align_record_statement);
PG_FUNCTION_INFO_V1(align_history_guard);

/* How many rows of a truncated table are read at a time. */
#define TRUNCATE_PORTION 1000

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
 * The command that made a row version, or deleted it: the order in which the versions
 * of one row were made within a transaction.
 */
static CommandId
CommandOf(Relation rel, HeapTuple row, bool deleted)
{
	/* COPY ... FREEZE leaves no trace of its command, but is alone with its table */
	if (rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		(!deleted && HeapTupleHeaderXminFrozen(row->t_data)))
		return GetCurrentCommandId(false);
	return deleted ? HeapTupleHeaderGetCmax(row->t_data) : HeapTupleHeaderGetCmin(row->t_data);
}

/*
 * The command that made the version of a row that a nested statement has changed, if
 * it was one of this transaction: its row trigger may be outstanding.
 */
static CommandId
CommandBefore(const Batch *batch, const Attachment *attachment, Relation rel, HeapTuple row)
{
	if (align_pending_outer(batch, attachment) == 0 || rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		HeapTupleHeaderXminFrozen(row->t_data) ||
		!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmin(row->t_data)))
		return InvalidCommandId;
	return HeapTupleHeaderGetCmin(row->t_data);
}

/*
 * Does the end of a statement write what this row event leaves?  Not where a
 * subscription is applied, or rows are written directly to a partition.  (Tables
 * attached before 0.2.1 have no align_begin until the extension is updated.)
 */
static bool
StatementWillEnd(const Attachment *attachment, const Batch *batch)
{
	if (batch->nopen > 0)
		return true;
	return !attachment->has_begin && !attachment->marker.partitioned && !IsLogicalWorker();
}

/*
 * Is this DELETE the first half of a row movement between partitions?  The heap
 * marks the old version.  A publisher sends a DELETE and an INSERT instead, so
 * where a subscription is applied every DELETE may be one.
 */
static bool
IsMoving(const Attachment *attachment, Relation rel, HeapTuple row)
{
	if (IsLogicalWorker())
		return true;
	return attachment->marker.partitioned && rel->rd_rel->relam == HEAP_TABLE_AM_OID &&
		HeapTupleHeaderIndicatesMovedPartitions(row->t_data);
}

/*
 * The change waits, with the old row, for the second half, which comes next.
 */
static void
KeepForMovement(Batch *batch, Change *change, Relation rel, HeapTuple old_row)
{
	MemoryContext old_context = MemoryContextSwitchTo(batch->context);

	change->movable = true;
	change->old_row = heap_copytuple(old_row);
	change->old_relid = RelationGetRelid(rel);
	MemoryContextSwitchTo(old_context);
}

/*
 * The INSERT half of a row movement: takes the DELETE back, and treats the two as the
 * UPDATE that they are.
 */
static void
RecordMovement(Batch *batch, Attachment *attachment, Relation rel, HeapTuple new_row,
			   Change *removed, CommandId command)
{
	Relation	old_rel = table_open(removed->old_relid, NoLock);
	RowVersion	before;
	RowVersion	after;
	bool	   *gone = palloc0(batch->nchanges * sizeof(bool));

	before.attachment = align_attachment(removed->old_relid, false);
	before.rel = old_rel;
	before.row = heap_copytuple(removed->old_row);
	before.command = CommandBefore(batch, attachment, old_rel, before.row);
	after.attachment = attachment;
	after.rel = rel;
	after.row = new_row;
	after.command = command;

	for (int i = 0; i < batch->nchanges; i++)
		gone[i] = batch->changes[i] == removed;
	align_pending_remove(batch, gone);
	pfree(gone);

	align_changes_of_update(batch, &before, &after);
	heap_freetuple(before.row);
	table_close(old_rel, NoLock);
}

/*
 * The DELETE that an INSERT completes to a row movement; NULL if there is none.  Both
 * belong to one nesting level.
 */
static Change *
FirstHalf(Batch *batch, const RowVersion *after)
{
	Change	   *removed = NULL;

	if (batch->nchanges > 0 && IsLogicalWorker())
		removed = align_change_replaced(batch, after);
	else if (batch->nchanges > 0 && after->attachment->marker.partitioned)
		removed = align_pending_movable(batch, after->command);
	return removed != NULL && removed->nest_level == GetCurrentTransactionNestLevel() ?
		removed : NULL;
}

Datum
align_record_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	Attachment *attachment;
	Batch	   *batch;
	RowVersion	before;
	RowVersion	after;
	bool		keeps = false;

	CheckCalled(fcinfo, "record_row", true);
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"align.record_row\" must be fired after the event")));

	rel = trigdata->tg_relation;
	attachment = align_attachment(RelationGetRelid(rel), false);
	batch = align_pending_batch(attachment->marker.root);
	align_recorder_watch_commit();
	before.attachment = after.attachment = attachment;
	before.rel = after.rel = rel;

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		before.row = trigdata->tg_trigtuple;
		before.command = CommandBefore(batch, attachment, rel, before.row);
		after.row = trigdata->tg_newtuple;
		after.command = CommandOf(rel, after.row, false);
		align_changes_of_update(batch, &before, &after);
	}
	else if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
	{
		Change	   *removed;

		after.row = trigdata->tg_trigtuple;
		after.command = CommandOf(rel, after.row, false);
		removed = FirstHalf(batch, &after);
		if (removed != NULL)
			RecordMovement(batch, attachment, rel, after.row, removed, after.command);
		else
			align_changes_of_insert(batch, &after);
	}
	else
	{
		bool		moving = IsMoving(attachment, rel, trigdata->tg_trigtuple);

		before.row = trigdata->tg_trigtuple;
		before.command = CommandBefore(batch, attachment, rel, before.row);

		/*
		 * What waits for its second half, or gathered before, is written first: there is
		 * no place for it between the halves of this movement.
		 */
		if (moving && !StatementWillEnd(attachment, batch))
			align_recorder_flush_row(attachment, batch);
		else if (moving)
			align_recorder_flush_if_long(attachment, batch);
		if (moving || !heap_attisnull(before.row, attachment->column[ROW_STAGE], RelationGetDescr(rel)))
		{
			Change	   *change = align_change_of_delete(batch, &before,
														CommandOf(rel, before.row, true));

			if (moving)
				KeepForMovement(batch, change, rel, before.row);
			keeps = moving;
		}
	}

	if (keeps)
		return PointerGetDatum(NULL);
	if (!StatementWillEnd(attachment, batch))
		align_recorder_flush_row(attachment, batch);
	else
		align_recorder_flush_if_long(attachment, batch);
	return PointerGetDatum(NULL);
}

/*
 * Every lead of a table, or of one partition, that is about to be truncated.
 * Read as the owner: a role that may truncate need not be able to read.
 */
static void
RecordTruncate(Attachment *attachment, Relation rel)
{
	OwnerIdentity identity;
	StringInfoData query;
	Portal		portal;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(&query, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(get_attname(RelationGetRelid(rel),
													  attachment->keys[i].attnum, false)));
	appendStringInfo(&query, " FROM %s WHERE %s IS NOT NULL",
					 align_relation_name(RelationGetRelid(rel)),
					 quote_identifier(get_attname(RelationGetRelid(rel),
												  attachment->column[ROW_STAGE], false)));

	align_recorder_watch_commit();
	align_spi_connect();
	/* what was committed before the lock was granted, too */
	PushActiveSnapshot(GetLatestSnapshot());
	align_become_owner(attachment, &identity);
	portal = SPI_cursor_open_with_args(NULL, query.data, 0, NULL, NULL, NULL, true, 0);
	align_resume_identity(&identity);
	PopActiveSnapshot();
	for (;;)
	{
		align_become_owner(attachment, &identity);
		SPI_cursor_fetch(portal, true, TRUNCATE_PORTION);
		align_resume_identity(&identity);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			Datum		key[ATTACHMENT_MAX_KEYS];
			bool		isnull;

			for (int j = 0; j < attachment->nkeys; j++)
				key[j] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, j + 1, &isnull);
			align_record_gone(attachment, key, EVENT_TRUNCATED, NULL);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
	align_recorder_flush(attachment, align_pending_batch(attachment->marker.root));
}

/* Is a key column of the root in the SET list of an UPDATE? */
static bool
SetsKey(const Attachment *attachment, const TriggerData *trigdata)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		if (bms_is_member(attachment->marker.key[i] - FirstLowInvalidHeapAttributeNumber,
						  trigdata->tg_updatedcols))
			return true;
	}
	return false;
}

Datum
align_record_statement(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TriggerEvent kind = trigdata->tg_event & TRIGGER_EVENT_OPMASK;
	Relation	rel;
	Attachment *attachment;
	Batch	   *batch;

	CheckCalled(fcinfo, "record_statement", false);
	rel = trigdata->tg_relation;
	/* the only trigger left on a table that was a partition once */
	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) &&
		!align_relation_has_trigger(rel, ATTACH_FLUSH) &&
		!OidIsValid(align_attached_root(RelationGetRelid(rel))))
		return PointerGetDatum(NULL);

	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
	{
		RecordTruncate(align_attachment_locked(RelationGetRelid(rel), RowExclusiveLock), rel);
		return PointerGetDatum(NULL);
	}

	attachment = align_attachment(RelationGetRelid(rel), false);
	batch = align_pending_batch(attachment->marker.root);
	if (TRIGGER_FIRED_BEFORE(trigdata->tg_event))
	{
		align_pending_begin(batch, kind, SetsKey(attachment, trigdata));
		return PointerGetDatum(NULL);
	}
	align_pending_end(batch, kind);
	if (batch->nopen == 0)
		align_recorder_flush(attachment, batch);
	else
		align_recorder_flush_if_long(attachment, batch);
	return PointerGetDatum(NULL);
}

/*
 * Trigger on history and clock tables: only align writes there.
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
			 errmsg("table \"%s\" is written by align only",
					RelationGetRelationName(trigdata->tg_relation)),
			 errdetail("What happened to a lead is neither invented nor changed afterwards."),
			 errhint("To forget a lead use align.erase(); to drop old history, use align.purge() or partition the table.")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}
