/*
 * lock.c
 *	  Locks for functions that work on attached tables and their records.
 */
#include "postgres.h"

#include "storage/lmgr.h"

#include "attachment/attachment.h"
#include "catalog/relation.h"

static void
RaiseFault(const RecordsFault *fault)
{
	ereport(ERROR,
			(errcode(fault->sqlstate),
			 errmsg("%s", fault->message),
			 errdetail("%s", fault->detail),
			 errhint("%s", fault->hint)));
}

Attachment *
align_attachment_locked(Oid relid, LOCKMODE mode)
{
	Attachment *attachment = align_attachment(relid, false);
	ListCell   *lc;

	/*
	 * partitions, too, or somebody may add a trigger to one before it is
	 * written
	 */
	foreach(lc, attachment->records)
		LockRelationOid(lfirst_oid(lc), mode);
	/* as they are now that they can no longer change */
	attachment = align_attachment(relid, false);
	if (attachment->fault != NULL)
		RaiseFault(attachment->fault);
	return attachment;
}

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
