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
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "attachment/judging_version.h"
#include "attachment/privileges.h"
#include "calendar/calendar.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "record/flush.h"
#include "report/body.h"
#include "report/campaign_tables.h"
#include "report/create_reports.h"
#include "time_text.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_create_reports);

/* The end of the comment of everything that create_reports() creates. */
#define REPORT_MARK "Created by align.create_reports()."

/* Arguments of create_reports(). */
typedef enum CreateArgument
{
	ARG_RELATION,
	ARG_SCHEMA,
	ARG_DIMENSIONS,
	ARG_TIME_ZONE,
	ARG_SETTLE,
	ARG_COMPLETE_SINCE,
	ARG_CREDIT_MODEL
} CreateArgument;

/*
 * A run of create_reports().
 */
typedef struct Creation
{
	ReportTarget target;
	Oid			owner;			/* of the attached table */
	List	   *created;		/* of ReportBody, in order of creation */
} Creation;

static Oid
ReportRelation(const Creation *creation, const ReportBody *body)
{
	return get_relname_relid(body->name, creation->target.schema_oid);
}

/*
 * The function of a report, or InvalidOid.
 */
static Oid
ReportFunction(const Creation *creation, const ReportBody *body)
{
	List	   *name = list_make2(makeString(get_namespace_name(creation->target.schema_oid)),
								  makeString(pstrdup(body->name)));
	Oid			argument = TIMESTAMPTZOID;

	return LookupFuncName(name, 1, &argument, true);
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

/*
 * Raises that an object of the schema has the name of a report.
 */
static void pg_attribute_noreturn()
NameIsTaken(const Creation *creation, const char *what, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("%s \"%s\" in schema \"%s\" is not a report", what, name,
					get_namespace_name(creation->target.schema_oid)),
			 errdetail("align.create_reports() replaces only what it has created itself."),
			 errhint("Choose another schema, or rename it.")));
}

/*
 * Checks that nothing is in the way of the reports.
 */
static void
CheckNames(const Creation *creation)
{
	const ReportBody *body;

	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		Oid			relid;
		Oid			function;
		Oid			type;

		if (body->kind != REPORT_VIEW)
			continue;
		relid = ReportRelation(creation, body);
		if (OidIsValid(relid) && !align_is_report(relid, creation->owner))
			NameIsTaken(creation, "relation", body->name);
		type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(body->name),
							   ObjectIdGetDatum(creation->target.schema_oid));
		if (!OidIsValid(relid) && OidIsValid(type))
			NameIsTaken(creation, "type", body->name);
		function = ReportFunction(creation, body);
		if (OidIsValid(function) && !HasMark(function, ProcedureRelationId))
			NameIsTaken(creation, "function", body->name);
	}
}

static void
Execute(const char *command)
{
	int			result = SPI_execute(command, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

/*
 * Sets the comment of an object; with the mark, if it is a view or a function.
 */
static void
Comment(const char *object, const char *comment, bool with_mark)
{
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command, "COMMENT ON %s IS %s", object,
					 quote_literal_cstr(with_mark ? psprintf("%s %s", comment, REPORT_MARK) : comment));
	Execute(command.data);
}

/*
 * Sets the comments of a view and its columns.
 */
static void
CommentView(const ReportTarget *target, const ReportBody *body)
{
	char	   *name = psprintf("%s.%s", target->schema, quote_identifier(body->name));
	Oid			relid = get_relname_relid(body->name, target->schema_oid);
	ListCell   *lc;

	Comment(psprintf("VIEW %s", name), body->comment, true);
	for (const ReportColumn *column = body->columns; column->name != NULL; column++)
		Comment(psprintf("COLUMN %s.%s", name, quote_identifier(column->name)), column->comment, false);
	if (!body->per_lead)
		return;
	for (int i = 0; i < target->attachment->nkeys; i++)
		Comment(psprintf("COLUMN %s.%s", name, target->key_names[i]), "key column of the lead", false);
	foreach(lc, target->dimensions)
	{
		const ReportDimension *dimension = lfirst(lc);

		if (get_attnum(relid, dimension->name) != InvalidAttrNumber)
			Comment(psprintf("COLUMN %s.%s", name, quote_identifier(dimension->name)),
					psprintf("dimension, as it is today: %s", dimension->text), false);
	}
}

/*
 * Creates or replaces the view and the function of a body.
 */
static void
CreateReport(Creation *creation, const ReportBody *body)
{
	const ReportTarget *target = &creation->target;
	char	   *name = psprintf("%s.%s", target->schema, quote_identifier(body->name));
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command, "CREATE OR REPLACE VIEW %s%s AS %s", name,
					 target->row_security && body->per_lead ? " WITH (security_invoker = true)" : "",
					 align_report_query(target, body, false));
	Execute(command.data);
	CommandCounterIncrement();
	CommentView(target, body);

	resetStringInfo(&command);
	appendStringInfo(&command,
					 "CREATE OR REPLACE FUNCTION %s(as_of pg_catalog.timestamptz) RETURNS SETOF %s "
					 "LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 BEGIN ATOMIC %s; END",
					 name, name, align_report_query(target, body, true));
	Execute(command.data);
	Comment(psprintf("FUNCTION %s(pg_catalog.timestamptz)", name),
			psprintf("The view \"%s\" as of an instant, by what was known then; read with the privileges of the caller.", body->name),
			true);
	CommandCounterIncrement();
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
 * Returns the commands that grant the present privileges on the reports again.
 */
static List *
Grants(const Creation *creation)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *result = NIL;
	const ReportBody *body;

	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		Oid			relid = body->kind == REPORT_VIEW ? ReportRelation(creation, body) : InvalidOid;

		if (!OidIsValid(relid))
			continue;
		if (SPI_execute(psprintf("SELECT pg_catalog.format('GRANT %%s ON %%s.%%I TO %%s%%s', a.privilege_type, %s, c.relname, "
								 "CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END, "
								 "CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) "
								 "FROM pg_catalog.pg_class AS c, pg_catalog.aclexplode(c.relacl) AS a "
								 "WHERE c.oid = %u AND a.grantee <> c.relowner",
								 quote_literal_cstr(creation->target.schema), relid), true, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not read the privileges on reports");
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			char	   *grant = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1);

			result = lappend(result, MemoryContextStrdup(context, grant));
		}
		SPI_freetuptable(SPI_tuptable);
	}
	return result;
}

