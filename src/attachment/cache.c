/*
 * cache.c
 *	  The cache of attachments.
 *
 * An attachment is built from catalog look-ups only.  They take no lock on the
 * ancestors of a partition, since a writer to the partition holds none either.
 *
 * Invalidation callbacks only mark cached attachments invalid.  The next
 * look-up that builds one first removes all that are invalid, and moves their
 * memory under TopTransactionContext, since callers may still use them.
 */
#include "postgres.h"

#include "access/attmap.h"
#include "catalog/pg_inherits.h"
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

typedef struct CachedAttachment
{
	AttachmentId id;			/* hash key */
	Attachment *attachment;
} CachedAttachment;

static HTAB *cache = NULL;

/*
 * A partitioned root with its partitions of every level.  Attachments of one
 * number of root and partitions share it.
 */
typedef struct PartitionTree
{
	AttachmentId root;			/* hash key */
	int			nmembers;
	Oid		   *members;		/* in ascending order; root is one of them */
	bool		lists_statements;	/* see Attachment */
} PartitionTree;

static HTAB *trees = NULL;

/* Counts invalidations, to notice those that arrive during a build. */
static uint64 invalidations = 0;

static int
CompareOids(const void *left, const void *right)
{
	Oid			a = *(const Oid *) left;
	Oid			b = *(const Oid *) right;

	return (a > b) - (a < b);
}

/*
 * Marks invalid all attachments of a root and its partitions.
 */
static void
InvalidateRoot(Oid root)
{
	HASH_SEQ_STATUS status;
	CachedAttachment *cached;

	hash_seq_init(&status, cache);
	while ((cached = hash_seq_search(&status)) != NULL)
	{
		if (cached->attachment->marker.root == root)
			cached->attachment->valid = false;
	}
}

/*
 * Removes the partition trees that a relation belongs to, or all of them if
 * relid is InvalidOid.  Partitions are added to and removed from them, and a
 * partition may get or lose a trigger, so attachments depend on all members.
 */
static void
InvalidateTrees(Oid relid)
{
	HASH_SEQ_STATUS status;
	PartitionTree *tree;

	hash_seq_init(&status, trees);
	while ((tree = hash_seq_search(&status)) != NULL)
	{
		if (relid != InvalidOid &&
			bsearch(&relid, tree->members, tree->nmembers, sizeof(Oid), CompareOids) == NULL)
			continue;
		InvalidateRoot(tree->root.relid);
		pfree(tree->members);
		hash_search(trees, &tree->root, HASH_REMOVE, NULL);
	}
}

/*
 * True if a marker names a view of labels.
 */
static bool
HasLabels(const AttachmentMarker *marker, Oid view)
{
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (marker->labels[role] == view)
			return true;
	}
	return false;
}

/*
 * Relcache callback: mark invalid what depends on a relation, or everything if
 * relid is InvalidOid.
 */
static void
InvalidateRelation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	CachedAttachment *cached;

	(void) arg;
	invalidations++;
	InvalidateTrees(relid);
	hash_seq_init(&status, cache);
	while ((cached = hash_seq_search(&status)) != NULL)
	{
		Attachment *attachment = cached->attachment;

		if (relid == InvalidOid || relid == attachment->relid ||
			relid == attachment->marker.root || list_member_oid(attachment->records, relid) ||
			HasLabels(&attachment->marker, relid))
			attachment->valid = false;
	}
}

/*
 * Syscache callback for pg_proc and pg_authid.  Triggers on record tables may
 * run only if their function belongs to the owner or to a superuser.
 */
static void
InvalidateTriggerOwners(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS status;
	CachedAttachment *cached;

	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	invalidations++;
	hash_seq_init(&status, cache);
	while ((cached = hash_seq_search(&status)) != NULL)
	{
		if (cached->attachment->has_other_triggers)
			cached->attachment->valid = false;
	}
}

