/*
 * may_read.c
 *	  Whether a role may read of a lead what a message would show of it.
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
 * By way of one relation: the attached table, or the partition that holds the row.
 * keys and column are attributes of that relation.
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

bool
align_may_read(const Attachment *attachment, Oid role, RowRole column)
{
	return MayRead(attachment, role, attachment->marker.column[column], attachment->column[column]);
}

bool
align_may_read_key(const Attachment *attachment, Oid role)
{
	return MayRead(attachment, role, InvalidAttrNumber, InvalidAttrNumber);
}
