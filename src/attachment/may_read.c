/*
 * may_read.c
 *	  May a message show data of a lead to a role?
 */
#include "postgres.h"

#include "utils/acl.h"
#include "utils/rls.h"

#include "attachment/may_read.h"

static bool
MayReadColumn(Oid relid, Oid role, AttrNumber attnum)
{
	return attnum == InvalidAttrNumber ||
		pg_attribute_aclcheck(relid, attnum, role, ACL_SELECT) == ACLCHECK_OK;
}

/*
 * True if the role may read these columns of every row of a relation.
 */
static bool
MayReadFrom(Oid relid, Oid role, const AttrNumber *keys, int nkeys, AttrNumber column)
{
	if (check_enable_rls(relid, role, true) == RLS_ENABLED)
		return false;
	if (pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK)
		return true;
	for (int i = 0; i < nkeys; i++)
	{
		if (!MayReadColumn(relid, role, keys[i]))
			return false;
	}
	return MayReadColumn(relid, role, column);
}

/*
 * True if the role may read the key and a column through the root, or through
 * the partition if the attachment is that of one.  The column is given by its
 * number in either; InvalidAttrNumber means the key alone.
 */
static bool
MayRead(const Attachment *attachment, Oid role, AttrNumber root_column, AttrNumber column)
{
	AttrNumber	keys[ATTACHMENT_MAX_KEYS];

	if (MayReadFrom(attachment->marker.root, role, attachment->marker.key,
					attachment->marker.nkeys, root_column))
		return true;
	if (attachment->relid == attachment->marker.root)
		return false;
	for (int i = 0; i < attachment->nkeys; i++)
		keys[i] = attachment->keys[i].attnum;
	return MayReadFrom(attachment->relid, role, keys, attachment->nkeys, column);
}

/*
 * True if a role may read the key and a column of every lead.
 */
bool
align_may_read(const Attachment *attachment, Oid role, RowRole column)
{
	return MayRead(attachment, role, attachment->marker.column[column], attachment->column[column]);
}

/*
 * True if a role may read the key of every lead.
 */
bool
align_may_read_key(const Attachment *attachment, Oid role)
{
	return MayRead(attachment, role, InvalidAttrNumber, InvalidAttrNumber);
}
