/*
 * order.c
 *	  Sorts pending changes; see order.h.
 */
#include "postgres.h"

#include "utils/hsearch.h"

#include "attachment/key.h"
#include "record/order.h"

/*
 * The changes of a lead that arrived so far.
 */
typedef struct LeadChanges
{
	uint32		hash;			/* of its key; hash key */
	CommandId	latest;			/* greatest command of these changes */
	int			last;			/* index of the last link, or -1 */
} LeadChanges;

typedef struct Link
{
	const Change *change;
	int			previous;		/* index of the link before, or -1 */
} Link;

typedef struct Arrivals
{
	Attachment *attachment;
	HTAB	   *leads;			/* of LeadChanges */
	int			nlinks;
	Link	   *links;
} Arrivals;

/*
 * qsort comparator: by arrival.
 */
static int
CompareArrivals(const void *left, const void *right)
{
	const Change *a = *(Change *const *) left;
	const Change *b = *(Change *const *) right;

	return (a->arrival > b->arrival) - (a->arrival < b->arrival);
}

/*
 * Returns the place of a change among those of its command: deletions, changes
 * of keys, others.
 */
static int
ClassOf(const Change *change)
{
	if (change->removes_row)
		return 0;
	return change->event == EVENT_REKEY ? 1 : 2;
}

/*
 * qsort comparator: by position, class and arrival.
 */
static int
ComparePositions(const void *left, const void *right)
{
	const Change *a = *(Change *const *) left;
	const Change *b = *(Change *const *) right;

	if (a->position != b->position)
		return a->position < b->position ? -1 : 1;
	if (ClassOf(a) != ClassOf(b))
		return ClassOf(a) - ClassOf(b);
	return CompareArrivals(left, right);
}

/*
 * True if a change concerns the lead with a key.
 */
static bool
Concerns(Attachment *attachment, const Change *change, const Datum *key)
{
	return align_same_key(attachment, change->key, key) ||
		(change->event == EVENT_REKEY && align_same_key(attachment, change->old_key, key));
}

/*
 * Returns the changes of the leads whose keys have a hash.
 */
static LeadChanges *
FindLead(Arrivals *arrivals, uint32 hash)
{
	bool		found;
	LeadChanges *lead = hash_search(arrivals->leads, &hash, HASH_ENTER, &found);

	if (!found)
	{
		lead->latest = 0;
		lead->last = -1;
	}
	return lead;
}

/*
 * Moves the position of a change behind those changes of its lead that were
 * made before it by later commands.
 *
 * Only the new key of a change of key matters: other rows get its old key
 * after the change.
 */
static void
PlaceBehind(Arrivals *arrivals, Change *change)
{
	const LeadChanges *lead = FindLead(arrivals, change->hash);

	if (change->removes_row || change->keeps_key || change->as_found ||
		lead->latest <= change->command)
		return;
	for (int i = lead->last; i >= 0; i = arrivals->links[i].previous)
	{
		const Change *earlier = arrivals->links[i].change;

		if (earlier->command > change->command && earlier->position < change->replaced_by &&
			earlier->position > change->position &&
			Concerns(arrivals->attachment, earlier, change->key))
			change->position = earlier->position;
	}
}

/*
 * Adds a change to those of the lead whose key has the given hash.
 */
static void
AddLink(Arrivals *arrivals, const Change *change, uint32 hash)
{
	LeadChanges *lead = FindLead(arrivals, hash);
	Link	   *link = &arrivals->links[arrivals->nlinks];

	link->change = change;
	link->previous = lead->last;
	lead->last = arrivals->nlinks++;
	lead->latest = Max(lead->latest, change->command);
}

/*
 * Gives later positions to the changes that need one.  The changes are in
 * order of arrival.
 */
static void
SetPositions(Attachment *attachment, Change **changes, int nchanges)
{
	Arrivals	arrivals = {.attachment = attachment};
	HASHCTL		control = {0};

	control.keysize = sizeof(uint32);
	control.entrysize = sizeof(LeadChanges);
	control.hcxt = CurrentMemoryContext;
	arrivals.leads = hash_create("align order", nchanges, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	arrivals.links = MemoryContextAllocHuge(CurrentMemoryContext,
											2 * (Size) nchanges * sizeof(Link));
	for (int i = 0; i < nchanges; i++)
	{
		Change	   *change = changes[i];

		PlaceBehind(&arrivals, change);
		AddLink(&arrivals, change, change->hash);
		if (change->old_hash != change->hash)
			AddLink(&arrivals, change, change->old_hash);
	}
	hash_destroy(arrivals.leads);
	pfree(arrivals.links);
}

/*
 * Sorts changes into the order in which to write them.
 */
void
align_order_changes(Attachment *attachment, Change **changes, int nchanges)
{
	bool		ordered = true;

	for (int i = 0; i < nchanges; i++)
	{
		changes[i]->position = changes[i]->command;
		ordered = ordered && (i == 0 || changes[i - 1]->command <= changes[i]->command);
	}
	/* without nested statements, arrivals and commands have the same order */
	if (!ordered)
	{
		qsort(changes, nchanges, sizeof(Change *), CompareArrivals);
		SetPositions(attachment, changes, nchanges);
	}
	qsort(changes, nchanges, sizeof(Change *), ComparePositions);
}