/*
 * Drops all reports.  Views of users on them are in the way.
 */
static void
DropAll(const Creation *creation)
{
	StringInfoData views;
	StringInfoData functions;
	const ReportBody *body;

	initStringInfo(&views);
	initStringInfo(&functions);
	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		char	   *name = psprintf("%s.%s", creation->target.schema, quote_identifier(body->name));

		if (body->kind != REPORT_VIEW)
			continue;
		if (OidIsValid(ReportFunction(creation, body)))
			appendStringInfo(&functions, "%s%s(pg_catalog.timestamptz)",
							 functions.len > 0 ? ", " : "", name);
		if (OidIsValid(ReportRelation(creation, body)))
			appendStringInfo(&views, "%s%s", views.len > 0 ? ", " : "", name);
	}
	if (functions.len > 0)
		Execute(psprintf("DROP FUNCTION %s", functions.data));
	if (views.len > 0)
		Execute(psprintf("DROP VIEW %s", views.data));
	CommandCounterIncrement();
}

/*
 * Creates the reports, or replaces them.  The caller is connected to SPI.
 */
static void
CreateOrReplace(Creation *creation)
{
	List	   *grants;
	ListCell   *lc;

	if (ReplaceAll(creation))
		return;
	grants = Grants(creation);
	DropAll(creation);
	CreateAll(creation);
	foreach(lc, grants)
		Execute((char *) lfirst(lc));
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
						 quote_identifier(GetUserNameFromId(creation->owner, false)))));
	if (!align_may_create_in(creation->target.schema_oid, creation->owner) ||
		!align_may_use(creation->target.schema_oid, creation->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for schema %s", name),
				 errdetail("The reports belong to \"%s\", the owner of table \"%s\", who may not create anything there.",
						   GetUserNameFromId(creation->owner, false),
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
	static const char *const models[] = {"first", "last", "last_non_direct", "linear", "position",
	"time_decay", "u_shaped", "w_shaped", "full_path"};
	char	   *model = text_to_cstring(PG_GETARG_TEXT_PP(ARG_CREDIT_MODEL));

	for (int i = 0; i < (int) lengthof(models); i++)
	{
		if (strcmp(models[i], model) == 0)
		{
			creation->target.credit_model = psprintf("%s::pg_catalog.text", quote_literal_cstr(model));
			return;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("credit model \"%s\" is not known", model),
			 errhint("Models are first, last, last_non_direct, linear, position, time_decay, u_shaped, w_shaped and full_path.")));
}

/*
 * Sets since when the record is complete: if it is not given, since the table
 * was attached, which is when its first entry was recorded.  The caller is
 * connected to SPI, as the owner.
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
		if (SPI_execute(psprintf("SELECT COALESCE(pg_catalog.min(h.recorded_at), pg_catalog.now()), "
								 "COALESCE(pg_catalog.bool_or(h.source OPERATOR(pg_catalog.=) 'import'), false) FROM %s AS h",
								 align_table_name(attachment, TABLE_HISTORY)), true, 1) != SPI_OK_SELECT ||
			SPI_processed != 1)
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
 * text) returns bigint, the number of views
 */
Datum
align_create_reports(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"relation", "in_schema", "dimensions", NULL, "settle", NULL, "credit_model"};
	Creation	creation = {0};
	ReportTarget *target = &creation.target;
	RestrictedCaller caller;
	Attachment *attachment;
	AttachmentId id;
	bool		forced;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (names[i] != NULL)
			align_require_argument(fcinfo, i, names[i]);
	}
	PreventCommandIfReadOnly("align.create_reports()");
	id = align_lock_attached(PG_GETARG_OID(ARG_RELATION));
	align_check_table_owner(id.relid);
	align_recorder_flush_all();
	attachment = align_attachment_locked(id, AccessShareLock);
	target->attachment = attachment;
	creation.owner = attachment->root_owner;
	target->row_security = align_row_security(id.relid, &forced);
	SetSchema(&creation, fcinfo);
	SetZone(&creation, fcinfo);
	SetSettle(&creation, fcinfo);
	SetCreditModel(&creation, fcinfo);
	align_report_key_names(target);

	align_begin_restricted(&caller, creation.owner);
	target->dimensions = align_report_dimensions(PG_GETARG_ARRAYTYPE_P(ARG_DIMENSIONS), attachment);
	CheckNames(&creation);
	align_check_campaign_tables(target->schema_oid, creation.owner);
	align_spi_connect();
	SetCompleteSince(&creation, fcinfo);
	CreateOrReplace(&creation);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(list_length(creation.created));
}
