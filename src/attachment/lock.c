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
	const Attachment *locked;

	do
	{
		ListCell   *lc;

		/*
		 * Lock the partitions too, or a trigger could be added to one before
		 * it is written.
		 */
		locked = attachment;
		foreach(lc, locked->records)
			LockRelationOid(lfirst_oid(lc), mode);

		/*
		 * Look it up again, since it may have changed while we waited; repeat
		 * until all tables that it names are locked.  Partitions can still be
		 * added.
		 */
		attachment = align_attachment(relid, false);
	} while (list_difference_oid(attachment->records, locked->records) != NIL);
	if (attachment->fault != NULL)
		align_raise_fault(attachment->fault);
	return attachment;
}

/*
 * Locks a relation and its root, if it has one, and returns the root, else the
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
