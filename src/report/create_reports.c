/*
 * create_reports.c
 *	  align.create_reports(): creates the views and functions of the reports on
 *	  an attached table.
 *
 * Every body (body.h) becomes a view, and a function of its name that returns
 * the same as of an instant.  Both belong to the owner of the table, and are
 * created in a security-restricted operation.  Their comments end with a mark,
 * by which they are known as reports when they are replaced; nothing without
 * it is replaced or dropped.
 *
 * Views are replaced in place, so that grants and the views of users stay.  If
 * columns have changed, PostgreSQL refuses that: then they are dropped and
 * created, and the grants are made again.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "attachment/judging_version.h"
#include "attachment/privileges.h"
#include "attribute/attribute.h"
#include "calendar/calendar.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "history/history.h"
#include "record/flush.h"
#include "report/body.h"
#include "report/campaign_tables.h"
#include "report/create_stored.h"
#include "report/mark.h"
#include "report/names_kept.h"
#include "report/report_privileges.h"
#include "report/stored.h"
#include "time_text.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_create_reports);

/* Arguments of create_reports(). */
typedef enum CreateArgument
{
	ARG_RELATION,
	ARG_SCHEMA,
	ARG_DIMENSIONS,
	ARG_TIME_ZONE,
	ARG_SETTLE,
	ARG_COMPLETE_SINCE,
	ARG_CREDIT_MODEL,
	ARG_STORED
} CreateArgument;

/*
 * A run of create_reports().
 */
typedef struct Creation
{
	ReportTarget target;
	NamesKept	names;
	List	   *created;		/* of ReportBody, in order of creation */
} Creation;

static Oid
ReportRelation(const Creation *creation, const ReportBody *body)
{
	return get_relname_relid(body->name, creation->target.schema_oid);
}

static Oid
ReportFunction(const Creation *creation, const ReportBody *body)
{
	return align_report_function(creation->target.schema_oid, body->name);
}

/*
 * Checks that the schema has no reports on another attachment, which would
 * show other leads from now on.
 */
static void
CheckAttachment(const Creation *creation)
{
	Oid			schema = creation->target.schema_oid;
	Oid			settings = get_relname_relid(REPORT_SETTINGS, schema);

	if (OidIsValid(settings) && align_is_report(settings, creation->target.attachment->root_owner) &&
		!list_member_oid(align_report_schemas(creation->target.attachment), schema))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("schema \"%s\" has reports on another table or attachment",
						get_namespace_name(schema)),
				 errdetail("Each attachment has its reports in a schema of its own."),
				 errhint("Choose another schema, or drop the reports that are there.")));
}

/*
 * Checks that nothing is in the way of the reports.  A view or function with
 * the mark that belongs to another role is not replaced either: it would stay
 * that role's, who could then change what readers of the reports execute.
 */
static void
CheckNames(const Creation *creation)
{
	const ReportBody *body;

	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		if (body->kind != REPORT_VIEW)
			continue;
		align_check_report_relation(&creation->target, body->name);
		align_check_report_function(&creation->target, body->name);
	}
}

/*
 * Sets the comments of a view and its columns.
 */
static void
CommentView(const ReportTarget *target, const ReportBody *body)
{
	const char *comment = body->comment;

	if (target->row_security)
		comment = psprintf("%s %s", comment,
						   body->per_lead ? "Row-level security of the table applies to its readers." :
						   "Row-level security of the table does not apply: it is about all leads.");
	align_report_comment_relation(target, body, "VIEW", comment);
}

/*
 * Creates or replaces the view and the function of a body.
 */
