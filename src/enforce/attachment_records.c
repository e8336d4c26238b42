/*
 * attachment_records.c
 *	  Are the history and the clock table of an attachment what they should be?
 *
 * Their owner may alter them at any time, and a marker made by hand may name
 * anything.  Whoever reads or writes them asks here first, with both locked, so
 * that the rest of the code may rely on their columns and types.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "enforce/attachment.h"
#include "enforce/history.h"

static bool
IsTableOf(Oid relid, Oid role)
{
	char		kind = get_rel_relkind(relid);

	return (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE) &&
		align_table_ownercheck(relid, role);
}

/* What is wrong with a column that should have a type; NULL if nothing. */
static char *
ColumnFault(Oid relid, const char *name, AttrNumber attnum, Oid type)
{
	Oid			found = attnum == InvalidAttrNumber ? InvalidOid : get_atttype(relid, attnum);

	if (!OidIsValid(found))
		return psprintf("Column \"%s\" of table \"%s\" is missing.", name, get_rel_name(relid));
	if (found != type)
		return psprintf("Column \"%s\" of table \"%s\" has type %s instead of %s.", name,
						get_rel_name(relid), format_type_be(found), format_type_be(type));
	return NULL;
}

static char *
TableFault(const Attachment *attachment, Oid relid, const OwnColumn *columns, int ncolumns)
{
	AttrNumber	keys[ATTACHMENT_MAX_KEYS];
	char	   *fault = NULL;

	if (!align_own_key_columns(relid, attachment->nkeys, keys))
		return psprintf("Table \"%s\" does not begin with the key columns.", get_rel_name(relid));
	for (int i = 0; fault == NULL && i < attachment->nkeys; i++)
		fault = ColumnFault(relid, get_attname(relid, keys[i], false), keys[i],
							attachment->keys[i].type);
	for (int i = 0; fault == NULL && i < ncolumns; i++)
		fault = ColumnFault(relid, columns[i].name, get_attnum(relid, columns[i].name),
							columns[i].type);
	return fault;
}

void
align_look_at_records(Attachment *attachment)
{
	const AttachmentMarker *marker = &attachment->marker;

	attachment->owns_both = IsTableOf(marker->history, attachment->root_owner) &&
		IsTableOf(marker->sla, attachment->root_owner);
	attachment->records_fault = TableFault(attachment, marker->history, align_history_columns,
										   HISTORY_NCOLUMNS);
	if (attachment->records_fault == NULL)
		attachment->records_fault = TableFault(attachment, marker->sla, align_sla_columns,
											   SLA_NCOLUMNS);
}

static void
CheckOwned(const Attachment *attachment)
{
	if (attachment->owns_both)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("history and clocks of table %s are not those of its owner",
					attachment->root_name),
			 errdetail("Role \"%s\" must own %s and %s, and both must be tables.",
					   GetUserNameFromId(attachment->root_owner, true),
					   attachment->history_name, attachment->sla_name),
			 errhint("After giving the table to another role, give these two to it as well.")));
}

static void
CheckColumns(const Attachment *attachment)
{
	if (attachment->records_fault == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("history or clocks of table %s have been altered", attachment->root_name),
			 errdetail("%s", attachment->records_fault),
			 errhint("Alter it back. Columns may be added, and key columns renamed, but those of align stay as align.attach() made them.")));
}

Attachment *
align_attachment_locked(Oid relid, LOCKMODE mode)
{
	Attachment *attachment = align_attachment(relid, false);

	LockRelationOid(attachment->marker.history, mode);
	LockRelationOid(attachment->marker.sla, mode);
	/* as they are now that they stay */
	attachment = align_attachment(relid, false);
	CheckOwned(attachment);
	CheckColumns(attachment);
	return attachment;
}

Oid
align_lock_attached(Oid relid)
{
	Oid			root;

	LockRelationOid(relid, AccessShareLock);
	root = align_attached_root(relid);
	if (!OidIsValid(root) || root == relid)
		return relid;
	LockRelationOid(root, AccessShareLock);
	return root;
}
