/*
 * trigger.c
 *	  The triggers of an attached table: from a row event to judged changes.
 *
 * The verdict is given after the row, on what really stands.  One event of a row
 * may be several changes of its lead, in this order: a new key, a new stage, the
 * end or the beginning of its life, a new owner.
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
 * The command that made a row version, or unmade it: the order in which the
 * versions of one row came to be within a transaction.
 */
static CommandId
CommandOf(Relation rel, HeapTuple row, bool unmade)
{
	/* COPY ... FREEZE leaves no trace of its command, but is alone with its table */
	if (rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		(!unmade && HeapTupleHeaderXminFrozen(row->t_data)))
		return GetCurrentCommandId(false);
	return unmade ? HeapTupleHeaderGetCmax(row->t_data) : HeapTupleHeaderGetCmin(row->t_data);
}

/*
 * The command that made the version of a row that a trigger of somebody else has
 * changed, if it was one of this transaction: its change may be told after this
 * one.
 */
static CommandId
CommandBefore(Relation rel, HeapTuple row)
{
	if (align_trigger_depth() <= 1 || rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		HeapTupleHeaderXminFrozen(row->t_data) ||
		!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmin(row->t_data)))
		return InvalidCommandId;
	return HeapTupleHeaderGetCmin(row->t_data);
}

/*
 * Will an AFTER STATEMENT trigger flush what this row event leaves?
 */
static bool
FlushWillCome(Attachment *attachment, Batch *batch)
{
	if (IsLogicalWorker())
		return false;
	return !attachment->marker.partitioned || batch->nopen > 0;
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
 * It waits for the second half, which comes next, with the old row.
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
 * The INSERT half of a row movement: take back the DELETE, and treat the two as
 * the UPDATE that they are.
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
	after.attachment = attachment;
	after.rel = rel;
	after.row = new_row;

	for (int i = 0; i < batch->nchanges; i++)
		gone[i] = batch->changes[i] == removed;
	align_pending_remove(batch, gone);
	pfree(gone);

	batch->before = CommandBefore(old_rel, before.row);
	align_changes_of_update(batch, &before, &after, command);
	heap_freetuple(before.row);
	table_close(old_rel, NoLock);
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
	bool		waits = false;

	CheckCalled(fcinfo, "record_row", true);
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"align.record_row\" must be fired after the event")));

	rel = trigdata->tg_relation;
	attachment = align_attachment(RelationGetRelid(rel), false);
	batch = align_pending_batch(attachment->marker.root);
	before.attachment = after.attachment = attachment;
	before.rel = after.rel = rel;

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		before.row = trigdata->tg_trigtuple;
		after.row = trigdata->tg_newtuple;
		batch->before = CommandBefore(rel, before.row);
		align_changes_of_update(batch, &before, &after, CommandOf(rel, after.row, false));
	}
	else if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
	{
		CommandId	command = CommandOf(rel, trigdata->tg_trigtuple, false);
		Change	   *removed = NULL;

		after.row = trigdata->tg_trigtuple;
		batch->before = InvalidCommandId;
		if (batch->nchanges > 0 && IsLogicalWorker())
			removed = align_change_replaced(batch, &after);
		else if (batch->nchanges > 0 && attachment->marker.partitioned)
			removed = align_pending_movable(batch, command);
		if (removed != NULL)
			RecordMovement(batch, attachment, rel, after.row, removed, command);
		else
			align_changes_of_insert(batch, &after, command);
	}
	else
	{
		before.row = trigdata->tg_trigtuple;
		batch->before = CommandBefore(rel, before.row);
		waits = IsMoving(attachment, rel, before.row);
		if (waits)
		{
			/* not between the halves of a movement */
			if (align_pending_is_long(batch))
				align_recorder_flush(attachment, batch, true);
			KeepForMovement(batch, align_change_of_delete(batch, &before, CommandOf(rel, before.row, true)),
							rel, before.row);
		}
		else if (!heap_attisnull(before.row, attachment->column[ROW_STAGE], RelationGetDescr(rel)))
			(void) align_change_of_delete(batch, &before, CommandOf(rel, before.row, true));
	}

	if (!waits && !FlushWillCome(attachment, batch))
		align_recorder_flush(attachment, batch, false);
	else if (!waits && align_pending_is_long(batch))
		align_recorder_flush(attachment, batch, true);
	return PointerGetDatum(NULL);
}

/*
 * Every lead of a table, or of one partition, that is about to be truncated.
 * Read as the owner: who may truncate need not be able to read.
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
	align_recorder_flush(attachment, align_pending_batch(attachment->marker.root), false);
}

Datum
align_record_statement(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	Attachment *attachment;
	Batch	   *batch;

	CheckCalled(fcinfo, "record_statement", false);
	rel = trigdata->tg_relation;
	/* the usual end of a statement that left all stages alone; a row trigger
	 * may be gone together with the marker */
	if (TRIGGER_FIRED_AFTER(trigdata->tg_event) && !align_pending_any() &&
		align_relation_has_trigger(rel, ATTACHMENT_MARKER))
		return PointerGetDatum(NULL);
	/* all that is left of us on a table that was a partition once */
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
		align_pending_open(batch);
		return PointerGetDatum(NULL);
	}
	if (attachment->marker.partitioned)
		align_pending_close(batch);
	align_recorder_flush(attachment, batch, false);
	return PointerGetDatum(NULL);
}

/*
 * Trigger on history and clock tables: only the recorder writes there.
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
			 errhint("To forget a lead use align.erase(); to drop old history, partition the table, or disable the trigger \"%s\" while you delete.",
					 trigdata->tg_trigger->tgname)));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}