static void
CreateReport(Creation *creation, const ReportBody *body)
{
	const ReportTarget *target = &creation->target;
	char	   *name = psprintf("%s.%s", target->schema, quote_identifier(body->name));
	const char *options = "";
	char	   *query;
	StringInfoData command;

	/* functions of readers must not see rows below sums over all leads */
	if (target->row_security)
		options = body->per_lead ? " WITH (security_invoker = true)" : " WITH (security_barrier = true)";
	initStringInfo(&command);
	appendStringInfo(&command, "CREATE OR REPLACE VIEW %s%s AS %s", name,
					 options,
					 align_report_query(target, body, REPORT_FORM_VIEW));
	align_spi_execute(command.data);
	CommandCounterIncrement();
	CommentView(target, body);

	resetStringInfo(&command);
	query = align_report_query(target, body, REPORT_FORM_FUNCTION);
	appendStringInfo(&command,
					 "CREATE OR REPLACE FUNCTION %s(as_of pg_catalog.timestamptz) RETURNS SETOF %s "
					 "LANGUAGE sql STABLE PARALLEL %s ROWS 1000 BEGIN ATOMIC %s; END",
					 name, name,
	/* of what reports call, this alone is not safe */
					 strstr(query, "align.missing_needs(") != NULL ? "UNSAFE" : "SAFE",
					 query);
	align_spi_execute(command.data);
	align_report_comment(psprintf("FUNCTION %s(pg_catalog.timestamptz)", name),
						 psprintf("The view \"%s\" as of an instant, by what was known then; read with the privileges of the caller.", body->name),
						 true);
	CommandCounterIncrement();
	align_check_report_created(target, body->name, true, true);
}

static void CreateAfterOthers(const ReportBody *body, void *arg);

/*
 * Creates the report of a body after those that it refers to.
 */
static void
CreateAfterOthers(const ReportBody *body, void *arg)
{
	Creation   *creation = arg;

	if (list_member_ptr(creation->created, body))
		return;
	check_stack_depth();
	align_report_references(body, CreateAfterOthers, creation);
	if (body->kind != REPORT_VIEW)
		return;
	CreateReport(creation, body);
	creation->created = lappend(creation->created, unconstify(ReportBody *, body));
}

static void
CreateAll(Creation *creation)
{
	const ReportBody *body;

	creation->created = NIL;
	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		if (body->kind == REPORT_VIEW)
			CreateAfterOthers(body, creation);
	}
}

/*
 * Replaces all reports in place.  Returns false, with nothing changed, if the
 * columns of one have changed.
 */
static bool
ReplaceAll(Creation *creation)
{
	MemoryContext old_context = CurrentMemoryContext;
	ResourceOwner old_owner = CurrentResourceOwner;
	volatile bool replaced = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(old_context);
	PG_TRY();
	{
		CreateAll(creation);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(old_context);
		CurrentResourceOwner = old_owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(old_context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(old_context);
		CurrentResourceOwner = old_owner;
		if (error->sqlerrcode != ERRCODE_INVALID_TABLE_DEFINITION)
			ReThrowError(error);
		FreeErrorData(error);
		replaced = false;
	}
	PG_END_TRY();
	return replaced;
}

/*
 * Drops all reports.  Views of users on them are in the way.
 */
static void
DropAll(const Creation *creation)
{
	ObjectAddresses *objects = new_object_addresses();
	const ReportBody *body;

	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		ObjectAddress address;

		if (body->kind != REPORT_VIEW)
			continue;
		ObjectAddressSet(address, ProcedureRelationId, ReportFunction(creation, body));
		if (OidIsValid(address.objectId))
			add_exact_object_address(&address, objects);
		ObjectAddressSet(address, RelationRelationId, ReportRelation(creation, body));
		if (OidIsValid(address.objectId))
			add_exact_object_address(&address, objects);
	}
	align_report_drop(objects);
}

/*
 * Runs a query of which one row is wanted.  Returns the number of rows.
 */
