/*
 * reload_leads.h
 *	  The state of the leads of a store of deferred deletions, with savepoints.
 *
 * A lead is found by the hash of its key.  The key itself is in a record of a
 * log, whose position is part of the state.
 *
 * A lead has the state that the current subtransaction sees.  When a
 * subtransaction changes it for the first time, the state before is saved, and
 * the lead is added to a journal.  The end of the subtransaction reads what it
 * has added to the journal, and nothing else.
 */
#ifndef ALIGN_RECORD_RELOAD_LEADS_H
#define ALIGN_RECORD_RELOAD_LEADS_H

#include "compat.h"

#define NO_LEAD PG_UINT32_MAX
#define LEADS_PER_BLOCK 1024

/*
 * The state of a key at a nesting level.
 */
typedef struct DeletionState
{
	int64		position;		/* of a record that has the key and, if the
								 * deletion of the key is deferred, the
								 * deletion */
	CommandId	made_by;		/* latest command of a nested statement that
								 * has made a row; 0 if there is none */
	unsigned int deferred:1;
	unsigned int nest_level:31; /* of the subtransaction that has set the
								 * state; 0 in a free lead */
} DeletionState;

typedef struct SavedState
{
	DeletionState state;
	struct SavedState *next;	/* of a lower level; or the next free one */
} SavedState;

typedef struct StoredLead
{
	DeletionState state;
	SavedState *saved;			/* states of lower levels; NULL: none, the key
								 * had no state */
	uint32		hash;			/* of the key */
	uint32		next;			/* number of the next lead in the bucket, or
								 * of the next free one */
} StoredLead;

/* A lead that a subtransaction has changed first. */
typedef struct JournalEntry
{
	uint32		lead;
	int32		nest_level;
} JournalEntry;

typedef struct ReloadLeads
{
	MemoryContext context;
	uint32		ndeferred;		/* leads with a deferred deletion */
	uint32		nleads;			/* allocated leads, free ones included */
	uint32		nused;			/* leads that are not free, */
	uint32		nsaved;			/* and their saved states */
	int			maxblocks;		/* allocated length of the array */
	StoredLead **blocks;		/* arrays of LEADS_PER_BLOCK */
	uint32		free;			/* first free lead, or NO_LEAD */
	uint32		nbuckets;		/* a power of 2 */
	uint32	   *buckets;		/* number of the first lead of each, or
								 * NO_LEAD */
	int			njournal;
	int			maxjournal;
	JournalEntry *journal;		/* nest_level does not decrease */
	SavedState *free_saved;
} ReloadLeads;

static inline StoredLead *
align_lead_number(const ReloadLeads *leads, uint32 number)
{
	return &leads->blocks[number / LEADS_PER_BLOCK][number % LEADS_PER_BLOCK];
}

/*
 * Returns the first lead in the bucket of a hash, or NO_LEAD.
 */
static inline uint32
align_leads_of_hash(const ReloadLeads *leads, uint32 hash)
{
	return leads->buckets[hash & (leads->nbuckets - 1)];
}

/* Initializes an empty set of leads, whose memory is in a context. */
extern void align_leads_begin(ReloadLeads *leads, MemoryContext context);

/* Returns the size of that memory, except for that of the journal. */
extern Size align_leads_memory(const ReloadLeads *leads);

/*
 * Adds a lead, whose key is in the record at a position, and returns its
 * number.  It has no state yet; giving it one cannot fail.
 */
extern uint32 align_leads_add(ReloadLeads *leads, uint32 hash, int64 position);

/*
 * Gives a lead a state in the current subtransaction, whose nesting level is
 * set.  A lead without a deferred deletion is freed if nothing else depends on
 * it.
 */
extern void align_leads_set_state(ReloadLeads *leads, uint32 number, DeletionState state);

/*
 * At the end of a subtransaction of a nesting level, restore what it has
 * changed, or pass that to its parent.
 */
extern void align_leads_abort_level(ReloadLeads *leads, int level);
extern void align_leads_commit_level(ReloadLeads *leads, int level);

#endif							/* ALIGN_RECORD_RELOAD_LEADS_H */
