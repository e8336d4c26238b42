/*
 * import_query.c
 *	  The query of align.import_history(): its columns, and its rows in order.
 *
 * The query runs as its caller, the rest of the import as the owner of the
 * table.  So its rows are kept in a tuplestore in between, which needs no more
 * memory than work_mem, and so does the sort.
 *
 * The query is made part of another one, which converts the columns and sorts
 * the rows.  Errors show the caller's query instead.  If a value may not have
 * been converted, the query runs again, to find the row whose key it is.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "catalog/user_query.h"
#include "condition/condition.h"
#include "maintain/import.h"

static const char *const column_names[IMPORT_NCOLUMNS] = {
	"at", "ordinal", "stage", "team", "assignee", "actor", "reason", "note", "campaign", "amount"
};

#define COLUMNS_HINT "The query must return the columns of the key, \"at\" and \"stage\"," \
	" and may return \"ordinal\", \"team\", \"assignee\", \"actor\", \"reason\", \"note\"," \
	" \"campaign\" and \"amount\"."

/* State of the callbacks of the query. */
typedef struct QueryState
{
	const Attachment *attachment;
	ImportRows *rows;
	MemoryContext context;		/* of what follows */
	char	   *statement;		/* the query; NULL until it is wrapped */
	char	   *wrapped;		/* the query that is run */
} QueryState;

/* State of the search for a key that cannot be converted. */
typedef struct KeySearch
{
	const Attachment *attachment;
	ErrorContextCallback *outer;	/* context of the function call */
	FmgrInfo	in[ATTACHMENT_MAX_KEYS];
	Oid			ioparam[ATTACHMENT_MAX_KEYS];
	char	   *text[ATTACHMENT_MAX_KEYS];	/* of the current row */
	bool		found;
} KeySearch;

/*
 * Adds a row to the tuplestore, with all values inline: the query may have
 * taken them from tables that another session changes meanwhile.
 */
static void
ReceiveRow(void *arg, const Datum *row, const bool *nulls)
{
	ImportRows *rows = ((QueryState *) arg)->rows;
	Datum		values[ATTACHMENT_MAX_KEYS + IMPORT_NCOLUMNS];

	for (int i = 0; i < rows->desc->natts; i++)
	{
		values[i] = row[i];
		if (!nulls[i] && TupleDescAttr(rows->desc, i)->attlen == -1)
			values[i] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[i]));
	}
	tuplestore_putvalues(rows->rows, rows->desc, values, unconstify(bool *, nulls));
}

/*
 * Returns the ImportColumn of a name, or -1.
 */
static int
ColumnNamed(const char *name)
{
	for (int i = 0; i < IMPORT_NCOLUMNS; i++)
	{
		if (strcmp(column_names[i], name) == 0)
			return i;
	}
	return -1;
}

/*
 * Returns the name that a key column has in the query: that in the table,
 * with the prefix of history.h if it would be one of the others.
 */
static char *
KeyName(const Attachment *attachment, int keyno)
{
	char	   *name = attachment->keys[keyno].name;

	return ColumnNamed(name) >= 0 ? psprintf("key_%s", name) : name;
}

/*
 * Returns the index of a column of the query, or -1; raises an error if there
 * are two of that name.
 */
static int
FindColumn(TupleDesc desc, const char *name)
{
	int			found = -1;

	for (int i = 0; i < desc->natts; i++)
	{
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) != 0)
			continue;
		if (found >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("query returns more than one column \"%s\"", name)));
		found = i;
	}
	return found;
}

static void
RaiseMissing(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("query does not return a column \"%s\"", name),
			 errhint(COLUMNS_HINT)));
}

/*
 * Raises an error for a column without a meaning: its name may be misspelled.
 */
static void
CheckNames(const Attachment *attachment, TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);
		bool		known = ColumnNamed(name) >= 0;

		for (int j = 0; j < attachment->nkeys && !known; j++)
			known = strcmp(KeyName(attachment, j), name) == 0;
		if (!known)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("query returns a column \"%s\", which is not one to import", name),
					 errhint(COLUMNS_HINT)));
	}
}

static void
RaiseWrongType(const char *name, Oid type, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of the query cannot be of type %s", name, format_type_be(type)),
			 errdetail("Expected %s.", expected)));
}

