/*
 * lock.c
 *	  Locks attached tables and their record tables.
 */
#include "postgres.h"

#include "storage/lmgr.h"

#include "attachment/attachment.h"
#include "catalog/relation.h"

/*
 * An attachment with its record tables locked; raises an error unless they can
 * be used.
 */
Attachment *
align_attachment_locked(Oid relid, LOCKMODE mode)
{
	Attachment *attachment = align_attachment(relid, false);
	ListCell   *lc;

	/*
	 * Lock the partitions too, or a trigger could be added to one before it
	 * is written.
	 */
	foreach(lc, attachment->records)
		LockRelationOid(lfirst_oid(lc), mode);

	/* look it up again: now the tables can no longer change */
	attachment = align_attachment(relid, false);
	if (attachment->fault != NULL)
		align_raise_fault(attachment->fault);
	return attachment;
}

/*
 * Lock a relation and its root, if it has one, and return the root, else the
 * relation.
 */
Oid
align_lock_attached(Oid relid)
{
	Oid			root;

	align_check_relation_exists(relid);
	LockRelationOid(relid, AccessShareLock);
	align_check_relation_exists(relid);
	root = align_attached_root(relid);
	if (!OidIsValid(root) || root == relid)
		return relid;
	LockRelationOid(root, AccessShareLock);
	return root;
}
