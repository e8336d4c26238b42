/*
 * attach_tables.c
 *	  The history and the clock table of an attached table: finding their names,
 *	  creating them, or taking over what an earlier attachment left.
 *
 * Key columns are told by their place, since those of the attached table may be
 * renamed: they are the first columns of either table.  The other columns are
 * told by name.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "enforce/attach.h"

#define HISTORY_SUFFIX "_history"

/*
 * "leads_history" from "leads"; long names are cut so that the suffix stays.
 */
static char *
NameWithSuffix(const char *name, const char *suffix)
{
	return makeObjectName(name, NULL, suffix);
}

static void
SetDefaultNames(AttachRequest *request)
{
	const char *table = get_rel_name(request->relid);

	request->history.schema = get_namespace_name(get_rel_namespace(request->relid));
	request->history.name = NameWithSuffix(table, "history");
}

static void
SetToldName(AttachRequest *request, text *history)
{
	RangeVar   *name = makeRangeVarFromNameList(align_qualified_name_list(text_to_cstring(history)));

	if (name->catalogname != NULL &&
		strcmp(name->catalogname, get_database_name(MyDatabaseId)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the history cannot be in another database")));
	request->history.schema = name->schemaname;
	if (name->schemaname == NULL)
		request->history.schema = get_namespace_name(get_rel_namespace(request->relid));
	request->history.name = name->relname;
}

/*
 * The clock table lies beside the history: "x_sla" for "x_history", else it is
 * named after the attached table.
 */
static void
SetClockName(AttachRequest *request)
{
	const char *history = request->history.name;
	size_t		len = strlen(history);
	size_t		suffix_len = strlen(HISTORY_SUFFIX);

	request->sla.schema = request->history.schema;
	if (len > suffix_len && strcmp(history + len - suffix_len, HISTORY_SUFFIX) == 0)
		request->sla.name = NameWithSuffix(pnstrdup(history, len - suffix_len), "sla");
	else
		request->sla.name = NameWithSuffix(get_rel_name(request->relid), "sla");
}

static void
SetCurrent(OwnTable *own, Oid relid)
{
	own->schema = get_namespace_name(get_rel_namespace(relid));
	own->name = get_rel_name(relid);
}

/*
 * Unless told otherwise an attached table keeps what it has, under whatever name
 * that goes by now.
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

	if (history == NULL && request->was_attached)
	{
		SetCurrent(&request->history, request->before.history);
		SetCurrent(&request->sla, request->before.sla);
		return;
	}
	if (history != NULL)
		SetToldName(request, history);
	else
		SetDefaultNames(request);
	if (request->was_attached &&
		get_relname_relid(request->history.name,
						  get_namespace_oid(request->history.schema, false)) ==
		request->before.history)
		SetCurrent(&request->sla, request->before.sla);
	else
		SetClockName(request);
}

static bool
IsOwnName(const char *name)
{
	for (int i = 0; i < HISTORY_NCOLUMNS; i++)
	{
		if (strcmp(align_history_columns[i].name, name) == 0)
			return true;
	}
	for (int i = 0; i < SLA_NCOLUMNS; i++)
	{
		if (strcmp(align_sla_columns[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool
IsKeyName(const AttachRequest *request, const char *name)
{
	for (int i = 0; i < request->nkeys; i++)
	{
		if (strcmp(get_attname(request->relid, request->key[i], false), name) == 0)
			return true;
	}
	return false;
}

/*
 * The name that it has in the attached table, unless align's own columns have
 * that one.
 */
char *
align_own_key_name(const AttachRequest *request, int i)
{
	char	   *name = get_attname(request->relid, request->key[i], false);

	if (!IsOwnName(name))
		return name;
	do
		name = psprintf("key_%s", name);
	while (IsKeyName(request, name));
	return name;
}

static char *
QualifiedName(const OwnTable *own)
{
	return quote_qualified_identifier(own->schema, own->name);
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
Execute(Oid role, const char *format,...) pg_attribute_printf(2, 3);

static void
Execute(Oid role, const char *format,...)
{
	StringInfoData command;

	initStringInfo(&command);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&command, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&command, needed);
	}
	align_execute_as(role, command.data);
	pfree(command.data);
}

static void
CommentOn(Oid role, const OwnTable *own, const AttachRequest *request, const char *comment)
{
	char	   *name = QualifiedName(own);

	Execute(role, "COMMENT ON TABLE %s IS %s", name, quote_literal_cstr(comment));
	for (int i = 0; i < request->nkeys; i++)
		Execute(role, "COMMENT ON COLUMN %s.%s IS %s", name,
				quote_identifier(align_own_key_name(request, i)),
				quote_literal_cstr("key of the lead"));
	for (int i = 0; i < own->ncolumns; i++)
		Execute(role, "COMMENT ON COLUMN %s.%s IS %s", name,
				quote_identifier(own->columns[i].name),
				quote_literal_cstr(own->columns[i].comment));
}

/*
 * Tables and indexes are made by their owner-to-be, so that default privileges
 * and limits are that role's.  A superuser may attach a table whose owner cannot
 * create anything in the schema.
 */
static Oid
Creator(const AttachRequest *request, const OwnTable *own)
{
	if (align_may_create_in(get_namespace_oid(own->schema, false), request->owner))
		return request->owner;
	if (!superuser())
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, own->schema);
	return GetUserId();
}

