/*
 * reload.c
 *	  Deferred deletions of tables that are attached with reload; see reload.h.
 *
 * There is one store for each attached table, which lives until the end of the
 * transaction.  Its leads are in arrays of LEADS_PER_BLOCK, and are found by
 * the hash of their keys, in chains.
 *
 * A lead has the state that the current subtransaction sees.  When a
 * subtransaction changes it for the first time, the state before is saved, and
 * the lead is added to the journal of the store.  The end of the
 * subtransaction reads what it has added to the journal, and nothing else.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "attachment/key.h"
#include "record/pending.h"
#include "record/reload.h"

#define LEADS_PER_BLOCK 1024
#define INITIAL_BUCKETS 1024
#define INITIAL_JOURNAL 64
#define NO_LEAD PG_UINT32_MAX
#define FREE_LEAD (-1)

/*
 * The state of a key at a nesting level.
 */
typedef struct LeadDeletion
{
	DeferredDeletion deletion;	/* its command is InvalidCommandId if none is
								 * deferred */
	CommandId	made_by;		/* latest command of a nested statement that
								 * has made a row; 0 if there is none */
	int32		nest_level;		/* of the subtransaction that has set it; in a
								 * free lead FREE_LEAD */
} LeadDeletion;

typedef struct SavedDeletion
{
	LeadDeletion state;
	struct SavedDeletion *next; /* of a lower level; or the next free one */
} SavedDeletion;

typedef struct ReloadLead
{
	LeadDeletion state;
	SavedDeletion *saved;		/* states of lower levels; NULL: none, the key
								 * had no state */
	uint32		hash;			/* of key */
	uint32		next;			/* number of the next lead in the bucket, or
								 * of the next free one */
	Datum		key[FLEXIBLE_ARRAY_MEMBER];
} ReloadLead;

/* A lead that a subtransaction has changed first. */
typedef struct JournalEntry
{
	uint32		lead;
	int32		nest_level;
} JournalEntry;

/* A string that is stored once. */
typedef struct StoredString
{
	const char *text;
	uint32		hash;
	char		status;
} StoredString;

#define SH_PREFIX strings
#define SH_ELEMENT_TYPE StoredString
#define SH_KEY_TYPE const char *
#define SH_KEY text
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(table, a, b) (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, element) (element)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Store
{
	AttachmentId root;
	MemoryContext context;		/* of all but the Store itself */
	int			nkeys;
	Oid			key_types[ATTACHMENT_MAX_KEYS];
	bool		key_by_value[ATTACHMENT_MAX_KEYS];
	Size		lead_size;
	uint32		nleads;			/* allocated ones, free ones included */
	int			maxblocks;		/* allocated length of the array */
	char	  **blocks;
	uint32		free;			/* first free lead, or NO_LEAD */
	uint32		ndeferred;		/* leads with a deferred deletion */
	uint32		next_taken;		/* where align_reload_take_any() goes on */
	uint32		nbuckets;		/* a power of 2; 0 until first used */
	uint32	   *buckets;		/* number of the first lead of each, or
								 * NO_LEAD */
	int			njournal;
	int			maxjournal;
	JournalEntry *journal;		/* nest_level does not decrease */
	SavedDeletion *free_saved;
	strings_hash *strings;
} Store;

static List *stores = NIL;		/* of Store, in TopTransactionContext */
static bool callbacks_registered = false;

static inline ReloadLead *
LeadNumber(const Store *store, uint32 number)
{
	return (ReloadLead *) (store->blocks[number / LEADS_PER_BLOCK] +
						   (number % LEADS_PER_BLOCK) * store->lead_size);
}

/*
 * Returns the store of an attached table, or NULL.
 */
static Store *
FindStore(AttachmentId root)
{
	ListCell   *cell;

	foreach(cell, stores)
	{
		Store	   *store = (Store *) lfirst(cell);

		if (store->root.relid == root.relid && store->root.number == root.number)
			return store;
	}
	return NULL;
}

/*
 * Makes a store empty.
 */
static void
ClearStore(Store *store)
{
	Store		empty = {.root = store->root,.context = store->context};

	MemoryContextReset(store->context);
	*store = empty;
	store->free = NO_LEAD;
}

