/*
 * flush.c
 *	  Writes pending changes, and decides which of them must wait; see flush.h.
 *
 * The sorted changes of a flush are written in runs.  A run consists either of
 * all changes of keys that one command has made (they must be applied at once,
 * since two leads may have swapped their keys), or of a number of other
 * changes.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/as_role.h"
#include "record/flush.h"
#include "record/order.h"
#include "record/run.h"
#include "record/writer.h"

/*
 * One pass over a batch.
 */
typedef struct Flush
{
	Attachment *attachment;
	Batch	   *batch;
	FlushMode	mode;
	int			nouter;			/* number of changes of outer nesting levels
								 * in the batch, which are not written now;
								 * they are its first ones */
	Direct	   *direct;			/* NULL: read and write by SQL */
	WaitingChanges waiting;		/* taken from the batch, and included in
								 * "changes" */
	int			nchanges;
	Change	  **changes;		/* in the order in which they are written */
	bool	   *done;			/* of each change: it is written, or has been
								 * added to the waiting ones */
} Flush;

/*
 * True if the row version that a change replaced has exactly the recorded
 * state: stage, team and assignee, and whether the lead is in the funnel.
 */
static bool
ReplacesRecordedState(const LeadState *lead, const Change *change)
{
	if (change->event == EVENT_ENTRY || change->event == EVENT_OPENING ||
		SourceIsNotLive(change->source))
		return !lead->alive;
	return lead->alive && align_same_string(lead->stage, change->from_stage) &&
		align_same_string(lead->team, change->from_team) &&
		align_same_string(lead->assignee, change->from_assignee);
}

/*
 * True if a statement that was open around the one that made a change is still
 * open, and the outermost of these sets key columns.
 */
static inline bool
OutermostSetsKey(const Batch *batch, const Change *change)
{
	return Min(change->nouter, batch->nopen) > 0 && batch->open[0].sets_key;
}

/*
 * True if a change is an INSERT of a row, or the first stage of one.
 */
static inline bool
IsEntry(const Change *change)
{
	return !change->as_found && change->from_stage == NULL &&
		(change->event == EVENT_ENTRY || change->event == EVENT_OVERRIDE);
}

/*
 * True if a change can be written now: no row trigger is outstanding, or the
 * conditions of flush.h for writing it early are met.
 */
static bool
MayBeWritten(const Flush *flush, const Run *run, const LeadState *lead, const Change *change)
{
	const Batch *batch = flush->batch;
	bool		follows_written;
	int			npredecessors;

	if (lead->deferred)
		return false;
	if (flush->mode == FLUSH_ALL)
		return true;
	if (align_pending_has_waiting(batch, lead->hash))
		return false;
	/* (c) */
	follows_written = change->command == lead->last_command ||
		(change->replaced_command != InvalidCommandId &&
		 change->replaced_command == lead->last_command);
	/* (d) is required only if neither (c) nor (a) nor (b) holds */
	npredecessors = align_pending_possible_predecessors(batch, flush->attachment, change);
	if (!follows_written && npredecessors > 0 &&
		(npredecessors > 1 || OutermostSetsKey(batch, change) ||
		 !ReplacesRecordedState(lead, change)))
		return false;
	/* (e) */
	if (IsEntry(change) &&
		(lead->alive || (flush->attachment->live != NULL && !follows_written &&
						 align_pending_outer_open(batch, flush->attachment, change) > 0)))
		return false;
	return align_fits_recorded_stage(run, lead, change);
}

/*
 * Executes one of the statements REKEY_..., which must update the given number
 * of rows.
 */
static void
ExecuteRekey(Attachment *attachment, RecorderStatement statement, Tuplestorestate *rows,
			 int64 nexpected)
{
	uint64		nupdated = align_recorder_execute(attachment, statement, rows, NULL, NULL);

	align_check_written(attachment, nupdated, nexpected);
}

/*
 * Gives the entries and clocks of all leads of a run their new keys.  no_lead
 * may be NULL.
 *
 * Done in two steps, first with negative entry and cycle numbers, so that
 * leads can swap their keys without violating the primary keys in between.
 */
