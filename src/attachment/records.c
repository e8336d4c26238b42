/*
 * records.c
 *	  Checks the record tables of an attachment.
 *
 * The owner may alter these tables at any time, and a marker that was not
 * created by attach() may name any table.  All code that reads or writes them
 * goes through these checks with both tables locked.  So it can rely on their
 * columns and types, and on no code running with the owner's rights except
 * that of the owner and of superusers.
 *
 * A table must have exactly the same owner, by OID.  PostgreSQL's ownership
 * check also accepts superusers and members of the owner role, but triggers on
 * such a table are code of its real owner.
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
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "attachment/attachment.h"
#include "attachment/pointer.h"
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
IsTableOwnedBy(Oid relid, Oid owner)
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
		if (!IsTableOwnedBy(lfirst_oid(lc), attachment->root_owner))
			return Fault(ERRCODE_INSUFFICIENT_PRIVILEGE,
						 psprintf("history or clock table of table %s has another owner",
								  attachment->root_name),
						 psprintf("Relation %s must be a table that is owned by role \"%s\".",
								  align_relation_name(lfirst_oid(lc)),
								  GetUserNameFromId(attachment->root_owner, true)),
						 "After changing the owner of the table, change that of its history and clock table as well.");
	}
	return NULL;
}

/*
 * Tables that were attached before 0.2.1 have no pointers until the extension
 * is updated, which also creates the table align.admission.
 */
static bool
PointersAreRequired(void)
{
	Oid			namespace_id = get_namespace_oid("align", true);

	return OidIsValid(namespace_id) && OidIsValid(get_relname_relid("admission", namespace_id));
}

static RecordsFault *
CheckPointer(const Attachment *attachment, Oid relid)
{
	const AttachmentMarker *marker = &attachment->marker;
	int			nargs;
	char	  **args;
	Oid			from = align_read_pointer(relid, &nargs, &args).relid;

	if (from != marker->root)
		return Fault(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					 psprintf("table %s does not belong to table %s",
							  align_relation_name(relid), attachment->root_name),
					 OidIsValid(from) ?
					 psprintf("Trigger \"%s\" of %s names table %s.", ATTACHMENT_POINTER,
							  align_relation_name(relid), align_relation_name(from)) :
					 psprintf("Table %s has no trigger \"%s\" that names %s.",
							  align_relation_name(relid), ATTACHMENT_POINTER,
							  attachment->root_name),
					 ATTACH_AGAIN);
	if (!align_pointer_fits(marker, nargs, args, true))
		return Fault(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					 psprintf("attachment of table %s does not match table %s",
							  attachment->root_name, align_relation_name(relid)),
					 psprintf("Trigger \"%s\" of the table and trigger \"%s\" of %s have different arguments, columns or conditions: one of them was replaced.",
							  align_numbered_name(ATTACHMENT_MARKER, marker->options.number),
							  ATTACHMENT_POINTER, align_relation_name(relid)),
					 ATTACH_AGAIN);
	return NULL;
}

/*
 * The views of labels must belong to the owner of the root, too: they are read
 * as that role.
 */
static RecordsFault *
CheckLabels(const Attachment *attachment)
{
	for (int role = 0; role < ROW_NROLES; role++)
	{
		Oid			view = attachment->marker.labels[role];

		if (!OidIsValid(view))
			continue;
		if (get_rel_relkind(view) != RELKIND_VIEW ||
			align_relation_owner(view) != attachment->root_owner)
			return Fault(ERRCODE_INSUFFICIENT_PRIVILEGE,
						 psprintf("labels of table %s have another owner", attachment->root_name),
						 psprintf("Relation %s must be a view that is owned by role \"%s\".",
								  align_relation_name(view),
								  GetUserNameFromId(attachment->root_owner, true)),
						 "After changing the owner of the table, change that of its views of labels as well.");
		if (get_attnum(view, "key") == InvalidAttrNumber ||
			get_attnum(view, "label") == InvalidAttrNumber ||
			get_atttype(view, get_attnum(view, "label")) != TEXTOID)
			return Fault(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
						 psprintf("labels of table %s have been altered", attachment->root_name),
						 psprintf("View %s must have the columns key and label, of type text.",
								  align_relation_name(view)),
						 ATTACH_AGAIN);
	}
	return NULL;
}

/*
 * What is wrong with a column that should have a type and may have to be NOT
 * NULL; NULL if it is right.
 */
static char *
ColumnFault(Oid relid, const char *name, AttrNumber attnum, Oid type, bool not_null)
{
	Oid			found = attnum == InvalidAttrNumber ? InvalidOid : get_atttype(relid, attnum);

	if (!OidIsValid(found))
		return psprintf("Column \"%s\" of table \"%s\" is missing.", name, get_rel_name(relid));
	if (found != type)
		return psprintf("Column \"%s\" of table \"%s\" has type %s instead of %s.", name,
						get_rel_name(relid), format_type_be(found), format_type_be(type));
	if (not_null && !align_column_is_not_null(relid, attnum))
		return psprintf("Column \"%s\" of table \"%s\" is not marked NOT NULL.", name,
						get_rel_name(relid));
	return NULL;
}