static void
CreateTable(const AttachRequest *request, OwnTable *own, const char *comment)
{
	Oid			role = Creator(request, own);
	char		persistence = get_rel_persistence(request->relid);
	StringInfoData columns;

	initStringInfo(&columns);
	AppendKeyColumns(&columns, request);
	AppendOwnColumns(&columns, own);
	/* a schema of temporary tables makes them temporary */
	Execute(role, "CREATE %sTABLE %s (%s)",
			persistence == RELPERSISTENCE_UNLOGGED ? "UNLOGGED " : "", QualifiedName(own),
			columns.data);
	pfree(columns.data);
	if (role != request->owner)
		Execute(role, "ALTER TABLE %s OWNER TO %s", QualifiedName(own),
				quote_identifier(GetUserNameFromId(request->owner, false)));
	CommentOn(request->owner, own, request, comment);
	own->relid = get_relname_relid(own->name, get_namespace_oid(own->schema, false));
}

static void
WrongTable(const OwnTable *own, char *detail, char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("relation %s cannot be used as %s", QualifiedName(own), own->what),
			 errdetail("%s", detail),
			 hint != NULL ? errhint("%s", hint) :
			 own->columns == align_sla_columns ?
			 errhint("Choose another name with history => '..._history'; that of the clock table is made from it.") :
			 errhint("Choose another name with history => '...'.")));
}

static void
CheckOwnKind(const AttachRequest *request, const OwnTable *own)
{
	char		kind = get_rel_relkind(own->relid);

	if (own->relid == request->relid)
		WrongTable(own, "It is the table that is to be attached.", NULL);
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		WrongTable(own, "It is not a table.", NULL);
	if (get_rel_persistence(own->relid) != get_rel_persistence(request->relid))
		WrongTable(own, "It must be permanent, unlogged or temporary as the attached table is.", NULL);
}

static void
CheckOwnOwner(const AttachRequest *request, const OwnTable *own)
{
	if (!align_table_ownercheck(own->relid, request->owner))
		WrongTable(own, psprintf("Role \"%s\", who owns the attached table, does not own it.",
								 GetUserNameFromId(request->owner, false)),
				   psprintf("Use ALTER TABLE %s OWNER TO %s, or choose another name with history => '...'.",
							QualifiedName(own),
							quote_identifier(GetUserNameFromId(request->owner, false))));
}

static void
CheckNotInUse(const AttachRequest *request, const OwnTable *own)
{
	ListCell   *lc;

	foreach(lc, align_attached_tables(NULL))
	{
		AttachmentMarker marker;

		if (lfirst_oid(lc) == request->relid)
			continue;
		if (lfirst_oid(lc) == own->relid)
			WrongTable(own, "It is attached to an agreement itself.", NULL);
		if (align_read_marker(lfirst_oid(lc), &marker) &&
			(marker.history == own->relid || marker.sla == own->relid))
			WrongTable(own, psprintf("It belongs to the attached table %s.",
									 quote_qualified_identifier(get_namespace_name(get_rel_namespace(lfirst_oid(lc))),
																get_rel_name(lfirst_oid(lc)))),
					   NULL);
	}
}