static void
RekeyEntriesAndClocks(Run *run, const bool *no_lead)
{
	Attachment *attachment = run->attachment;
	int			nkeys = attachment->nkeys;
	Datum		values[1 + 2 * ATTACHMENT_MAX_KEYS];
	bool		nulls[1 + 2 * ATTACHMENT_MAX_KEYS] = {false};
	TupleDesc	desc;
	Tuplestorestate *rows = align_recorder_rows(attachment, ROWS_REKEYS, &desc);
	int64		nentries;
	int64		nclocks;
	bool		isnull;

	for (int i = 0; i < run->nchanges; i++)
	{
		if (no_lead != NULL && no_lead[i])
			continue;
		values[0] = Int32GetDatum(i);
		memcpy(values + 1, run->changes[i]->key, nkeys * sizeof(Datum));
		memcpy(values + 1 + nkeys, run->changes[i]->old_key, nkeys * sizeof(Datum));
		tuplestore_putvalues(rows, desc, values, nulls);
	}
	/* the numbers of rows to expect, in case a trigger suppresses some */
	(void) align_recorder_execute(attachment, COUNT_OLD_KEYS, rows, NULL, NULL);
	nentries = DatumGetInt64(SpiField(0, 1, &isnull));
	nclocks = DatumGetInt64(SpiField(0, 2, &isnull));
	SPI_freetuptable(SPI_tuptable);
	ExecuteRekey(attachment, REKEY_ENTRIES_ASIDE, rows, nentries);
	ExecuteRekey(attachment, REKEY_CLOCKS_ASIDE, rows, nclocks);
	ExecuteRekey(attachment, REKEY_ENTRIES, rows, nentries);
	ExecuteRekey(attachment, REKEY_CLOCKS, rows, nclocks);
	tuplestore_end(rows);
}

/*
 * Returns, for each change of key of a run, whether the new key has entries of
 * a lead whose life has not ended.
 *
 * Unless these get another key themselves, the entries of both leads will form
 * one life, and its clocks must be computed from all of them.
 */
static bool *
FindOccupiedKeys(const Run *run)
{
	Run			target = *run;
	bool	   *occupied = palloc(run->nchanges * sizeof(bool));

	align_run_group(&target);
	align_run_read(&target);
	for (int i = 0; i < run->nchanges; i++)
		occupied[i] = target.lead_of[i]->recorded && !target.lead_of[i]->ended;
	return occupied;
}

/*
 * True if the row of a change of key need not have been a lead.
 */
static bool
MayBeNoLead(const Change *change)
{
	return change->stage == NULL || SourceIsNotLive(change->source);
}

/*
 * Returns, for each change of key of a run, whether its row is no lead: the
 * old key has no entries, or they are of a row that was deleted.  Returns NULL
 * if all rows are leads.
 */
static bool *
FindNoLeads(const Run *run)
{
	Run			source = *run;
	Change	   *olds;
	bool	   *no_lead;
	bool		any_no_lead = false;

	for (int i = 0; i < run->nchanges; i++)
		any_no_lead |= MayBeNoLead(run->changes[i]);
	if (!any_no_lead)
		return NULL;
	olds = palloc0(run->nchanges * sizeof(Change));
	source.changes = palloc(run->nchanges * sizeof(Change *));
	for (int i = 0; i < run->nchanges; i++)
	{
		memcpy(olds[i].key, run->changes[i]->old_key, sizeof(olds[i].key));
		olds[i].hash = run->changes[i]->old_hash;
		source.changes[i] = &olds[i];
	}
	align_run_group(&source);
	align_run_read(&source);
	no_lead = palloc(run->nchanges * sizeof(bool));
	for (int i = 0; i < run->nchanges; i++)
	{
		const LeadState *lead = source.lead_of[i];

		no_lead[i] = MayBeNoLead(run->changes[i]) &&
			(!lead->recorded || (lead->ended && lead->source == NULL));
	}
	return no_lead;
}

/*
 * Marks the leads that have pending changes of outer nesting levels as
 * deferred: these changes are not written here, so later ones of the same
 * leads must not be, either.  Leads are identified by the hash of their keys
 * only.
 */
static void
DeferLeadsOfOuterLevels(const Flush *flush, Run *run)
{
	for (int i = 0; i < run->nleads; i++)
	{
		if (align_pending_has_outer(flush->batch, flush->nouter, run->leads[i].hash))
			run->leads[i].deferred = true;
	}
}

/*
 * Writes the changes of a run that may be written.  Of the others, those of
 * deferred leads stay in the batch, and the rest is added to the waiting
 * changes.  done[] is set for what need not stay in the batch.
 */
