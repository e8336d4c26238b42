/*
 * weekly_report.c
 *	  align.weekly_report(): the page for the weekly meeting of both teams, and
 *	  align.publish_week(), which keeps it.
 *
 * The page consists of sections.  Each is a query over the reports (body.h),
 * as of $1, for the week that begins on $2, and returns XML.  The reports are
 * in a schema of the owner of the attached table, who could replace them, so
 * the queries run as the owner, in a security-restricted operation, read-only,
 * and the caller must be allowed to read every report.
 *
 * Queries refer to schemas by name.  The owner of a schema may rename it, and
 * another role may give the name to a schema of its own, so a query is not
 * planned before it is certain that its names were those of the schemas of
 * the reports and of the table while it was parsed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "attachment/privileges.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "record/flush.h"
#include "report/body.h"
#include "report/campaign_tables.h"
#include "report/mark.h"
#include "report/names_kept.h"
#include "report/stored.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_weekly_report);
PG_FUNCTION_INFO_V1(align_publish_week);

#define PUBLISHED "published_week"

typedef struct WeekPage
{
	ReportTarget target;
	NamesKept	names;
	DateADT		week;			/* a Monday */
	TimestampTz as_of;
} WeekPage;

/*
 * Finds the schema of the reports: the one that is named, or the only one.
 */
static Oid
SchemaOfReports(const Attachment *attachment, const text *in_schema)
{
	List	   *schemas = align_report_schemas(attachment);
	const char *table = get_rel_name(attachment->marker.root);

	/* the hint names the first that was created */
	list_sort(schemas, list_oid_cmp);
	if (in_schema != NULL)
	{
		char	   *name = text_to_cstring(in_schema);

		if (!list_member_oid(schemas, get_namespace_oid(name, false)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("schema \"%s\" has no reports on table \"%s\"", name, table),
					 errhint("Create them with align.create_reports().")));
		return get_namespace_oid(name, false);
	}
	if (schemas == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no reports", table),
				 errhint("Create them with align.create_reports().")));
	if (list_length(schemas) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
				 errmsg("table \"%s\" has reports in several schemas", table),
				 errhint("Name one: in_schema => '%s'.", get_namespace_name(linitial_oid(schemas)))));
	return linitial_oid(schemas);
}

/*
 * Raises an error unless a report is there and belongs to the owner of the
 * table, and the current user may read it.  It is locked, so that it stays
 * until the end of the transaction: the owner of its schema may drop it, and
 * put code of his in its place, which would run as the owner of the table.
 */
static void
CheckReport(const WeekPage *page, const char *name)
{
	Oid			schema = page->target.schema_oid;
	Oid			owner = page->target.attachment->root_owner;
	Oid			relid = get_relname_relid(name, schema);
	Oid			function = align_report_function(schema, name);

	if (OidIsValid(relid) && align_is_report(relid, owner))
	{
		if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_VIEW, name);
		LockRelationOid(relid, AccessShareLock);
	}
	if (OidIsValid(function) && align_is_report_function(function, owner))
		LockDatabaseObject(ProcedureRelationId, function, 0, AccessShareLock);

	/* they may have been replaced before they were locked */
	if (get_relname_relid(name, schema) != relid || !OidIsValid(relid) ||
		!align_is_report(relid, owner) || align_report_function(schema, name) != function ||
		!OidIsValid(function) || !align_is_report_function(function, owner))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("schema \"%s\" lacks the report \"%s\"", get_namespace_name(schema), name),
				 errhint("Create the reports again with align.create_reports().")));
}

/*
 * Raises an error if row-level security keeps leads from the current user: the
 * page is written as the owner of the table, and shows leads of all.
 */
