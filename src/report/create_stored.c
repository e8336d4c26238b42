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
#include "catalog/pg_trigger.h"
#include "storage/lmgr.h"
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

void
align_check_stored_names(const ReportTarget *target, bool stored)
{
	ListCell   *lc;

	foreach(lc, align_stored_tables(stored))
		align_check_report_relation(target, lfirst(lc));
	foreach(lc, align_stored_functions(stored))
		align_check_report_function(target, lfirst(lc));
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

	if (body->kind == REPORT_STORED && !align_report_is_leads(body))
		query = psprintf("SELECT q.*, l.latest_at FROM (%s) AS q JOIN %s." REPORT_STORED_LEADS " AS l ON %s",
						 query, target->schema, align_report_key_join(target, "l", "q"));
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
	char	   *name = psprintf("%s.%s", target->schema, align_report_stored_name(body));
	char	   *query = align_report_query(target, body, REPORT_FORM_VIEW);
	bool		has_latest = body->kind == REPORT_STORED && !align_report_is_leads(body);

	align_spi_execute(psprintf("CREATE TABLE %s AS SELECT q.*%s FROM (%s) AS q WITH NO DATA", name,
							   has_latest ? ", NULL::pg_catalog.timestamptz AS latest_at" : "", query));
	CommandCounterIncrement();
	if (body->kind == REPORT_TABLE)
		align_report_comment_relation(target, body, "TABLE", body->comment);
	else
		align_report_comment(psprintf("TABLE %s", name),
							 "What the reports read instead of the history. align.refresh_reports() brings it up to date.",
							 true);
	CommandCounterIncrement();
}

/*
 * Creates the table of the days on which leads entered.  There is no time
 * after infinity for later refreshes.
 */
static void
CreateEntryDays(const ReportTarget *target)
{
	char	   *name = psprintf("%s." REPORT_ENTRY_DAYS, target->schema);

	align_spi_execute(psprintf("CREATE TABLE %s (entered_on pg_catalog.date PRIMARY KEY, "
							   "refreshed_at pg_catalog.timestamptz NOT NULL CHECK (pg_catalog.isfinite(refreshed_at)))", name));
	align_report_comment(psprintf("TABLE %s", name),
						 "One row per local day on which leads entered. Key: entered_on. A summary of the leads of lead_values that entered on a day is up to date as long as refreshed_at is the same.",
						 true);
	align_report_comment(psprintf("COLUMN %s.entered_on", name), "the day, as in lead_values", false);
	align_report_comment(psprintf("COLUMN %s.refreshed_at", name),
						 "when align.refresh_reports() last changed a row of lead_values of that day, or removed one; no two calls have the same time",
						 false);
	CommandCounterIncrement();
}

static void
CreateIndexes(const ReportTarget *target, const ReportBody *body)
{
	char	   *table = psprintf("%s.%s", target->schema, align_report_stored_name(body));

	if (body->kind == REPORT_TABLE)
		align_spi_execute(psprintf("CREATE INDEX ON %s (entered_on)", table));
	if (align_report_is_leads(body))
	{
		align_spi_execute(psprintf("ALTER TABLE %s ADD PRIMARY KEY (%s)", table, align_report_key_list(target, NULL)));
		align_spi_execute(psprintf("CREATE INDEX ON %s (latest_at)", table));
	}
	else
		align_spi_execute(psprintf("CREATE INDEX ON %s (%s)", table, align_report_key_list(target, NULL)));
}

/*
 * Makes a trigger depend on the log, so that it is dropped with the schema of
 * the reports.
 */
static void
DependOnLog(Oid relid, const char *name, Oid log)
{
	CatalogTrigger trigger;
	ObjectAddress depender;
	ObjectAddress referenced;

	CommandCounterIncrement();
	if (!align_find_trigger(relid, name, &trigger))
		elog(ERROR, "trigger \"%s\" was not created", name);
	ObjectAddressSet(depender, TriggerRelationId, trigger.oid);
	ObjectAddressSet(referenced, RelationRelationId, log);
	recordDependencyOn(&depender, &referenced, DEPENDENCY_AUTO);
}

/*
 * Creates the triggers that log changes of one of the attached tables.  They
 * also fire for rows that replication brings.
 */
