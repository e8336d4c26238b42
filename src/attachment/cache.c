/*
 * cache.c
 *	  Attachments as the triggers use them, cached per relation.
 *
 * Built with catalog look-ups alone: no lock on a partition's ancestors is
 * taken, which a writer to a partition does not hold either.
 *
 * Invalidation callbacks only mark entries invalid.  The next look-up that has
 * to build something first retires all invalid entries: their memory is handed
 * to the transaction, so that an outer caller may go on with what it has.
 */
#include "postgres.h"

#include "access/attmap.h"
#include "access/htup_details.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "attachment/attachment.h"
#include "attachment/key.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "condition/condition.h"

typedef struct CacheEntry
{
	AttachmentId id;			/* hash key */
	Attachment *attachment;
} CacheEntry;

static HTAB *cache = NULL;

/* Counts messages, so that one that comes while an entry is being built is not
 * lost. */
static uint64 messages = 0;

static void
InvalidateRelation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	(void) arg;
	messages++;
	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		Attachment *attachment = entry->attachment;

		if (relid == InvalidOid || relid == attachment->relid ||
			relid == attachment->marker.root || list_member_oid(attachment->records, relid))
			attachment->valid = false;
	}
}

/*
 * Whose the functions of triggers on history and clocks are, and who is a
 * superuser, decides whether these triggers may run.
 */
static void
InvalidateOwners(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	messages++;
	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->attachment->has_other_triggers)
			entry->attachment->valid = false;
	}
}

/*
 * Renaming a schema changes no relation, but the names that we keep.
 */
static void
InvalidateAll(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) cacheid;
	(void) hashvalue;
	InvalidateRelation(arg, InvalidOid);
}

static void
InitializeCache(void)
{
	HASHCTL		control = {0};

	if (CacheMemoryContext == NULL)
		CreateCacheMemoryContext();
	control.keysize = sizeof(AttachmentId);
	control.entrysize = sizeof(CacheEntry);
	control.hcxt = CacheMemoryContext;
	cache = hash_create("align attachments", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(InvalidateRelation, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, InvalidateAll, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, InvalidateOwners, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, InvalidateOwners, (Datum) 0);
}

static void
RetireInvalid(void)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->attachment->valid)
			continue;
		MemoryContextSetParent(entry->attachment->context, TopTransactionContext);
		hash_search(cache, &entry->id, HASH_REMOVE, NULL);
	}
}

/*
 * The attribute of relid that is the root's attnum: by name, since partitions
 * may number their columns otherwise.
 */
static AttrNumber
MapAttribute(const Attachment *attachment, AttrNumber attnum)
{
	AttrNumber	result;
	char	   *name;

	if (attachment->relid == attachment->marker.root)
		return attnum;
	name = get_attname(attachment->marker.root, attnum, false);
	result = get_attnum(attachment->relid, name);
	if (result == InvalidAttrNumber)
		elog(ERROR, "relation %u has no column \"%s\"", attachment->relid, name);
	return result;
}

static void
BuildKey(Attachment *attachment, int keyno)
{
	KeyColumn  *key = &attachment->keys[keyno];
	TypeCacheEntry *type;
	Oid			output;
	bool		is_varlena;

	key->attnum = MapAttribute(attachment, attachment->marker.key[keyno]);
	key->name = get_attname(attachment->marker.root, attachment->marker.key[keyno], false);
	get_atttypetypmodcoll(attachment->relid, key->attnum, &key->type, &key->typmod,
						  &key->collation);
	type = lookup_type_cache(key->type, TYPECACHE_EQ_OPR | TYPECACHE_HASH_PROC);
	if (!OidIsValid(type->eq_opr) || !OidIsValid(type->hash_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("key column \"%s\" has type %s, which cannot be compared and hashed",
						key->name, format_type_be(key->type))));
	key->typlen = type->typlen;
	key->typbyval = type->typbyval;
	fmgr_info_cxt(get_opcode(type->eq_opr), &key->eq, attachment->context);
	fmgr_info_cxt(type->hash_proc, &key->hash, attachment->context);
	getTypeOutputInfo(key->type, &output, &is_varlena);
	fmgr_info_cxt(output, &key->out, attachment->context);
}

/*
 * How the keys are called in a history or clock table.
 */
static void
ReadOwnKeys(Oid relid, int nkeys, const char **names)
{
	AttrNumber	attnums[ATTACHMENT_MAX_KEYS];

	/* if it has none, align_examine_records() has found that fault */
	if (!align_own_key_columns(relid, nkeys, attnums))
		return;
	for (int i = 0; i < nkeys; i++)
		names[i] = quote_identifier(get_attname(relid, attnums[i], false));
}