static void
CheckSeesAllLeads(const WeekPage *page)
{
	const AttachmentMarker *marker = &page->target.attachment->marker;
	const Oid	relids[] = {marker->root, marker->history, marker->sla};
	bool		forced;

	if (!align_row_security(marker->root, &forced) ||
		GetUserId() == page->target.attachment->root_owner)
		return;
	for (int i = 0; i < (int) lengthof(relids); i++)
	{
		if (check_enable_rls(relids[i], InvalidOid, true) == RLS_ENABLED)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for the weekly page of table \"%s\"",
							get_rel_name(marker->root)),
					 errdetail("Row-level security applies to you, and the page shows leads of all."),
					 errhint("Ask the owner of the table for the page, or read the reports, which show what you may see.")));
		if (pg_class_aclcheck(relids[i], GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relids[i])),
						   get_rel_name(relids[i]));
	}
}

/*
 * Raises an error unless the current user may read the campaign tables that a
 * query reads.  The page contains the queries of the reports, which may read
 * tables that were created after the views.
 */
static void
CheckCampaignTables(const WeekPage *page, const ReportBody *body)
{
	const char *query = body->query;

	while ((query = strstr(query, "{cost:")) != NULL)
	{
		char	   *name;
		Oid			relid;

		query += strlen("{cost:");
		name = pnstrdup(query, strcspn(query, "}"));
		relid = align_campaign_table(page->target.schema_oid, name,
									 page->target.attachment->root_owner);
		if (OidIsValid(relid) && pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, name);
	}
}

/*
 * Raises an error unless the current user may read all that the page shows.
 */
static void
CheckMayRead(const WeekPage *page)
{
	Oid			schema = page->target.schema_oid;
	const ReportBody *body;

	if (!align_may_use(schema, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, get_namespace_name(schema));
	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		if (body->kind == REPORT_VIEW)
			CheckReport(page, body->name);
		CheckCampaignTables(page, body);
	}
	CheckSeesAllLeads(page);
}

/*
 * Removes a query of thousands of lines from an error, in whose context SPI
 * prints it.
 */
static void
RemoveQuery(ErrorData *error, const char *query)
{
	char	   *found = error->context != NULL ? strstr(error->context, query) : NULL;

	if (error->internalquery != NULL && strcmp(error->internalquery, query) == 0)
	{
		error->internalquery = NULL;
		error->internalpos = 0;
	}
	if (found != NULL)
	{
		/* the line that it begins in, and the one that it ends in */
		char	   *end = found + strlen(query);

		while (found > error->context && found[-1] != '\n')
			found--;
		end += strcspn(end, "\n");
		if (*end == '\n')
			end++;
		else if (found > error->context)
			found--;
		memmove(found, end, strlen(end) + 1);
		if (error->context[0] == '\0')
			error->context = NULL;
	}
}

/*
 * Runs a query of the page.  The caller is connected to SPI.
 */
static void
Execute(const WeekPage *page, const char *query, int nargs, Oid *types, Datum *values, int expected)
{
	MemoryContext context = CurrentMemoryContext;
	bool		read_only = expected == SPI_OK_SELECT;

	PG_TRY();
	{
		SPIPlanPtr	plan = align_names_prepare(&page->names, query, nargs, types);
		int			result;

		result = SPI_execute_plan(plan, values, NULL, read_only, read_only ? 1 : 0);
		if (result != expected)
			elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RemoveQuery(error, query);
		ReThrowError(error);
	}
	PG_END_TRY();
}

/*
 * Runs a query of one row as of the page's instant, and returns its only
 * column, in the memory of SPI; null if there is no row.
 */
static Datum
RunQuery(const WeekPage *page, const char *query, bool *isnull)
{
	Oid			types[] = {TIMESTAMPTZOID, DATEOID};
	Datum		values[] = {TimestampTzGetDatum(page->as_of), DateADTGetDatum(page->week)};

	Execute(page, query, lengthof(types), types, values, SPI_OK_SELECT);
	*isnull = true;
	if (SPI_processed == 0)
		return (Datum) 0;
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, isnull);
}

/*
 * Sets the week, which begins on the Monday of a day, by default the last that
 * is over, and the instant of the figures: its end, or now if that is earlier.
 */