/*
 * True if the keys in a store have the types of an attachment.
 */
static bool
HasKeysOf(const Store *store, const Attachment *attachment)
{
	if (store->nkeys != attachment->nkeys)
		return false;
	for (int i = 0; i < store->nkeys; i++)
	{
		if (store->key_types[i] != attachment->keys[i].type)
			return false;
	}
	return true;
}

/*
 * Returns the store of an attachment, or NULL.  attach() has recorded what was
 * deferred before the key could change; a marker that was not made by attach()
 * may have another key, and what is deferred is dropped.
 */
static Store *
StoreOf(const Attachment *attachment)
{
	Store	   *store = FindStore(attachment->root_id);

	if (store != NULL && store->nleads > 0 && !HasKeysOf(store, attachment))
		ClearStore(store);
	return store;
}

/*
 * True if a state has a deferred deletion.
 */
static inline bool
IsDeferred(const LeadDeletion *state)
{
	return state->deletion.command != InvalidCommandId;
}

/*
 * Changes the state of a lead, and counts those that are deferred.
 */
static void
SetState(Store *store, ReloadLead *lead, const LeadDeletion *state)
{
	store->ndeferred -= IsDeferred(&lead->state);
	lead->state = *state;
	store->ndeferred += IsDeferred(&lead->state);
}

/*
 * Frees a lead that has no state.
 */
static void
FreeLead(Store *store, uint32 number)
{
	ReloadLead *lead = LeadNumber(store, number);
	uint32	   *link = &store->buckets[lead->hash & (store->nbuckets - 1)];

	while (*link != number)
		link = &LeadNumber(store, *link)->next;
	*link = lead->next;
	for (int i = 0; i < store->nkeys; i++)
	{
		if (!store->key_by_value[i])
			pfree(DatumGetPointer(lead->key[i]));
	}
	lead->state.nest_level = FREE_LEAD;
	lead->next = store->free;
	store->free = number;
}

/*
 * Frees a lead if nothing depends on it.
 */
static void
FreeIfUnused(Store *store, uint32 number)
{
	const ReloadLead *lead = LeadNumber(store, number);

	if (!IsDeferred(&lead->state) && lead->state.made_by == 0 && lead->saved == NULL &&
		lead->state.nest_level <= 1)
		FreeLead(store, number);
}

/*
 * Removes the latest saved state of a lead, and returns it.
 */
static LeadDeletion
PopSaved(Store *store, ReloadLead *lead)
{
	SavedDeletion *saved = lead->saved;

	lead->saved = saved->next;
	saved->next = store->free_saved;
	store->free_saved = saved;
	return saved->state;
}

/*
 * Saves the state of a lead before the current subtransaction changes it.
 */
static void
SaveState(Store *store, uint32 number, bool is_new)
{
	ReloadLead *lead = LeadNumber(store, number);
	int			level = GetCurrentTransactionNestLevel();

	if (lead->state.nest_level >= level)
		return;
	if (!is_new)
	{
		SavedDeletion *saved = store->free_saved;

		if (saved != NULL)
			store->free_saved = saved->next;
		else
			saved = MemoryContextAlloc(store->context, sizeof(SavedDeletion));
		saved->state = lead->state;
		saved->next = lead->saved;
		lead->saved = saved;
	}
	lead->state.nest_level = level;
	if (level == 1)
		return;
	if (store->njournal == store->maxjournal)
	{
		store->maxjournal = Max(INITIAL_JOURNAL, store->maxjournal * 2);
		if (store->journal == NULL)
			store->journal = MemoryContextAlloc(store->context,
												store->maxjournal * sizeof(JournalEntry));
		else
			store->journal = repalloc_huge(store->journal,
										   store->maxjournal * sizeof(JournalEntry));
	}
	store->journal[store->njournal].lead = number;
	store->journal[store->njournal].nest_level = level;
	store->njournal++;
}

/*
 * Restores what a subtransaction, which was aborted, has changed.
 */