static bool
IsInteger(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/*
 * Returns a type with the syntax of a cast.  Given a typmod of -1, bpchar is
 * not "character", which is character(1).
 */
static char *
CastName(Oid type)
{
	return format_type_extended(type, -1,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/*
 * Appends a key column, converted to the base type of the key.  As key
 * arguments are, it is converted through its text, because casts may round;
 * and not to the domain, whose constraints would run with the rights of the
 * caller.
 */
static void
AppendKey(StringInfo sql, const Attachment *attachment, int keyno, TupleDesc desc)
{
	char	   *name = KeyName(attachment, keyno);
	int			column = FindColumn(desc, name);
	Oid			target = getBaseType(attachment->keys[keyno].type);
	Oid			source;

	if (column < 0)
		RaiseMissing(name);
	source = getBaseType(TupleDescAttr(desc, column)->atttypid);
	appendStringInfo(sql, "q.%s", quote_identifier(name));
	if (source != target && !(IsInteger(source) && IsInteger(target)))
	{
		if (!align_type_is_safe(source) || !align_type_is_safe(target))
			RaiseWrongType(name, TupleDescAttr(desc, column)->atttypid, format_type_be(target));
		appendStringInfoString(sql, "::pg_catalog.text");
	}
	appendStringInfo(sql, "::%s", CastName(target));
	/* keys that are equal must follow each other */
	if (OidIsValid(attachment->keys[keyno].collation))
		appendStringInfo(sql, " COLLATE %s",
						 generate_collation_name(attachment->keys[keyno].collation));
}

/*
 * Appends the time of a row.  Types without a zone need that of the
 * attachment, since what is recorded must not depend on a session's settings.
 */
static void
AppendTime(StringInfo sql, const Attachment *attachment, Oid type)
{
	const char *zone = attachment->marker.options.time_zone;

	switch (getBaseType(type))
	{
		case TIMESTAMPTZOID:
			appendStringInfoString(sql, "q.at::pg_catalog.timestamptz");
			return;
		case TIMESTAMPOID:
		case DATEOID:
			if (zone[0] == '\0')
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("column \"at\" of the query has no time zone"),
						 errdetail("It is of type %s, and table %s is attached without a time zone.",
								   format_type_be(type), attachment->root_name),
						 errhint("Use at AT TIME ZONE 'UTC', for example.")));
			appendStringInfo(sql, "pg_catalog.timezone(%s, q.at::pg_catalog.timestamp)",
							 quote_literal_cstr(zone));
			return;
		default:
			RaiseWrongType("at", type, "timestamp with time zone");
	}
}

/*
 * Appends ", " and one of the columns after the key, or a null of its type.
 */
static void
AppendColumn(StringInfo sql, const Attachment *attachment, ImportColumn column, bool given,
			 Oid type)
{
	const char *name = column_names[column];
	Oid			base = given ? getBaseType(type) : InvalidOid;

	appendStringInfoString(sql, ", ");
	switch (column)
	{
		case IMPORT_AT:
			AppendTime(sql, attachment, type);
			break;
		case IMPORT_ORDINAL:
			if (given && !IsInteger(base))
				RaiseWrongType(name, type, "an integer");
			appendStringInfo(sql, "%s::pg_catalog.int8", given ? "q.ordinal" : "NULL");
			break;
		case IMPORT_AMOUNT:
			if (given && TypeCategory(base) != TYPCATEGORY_NUMERIC)
				RaiseWrongType(name, type, "a number");
			appendStringInfo(sql, "%s::pg_catalog.numeric", given ? "q.amount" : "NULL");
			break;
		case IMPORT_STAGE:
			if (!align_type_is_string(base) && !IsInteger(base) && TypeCategory(base) != TYPCATEGORY_ENUM)
				RaiseWrongType(name, type, "text, an enum or an integer");
			/* FALLTHROUGH */
		default:
			if (given && !align_type_is_safe(base))
				RaiseWrongType(name, type, "text");
			if (given)
				appendStringInfo(sql, "q.%s::pg_catalog.text", name);
			else
				appendStringInfoString(sql, "NULL::pg_catalog.text");
			appendStringInfoString(sql, " COLLATE pg_catalog.\"C\"");
	}
}

/*
 * Returns a query for the rows in the order of the import.  Where neither time
 * nor ordinal decides, the contents do, so that the result does not depend on
 * the plan.
 */
static char *
WrapQuery(void *arg, const char *statement, TupleDesc desc)
{
	QueryState *state = (QueryState *) arg;
	const Attachment *attachment = state->attachment;
	int			nkeys = attachment->nkeys;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < nkeys; i++)
	{
		AppendKey(&sql, attachment, i, desc);
		appendStringInfoString(&sql, i < nkeys - 1 ? ", " : "");
	}
	CheckNames(attachment, desc);
	for (int i = 0; i < IMPORT_NCOLUMNS; i++)
	{
		int			column = FindColumn(desc, column_names[i]);

		state->rows->has[i] = column >= 0;
		if (column < 0 && (i == IMPORT_AT || i == IMPORT_STAGE))
			RaiseMissing(column_names[i]);
		AppendColumn(&sql, attachment, i, column >= 0,
					 column >= 0 ? TupleDescAttr(desc, column)->atttypid : InvalidOid);
	}

	/*
	 * A newline, as the query may end with a comment.  An absent ordinal
	 * comes first, as in align.lead_agg().
	 */
	appendStringInfo(&sql, " FROM (\n%s\n) AS q ORDER BY ", statement);
	for (int i = 1; i <= nkeys + IMPORT_NCOLUMNS; i++)
		appendStringInfo(&sql, "%s%d%s", i > 1 ? ", " : "", i,
						 i == nkeys + IMPORT_ORDINAL + 1 ? " NULLS FIRST" : "");
	state->statement = MemoryContextStrdup(state->context, statement);
	state->wrapped = MemoryContextStrdup(state->context, sql.data);
	return sql.data;
}

