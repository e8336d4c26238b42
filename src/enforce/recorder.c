/*
 * recorder.c
 *	  Writes pending changes; see recorder.h.
 *
 * A flush takes the changes in the order of the commands that made their row
 * versions, and works in runs: new keys (all those of one command at once, since they
 * may swap) or anything else.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "replication/logicalworker.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/as_role.h"
#include "enforce/record_run.h"

/*
 * One pass over a batch.
 */
typedef struct Flush
{
	Attachment *attachment;
	Batch	   *batch;
	bool		certain;		/* no row trigger can be outstanding */
	bool		below;			/* the batch has changes of lower nesting levels, which
								 * this flush does not write */
	Direct	   *direct;
	bool		with_waiting;	/* changes includes the waiting ones */
	int			nchanges;
	Change	  **changes;		/* in the order in which they are to be written */
	bool	   *done;			/* of each: it is written, or waits */
} Flush;

/*
 * The order of changes: by command, and all new keys of one command first, since they
 * take effect at once.
 */
static int
CompareChanges(const void *left, const void *right)
{
	const Change *a = *(Change *const *) left;
	const Change *b = *(Change *const *) right;

	if (a->command != b->command)
		return a->command < b->command ? -1 : 1;
	if ((a->event == EVENT_REKEY) != (b->event == EVENT_REKEY))
		return a->event == EVENT_REKEY ? -1 : 1;
	return (a->arrival > b->arrival) - (a->arrival < b->arrival);
}

/*
 * Has the version that a change replaces exactly the state that is recorded?
 */
static bool
EqualsRecord(const LeadState *lead, const Change *change)
{
	if (change->event == EVENT_ENTRY || change->event == EVENT_OPENING ||
		SaysNotLive(change->source))
		return !lead->alive;
	return lead->alive && align_same_string(lead->stage, change->from_stage) &&
		align_same_string(lead->team, change->from_team) &&
		align_same_string(lead->assignee, change->from_assignee);
}

/*
 * The conditions of recorder.h; certain: nothing is left to wait for.
 */
static bool
MayBeWritten(const Flush *flush, const Run *run, const LeadState *lead, const Change *change)
{
	const Batch *batch = flush->batch;
	bool		follows_written = change->before != InvalidCommandId &&
		change->before == lead->command;

	if (lead->deferred)
		return false;
	if (flush->certain)
		return true;
	if (align_pending_waits(batch, lead->hash))
		return false;
	if (!follows_written && align_pending_may_follow(batch, flush->attachment, change))
	{
		int			nopen = Min(change->outer, align_pending_open(batch, flush->attachment));
		bool		sets_key = batch->nopen > 0 && batch->open[0].sets_key;

		if (nopen > 1 || sets_key || !EqualsRecord(lead, change))
			return false;
	}
	if (change->event == EVENT_ENTRY && lead->alive)
		return false;
	return align_follows_record(run, lead, change);
}

/*
 * New keys: the whole record moves along, all leads of a command at once.
 */
static void
MoveRecords(Run *run)
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
		values[0] = Int32GetDatum(i);
		memcpy(values + 1, run->changes[i]->key, nkeys * sizeof(Datum));
		memcpy(values + 1 + nkeys, run->changes[i]->old_key, nkeys * sizeof(Datum));
		tuplestore_putvalues(rows, desc, values, nulls);
	}
	(void) align_recorder_execute(attachment, COUNT_OLD_KEYS, rows, NULL, NULL);
	nentries = DatumGetInt64(SpiField(0, 1, &isnull));
	nclocks = DatumGetInt64(SpiField(0, 2, &isnull));
	SPI_freetuptable(SPI_tuptable);
	align_check_written(attachment, align_recorder_execute(attachment, REKEY_ENTRIES_ASIDE, rows, NULL, NULL),
						nentries);
	align_check_written(attachment, align_recorder_execute(attachment, REKEY_CLOCKS_ASIDE, rows, NULL, NULL),
						nclocks);
	align_check_written(attachment, align_recorder_execute(attachment, REKEY_ENTRIES, rows, NULL, NULL),
						nentries);
	align_check_written(attachment, align_recorder_execute(attachment, REKEY_CLOCKS, rows, NULL, NULL),
						nclocks);
	tuplestore_end(rows);
}

/*
 * Which of the new keys of a run have a record whose life is not over?  It will be
 * joined to what moves there, unless it moves away itself; so clocks are computed
 * from all entries.
 */
