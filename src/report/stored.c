/*
 * stored.c
 *	  The tables and functions of stored reports: creating them, dropping them,
 *	  and finding them again.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/defrem.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "attachment/privileges.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "record/changed_leads.h"
#include "report/mark.h"
#include "report/stored.h"

/* So many columns of dimensions fit into the arguments of a trigger. */
#define MAX_DIMENSION_ARGUMENTS 50

/* The tables that are not for a query. */
static const char *const own_tables[] = {CHANGED_LEADS, REPORT_STORED_TAKEN, REPORT_STORED_STATE};

char *
align_report_stored_name(const ReportBody *body)
{
	return psprintf("stored_%s", body->name);
}

char *
align_report_changed_name(const ReportBody *body)
{
	return psprintf("changed_%s", body->name);
}

static bool
IsLeads(const ReportBody *body)
{
	return strcmp(align_report_stored_name(body), REPORT_STORED_LEADS) == 0;
}

List *
align_report_stored_bodies(void)
{
	const ReportBody *body;
	List	   *result = NIL;

	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		if (body->kind != REPORT_STORED)
			continue;
		if (IsLeads(body))
			result = lcons(unconstify(ReportBody *, body), result);
		else
			result = lappend(result, unconstify(ReportBody *, body));
	}
	return result;
}

/*
 * The names of all tables: a List of char *.
 */
static List *
TableNames(void)
{
	List	   *result = NIL;
	ListCell   *lc;

	for (int i = 0; i < (int) lengthof(own_tables); i++)
		result = lappend(result, pstrdup(own_tables[i]));
	foreach(lc, align_report_stored_bodies())
		result = lappend(result, align_report_stored_name(lfirst(lc)));
	return result;
}

/*
 * The names of all functions: a List of char *.
 */
static List *
FunctionNames(void)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, align_report_stored_bodies())
	{
		result = lappend(result, align_report_stored_name(lfirst(lc)));
		result = lappend(result, align_report_changed_name(lfirst(lc)));
	}
	return result;
}

void
align_check_stored_names(const ReportTarget *target)
{
	ListCell   *lc;

	foreach(lc, TableNames())
		align_check_report_relation(target, lfirst(lc));
	foreach(lc, FunctionNames())
		align_check_report_function(target, lfirst(lc));
}

static void
pg_attribute_noreturn()
ReplacedError(Oid schema, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("schema \"%s\" lacks what is stored as \"%s\"", get_namespace_name(schema), name),
			 errdetail("It was dropped, or replaced by something that align.create_reports() has not created."),
			 errhint("Create the reports again with align.create_reports().")));
}

bool
align_report_lock_stored(Oid schema, Oid owner, LOCKMODE mode)
{
	Oid			state = get_relname_relid(REPORT_STORED_STATE, schema);
	ListCell   *lc;

	if (!OidIsValid(state) || !align_is_report_table(state, owner))
		return false;
	foreach(lc, TableNames())
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
	foreach(lc, FunctionNames())
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

/*
 * The key columns of the reports, after an alias.
 */
static char *
KeyColumns(const ReportTarget *target, const char *alias)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < target->attachment->nkeys; i++)
		appendStringInfo(&list, "%s%s%s%s", i > 0 ? ", " : "", alias, alias[0] != '\0' ? "." : "",
						 target->key_names[i]);
	return list.data;
}

static char *
KeyJoin(const ReportTarget *target, const char *a, const char *b)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < target->attachment->nkeys; i++)
		appendStringInfo(&list, "%s%s.%s OPERATOR(pg_catalog.=) %s.%s", i > 0 ? " AND " : "",
						 a, target->key_names[i], b, target->key_names[i]);
	return list.data;
}

/*
 * Creates a table of keys.
 */
static void
CreateKeyTable(const ReportTarget *target, const char *name, const char *comment)
{
	const Attachment *attachment = target->attachment;
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command, "CREATE TABLE %s.%s AS SELECT ", target->schema, name);
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(&command, "%sh.%s AS %s", i > 0 ? ", " : "",
						 align_table_key(attachment, TABLE_HISTORY, i), target->key_names[i]);
	appendStringInfo(&command, " FROM %s AS h WITH NO DATA", align_table_name(attachment, TABLE_HISTORY));
	align_spi_execute(command.data);
	align_report_comment(psprintf("TABLE %s.%s", target->schema, name), comment, true);
}

/*
 * Creates a function that returns rows of the table of a body.
 */
