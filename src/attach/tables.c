/*
 * tables.c
 *	  Names and creates the record tables of an attached table.
 *
 * The key columns are the first columns of a record table.  They are found by
 * position, because the columns of the attached table may be renamed.  The
 * other columns are found by name.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "attach/request.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"

/*
 * Sets the default names: "leads_history" and "leads_sla" for the table
 * "leads".  makeObjectName() truncates a name before the suffix if it would be
 * too long.
 */
static void
SetDefaultNames(AttachRequest *request)
{
	const char *table = get_rel_name(request->relid);

	request->history.schema = get_namespace_name(get_rel_namespace(request->relid));
	request->history.name = makeObjectName(table, NULL, "history");
	request->sla.schema = request->history.schema;
	request->sla.name = makeObjectName(table, NULL, "sla");
}

/*
 * Raises an error if a part of a qualified name is too long.  The parser of
 * names would truncate it silently.
 */
static void
CheckNameLength(const char *name)
{
	for (const char *part = name; *part != '\0';)
	{
		bool		quoted = *part == '"';
		const char *end = part + quoted;
		int			len = 0;

		while (*end != '\0' && (quoted || *end != '.'))
		{
			if (quoted && *end == '"' && *++end != '"')
				break;
			len++;
			end++;
		}
		while (len > 0 && !quoted && scanner_isspace(part[len - 1]))
			len--;
		if (len >= NAMEDATALEN)
			ereport(ERROR,
					(errcode(ERRCODE_NAME_TOO_LONG),
					 errmsg("name of the history table is too long"),
					 errdetail("The name has %d bytes; the limit is %d.", len, NAMEDATALEN - 1)));
		while (*end != '\0' && *end != '.')
			end++;
		part = *end == '.' ? end + 1 : end;
	}
}

/*
 * Sets the name of the clock table of a history that exists, and was the one
 * of a table that has been renamed since: "x_sla" for "x_history".  The clock
 * table must exist and be in use by no table, and there must be none that is
 * named after the history.
 */
static void
SetFormerClockTable(AttachRequest *request)
{
	const char *suffix = "_history";
	const char *history = request->history.name;
	Oid			schema = get_namespace_oid(request->history.schema, true);
	size_t		len = strlen(history);
	char	   *name;
	Oid			relid;

	if (len <= strlen(suffix) || strcmp(history + len - strlen(suffix), suffix) != 0 ||
		!OidIsValid(schema) || !OidIsValid(get_relname_relid(history, schema)) ||
		OidIsValid(get_relname_relid(request->sla.name, schema)))
		return;
	name = makeObjectName(pnstrdup(history, len - strlen(suffix)), NULL, "sla");
	relid = get_relname_relid(name, schema);
	if (OidIsValid(relid) && !align_has_trigger(relid, ATTACHMENT_POINTER))
		request->sla.name = name;
}

/*
 * Sets the names for a history that the caller named.  The clock table is
 * named after the history, "x_sla" for "x"; but if the name is the default
 * one, the clock table has its default name, too.
 */
static void
SetGivenNames(AttachRequest *request, text *history)
{
	char	   *given = text_to_cstring(history);
	RangeVar   *name;

	CheckNameLength(given);
	name = makeRangeVarFromNameList(align_qualified_name_list(given));
	if (name->catalogname != NULL &&
		strcmp(name->catalogname, get_database_name(MyDatabaseId)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("history table cannot be in another database")));
	SetDefaultNames(request);
	if (strcmp(name->relname, request->history.name) != 0)
	{
		request->history.name = name->relname;
		request->sla.name = makeObjectName(name->relname, NULL, "sla");
	}
	if (name->schemaname != NULL)
		request->history.schema = request->sla.schema = name->schemaname;
	SetFormerClockTable(request);
}

/*
 * Sets the current name of an existing record table.
 */
static void
SetCurrentNames(RecordTable *table, Oid relid)
{
	table->schema = get_namespace_name(get_rel_namespace(relid));
	table->name = get_rel_name(relid);
}

/*
 * Sets the names of the record tables, and chooses the attachment.  One that
 * exists keeps its record tables unless another history is named.
 */
void
align_attach_name_tables(AttachRequest *request, text *history)
{
	request->history.what = "history";
	request->history.columns = align_history_columns;
	request->history.ncolumns = HISTORY_NCOLUMNS;
	request->sla.what = "clock table";
	request->sla.columns = align_sla_columns;
	request->sla.ncolumns = SLA_NCOLUMNS;

	if (history != NULL)
		SetGivenNames(request, history);
	else
		SetDefaultNames(request);
	align_attach_choose(request, history != NULL);
	if (request->was_attached &&
		(history == NULL ||
		 get_relname_relid(request->history.name,
						   get_namespace_oid(request->history.schema, false)) ==
		 request->before.history))
	{
		SetCurrentNames(&request->history, request->before.history);
		SetCurrentNames(&request->sla, request->before.sla);
	}
	if (strcmp(request->history.schema, request->sla.schema) == 0 &&
		strcmp(request->history.name, request->sla.name) == 0)
		align_refuse_record_table(&request->sla, "It is the history.", NULL);
}