static bool *
FindJoined(const Run *run)
{
	Run			target = *run;
	bool	   *joined = palloc(run->nchanges * sizeof(bool));

	align_run_gather(&target);
	align_run_read(&target);
	for (int i = 0; i < run->nchanges; i++)
		joined[i] = target.lead_of[i]->recorded && !target.lead_of[i]->ended;
	return joined;
}

/*
 * Earlier changes that belong to a lower nesting level cannot be written here, nor
 * can later ones of the same leads, then.
 */
static void
DeferLeadsBelow(const Flush *flush, Run *run)
{
	const Batch *batch = flush->batch;
	int			level = GetCurrentTransactionNestLevel();

	for (int i = 0; i < batch->nchanges; i++)
	{
		const Change *below = batch->changes[i];

		if (below->nest_level >= level)
			continue;
		for (int j = run->buckets[below->hash & (run->nbuckets - 1)]; j >= 0; j = run->leads[j].next)
		{
			if (run->leads[j].hash == below->hash)
				run->leads[j].deferred = true;
		}
	}
}

/*
 * Writes the changes of a run that may be written; the others wait, or stay where
 * they are.
 */
static void
ExecuteRun(Flush *flush, Run *run, bool *done)
{
	bool		rekey = run->changes[0]->event == EVENT_REKEY;
	bool	   *joined = NULL;
	RunWriter	writer;

	if (rekey)
	{
		joined = FindJoined(run);
		MoveRecords(run);
	}
	align_run_gather(run);
	if (!run->all_fresh)
		align_run_read(run);
	for (int i = 0; joined != NULL && i < run->nchanges; i++)
		run->lead_of[i]->recompute |= joined[i];
	if (flush->below)
		DeferLeadsBelow(flush, run);

	align_run_begin_writing(run, &writer);
	for (int i = 0; i < run->nchanges; i++)
	{
		LeadState  *lead = run->lead_of[i];
		Change	   *change = run->changes[i];

		/* the first half of a row movement stays for the second */
		if (change->movable && !flush->certain)
			lead->deferred = true;
		else if (rekey || MayBeWritten(flush, run, lead, change))
		{
			/* of a rekey, the record has moved already */
			align_run_write(run, &writer, lead, change);
			done[i] = true;
		}
		else if (!lead->deferred)
		{
			align_pending_wait(flush->batch, flush->attachment, change);
			done[i] = true;
		}
	}
	align_run_finish_writing(run, &writer);
	(void) align_run_recompute_clocks(run);
}

/*
 * How many of the changes, in order, make one run.  Runs are kept short, so that the
 * memory of a flush does not depend on how much waits.
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

static void
WriteRuns(Flush *flush)
{
	OwnerIdentity identity;
	MemoryContext flush_context = CurrentMemoryContext;
	int			start = 0;

	flush->attachment = align_attachment_locked(flush->attachment->relid, RowExclusiveLock);
	flush->direct = align_direct_begin(flush->attachment);
	align_become_owner(flush->attachment, &identity);
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
		/* what SPI keeps of a connection is in the context that is current then */
		align_spi_connect();
		MemoryContextSwitchTo(run.context);
		ExecuteRun(flush, &run, flush->done + start);
		SPI_finish();
		MemoryContextSwitchTo(flush_context);
		MemoryContextDelete(run.context);
		start += run.nchanges;
	}
	align_resume_identity(&identity);
	if (flush->direct != NULL)
		align_direct_end(flush->direct);
}

/*
 * Do all waiting changes belong to this nesting level?
 */
static bool
MayTakeWaiting(const Flush *flush)
{
	const Batch *batch = flush->batch;

	if (!flush->certain)
		return false;
	for (int i = 0; i < batch->nwaiting; i++)
	{
		if (batch->waiting[i]->nest_level < GetCurrentTransactionNestLevel())
			return false;
	}
	return true;
}

/*
 * Collects the changes of the current nesting level, the waiting ones included if
 * they need not wait any longer.
 */
static void
CollectChanges(Flush *flush)
{
	Batch	   *batch = flush->batch;
	int			level = GetCurrentTransactionNestLevel();
	Size		room = (Size) batch->nchanges + batch->nwaiting;

	flush->changes = MemoryContextAllocHuge(CurrentMemoryContext,
											Max(room, 1) * sizeof(Change *));
	for (int i = 0; i < batch->nchanges; i++)
	{
		if (batch->changes[i]->nest_level >= level)
			flush->changes[flush->nchanges++] = batch->changes[i];
	}
	flush->below = flush->nchanges < batch->nchanges;
	flush->with_waiting = MayTakeWaiting(flush);
	if (flush->with_waiting)
	{
		for (int i = 0; i < batch->nwaiting; i++)
			flush->changes[flush->nchanges++] = batch->waiting[i];
	}
	else if (batch->nwaiting > 0)
		flush->certain = false;
}

