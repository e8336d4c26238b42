/*
 * may_read.c
 *	  May a message show data of a lead to a role?
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "attachment/may_read.h"

/*
 * True if the role may read these columns of every row of a relation: those of
 * the key, and others by attnum - FirstLowInvalidHeapAttributeNumber.
 */
static bool
MayReadFrom(Oid relid, Oid role, const AttrNumber *keys, int nkeys, const Bitmapset *columns)
{
	int			member = -1;

	if (check_enable_rls(relid, role, true) == RLS_ENABLED)
		return false;
	if (pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK)
		return true;
	for (int i = 0; i < nkeys; i++)
	{
		if (pg_attribute_aclcheck(relid, keys[i], role, ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		if (pg_attribute_aclcheck(relid, member + FirstLowInvalidHeapAttributeNumber, role,
								  ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

/*
 * The columns of a partition that have the names of columns of the root.
 */
static Bitmapset *
MapColumns(const Attachment *attachment, const Bitmapset *columns)
{
	Bitmapset  *result = NULL;
	int			member = -1;

	while ((member = bms_next_member(columns, member)) >= 0)
	{
		char	   *name = get_attname(attachment->marker.root,
									   member + FirstLowInvalidHeapAttributeNumber, false);

		result = bms_add_member(result, get_attnum(attachment->relid, name) -
								FirstLowInvalidHeapAttributeNumber);
	}
	return result;
}

/*
 * True if the role may read the key and other columns of the root through it,
 * or through the partition if the attachment is that of one.
 */
static bool
MayRead(const Attachment *attachment, Oid role, const Bitmapset *columns)
{
	AttrNumber	keys[ATTACHMENT_MAX_KEYS];

	if (MayReadFrom(attachment->marker.root, role, attachment->marker.key,
					attachment->marker.nkeys, columns))
		return true;
	if (attachment->relid == attachment->marker.root)
		return false;
	for (int i = 0; i < attachment->nkeys; i++)
		keys[i] = attachment->keys[i].attnum;
	return MayReadFrom(attachment->relid, role, keys, attachment->nkeys,
					   MapColumns(attachment, columns));
}

/*
 * True if a role may read the key and what a column role is read from, of
 * every lead.
 */
bool
align_may_read(const Attachment *attachment, Oid role, RowRole column)
{
	return MayRead(attachment, role, align_role_columns(&attachment->marker, column));
}

/*
 * True if a role may read the key of every lead.
 */
bool
align_may_read_key(const Attachment *attachment, Oid role)
{
	return MayRead(attachment, role, NULL);
}

/*
 * True if a role may read the key and one of align's columns of every entry of
 * a history.
 */
static bool
MayReadHistory(Oid history, int nkeys, Oid role, const char *name)
{
	AttrNumber	keys[ATTACHMENT_MAX_KEYS];
	AttrNumber	attnum = get_attnum(history, name);

	if (attnum == InvalidAttrNumber || !align_may_use(get_rel_namespace(history), role))
		return false;
	(void) align_record_key_columns(history, nkeys, keys);
	return MayReadFrom(history, role, keys, nkeys,
					   bms_make_singleton(attnum - FirstLowInvalidHeapAttributeNumber));
}

/*
 * True if a role may read, of every row, the columns of the one table that a
 * query is over; false if the query has another form.
 */
static bool
MayReadSource(const Query *query, Oid role)
{
	Node	   *from = list_length(query->jointree->fromlist) == 1 ?
		(Node *) linitial(query->jointree->fromlist) : NULL;
	Bitmapset  *columns = NULL;
	RangeTblEntry *table;

	if (query->hasSubLinks || query->cteList != NIL || query->setOperations != NULL ||
		from == NULL || !IsA(from, RangeTblRef))
		return false;
	table = rt_fetch(((RangeTblRef *) from)->rtindex, query->rtable);
	if (table->rtekind != RTE_RELATION || !align_may_use(get_rel_namespace(table->relid), role))
		return false;
	pull_varattnos((Node *) query->targetList, ((RangeTblRef *) from)->rtindex, &columns);
	pull_varattnos(query->jointree->quals, ((RangeTblRef *) from)->rtindex, &columns);
	/* a reference to the whole row needs the privilege on the table */
	if (bms_is_member(InvalidAttrNumber - FirstLowInvalidHeapAttributeNumber, columns))
		return check_enable_rls(table->relid, role, true) != RLS_ENABLED &&
			pg_class_aclcheck(table->relid, role, ACL_SELECT) == ACLCHECK_OK;
	return MayReadFrom(table->relid, role, NULL, 0, columns);
}

/*
 * True if a role may see the labels of a column role: it may read them in the
 * history, or where they are looked up.
 */
bool
align_may_read_labels(const Attachment *attachment, Oid role, RowRole column)
{
	Oid			view = attachment->marker.labels[column];
	Relation	rel;
	bool		result;

	if (!OidIsValid(view))
		return true;
	/* the history in a forged marker is not that of the table */
	if (align_records_problem(attachment) == NULL &&
		MayReadHistory(attachment->marker.history, attachment->marker.nkeys, role,
					   align_row_role_names[column]))
		return true;
	rel = relation_open(view, AccessShareLock);
	result = rel->rd_rel->relkind == RELKIND_VIEW && MayReadSource(get_view_query(rel), role);
	relation_close(rel, NoLock);
	return result;
}
