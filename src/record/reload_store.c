/*
 * reload_store.c
 *	  The deferred deletions of one attachment; see reload_store.h.
 *
 * A lead (reload_leads.h) has the hash of its key and the position of a record
 * in the log, which is read only if the hash is that of the key that is looked
 * for.
 *
 * Records of the log are never changed, so a saved state needs only the
 * position of one.  If most of them are no longer referred to, the others are
 * copied to a new log.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "attachment/key.h"
#include "record/pending.h"
#include "record/reload_store.h"

/* Number of records up to which the log is not copied. */
#define SMALL_LOG 1000

/*
 * Creates a store.
 */
ReloadStore *
align_store_create(const Attachment *attachment)
{
	MemoryContext context = AllocSetContextCreate(TopTransactionContext,
												  "align deferred deletions",
												  ALLOCSET_DEFAULT_SIZES);
	ReloadStore *store = MemoryContextAllocZero(context, sizeof(ReloadStore));

	store->context = context;
	store->nkeys = attachment->nkeys;
	for (int i = 0; i < store->nkeys; i++)
		store->key_types[i] = attachment->keys[i].type;
	align_spill_begin(&store->log, context);
	align_leads_begin(&store->leads, context);
	return store;
}

/*
 * Closes a store.
 */
void
align_store_close(ReloadStore *store)
{
	align_spill_close(&store->log);
}

/*
 * Frees a store.
 */
void
align_store_free(ReloadStore *store)
{
	align_store_close(store);
	MemoryContextDelete(store->context);
}

/*
 * True if the keys in a store have the types of those of an attachment.
 */
bool
align_store_has_keys_of(const ReloadStore *store, const Attachment *attachment)
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
 * Returns the memory that the log may take: what the leads leave of work_mem.
 */
static Size
LogLimit(const ReloadStore *store)
{
	Size		limit = (Size) work_mem * 1024;
	Size		leads = align_leads_memory(&store->leads);

	return limit > leads ? limit - leads : 0;
}

/*
 * Copies the records that leads refer to to another log.  Returns the new
 * positions, palloc'd: for each lead that of its state, and of its saved ones.
 * Most saved states have the record of the next one.
 */
static int64 *
CopyRecords(ReloadStore *store, SpillLog *to)
{
	Size		nlive = (Size) store->leads.nused + store->leads.nsaved;
	int64	   *positions = MemoryContextAllocHuge(CurrentMemoryContext, nlive * sizeof(int64));
	Size		n = 0;

	for (uint32 i = 0; i < store->leads.nleads; i++)
	{
		const StoredLead *lead = align_lead_number(&store->leads, i);
		const DeletionState *state = &lead->state;
		const SavedState *saved = lead->saved;
		int64		previous = -1;

		while (state->nest_level != 0)
		{
			if (state->position == previous)
				positions[n] = positions[n - 1];
			else
			{
				uint32		size;
				char	   *record = align_spill_read(&store->log, state->position, &size);

				positions[n] = align_spill_add(to, record, size, LogLimit(store));
				pfree(record);
			}
			n++;
			previous = state->position;
			if (saved == NULL)
				break;
			state = &saved->state;
			saved = saved->next;
		}
	}
	return positions;
}

/*
 * Gives the leads the positions that CopyRecords() has returned.
 */
static void
SetPositions(ReloadStore *store, const int64 *positions)
{
	for (uint32 i = 0; i < store->leads.nleads; i++)
	{
		StoredLead *lead = align_lead_number(&store->leads, i);

		if (lead->state.nest_level == 0)
			continue;
		lead->state.position = *positions++;
		for (SavedState *saved = lead->saved; saved != NULL; saved = saved->next)
			saved->state.position = *positions++;
	}
}

/*
 * Replaces the log by a new one that has only the records which leads refer
 * to.  If that fails, the store is as it was.
 */
static void
CompactLog(ReloadStore *store)
{
	SpillLog	log;
	int64	   *positions;

	align_spill_begin(&log, store->context);
	PG_TRY();
	{
		positions = CopyRecords(store, &log);
	}
	PG_CATCH();
	{
		align_spill_free(&log);
		PG_RE_THROW();
	}
	PG_END_TRY();
	SetPositions(store, positions);
	pfree(positions);
	align_spill_free(&store->log);
	store->log = log;
	store->nrecords = store->leads.nused + store->leads.nsaved;
}

/*
 * Adds a record to the log, and returns its position.
 */