/*
 * Syscache callback for pg_namespace: cached names are schema-qualified, and
 * renaming a schema does not invalidate the relations in it.
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
	control.hcxt = CacheMemoryContext;
	control.keysize = sizeof(AttachmentId);
	control.entrysize = sizeof(PartitionTree);
	trees = hash_create("align partition trees", 16, &control,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	control.entrysize = sizeof(CachedAttachment);
	cache = hash_create("align attachments", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(InvalidateRelation, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, InvalidateAll, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, InvalidateTriggerOwners, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, InvalidateTriggerOwners, (Datum) 0);
}

/*
 * Removes invalid attachments from the cache; they live until the end of the
 * transaction.
 */
static void
RemoveInvalid(void)
{
	HASH_SEQ_STATUS status;
	CachedAttachment *cached;

	hash_seq_init(&status, cache);
	while ((cached = hash_seq_search(&status)) != NULL)
	{
		if (cached->attachment->valid)
			continue;
		MemoryContextSetParent(cached->attachment->context, TopTransactionContext);
		hash_search(cache, &cached->id, HASH_REMOVE, NULL);
	}
}

/*
 * The attribute of the relation that is attnum in the root.  It is found by
 * name, since a partition may number its columns differently.
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

/*
 * Builds a key column; false if its type cannot be compared and hashed, which
 * is an error if the record tables are tied to the root.
 */
static bool
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
	{
		if (attachment->fault != NULL)
			return false;
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("key column \"%s\" has type %s, which cannot be compared and hashed",
						key->name, format_type_be(key->type))));
	}
	key->typlen = type->typlen;
	key->typbyval = type->typbyval;
	fmgr_info_cxt(get_opcode(type->eq_opr), &key->eq, attachment->context);
	fmgr_info_cxt(type->hash_proc, &key->hash, attachment->context);
	getTypeOutputInfo(key->type, &output, &is_varlena);
	fmgr_info_cxt(output, &key->out, attachment->context);
	return true;
}

/*
 * The names of the key columns in a record table.
 */
static void
ReadRecordKeyNames(Oid relid, int nkeys, const char **names)
{
	AttrNumber	attnums[ATTACHMENT_MAX_KEYS];

	/* if there are fewer, align_examine_records() has set fault */
	if (!align_record_key_columns(relid, nkeys, attnums))
		return;
	for (int i = 0; i < nkeys; i++)
		names[i] = quote_identifier(get_attname(relid, attnums[i], false));
}

static void
BuildRecordKeyNames(Attachment *attachment)
{
	const char *history[ATTACHMENT_MAX_KEYS] = {0};
	const char *sla[ATTACHMENT_MAX_KEYS] = {0};

	ReadRecordKeyNames(attachment->marker.history, attachment->nkeys, history);
	ReadRecordKeyNames(attachment->marker.sla, attachment->nkeys, sla);
	for (int i = 0; i < attachment->nkeys; i++)
	{
		attachment->keys[i].history_column = unconstify(char *, history[i]);
		attachment->keys[i].sla_column = unconstify(char *, sla[i]);
	}
}

static void
BuildRole(Attachment *attachment, RowRole role)
{
	Oid			output;
	bool		is_varlena;

	if (attachment->expression[role] != NULL)
		attachment->type[role] = getBaseType(exprType(attachment->expression[role]));
	else if (attachment->marker.column[role] != InvalidAttrNumber)
	{
		attachment->column[role] = MapAttribute(attachment, attachment->marker.column[role]);
		attachment->type[role] =
			getBaseType(get_atttype(attachment->relid, attachment->column[role]));
	}
	else
		return;
	getTypeOutputInfo(attachment->type[role], &output, &is_varlena);
	fmgr_info_cxt(output, &attachment->out[role], attachment->context);
	attachment->text_varies[role] = align_key_text_varies(attachment->type[role]);
	attachment->read_columns[role] =
		align_value_columns(attachment->column[role], attachment->expression[role]);
}

