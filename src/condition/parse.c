/*
 * parse.c
 *	  Parses the text of a condition into an expression that any user can
 *	  safely run.
 *
 * Every user who writes to a table runs the conditions of its agreement, and a
 * user who agrees on a version has them compiled for tables of other users.
 * So neither parsing nor evaluating a condition may run code supplied by
 * another user.  PostgreSQL's parser runs such code in one place only, the
 * input functions of literals.  Therefore the types that a literal can take
 * (those of the columns and of casts) are checked before the text is analyzed.
 * Afterwards check.c checks every node of the result.
 *
 * A condition has the same meaning in all sessions: names are looked up in
 * pg_catalog, and the settings that the input of literals depends on are fixed
 * while it is parsed.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
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

/* A message shows at most this many bytes of a condition. */
#define CONDITION_SHOWN 200

/*
 * Settings under which conditions are parsed.  pg_temp is listed to search it
 * last.  Dates must be written year first, and times without a zone are UTC.
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

/* The condition that is being parsed. */
typedef struct ConditionSource
{
	Relation	rel;
	const char *text;
	const char *what;			/* "condition of stage \"sql\"" */
	const ConditionKind *kind;
	Node	   *part;			/* raw parse tree of the part of the text that
								 * is the expression; NULL: all of it */
} ConditionSource;

/* What the walker over the raw parse tree needs. */
typedef struct RawContext
{
	ParseState *pstate;
	Relation	rel;
	const ConditionKind *kind;
	List	   *literals;		/* string constants seen, list of A_Const */
} RawContext;

/*
 * Returns the text of a condition, shortened for a message; palloc'd.
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
 * Error context callback: adds the condition to an error.  A cursor position
 * refers to the text of the condition, so it is turned into an internal one;
 * otherwise it would be shown in the text of the current command.
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
	if (source->rel != NULL)
		errcontext("%s for relation \"%s\": %s", source->what,
				   RelationGetRelationName(source->rel), align_condition_clip(source->text));
	else
		errcontext("%s: %s", source->what, align_condition_clip(source->text));
}

/*
 * Refuses a column whose type is not safe.
 */
static void
CheckColumnType(const RawContext *context, const char *column, int location)
{
	Relation	rel = context->rel;
	AttrNumber	attnum = get_attnum(RelationGetRelid(rel), column);
	Oid			type;

	if (attnum <= 0)
		return;					/* the parser will raise the error */
	type = TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid;
	if (align_type_is_safe(type))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("column \"%s\" of type %s cannot be used in %s",
					column, format_type_be(type), context->kind->noun),
			 errdetail("Input of values of this type can run functions that are not built in."),
			 parser_errposition(context->pstate, location)));
}

/*
 * Raises the error that an object is not built in.
 */
static void
RefuseNotBuiltIn(const RawContext *context, const char *object, const char *name, int location)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("%s %s is not allowed in %s", object, name, context->kind->noun),
			 errdetail("It is not built in."),
			 errhint("%s", context->kind->hint),
			 parser_errposition(context->pstate, location)));
}

/*
 * Refuses names qualified with another schema than pg_catalog.  They are not
 * looked up, because the name of a function can also be that of a type (the
 * call is a cast then), and because USAGE on the schema depends on the user.
 */
static void
CheckName(const RawContext *context, const char *object, List *names, int location)
{
	if (list_length(names) > 1 && strcmp(strVal(linitial(names)), "pg_catalog") != 0)
		RefuseNotBuiltIn(context, object, NameListToString(names), location);
}

/*
 * Refuses types that are not built in.
 */
static void
CheckTypeName(const RawContext *context, const TypeName *name)
{
	Oid			type;

	CheckName(context, "type", name->names, name->location);
	type = typenameTypeId(context->pstate, name);
	if (type >= FirstUnpinnedObjectId)
		RefuseNotBuiltIn(context, "type", format_type_be(type), name->location);
}

/*
 * Walker over the raw parse tree: refuses what must not reach parse analysis,
 * and collects string constants.
 */
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
			CheckTypeName(context, (TypeName *) node);
			break;
		case T_FuncCall:
			CheckName(context, "function", ((FuncCall *) node)->funcname,
					  ((FuncCall *) node)->location);
			break;
		case T_A_Expr:
			CheckName(context, "operator", ((A_Expr *) node)->name,
					  ((A_Expr *) node)->location);
			break;
		case T_CollateClause:
			CheckName(context, "collation", ((CollateClause *) node)->collname,
					  ((CollateClause *) node)->location);
			break;
		case T_ColumnRef:
			{
				ColumnRef  *column = (ColumnRef *) node;

				/* parse analysis of an expression does not expect a star */
				if (IsA(llast(column->fields), A_Star))
					ereport(ERROR,
							(errcode(ERRCODE_SYNTAX_ERROR),
							 errmsg("\"*\" is not allowed in %s", context->kind->noun),
							 parser_errposition(context->pstate, column->location)));
				if (list_length(column->fields) == 1)
					CheckColumnType(context, strVal(linitial(column->fields)), column->location);
				return false;	/* its fields are names */
			}
		case T_A_Const:
			if (!((A_Const *) node)->isnull && IsA(&((A_Const *) node)->val, String))
				context->literals = lappend(context->literals, node);
			return false;
		case T_SubLink:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("subqueries are not allowed in %s", context->kind->noun),
					 errhint("%s", context->kind->hint),
					 parser_errposition(context->pstate, ((SubLink *) node)->location)));
		default:
			break;
	}
	return raw_expression_tree_walker(node, CheckRawNode, arg);
}

/*
 * Returns the raw parse tree of the condition, which must be one expression.
 * The grammar for PL/pgSQL expressions accepts neither several statements nor
 * an unmatched parenthesis, but it accepts everything that can follow the
 * target list of a SELECT, which is refused here.
 */
