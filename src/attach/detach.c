/*
 * detach.c
 *	  align.detach(): drops the triggers of an attachment, and keeps the record
 *	  tables.
 *
 * It also drops triggers that were left behind when the marker was dropped.
 * So the attachments of a table are found by the pointers of record tables to
 * it, not by its markers.
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
#include "record/changed_leads.h"
#include "record/commit.h"
#include "record/flush.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_detach);

/*
 * The table that is named by the argument, or whose history is: a relation
 * without marker whose pointer names one.  number is that of the attachment,
 * or 0 if the table itself is named.
 */
static AttachmentId
NamedTable(Oid relid)
{
	AttachmentId id = {relid, 0};
	AttachmentId root;
	int			nargs;
	char	  **args;

	if (OidIsValid(align_attached_root(relid, NULL)))
		return id;
	root = align_read_pointer(relid, &nargs, &args);
	return OidIsValid(root.relid) && root.number != 0 ? root : id;
}

/*
 * Raises an error for a partition of an attached table.
 */
static void
CheckNoAttachedAncestor(Oid relid)
{
	Oid			root;

	if (align_attachment_numbers(relid) != NIL)
		return;
	root = align_attached_root(relid, NULL);
	if (OidIsValid(root))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot detach relation \"%s\" alone", get_rel_name(relid)),
				 errdetail("It is a partition of \"%s\", which is attached.", get_rel_name(root))));
}

/*
 * The record tables of an attachment of a table, or of any if number is 0.  A
 * pointer on a table of another owner was not created by attach().
 */
static List *
RecordTables(AttachmentId id)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, align_record_tables_of(id.relid, id.number))
	{
		if (align_relation_owner(lfirst_oid(lc)) == align_relation_owner(id.relid))
			result = lappend_oid(result, lfirst_oid(lc));
	}
	return result;
}

/*
 * Raises an error if a table has several attachments.
 */
static void
CheckNotSeveral(Oid relid, List *records)
{
	List	   *numbers = NIL;
	ListCell   *lc;

	foreach(lc, records)
	{
		int			nargs;
		char	  **args;

		numbers = list_append_unique_int(numbers,
										 align_read_pointer(lfirst_oid(lc), &nargs, &args).number);
	}
	if (list_length(numbers) > 1)
		align_raise_several(relid, numbers, "Name the history of the attachment instead");
}

/*
 * Drops the triggers that log changes of leads for stored reports, which are
 * not brought up to date any more: on the record tables, and those on the
 * attached table that add to the same logs.
 */
static void
DropLogTriggers(Oid relid, List *records)
{
	Oid			owner = align_relation_owner(relid);
	List	   *logs = NIL;
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, records)
		logs = list_concat_unique_oid(logs, align_changed_leads_logs(lfirst_oid(lc), owner));
	foreach(lc, logs)
	{
		align_drop_changed_lead_triggers(relid, owner, lfirst_oid(lc));
		foreach(lc2, records)
			align_drop_changed_lead_triggers(lfirst_oid(lc2), owner, lfirst_oid(lc));
	}
}

/*
 * detach(relation regclass) returns void
 *
 * If the table is named, and has one attachment, the triggers of all numbers
 * are dropped, since others are left behind or forged.
 */
Datum
align_detach(PG_FUNCTION_ARGS)
{
	AttachmentId id;
	Oid			relid;
	List	   *partitions;
	List	   *records;
	ListCell   *lc;
	RestrictedCaller caller;

	align_require_argument(fcinfo, 0, "relation");
	PreventCommandIfReadOnly("align.detach()");
	id = NamedTable(PG_GETARG_OID(0));
	relid = id.relid;
	align_lock_own_table(relid, AccessExclusiveLock);
	CheckNoAttachedAncestor(relid);
	partitions = align_lock_partitions(relid, AccessExclusiveLock);
	align_recorder_flush_all();
	align_recorder_finish_reload(relid);

	records = RecordTables(id);
	if (id.number == 0)
		CheckNotSeveral(relid, records);
	else if (!list_member_oid(records, PG_GETARG_OID(0)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"%s\" is not the history of an attached table",
						get_rel_name(PG_GETARG_OID(0)))));

	align_begin_restricted(&caller, align_relation_owner(relid));
	align_spi_connect();
	DropLogTriggers(relid, records);
	foreach(lc, records)
		align_release_record_table(lfirst_oid(lc));
	if (!align_attach_drop_triggers(relid, partitions, id.number))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"%s\" is not attached to an agreement", get_rel_name(relid))));
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_VOID();
}