static void
SetWeek(WeekPage *page, FunctionCallInfo fcinfo)
{
	const char *settings = psprintf("%s." REPORT_SETTINGS, page->target.schema);
	bool		given = !PG_ARGISNULL(1);
	bool		isnull;

	page->week = given ? PG_GETARG_DATEADT(1) : 0;
	page->week = DatumGetDateADT(RunQuery(page,
										  psprintf("SELECT pg_catalog.date_trunc('week', %s)::pg_catalog.date FROM %s AS s",
												   given ? "$2::pg_catalog.timestamp" :
												   "pg_catalog.timezone(s.time_zone, pg_catalog.now()) - '7 days'::pg_catalog.interval",
												   settings),
										  &isnull));
	page->as_of = DatumGetTimestampTz(RunQuery(page,
											   psprintf("SELECT LEAST(pg_catalog.now(), pg_catalog.timezone(s.time_zone, ($2 + 7)::pg_catalog.timestamp)) FROM %s AS s",
														settings),
											   &isnull));
}

/*
 * Prepares a page from the arguments of a function: relation, week, in_schema.
 */
static void
BeginPage(WeekPage *page, FunctionCallInfo fcinfo)
{
	ReportTarget *target = &page->target;

	align_require_argument(fcinfo, 0, "relation");
	if (!PG_ARGISNULL(1) && DATE_NOT_FINITE(PG_GETARG_DATEADT(1)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("week must be finite")));
	target->attachment = align_attachment(align_lock_attached(PG_GETARG_OID(0)), false);
	target->schema_oid = SchemaOfReports(target->attachment, PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));
	align_names_begin(&page->names, target->attachment, target->schema_oid, "write the weekly page");
	target->schema = quote_identifier(get_namespace_name(target->schema_oid));
	target->zone = psprintf("(SELECT s.time_zone FROM %s." REPORT_SETTINGS " AS s)", target->schema);
	target->settle = psprintf("(SELECT pg_catalog.make_interval(secs => s.settle_seconds) FROM %s." REPORT_SETTINGS " AS s)", target->schema);
	target->complete_since = psprintf("(SELECT s.complete_since FROM %s." REPORT_SETTINGS " AS s)", target->schema);
	target->credit_model = psprintf("(SELECT s.credit_model FROM %s." REPORT_SETTINGS " AS s)", target->schema);
	align_report_key_names(target);
}

/*
 * Sets whether the page reads what is stored: unless that is to be written for
 * all leads, at the instant, or an earlier release created the tables.
 */
static void
SetStored(WeekPage *page)
{
	ReportTarget *target = &page->target;
	const Attachment *attachment = target->attachment;
	ReportTarget stored = *target;
	bool		isnull;
	bool		unfit;

	if (!align_report_lock_stored(target->schema_oid, attachment->root_owner, AccessShareLock) ||
		!align_stored_is_current(target->schema_oid) ||
		!align_stored_triggers_work(target->schema_oid, attachment))
		return;
	align_stored_key_names(&stored);
	unfit = DatumGetBool(RunQuery(page, align_stored_unfit_query(&stored), &isnull));
	if (unfit || isnull)
		return;
	*target = stored;
	target->stored = true;
}

/*
 * Begins the restricted operation that a page is written in.  Its queries are
 * large and return little, so compiling them takes longer than running them.
 */
static void
BeginWriting(WeekPage *page, FunctionCallInfo fcinfo, RestrictedCaller *caller)
{
	align_begin_restricted(caller, page->target.attachment->root_owner);
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	PushActiveSnapshot(GetTransactionSnapshot());
	align_spi_connect();
	SetWeek(page, fcinfo);
	SetStored(page);
}

static void
EndWriting(const RestrictedCaller *caller)
{
	SPI_finish();
	PopActiveSnapshot();
	align_end_restricted(caller);
}

/*
 * What a page is written of: the reports, each as a WITH query, after those
 * that it refers to.
 */
typedef struct PageQuery
{
	const WeekPage *page;
	List	   *reports;		/* of ReportBody, in this order */
	StringInfoData with;
} PageQuery;