/*
 * Returns a query for the keys as text.
 */
static char *
WrapKeys(void *arg, const char *statement, TupleDesc desc)
{
	const KeySearch *search = (const KeySearch *) arg;
	StringInfoData sql;

	(void) desc;
	initStringInfo(&sql);
	for (int i = 0; i < search->attachment->nkeys; i++)
		appendStringInfo(&sql, "%s q.%s::pg_catalog.text", i == 0 ? "SELECT" : ",",
						 quote_identifier(KeyName(search->attachment, i)));
	appendStringInfo(&sql, " FROM (\n%s\n) AS q", statement);
	return sql.data;
}

/*
 * Error context callback: the key that cannot be converted.
 */
static void
DescribeKey(void *arg)
{
	KeySearch  *search = (KeySearch *) arg;
	StringInfoData names;
	StringInfoData values;

	initStringInfo(&names);
	initStringInfo(&values);
	for (int i = 0; i < search->attachment->nkeys; i++)
	{
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", search->attachment->keys[i].name);
		appendStringInfo(&values, "%s%s", i > 0 ? ", " : "",
						 search->text[i] != NULL ? search->text[i] : "null");
	}
	search->found = true;
	errdetail("The query returns a row of a lead (%s)=(%s).", names.data, values.data);
}

/*
 * Converts the key of a row, as the import does.
 */
static void
ConvertKey(void *arg, const Datum *row, const bool *nulls)
{
	KeySearch  *search = (KeySearch *) arg;
	ErrorContextCallback *inner = error_context_stack;
	ErrorContextCallback callback = {search->outer, DescribeKey, search};

	for (int i = 0; i < search->attachment->nkeys; i++)
		search->text[i] = nulls[i] ? NULL : TextDatumGetCString(row[i]);
	error_context_stack = &callback;
	for (int i = 0; i < search->attachment->nkeys; i++)
	{
		if (search->text[i] != NULL)
			(void) InputFunctionCall(&search->in[i], search->text[i], search->ioparam[i], -1);
	}
	error_context_stack = inner;
}

/*
 * Raises an error for the first key of the query that cannot be converted.
 * Returns if there is none, or the query itself fails.
 */
static void
RaiseBadKey(const Attachment *attachment, const char *query)
{
	MemoryContext context = CurrentMemoryContext;
	KeySearch	search = {.attachment = attachment,.outer = error_context_stack};

	for (int i = 0; i < attachment->nkeys; i++)
	{
		Oid			function;

		getTypeInputInfo(getBaseType(attachment->keys[i].type), &function, &search.ioparam[i]);
		fmgr_info(function, &search.in[i]);
	}
	PG_TRY();
	{
		align_run_user_query(query, WrapKeys, ConvertKey, &search);
	}
	PG_CATCH();
	{
		if (search.found)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();
}

/*
 * Returns the context of an error with the caller's query in place of the one
 * that was run.
 */
static char *
CallersContext(char *context, const QueryState *state)
{
	char	   *start = context != NULL && state->wrapped != NULL ?
		strstr(context, state->wrapped) : NULL;

	if (start == NULL)
		return context;
	return psprintf("%.*s%s%s", (int) (start - context), context, state->statement,
					start + strlen(state->wrapped));
}

/*
 * Returns the row type of the tuplestore.
 */
static TupleDesc
RowType(const Attachment *attachment)
{
	int			nkeys = attachment->nkeys;
	TupleDesc	desc = CreateTemplateTupleDesc(nkeys + IMPORT_NCOLUMNS);

	for (int i = 0; i < nkeys; i++)
		TupleDescInitEntry(desc, i + 1, attachment->keys[i].name,
						   getBaseType(attachment->keys[i].type), -1, 0);
	for (int i = 0; i < IMPORT_NCOLUMNS; i++)
		TupleDescInitEntry(desc, nkeys + i + 1, column_names[i],
						   i == IMPORT_AT ? TIMESTAMPTZOID : i == IMPORT_ORDINAL ? INT8OID :
						   i == IMPORT_AMOUNT ? NUMERICOID : TEXTOID, -1, 0);
	return desc;
}

/*
 * Runs the query, and fills in its rows.
 */
void
align_import_query(const Attachment *attachment, const char *query, ImportRows *rows)
{
	QueryState	state = {.attachment = attachment,.rows = rows,.context = CurrentMemoryContext};

	/* before the subtransaction, which would delete its temporary files */
	rows->rows = tuplestore_begin_heap(false, false, work_mem);
	rows->desc = RowType(attachment);
	PG_TRY();
	{
		align_run_user_query(query, WrapQuery, ReceiveRow, &state);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		/* all that the query did has been rolled back */
		MemoryContextSwitchTo(state.context);
		error = CopyErrorData();
		FlushErrorState();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_DATA_EXCEPTION &&
			state.wrapped != NULL)
			RaiseBadKey(attachment, query);
		error->context = CallersContext(error->context, &state);
		ReThrowError(error);
	}
	PG_END_TRY();
}