static void
ExecuteRun(Flush *flush, Run *run, bool *done)
{
	bool		rekey = run->changes[0]->event == EVENT_REKEY;
	bool	   *occupied = NULL;
	bool	   *no_lead = NULL;
	RunWriter	writer;

	if (rekey)
	{
		no_lead = FindNoLeads(run);
		occupied = FindOccupiedKeys(run);
		RekeyEntriesAndClocks(run, no_lead);
	}
	align_run_group(run);
	if (!run->all_new)
		align_run_read(run);
	for (int i = 0; occupied != NULL && i < run->nchanges; i++)
		run->lead_of[i]->recompute |= occupied[i] && !(no_lead != NULL && no_lead[i]);
	if (flush->nouter > 0)
		DeferLeadsOfOuterLevels(flush, run);

	align_run_begin_writing(run, &writer);
	for (int i = 0; i < run->nchanges; i++)
	{
		LeadState  *lead = run->lead_of[i];
		Change	   *change = run->changes[i];

		/* the first half of a row movement stays until the second comes */
		if (change->first_half && flush->mode != FLUSH_ALL)
			lead->deferred = true;
		else if (no_lead != NULL && no_lead[i])
			done[i] = true;
		else if (rekey || MayBeWritten(flush, run, lead, change))
		{
			align_run_write(run, &writer, lead, change);
			done[i] = true;
		}
		else if (!lead->deferred)
		{
			align_pending_add_waiting(flush->batch, flush->attachment, change);
			done[i] = true;
		}
	}
	align_run_finish_writing(run, &writer);
	(void) align_run_recompute_clocks(run);
}

/*
 * Returns how many of the sorted changes make up the next run.  The length of
 * runs, changes of keys apart, is limited, so that the memory that a flush
 * uses does not depend on the number of its changes.
 */
static int
RunLength(Change **changes, int nchanges)
{
	bool		rekey = changes[0]->event == EVENT_REKEY;
	int			length = 1;

	while (length < nchanges && (rekey || length < 2 * PENDING_BATCH) &&
		   (changes[length]->event == EVENT_REKEY) == rekey &&
		   (!rekey || changes[length]->command == changes[0]->command))
		length++;
	return length;
}

/*
 * True if a change of a flush was made in a security-restricted operation.
 */
static bool
HasRestricted(const Flush *flush)
{
	for (int i = 0; i < flush->nchanges; i++)
	{
		if (flush->changes[i]->restricted)
			return true;
	}
	return false;
}

/*
 * Writes all changes of a flush, run by run.
 */
static void
WriteRuns(Flush *flush)
{
	bool		restricted = HasRestricted(flush);
	RestrictedCaller caller;
	OwnerIdentity identity;
	MemoryContext flush_context = CurrentMemoryContext;
	int			start = 0;

	flush->attachment = align_attachment_locked(flush->attachment->id, RowExclusiveLock);
	/* the role stays, since align_recorder_caller() returns it */
	if (restricted)
		align_begin_restricted(&caller, GetUserId());
	align_become_owner(flush->attachment, &identity);
	flush->direct = align_direct_begin(flush->attachment);
	while (start < flush->nchanges)
	{
		Run			run = {0};

		CHECK_FOR_INTERRUPTS();
		run.attachment = flush->attachment;
		run.batch = flush->batch;
		run.context = AllocSetContextCreate(flush_context, "align recorder run",
											ALLOCSET_DEFAULT_SIZES);
		run.changes = flush->changes + start;
		run.nchanges = RunLength(run.changes, flush->nchanges - start);
		run.now = GetCurrentTimestamp();
		run.direct = flush->direct;

		/*
		 * SPI_connect() has switched to a memory context of its own.  Use
		 * that of the run instead, which outlives the connection.
		 */
		align_spi_connect();
		MemoryContextSwitchTo(run.context);
		ExecuteRun(flush, &run, flush->done + start);
		SPI_finish();
		MemoryContextSwitchTo(flush_context);
		MemoryContextDelete(run.context);
		start += run.nchanges;
	}
	if (flush->direct != NULL)
		align_direct_end(flush->direct);
	align_resume_identity(&identity);
	if (restricted)
		align_end_restricted(&caller);
}

/*
 * True if all waiting changes belong to the current nesting level.
 */
static bool
MayWriteWaiting(const Batch *batch)
{
	return batch->waiting.n == 0 ||
		batch->waiting.changes[0]->nest_level >= GetCurrentTransactionNestLevel();
}