static char *
QualifiedType(Oid type, int32 typmod)
{
	return format_type_extended(type, typmod,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

static void
AppendKeyColumns(StringInfo buf, const AttachRequest *request)
{
	for (int i = 0; i < request->nkeys; i++)
	{
		Oid			type;
		int32		typmod;
		Oid			collation;

		get_atttypetypmodcoll(request->relid, request->key[i], &type, &typmod, &collation);
		appendStringInfo(buf, "%s %s", quote_identifier(align_record_key_name(request, i)),
						 QualifiedType(type, typmod));
		if (OidIsValid(collation) && collation != get_typcollation(type))
			appendStringInfo(buf, " COLLATE %s", generate_collation_name(collation));
		appendStringInfoString(buf, " NOT NULL, ");
	}
}

static void
AppendColumns(StringInfo buf, const RecordTable *table)
{
	for (int i = 0; i < table->ncolumns; i++)
		appendStringInfo(buf, "%s%s %s%s", i > 0 ? ", " : "",
						 quote_identifier(table->columns[i].name),
						 QualifiedType(table->columns[i].type, -1),
						 table->columns[i].not_null ? " NOT NULL" : "");
}

/*
 * Creates the comments on a record table and its columns.
 */
static void
CommentOn(Oid role, const RecordTable *table, const AttachRequest *request, const char *comment)
{
	char	   *name = align_record_table_name(table);

	align_execute_format(role, "COMMENT ON TABLE %s IS %s", name, quote_literal_cstr(comment));
	for (int i = 0; i < request->nkeys; i++)
		align_execute_format(role, "COMMENT ON COLUMN %s.%s IS %s", name,
							 quote_identifier(align_record_key_name(request, i)),
							 quote_literal_cstr("key of the lead"));
	for (int i = 0; i < table->ncolumns; i++)
		align_execute_format(role, "COMMENT ON COLUMN %s.%s IS %s", name,
							 quote_identifier(table->columns[i].name),
							 quote_literal_cstr(table->columns[i].comment));
}

static void
CreateTable(const AttachRequest *request, RecordTable *table, const char *comment)
{
	Oid			role = align_record_table_creator(request, table);
	char		persistence = get_rel_persistence(request->relid);
	StringInfoData columns;

	initStringInfo(&columns);
	AppendKeyColumns(&columns, request);
	AppendColumns(&columns, table);
	align_execute_format(role, "CREATE %sTABLE %s (%s)",
						 persistence == RELPERSISTENCE_UNLOGGED ? "UNLOGGED " : "",
						 align_record_table_name(table), columns.data);
	pfree(columns.data);
	if (role != request->owner)
		align_execute_format(role, "ALTER TABLE %s OWNER TO %s", align_record_table_name(table),
							 quote_identifier(GetUserNameFromId(request->owner, false)));
	CommentOn(request->owner, table, request, comment);
	table->relid = get_relname_relid(table->name, get_namespace_oid(table->schema, false));
	table->created = true;
}

static void
MakeTable(AttachRequest *request, RecordTable *table, const char *comment)
{
	table->relid = get_relname_relid(table->name, get_namespace_oid(table->schema, false));
	if (!OidIsValid(table->relid))
	{
		CreateTable(request, table, comment);
		return;
	}
	align_attach_adopt(request, table);
}

/*
 * True if a record table is empty.  It may be even if it existed before: the
 * owner may have created it.
 */
static bool
IsEmpty(const AttachRequest *request, const RecordTable *table)
{
	CallerRole	caller;
	char	   *query = psprintf("SELECT FROM %s LIMIT 1", align_record_table_name(table));

	PushActiveSnapshot(GetLatestSnapshot());
	align_work_as(request->owner, &caller);
	if (SPI_execute(query, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", query);
	align_return_to(&caller);
	PopActiveSnapshot();
	SPI_freetuptable(SPI_tuptable);
	return SPI_processed == 0;
}

/*
 * Creates or adopts the record tables, and determines whether they are empty.
 */
void
align_attach_make_tables(AttachRequest *request)
{
	char	   *table = align_relation_name(request->relid);
	RecordTable *history = &request->history;
	RecordTable *sla = &request->sla;

	MakeTable(request, history,
			  psprintf("history of %s: one row per change of a lead, written by align only", table));
	MakeTable(request, sla,
			  psprintf("service-level clocks of %s: one row per cycle, written by align only", table));
	CommandCounterIncrement();
	align_attach_set_privileges(request);

	/* a clock table that the old marker names is known to belong here */
	if (!sla->created && !(request->was_attached && request->before.sla == sla->relid))
		align_attach_check_clocks(request);
	request->without_clocks = IsEmpty(request, sla);
	request->fresh = request->without_clocks && IsEmpty(request, history);
}