static void
CreateRowFunction(const ReportTarget *target, const ReportBody *body, const char *name, const char *keys,
				  const char *comment)
{
	char	   *query = align_report_stored_query(target, body, keys);

	if (!IsLeads(body))
		query = psprintf("SELECT q.*, l.latest_at FROM (%s) AS q JOIN %s." REPORT_STORED_LEADS " AS l ON %s",
						 query, target->schema, KeyJoin(target, "l", "q"));
	align_spi_execute(psprintf("CREATE FUNCTION %s.%s(as_of pg_catalog.timestamptz) RETURNS SETOF %s.%s "
							   "LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 BEGIN ATOMIC %s; END",
							   target->schema, name, target->schema, align_report_stored_name(body), query));
	align_report_comment(psprintf("FUNCTION %s.%s(pg_catalog.timestamptz)", target->schema, name), comment, true);
	CommandCounterIncrement();
	align_check_report_created(target, name);
}

/*
 * Creates the table for a body.
 */
static void
CreateTable(const ReportTarget *target, const ReportBody *body)
{
	char	   *name = align_report_stored_name(body);
	char	   *query = align_report_query(target, body, REPORT_FORM_VIEW);

	align_spi_execute(psprintf("CREATE TABLE %s.%s AS SELECT q.*%s FROM (%s) AS q WITH NO DATA",
							   target->schema, name,
							   IsLeads(body) ? "" : ", NULL::pg_catalog.timestamptz AS latest_at", query));
	align_report_comment(psprintf("TABLE %s.%s", target->schema, name),
						 "What the reports read instead of the history. align.refresh_reports() brings it up to date.",
						 true);
	CommandCounterIncrement();
	align_check_report_created(target, name);
}

static void
CreateIndexes(const ReportTarget *target, const ReportBody *body)
{
	char	   *table = psprintf("%s.%s", target->schema, align_report_stored_name(body));

	if (IsLeads(body))
	{
		align_spi_execute(psprintf("ALTER TABLE %s ADD PRIMARY KEY (%s)", table, KeyColumns(target, "")));
		align_spi_execute(psprintf("CREATE INDEX ON %s (latest_at)", table));
	}
	else
		align_spi_execute(psprintf("CREATE INDEX ON %s (%s)", table, KeyColumns(target, "")));
}

/* The triggers that log changed leads, on each table. */
static const char *const trigger_events[][2] = {
	{"row", "INSERT OR UPDATE OR DELETE"},
	{"truncate", "TRUNCATE"}
};

/*
 * The name of a trigger that logs changed leads for the reports in a schema.
 */
static char *
TriggerName(Oid schema, int event)
{
	return makeObjectName("align_stored", get_namespace_name(schema), trigger_events[event][0]);
}

/*
 * Creates the triggers that log changes of one of the attached tables.  They
 * also fire for rows that replication brings.
 */
