/*
 * mark.c
 *	  The objects that create_reports() creates; see mark.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "report/mark.h"

/* The end of the comment of everything that create_reports() creates. */
#define REPORT_MARK "Created by align.create_reports()."

Oid
align_report_function(Oid schema, const char *name)
{
	Oid			argument = TIMESTAMPTZOID;

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(&argument, 1)),
						   ObjectIdGetDatum(schema));
}

static Oid
FunctionOwner(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			result;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	result = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * True if an object has the mark of a report in its comment.
 */
static bool
HasMark(Oid object, Oid catalog)
{
	char	   *comment = GetComment(object, catalog, 0);
	size_t		length = comment != NULL ? strlen(comment) : 0;

	return length >= strlen(REPORT_MARK) &&
		strcmp(comment + length - strlen(REPORT_MARK), REPORT_MARK) == 0;
}

bool
align_is_report(Oid relid, Oid owner)
{
	return get_rel_relkind(relid) == RELKIND_VIEW && align_relation_owner(relid) == owner &&
		HasMark(relid, RelationRelationId);
}

bool
align_is_report_table(Oid relid, Oid owner)
{
	return get_rel_relkind(relid) == RELKIND_RELATION && align_relation_owner(relid) == owner &&
		HasMark(relid, RelationRelationId);
}

bool
align_is_report_function(Oid function, Oid owner)
{
	return FunctionOwner(function) == owner && HasMark(function, ProcedureRelationId);
}

/*
 * Returns the view that a rule belongs to.
 */
static Oid
ViewOfRule(Oid rule)
{
	Relation	rel = table_open(RewriteRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	ScanKeyInit(&key, Anum_pg_rewrite_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(rule));
	scan = systable_beginscan(rel, RewriteOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		result = ((Form_pg_rewrite) GETSTRUCT(tuple))->ev_class;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * The schemas that have reports on an attachment: those of the views of
 * settings that depend on its history.
 */
List *
align_report_schemas(const Attachment *attachment)
{
	Relation	rel = table_open(DependRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(attachment->marker.history));
	scan = systable_beginscan(rel, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		const FormData_pg_depend *form = (Form_pg_depend) GETSTRUCT(tuple);
		Oid			view;
		char	   *name;

		if (form->classid != RewriteRelationId)
			continue;
		view = ViewOfRule(form->objid);
		/* it may be dropped meanwhile */
		name = OidIsValid(view) ? get_rel_name(view) : NULL;
		if (name != NULL && strcmp(name, REPORT_SETTINGS) == 0 &&
			align_is_report(view, attachment->root_owner))
			result = list_append_unique_oid(result, get_rel_namespace(view));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * Raises that an object of the schema has the name of a report.  owner is that
 * of the object, if it has the mark of a report.
 */
static void
pg_attribute_noreturn()
NameIsTaken(const ReportTarget *target, const char *what, const char *name, Oid owner)
{
	if (OidIsValid(owner) && owner != target->attachment->root_owner)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("%s \"%s\" in schema \"%s\" is a report of another role", what, name,
						get_namespace_name(target->schema_oid)),
				 errdetail("It belongs to \"%s\", not to the owner of table \"%s\", \"%s\".",
						   GetUserNameFromId(owner, false),
						   get_rel_name(target->attachment->marker.root),
						   GetUserNameFromId(target->attachment->root_owner, false)),
				 errhint("Choose another schema, or drop the reports of that role.")));
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("%s \"%s\" in schema \"%s\" is not a report", what, name,
					get_namespace_name(target->schema_oid)),
			 errdetail("align.create_reports() replaces only what it has created itself."),
			 errhint("Choose another schema, or rename it.")));
}

void
align_check_report_relation(const ReportTarget *target, const char *name)
{
	Oid			owner = target->attachment->root_owner;
	Oid			relid = get_relname_relid(name, target->schema_oid);
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name),
									   ObjectIdGetDatum(target->schema_oid));

	if (OidIsValid(relid) && !align_is_report(relid, owner) && !align_is_report_table(relid, owner))
		NameIsTaken(target, "relation", name,
					HasMark(relid, RelationRelationId) ? align_relation_owner(relid) : InvalidOid);
	if (!OidIsValid(relid) && OidIsValid(type))
		NameIsTaken(target, "type", name, InvalidOid);
}

void
align_check_report_function(const ReportTarget *target, const char *name)
{
	Oid			function = align_report_function(target->schema_oid, name);

	if (OidIsValid(function) && !align_is_report_function(function, target->attachment->root_owner))
		NameIsTaken(target, "function", name,
					HasMark(function, ProcedureRelationId) ? FunctionOwner(function) : InvalidOid);
}

void
align_check_report_created(const ReportTarget *target, const char *name, bool relation, bool function)
{
	Oid			owner = target->attachment->root_owner;
	Oid			relid = get_relname_relid(name, target->schema_oid);
	Oid			found = align_report_function(target->schema_oid, name);

	if (relation && (!OidIsValid(relid) || (!align_is_report(relid, owner) && !align_is_report_table(relid, owner))))
		NameIsTaken(target, "relation", name, OidIsValid(relid) ? align_relation_owner(relid) : InvalidOid);
	if (function && (!OidIsValid(found) || !align_is_report_function(found, owner)))
		NameIsTaken(target, "function", name, OidIsValid(found) ? FunctionOwner(found) : InvalidOid);
}

void
align_report_comment(const char *object, const char *comment, bool with_mark)
{
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command, "COMMENT ON %s IS %s", object,
					 quote_literal_cstr(with_mark ? psprintf("%s %s", comment, REPORT_MARK) : comment));
	align_spi_execute(command.data);
}

void
align_report_comment_relation(const ReportTarget *target, const ReportBody *body, const char *kind,
							  const char *comment)
{
	char	   *name = psprintf("%s.%s", target->schema, quote_identifier(body->name));
	Oid			relid = get_relname_relid(body->name, target->schema_oid);
	ListCell   *lc;

	align_report_comment(psprintf("%s %s", kind, name), comment, true);
	for (const ReportColumn *column = body->columns; column->name != NULL; column++)
		align_report_comment(psprintf("COLUMN %s.%s", name, quote_identifier(column->name)), column->comment, false);
	if (!body->per_lead)
		return;
	for (int i = 0; i < target->attachment->nkeys; i++)
		align_report_comment(psprintf("COLUMN %s.%s", name, target->key_names[i]), "key column of the lead", false);
	foreach(lc, target->dimensions)
	{
		const ReportDimension *dimension = lfirst(lc);

		if (get_attnum(relid, dimension->name) != InvalidAttrNumber)
			align_report_comment(psprintf("COLUMN %s.%s", name, quote_identifier(dimension->name)),
								 psprintf("dimension, as it is today: %s", dimension->text), false);
	}
}

/*
 * Error context callback of align_report_drop(): says what to do about the
 * objects that the server lists in its DETAIL.
 */
static void
HintAboutDependents(void *arg pg_attribute_unused())
{
	if (geterrcode() == ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST)
		errhint("Stored tables, and views whose columns change, are dropped and created. Drop what stands on them, call align.create_reports(), and create it again.");
}

void
align_report_drop(ObjectAddresses *objects)
{
	ErrorContextCallback callback;

	callback.callback = HintAboutDependents;
	callback.arg = NULL;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	performMultipleDeletions(objects, DROP_RESTRICT, 0);
	error_context_stack = callback.previous;
	free_object_addresses(objects);
	CommandCounterIncrement();
}
