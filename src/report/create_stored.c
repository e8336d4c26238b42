/*
 * create_stored.c
 *	  Creates and drops what stored reports (stored.h) consist of: tables,
 *	  functions, and the triggers that log changed leads.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "record/changed_leads.h"
#include "report/create_stored.h"
#include "report/mark.h"
#include "report/refresh_reports.h"
#include "report/stored.h"

/* So many columns of dimensions fit into the arguments of a trigger. */
#define MAX_DIMENSION_ARGUMENTS 50

void
align_check_stored_names(const ReportTarget *target)
{
	ListCell   *lc;

	foreach(lc, align_stored_tables())
		align_check_report_relation(target, lfirst(lc));
	foreach(lc, align_stored_functions())
		align_check_report_function(target, lfirst(lc));
}

static bool
IsLeads(const ReportBody *body)
{
	return strcmp(align_report_stored_name(body), REPORT_STORED_LEADS) == 0;
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

/*
 * Creates the triggers that log changes of one of the attached tables.  They
 * also fire for rows that replication brings.
 */
static void
CreateTriggers(const ReportTarget *target, AttachedTable table, const char *arguments)
{
	const char *name = align_table_name(target->attachment, table);
	Oid			log = get_relname_relid(CHANGED_LEADS, target->schema_oid);

	for (int i = 0; i < STORED_NTRIGGERS; i++)
	{
		const char *trigger = quote_identifier(align_stored_trigger(target->schema_oid, i));

		align_spi_execute(psprintf("CREATE TRIGGER %s AFTER %s ON %s FOR EACH %s EXECUTE FUNCTION align."
								   CHANGED_LEADS_FUNCTION "(%s, %u%s)",
								   trigger, align_stored_trigger_events[i], name, i == 0 ? "ROW" : "STATEMENT",
								   quote_literal_cstr(get_namespace_name(target->schema_oid)), log, arguments));
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
	CommandCounterIncrement();
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
	foreach(lc, align_stored_tables())
		align_check_report_created(target, lfirst(lc));
	(void) align_report_refresh(target->schema_oid, marker->agreement, true);
	foreach(lc, bodies)
		CreateIndexes(target, lfirst(lc));
	target->stored = true;
}

/*
 * Drops the triggers on a table that add to the log of the reports, or to one
 * that is not there any more.
 */
static void
DropTriggers(const ReportTarget *target, Oid relid)
{
	Oid			function = align_trigger_function(CHANGED_LEADS_FUNCTION);
	Oid			log = get_relname_relid(CHANGED_LEADS, target->schema_oid);
	ListCell   *lc;

	foreach(lc, align_triggers_of(relid))
	{
		const CatalogTrigger *trigger = lfirst(lc);
		Oid			found;

		if (trigger->function != function || OidIsValid(trigger->parent))
			continue;
		found = align_changed_leads_log(trigger->nargs, trigger->args, target->attachment->root_owner);
		if (!OidIsValid(found) || found == log)
			align_spi_execute(psprintf("DROP TRIGGER %s ON %s", quote_identifier(trigger->name),
									   align_relation_name(relid)));
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
	foreach(lc, align_stored_functions())
	{
		ObjectAddress address;

		ObjectAddressSet(address, ProcedureRelationId, align_report_function(target->schema_oid, lfirst(lc)));
		if (OidIsValid(address.objectId) && align_is_report_function(address.objectId, owner))
			add_exact_object_address(&address, objects);
	}
	foreach(lc, align_stored_tables())
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