static void
AbortLevel(Store *store, int level)
{
	static const LeadDeletion none = {.deletion.command = InvalidCommandId};

	while (store->njournal > 0 && store->journal[store->njournal - 1].nest_level >= level)
	{
		uint32		number = store->journal[--store->njournal].lead;
		ReloadLead *lead = LeadNumber(store, number);
		LeadDeletion before = lead->saved != NULL ? PopSaved(store, lead) : none;

		SetState(store, lead, &before);
		FreeIfUnused(store, number);
	}
}

/*
 * Passes what a subtransaction has changed to its parent.
 */
static void
CommitLevel(Store *store, int level)
{
	int			first = store->njournal;
	int			kept;

	while (first > 0 && store->journal[first - 1].nest_level >= level)
		first--;
	kept = first;
	for (int i = first; i < store->njournal; i++)
	{
		uint32		number = store->journal[i].lead;
		ReloadLead *lead = LeadNumber(store, number);
		bool		merged = level - 1 == 1;

		lead->state.nest_level = level - 1;
		/* what the parent has set itself is replaced */
		if (lead->saved != NULL && lead->saved->state.nest_level == level - 1)
		{
			(void) PopSaved(store, lead);
			merged = true;
		}
		if (merged)
			FreeIfUnused(store, number);
		else
		{
			store->journal[kept].lead = number;
			store->journal[kept++].nest_level = level - 1;
		}
	}
	store->njournal = kept;
}

/*
 * Subtransaction callback.
 */
static void
SubtransactionEnds(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				   void *arg)
{
	ListCell   *cell;

	(void) mySubid;
	(void) parentSubid;
	(void) arg;
	foreach(cell, stores)
	{
		if (event == SUBXACT_EVENT_ABORT_SUB)
			AbortLevel((Store *) lfirst(cell), GetCurrentTransactionNestLevel());
		else if (event == SUBXACT_EVENT_COMMIT_SUB)
			CommitLevel((Store *) lfirst(cell), GetCurrentTransactionNestLevel());
	}
}

/*
 * Transaction callback: the memory of the stores is gone with
 * TopTransactionContext.
 */
static void
TransactionEnds(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		stores = NIL;
}

/*
 * Creates a store.
 */
static Store *
CreateStore(AttachmentId root)
{
	MemoryContext old_context;
	Store	   *store;

	if (!callbacks_registered)
	{
		RegisterXactCallback(TransactionEnds, NULL);
		RegisterSubXactCallback(SubtransactionEnds, NULL);
		callbacks_registered = true;
	}
	old_context = MemoryContextSwitchTo(TopTransactionContext);
	store = palloc0(sizeof(Store));
	store->root = root;
	store->context = AllocSetContextCreate(TopTransactionContext, "align deferred deletions",
										   ALLOCSET_DEFAULT_SIZES);
	store->free = NO_LEAD;
	stores = lappend(stores, store);
	MemoryContextSwitchTo(old_context);
	return store;
}

/*
 * Prepares a store for its first lead.
 */
static void
BeginStore(Store *store, const Attachment *attachment)
{
	store->nkeys = attachment->nkeys;
	for (int i = 0; i < store->nkeys; i++)
	{
		store->key_types[i] = attachment->keys[i].type;
		store->key_by_value[i] = attachment->keys[i].typbyval;
	}
	store->lead_size = MAXALIGN(offsetof(ReloadLead, key) + store->nkeys * sizeof(Datum));
	store->nbuckets = INITIAL_BUCKETS;
	store->buckets = MemoryContextAlloc(store->context, INITIAL_BUCKETS * sizeof(uint32));
	memset(store->buckets, 0xFF, INITIAL_BUCKETS * sizeof(uint32));
	store->strings = strings_create(store->context, 64, NULL);
}

/*
 * Doubles the number of buckets.
 */
static void
EnlargeBuckets(Store *store)
{
	Size		size = (Size) store->nbuckets * 2 * sizeof(uint32);

	store->nbuckets *= 2;
	store->buckets = repalloc_huge(store->buckets, size);
	memset(store->buckets, 0xFF, size);
	for (uint32 i = 0; i < store->nleads; i++)
	{
		ReloadLead *lead = LeadNumber(store, i);
		uint32	   *bucket;

		if (lead->state.nest_level == FREE_LEAD)
			continue;
		bucket = &store->buckets[lead->hash & (store->nbuckets - 1)];
		lead->next = *bucket;
		*bucket = i;
	}
}