static void
AppendReport(const ReportBody *body, void *arg)
{
	PageQuery  *query = arg;

	if (list_member_ptr(query->reports, body))
		return;
	align_report_references(body, AppendReport, query);
	appendStringInfo(&query->with, "%s %s AS MATERIALIZED (\n%s)",
					 query->reports == NIL ? "WITH" : ",\n", align_report_with_name(body),
					 align_report_query(&query->page->target, body, REPORT_FORM_WITH));
	query->reports = lappend(query->reports, unconstify(ReportBody *, body));
}

/*
 * Appends an expression for the rows of the reports that are kept with a page,
 * as one value of type jsonb.
 */
static void
AppendFigures(PageQuery *query, StringInfo columns)
{
	static const char *const kept[] = {"scorecard", "promises", "handoffs_by_week", "pipeline",
	"pipeline_movement", "coverage", "feedback", "funnel"};

	appendStringInfoString(columns, "pg_catalog.jsonb_build_object('week', $2");
	for (int i = 0; i < (int) lengthof(kept); i++)
	{
		const ReportBody *body = align_report_body_named(REPORT_VIEW, kept[i]);

		AppendReport(body, query);
		appendStringInfo(columns, ", '%s', (SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(x)) FROM %s AS x)",
						 kept[i], align_report_with_name(body));
	}
	appendStringInfoString(columns, ")");
}

/*
 * Replaces control characters, which XML does not allow, by spaces.  They are
 * no part of a longer character in any server encoding.
 */
static void
ReplaceControlCharacters(char *html)
{
	for (; *html != '\0'; html++)
	{
		unsigned char c = (unsigned char) *html;

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			*html = ' ';
	}
}

/*
 * Returns the page, and its figures if they are asked for.  The caller is
 * connected to SPI.
 *
 * The sections are the columns of one query, in which every report is computed
 * once, however many sections show it, and planned on its own.
 */
static char *
WritePage(const WeekPage *page, Datum *figures)
{
	PageQuery	query = {.page = page};
	StringInfoData columns;
	StringInfoData html;
	const ReportBody *body;
	int			nsections = 0;
	bool		isnull;

	initStringInfo(&query.with);
	initStringInfo(&columns);
	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		if (body->kind != REPORT_PAGE)
			continue;
		align_report_references(body, AppendReport, &query);
		appendStringInfo(&columns, "%s\n(%s)::pg_catalog.text", nsections++ > 0 ? "," : "",
						 align_report_query(&page->target, body, REPORT_FORM_WITH));
	}
	if (figures != NULL)
	{
		appendStringInfoString(&columns, ",\n");
		AppendFigures(&query, &columns);
	}
	(void) RunQuery(page, psprintf("%s\nSELECT %s", query.with.data, columns.data), &isnull);

	/* the first section is the head */
	initStringInfo(&html);
	appendStringInfoString(&html, "<!DOCTYPE html>\n<html lang=\"en\">\n");
	for (int i = 1; i <= nsections; i++)
	{
		Datum		section = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i, &isnull);

		if (!isnull)
			appendStringInfo(&html, "%s\n", TextDatumGetCString(section));
		if (i == 1)
			appendStringInfoString(&html, "<body>\n<main>\n");
	}
	appendStringInfoString(&html, "</main>\n</body>\n</html>\n");
	ReplaceControlCharacters(html.data);
	if (figures != NULL)
		*figures = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, nsections + 1, &isnull);
	return html.data;
}

/*
 * weekly_report(relation regclass, week date, in_schema text) returns text
 */
Datum
align_weekly_report(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	WeekPage	page = {0};
	RestrictedCaller caller;
	char	   *html;

	align_recorder_flush_all();
	BeginPage(&page, fcinfo);
	CheckMayRead(&page);
	BeginWriting(&page, fcinfo, &caller);
	html = MemoryContextStrdup(context, WritePage(&page, NULL));
	EndWriting(&caller);
	PG_RETURN_TEXT_P(cstring_to_text(html));
}