static void
CheckOwnColumn(const OwnTable *own, const OwnColumn *column)
{
	AttrNumber	attnum = get_attnum(own->relid, column->name);
	char	   *type = format_type_be(column->type);

	if (attnum == InvalidAttrNumber)
		WrongTable(own, psprintf("It has no column \"%s\" of type %s.", column->name, type),
				   psprintf("Use ALTER TABLE %s ADD COLUMN %s %s, or choose another name with history => '...'.",
							QualifiedName(own), quote_identifier(column->name), type));
	if (get_atttype(own->relid, attnum) != column->type)
		WrongTable(own, psprintf("Its column \"%s\" is of type %s, not %s.", column->name,
								 format_type_be(get_atttype(own->relid, attnum)), type),
				   NULL);
}

/*
 * The key column at its place: of the right type, and not named like another
 * key column.
 */
static void
CheckOwnKey(const AttachRequest *request, const OwnTable *own, int i, Form_pg_attribute attribute)
{
	Oid			type = get_atttype(request->relid, request->key[i]);
	char	   *name = align_own_key_name(request, i);

	if (attribute == NULL || attribute->atttypid != type)
		WrongTable(own, psprintf("Its column %d would have to be the key column \"%s\" of type %s.",
								 i + 1, name, format_type_be(type)),
				   NULL);
	for (int j = 0; j < request->nkeys; j++)
	{
		if (j != i && strcmp(NameStr(attribute->attname), align_own_key_name(request, j)) == 0)
			WrongTable(own, psprintf("Its column \"%s\" is where key column \"%s\" would have to be.",
									 NameStr(attribute->attname), name),
					   psprintf("Name the key columns in their order in %s with key => '{...}', or choose another name with history => '...'.",
								QualifiedName(own)));
	}
}

static bool
HasColumn(const OwnTable *own, const char *name)
{
	for (int i = 0; i < own->ncolumns; i++)
	{
		if (strcmp(own->columns[i].name, name) == 0)
			return true;
	}
	return false;
}

/*
 * Columns that somebody added get no value from us.
 */
static void
CheckOtherColumn(const OwnTable *own, Form_pg_attribute attribute)
{
	if (!HasColumn(own, NameStr(attribute->attname)) && attribute->attnotnull &&
		!attribute->atthasdef && attribute->attidentity == '\0')
		WrongTable(own, psprintf("Its column \"%s\" must not be null and has no default.",
								 NameStr(attribute->attname)),
				   NULL);
}

static void
CheckOwnColumns(const AttachRequest *request, const OwnTable *own)
{
	Relation	rel = table_open(own->relid, ShareRowExclusiveLock);
	TupleDesc	desc = RelationGetDescr(rel);
	int			nlive = 0;

	for (int i = 0; i < own->ncolumns; i++)
		CheckOwnColumn(own, &own->columns[i]);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped)
			continue;
		if (nlive < request->nkeys)
			CheckOwnKey(request, own, nlive, attribute);
		else
			CheckOtherColumn(own, attribute);
		nlive++;
	}
	table_close(rel, NoLock);
}

/*
 * An index that begins with these columns; with a partial one, any condition is
 * taken for ours.
 */
static bool
HasIndex(const OwnTable *own, List *columns, bool partial)
{
	Relation	rel = table_open(own->relid, NoLock);
	bool		found = false;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		ListCell   *column;
		int			i = 0;
		bool		matches = index->rd_index->indisvalid &&
			(RelationGetIndexPredicate(index) != NIL) == partial &&
			index->rd_index->indnkeyatts >= list_length(columns);

		foreach(column, columns)
		{
			matches = matches && index->rd_index->indkey.values[i] == lfirst_int(column);
			i++;
		}
		found = found || matches;
		index_close(index, NoLock);
	}
	table_close(rel, NoLock);
	return found;
}