/*
 * Sets the changes of a flush: those of the current nesting level, and the
 * waiting ones if they are to be examined.  While changes wait that are not,
 * later ones of the same leads must wait behind them, whether or not a row
 * trigger is outstanding.
 */
static void
CollectChanges(Flush *flush)
{
	Batch	   *batch = flush->batch;
	bool		with_waiting = flush->mode != FLUSH_EARLY && MayWriteWaiting(batch);
	Size		maxchanges;

	flush->nouter = align_pending_first_of_level(batch->changes, batch->nchanges,
												 GetCurrentTransactionNestLevel());
	maxchanges = (Size) batch->nchanges - flush->nouter + (with_waiting ? batch->waiting.n : 0);
	flush->changes = MemoryContextAllocHuge(CurrentMemoryContext,
											Max(maxchanges, 1) * sizeof(Change *));
	for (int i = flush->nouter; i < batch->nchanges; i++)
		flush->changes[flush->nchanges++] = batch->changes[i];
	for (int i = 0; with_waiting && i < batch->waiting.n; i++)
		flush->changes[flush->nchanges++] = batch->waiting.changes[i];
	if (!with_waiting)
		flush->mode = FLUSH_EARLY;
}

/*
 * False if a flush includes a change of key that cannot be applied yet.  All
 * entries and clocks of a lead get the new key, so what concerns the old
 * or the new one and precedes must be written before.
 */
static bool
MayRekey(const Flush *flush)
{
	bool		nested = flush->batch->waiting.n > 0;
	bool		rekey = false;

	for (int i = 0; i < flush->nchanges; i++)
	{
		rekey |= flush->changes[i]->event == EVENT_REKEY;
		nested |= flush->changes[i]->nouter > 0;
	}
	if (!rekey)
		return true;
	/* without nested statements, no predecessor of a change is outstanding */
	return flush->nouter == 0 && (flush->mode == FLUSH_ALL || !nested);
}

/*
 * Removes from the batch what a flush has written or added to the waiting
 * changes.  Waiting changes that it has examined and neither written nor added
 * again (their leads have changes of outer nesting levels) go on waiting.
 */
static void
RemoveDone(Flush *flush)
{
	Batch	   *batch = flush->batch;
	int			ncurrent = batch->nchanges - flush->nouter;
	bool	   *gone = palloc(Max(ncurrent, 1) * sizeof(bool));

	for (int i = 0; i < flush->nchanges; i++)
	{
		if (flush->changes[i]->waits && !flush->done[i])
			align_pending_add_waiting(batch, flush->attachment, flush->changes[i]);
		flush->changes[i]->done = flush->done[i];
	}
	for (int i = 0; i < ncurrent; i++)
		gone[i] = batch->changes[flush->nouter + i]->done;
	align_pending_free_waiting(&flush->waiting);
	align_pending_remove(batch, flush->nouter, gone);
}

/*
 * Makes one pass over the pending changes.  Returns true if further changes
 * were added meanwhile, by triggers of the owner on the record tables.
 */
