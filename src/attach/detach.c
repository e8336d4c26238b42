/*
 * detach.c
 *	  align.detach(): drops the triggers of an attachment, and keeps the record
 *	  tables.
 *
 * It works in a security-restricted operation, as align.attach() does.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

#include "attach/request.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "record/commit.h"
#include "record/flush.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_detach);

/*
 * Raises an error for a partition of an attached table.
 */
static void
CheckNoAttachedAncestor(Oid relid)
{
	Oid			root;

	if (align_has_trigger(relid, ATTACHMENT_MARKER))
		return;
	root = align_attached_root(relid);
	if (OidIsValid(root))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot detach relation \"%s\" alone", get_rel_name(relid)),
				 errdetail("It is a partition of \"%s\", which is attached.", get_rel_name(root))));
}

/*
 * detach(relation regclass) returns void
 *
 * Also drops triggers that were left behind when the marker was dropped.  So
 * the record tables are found by their pointers to the table, not by its
 * marker.
 */
Datum
align_detach(PG_FUNCTION_ARGS)
{
	Oid			relid;
	List	   *partitions;
	ListCell   *lc;
	RestrictedCaller caller;

	align_require_argument(fcinfo, 0, "relation");
	relid = PG_GETARG_OID(0);
	PreventCommandIfReadOnly("align.detach()");
	align_lock_own_table(relid, AccessExclusiveLock);
	CheckNoAttachedAncestor(relid);
	partitions = align_lock_partitions(relid, AccessExclusiveLock);
	align_recorder_flush_all();
	align_recorder_finish_reload(relid);

	align_begin_restricted(&caller, align_relation_owner(relid));
	align_spi_connect();
	foreach(lc, align_record_tables_of(relid))
	{
		/* a pointer on a table of another owner was not created by attach() */
		if (align_relation_owner(lfirst_oid(lc)) == align_relation_owner(relid))
			align_release_record_table(lfirst_oid(lc));
	}
	if (!align_attach_drop_triggers(relid, partitions))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"%s\" is not attached to an agreement", get_rel_name(relid))));
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_VOID();
}