static uint64
RunQuery(const Creation *creation, const char *query)
{
	SPIPlanPtr	plan = align_names_prepare(&creation->names, query, 0, NULL);

	if (SPI_execute_plan(plan, NULL, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(SPI_result));
	return SPI_processed;
}

/*
 * Says which settings of existing reports change: arguments that are not given
 * again have their defaults, as those of attach() have.  The caller is
 * connected to SPI.
 */
static void
NoticeChangedSettings(const Creation *creation, bool will_be_stored)
{
	const ReportTarget *target = &creation->target;
	Oid			settings = get_relname_relid(REPORT_SETTINGS, target->schema_oid);
	bool		isnull;
	Datum		changes;

	if (!OidIsValid(settings))
		return;
	/* it may be replaced before it is locked */
	LockRelationOid(settings, AccessShareLock);
	if (get_relname_relid(REPORT_SETTINGS, target->schema_oid) != settings ||
		!align_is_report(settings, creation->target.attachment->root_owner) ||
		get_attnum(settings, "stored") == InvalidAttrNumber)
		return;
	if (RunQuery(creation, psprintf("SELECT pg_catalog.string_agg(c.name || ': ' || c.before || ' -> ' || c.after, ', ' ORDER BY c.name) "
									"FROM %s." REPORT_SETTINGS " AS s CROSS JOIN LATERAL (VALUES "
									"('time_zone', s.time_zone, %s), "
									"('settle', pg_catalog.make_interval(secs => s.settle_seconds)::text, %s::text), "
									"('complete_since', s.complete_since::text, (%s)::text), "
									"('credit_model', s.credit_model, %s), "
									"('stored', s.stored::text, %s), "
									"('dimensions', s.dimensions, %s)) AS c (name, before, after) "
									"WHERE c.before OPERATOR(pg_catalog.<>) c.after",
									target->schema, target->zone, target->settle, target->complete_since,
									target->credit_model, will_be_stored ? "'true'" : "'false'",
									align_report_dimension_list(target))) != 1)
		elog(ERROR, "could not read the settings of reports");
	changes = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		ereport(NOTICE,
				(errmsg("settings of the reports in schema \"%s\" change",
						get_namespace_name(target->schema_oid)),
				 errdetail("%s.", TextDatumGetCString(changes)),
				 errhint("Give all arguments again to keep them.")));
}

/*
 * Creates the reports, or replaces them.  The caller is connected to SPI.
 */
static void
CreateOrReplace(Creation *creation)
{
	const ReportTarget *target = &creation->target;
	const char *names;
	List	   *grants;
	List	   *revokes;

	if (ReplaceAll(creation))
		return;
	names = align_report_names(target);
	grants = align_report_privileges(target, names, false);
	DropAll(creation);
	CreateAll(creation);

	/*
	 * Also those that default privileges have given, and PUBLIC; reports that
	 * did not exist keep them.
	 */
	revokes = align_report_privileges(target, names, true);
	align_report_execute_privileges(target, revokes);
	align_report_execute_privileges(target, grants);
}

/*
 * True if the schema has a table of stored reports.
 */
static bool
HasStored(const Creation *creation)
{
	ListCell   *lc;

	foreach(lc, align_stored_tables(true))
	{
		Oid			relid = get_relname_relid(lfirst(lc), creation->target.schema_oid);

		if (OidIsValid(relid) && align_is_report_table(relid, creation->target.attachment->root_owner))
			return true;
	}
	return false;
}

/*
 * Drops what stored reports consist of, and creates it if they are to be
 * stored.  The tables for users keep the privileges of other roles.
 */
static void
ReplaceStored(Creation *creation, bool stored)
{
	const char *names = "ARRAY['" REPORT_LEAD_VALUES "', '" REPORT_ENTRY_DAYS "']::pg_catalog.name[]";
	ReportTarget *target = &creation->target;
	bool		has_values = align_stored_has_values(target->schema_oid, target->attachment->root_owner);
	List	   *grants = has_values ? align_report_privileges(target, names, false) : NIL;

	align_drop_stored(target);
	if (!stored)
		return;
	align_check_stored_schema(target->schema_oid, target->attachment);
	align_create_stored(target);
	if (has_values)
	{
		align_report_execute_privileges(target, align_report_privileges(target, names, true));
		align_report_execute_privileges(target, grants);
	}
}

/*
 * Creates the reports, or replaces them, with or without tables that they
 * read.  Existing tables can be dropped when no view reads them any more, so
 * the views are replaced first.  Triggers may be left even if the tables are
 * gone.
 */
static void
CreateStoredOrNot(Creation *creation, bool stored)
{
	ReportTarget *target = &creation->target;
	bool		had_stored = HasStored(creation);

	if (stored || had_stored)
		align_lock_for_stored(target);
	if (had_stored)
		CreateOrReplace(creation);
	ReplaceStored(creation, stored);
	if (stored || !had_stored)
		CreateOrReplace(creation);
}

/*
 * Finds the schema of the reports, in which the owner of the table must be
 * allowed to create them.
 */
static void
SetSchema(Creation *creation, FunctionCallInfo fcinfo)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(ARG_SCHEMA));

	creation->target.schema_oid = get_namespace_oid(name, true);
	if (!OidIsValid(creation->target.schema_oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", name),
				 errhint("Create it first: CREATE SCHEMA %s AUTHORIZATION %s;", quote_identifier(name),
						 quote_identifier(GetUserNameFromId(creation->target.attachment->root_owner, false)))));
	if (isAnyTempNamespace(creation->target.schema_oid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_SCHEMA_NAME),
				 errmsg("reports cannot be temporary"),
				 errdetail("Schema \"%s\" is for temporary tables.", name)));
	if (!align_may_create_in(creation->target.schema_oid, creation->target.attachment->root_owner) ||
		!align_may_use(creation->target.schema_oid, creation->target.attachment->root_owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for schema %s", name),
				 errdetail("The reports belong to \"%s\", the owner of table \"%s\", who may not create anything there.",
						   GetUserNameFromId(creation->target.attachment->root_owner, false),
						   get_rel_name(creation->target.attachment->marker.root)),
				 errhint("Choose a schema of that role.")));
	creation->target.schema = pstrdup(quote_identifier(name));
}

