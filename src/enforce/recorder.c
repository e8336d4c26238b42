/*
 * recorder.c
 *	  Writes pending changes: entries of the history, and the clocks that they
 *	  start, stop, pause and resume.
 *
 * A flush takes the changes that belong to the current nesting level, in the
 * order in which their row versions were made, and works in runs: new keys (all
 * those of one command at once, since they may swap) or anything else.  For a
 * run of the latter it reads, for all leads at once, the last entry and the
 * clocks; applies each lead's changes to that in memory; and writes entries, new
 * clocks and changed clocks, a statement each.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/as_role.h"
#include "enforce/record_run.h"

/*
 * The order of changes: that in which the row versions were made.
 */
static int
CompareCommands(const void *left, const void *right)
{
	const Change *a = *(Change *const *) left;
	const Change *b = *(Change *const *) right;

	if (a->command != b->command)
		return a->command < b->command ? -1 : 1;
	return (a->arrival > b->arrival) - (a->arrival < b->arrival);
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
	static const RecorderStatement steps[] = {
		REKEY_ENTRIES_ASIDE, REKEY_CLOCKS_ASIDE, REKEY_ENTRIES, REKEY_CLOCKS
	};

	for (int i = 0; i < run->nchanges; i++)
	{
		values[0] = Int32GetDatum(i);
		memcpy(values + 1, run->changes[i]->key, nkeys * sizeof(Datum));
		memcpy(values + 1 + nkeys, run->changes[i]->old_key, nkeys * sizeof(Datum));
		tuplestore_putvalues(rows, desc, values, nulls);
	}
	for (int i = 0; i < (int) lengthof(steps); i++)
		(void) align_recorder_execute(attachment, steps[i], rows);
	tuplestore_end(rows);
}

bool
align_comes_out_of_a_stage(const Change *change)
{
	return !change->standing && change->from_stage != NULL &&
		change->event != EVENT_ENTRY && change->event != EVENT_OPENING &&
		!SaysNotLive(change->source);
}

/*
 * Has the change of its lead that made the version before been told, as far as
 * the versions tell?  (It may be none that concerns us: then it is waited for in
 * vain, until the outermost statement has ended.)
 */
static bool
FollowsTold(const Run *run, int i)
{
	const Change *change = run->changes[i];

	if (align_pending_is_told(run->batch, change))
		return true;
	for (int j = i - 1; j >= 0; j--)
	{
		if (run->lead_of[j] == run->lead_of[i])
			return run->changes[j]->command == change->before;
	}
	return false;
}

/*
 * How many changes of the run, from its beginning, are known to follow what is
 * recorded.  The next one is of a lead with a change before it that we have not
 * been told yet, its deletion perhaps; or it is the first half of a row movement.
 */
static int
CountComplete(Run *run)
{
	for (int i = 0; i < run->nchanges; i++)
	{
		LeadState  *lead = run->lead_of[i];
		const Change *change = run->changes[i];

		if (!lead->seen)
			lead->after = lead->alive ? lead->stage : NULL;
		lead->seen = true;
		if (change->movable || !FollowsTold(run, i))
			return i;
		if (change->event == EVENT_ENTRY && lead->after != NULL)
			return i;
		if (align_comes_out_of_a_stage(change) &&
			(lead->after == NULL || strcmp(lead->after, change->from_stage) != 0))
			return i;
		lead->after = change->stage;
	}
	return run->nchanges;
}

/*
 * The same question for a run of new keys, asked of the old ones before the
 * records move: all are complete, or none is counted.
 */
static bool
OldKeysAreComplete(const Run *run)
{
	Run			before = *run;

	before.changes = palloc(run->nchanges * sizeof(Change *));
	for (int i = 0; i < run->nchanges; i++)
	{
		Change	   *change = palloc(sizeof(Change));

		*change = *run->changes[i];
		memcpy(change->key, change->old_key, sizeof(change->key));
		change->hash = align_pending_hash(run->attachment, change->key);
		before.changes[i] = change;
	}
	align_run_gather(&before);
	align_run_read_last(&before);
	return CountComplete(&before) == before.nchanges;
}

/*
 * Which of the new keys of a run have a record whose life is not over?  It will
 * be joined to what moves there, unless it moves away itself; so clocks are made
 * anew.
 */
static void
FindJoined(Run *run)
{
	Run			target = *run;

	align_run_gather(&target);
	align_run_read_last(&target);
	run->joined = palloc(run->nchanges * sizeof(bool));
	for (int i = 0; i < run->nchanges; i++)
		run->joined[i] = target.lead_of[i]->recorded && !target.lead_of[i]->ended;
}

/*
 * With more_to_come, only as far as the changes are complete.
 */
static void
ExecuteRun(Run *run, bool more_to_come)
{
	align_run_gather(run);
	if (!run->all_fresh)
	{
		align_run_read_last(run);
		if (more_to_come)
			run->nchanges = CountComplete(run);
		if (run->nchanges == 0)
			return;
		for (int i = 0; run->joined != NULL && i < run->nchanges; i++)
		{
			if (run->joined[i])
				run->lead_of[i]->recompute = true;
		}
		align_run_read_clocks(run);
	}
	align_run_write_entries(run);
	align_run_write_clocks(run);
	align_run_recompute_clocks(run);
}

