/*
 * tables.c
 *	  Names and creates the history and the clock table of an attached table.
 *
 * The key columns are the first columns of either table, whatever their names:
 * those of the attached table may be renamed.  The other columns are found by
 * name.
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

/*
 * The default names: "leads_history" and "leads_sla" for the table "leads".  A
 * name that would be too long is cut before the suffix.
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
 * A name that is too long would be truncated without a message.
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
					 errmsg("name of the history is too long"),
					 errdetail("It has %d bytes; at most %d are allowed.", len, NAMEDATALEN - 1)));
		while (*end != '\0' && *end != '.')
			end++;
		part = *end == '.' ? end + 1 : end;
	}
}

/*
 * The name that the caller gave, and the clock table named after it: "x_sla" for
 * "x".  The default name has the default clock table, however it came about.
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
				 errmsg("the history cannot be in another database")));
	SetDefaultNames(request);
	if (strcmp(name->relname, request->history.name) != 0)
	{
		request->history.name = name->relname;
		request->sla.name = makeObjectName(name->relname, NULL, "sla");
	}
	if (name->schemaname != NULL)
		request->history.schema = request->sla.schema = name->schemaname;
}

static void
KeepNames(OwnTable *own, Oid relid)
{
	own->schema = get_namespace_name(get_rel_namespace(relid));
	own->name = get_rel_name(relid);
}

/*
 * A table that is attached already keeps its history and clock table, under the
 * names that they have now, unless another history is named.
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
	if (request->was_attached &&
		(history == NULL ||
		 get_relname_relid(request->history.name,
						   get_namespace_oid(request->history.schema, false)) ==
		 request->before.history))
	{
		KeepNames(&request->history, request->before.history);
		KeepNames(&request->sla, request->before.sla);
	}
	if (strcmp(request->history.schema, request->sla.schema) == 0 &&
		strcmp(request->history.name, request->sla.name) == 0)
		align_attach_wrong_table(&request->sla, "It is the history.", NULL);
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
		appendStringInfo(buf, "%s %s", quote_identifier(align_own_key_name(request, i)),
						 QualifiedType(type, typmod));
		if (OidIsValid(collation) && collation != get_typcollation(type))
			appendStringInfo(buf, " COLLATE %s", generate_collation_name(collation));
		appendStringInfoString(buf, " NOT NULL, ");
	}
}

static void
AppendOwnColumns(StringInfo buf, const OwnTable *own)
{
	for (int i = 0; i < own->ncolumns; i++)
		appendStringInfo(buf, "%s%s %s%s", i > 0 ? ", " : "",
						 quote_identifier(own->columns[i].name),
						 QualifiedType(own->columns[i].type, -1),
						 own->columns[i].not_null ? " NOT NULL" : "");
}

static void
CommentOn(Oid role, const OwnTable *own, const AttachRequest *request, const char *comment)
{
	char	   *name = align_own_name(own);

	align_execute_format(role, "COMMENT ON TABLE %s IS %s", name, quote_literal_cstr(comment));
	for (int i = 0; i < request->nkeys; i++)
		align_execute_format(role, "COMMENT ON COLUMN %s.%s IS %s", name,
							 quote_identifier(align_own_key_name(request, i)),
							 quote_literal_cstr("key of the lead"));
	for (int i = 0; i < own->ncolumns; i++)
		align_execute_format(role, "COMMENT ON COLUMN %s.%s IS %s", name,
							 quote_identifier(own->columns[i].name),
							 quote_literal_cstr(own->columns[i].comment));
}

static void
CreateTable(const AttachRequest *request, OwnTable *own, const char *comment)
{
	Oid			role = align_own_creator(request, own);
	char		persistence = get_rel_persistence(request->relid);
	StringInfoData columns;

	initStringInfo(&columns);
	AppendKeyColumns(&columns, request);
	AppendOwnColumns(&columns, own);
	align_execute_format(role, "CREATE %sTABLE %s (%s)",
						 persistence == RELPERSISTENCE_UNLOGGED ? "UNLOGGED " : "", align_own_name(own),
						 columns.data);
	pfree(columns.data);
	if (role != request->owner)
		align_execute_format(role, "ALTER TABLE %s OWNER TO %s", align_own_name(own),
							 quote_identifier(GetUserNameFromId(request->owner, false)));
	CommentOn(request->owner, own, request, comment);
	own->relid = get_relname_relid(own->name, get_namespace_oid(own->schema, false));
	own->created = true;
}

static void
MakeTable(AttachRequest *request, OwnTable *own, const char *comment)
{
	own->relid = get_relname_relid(own->name, get_namespace_oid(own->schema, false));
	if (!OidIsValid(own->relid))
	{
		CreateTable(request, own, comment);
		return;
	}
	align_attach_adopt(request, own);
}

/*
 * The owner may have created the tables beforehand.
 */
static bool
IsEmpty(const AttachRequest *request, const OwnTable *own)
{
	CallerRole	caller;
	char	   *query = psprintf("SELECT FROM %s LIMIT 1", align_own_name(own));

	PushActiveSnapshot(GetLatestSnapshot());
	align_work_as(request->owner, &caller);
	if (SPI_execute(query, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", query);
	align_return_to(&caller);
	PopActiveSnapshot();
	SPI_freetuptable(SPI_tuptable);
	return SPI_processed == 0;
}

void
align_attach_make_tables(AttachRequest *request)
{
	char	   *table = align_relation_name(request->relid);
	OwnTable   *history = &request->history;
	OwnTable   *sla = &request->sla;

	MakeTable(request, history,
			  psprintf("history of %s: one row per change of a lead, written by align only", table));
	MakeTable(request, sla,
			  psprintf("service-level clocks of %s: one row per cycle, written by align only", table));
	CommandCounterIncrement();
	align_attach_privileges(request);
	if (!sla->created && !(request->was_attached && request->before.sla == sla->relid))
		align_attach_check_clocks(request);
	request->without_clocks = IsEmpty(request, sla);
	request->fresh = request->without_clocks && IsEmpty(request, history);
}
