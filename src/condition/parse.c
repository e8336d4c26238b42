/*
 * parse.c
 *	  From the text of a condition to an expression that may be run for anyone.
 *
 * Whoever writes the table runs the conditions of its agreement, and whoever
 * agrees a version has them compiled for other people's tables.  So neither
 * parsing nor running a condition may reach code that somebody else supplied.
 * PostgreSQL's parser runs such code in one place, the input functions of
 * literals; therefore the types that a literal can take (those of the columns
 * and of casts) are looked at before it gets to see the text.  What it made of it
 * is then checked by check.c, node by node.
 *
 * Nor does a condition mean different things to different sessions: names are
 * looked up in pg_catalog, and the settings that literals depend on are the same
 * for all while it is parsed.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "condition/condition.h"

/* Bytes of a condition that a message shows; 8 kB of it help nobody. */
#define CONDITION_SHOWN 200

/*
 * Settings under which conditions are parsed.  pg_temp is named so that it comes
 * last; dates are to be written year first, and times without a zone are UTC.
 */
static const struct
{
	const char *name;
	const char *value;
}			parse_settings[] =

{
	{"search_path", "pg_catalog, pg_temp"},
	{"standard_conforming_strings", "on"},
	{"transform_null_equals", "off"},
	{"array_nulls", "on"},
	{"DateStyle", "ISO, YMD"},
	{"IntervalStyle", "postgres"},
	{"TimeZone", "UTC"},
	{"lc_monetary", "C"},
};

typedef struct ConditionSource
{
	Relation	rel;
	const char *text;
	const char *what;			/* "condition of stage \"sql\"" */
} ConditionSource;

/*
 * A condition as one line of a message shows it.
 */
char *
align_condition_clip(const char *text)
{
	int			len = strlen(text);

	if (len <= CONDITION_SHOWN)
		return pstrdup(text);
	return psprintf("%.*s...", pg_mbcliplen(text, len, CONDITION_SHOWN), text);
}

/*
 * Says which condition an error is about, and makes a position in the text of
 * the condition one that is shown with that text, rather than in the command
 * that happens to be running.
 */
static void
ConditionErrorContext(void *arg)
{
	const ConditionSource *source = (const ConditionSource *) arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(source->text);
	}
	errcontext("%s for relation \"%s\": %s", source->what, RelationGetRelationName(source->rel),
			   align_condition_clip(source->text));
}

static void
CheckColumnType(Relation rel, const char *column, int location, ParseState *pstate)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(rel), column);
	Oid			type;

	if (attnum <= 0)
		return;					/* the parser knows what to say */
	type = TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid;
	if (align_type_is_harmless(type))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("column \"%s\" of type %s cannot be used in a condition",
					column, format_type_be(type)),
			 errdetail("Values of this type may run functions that are not built in."),
			 parser_errposition(pstate, location)));
}

static void
RefuseForeign(ParseState *pstate, const char *kind, const char *name, int location)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("%s %s is not allowed in a condition", kind, name),
			 errdetail("It is not built in."),
			 errhint("%s", CONDITION_HINT),
			 parser_errposition(pstate, location)));
}

/*
 * Names in other schemas are refused as such: the name of a function may be that
 * of a type, too, and whether a schema may be used at all depends on who asks.
 */
static void
CheckName(ParseState *pstate, const char *kind, List *names, int location)
{
	if (list_length(names) > 1 && strcmp(strVal(linitial(names)), "pg_catalog") != 0)
		RefuseForeign(pstate, kind, NameListToString(names), location);
}

static void
CheckTypeName(ParseState *pstate, const TypeName *name)
{
	Oid			type;

	CheckName(pstate, "type", name->names, name->location);
	type = typenameTypeId(pstate, name);
	if (type >= FirstUnpinnedObjectId)
		RefuseForeign(pstate, "type", format_type_be(type), name->location);
}

typedef struct RawContext
{
	ParseState *pstate;
	Relation	rel;
	List	   *literals;		/* of A_Const: strings */
} RawContext;

