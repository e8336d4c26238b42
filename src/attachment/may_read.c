/*
 * may_read.c
 *	  May a message show data of a lead to a role?
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
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
