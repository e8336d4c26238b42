/*
 * dimension.c
 *	  Dimensions of reports: columns of the attached table, and expressions
 *	  over its columns, by which figures are cut.
 *
 * An expression must be immutable and use built-in functions only, as those of
 * attach() must.  Its value becomes one of the types that reports have.
 */
#include "postgres.h"

#include <ctype.h>

#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "parser/parser.h"
#include "parser/scansup.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "condition/condition.h"
#include "report/body.h"

/*
 * Raises that a text is not a dimension.
 */
static void
pg_attribute_noreturn()
NotADimension(const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("\"%s\" is not a dimension", text),
			 errhint("A dimension is a column of the table, or an expression and a name: \"lower(country) AS country\".")));
}

/*
 * True if a character can be part of a name that is not in quotes.
 */
static bool
IsNameCharacter(char c)
{
	return isalnum((unsigned char) c) || c == '_' || c == '$' || IS_HIGHBIT_SET(c);
}

/*
 * Returns the name that follows AS at the end of a dimension, and cuts it off
 * the text; NULL if there is none.  The text is a valid select list.
 */
static char *
CutName(char *text)
{
	List	   *parsed = raw_parser(psprintf("SELECT %s", text), RAW_PARSE_DEFAULT);
	SelectStmt *select;
	ResTarget  *column;
	char	   *end = text + strlen(text);

	if (list_length(parsed) != 1)
		NotADimension(text);
	select = (SelectStmt *) linitial_node(RawStmt, parsed)->stmt;
	if (!IsA(select, SelectStmt) || list_length(select->targetList) != 1 ||
		select->fromClause != NIL || select->whereClause != NULL || select->op != SETOP_NONE ||
		select->sortClause != NIL || select->groupClause != NIL || select->limitCount != NULL ||
		select->limitOffset != NULL || select->lockingClause != NIL || select->withClause != NULL ||
		select->havingClause != NULL || select->windowClause != NIL || select->intoClause != NULL ||
		select->distinctClause != NIL)
		NotADimension(text);
	column = linitial_node(ResTarget, select->targetList);
	if (column->name == NULL)
		return NULL;

	/* the name is the last token, and AS stands before it */
	while (end > text && scanner_isspace(end[-1]))
		end--;
	if (end > text && end[-1] == '"')
	{
		do
		{
			end--;
			while (end > text && end[-1] != '"')
				end--;
			if (end > text)
				end--;
		} while (end > text && end[-1] == '"');
	}
	else
	{
		while (end > text && !scanner_isspace(end[-1]) && end[-1] != ')' && end[-1] != '"')
			end--;
	}
	while (end > text && scanner_isspace(end[-1]))
		end--;
	if (end - text < 3 || pg_strncasecmp(end - 2, "as", 2) != 0 || IsNameCharacter(end[-3]))
		NotADimension(text);
	end[-2] = '\0';
	return column->name;
}

/*
 * Appends an expression, converted to a type of reports.  Texts that are null
 * are shown as such, so that every lead is in a group with a name.
 */
static void
AppendConverted(StringInfo sql, const char *expression, Oid type, const char *text)
{
	Oid			base = getBaseType(type);

	switch (base)
	{
		case BOOLOID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT8OID:
		case DATEOID:
		case TIMESTAMPTZOID:
			appendStringInfo(sql, "(%s)::%s", expression, format_type_be_qualified(base));
			return;
		case INT2OID:
			appendStringInfo(sql, "(%s)::pg_catalog.int4", expression);
			return;
		case FLOAT4OID:
			appendStringInfo(sql, "(%s)::pg_catalog.float8", expression);
			return;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case UUIDOID:
		case UNKNOWNOID:
			break;
		default:
			if (get_typtype(base) == TYPTYPE_ENUM)
				break;
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("dimension \"%s\" has type %s", text, format_type_be(type)),
					 errdetail("Columns of reports are text, numbers, booleans, dates and timestamps with time zone."),
					 errhint("Convert it in an expression.")));
	}
	appendStringInfo(sql, "COALESCE(NULLIF((%s)::pg_catalog.text, ''), '(none)')", expression);
}

/*
 * Checks that the name of a dimension is free.
 */
static void
CheckName(const ReportDimension *dimension, List *others, const ReportTarget *target)
{
	const Attachment *attachment = target->attachment;
	ListCell   *lc;

	if (align_report_has_column(dimension->name))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("dimension \"%s\" has the name of a column of the reports", dimension->name),
				 errhint("Give it another name: \"%s AS %s\".", dimension->given,
						 quote_identifier(psprintf("lead_%s", dimension->name)))));
	for (int i = 0; i < attachment->nkeys; i++)
	{
		if (strcmp(get_attname(attachment->marker.root, attachment->marker.key[i], false),
				   dimension->name) == 0 ||
			strcmp(target->key_names[i], quote_identifier(dimension->name)) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("dimension \"%s\" is a key column", dimension->name),
					 errdetail("The facts have the key columns.")));
	}
	foreach(lc, others)
	{
		if (strcmp(((const ReportDimension *) lfirst(lc))->name, dimension->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("dimension \"%s\" is given twice", dimension->name)));
	}
}

/*
 * Reads one dimension.
 */
static ReportDimension *
ReadDimension(Relation rel, const char *text)
{
	ReportDimension *dimension = palloc0(sizeof(ReportDimension));
	char	   *expression = pstrdup(text);
	const char *what = psprintf("dimension \"%s\"", text);
	StringInfoData sql;
	Node	   *node;

	dimension->text = text;
	dimension->name = CutName(expression);
	for (int length = strlen(expression); length > 0 && scanner_isspace(expression[length - 1]); length--)
		expression[length - 1] = '\0';
	dimension->given = expression;
	node = align_expression_parse(rel, expression, what);
	if (dimension->name == NULL)
		dimension->name = align_expression_column(rel, expression, what);
	if (dimension->name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("dimension \"%s\" has no name", text),
				 errhint("Add AS and a name.")));
	initStringInfo(&sql);
	AppendConverted(&sql,
					deparse_expression(node,
									   deparse_context_for("r", RelationGetRelid(rel)), true, false),
					exprType(node), text);
	dimension->expression = sql.data;
	pull_varattnos(align_expand_virtual_columns(node, rel), 1, &dimension->columns);
	return dimension;
}

List *
align_report_dimensions(ArrayType *texts, const ReportTarget *target)
{
	Relation	rel;
	List	   *result = NIL;
	Datum	   *values;
	bool	   *nulls;
	int			nvalues;

	deconstruct_array(texts, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &nvalues);
	rel = table_open(target->attachment->marker.root, NoLock);
	for (int i = 0; i < nvalues; i++)
	{
		ReportDimension *dimension;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("dimensions must not contain nulls")));
		dimension = ReadDimension(rel, TextDatumGetCString(values[i]));
		CheckName(dimension, result, target);
		result = lappend(result, dimension);
	}
	table_close(rel, NoLock);
	return result;
}
