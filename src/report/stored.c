/*
 * stored.c
 *	  The tables, functions and triggers of stored reports: their names, and
 *	  whether they are there.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "attachment/privileges.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "record/changed_leads.h"
#include "report/mark.h"
#include "report/stored.h"

/* The tables that are not for a query. */
static const char *const own_tables[] = {CHANGED_LEADS, CHANGED_LEADS_TAKEN, REPORT_STORED_STATE};

List *
align_stored_tables(bool for_users)
{
	List	   *result = NIL;
	ListCell   *lc;

	for (int i = 0; i < (int) lengthof(own_tables); i++)
		result = lappend(result, pstrdup(own_tables[i]));
	foreach(lc, align_report_stored_bodies())
	{
		const ReportBody *body = lfirst(lc);

		if (for_users || body->kind != REPORT_TABLE)
			result = lappend(result, align_report_stored_name(body));
	}
	if (for_users)
		result = lappend(result, pstrdup(REPORT_ENTRY_DAYS));
	return result;
}

List *
align_stored_functions(bool for_users)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, align_report_stored_bodies())
	{
		const ReportBody *body = lfirst(lc);

		if (!for_users && body->kind == REPORT_TABLE)
			continue;
		result = lappend(result, align_report_rows_name(body));
		result = lappend(result, align_report_changed_name(body));
	}
	return result;
}

bool
align_stored_has_values(Oid schema, Oid owner)
{
	Oid			relid = get_relname_relid(REPORT_LEAD_VALUES, schema);

	return OidIsValid(relid) && align_is_report_table(relid, owner);
}

static void
pg_attribute_noreturn()
ReplacedError(Oid schema, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("stored table or function \"%s\" is missing from schema \"%s\"", name, get_namespace_name(schema)),
			 errdetail("It was dropped, or replaced by something that align.create_reports() has not created."),
			 errhint("Create the reports again with align.create_reports().")));
}

bool
align_report_lock_stored(Oid schema, Oid owner, LOCKMODE mode)
{
	Oid			state = get_relname_relid(REPORT_STORED_STATE, schema);
	bool		for_users = align_stored_has_values(schema, owner);
	ListCell   *lc;

	if (!OidIsValid(state) || !align_is_report_table(state, owner))
		return false;
	foreach(lc, align_stored_tables(for_users))
	{
		const char *name = lfirst(lc);
		Oid			relid = get_relname_relid(name, schema);

		if (!OidIsValid(relid))
			ReplacedError(schema, name);
		LockRelationOid(relid, mode);
		/* it may have been replaced before it was locked */
		if (get_relname_relid(name, schema) != relid || !align_is_report_table(relid, owner) ||
			align_has_rule(relid) || align_triggers_of(relid) != NIL)
			ReplacedError(schema, name);
	}
	foreach(lc, align_stored_functions(for_users))
	{
		const char *name = lfirst(lc);
		Oid			function = align_report_function(schema, name);

		if (!OidIsValid(function))
			ReplacedError(schema, name);
		LockDatabaseObject(ProcedureRelationId, function, 0, AccessShareLock);
		if (align_report_function(schema, name) != function || !align_is_report_function(function, owner))
			ReplacedError(schema, name);
	}
	return true;
}

void
align_check_stored_references(Oid schema, Oid owner)
{
	ListCell   *lc;

	foreach(lc, align_stored_tables(align_stored_has_values(schema, owner)))
	{
		const char *name = lfirst(lc);
		Oid			referring;
		char	   *key = align_referring_key(get_relname_relid(name, schema), &referring);

		if (key != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("stored table \"%s\" is referred to by a foreign key of table \"%s\"",
							name, get_rel_name(referring)),
					 errdetail("Writing it could change that table, and run its triggers."),
					 errhint("Drop the constraint \"%s\", and grant no REFERENCES on the table.", key)));
	}
}

/* Columns that tables of 0.5.0 do not have; one of each table is enough. */
static const struct
{
	const char *table;
	const char *column;
}			later_columns[] = {
	{"stored_touch_facts", "share_shapley"},
};

bool
align_stored_is_current(Oid schema)
{
	for (int i = 0; i < (int) lengthof(later_columns); i++)
	{
		Oid			relid = get_relname_relid(later_columns[i].table, schema);

		if (!OidIsValid(relid) || get_attnum(relid, later_columns[i].column) == InvalidAttrNumber)
			return false;
	}
	return true;
}

const char *const align_stored_trigger_events[STORED_NTRIGGERS] = {
	"INSERT OR UPDATE OR DELETE",
	"TRUNCATE"
};

char *
align_stored_trigger(Oid log, int trigger)
{
	static const char *const labels[STORED_NTRIGGERS] = {"row", "truncate"};

	return psprintf("align_stored_%u_%s", log, labels[trigger]);
}