static bool
CheckRawNode(Node *node, void *arg)
{
	RawContext *context = (RawContext *) arg;

	if (node == NULL)
		return false;
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_TypeName:
			CheckTypeName(context->pstate, (TypeName *) node);
			break;
		case T_FuncCall:
			CheckName(context->pstate, "function", ((FuncCall *) node)->funcname,
					  ((FuncCall *) node)->location);
			break;
		case T_A_Expr:
			CheckName(context->pstate, "operator", ((A_Expr *) node)->name,
					  ((A_Expr *) node)->location);
			break;
		case T_CollateClause:
			CheckName(context->pstate, "collation", ((CollateClause *) node)->collname,
					  ((CollateClause *) node)->location);
			break;
		case T_ColumnRef:
			{
				ColumnRef  *column = (ColumnRef *) node;

				/* the parser does not expect one here */
				if (IsA(llast(column->fields), A_Star))
					ereport(ERROR,
							(errcode(ERRCODE_SYNTAX_ERROR),
							 errmsg("\"*\" is not allowed in a condition"),
							 parser_errposition(context->pstate, column->location)));
				if (list_length(column->fields) == 1)
					CheckColumnType(context->rel, strVal(linitial(column->fields)),
									column->location, context->pstate);
				return false;	/* its fields are names */
			}
		case T_A_Const:
			if (!((A_Const *) node)->isnull && IsA(&((A_Const *) node)->val, String))
				context->literals = lappend(context->literals, node);
			return false;
		case T_SubLink:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("subqueries are not allowed in a condition"),
					 errhint("%s", CONDITION_HINT),
					 parser_errposition(context->pstate, ((SubLink *) node)->location)));
		default:
			break;
	}
	return raw_expression_tree_walker(node, CheckRawNode, arg);
}

/*
 * The one expression in the text; nothing may stand beside it.  The grammar for
 * PL/pgSQL's expressions takes neither several statements nor a parenthesis too
 * many, but it takes what may follow the target list of a SELECT.
 */
static Node *
ParseText(const char *condition)
{
	List	   *raw = raw_parser(condition, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = castNode(SelectStmt, linitial_node(RawStmt, raw)->stmt);
	ResTarget  *target;

	Assert(list_length(raw) == 1);
	if (list_length(select->targetList) != 1 ||
		select->distinctClause != NIL || select->intoClause != NULL ||
		select->fromClause != NIL || select->whereClause != NULL ||
		select->groupClause != NIL || select->havingClause != NULL ||
		select->windowClause != NIL || select->valuesLists != NIL ||
		select->sortClause != NIL || select->limitOffset != NULL ||
		select->limitCount != NULL || select->lockingClause != NIL ||
		select->withClause != NULL || select->op != SETOP_NONE)
		target = NULL;
	else
		target = linitial_node(ResTarget, select->targetList);
	if (target == NULL || target->name != NULL || target->indirection != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a condition must be one expression and nothing else"),
				 errhint("%s", CONDITION_HINT)));
	return target->val;
}

static Node *
ParseCondition(const ConditionSource *source)
{
	ParseState *pstate = make_parsestate(NULL);
	RawContext	raw = {pstate, source->rel, NIL};
	ParseNamespaceItem *nsitem;
	Node	   *parsed;
	Node	   *result;

	pstate->p_sourcetext = source->text;

	/*
	 * Columns by their bare names only: a partition is not called like the
	 * table, and there is no whole row to refer to.
	 */
	nsitem = addRangeTableEntryForRelation(pstate, source->rel, AccessShareLock, NULL, false, true);
	addNSItemToQuery(pstate, nsitem, true, false, true);

	parsed = ParseText(source->text);
	(void) CheckRawNode(parsed, &raw);
	result = transformExpr(pstate, parsed, EXPR_KIND_CHECK_CONSTRAINT);
	result = coerce_to_boolean(pstate, result, "CONDITION");
	assign_expr_collations(pstate, result);
	align_condition_check(pstate, result, raw.literals);
	free_parsestate(pstate);
	return result;
}

Node *
align_condition_parse(Relation rel, const char *condition, const char *what)
{
	ConditionSource source = {rel, condition, what};
	ErrorContextCallback context = {error_context_stack, ConditionErrorContext, &source};
	int			nest_level;
	Node	   *result;

	error_context_stack = &context;
	/* should an error get in between, the abort restores the settings */
	nest_level = NewGUCNestLevel();
	for (size_t i = 0; i < lengthof(parse_settings); i++)
		(void) set_config_option(parse_settings[i].name, parse_settings[i].value, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = ParseCondition(&source);
	AtEOXact_GUC(true, nest_level);
	error_context_stack = context.previous;
	return result;
}