/*
 * An expression of the marker over the columns of the relation.
 */
static Node *
MapExpression(const Attachment *attachment, Node *expression)
{
	int			root_natts;
	AttrMap    *map;
	bool		whole_row;

	if (attachment->relid == attachment->marker.root)
		return expression;
	root_natts = align_relation_natts(attachment->marker.root);
	map = make_attrmap(root_natts);
	/* a dropped column maps to InvalidAttrNumber; it is not used */
	for (AttrNumber attnum = 1; attnum <= root_natts; attnum++)
		map->attnums[attnum - 1] =
			get_attnum(attachment->relid,
					   get_attname(attachment->marker.root, attnum, false));
	expression = map_variable_attnos(expression, 1, 0, map, InvalidOid, &whole_row);
	Assert(!whole_row);
	return expression;
}

/*
 * The live condition over the columns of the relation, planned.  It is checked
 * again here, because it runs with the rights of any user who reads or writes,
 * and the trigger that stores it may not have been created by attach().
 */
static Node *
BuildLive(const Attachment *attachment)
{
	Node	   *live = attachment->marker.live;

	/* with a fault, the check must not raise another error */
	if (live == NULL || attachment->fault != NULL)
		return NULL;
	align_condition_check(NULL, live, NIL, &align_boolean_condition);
	return (Node *) expression_planner((Expr *) MapExpression(attachment, live));
}

/*
 * The expression of a role, which is checked again likewise.
 */
static Node *
BuildExpression(const Attachment *attachment, RowRole role)
{
	Node	   *expression = attachment->marker.expression[role];

	if (expression == NULL || attachment->fault != NULL)
		return NULL;
	align_condition_check(NULL, expression, NIL, &align_value_expression);
	if (align_role_type_problem(role, exprType(expression), true) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("expression for %s of table %s has type %s",
						align_row_role_names[role], attachment->root_name,
						format_type_be(exprType(expression))),
				 errhint("Call align.attach() again.")));
	return MapExpression(attachment, expression);
}

/*
 * Enters the partition tree of a root, unless an invalidation arrived while it
 * was read.  Returns its lists_statements.
 */
static bool
BuildTree(AttachmentId root)
{
	uint64		invalidations_before = invalidations;
	List	   *relids = find_all_inheritors(root.relid, NoLock, NULL);
	const char *begin = align_numbered_name(ATTACH_BEGIN, root.number);
	bool		lists_statements = true;
	PartitionTree *tree;
	ListCell   *lc;

	foreach(lc, relids)
		lists_statements = lists_statements && align_has_trigger(lfirst_oid(lc), begin);
	if (invalidations == invalidations_before)
	{
		Oid		   *members = MemoryContextAlloc(CacheMemoryContext,
												 list_length(relids) * sizeof(Oid));

		tree = hash_search(trees, &root, HASH_ENTER, NULL);
		tree->members = members;
		tree->nmembers = 0;
		foreach(lc, relids)
			members[tree->nmembers++] = lfirst_oid(lc);
		qsort(members, tree->nmembers, sizeof(Oid), CompareOids);
		tree->lists_statements = lists_statements;
	}
	list_free(relids);
	return lists_statements;
}

/*
 * True if every statement on the table or on one of its partitions fires
 * trigger align_begin.
 */
static bool
ListsStatements(const Attachment *attachment)
{
	PartitionTree *tree;

	if (!attachment->marker.partitioned)
		return attachment->has_begin;
	tree = hash_search(trees, &attachment->root_id, HASH_FIND, NULL);
	return tree != NULL ? tree->lists_statements : BuildTree(attachment->root_id);
}