void
align_check_stored_schema(Oid schema, const Attachment *attachment)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	Oid			owner = HeapTupleIsValid(tuple) ? ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner : InvalidOid;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	if (owner != attachment->root_owner && !superuser_arg(owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("stored reports must be in a schema of the owner of the table"),
				 errdetail("Schema \"%s\" belongs to \"%s\", who could replace what is in it; table \"%s\" belongs to \"%s\".",
						   get_namespace_name(schema), GetUserNameFromId(owner, true),
						   get_rel_name(attachment->marker.root), GetUserNameFromId(attachment->root_owner, true)),
				 errhint("Choose another schema, or change the owner of this one.")));
}

/*
 * True if a trigger fires for all changes that it should log.
 */
static bool
FiresForAll(int16 type)
{
	return TRIGGER_FOR_TRUNCATE(type) ||
		(TRIGGER_FOR_ROW(type) && TRIGGER_FOR_INSERT(type) && TRIGGER_FOR_UPDATE(type) && TRIGGER_FOR_DELETE(type));
}

/*
 * True if the triggers on a table are there, enabled, and log where they
 * should.
 */
static bool
TriggersWork(Oid schema, Oid relid, Oid owner)
{
	Oid			log = get_relname_relid(CHANGED_LEADS, schema);
	bool		found[STORED_NTRIGGERS] = {false};
	ListCell   *lc;

	foreach(lc, align_changed_lead_triggers(relid))
	{
		const CatalogTrigger *trigger = lfirst(lc);

		if (trigger->enabled == TRIGGER_FIRES_ALWAYS &&
			trigger->when == NULL && trigger->ncolumns == 0 &&
			TRIGGER_FOR_AFTER(trigger->type) && FiresForAll(trigger->type) &&
			align_changed_leads_log(trigger->nargs, trigger->args, owner) == log)
			found[TRIGGER_FOR_TRUNCATE(trigger->type) ? 1 : 0] = true;
	}
	return found[0] && found[1];
}

bool
align_stored_triggers_work(Oid schema, const Attachment *attachment)
{
	const AttachmentMarker *marker = &attachment->marker;
	int			nleads = align_relation_natts(get_relname_relid(REPORT_STORED_LEADS, schema));
	bool		has_dimensions = nleads > attachment->nkeys + 1;

	return TriggersWork(schema, marker->history, attachment->root_owner) && TriggersWork(schema, marker->sla, attachment->root_owner) &&
		(!has_dimensions || TriggersWork(schema, marker->root, attachment->root_owner));
}

void
align_stored_key_names(ReportTarget *target)
{
	Oid			leads = get_relname_relid(REPORT_STORED_LEADS, target->schema_oid);

	for (int i = 0; i < target->attachment->nkeys; i++)
		target->key_names[i] = pstrdup(quote_identifier(get_attname(leads, i + 1, false)));
}

/*
 * What the rows of all leads depend on, as the columns version, that of the
 * agreement in force at the instant, and basis: all versions of the agreement,
 * and the versions of the catalog rows of the log and of the triggers that add
 * to it, by which it is seen if it was not kept for a while.  (The history may
 * name other agreements, too, but what it names of them never changes.)
 */
char *
align_stored_basis_query(const ReportTarget *target)
{
	const Attachment *attachment = target->attachment;
	const ReportBody *in_force = align_report_body_named(REPORT_PART, "funnel");
	char	   *agreement = psprintf("SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.version, "
									 "EXTRACT(epoch FROM a.valid_from), a.funnel::pg_catalog.text), ' ' ORDER BY a.version) "
									 "FROM align.agreements AS a WHERE a.name OPERATOR(pg_catalog.=) %s",
									 quote_literal_cstr(attachment->marker.agreement));
	char	   *triggers = psprintf("SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', t.oid, t.xmin), ' ' ORDER BY t.oid) "
									"FROM pg_catalog.pg_trigger AS t "
									"WHERE t.tgfoid OPERATOR(pg_catalog.=) %u AND (t.tgrelid OPERATOR(pg_catalog.=) ANY ('{%u,%u}') "
									"OR t.tgrelid OPERATOR(pg_catalog.=) %u "
									"OR t.tgrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(%u) AS p))",
									align_trigger_function(CHANGED_LEADS_FUNCTION),
									attachment->marker.history, attachment->marker.sla,
									attachment->marker.root, attachment->marker.root);
	char	   *log = psprintf("SELECT pg_catalog.concat_ws(' ', c.oid, c.xmin) FROM pg_catalog.pg_class AS c "
							   "WHERE c.oid OPERATOR(pg_catalog.=) %u",
							   get_relname_relid(CHANGED_LEADS, target->schema_oid));

	return psprintf("SELECT (SELECT f.version FROM (%s) AS f) AS version, "
					"pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', (%s), (%s), (%s)), 0) AS basis",
					align_report_query(target, in_force, REPORT_FORM_FUNCTION), agreement, triggers, log);
}

char *
align_stored_unfit_query(const ReportTarget *target)
{
	return psprintf("SELECT EXISTS (SELECT FROM %s." CHANGED_LEADS " AS c WHERE c.%s IS NULL) "
					"OR (SELECT (s.version, s.basis) IS DISTINCT FROM (b.version, b.basis) "
					"FROM %s." REPORT_STORED_STATE " AS s CROSS JOIN (%s) AS b)",
					target->schema, target->key_names[0], target->schema, align_stored_basis_query(target));
}
