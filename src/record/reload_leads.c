/*
 * reload_leads.c
 *	  The state of the leads of a store of deferred deletions; see
 *	  reload_leads.h.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "record/reload_leads.h"

#define INITIAL_BUCKETS 1024
#define INITIAL_JOURNAL 64

/*
 * Initializes an empty set of leads.
 */
void
align_leads_begin(ReloadLeads *leads, MemoryContext context)
{
	memset(leads, 0, sizeof(ReloadLeads));
	leads->context = context;
	leads->free = NO_LEAD;
	leads->nbuckets = INITIAL_BUCKETS;
	leads->buckets = MemoryContextAlloc(context, INITIAL_BUCKETS * sizeof(uint32));
	memset(leads->buckets, 0xFF, INITIAL_BUCKETS * sizeof(uint32));
}

/*
 * Returns the size of the memory of leads.
 */
Size
align_leads_memory(const ReloadLeads *leads)
{
	return (Size) leads->nleads * sizeof(StoredLead) + (Size) leads->nsaved * sizeof(SavedState) +
		(Size) leads->nbuckets * sizeof(uint32);
}

/*
 * Replaces the state of a lead, and counts those that are deferred.
 */
static void
ReplaceState(ReloadLeads *leads, StoredLead *lead, const DeletionState *state)
{
	leads->ndeferred -= lead->state.deferred;
	lead->state = *state;
	leads->ndeferred += lead->state.deferred;
}

/*
 * Frees a lead if nothing depends on it.
 */
static void
FreeIfUnused(ReloadLeads *leads, uint32 number)
{
	StoredLead *lead = align_lead_number(leads, number);
	uint32	   *link = &leads->buckets[lead->hash & (leads->nbuckets - 1)];

	if (lead->state.deferred || lead->state.made_by != 0 || lead->saved != NULL ||
		lead->state.nest_level > 1)
		return;
	while (*link != number)
		link = &align_lead_number(leads, *link)->next;
	*link = lead->next;
	lead->state.nest_level = 0;
	lead->next = leads->free;
	leads->free = number;
	leads->nused--;
}

/*
 * Removes the latest saved state of a lead, and returns it.
 */
static DeletionState
PopSaved(ReloadLeads *leads, StoredLead *lead)
{
	SavedState *saved = lead->saved;

	lead->saved = saved->next;
	saved->next = leads->free_saved;
	leads->free_saved = saved;
	leads->nsaved--;
	return saved->state;
}

/*
 * Makes room for another entry of the journal.
 */
static void
ReserveJournal(ReloadLeads *leads)
{
	int			room = Max(INITIAL_JOURNAL, leads->maxjournal * 2);

	if (leads->njournal < leads->maxjournal)
		return;
	if (leads->journal == NULL)
		leads->journal = MemoryContextAlloc(leads->context, room * sizeof(JournalEntry));
	else
		leads->journal = repalloc_huge(leads->journal, room * sizeof(JournalEntry));
	leads->maxjournal = room;
}

/*
 * Saves the state of a lead before the current subtransaction changes it.  A
 * new lead has none.
 */
static void
SaveState(ReloadLeads *leads, uint32 number)
{
	StoredLead *lead = align_lead_number(leads, number);
	int			level = GetCurrentTransactionNestLevel();
	SavedState *saved = leads->free_saved;

	if ((int) lead->state.nest_level >= level)
		return;
	/* what can fail comes first */
	ReserveJournal(leads);
	if (lead->state.nest_level != 0)
	{
		if (saved != NULL)
			leads->free_saved = saved->next;
		else
			saved = MemoryContextAlloc(leads->context, sizeof(SavedState));
		saved->state = lead->state;
		saved->next = lead->saved;
		lead->saved = saved;
		leads->nsaved++;
	}
	lead->state.nest_level = level;
	if (level == 1)
		return;
	leads->journal[leads->njournal].lead = number;
	leads->journal[leads->njournal].nest_level = level;
	leads->njournal++;
}

/*
 * Gives a lead a state in the current subtransaction.
 */
void
align_leads_set_state(ReloadLeads *leads, uint32 number, DeletionState state)
{
	StoredLead *lead = align_lead_number(leads, number);

	SaveState(leads, number);
	state.nest_level = lead->state.nest_level;
	ReplaceState(leads, lead, &state);
	FreeIfUnused(leads, number);
}

