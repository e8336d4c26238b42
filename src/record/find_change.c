/*
 * find_change.c
 *	  Searches the pending changes of a batch; see pending.h.
 */
#include "postgres.h"

#include "attachment/key.h"
#include "record/pending.h"

/*
 * True if a change takes a key away from its lead.
 */
static bool
LeavesKey(Attachment *attachment, const Change *change, const Datum *key)
{
	return change->event == EVENT_REKEY && align_same_key(attachment, change->old_key, key);
}

/*
 * Returns the later one of two changes that concern a key; either may be NULL.
 * Where one command gives a key to another lead, it has been left before.
 */
static const Change *
LaterChange(Attachment *attachment, const Change *a, const Change *b, const Datum *key)
{
	bool		a_leaves;

	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	if (a->command != b->command)
		return a->command > b->command ? a : b;
	a_leaves = LeavesKey(attachment, a, key);
	if (a_leaves != LeavesKey(attachment, b, key))
		return a_leaves ? b : a;
	return a->arrival > b->arrival ? a : b;
}

/*
 * Returns the last change that concerns a key, by a command less than
 * "before", in an array of changes, or NULL.
 */
static const Change *
LastBefore(Attachment *attachment, Change **changes, int nchanges, const Datum *key, uint32 hash,
		   CommandId before)
{
	const Change *last = NULL;

	for (int i = 0; i < nchanges; i++)
	{
		const Change *change = changes[i];

		if (change->command < before &&
			((change->hash == hash && align_same_key(attachment, change->key, key)) ||
			 (change->old_hash == hash && LeavesKey(attachment, change, key))))
			last = LaterChange(attachment, last, change, key);
	}
	return last;
}

/*
 * Returns the last pending change that concerns a key, by a command less than
 * "before", or NULL.  An array is searched only if it may have one.
 */
const Change *
align_pending_last(Batch *batch, Attachment *attachment, const Datum *key, CommandId before)
{
	const WaitingChanges *waiting = &batch->waiting;
	uint32		hash = align_pending_hash(attachment, key);
	const Change *last = NULL;

	if (align_pending_has_outer(batch, batch->nchanges, hash))
		last = LastBefore(attachment, batch->changes, batch->nchanges, key, hash, before);
	if (align_pending_has_waiting(batch, hash))
		last = LaterChange(attachment, last,
						   LastBefore(attachment, waiting->changes, waiting->n, key, hash, before),
						   key);
	return last;
}

/*
 * Returns the DELETE of a row movement by the command that has no second half
 * yet, or NULL.
 */
Change *
align_pending_first_half(Batch *batch, CommandId command)
{
	for (int i = batch->nchanges - 1; i >= 0; i--)
	{
		Change	   *change = batch->changes[i];

		/*
		 * Only changes by later commands, of other triggers, can be between
		 * the two halves.
		 */
		if (change->command <= command)
			return change->first_half && change->command == command ? change : NULL;
	}
	return NULL;
}