/*
 * Returns the number of a new lead, which is not in a bucket yet.
 */
static uint32
NewLead(Store *store)
{
	uint32		number = store->free;

	if (number != NO_LEAD)
	{
		store->free = LeadNumber(store, number)->next;
		return number;
	}
	if (store->nleads == NO_LEAD)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows deleted in one transaction")));
	if (store->nleads >= store->nbuckets)
		EnlargeBuckets(store);
	if (store->nleads % LEADS_PER_BLOCK == 0)
	{
		int			nblocks = store->nleads / LEADS_PER_BLOCK;

		if (nblocks == store->maxblocks)
		{
			store->maxblocks = Max(16, store->maxblocks * 2);
			if (store->blocks == NULL)
				store->blocks = MemoryContextAlloc(store->context,
												   store->maxblocks * sizeof(char *));
			else
				store->blocks = repalloc_huge(store->blocks, store->maxblocks * sizeof(char *));
		}
		store->blocks[nblocks] = MemoryContextAlloc(store->context,
													LEADS_PER_BLOCK * store->lead_size);
	}
	return store->nleads++;
}

/*
 * Returns the number of the lead with a key, or NO_LEAD.
 */
static uint32
FindLead(const Store *store, Attachment *attachment, const Datum *key, uint32 hash)
{
	uint32		number;

	if (store->nleads == 0)
		return NO_LEAD;
	number = store->buckets[hash & (store->nbuckets - 1)];
	while (number != NO_LEAD)
	{
		const ReloadLead *lead = LeadNumber(store, number);

		if (lead->hash == hash && align_same_key(attachment, lead->key, key))
			break;
		number = lead->next;
	}
	return number;
}

/*
 * Returns the number of the lead with a key, which is added if there is none,
 * and whose state before is saved.
 */
static uint32
ChangeLead(Store *store, Attachment *attachment, const Datum *key)
{
	uint32		hash = align_pending_hash(attachment, key);
	uint32		number = FindLead(store, attachment, key, hash);
	bool		is_new = number == NO_LEAD;

	if (store->nbuckets == 0)
		BeginStore(store, attachment);
	if (is_new)
	{
		MemoryContext old_context = MemoryContextSwitchTo(store->context);
		Datum		copy[ATTACHMENT_MAX_KEYS];
		ReloadLead *lead;
		uint32	   *bucket;

		/* what can fail comes first */
		align_copy_key(attachment, key, copy);
		number = NewLead(store);
		MemoryContextSwitchTo(old_context);
		lead = LeadNumber(store, number);
		memset(lead, 0, offsetof(ReloadLead, key));
		lead->state.deletion.command = InvalidCommandId;
		memcpy(lead->key, copy, store->nkeys * sizeof(Datum));
		lead->hash = hash;
		bucket = &store->buckets[hash & (store->nbuckets - 1)];
		lead->next = *bucket;
		*bucket = number;
	}
	SaveState(store, number, is_new);
	return number;
}

/*
 * Replaces a string by the stored one that is equal to it.
 */
static void
StoreString(Store *store, const char **text)
{
	StoredString *string;
	bool		found;

	if (*text == NULL)
		return;
	string = strings_lookup(store->strings, *text);
	if (string == NULL)
		string = strings_insert(store->strings, MemoryContextStrdup(store->context, *text),
								&found);
	*text = string->text;
}

/*
 * Defers the deletion of a row.
 */