static void
BuildOwnKeys(Attachment *attachment)
{
	const char *history[ATTACHMENT_MAX_KEYS] = {0};
	const char *sla[ATTACHMENT_MAX_KEYS] = {0};

	ReadOwnKeys(attachment->marker.history, attachment->nkeys, history);
	ReadOwnKeys(attachment->marker.sla, attachment->nkeys, sla);
	for (int i = 0; i < attachment->nkeys; i++)
	{
		attachment->keys[i].history_column = unconstify(char *, history[i]);
		attachment->keys[i].sla_column = unconstify(char *, sla[i]);
	}
}

static void
BuildColumn(Attachment *attachment, RowRole role)
{
	Oid			output;
	bool		is_varlena;

	if (attachment->marker.column[role] == InvalidAttrNumber)
		return;
	attachment->column[role] = MapAttribute(attachment, attachment->marker.column[role]);
	attachment->type[role] =
		getBaseType(get_atttype(attachment->relid, attachment->column[role]));
	getTypeOutputInfo(attachment->type[role], &output, &is_varlena);
	fmgr_info_cxt(output, &attachment->out[role], attachment->context);
}

/*
 * The condition over the columns of relid, planned.  It is looked at again: it
 * will be run for anyone who writes or asks, and the trigger that it comes from
 * may have been made by hand.
 */
static Node *
BuildLive(const Attachment *attachment)
{
	Node	   *live = attachment->marker.live;

	if (live == NULL)
		return NULL;
	align_condition_check(NULL, live, NIL);
	if (attachment->relid != attachment->marker.root)
	{
		int			root_natts = align_relation_natts(attachment->marker.root);
		AttrMap    *map = make_attrmap(root_natts);
		bool		whole_row;

		/* dropped columns are not found, and not used */
		for (AttrNumber attnum = 1; attnum <= root_natts; attnum++)
			map->attnums[attnum - 1] =
				get_attnum(attachment->relid,
						   get_attname(attachment->marker.root, attnum, false));
		live = map_variable_attnos(live, 1, 0, map, InvalidOid, &whole_row);
		Assert(!whole_row);
	}
	return (Node *) expression_planner((Expr *) live);
}

/*
 * Everything, in a context of its own below the current one, so that an error
 * leaks nothing.
 */
static Attachment *
BuildAttachment(AttachmentId id, Oid root)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align attachment",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	Attachment *attachment = palloc0(sizeof(Attachment));

	attachment->id = id;
	attachment->root_id.relid = root;
	attachment->root_id.number = id.number;
	attachment->relid = id.relid;
	attachment->context = context;
	if (!align_read_marker(root, &attachment->marker))
		elog(ERROR, "relation %u is no longer attached", root);
	attachment->root_name = align_relation_name(root);
	attachment->root_owner = align_relation_owner(root);
	attachment->has_begin = align_has_trigger(root, ATTACH_BEGIN);
	attachment->history_name = align_relation_name(attachment->marker.history);
	attachment->sla_name = align_relation_name(attachment->marker.sla);
	attachment->nkeys = attachment->marker.nkeys;
	for (int i = 0; i < attachment->nkeys; i++)
	{
		BuildKey(attachment, i);
		attachment->key_text_varies |= align_key_text_varies(attachment->keys[i].type);
	}
	align_examine_records(attachment);
	BuildOwnKeys(attachment);
	for (int role = 0; role < ROW_NROLES; role++)
		BuildColumn(attachment, (RowRole) role);
	attachment->live = BuildLive(attachment);
	MemoryContextSwitchTo(old_context);
	return attachment;
}

static void
NotAttached(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" is not attached to an agreement", name),
			 errdetail("It has no trigger \"%s\", nor has a table that it is a partition of.",
					   ATTACHMENT_MARKER),
			 errhint("Attach it with align.attach(). If other triggers of align are left behind, as after dropping a column with CASCADE, align.detach() removes them.")));
}

Attachment *
align_attachment(Oid relid, bool missing_ok)
{
	AttachmentId id = {relid, ATTACHMENT_FIRST};
	CacheEntry *entry;
	Attachment *attachment;
	uint64		messages_before;
	Oid			root;

	if (cache == NULL)
		InitializeCache();
	entry = hash_search(cache, &id, HASH_FIND, NULL);
	if (entry != NULL && entry->attachment->valid)
		return entry->attachment;

	messages_before = messages;
	root = align_attached_root(relid);
	if (!OidIsValid(root))
	{
		if (!missing_ok)
			NotAttached(relid);
		return NULL;
	}
	attachment = BuildAttachment(id, root);

	/*
	 * Complete.  If there was a message meanwhile it may have been about us:
	 * good for this caller, but the next one builds it again.
	 */
	RetireInvalid();
	entry = hash_search(cache, &id, HASH_ENTER, NULL);
	entry->attachment = attachment;
	MemoryContextSetParent(attachment->context, CacheMemoryContext);
	attachment->valid = messages == messages_before;
	return attachment;
}