static RecordsFault *
CheckColumns(const Attachment *attachment, Oid relid, const OwnColumn *columns, int ncolumns)
{
	AttrNumber	keys[ATTACHMENT_MAX_KEYS];
	char	   *detail = NULL;

	if (!align_record_key_columns(relid, attachment->nkeys, keys))
		detail = psprintf("Table \"%s\" does not begin with the key columns.", get_rel_name(relid));
	for (int i = 0; detail == NULL && i < attachment->nkeys; i++)
		detail = ColumnFault(relid, get_attname(relid, keys[i], false), keys[i],
							 attachment->keys[i].type, true);
	for (int i = 0; detail == NULL && i < ncolumns; i++)
		detail = ColumnFault(relid, columns[i].name, get_attnum(relid, columns[i].name),
							 columns[i].type, columns[i].not_null);
	if (detail == NULL)
		return NULL;
	return Fault(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
				 psprintf("history or clock table of table %s has been altered",
						  attachment->root_name),
				 detail,
				 "Undo the change. Columns may be added and key columns renamed, but the columns of align must remain as align.attach() created them.");
}

/*
 * True if a table has a rule.  It could replace the insertion of an entry by
 * something else.  pg_class.relhasrules stays set after the last rule is
 * dropped, so search pg_rewrite.
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

/*
 * An enabled trigger whose function belongs neither to owner nor to a
 * superuser.
 */
CatalogTrigger *
align_untrusted_trigger(Oid relid, Oid owner)
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
 * No rules, and no triggers with functions of other roles, which would run
 * with the rights of the table's owner.
 */
static RecordsFault *
CheckCode(const Attachment *attachment, Oid relid)
{
	CatalogTrigger *trigger;

	if (align_has_rule(relid))
		return Fault(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					 psprintf("history or clock table of table %s has been altered",
							  attachment->root_name),
					 psprintf("Table %s has a rule, which could keep entries from being written.",
							  align_relation_name(relid)),
					 "Drop the rule; use a trigger instead.");
	trigger = align_untrusted_trigger(relid, attachment->root_owner);
	if (trigger != NULL)
		return Fault(ERRCODE_INSUFFICIENT_PRIVILEGE,
					 psprintf("trigger \"%s\" of table %s is not allowed",
							  trigger->name, align_relation_name(relid)),
					 psprintf("The function of trigger \"%s\" belongs to role \"%s\", and would run with the rights of role \"%s\".",
							  trigger->name,
							  GetUserNameFromId(FunctionOwner(trigger->function), true),
							  GetUserNameFromId(attachment->root_owner, true)),
					 "Drop or disable the trigger, or give its function to the owner of the table.");
	return NULL;
}

/*
 * Why the record tables are not tied to the root, or NULL.  Ownership comes
 * first: the other checks assume that these are tables.
 */
static RecordsFault *
CheckTies(const Attachment *attachment)
{
	const AttachmentMarker *marker = &attachment->marker;
	RecordsFault *fault = CheckOwners(attachment);

	if (fault != NULL || !PointersAreRequired())
		return fault;
	fault = CheckPointer(attachment, marker->history);
	if (fault == NULL)
		fault = CheckPointer(attachment, marker->sla);
	if (fault == NULL)
		fault = CheckLabels(attachment);
	return fault;
}

/*
 * The number of HistoryColumns that a history has.  A column of the owner may
 * have the name of one that was added later; it is not filled if it could not
 * be null.
 */
static int
HistoryColumns(Oid history)
{
	for (int i = HISTORY_MIN_COLUMNS; i < HISTORY_NCOLUMNS; i++)
	{
		const OwnColumn *column = &align_history_columns[i];
		AttrNumber	attnum = get_attnum(history, column->name);

		if (attnum == InvalidAttrNumber || get_atttype(history, attnum) != column->type ||
			get_attgenerated(history, attnum) != '\0' || align_column_is_not_null(history, attnum))
			return i;
	}
	return HISTORY_NCOLUMNS;
}

static RecordsFault *
CheckContents(const Attachment *attachment)
{
	const AttachmentMarker *marker = &attachment->marker;
	RecordsFault *fault;
	ListCell   *lc;

	fault = CheckColumns(attachment, marker->history, align_history_columns, HISTORY_MIN_COLUMNS);
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
 * OIDs of a table and its partitions of every level, without locking them.
 */
static List *
TableAndPartitions(Oid relid)
{
	if (has_subclass(relid))
		return find_all_inheritors(relid, NoLock, NULL);
	return list_make1_oid(relid);
}

/*
 * True if one of the tables has a trigger whose function is not align's.
 */
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

/*
 * Sets records, and fault if the record tables are not tied to the root.
 */
void
align_examine_ties(Attachment *attachment)
{
	attachment->records = list_concat(TableAndPartitions(attachment->marker.history),
									  TableAndPartitions(attachment->marker.sla));
	attachment->fault = CheckTies(attachment);
}

/*
 * Sets has_other_triggers, and fault if there is none yet.
 */
void
align_examine_records(Attachment *attachment)
{
	attachment->has_other_triggers = HasOtherTriggers(attachment->records);
	attachment->history_ncolumns = HistoryColumns(attachment->marker.history);
	if (attachment->fault == NULL)
		attachment->fault = CheckContents(attachment);
}

/*
 * Raise a fault as an error.
 */
void
align_raise_fault(const RecordsFault *fault)
{
	ereport(ERROR,
			(errcode(fault->sqlstate),
			 errmsg("%s", fault->message),
			 errdetail("%s", fault->detail),
			 errhint("%s", fault->hint)));
}

/*
 * Why the record tables cannot be used, as a sentence; NULL if they can.
 */
char *
align_records_problem(const Attachment *attachment)
{
	return attachment->fault != NULL ? attachment->fault->detail : NULL;
}