static void
CreateTriggers(const ReportTarget *target, AttachedTable table, const char *arguments)
{
	const AttachmentMarker *marker = &target->attachment->marker;
	const char *name = align_table_name(target->attachment, table);
	Oid			relid = table == TABLE_ITSELF ? marker->root : table == TABLE_HISTORY ? marker->history : marker->sla;
	Oid			log = get_relname_relid(CHANGED_LEADS, target->schema_oid);

	for (int i = 0; i < STORED_NTRIGGERS; i++)
	{
		const char *trigger = quote_identifier(align_stored_trigger(log, i));

		align_spi_execute(psprintf("CREATE TRIGGER %s AFTER %s ON %s FOR EACH %s EXECUTE FUNCTION align."
								   CHANGED_LEADS_FUNCTION "(%s, %u%s)",
								   trigger, align_stored_trigger_events[i], name, i == 0 ? "ROW" : "STATEMENT",
								   quote_literal_cstr(get_namespace_name(target->schema_oid)), log, arguments));
		align_spi_execute(psprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", name, trigger));
		DependOnLog(relid, trigger, log);
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
	if (bms_num_members(columns) > CHANGED_LEADS_MAX_OTHERS)
		return list.data;
	while ((column = bms_next_member(columns, column)) >= 0)
		appendStringInfo(&list, ", %s",
						 quote_literal_cstr(get_attname(root, column + FirstLowInvalidHeapAttributeNumber, false)));
	return list.data;
}

/*
 * Locks the tables that triggers are created on or dropped from, as strongly
 * as that needs, in the order in which writers lock them.
 */
void
align_lock_for_stored(const ReportTarget *target)
{
	const AttachmentMarker *marker = &target->attachment->marker;
	const Oid	relids[] = {marker->root, marker->history, marker->sla};
	bool		drops = false;

	for (int i = 0; i < (int) lengthof(relids); i++)
		drops |= align_changed_leads_logs(relids[i], target->attachment->root_owner) != NIL;
	for (int i = 0; i < (int) lengthof(relids); i++)
		LockRelationOid(relids[i], drops ? AccessExclusiveLock : ShareRowExclusiveLock);
}

void
align_create_stored(ReportTarget *target)
{
	const AttachmentMarker *marker = &target->attachment->marker;
	List	   *bodies = align_report_stored_bodies();
	char	   *taken = psprintf("%s." CHANGED_LEADS_TAKEN, target->schema);
	ListCell   *lc;

	Assert(!target->stored);
	/* the triggers first, so that writers wait, and nothing is missed */
	CreateKeyTable(target, CHANGED_LEADS, "The leads that have changed since align.refresh_reports() was called.");
	CreateKeyTable(target, CHANGED_LEADS_TAKEN, "The leads that align.refresh_reports() is working on.");
	CommandCounterIncrement();
	if (target->dimensions != NIL)
		CreateTriggers(target, TABLE_ITSELF,
					   psprintf("%s%s", KeyArguments(target, marker->root, TABLE_ITSELF),
								DimensionArguments(target)));
	CreateTriggers(target, TABLE_HISTORY, KeyArguments(target, marker->history, TABLE_HISTORY));
	CreateTriggers(target, TABLE_SLA, KeyArguments(target, marker->sla, TABLE_SLA));
	align_spi_execute(psprintf("CREATE TABLE %s." REPORT_STORED_STATE " (refreshed_at pg_catalog.timestamptz, "
							   "version pg_catalog.int4, basis pg_catalog.int8)", target->schema));
	align_spi_execute(psprintf("INSERT INTO %s." REPORT_STORED_STATE " DEFAULT VALUES", target->schema));
	align_report_comment(psprintf("TABLE %s." REPORT_STORED_STATE, target->schema),
						 "When align.refresh_reports() was called, and under which version of the agreement.", true);
	foreach(lc, bodies)
		CreateTable(target, lfirst(lc));
	CreateEntryDays(target);
	foreach(lc, bodies)
	{
		const ReportBody *body = lfirst(lc);

		CreateRowFunction(target, body, align_report_rows_name(body), NULL,
						  "The rows of the table, of all leads; for align.refresh_reports() alone.");
		CreateRowFunction(target, body, align_report_changed_name(body), taken,
						  "The rows of the table, of the leads that align.refresh_reports() is working on; for it alone.");
	}
	CommandCounterIncrement();
	/* so that a publication of all tables does not forbid changes */
	foreach(lc, align_stored_tables(true))
		align_spi_execute(psprintf("ALTER TABLE %s.%s REPLICA IDENTITY FULL", target->schema, (char *) lfirst(lc)));
	CommandCounterIncrement();
	/* the owner of the schema may have put others in their place */
	foreach(lc, align_stored_tables(true))
		align_check_report_created(target, lfirst(lc), true, false);
	foreach(lc, align_stored_functions(true))
		align_check_report_created(target, lfirst(lc), false, true);
	align_report_fill(target->schema_oid, target->attachment);
	/* faster when the rows are there */
	foreach(lc, bodies)
		CreateIndexes(target, lfirst(lc));
	target->stored = true;
}

void
align_drop_stored(ReportTarget *target)
{
	const AttachmentMarker *marker = &target->attachment->marker;
	Oid			owner = target->attachment->root_owner;
	Oid			log = get_relname_relid(CHANGED_LEADS, target->schema_oid);
	ObjectAddresses *objects = new_object_addresses();
	ListCell   *lc;

	align_drop_changed_lead_triggers(marker->history, owner, log);
	align_drop_changed_lead_triggers(marker->sla, owner, log);
	align_drop_changed_lead_triggers(marker->root, owner, log);
	foreach(lc, align_stored_functions(true))
	{
		ObjectAddress address;

		ObjectAddressSet(address, ProcedureRelationId, align_report_function(target->schema_oid, lfirst(lc)));
		if (OidIsValid(address.objectId) && align_is_report_function(address.objectId, owner))
			add_exact_object_address(&address, objects);
	}
	foreach(lc, align_stored_tables(true))
	{
		ObjectAddress address;

		ObjectAddressSet(address, RelationRelationId, get_relname_relid(lfirst(lc), target->schema_oid));
		if (OidIsValid(address.objectId) && align_is_report_table(address.objectId, owner))
			add_exact_object_address(&address, objects);
	}
	align_report_drop(objects);
	target->stored = false;
}
