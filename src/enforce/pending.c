/*
 * pending.c
 *	  Keeps changes between the row triggers and the recorder; see pending.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "replication/logicalworker.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "enforce/pending.h"

#define FIRST_ROOM 64

static List *batches = NIL;		/* in TopTransactionContext */
static bool callbacks_registered = false;

int
align_trigger_depth(void)
{
	/* it reads none of its arguments */
	return DatumGetInt32(pg_trigger_depth(NULL));
}

static void
ForgetChanges(Batch *batch)
{
	batch->nchanges = 0;
	batch->room = 0;
	batch->changes = NULL;
	batch->db_role = NULL;
	MemoryContextReset(batch->context);
}

void
align_pending_end_waiting(Batch *batch)
{
	batch->nwaiting = 0;
	batch->waiting_room = 0;
	batch->waiting = NULL;
	batch->waiting_leads = NULL;
	MemoryContextReset(batch->waiting_context);
}

void
align_pending_forget(Batch *batch)
{
	ForgetChanges(batch);
	align_pending_end_waiting(batch);
}

/* The memory of the batches goes with the transaction. */
static void
TransactionEnds(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		batches = NIL;
}

/*
 * Drops the changes of an aborted level, or gives those of a committed one to its
 * parent; returns how many there are afterwards.
 */
static int
ReleaseChanges(Change **changes, int nchanges, int level, bool aborted)
{
	int			kept = 0;

	for (int i = 0; i < nchanges; i++)
	{
		Change	   *change = changes[i];

		if (change->nest_level >= level)
		{
			if (aborted)
				continue;
			change->nest_level = level - 1;
		}
		changes[kept++] = change;
	}
	return kept;
}