/*
 * Sets the time zone: that of the common hours of the agreement unless one is
 * given.
 */
static void
SetZone(Creation *creation, FunctionCallInfo fcinfo)
{
	Attachment *attachment = unconstify(Attachment *, creation->target.attachment);
	const char *zone = NULL;

	if (!PG_ARGISNULL(ARG_TIME_ZONE))
	{
		char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(ARG_TIME_ZONE));

		zone = align_time_zone_name(name);
		if (zone == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time zone \"%s\" is not known", name),
					 errhint("Use a name of the IANA database, such as Europe/London.")));
	}
	else
	{
		int32		version;
		const Funnel *funnel = align_judging_funnel(attachment, &version);

		if (funnel->hours != NULL)
			zone = align_time_zone_name(pnstrdup(funnel->hours, strcspn(funnel->hours, " ")));
		if (zone == NULL)
			zone = "UTC";
	}
	creation->target.zone = psprintf("%s::pg_catalog.text", quote_literal_cstr(zone));
}

/*
 * Sets how long a cohort takes to settle, in hours: a day has 24.
 */
static void
SetSettle(Creation *creation, FunctionCallInfo fcinfo)
{
	const Interval *settle = PG_GETARG_INTERVAL_P(ARG_SETTLE);
	int64		seconds;

	if (settle->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("settle must not contain months"),
				 errhint("Use days of 24 hours: '90 days'.")));
	seconds = settle->day * (int64) SECS_PER_DAY + settle->time / USECS_PER_SEC;
	if (seconds <= 0 || seconds > INT64CONST(100) * DAYS_PER_YEAR * SECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("settle must be positive, and at most 100 years")));
	creation->target.settle = psprintf("'" INT64_FORMAT " seconds'::pg_catalog.interval", seconds);
}

static void
SetCreditModel(Creation *creation, FunctionCallInfo fcinfo)
{
	char	   *model = text_to_cstring(PG_GETARG_TEXT_PP(ARG_CREDIT_MODEL));
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < CREDIT_NMODELS; i++)
	{
		if (strcmp(align_credit_model_names[i], model) == 0)
		{
			creation->target.credit_model = psprintf("%s::pg_catalog.text", quote_literal_cstr(model));
			return;
		}
		appendStringInfo(&names, "%s%s", i == 0 ? "" : i < CREDIT_NMODELS - 1 ? ", " : " and ",
						 align_credit_model_names[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("credit model \"%s\" is not known", model),
			 errhint("Models are %s.", names.data)));
}

/*
 * Sets since when the record is complete.  If it is not given, since the table
 * was attached, which is when the openings of its leads were recorded.  A
 * table without openings was empty then, so that nothing is missing before its
 * first entry, either: its record is complete from the beginning of that year.
 * The caller is connected to SPI, as the owner.
 */