/*
 * Builds an attachment in a child of the current memory context, so that an
 * error leaks nothing.
 *
 * Until the record tables are known to be tied to the root, the marker may
 * have been created by another role, and what does not fit is a fault, not an
 * error: agree() skips attachments with a fault.
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
	if (!align_read_marker(attachment->root_id, &attachment->marker))
		elog(ERROR, "relation %u is no longer attached", root);
	attachment->root_name = align_relation_name(root);
	attachment->root_owner = align_relation_owner(root);
	align_examine_ties(attachment);
	attachment->complete = attachment->fault == NULL ||
		(attachment->marker.live == NULL && !align_marker_has_expressions(&attachment->marker) &&
		 !align_marker_has_labels(&attachment->marker));
	attachment->has_begin = align_has_trigger(root, align_numbered_name(ATTACH_BEGIN, id.number));
	attachment->lists_statements = ListsStatements(attachment);
	attachment->history_name = align_relation_name(attachment->marker.history);
	attachment->sla_name = align_relation_name(attachment->marker.sla);
	attachment->nkeys = attachment->marker.nkeys;
	for (int i = 0; i < attachment->nkeys; i++)
	{
		if (!BuildKey(attachment, i))
			attachment->complete = false;
		attachment->key_text_varies |= align_key_text_varies(attachment->keys[i].type);
	}
	align_examine_records(attachment);
	BuildRecordKeyNames(attachment);
	for (int role = 0; role < ROW_NROLES; role++)
	{
		attachment->expression[role] = BuildExpression(attachment, (RowRole) role);
		BuildRole(attachment, (RowRole) role);
	}
	attachment->live = BuildLive(attachment);
	MemoryContextSwitchTo(old_context);
	return attachment;
}

static void
RaiseNotAttached(AttachmentId id)
{
	char	   *name = get_rel_name(id.relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", id.relid)));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" is not attached to an agreement", name),
			 errdetail("Neither the table nor any of its ancestors has a trigger \"%s\".",
					   align_numbered_name(ATTACHMENT_MARKER, id.number)),
			 errhint("Attach it with align.attach(). If other triggers of align are left behind, as after dropping a column with CASCADE, align.detach() removes them.")));
}

/*
 * The attachment of a number of a relation or of its nearest ancestor that has
 * it, complete or not.
 */
static Attachment *
LookUp(AttachmentId id, bool missing_ok)
{
	CachedAttachment *cached;
	Attachment *attachment;
	uint64		invalidations_before;
	Oid			root;

	if (cache == NULL)
		InitializeCache();
	cached = hash_search(cache, &id, HASH_FIND, NULL);
	if (cached != NULL && cached->attachment->valid)
		return cached->attachment;

	invalidations_before = invalidations;
	root = align_numbered_root(id);
	if (!OidIsValid(root))
	{
		if (!missing_ok)
			RaiseNotAttached(id);
		return NULL;
	}
	attachment = BuildAttachment(id, root);

	/*
	 * The attachment is complete, so enter it.  If an invalidation arrived
	 * while it was built it may be outdated: then it serves this caller only,
	 * and the next look-up builds it again.
	 */
	RemoveInvalid();
	cached = hash_search(cache, &id, HASH_ENTER, NULL);
	cached->attachment = attachment;
	MemoryContextSetParent(attachment->context, CacheMemoryContext);
	attachment->valid = invalidations == invalidations_before;
	return attachment;
}

/*
 * The attachment of a number of a relation or of its nearest ancestor that has
 * it.
 */
Attachment *
align_attachment(AttachmentId id, bool missing_ok)
{
	Attachment *attachment = LookUp(id, missing_ok);

	if (attachment != NULL && !attachment->complete)
		align_raise_fault(attachment->fault);
	return attachment;
}

/*
 * Likewise, but an incomplete attachment is returned, and a marker of another
 * form is none.
 */
Attachment *
align_attachment_with_fault(AttachmentId id)
{
	AttachmentId root = {align_numbered_root(id), id.number};
	AttachmentMarker marker;

	return OidIsValid(root.relid) && align_find_marker(root, &marker) ? LookUp(id, true) : NULL;
}