static Node *
ParseText(const char *condition, const ConditionKind *kind)
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
				 kind == &align_value_expression ?
				 errmsg("argument must be the name of a column or a single expression") :
				 errmsg("condition must be a single expression"),
				 errhint("%s", kind->hint)));
	return target->val;
}

/*
 * Parses and checks a condition under the current settings.
 */
static Node *
ParseCondition(const ConditionSource *source)
{
	ParseState *pstate = make_parsestate(NULL);
	RawContext	raw = {pstate, source->rel, source->kind, NIL};
	ParseNamespaceItem *nsitem;
	Node	   *parsed;
	Node	   *result;

	pstate->p_sourcetext = source->text;

	/*
	 * Columns can be referred to by unqualified names only: a partition does
	 * not have the name of the table, and the whole row is not allowed.
	 */
	nsitem = addRangeTableEntryForRelation(pstate, source->rel, AccessShareLock, NULL, false, true);
	addNSItemToQuery(pstate, nsitem, true, false, true);

	parsed = source->part != NULL ? source->part : ParseText(source->text, source->kind);
	(void) CheckRawNode(parsed, &raw);
	result = transformExpr(pstate, parsed, EXPR_KIND_CHECK_CONSTRAINT);
	if (source->kind == &align_boolean_condition)
		result = coerce_to_boolean(pstate, result, "CONDITION");
	else if (exprType(result) == UNKNOWNOID)
		result = coerce_type(pstate, result, UNKNOWNOID, TEXTOID, -1, COERCION_IMPLICIT,
							 COERCE_IMPLICIT_CAST, -1);
	assign_expr_collations(pstate, result);
	align_condition_check(pstate, result, raw.literals, source->kind);
	free_parsestate(pstate);
	return result;
}

/*
 * Parses and checks a condition or an expression; raises if anything in it is
 * not allowed.
 */
static Node *
ParseSource(const ConditionSource *source)
{
	ErrorContextCallback context = {error_context_stack, ConditionErrorContext,
	unconstify(ConditionSource *, source)};
	int			nest_level;
	Node	   *result;

	error_context_stack = &context;
	/* after an error, the abort of the transaction restores the settings */
	nest_level = NewGUCNestLevel();
	for (size_t i = 0; i < lengthof(parse_settings); i++)
		(void) set_config_option(parse_settings[i].name, parse_settings[i].value, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = ParseCondition(source);
	AtEOXact_GUC(true, nest_level);
	error_context_stack = context.previous;
	return result;
}

/*
 * Parses and checks one condition over the columns of rel.
 */
Node *
align_condition_parse(Relation rel, const char *condition, const char *what)
{
	ConditionSource source = {rel, condition, what, &align_boolean_condition, NULL};

	return ParseSource(&source);
}

/*
 * Parses and checks one expression over the columns of rel.
 */
Node *
align_expression_parse(Relation rel, const char *expression, const char *what)
{
	ConditionSource source = {rel, expression, what, &align_value_expression, NULL};

	return ParseSource(&source);
}

/*
 * Parses and checks the label of a look-up.
 */
Node *
align_lookup_parse(Relation rel, const LookupText *lookup)
{
	ConditionSource source = {rel, lookup->text, lookup->what, &align_value_expression,
	lookup->label};

	return ParseSource(&source);
}

/*
 * True for a call of two plain arguments, of which the first is the name of a
 * column.
 */
static bool
IsLookup(const Node *node)
{
	const FuncCall *call = (const FuncCall *) node;
	ColumnRef  *key;

	if (!IsA(node, FuncCall) || list_length(call->args) != 2 || list_length(call->funcname) > 2 ||
		call->agg_order != NIL || call->agg_filter != NULL || call->over != NULL ||
		call->agg_within_group || call->agg_star || call->agg_distinct || call->func_variadic)
		return false;
	key = (ColumnRef *) linitial(call->args);
	return IsA(key, ColumnRef) && list_length(key->fields) == 1 && IsA(linitial(key->fields), String);
}

/*
 * Splits the text of a look-up, which reads like the call of a function.
 */
void
align_lookup_split(LookupText *lookup)
{
	ConditionSource source = {NULL, lookup->text, lookup->what, &align_value_expression, NULL};
	ErrorContextCallback context = {error_context_stack, ConditionErrorContext, &source};
	FuncCall   *call;

	error_context_stack = &context;
	call = (FuncCall *) ParseText(lookup->text, source.kind);
	if (!IsLookup((Node *) call))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("look-up must have the form table(key column, label)"),
				 errhint("For example: crm_stage(id, name ->> 'en_US').")));
	error_context_stack = context.previous;
	lookup->schema = list_length(call->funcname) == 2 ? strVal(linitial(call->funcname)) : NULL;
	lookup->table = strVal(llast(call->funcname));
	lookup->key = strVal(linitial(((ColumnRef *) linitial(call->args))->fields));
	lookup->label = (Node *) lsecond(call->args);
}

/*
 * Returns the name if a text is only the name of a column, else NULL.
 */
char *
align_expression_column(Relation rel, const char *expression, const char *what)
{
	ConditionSource source = {rel, expression, what, &align_value_expression, NULL};
	ErrorContextCallback context = {error_context_stack, ConditionErrorContext, &source};
	ColumnRef  *column;

	error_context_stack = &context;
	column = (ColumnRef *) ParseText(expression, source.kind);
	error_context_stack = context.previous;
	if (!IsA(column, ColumnRef) || list_length(column->fields) != 1 ||
		!IsA(linitial(column->fields), String))
		return NULL;
	return strVal(linitial(column->fields));
}
