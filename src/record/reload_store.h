/*
 * reload_store.h
 *	  The deferred deletions of one attachment, by key, with savepoints.
 *
 * The stored form of each deletion (deletion.h) is in a log, which is spilled
 * to a temporary file if the store would take more than work_mem (spill.h).
 * What remains in memory is a StoredLead of 32 bytes for each key, 4 to 8
 * bytes of its hash table, and 24 bytes for a key that a subtransaction has
 * changed, as long as that can be rolled back.  All of this is used again once
 * the deletion was removed.
 *
 * The log is in the order of the deletions, so a reload that inserts the keys
 * in about the order in which they were deleted reads it from front to back.
 * Otherwise each INSERT reads one block of the file.
 */
#ifndef ALIGN_RECORD_RELOAD_STORE_H
#define ALIGN_RECORD_RELOAD_STORE_H

#include "compat.h"

#include "attachment/attachment.h"
#include "record/deletion.h"
#include "record/reload_leads.h"
#include "record/spill.h"

typedef struct ReloadStore
{
	MemoryContext context;
	int			nkeys;
	Oid			key_types[ATTACHMENT_MAX_KEYS];
	ReloadLeads leads;
	SpillLog	log;
	uint32		nrecords;		/* records in the log */
	uint32		next_taken;		/* where align_store_take_any() goes on */
} ReloadStore;

/*
 * Returns a new store for an attachment, in memory of the transaction.  It
 * must be closed before that ends, and lives until then unless it is freed.
 */
extern ReloadStore *align_store_create(const Attachment *attachment);
extern void align_store_close(ReloadStore *store);
extern void align_store_free(ReloadStore *store);

/* True if the keys in the store have the types of those of an attachment. */
extern bool align_store_has_keys_of(const ReloadStore *store, const Attachment *attachment);

/* These do what the functions of the same names in reload.h do. */
extern bool align_store_defer(ReloadStore *store, Attachment *attachment, const Datum *key,
							  const DeferredDeletion *deletion);
extern bool align_store_is_deferred(ReloadStore *store, Attachment *attachment, const Datum *key);
extern bool align_store_take(ReloadStore *store, Attachment *attachment, const Datum *key,
							 CommandId before, DeferredDeletion *deletion);
extern void align_store_note_made(ReloadStore *store, Attachment *attachment, const Datum *key,
								  CommandId command);
extern bool align_store_take_any(ReloadStore *store, Attachment *attachment, Datum *key,
								 DeferredDeletion *deletion);

#endif							/* ALIGN_RECORD_RELOAD_STORE_H */
