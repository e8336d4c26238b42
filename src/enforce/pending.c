/*
 * pending.c
 *	  Keeps changes between the row triggers and the recorder; see pending.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "enforce/pending.h"
#include "enforce/recorder.h"

#define FIRST_ROOM 64

static List *batches = NIL;		/* in TopTransactionContext */
static bool callbacks_registered = false;

static void
ForgetChanges(Batch *batch)
{
	batch->nchanges = 0;
	batch->room = 0;
	batch->changes = NULL;
	batch->arrivals = 0;
	batch->db_role = NULL;
	MemoryContextReset(batch->context);
}

static void
TransactionEnds(XactEvent event, void *arg)
{
	(void) arg;
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (batches != NIL)
				align_recorder_flush_all();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			batches = NIL;		/* the memory goes with the transaction */
			break;
		default:
			break;
	}
}

static void
ReleaseLevel(Batch *batch, int level, bool aborted)
{
	int			kept = 0;

	for (int i = 0; i < batch->nchanges; i++)
	{
		Change	   *change = batch->changes[i];

		if (change->nest_level >= level)
		{
			if (aborted)
				continue;
			change->nest_level = level - 1;
		}
		batch->changes[kept++] = change;
	}
	batch->nchanges = kept;

	kept = 0;
	for (int i = 0; i < batch->nopen; i++)
	{
		if (batch->open_levels[i] >= level)
		{
			if (aborted)
				continue;
			batch->open_levels[i] = level - 1;
		}
		batch->open_levels[kept++] = batch->open_levels[i];
	}
	batch->nopen = kept;
	if (aborted && batch->flush_level >= level)
		batch->flush_level = 0;
}

static void
SubtransactionEnds(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				   void *arg)
{
	ListCell   *cell;

	(void) mySubid;
	(void) parentSubid;
	(void) arg;
	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	foreach(cell, batches)
		ReleaseLevel((Batch *) lfirst(cell), GetCurrentTransactionNestLevel(),
					 event == SUBXACT_EVENT_ABORT_SUB);
}

bool
align_pending_any(void)
{
	return batches != NIL;
}

Batch *
align_pending_batch(Oid root)
{
	MemoryContext old_context;
	Batch	   *batch;
	ListCell   *cell;

	foreach(cell, batches)
	{
		batch = (Batch *) lfirst(cell);
		if (batch->root == root)
			return batch;
	}

	if (!callbacks_registered)
	{
		RegisterXactCallback(TransactionEnds, NULL);
		RegisterSubXactCallback(SubtransactionEnds, NULL);
		callbacks_registered = true;
	}
	old_context = MemoryContextSwitchTo(TopTransactionContext);
	batch = palloc0(sizeof(Batch));
	batch->root = root;
	batch->before = InvalidCommandId;
	batch->context = AllocSetContextCreate(TopTransactionContext, "align pending changes",
										   ALLOCSET_DEFAULT_SIZES);
	batches = lappend(batches, batch);
	MemoryContextSwitchTo(old_context);
	return batch;
}

uint32
align_pending_hash(Attachment *attachment, const Datum *key)
{
	uint32		hash = 0;

	for (int i = 0; i < attachment->nkeys; i++)
	{
		KeyColumn  *column = &attachment->keys[i];

		hash = hash_combine(hash,
							DatumGetUInt32(FunctionCall1Coll(&column->hash, column->collation,
															 key[i])));
	}
	return hash;
}

Change *
align_pending_add(Batch *batch, Attachment *attachment, const Datum *key)
{
	MemoryContext old_context = MemoryContextSwitchTo(batch->context);
	Change	   *change = palloc0(sizeof(Change));

	align_copy_key(attachment, key, change->key);
	change->hash = align_pending_hash(attachment, key);
	change->nest_level = GetCurrentTransactionNestLevel();
	change->arrival = batch->arrivals++;
	change->before = batch->before;
	batch->before = InvalidCommandId;
	change->effective_at = PENDING_NOT_TOLD;

	if (batch->nchanges == batch->room)
	{
		batch->room = batch->room == 0 ? FIRST_ROOM : batch->room * 2;
		if (batch->changes == NULL)
			batch->changes = palloc(batch->room * sizeof(Change *));
		else
			batch->changes = repalloc(batch->changes, batch->room * sizeof(Change *));
	}
	batch->changes[batch->nchanges++] = change;
	MemoryContextSwitchTo(old_context);
	return change;
}

bool
align_pending_is_long(const Batch *batch)
{
	return batch->nchanges - batch->nwaiting >= RECORDER_BATCH;
}

void
align_pending_tell(Batch *batch, const Change *change)
{
	batch->told[batch->ntold % PENDING_TOLD] = (ToldChange) {change->hash, change->command};
	batch->ntold++;
}

bool
align_pending_is_told(const Batch *batch, const Change *change)
{
	if (change->before == InvalidCommandId || change->before < batch->settled)
		return true;
	for (int i = 0; i < Min(batch->ntold, PENDING_TOLD); i++)
	{
		if (batch->told[i].hash == change->hash && batch->told[i].command == change->before)
			return true;
	}
	return false;
}

void
align_pending_remove(Batch *batch, const bool *gone)
{
	int			kept = 0;

	for (int i = 0; i < batch->nchanges; i++)
	{
		if (!gone[i])
			batch->changes[kept++] = batch->changes[i];
	}
	batch->nchanges = kept;
	if (kept == 0)
		ForgetChanges(batch);
}

Change *
align_pending_movable(Batch *batch, CommandId command)
{
	for (int i = batch->nchanges - 1; i >= 0; i--)
	{
		Change	   *change = batch->changes[i];

		/* the halves follow each other, but for what other triggers did meanwhile */
		if (change->command <= command)
			return change->movable && change->command == command ? change : NULL;
	}
	return NULL;
}

char *
align_pending_string(Batch *batch, const char *text, int len)
{
	char	   *result;

	if (text == NULL)
		return NULL;
	result = MemoryContextAlloc(batch->context, len + 1);
	memcpy(result, text, len);
	result[len] = '\0';
	return result;
}

void
align_pending_open(Batch *batch)
{
	if (batch->nopen == batch->open_room)
	{
		batch->open_room = batch->open_room == 0 ? 4 : batch->open_room * 2;
		if (batch->open_levels == NULL)
			batch->open_levels = MemoryContextAlloc(TopTransactionContext,
													batch->open_room * sizeof(int));
		else
			batch->open_levels = repalloc(batch->open_levels, batch->open_room * sizeof(int));
	}
	batch->open_levels[batch->nopen++] = GetCurrentTransactionNestLevel();
}

void
align_pending_close(Batch *batch)
{
	if (batch->nopen > 0)
		batch->nopen--;
}

List *
align_pending_batches(void)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, batches)
	{
		if (((Batch *) lfirst(cell))->nchanges > 0)
			result = lappend(result, lfirst(cell));
	}
	return result;
}