/*
 * Locks the table of published pages for an INSERT.  Raises an error unless it
 * is a table of the owner of the reports that runs no code of another role.
 */
static void
LockPublished(const WeekPage *page, Oid relid)
{
	Oid			owner = page->target.attachment->root_owner;

	LockRelationOid(relid, RowExclusiveLock);
	/* it may have been replaced before it was locked */
	if (get_relname_relid(PUBLISHED, page->target.schema_oid) != relid ||
		get_rel_relkind(relid) != RELKIND_RELATION || align_relation_owner(relid) != owner ||
		align_has_rule(relid) || align_untrusted_trigger(relid, owner) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s.%s\" cannot be used for published pages", page->target.schema, PUBLISHED),
				 errdetail("It is not a table of the owner of the reports, or has a rule or a trigger of another role."),
				 errhint("Rename it.")));
}

/*
 * Creates the table of published pages, unless it is there.
 */
static void
CreatePublished(const WeekPage *page)
{
	Oid			relid = get_relname_relid(PUBLISHED, page->target.schema_oid);

	if (OidIsValid(relid))
	{
		LockPublished(page, relid);
		return;
	}
	align_spi_execute(psprintf("CREATE TABLE %s." PUBLISHED " ("
							   "week pg_catalog.date PRIMARY KEY, "
							   "as_of pg_catalog.timestamptz NOT NULL, "
							   "published_at pg_catalog.timestamptz NOT NULL, "
							   "published_by pg_catalog.text NOT NULL, "
							   "page pg_catalog.text NOT NULL, "
							   "figures pg_catalog.jsonb NOT NULL)", page->target.schema));
	align_spi_execute(psprintf("COMMENT ON TABLE %s." PUBLISHED " IS "
							   "'The weekly pages that align.publish_week() has kept, with their figures. Key: week.'",
							   page->target.schema));
	CommandCounterIncrement();
}

/*
 * Inserts a page and its figures.  Returns false if the week has been
 * published.
 */
static bool
Publish(const WeekPage *page, const char *published_by)
{
	Datum		figures;
	char	   *html = WritePage(page, &figures);
	Oid			types[] = {TIMESTAMPTZOID, DATEOID, TEXTOID, TEXTOID, JSONBOID};
	Datum		values[] = {
		TimestampTzGetDatum(page->as_of), DateADTGetDatum(page->week),
		CStringGetTextDatum(html), CStringGetTextDatum(published_by), figures
	};

	Execute(page, psprintf("INSERT INTO %s." PUBLISHED
						   " (week, as_of, published_at, published_by, page, figures) "
						   "VALUES ($2, $1, pg_catalog.now(), $4, $3, $5) ON CONFLICT DO NOTHING",
						   page->target.schema),
			lengthof(types), types, values, SPI_OK_INSERT);
	return SPI_processed == 1;
}

/*
 * publish_week(relation regclass, week date, in_schema text) returns date, the
 * first day of the week
 */
Datum
align_publish_week(PG_FUNCTION_ARGS)
{
	WeekPage	page = {0};
	RestrictedCaller caller;
	const char *published_by = GetUserNameFromId(GetUserId(), false);
	Oid			root;
	bool		forced;

	PreventCommandIfReadOnly("align.publish_week()");
	align_recorder_flush_all();
	BeginPage(&page, fcinfo);
	root = page.target.attachment->marker.root;
	align_check_table_owner(root);
	if (align_row_security(root, &forced))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot publish a page about table \"%s\"", get_rel_name(root)),
				 errdetail("It has row-level security, and a page is the same for all who read it.")));
	CheckMayRead(&page);
	BeginWriting(&page, fcinfo, &caller);
	CreatePublished(&page);
	if (!Publish(&page, published_by))
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("the week of %s is published already",
						DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(page.week)))),
				 errdetail("What was published stays as it was."),
				 errhint("To publish it again, delete its row from %s." PUBLISHED ".", page.target.schema)));
	EndWriting(&caller);
	PG_RETURN_DATEADT(page.week);
}