/*
 * The key, and where it is not ours to partition, a primary key on it.
 */
static void
MakeIndexes(const AttachRequest *request, const OwnTable *own, const char *numbers,
			List *number_columns, const char *open, AttrNumber open_column, const char *condition)
{
	Oid			role = Creator(request, own);
	List	   *columns = NIL;
	Relation	rel = table_open(own->relid, NoLock);
	StringInfoData names;

	for (int i = 0; list_length(columns) < request->nkeys; i++)
	{
		if (!TupleDescAttr(RelationGetDescr(rel), i)->attisdropped)
			columns = lappend_int(columns, i + 1);
	}
	initStringInfo(&names);
	for (int i = 0; i < request->nkeys; i++)
		appendStringInfo(&names, "%s, ",
						 quote_identifier(get_attname(own->relid, list_nth_int(columns, i), false)));
	table_close(rel, NoLock);

	if (!HasIndex(own, list_concat(columns, number_columns), false))
	{
		if (get_rel_relkind(own->relid) == RELKIND_PARTITIONED_TABLE)
			Execute(role, "CREATE INDEX ON %s (%s%s)", QualifiedName(own), names.data,
					numbers);
		else
			Execute(role, "ALTER TABLE %s ADD PRIMARY KEY (%s%s)", QualifiedName(own),
					names.data, numbers);
	}
	if (!HasIndex(own, list_make1_int(open_column), true))
		Execute(role, "CREATE INDEX ON %s (%s) WHERE %s", QualifiedName(own), open,
				condition);
	pfree(names.data);
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
	/* a name is no lock, and it may be gone by then */
	LockRelationOid(own->relid, ShareRowExclusiveLock);
	if (get_rel_name(own->relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s was dropped meanwhile", QualifiedName(own))));
	CheckOwnKind(request, own);
	CheckOwnOwner(request, own);
	CheckNotInUse(request, own);
	CheckOwnColumns(request, own);
}

/*
 * The owner may have made the tables beforehand.
 */
static bool
IsEmpty(const AttachRequest *request, const OwnTable *own)
{
	CallerIdentity caller;
	char	   *query = psprintf("SELECT FROM %s LIMIT 1", QualifiedName(own));

	PushActiveSnapshot(GetLatestSnapshot());
	align_become(request->owner, 0, &caller);
	if (SPI_execute(query, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", query);
	align_resume(&caller);
	PopActiveSnapshot();
	SPI_freetuptable(SPI_tuptable);
	return SPI_processed == 0;
}

void
align_attach_make_tables(AttachRequest *request)
{
	char	   *table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(request->relid)),
												   get_rel_name(request->relid));
	OwnTable   *history = &request->history;
	OwnTable   *sla = &request->sla;

	MakeTable(request, history,
			  psprintf("history of %s: one row per change of a lead, written by align only", table));
	MakeTable(request, sla,
			  psprintf("service-level clocks of %s: one row per cycle, written by align only", table));
	if (history->relid == sla->relid)
		WrongTable(sla, "It is the history.", NULL);
	CommandCounterIncrement();
	request->without_clocks = IsEmpty(request, sla);
	request->fresh = request->without_clocks && IsEmpty(request, history);
}

/*
 * On tables that are filled already, if they are new: that is faster by far.
 */
void
align_attach_make_indexes(AttachRequest *request)
{
	OwnTable   *history = &request->history;
	OwnTable   *sla = &request->sla;

	MakeIndexes(request, history, "entry_no",
				list_make1_int(get_attnum(history->relid, "entry_no")),
				"recorded_at", get_attnum(history->relid, "recorded_at"),
				"handoff IS NOT NULL AND notified_at IS NULL");
	MakeIndexes(request, sla, "sla, cycle",
				list_make2_int(get_attnum(sla->relid, "sla"), get_attnum(sla->relid, "cycle")),
				"due_at", get_attnum(sla->relid, "due_at"), "outcome IS NULL");
}