/*
 * With a new key the whole record of a lead moves, so everything about both its keys
 * has to be written before, and nothing may be outstanding.
 */
static bool
MayMoveRecords(const Flush *flush)
{
	bool		nested = flush->batch->nwaiting > 0;
	bool		rekey = false;

	for (int i = 0; i < flush->nchanges; i++)
	{
		rekey |= flush->changes[i]->event == EVENT_REKEY;
		nested |= flush->changes[i]->outer > 0;
	}
	if (!rekey)
		return true;
	return !flush->below && (flush->certain || !nested);
}

/*
 * Takes what was written, and what waits now, out of the batch.
 */
static void
RemoveDone(const Flush *flush)
{
	Batch	   *batch = flush->batch;
	bool	   *gone = palloc(Max(batch->nchanges, 1) * sizeof(bool));

	for (int i = 0; i < flush->nchanges; i++)
		flush->changes[i]->done = flush->done[i];
	for (int i = 0; i < batch->nchanges; i++)
		gone[i] = batch->changes[i]->done;
	if (flush->with_waiting && batch->nwaiting > 0)
		align_pending_end_waiting(batch);
	align_pending_remove(batch, gone);
}

/*
 * One pass over what is pending now; true if more came meanwhile, from triggers
 * that the owner has on history or clocks.
 */
static bool
FlushOnce(Attachment *attachment, Batch *batch, bool certain)
{
	Flush		flush = {.attachment = attachment,.batch = batch,.certain = certain};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align recorder",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	int			npending = batch->nchanges;
	bool		more_came = false;

	CollectChanges(&flush);
	if (flush.nchanges > 0 && MayMoveRecords(&flush))
	{
		qsort(flush.changes, flush.nchanges, sizeof(Change *), CompareChanges);
		flush.done = palloc0(flush.nchanges * sizeof(bool));
		WriteRuns(&flush);
		more_came = batch->nchanges > npending;
		RemoveDone(&flush);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return more_came;
}

/*
 * certain: no row trigger can be outstanding, whatever the stack of open statements
 * says.
 */
static void
FlushBatch(Attachment *attachment, Batch *batch, bool certain)
{
	if (batch->nchanges == 0 && batch->nwaiting == 0)
		return;
	/* the flush under way writes this, too */
	if (batch->flush_level > 0)
		return;
	batch->flush_level = GetCurrentTransactionNestLevel();
	while (FlushOnce(attachment, batch, certain))
		;
	batch->flush_level = 0;
	/* what stays is looked at again only when it has doubled */
	batch->flush_at = batch->nchanges + Max(batch->nchanges, PENDING_BATCH);
}

/*
 * Inside the triggers of others the stack may lack a statement (see pending.h).
 */
void
align_recorder_flush(Attachment *attachment, Batch *batch)
{
	FlushBatch(attachment, batch, batch->nopen == 0 && align_trigger_depth() <= 1);
}

/*
 * A subscription is applied row by row.  Of other statements, row triggers for other
 * rows may be outstanding.
 */
void
align_recorder_flush_row(Attachment *attachment, Batch *batch)
{
	FlushBatch(attachment, batch,
			   IsLogicalWorker() && batch->nopen == 0 && align_trigger_depth() <= 1);
}

void
align_recorder_flush_if_long(Attachment *attachment, Batch *batch)
{
	if (batch->nchanges >= Max(batch->flush_at, PENDING_BATCH) &&
		(batch->nopen == 0 || batch->open[0].nest_level == GetCurrentTransactionNestLevel()))
		align_recorder_flush(attachment, batch);
}

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

		/* the table may have been dropped or detached since */
		if (attachment == NULL)
			align_pending_forget(batch);
		else if (at_commit)
			FlushBatch(attachment, batch, true);
		else
			align_recorder_flush(attachment, batch);
	}
	if (need_snapshot)
		PopActiveSnapshot();
}

void
align_recorder_flush_all(void)
{
	FlushAll(false);
}

/*
 * Whatever still waits is written before commit, and before PREPARE TRANSACTION.
 * Deferred triggers have fired by then; those that the owner has on history and
 * clocks are fired for what is written now.
 */
static void
TransactionEnds(XactEvent event, void *arg)
{
	(void) arg;
	if ((event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE) ||
		align_pending_batches() == NIL)
		return;
	FlushAll(true);
	AfterTriggerFireDeferred();
}

void
align_recorder_watch_commit(void)
{
	static bool watching = false;

	if (watching)
		return;
	RegisterXactCallback(TransactionEnds, NULL);
	watching = true;
}