static void
ReleaseLevel(Batch *batch, int level, bool aborted)
{
	int			kept = 0;

	batch->nchanges = ReleaseChanges(batch->changes, batch->nchanges, level, aborted);
	batch->nwaiting = ReleaseChanges(batch->waiting, batch->nwaiting, level, aborted);
	for (int i = 0; i < batch->nopen; i++)
	{
		OpenStatement *statement = &batch->open[i];

		if (statement->nest_level >= level)
		{
			if (aborted)
				continue;
			statement->nest_level = level - 1;
		}
		batch->open[kept++] = *statement;
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

Batch *
align_pending_find(Oid root)
{
	ListCell   *cell;

	foreach(cell, batches)
	{
		Batch	   *batch = (Batch *) lfirst(cell);

		if (batch->root == root)
			return batch;
	}
	return NULL;
}

Batch *
align_pending_batch(Oid root)
{
	Batch	   *batch = align_pending_find(root);
	MemoryContext old_context;

	if (batch != NULL)
		return batch;
	if (!callbacks_registered)
	{
		RegisterXactCallback(TransactionEnds, NULL);
		RegisterSubXactCallback(SubtransactionEnds, NULL);
		callbacks_registered = true;
	}
	old_context = MemoryContextSwitchTo(TopTransactionContext);
	batch = palloc0(sizeof(Batch));
	batch->root = root;
	batch->context = AllocSetContextCreate(TopTransactionContext, "align pending changes",
										   ALLOCSET_DEFAULT_SIZES);
	batch->waiting_context = AllocSetContextCreate(TopTransactionContext,
												   "align waiting changes",
												   ALLOCSET_SMALL_SIZES);
	batches = lappend(batches, batch);
	MemoryContextSwitchTo(old_context);
	return batch;
}

List *
align_pending_batches(void)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, batches)
	{
		Batch	   *batch = (Batch *) lfirst(cell);

		if (batch->nchanges > 0 || batch->nwaiting > 0)
			result = lappend(result, batch);
	}
	return result;
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

/*
 * May a statement on this table be open that is not on the stack?
 */
static bool
HasUnseenStatements(const Batch *batch, const Attachment *attachment)
{
	return attachment->marker.partitioned || batch->cascaded || IsLogicalWorker();
}

/*
 * The innermost open statement is the one whose trigger fires, unless rows were
 * written directly to a partition: then it was begun at a lower trigger depth.
 */
int
align_pending_outer(const Batch *batch, const Attachment *attachment)
{
	int			depth = align_trigger_depth();
	int			nopen = batch->nopen;

	if (nopen > 0 && batch->open[nopen - 1].trigger_depth >= depth)
		nopen--;
	return HasUnseenStatements(batch, attachment) ? Max(nopen, depth - 1) : nopen;
}

int
align_pending_open(const Batch *batch, const Attachment *attachment)
{
	return HasUnseenStatements(batch, attachment) ? Max(batch->nopen, align_trigger_depth()) :
		batch->nopen;
}

static Change **
MakeRoom(MemoryContext context, Change **changes, int nchanges, int *room)
{
	if (nchanges < *room)
		return changes;
	*room = *room == 0 ? FIRST_ROOM : *room * 2;
	if (changes == NULL)
		return MemoryContextAlloc(context, *room * sizeof(Change *));
	return repalloc_huge(changes, *room * sizeof(Change *));
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
	change->outer = align_pending_outer(batch, attachment);
	change->before = InvalidCommandId;
	change->effective_at = CHANGE_TIME_UNKNOWN;

	batch->changes = MakeRoom(batch->context, batch->changes, batch->nchanges, &batch->room);
	batch->changes[batch->nchanges++] = change;
	MemoryContextSwitchTo(old_context);
	return change;
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

static void
CopyString(const char **string)
{
	if (*string != NULL)
		*string = pstrdup(*string);
}

void
align_pending_wait(Batch *batch, const Attachment *attachment, const Change *change)
{
	MemoryContext old_context = MemoryContextSwitchTo(batch->waiting_context);
	Change	   *copy = palloc(sizeof(Change));
	const char **strings[] = {
		&copy->from_stage, &copy->stage, &copy->from_team, &copy->team, &copy->from_assignee,
		&copy->assignee, &copy->actor, &copy->db_role, &copy->reason, &copy->note,
		&copy->campaign, &copy->violation
	};
	bool		found;

	/* source and handoff are static, or belong to a compiled funnel */
	*copy = *change;
	align_copy_key(attachment, change->key, copy->key);
	if (change->event == EVENT_REKEY)
		align_copy_key(attachment, change->old_key, copy->old_key);
	for (int i = 0; i < (int) lengthof(strings); i++)
		CopyString(strings[i]);
	if (change->has_amount)
		copy->amount = datumCopy(change->amount, false, -1);

	if (batch->waiting_leads == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(uint32);
		control.entrysize = sizeof(uint32);
		control.hcxt = batch->waiting_context;
		batch->waiting_leads = hash_create("align waiting leads", 64, &control,
										   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	(void) hash_search(batch->waiting_leads, &copy->hash, HASH_ENTER, &found);
	batch->waiting = MakeRoom(batch->waiting_context, batch->waiting, batch->nwaiting,
							  &batch->waiting_room);
	batch->waiting[batch->nwaiting++] = copy;
	MemoryContextSwitchTo(old_context);
}

bool
align_pending_waits(const Batch *batch, uint32 hash)
{
	return batch->waiting_leads != NULL &&
		hash_search(batch->waiting_leads, &hash, HASH_FIND, NULL) != NULL;
}

bool
align_pending_may_follow(const Batch *batch, const Attachment *attachment, const Change *change)
{
	return change->before != InvalidCommandId &&
		Min(change->outer, align_pending_open(batch, attachment)) > 0;
}

Change *
align_pending_movable(Batch *batch, CommandId command)
{
	for (int i = batch->nchanges - 1; i >= 0; i--)
	{
		Change	   *change = batch->changes[i];

		/* the halves follow each other, but for what other triggers did in between */
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
align_pending_begin(Batch *batch, TriggerEvent kind, bool sets_key)
{
	OpenStatement *statement;

	if (batch->nopen == batch->open_room)
	{
		batch->open_room = batch->open_room == 0 ? 4 : batch->open_room * 2;
		if (batch->open == NULL)
			batch->open = MemoryContextAlloc(TopTransactionContext,
											 batch->open_room * sizeof(OpenStatement));
		else
			batch->open = repalloc(batch->open, batch->open_room * sizeof(OpenStatement));
	}
	statement = &batch->open[batch->nopen++];
	statement->kind = kind;
	statement->trigger_depth = align_trigger_depth();
	statement->nest_level = GetCurrentTransactionNestLevel();
	statement->sets_key = sets_key;
}

/*
 * A statement that a foreign key's cascade runs begins one trigger deeper than it
 * ends: its AFTER triggers fire in the query that set the cascade off.
 */
void
align_pending_end(Batch *batch, TriggerEvent kind)
{
	int			depth = align_trigger_depth();

	for (int i = batch->nopen - 1; i >= 0 && batch->open[i].trigger_depth >= depth; i--)
	{
		if (batch->open[i].kind != kind)
			continue;
		if (batch->open[i].trigger_depth > depth)
			batch->cascaded = true;
		memmove(&batch->open[i], &batch->open[i + 1],
				(batch->nopen - i - 1) * sizeof(OpenStatement));
		batch->nopen--;
		return;
	}
}
