/*
 * records.c
 *	  Are the history and the clock table of an attachment what they should be?
 *
 * Their owner may alter them at any time, and a marker made by hand may name any
 * table.  Everything that reads or writes them asks here first, with both locked,
 * so that the rest of the code may rely on their columns and types, and on this:
 * no code runs with the owner's rights but that of the owner and of superusers.
 *
 * Ownership means equal OIDs.  A superuser or a member of the owner role passes
 * PostgreSQL's own test of ownership for tables of others, but a trigger on such
 * a table is code of its owner.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "attachment/attachment.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "history/history.h"

#define ATTACH_AGAIN "Call align.attach() again as the owner of the table."

static RecordsFault *
Fault(int sqlstate, char *message, char *detail, const char *hint)
{
	RecordsFault *fault = palloc(sizeof(RecordsFault));

	fault->sqlstate = sqlstate;
	fault->message = message;
	fault->detail = detail;
	fault->hint = pstrdup(hint);
	return fault;
}

static bool
IsTableOf(Oid relid, Oid owner)
{
	char		kind = get_rel_relkind(relid);

	return (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE) &&
		align_relation_owner(relid) == owner;
}

static RecordsFault *
CheckOwners(const Attachment *attachment)
{
	ListCell   *lc;

	foreach(lc, attachment->records)
	{
		if (!IsTableOf(lfirst_oid(lc), attachment->root_owner))
			return Fault(ERRCODE_INSUFFICIENT_PRIVILEGE,
						 psprintf("history and clocks of table %s are not those of its owner",
								  attachment->root_name),
						 psprintf("Role \"%s\" must own %s, and it must be a table.",
								  GetUserNameFromId(attachment->root_owner, true),
								  align_relation_name(lfirst_oid(lc))),
						 "After giving the table to another role, give its history and clock table to that role as well.");
	}
	return NULL;
}

/*
 * Tables that were attached before 0.2.1 have no pointers.  The update of the
 * extension makes them; between the installation of the library and that update
 * nothing is demanded.
 */
static bool
PointersAreDue(void)
{
	Oid			namespace_id = get_namespace_oid("align", true);

	return OidIsValid(namespace_id) && OidIsValid(get_relname_relid("admission", namespace_id));
}

static bool
SameArguments(const AttachmentMarker *marker, int nargs, char **args)
{
	if (nargs != marker->nargs)
		return false;
	for (int i = 0; i < nargs; i++)
	{
		if (strcmp(args[i], marker->args[i]) != 0)
			return false;
	}
	return true;
}