/*
 * Restores what a subtransaction, which was aborted, has changed.
 */
void
align_leads_abort_level(ReloadLeads *leads, int level)
{
	static const DeletionState none = {0};

	while (leads->njournal > 0 && leads->journal[leads->njournal - 1].nest_level >= level)
	{
		uint32		number = leads->journal[--leads->njournal].lead;
		StoredLead *lead = align_lead_number(leads, number);
		DeletionState before = lead->saved != NULL ? PopSaved(leads, lead) : none;

		ReplaceState(leads, lead, &before);
		FreeIfUnused(leads, number);
	}
}

/*
 * Passes what a subtransaction has changed to its parent.
 */
void
align_leads_commit_level(ReloadLeads *leads, int level)
{
	int			first = leads->njournal;
	int			kept;

	while (first > 0 && leads->journal[first - 1].nest_level >= level)
		first--;
	kept = first;
	for (int i = first; i < leads->njournal; i++)
	{
		uint32		number = leads->journal[i].lead;
		StoredLead *lead = align_lead_number(leads, number);
		bool		merged = level - 1 == 1;

		lead->state.nest_level = level - 1;
		/* what the parent has set itself is replaced */
		if (lead->saved != NULL && (int) lead->saved->state.nest_level == level - 1)
		{
			(void) PopSaved(leads, lead);
			merged = true;
		}
		if (merged)
			FreeIfUnused(leads, number);
		else
		{
			leads->journal[kept].lead = number;
			leads->journal[kept++].nest_level = level - 1;
		}
	}
	leads->njournal = kept;
}

/*
 * Doubles the number of buckets.
 */
static void
EnlargeBuckets(ReloadLeads *leads)
{
	Size		size = (Size) leads->nbuckets * 2 * sizeof(uint32);

	leads->buckets = repalloc_huge(leads->buckets, size);
	leads->nbuckets *= 2;
	memset(leads->buckets, 0xFF, size);
	for (uint32 i = 0; i < leads->nleads; i++)
	{
		StoredLead *lead = align_lead_number(leads, i);
		uint32	   *bucket;

		if (lead->state.nest_level == 0)
			continue;
		bucket = &leads->buckets[lead->hash & (leads->nbuckets - 1)];
		lead->next = *bucket;
		*bucket = i;
	}
}

/*
 * Makes sure that there is a free lead.
 */
static void
ReserveLead(ReloadLeads *leads)
{
	uint32		nblocks = leads->nleads / LEADS_PER_BLOCK;
	StoredLead *block;

	if (leads->free != NO_LEAD)
		return;
	if (leads->nleads > NO_LEAD - LEADS_PER_BLOCK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows deleted in one transaction")));
	if (leads->nleads >= leads->nbuckets)
		EnlargeBuckets(leads);
	if ((int) nblocks == leads->maxblocks)
	{
		int			room = Max(16, leads->maxblocks * 2);

		if (leads->blocks == NULL)
			leads->blocks = MemoryContextAlloc(leads->context, room * sizeof(StoredLead *));
		else
			leads->blocks = repalloc_huge(leads->blocks, room * sizeof(StoredLead *));
		leads->maxblocks = room;
	}
	block = MemoryContextAllocZero(leads->context, LEADS_PER_BLOCK * sizeof(StoredLead));
	leads->blocks[nblocks] = block;
	for (int i = 0; i < LEADS_PER_BLOCK; i++)
		block[i].next = i < LEADS_PER_BLOCK - 1 ? leads->nleads + i + 1 : NO_LEAD;
	leads->free = leads->nleads;
	leads->nleads += LEADS_PER_BLOCK;
}

/*
 * Adds a lead, whose key is in a record, and returns its number.
 */
uint32
align_leads_add(ReloadLeads *leads, uint32 hash, int64 position)
{
	uint32		number;
	uint32	   *bucket;
	StoredLead *lead;

	/* what can fail, now or in the first SaveState(), comes first */
	ReserveLead(leads);
	ReserveJournal(leads);
	number = leads->free;
	lead = align_lead_number(leads, number);
	leads->free = lead->next;
	leads->nused++;
	memset(lead, 0, sizeof(StoredLead));
	lead->state.position = position;
	lead->hash = hash;
	bucket = &leads->buckets[hash & (leads->nbuckets - 1)];
	lead->next = *bucket;
	*bucket = number;
	return number;
}
