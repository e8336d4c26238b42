/*
 * pending.c
 *	  The pending changes of a batch: adds, copies and removes them; see
 *	  pending.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "attachment/key.h"
#include "record/pending.h"

#define INITIAL_CHANGES 64

/*
 * Returns the number of nested trigger calls.
 */
int
align_trigger_depth(void)
{
	/* pg_trigger_depth() does not look at its call info */
	return DatumGetInt32(pg_trigger_depth(NULL));
}

/*
 * Returns the number of open statements around the one whose row trigger is
 * executing.
 *
 * Usually that one is the innermost of the stack.  If it wrote directly to a
 * partition, it is not on the stack; then the innermost one of the stack, if
 * any, began at a lower trigger depth.
 */
int
align_pending_outer_statements(const Batch *batch)
{
	int			nopen = batch->nopen;

	if (nopen > 0 && batch->open[nopen - 1].trigger_depth >= align_trigger_depth())
		nopen--;
	return nopen;
}

/*
 * Returns the hash of a key, by the hash functions of its types.
 */
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
 * Creates a set of hashes of keys.
 */
static HTAB *
CreateHashSet(const char *name, MemoryContext context)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(uint32);
	control.entrysize = sizeof(uint32);
	control.hcxt = context;
	return hash_create(name, 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * Returns the index of the first change of a nesting level or a greater one.
 */
int
align_pending_first_of_level(Change **changes, int nchanges, int level)
{
	int			first = nchanges;

	while (first > 0 && changes[first - 1]->nest_level >= level)
		first--;
	return first;
}

/*
 * Forgets the leads with changes of outer nesting levels, unless they are
 * those of the first "kept" changes or fewer.
 */
static void
ForgetOuterLeads(Batch *batch, int kept)
{
	if (batch->nouter_leads <= kept)
		return;
	hash_destroy(batch->outer_leads);
	batch->outer_leads = NULL;
	batch->nouter_leads = 0;
}

/*
 * True if one of the first "nouter" changes is of a lead whose key, or former
 * key, has the given hash.
 */
bool
align_pending_has_outer(Batch *batch, int nouter, uint32 hash)
{
	ForgetOuterLeads(batch, nouter);
	if (batch->outer_leads == NULL)
		batch->outer_leads = CreateHashSet("align outer leads", TopTransactionContext);
	while (batch->nouter_leads < nouter)
	{
		const Change *outer = batch->changes[batch->nouter_leads++];

		(void) hash_search(batch->outer_leads, &outer->hash, HASH_ENTER, NULL);
		(void) hash_search(batch->outer_leads, &outer->old_hash, HASH_ENTER, NULL);
	}
	return hash_search(batch->outer_leads, &hash, HASH_FIND, NULL) != NULL;
}

/*
 * Drops all changes that are not waiting.
 */
static void
ClearChanges(Batch *batch)
{
	ForgetOuterLeads(batch, 0);
	batch->nchanges = 0;
	batch->maxchanges = 0;
	batch->ndropped = 0;
	batch->changes = NULL;
	batch->db_role = NULL;
	MemoryContextReset(batch->context);
}

/*
 * Frees waiting changes.
 */
void
align_pending_free_waiting(WaitingChanges *waiting)
{
	if (waiting->context != NULL)
		MemoryContextDelete(waiting->context);
	memset(waiting, 0, sizeof(WaitingChanges));
}

/*
 * Takes the waiting changes out of the batch.
 */
WaitingChanges
align_pending_take_waiting(Batch *batch)
{
	WaitingChanges result = batch->waiting;

	memset(&batch->waiting, 0, sizeof(WaitingChanges));
	return result;
}

/*
 * Drops all changes.
 */
void
align_pending_clear(Batch *batch)
{
	ClearChanges(batch);
	align_pending_free_waiting(&batch->waiting);
}

/*
 * At the end of a subtransaction, removes its changes if it was aborted, or
 * passes them to its parent.  Returns the number of changes that are left.
 *
 * Nesting levels do not decrease along the array, so the changes of the
 * subtransaction are the last ones; the others are not visited.
 */
static int
ReleaseChanges(Change **changes, int nchanges, int level, bool aborted)
{
	int			first = align_pending_first_of_level(changes, nchanges, level);

	if (aborted)
		return first;
	for (int i = first; i < nchanges; i++)
		changes[i]->nest_level = level - 1;
	return nchanges;
}

/*
 * The same for all members of a batch.
 */
void
align_pending_release_level(Batch *batch, int level, bool aborted)
{
	WaitingChanges *waiting = &batch->waiting;
	int			npending = batch->nchanges;
	int			kept = 0;

	batch->nchanges = ReleaseChanges(batch->changes, batch->nchanges, level, aborted);
	batch->ndropped += npending - batch->nchanges;
	ForgetOuterLeads(batch, batch->nchanges);
	waiting->n = ReleaseChanges(waiting->changes, waiting->n, level, aborted);
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
	/* an error has ended the flush */
	if (aborted && batch->flush_level >= level)
		batch->flush_level = 0;
	if (batch->nchanges == 0 && batch->ndropped > 0 && batch->flush_level == 0)
		ClearChanges(batch);
	if (waiting->n == 0)
		align_pending_free_waiting(waiting);
}

/*
 * Returns the array of changes, enlarged if it has no space for one more.
 */
static Change **
EnlargeChanges(MemoryContext context, Change **changes, int nchanges, int *maxchanges)
{
	int			size = *maxchanges == 0 ? INITIAL_CHANGES : *maxchanges * 2;

	if (nchanges < *maxchanges)
		return changes;
	if (changes == NULL)
		changes = MemoryContextAlloc(context, size * sizeof(Change *));
	else
		changes = repalloc_huge(changes, size * sizeof(Change *));
	/* not before: if memory runs out, the array keeps its size */
	*maxchanges = size;
	return changes;
}

/*
 * Replaces a string, unless it is NULL, by a copy in the current memory
 * context.
 */
static void
CopyString(const char **string)
{
	if (*string != NULL)
		*string = pstrdup(*string);
}

/*
 * Returns a copy of a change in the current memory context.
 */
static Change *
CopyChange(const Attachment *attachment, const Change *change)
{
	Change	   *copy = palloc(sizeof(Change));
	const char **strings[] = {
		&copy->from_stage, &copy->stage, &copy->from_team, &copy->team, &copy->from_assignee,
		&copy->assignee, &copy->actor, &copy->db_role, &copy->reason, &copy->note,
		&copy->campaign, &copy->violation, &copy->segments
	};

	/* source is static; handoff and its teams belong to a compiled funnel */
	*copy = *change;
	align_copy_key(attachment, change->key, copy->key);
	if (change->event == EVENT_REKEY)
		align_copy_key(attachment, change->old_key, copy->old_key);
	if (change->old_row != NULL)
		copy->old_row = heap_copytuple(change->old_row);
	for (int i = 0; i < (int) lengthof(strings); i++)
		CopyString(strings[i]);
	if (change->has_amount)
		copy->amount = datumCopy(change->amount, false, -1);
	return copy;
}

/*
 * Frees the memory of changes that were dropped with their subtransactions, by
 * copying those that are left to a new memory context.
 */
static void
FreeDropped(Batch *batch, const Attachment *attachment)
{
	MemoryContext new_context = AllocSetContextCreate(TopTransactionContext,
													  "align pending changes",
													  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(new_context);
	Change	  **changes = palloc_array(Change *, batch->nchanges);

	for (int i = 0; i < batch->nchanges; i++)
		changes[i] = CopyChange(attachment, batch->changes[i]);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(batch->context);
	batch->context = new_context;
	batch->changes = changes;
	batch->maxchanges = batch->nchanges;
	batch->ndropped = 0;
	batch->db_role = NULL;
}

/*
 * Adds a change of the lead with the given key to the batch.
 */
Change *
align_pending_add(Batch *batch, Attachment *attachment, const Datum *key)
{
	MemoryContext old_context;
	Change	   *change;

	if (batch->ndropped > Max(batch->nchanges, PENDING_BATCH) && batch->flush_level == 0)
		FreeDropped(batch, attachment);
	old_context = MemoryContextSwitchTo(batch->context);
	change = palloc0(sizeof(Change));
	align_copy_key(attachment, key, change->key);
	change->hash = align_pending_hash(attachment, key);
	change->old_hash = change->hash;
	change->nest_level = GetCurrentTransactionNestLevel();
	change->arrival = batch->arrivals++;
	change->nouter = align_pending_outer_statements(batch);
	change->replaced_command = InvalidCommandId;
	change->replaced_by = InvalidCommandId;
	change->effective_at = CHANGE_TIME_UNKNOWN;
	change->restricted = InSecurityRestrictedOperation();

	Assert(batch->nchanges == 0 ||
		   batch->changes[batch->nchanges - 1]->nest_level <= change->nest_level);
	batch->changes = EnlargeChanges(batch->context, batch->changes, batch->nchanges,
									&batch->maxchanges);
	batch->changes[batch->nchanges++] = change;
	MemoryContextSwitchTo(old_context);
	return change;
}

/*
 * Removes one change.  It is searched for from the end.
 */
void
align_pending_remove_one(Batch *batch, const Change *change)
{
	int			i = batch->nchanges - 1;

	while (batch->changes[i] != change)
		i--;
	memmove(&batch->changes[i], &batch->changes[i + 1],
			(batch->nchanges - i - 1) * sizeof(Change *));
	ForgetOuterLeads(batch, i);
	batch->nchanges--;
	if (batch->nchanges == 0)
		ClearChanges(batch);
}

/*
 * Removes those changes from number first on for which gone[] is true.
 */
void
align_pending_remove(Batch *batch, int first, const bool *gone)
{
	int			kept = first;

	ForgetOuterLeads(batch, first);
	for (int i = first; i < batch->nchanges; i++)
	{
		if (!gone[i - first])
			batch->changes[kept++] = batch->changes[i];
	}
	batch->nchanges = kept;
	if (kept == 0)
		ClearChanges(batch);
}

/*
 * Adds a copy of a change to the waiting changes.
 */
void
align_pending_add_waiting(Batch *batch, const Attachment *attachment, const Change *change)
{
	WaitingChanges *waiting = &batch->waiting;
	MemoryContext old_context;
	Change	   *copy;
	bool		found;

	if (waiting->context == NULL)
		waiting->context = AllocSetContextCreate(TopTransactionContext, "align waiting changes",
												 ALLOCSET_SMALL_SIZES);
	old_context = MemoryContextSwitchTo(waiting->context);
	copy = CopyChange(attachment, change);
	copy->waits = true;
	if (waiting->leads == NULL)
		waiting->leads = CreateHashSet("align waiting leads", waiting->context);
	(void) hash_search(waiting->leads, &copy->hash, HASH_ENTER, &found);
	Assert(waiting->n == 0 || waiting->changes[waiting->n - 1]->nest_level <= copy->nest_level);
	waiting->changes = EnlargeChanges(waiting->context, waiting->changes, waiting->n,
									  &waiting->max);
	waiting->changes[waiting->n++] = copy;
	MemoryContextSwitchTo(old_context);
}

/*
 * True if a change of a lead whose key has the given hash is waiting.
 */
bool
align_pending_has_waiting(const Batch *batch, uint32 hash)
{
	return batch->waiting.leads != NULL &&
		hash_search(batch->waiting.leads, &hash, HASH_FIND, NULL) != NULL;
}

/*
 * Returns a null-terminated copy of a string in the batch's memory context.
 */
char *
align_pending_copy_string(Batch *batch, const char *text, int len)
{
	char	   *result;

	if (text == NULL)
		return NULL;
	result = MemoryContextAlloc(batch->context, len + 1);
	memcpy(result, text, len);
	result[len] = '\0';
	return result;
}