static RecordsFault *
CheckPointer(const Attachment *attachment, Oid relid)
{
	const AttachmentMarker *marker = &attachment->marker;
	int			nargs;
	char	  **args;
	Oid			from = align_read_pointer(relid, &nargs, &args);

	if (from != marker->root)
		return Fault(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					 psprintf("table %s does not belong to table %s",
							  align_relation_name(relid), attachment->root_name),
					 OidIsValid(from) ?
					 psprintf("Its trigger \"%s\" names table %s.", ATTACHMENT_POINTER,
							  align_relation_name(from)) :
					 psprintf("It has no trigger \"%s\" that names the table.", ATTACHMENT_POINTER),
					 ATTACH_AGAIN);
	if (!SameArguments(marker, nargs, args))
		return Fault(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					 psprintf("table %s is not attached as its history says", attachment->root_name),
					 psprintf("Trigger \"%s\" of the table and trigger \"%s\" of %s have different arguments: one of them was replaced.",
							  ATTACHMENT_MARKER, ATTACHMENT_POINTER, align_relation_name(relid)),
					 ATTACH_AGAIN);
	return NULL;
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

static RecordsFault *
CheckColumns(const Attachment *attachment, Oid relid, const OwnColumn *columns, int ncolumns)
{
	AttrNumber	keys[ATTACHMENT_MAX_KEYS];
	char	   *detail = NULL;

	if (!align_own_key_columns(relid, attachment->nkeys, keys))
		detail = psprintf("Table \"%s\" does not begin with the key columns.", get_rel_name(relid));
	for (int i = 0; detail == NULL && i < attachment->nkeys; i++)
		detail = ColumnFault(relid, get_attname(relid, keys[i], false), keys[i],
							 attachment->keys[i].type);
	for (int i = 0; detail == NULL && i < ncolumns; i++)
		detail = ColumnFault(relid, columns[i].name, get_attnum(relid, columns[i].name),
							 columns[i].type);
	if (detail == NULL)
		return NULL;
	return Fault(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
				 psprintf("history or clocks of table %s have been altered", attachment->root_name),
				 detail,
				 "Alter the table back. Columns may be added, and key columns renamed, but the columns of align stay as align.attach() made them.");
}

/*
 * A rule may put something else in the place of an entry.  pg_class.relhasrules
 * stays set after the last rule is dropped, so pg_rewrite is searched.
 */
bool
align_has_rule(Oid relid)
{
	Relation	catalog = table_open(RewriteRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	bool		found;

	ScanKeyInit(&key, Anum_pg_rewrite_ev_class, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, RewriteRelRulenameIndexId, true, NULL, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

static Oid
FunctionOwner(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	result = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return result;
}

CatalogTrigger *
align_foreign_trigger(Oid relid, Oid owner)
{
	ListCell   *lc;

	foreach(lc, align_triggers_of(relid))
	{
		CatalogTrigger *trigger = (CatalogTrigger *) lfirst(lc);
		Oid			function_owner = FunctionOwner(trigger->function);

		if (trigger->enabled != TRIGGER_DISABLED && function_owner != owner &&
			!superuser_arg(function_owner))
			return trigger;
	}
	return NULL;
}

/*
 * Rules and triggers of others.  Triggers run with the rights of the owner of the
 * table.
 */
static RecordsFault *
CheckCode(const Attachment *attachment, Oid relid)
{
	CatalogTrigger *trigger;

	if (align_has_rule(relid))
		return Fault(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					 psprintf("history or clocks of table %s have been altered", attachment->root_name),
					 psprintf("Table %s has a rule, which could keep entries from being written.",
							  align_relation_name(relid)),
					 "Drop the rule; use a trigger instead.");
	trigger = align_foreign_trigger(relid, attachment->root_owner);
	if (trigger != NULL)
		return Fault(ERRCODE_INSUFFICIENT_PRIVILEGE,
					 psprintf("trigger \"%s\" of table %s may not run when align writes",
							  trigger->name, align_relation_name(relid)),
					 psprintf("Its function belongs to role \"%s\", and would run with the rights of role \"%s\".",
							  GetUserNameFromId(FunctionOwner(trigger->function), true),
							  GetUserNameFromId(attachment->root_owner, true)),
					 "Drop or disable the trigger, or give its function to the owner of the table.");
	return NULL;
}

static RecordsFault *
FindFault(const Attachment *attachment)
{
	const AttachmentMarker *marker = &attachment->marker;
	RecordsFault *fault = CheckOwners(attachment);
	ListCell   *lc;

	if (fault == NULL && PointersAreDue())
	{
		fault = CheckPointer(attachment, marker->history);
		if (fault == NULL)
			fault = CheckPointer(attachment, marker->sla);
	}
	if (fault == NULL)
		fault = CheckColumns(attachment, marker->history, align_history_columns, HISTORY_NCOLUMNS);
	if (fault == NULL)
		fault = CheckColumns(attachment, marker->sla, align_sla_columns, SLA_NCOLUMNS);
	foreach(lc, attachment->records)
	{
		if (fault == NULL)
			fault = CheckCode(attachment, lfirst_oid(lc));
	}
	return fault;
}

/*
 * A table and its partitions of every level.  No locks: this only serves to judge
 * them and to notice changes.
 */
static List *
WithPartitions(Oid relid)
{
	if (has_subclass(relid))
		return find_all_inheritors(relid, NoLock, NULL);
	return list_make1_oid(relid);
}

static bool
HasOtherTriggers(List *records)
{
	Oid			namespace_id = get_namespace_oid("align", true);
	ListCell   *lc;
	ListCell   *tc;

	foreach(lc, records)
	{
		foreach(tc, align_triggers_of(lfirst_oid(lc)))
		{
			if (get_func_namespace(((CatalogTrigger *) lfirst(tc))->function) != namespace_id)
				return true;
		}
	}
	return false;
}

void
align_examine_records(Attachment *attachment)
{
	attachment->records = list_concat(WithPartitions(attachment->marker.history),
									  WithPartitions(attachment->marker.sla));
	attachment->has_other_triggers = HasOtherTriggers(attachment->records);
	attachment->fault = FindFault(attachment);
}

char *
align_records_problem(const Attachment *attachment)
{
	return attachment->fault != NULL ? attachment->fault->detail : NULL;
}