static void
CreateTriggers(const ReportTarget *target, AttachedTable table, const char *arguments)
{
	const char *name = align_table_name(target->attachment, table);

	for (int i = 0; i < (int) lengthof(trigger_events); i++)
	{
		const char *trigger = quote_identifier(TriggerName(target->schema_oid, i));

		align_spi_execute(psprintf("CREATE TRIGGER %s AFTER %s ON %s FOR EACH %s EXECUTE FUNCTION align."
								   CHANGED_LEADS_FUNCTION "(%s%s)",
								   trigger, trigger_events[i][1], name, i == 0 ? "ROW" : "STATEMENT",
								   quote_literal_cstr(get_namespace_name(target->schema_oid)), arguments));
		align_spi_execute(psprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", name, trigger));
	}
}

/*
 * The names of the key columns of a table as arguments of a trigger.
 */
static char *
KeyArguments(const ReportTarget *target, Oid relid, AttachedTable table)
{
	const Attachment *attachment = target->attachment;
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(&list, ", %s",
						 quote_literal_cstr(get_attname(relid,
														table == TABLE_ITSELF ? attachment->marker.key[i] : i + 1,
														false)));
	return list.data;
}

/*
 * The names of the columns of the attached table that the dimensions show, as
 * arguments of a trigger.  None if there are too many: then every change of a
 * row counts.
 */
static char *
DimensionArguments(const ReportTarget *target)
{
	Oid			root = target->attachment->marker.root;
	StringInfoData list;
	Bitmapset  *columns = NULL;
	int			column = -1;
	ListCell   *lc;

	foreach(lc, target->dimensions)
		columns = bms_add_members(columns, ((const ReportDimension *) lfirst(lc))->columns);
	initStringInfo(&list);
	if (bms_num_members(columns) > MAX_DIMENSION_ARGUMENTS)
		return list.data;
	while ((column = bms_next_member(columns, column)) >= 0)
		appendStringInfo(&list, ", %s",
						 quote_literal_cstr(get_attname(root, column + FirstLowInvalidHeapAttributeNumber, false)));
	return list.data;
}

void
align_create_stored(ReportTarget *target)
{
	const AttachmentMarker *marker = &target->attachment->marker;
	List	   *bodies = align_report_stored_bodies();
	char	   *taken = psprintf("%s." REPORT_STORED_TAKEN, target->schema);
	ListCell   *lc;

	Assert(!target->stored);
	/* first, so that writers wait, and nothing is missed */
	CreateKeyTable(target, CHANGED_LEADS, "The leads that have changed since align.refresh_reports() was called.");
	CreateKeyTable(target, REPORT_STORED_TAKEN, "The leads that align.refresh_reports() is working on.");
	CreateTriggers(target, TABLE_HISTORY, KeyArguments(target, marker->history, TABLE_HISTORY));
	CreateTriggers(target, TABLE_SLA, KeyArguments(target, marker->sla, TABLE_SLA));
	if (target->dimensions != NIL)
		CreateTriggers(target, TABLE_ITSELF,
					   psprintf("%s%s", KeyArguments(target, marker->root, TABLE_ITSELF),
								DimensionArguments(target)));
	align_spi_execute(psprintf("CREATE TABLE %s." REPORT_STORED_STATE " (refreshed_at pg_catalog.timestamptz, "
							   "version pg_catalog.int4, agreements pg_catalog.text)", target->schema));
	align_spi_execute(psprintf("INSERT INTO %s." REPORT_STORED_STATE " DEFAULT VALUES", target->schema));
	align_report_comment(psprintf("TABLE %s." REPORT_STORED_STATE, target->schema),
						 "When align.refresh_reports() was called, and under which version of the agreement.", true);
	foreach(lc, bodies)
		CreateTable(target, lfirst(lc));
	foreach(lc, bodies)
	{
		const ReportBody *body = lfirst(lc);

		CreateRowFunction(target, body, align_report_stored_name(body), NULL,
						  "The rows of the table, as of an instant, by what was known then.");
		CreateRowFunction(target, body, align_report_changed_name(body), taken,
						  "The rows of the table for the leads that align.refresh_reports() is working on.");
	}
	CommandCounterIncrement();
	for (int i = 0; i < (int) lengthof(own_tables); i++)
		align_check_report_created(target, own_tables[i]);
	(void) align_report_refresh(target->schema_oid, marker->agreement, true);
	foreach(lc, bodies)
		CreateIndexes(target, lfirst(lc));
	target->stored = true;
}

/*
 * Drops the triggers of stored reports on a table.
 */
static void
DropTriggers(const ReportTarget *target, Oid relid)
{
	for (int i = 0; i < (int) lengthof(trigger_events); i++)
	{
		const char *name = TriggerName(target->schema_oid, i);

		if (align_has_trigger(relid, name))
			align_spi_execute(psprintf("DROP TRIGGER %s ON %s", quote_identifier(name), align_relation_name(relid)));
	}
}

void
align_drop_stored(ReportTarget *target)
{
	const AttachmentMarker *marker = &target->attachment->marker;
	Oid			owner = target->attachment->root_owner;
	ObjectAddresses *objects = new_object_addresses();
	ListCell   *lc;

	DropTriggers(target, marker->history);
	DropTriggers(target, marker->sla);
	DropTriggers(target, marker->root);
	foreach(lc, FunctionNames())
	{
		ObjectAddress address;

		ObjectAddressSet(address, ProcedureRelationId, align_report_function(target->schema_oid, lfirst(lc)));
		if (OidIsValid(address.objectId) && align_is_report_function(address.objectId, owner))
			add_exact_object_address(&address, objects);
	}
	foreach(lc, TableNames())
	{
		ObjectAddress address;

		ObjectAddressSet(address, RelationRelationId, get_relname_relid(lfirst(lc), target->schema_oid));
		if (OidIsValid(address.objectId) && align_is_report_table(address.objectId, owner))
			add_exact_object_address(&address, objects);
	}
	performMultipleDeletions(objects, DROP_RESTRICT, 0);
	free_object_addresses(objects);
	CommandCounterIncrement();
	target->stored = false;
}

/*
 * True if the triggers on a table are there, enabled, and name the schema.
 */
static bool
TriggersWork(Oid schema, Oid relid)
{
	Oid			function = align_trigger_function(CHANGED_LEADS_FUNCTION);

	for (int i = 0; i < (int) lengthof(trigger_events); i++)
	{
		CatalogTrigger trigger;

		if (!align_find_trigger(relid, TriggerName(schema, i), &trigger) ||
			trigger.function != function || trigger.enabled == TRIGGER_DISABLED ||
			trigger.nargs == 0 || strcmp(trigger.args[0], get_namespace_name(schema)) != 0)
			return false;
	}
	return true;
}

bool
align_stored_triggers_work(Oid schema, const Attachment *attachment)
{
	const AttachmentMarker *marker = &attachment->marker;
	int			nleads = align_relation_natts(get_relname_relid(REPORT_STORED_LEADS, schema));
	bool		has_dimensions = nleads > attachment->nkeys + 1;

	return TriggersWork(schema, marker->history) && TriggersWork(schema, marker->sla) &&
		(!has_dimensions || TriggersWork(schema, marker->root));
}