static void
SetCompleteSince(Creation *creation, FunctionCallInfo fcinfo)
{
	const Attachment *attachment = creation->target.attachment;
	TimestampTz since;
	bool		has_import;
	bool		isnull;

	if (!PG_ARGISNULL(ARG_COMPLETE_SINCE))
	{
		since = PG_GETARG_TIMESTAMPTZ(ARG_COMPLETE_SINCE);
		if (TIMESTAMP_NOT_FINITE(since))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("complete_since must be finite")));
	}
	else
	{
		if (RunQuery(creation,
					 psprintf("SELECT CASE WHEN pg_catalog.bool_or(h.event OPERATOR(pg_catalog.=) 'opening' "
							  "AND h.source IS DISTINCT FROM '%s') THEN pg_catalog.min(h.recorded_at) "
							  "ELSE pg_catalog.timezone(%s, pg_catalog.date_trunc('year', pg_catalog.timezone(%s, "
							  "COALESCE(pg_catalog.min(h.recorded_at), pg_catalog.now())))) END, "
							  "COALESCE(pg_catalog.bool_or(h.source OPERATOR(pg_catalog.=) 'import'), false) FROM %s AS h",
							  SOURCE_RESUMED, creation->target.zone, creation->target.zone,
							  align_table_name(attachment, TABLE_HISTORY))) != 1)
			elog(ERROR, "could not read the history");
		since = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		has_import = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
		if (has_import)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("complete_since must be given"),
					 errdetail("History was imported, and only you know since when it is complete."),
					 errhint("Give the time from which on every lead and every move is in the history.")));
	}
	creation->target.complete_since =
		psprintf("%s::pg_catalog.timestamptz", quote_literal_cstr(align_time_text(since)));
}

/*
 * create_reports(relation regclass, in_schema text, dimensions text[],
 * time_zone text, settle interval, complete_since timestamptz, credit_model
 * text, stored boolean) returns bigint, the number of views
 */
Datum
align_create_reports(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"relation", "in_schema", "dimensions", NULL, "settle", NULL, "credit_model", "stored"};
	Creation	creation = {0};
	ReportTarget *target = &creation.target;
	RestrictedCaller caller;
	Attachment *attachment;
	AttachmentId id;
	int			ncreated;
	bool		stored;
	bool		forced;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (names[i] != NULL)
			align_require_argument(fcinfo, i, names[i]);
	}
	stored = PG_GETARG_BOOL(ARG_STORED);
	PreventCommandIfReadOnly("align.create_reports()");
	id = align_lock_attached(PG_GETARG_OID(ARG_RELATION));
	align_check_table_owner(id.relid);
	align_recorder_flush_all();
	attachment = align_attachment_locked(id, AccessShareLock);
	target->attachment = attachment;
	target->row_security = align_row_security(id.relid, &forced);
	if (stored && target->row_security)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("reports on table \"%s\" cannot be stored", get_rel_name(id.relid)),
				 errdetail("It has row-level security, which would not apply to what is stored."),
				 errhint("Leave out \"stored\".")));
	SetSchema(&creation, fcinfo);
	/* two calls for a schema would wait for each other's views */
	LockDatabaseObject(NamespaceRelationId, target->schema_oid, 0, ShareUpdateExclusiveLock);
	align_names_begin(&creation.names, attachment, target->schema_oid, "create the reports");
	SetZone(&creation, fcinfo);
	SetSettle(&creation, fcinfo);
	SetCreditModel(&creation, fcinfo);
	align_report_key_names(target);

	align_begin_restricted(&caller, attachment->root_owner);
	target->dimensions = align_report_dimensions(PG_GETARG_ARRAYTYPE_P(ARG_DIMENSIONS), target);
	CheckNames(&creation);
	align_check_stored_names(target, stored);
	CheckAttachment(&creation);
	align_check_campaign_tables(target->schema_oid, attachment->root_owner);
	align_spi_connect();
	SetCompleteSince(&creation, fcinfo);
	NoticeChangedSettings(&creation, stored);
	CreateStoredOrNot(&creation, stored);
	align_names_check(&creation.names);
	/* the list is in memory of SPI */
	ncreated = list_length(creation.created);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(ncreated);
}
