/*
 * lock.c
 *	  Locks attached tables and their record tables.
 */
#include "postgres.h"

#include "storage/lmgr.h"
#include "storage/sinval.h"

#include "attachment/attachment.h"
#include "catalog/relation.h"

/*
 * An attachment with its record tables locked; raises an error unless they can
 * be used.
 */
Attachment *
align_attachment_locked(AttachmentId id, LOCKMODE mode)
{
	Attachment *attachment = align_attachment(id, false);
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
		attachment = align_attachment(id, false);
	} while (list_difference_oid(attachment->records, locked->records) != NIL);
	if (attachment->fault != NULL)
		align_raise_fault(attachment->fault);
	return attachment;
}

/*
 * Finds the attachment that a relation means, and locks its table; returns the
 * attachment of the root.
 *
 * A history is not locked here: detach() locks the table first, so readers
 * must do so, too.
 */
AttachmentId
align_lock_attached(Oid relid)
{
	AttachmentId id;
	Oid			root;
	uint64		invalidations;

	do
	{
		align_check_relation_exists(relid);
		invalidations = SharedInvalidMessageCounter;
		(void) align_find_attachment(relid, &id, &root);
		LockRelationOid(id.relid, AccessShareLock);
		if (OidIsValid(root) && root != id.relid)
			LockRelationOid(root, AccessShareLock);

		/*
		 * It may have changed while we waited.  Locks that are no longer
		 * needed do no harm.
		 */
	} while (invalidations != SharedInvalidMessageCounter);
	if (OidIsValid(root))
		id.relid = root;
	return id;
}