static bool
FlushOnce(Attachment *attachment, Batch *batch, FlushMode mode)
{
	Flush		flush = {0};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align recorder",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	int			npending = batch->nchanges;
	bool		more_added = false;

	flush.attachment = attachment;
	flush.batch = batch;
	flush.mode = mode;
	CollectChanges(&flush);
	if (flush.nchanges > 0 && MayRekey(&flush))
	{
		align_order_changes(attachment, flush.changes, flush.nchanges);
		flush.done = palloc0(flush.nchanges * sizeof(bool));
		/* what must wait again is added to a new list */
		if (flush.mode != FLUSH_EARLY)
			flush.waiting = align_pending_take_waiting(batch);
		WriteRuns(&flush);
		more_added = batch->nchanges > npending;
		RemoveDone(&flush);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return more_added;
}

/*
 * Writes pending changes of a batch.
 */
void
align_recorder_flush(Attachment *attachment, Batch *batch, FlushMode mode)
{
	if (batch->nchanges == 0 && (batch->waiting.n == 0 || mode == FLUSH_EARLY))
		return;

	/*
	 * A trigger on a record table has called us.  The flush in progress will
	 * write what it has added.
	 */
	if (batch->flush_level > 0)
		return;
	batch->flush_level = GetCurrentTransactionNestLevel();
	while (FlushOnce(attachment, batch, mode))
		;
	batch->flush_level = 0;

	/*
	 * Do not examine what could not be written again before there is twice as
	 * much.
	 */
	batch->flush_at = batch->nchanges + Max(batch->nchanges, PENDING_BATCH);
}

/*
 * Writes pending changes at the end of a statement.
 */
void
align_recorder_flush_at_end(Attachment *attachment, Batch *batch)
{
	if (batch->nopen == 0 && align_pending_stack_is_exact(attachment))
		align_recorder_flush(attachment, batch, FLUSH_ALL);
	else if (align_pending_all_ended(batch))
		align_recorder_flush(attachment, batch, FLUSH_RETRY);
	else
		align_recorder_flush_if_long(attachment, batch);
}

/*
 * Flushes if enough changes are pending, and if this is the nesting level of
 * the outermost open statement.
 */
void
align_recorder_flush_if_long(Attachment *attachment, Batch *batch)
{
	if (batch->nchanges >= Max(batch->flush_at, PENDING_BATCH) &&
		(batch->nopen == 0 || batch->open[0].nest_level == GetCurrentTransactionNestLevel()))
		align_recorder_flush(attachment, batch, FLUSH_EARLY);
}

/*
 * Reads the stage of a lead's last entry.
 */
void
align_recorded_stage(Attachment *attachment, Batch *batch, const Datum *key, CommandId before,
					 RecordedStage *result)
{
	MemoryContext old_context = CurrentMemoryContext;
	Run			run = {0};
	Change		change = {0};
	Change	   *changes[1] = {&change};
	OwnerIdentity identity;
	const LeadState *lead;

	memset(result, 0, sizeof(RecordedStage));
	memcpy(change.key, key, attachment->nkeys * sizeof(Datum));
	change.hash = align_pending_hash(attachment, key);
	if (align_pending_last(batch, attachment, key, before) != NULL)
		return;

	run.attachment = align_attachment_locked(attachment->id, RowExclusiveLock);
	run.context = AllocSetContextCreate(CurrentMemoryContext, "align recorder run",
										ALLOCSET_SMALL_SIZES);
	run.changes = changes;
	run.nchanges = 1;
	align_become_owner(run.attachment, &identity);
	align_spi_connect();
	MemoryContextSwitchTo(run.context);
	run.direct = align_direct_begin(run.attachment);
	align_run_group(&run);
	align_run_read(&run);
	lead = &run.leads[0];
	if (lead->alive && lead->stage != NULL)
	{
		result->name = MemoryContextStrdup(old_context, lead->stage);
		result->source.agreement = MemoryContextStrdup(old_context, lead->judged_by.agreement);
		result->source.version = lead->judged_by.version;
	}
	if (run.direct != NULL)
		align_direct_end(run.direct);
	SPI_finish();
	align_resume_identity(&identity);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(run.context);
}

/*
 * Returns how to flush a batch outside of the triggers of its table.
 *
 * At commit no row trigger is outstanding.  Outside of triggers none is,
 * either, unless a statement calls a function that reads the history; then
 * this may be a mistake for statements that are not on the stack.
 */
static FlushMode
ModeForReaders(const Attachment *attachment, Batch *batch, bool at_commit)
{
	if (at_commit)
		return FLUSH_ALL;
	if (batch->nopen == 0 &&
		(align_pending_stack_is_exact(attachment) || align_trigger_depth() == 0))
		return FLUSH_ALL;
	return FLUSH_RETRY;
}

/*
 * Flushes all batches.
 */
static void
FlushAll(bool at_commit)
{
	ListCell   *cell;
	List	   *batches = align_pending_batches();
	bool		need_snapshot = batches != NIL && !ActiveSnapshotSet();

	if (need_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	foreach(cell, batches)
	{
		Batch	   *batch = (Batch *) lfirst(cell);
		Attachment *attachment = align_attachment(batch->root, true);

		/* the table may have been dropped or detached meanwhile */
		if (attachment == NULL)
			align_pending_clear(batch);
		else
			align_recorder_flush(attachment, batch, ModeForReaders(attachment, batch, at_commit));
	}
	if (need_snapshot)
		PopActiveSnapshot();
}

/*
 * Writes the pending changes of all attached tables that can be written now.
 */
void
align_recorder_flush_all(void)
{
	FlushAll(false);
}

/*
 * Writes the pending changes of all attached tables, before commit.
 */
void
align_recorder_flush_at_commit(void)
{
	FlushAll(true);
}