bool
align_reload_defer(Attachment *attachment, const Datum *key, const DeferredDeletion *deletion)
{
	Store	   *store = StoreOf(attachment);
	LeadDeletion state;
	ReloadLead *lead;
	uint32		number;

	if (store == NULL)
		store = CreateStore(attachment->root_id);
	if (store->nleads > 0)
	{
		number = FindLead(store, attachment, key, align_pending_hash(attachment, key));
		if (number != NO_LEAD)
		{
			lead = LeadNumber(store, number);
			if (IsDeferred(&lead->state) || lead->state.made_by > deletion->command)
				return false;
		}
	}
	number = ChangeLead(store, attachment, key);
	lead = LeadNumber(store, number);
	state = lead->state;
	state.deletion = *deletion;
	StoreString(store, &state.deletion.stage);
	StoreString(store, &state.deletion.team);
	StoreString(store, &state.deletion.assignee);
	StoreString(store, &state.deletion.reason);
	StoreString(store, &state.deletion.db_role);
	SetState(store, lead, &state);
	return true;
}

/*
 * True if the attachment has deferred deletions.
 */
bool
align_reload_any(const Attachment *attachment)
{
	Store	   *store = StoreOf(attachment);

	return store != NULL && store->ndeferred > 0;
}

/*
 * True if the deletion of a key is deferred.
 */
bool
align_reload_is_deferred(Attachment *attachment, const Datum *key)
{
	Store	   *store = StoreOf(attachment);
	uint32		number;

	if (store == NULL || store->ndeferred == 0)
		return false;
	number = FindLead(store, attachment, key, align_pending_hash(attachment, key));
	return number != NO_LEAD && IsDeferred(&LeadNumber(store, number)->state);
}

/*
 * Takes away the deferred deletion of a lead, and returns it.
 */
static DeferredDeletion
TakeFromLead(Store *store, uint32 number)
{
	ReloadLead *lead = LeadNumber(store, number);
	DeferredDeletion deletion = lead->state.deletion;
	LeadDeletion state;

	SaveState(store, number, false);
	state = lead->state;
	state.deletion.command = InvalidCommandId;
	SetState(store, lead, &state);
	FreeIfUnused(store, number);
	return deletion;
}

/*
 * Takes away the deferred deletion of a key.
 */
bool
align_reload_take(Attachment *attachment, const Datum *key, CommandId before,
				  DeferredDeletion *deletion)
{
	Store	   *store = StoreOf(attachment);
	const ReloadLead *lead;
	uint32		number;

	if (store == NULL || store->ndeferred == 0)
		return false;
	number = FindLead(store, attachment, key, align_pending_hash(attachment, key));
	if (number == NO_LEAD)
		return false;
	lead = LeadNumber(store, number);
	if (!IsDeferred(&lead->state) || lead->state.deletion.command >= before)
		return false;
	*deletion = TakeFromLead(store, number);
	return true;
}

/*
 * Notes that a command has made a row with a key.
 */
void
align_reload_note_made(Attachment *attachment, const Datum *key, CommandId command)
{
	Store	   *store = StoreOf(attachment);
	LeadDeletion state;
	ReloadLead *lead;

	if (store == NULL)
		store = CreateStore(attachment->root_id);
	lead = LeadNumber(store, ChangeLead(store, attachment, key));
	state = lead->state;
	state.made_by = Max(state.made_by, command);
	SetState(store, lead, &state);
}

/*
 * Takes away any deferred deletion.
 */
bool
align_reload_take_any(Attachment *attachment, Datum *key, DeferredDeletion *deletion)
{
	Store	   *store = StoreOf(attachment);

	if (store == NULL || store->ndeferred == 0)
		return false;
	while (!IsDeferred(&LeadNumber(store, store->next_taken % store->nleads)->state))
		store->next_taken++;
	store->next_taken %= store->nleads;
	align_copy_key(attachment, LeadNumber(store, store->next_taken)->key, key);
	*deletion = TakeFromLead(store, store->next_taken++);
	return true;
}

/*
 * Returns the attachments that have deferred deletions.
 */
List *
align_reload_attachments(void)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, stores)
	{
		const Store *store = (Store *) lfirst(cell);

		if (store->ndeferred > 0)
		{
			AttachmentId *id = palloc(sizeof(AttachmentId));

			*id = store->root;
			result = lappend(result, id);
		}
	}
	return result;
}

/*
 * Forgets the deferred deletions of an attachment.
 */
void
align_reload_forget(AttachmentId root)
{
	Store	   *store = FindStore(root);

	if (store != NULL)
		ClearStore(store);
}