static int64
AddRecord(ReloadStore *store, const Attachment *attachment, const Datum *key,
		  const DeferredDeletion *deletion)
{
	uint32		nlive = store->leads.nused + store->leads.nsaved;
	StringInfoData record;
	int64		position;

	if (store->nrecords > SMALL_LOG && store->nrecords / 2 > nlive)
		CompactLog(store);
	initStringInfo(&record);
	align_deletion_store(&record, attachment, key, deletion);
	position = align_spill_add(&store->log, record.data, record.len, LogLimit(store));
	store->nrecords++;
	pfree(record.data);
	return position;
}

/*
 * Returns the number of the lead with a key, or NO_LEAD.  If record is not
 * NULL, it is set to the record of the lead, palloc'd.
 */
static uint32
FindLead(ReloadStore *store, Attachment *attachment, const Datum *key, uint32 hash, char **record)
{
	uint32		number = align_leads_of_hash(&store->leads, hash);

	while (number != NO_LEAD)
	{
		const StoredLead *lead = align_lead_number(&store->leads, number);

		if (lead->hash == hash)
		{
			uint32		size;
			char	   *found = align_spill_read(&store->log, lead->state.position, &size);
			Datum		own[ATTACHMENT_MAX_KEYS];
			bool		same;

			align_deletion_key(found, attachment, own);
			same = align_same_key(attachment, own, key);
			if (same && record != NULL)
				*record = found;
			else
				pfree(found);
			if (same)
				break;
		}
		number = lead->next;
	}
	return number;
}

/*
 * Defers the deletion of a row.
 */
bool
align_store_defer(ReloadStore *store, Attachment *attachment, const Datum *key,
				  const DeferredDeletion *deletion)
{
	uint32		hash = align_pending_hash(attachment, key);
	uint32		number = FindLead(store, attachment, key, hash, NULL);
	DeletionState state = {0};
	int64		position;

	if (number != NO_LEAD)
		state = align_lead_number(&store->leads, number)->state;
	if (state.deferred || state.made_by > deletion->command)
		return false;
	position = AddRecord(store, attachment, key, deletion);
	if (number == NO_LEAD)
		number = align_leads_add(&store->leads, hash, position);
	state.position = position;
	state.deferred = true;
	align_leads_set_state(&store->leads, number, state);
	return true;
}

/*
 * Notes that a command has made a row with a key.
 */
void
align_store_note_made(ReloadStore *store, Attachment *attachment, const Datum *key,
					  CommandId command)
{
	uint32		hash = align_pending_hash(attachment, key);
	uint32		number = FindLead(store, attachment, key, hash, NULL);
	DeletionState state;

	if (number == NO_LEAD)
		number = align_leads_add(&store->leads, hash, AddRecord(store, attachment, key, NULL));
	state = align_lead_number(&store->leads, number)->state;
	state.made_by = Max(state.made_by, command);
	align_leads_set_state(&store->leads, number, state);
}

/*
 * True if the deletion of a key is deferred.
 */
bool
align_store_is_deferred(ReloadStore *store, Attachment *attachment, const Datum *key)
{
	uint32		number;

	if (store->leads.ndeferred == 0)
		return false;
	number = FindLead(store, attachment, key, align_pending_hash(attachment, key), NULL);
	return number != NO_LEAD && align_lead_number(&store->leads, number)->state.deferred;
}

/*
 * Removes the deferred deletion of a lead.
 */
static void
RemoveFromLead(ReloadStore *store, uint32 number)
{
	DeletionState state = align_lead_number(&store->leads, number)->state;

	state.deferred = false;
	align_leads_set_state(&store->leads, number, state);
}

/*
 * Removes the deferred deletion of a key.
 */
bool
align_store_take(ReloadStore *store, Attachment *attachment, const Datum *key, CommandId before,
				 DeferredDeletion *deletion)
{
	uint32		number;
	char	   *record;

	if (store->leads.ndeferred == 0)
		return false;
	number = FindLead(store, attachment, key, align_pending_hash(attachment, key), &record);
	if (number == NO_LEAD || !align_lead_number(&store->leads, number)->state.deferred)
		return false;
	align_deletion_read(record, attachment, deletion);
	if (deletion->command >= before)
		return false;
	RemoveFromLead(store, number);
	return true;
}

/*
 * Removes any deferred deletion.
 */
bool
align_store_take_any(ReloadStore *store, Attachment *attachment, Datum *key,
					 DeferredDeletion *deletion)
{
	const StoredLead *lead;
	uint32		number;
	uint32		size;
	char	   *record;

	if (store->leads.ndeferred == 0)
		return false;
	do
	{
		number = store->next_taken++ % store->leads.nleads;
		lead = align_lead_number(&store->leads, number);
	} while (!lead->state.deferred);
	record = align_spill_read(&store->log, lead->state.position, &size);
	align_deletion_key(record, attachment, key);
	align_deletion_read(record, attachment, deletion);
	RemoveFromLead(store, number);
	return true;
}