/*
 * How many of the changes, in order, make one run.
 */
static int
RunLength(Change **changes, int nchanges)
{
	bool		rekey = changes[0]->event == EVENT_REKEY;
	int			length = 1;

	while (length < nchanges && (changes[length]->event == EVENT_REKEY) == rekey &&
		   (!rekey || changes[length]->command == changes[0]->command))
		length++;
	return length;
}

/*
 * All new keys of one command come first in it: they take effect at once.
 */
static int
CompareForRuns(const void *left, const void *right)
{
	const Change *a = *(Change *const *) left;
	const Change *b = *(Change *const *) right;

	if (a->command == b->command && (a->event == EVENT_REKEY) != (b->event == EVENT_REKEY))
		return a->event == EVENT_REKEY ? -1 : 1;
	return CompareCommands(left, right);
}

/*
 * Write these changes, run by run.
 *
 * A change whose predecessor we have not been told yet waits, if there is still
 * somebody to tell us (more_to_come): a trigger that is under way, or an outer
 * nesting level.  All changes after it wait with it, whatever lead they are of:
 * they may be about its new key, or what comes under its old one.
 */
static void
WriteChanges(Attachment *attachment, Batch *batch, MemoryContext context, Change **changes,
			 int nchanges, bool more_to_come)
{
	Direct	   *direct;
	OwnerIdentity identity;
	int			done = 0;

	attachment = align_attachment_locked(attachment->relid, RowExclusiveLock);
	direct = align_direct_begin(attachment);
	align_become_owner(attachment, &identity);
	while (done < nchanges)
	{
		Run			run = {0};
		int			length = RunLength(changes + done, nchanges - done);

		run.attachment = attachment;
		run.batch = batch;
		run.context = context;
		run.changes = changes + done;
		run.nchanges = length;
		run.now = GetCurrentTimestamp();
		run.direct = direct;
		if (run.changes[0]->event == EVENT_REKEY)
		{
			if (more_to_come && !OldKeysAreComplete(&run))
				break;
			FindJoined(&run);
			MoveRecords(&run);
		}
		ExecuteRun(&run, more_to_come && run.joined == NULL);
		for (int i = 0; i < run.nchanges; i++)
		{
			run.changes[i]->written = true;
			if (more_to_come)
				align_pending_tell(batch, run.changes[i]);
		}
		done += run.nchanges;
		if (run.nchanges < length)
			break;
	}
	align_resume_identity(&identity);
	if (direct != NULL)
		align_direct_end(direct);
}

/*
 * One pass over what is pending now; true if more came meanwhile, from triggers
 * that the owner has on history or clocks.
 */
static bool
FlushOnce(Attachment *attachment, Batch *batch, bool more_to_come)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align recorder",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	int			level = GetCurrentTransactionNestLevel();
	int			npending = batch->nchanges;
	Change	  **changes = palloc(npending * sizeof(Change *));
	int			nchanges = 0;
	bool	   *gone;
	bool		more_came;

	for (int i = 0; i < npending; i++)
	{
		if (batch->changes[i]->nest_level >= level)
			changes[nchanges++] = batch->changes[i];
	}
	qsort(changes, nchanges, sizeof(Change *), CompareForRuns);

	align_spi_connect();
	MemoryContextSwitchTo(context);
	WriteChanges(attachment, batch, context, changes, nchanges,
				 more_to_come || nchanges < npending);
	SPI_finish();

	more_came = batch->nchanges > npending;
	gone = palloc(batch->nchanges * sizeof(bool));
	for (int i = 0; i < batch->nchanges; i++)
		gone[i] = batch->changes[i]->written;
	align_pending_remove(batch, gone);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return more_came;
}

static void
Flush(Attachment *attachment, Batch *batch, bool more_to_come)
{
	/* who flushes already will write this too */
	if (batch->flush_level > 0)
		return;
	batch->flush_level = GetCurrentTransactionNestLevel();
	while (FlushOnce(attachment, batch, more_to_come))
		;
	batch->flush_level = 0;
	batch->nwaiting = batch->nchanges;
}

int
align_trigger_depth(void)
{
	/* it looks at none of its arguments */
	return DatumGetInt32(pg_trigger_depth(NULL));
}

void
align_recorder_flush(Attachment *attachment, Batch *batch, bool more_to_come)
{
	more_to_come = more_to_come || align_trigger_depth() > 1;
	if (batch->nchanges > 0)
		Flush(attachment, batch, more_to_come);
	if (!more_to_come)
		batch->settled = GetCurrentCommandId(false) + 1;
}

void
align_recorder_flush_all(void)
{
	ListCell   *cell;
	List	   *batches = align_pending_batches();
	bool		need_snapshot = batches != NIL && !ActiveSnapshotSet();

	if (need_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	foreach(cell, batches)
	{
		Batch	   *batch = (Batch *) lfirst(cell);

		Flush(align_attachment(batch->root, false), batch, align_trigger_depth() > 0);
	}
	if (need_snapshot)
		PopActiveSnapshot();
}

