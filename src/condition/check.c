/*
 * check.c
 *	  Checks that any user can safely run an expression, and that its value
 *	  depends only on the row.
 *
 * The allowed node types are listed here, so node types that a later release
 * of PostgreSQL adds are refused until they are reviewed.  Every function must
 * be built in and immutable, however it is called: by name, or as an operator,
 * a cast, the input, output or comparison function of a type.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/typcache.h"

#include "condition/condition.h"

/*
 * Returns true if the input of a type cannot run functions supplied by another
 * user.  inside is true for the element or column types of a container.
 *
 * Containers of domains are not safe: the input of their elements runs the
 * checks of the domain.  A domain itself is, since the parser reads a literal
 * as the domain's base type.  Range types are not safe, because they can have
 * a canonical function and an operator class of their own.  Only superusers
 * can create base types.
 */
static bool
TypeIsSafe(Oid type, bool inside)
{
	Oid			element;

	check_stack_depth();
	if (type < FirstUnpinnedObjectId)
		return true;
	switch (get_typtype(type))
	{
		case TYPTYPE_ENUM:
			return true;
		case TYPTYPE_DOMAIN:
			return !inside && TypeIsSafe(getBaseType(type), false);
		case TYPTYPE_BASE:
			element = get_element_type(type);
			return !OidIsValid(element) || TypeIsSafe(element, true);
		case TYPTYPE_COMPOSITE:
			{
				TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);

				for (int i = 0; i < desc->natts; i++)
				{
					Form_pg_attribute attribute = TupleDescAttr(desc, i);

					if (!attribute->attisdropped && !TypeIsSafe(attribute->atttypid, true))
						return false;
				}
				return true;
			}
		default:
			return false;
	}
}

/*
 * Returns true if the input of a type cannot run functions supplied by another
 * user.
 */
bool
align_type_is_safe(Oid type)
{
	return TypeIsSafe(type, false);
}

/*
 * Returns true for character types, and for literals without a type.
 */
bool
align_type_is_string(Oid type)
{
	return TypeCategory(type) == TYPCATEGORY_STRING || type == UNKNOWNOID;
}

const ConditionKind align_boolean_condition = {
	"condition",
	"a condition",
	"A condition can use only the columns of the row and built-in immutable functions, operators, and casts.",
};
const ConditionKind align_value_expression = {
	"expression",
	"an expression",
	"An expression can use only the columns of the row and built-in immutable functions, operators, and casts.",
};

typedef struct CheckContext
{
	ParseState *pstate;
	List	   *literals;		/* list of A_Const */
	Node	   *node;			/* current node */
	const ConditionKind *kind;
	bool	   *refused;		/* set instead of raising an error, if given */
} CheckContext;

/*
 * Raises the error that an element of the condition, called what, is not
 * allowed, unless the result is given otherwise.
 */
static void
Refuse(const CheckContext *context, const Node *node, char *what, const char *why)
{
	if (context->refused != NULL)
	{
		*context->refused = true;
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("%s is not allowed in %s", what, context->kind->noun),
			 errdetail("%s", why),
			 errhint("%s", context->kind->hint),
			 parser_errposition(context->pstate, exprLocation(node))));
}

/*
 * Callback of check_functions_in_node(): refuses functions that are not built
 * in or not immutable.  Returns false, since true would end the search.
 */
static bool
CheckFunction(Oid function, void *arg)
{
	CheckContext *context = (CheckContext *) arg;

	if (function >= FirstUnpinnedObjectId)
		Refuse(context, context->node, psprintf("function %s", format_procedure(function)),
			   "It is not built in.");
	if (func_volatile(function) != PROVOLATILE_IMMUTABLE)
		Refuse(context, context->node, psprintf("function %s", format_procedure(function)),
			   "It is not immutable: its result may change though the row does not.");
	return false;
}

/*
 * Checks the default comparison function of a type, which GREATEST and LEAST
 * call.
 */
static void
CheckComparison(CheckContext *context, Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_CMP_PROC);

	if (OidIsValid(entry->cmp_proc))
		(void) CheckFunction(entry->cmp_proc, context);
}

/*
 * Returns the string literal at a location of the text, or NULL if there is
 * none.
 */
static const char *
LiteralAt(const CheckContext *context, int location)
{
	ListCell   *cell;

	foreach(cell, context->literals)
	{
		A_Const    *literal = lfirst_node(A_Const, cell);

		if (location >= 0 && literal->location == location)
			return strVal(&literal->val);
	}
	return NULL;
}

/*
 * Returns true if a literal contains a word that date and time input reads as
 * relative to the current time.
 */
static bool
ContainsCurrentTime(const char *literal)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};

	for (const char *start = literal; *start != '\0';)
	{
		const char *end = start;

		while (isalnum((unsigned char) *end) || IS_HIGHBIT_SET(*end) || *end == '_')
			end++;
		for (size_t i = 0; i < lengthof(words); i++)
		{
			if ((size_t) (end - start) == strlen(words[i]) &&
				pg_strncasecmp(start, words[i], end - start) == 0)
				return true;
		}
		start = *end == '\0' || end > start ? end : start + 1;
	}
	return false;
}

/*
 * Returns true for the types whose values are OIDs of named objects.
 */
static bool
IsObjectIdentifierType(Oid type)
{
	switch (type)
	{
		case REGCLASSOID:
		case REGCOLLATIONOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
		case REGNAMESPACEOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGROLEOID:
		case REGTYPEOID:
			return true;
		default:
			return false;
	}
}

/*
 * Refuses values of types that are not safe.  For a condition that was just
 * parsed this repeats the check of its text.  A stored expression was not
 * checked before, and its text may be printed and parsed again.
 */
static void
CheckType(const CheckContext *context, const Node *node, Oid type)
{
	if (!align_type_is_safe(type))
		Refuse(context, node, psprintf("a value of type %s", format_type_be(type)),
			   "Input of values of this type can run functions that are not built in.");
}

/*
 * Checks that a constant has the same value in all sessions.  Each session
 * parses the condition for itself and thus runs the input function of the
 * constant's type.  The settings that input depends on are the same for all
 * (see parse.c); what can differ are names of objects and the current time.
 */
static void
CheckConst(const CheckContext *context, const Const *constant)
{
	const char *literal;
	Oid			input;
	Oid			io_param;

	CheckType(context, (const Node *) constant, constant->consttype);
	if (constant->constisnull)
		return;
	if (IsObjectIdentifierType(constant->consttype) &&
		DatumGetObjectId(constant->constvalue) >= FirstNormalObjectId)
		Refuse(context, (const Node *) constant,
			   psprintf("constant of type %s", format_type_be(constant->consttype)),
			   "It names an object that is not built in.");
	literal = LiteralAt(context, constant->location);
	/* enum input is not immutable, but does not depend on the time */
	if (literal == NULL || !ContainsCurrentTime(literal) || type_is_enum(constant->consttype))
		return;
	getTypeInputInfo(constant->consttype, &input, &io_param);
	if (func_volatile(input) != PROVOLATILE_IMMUTABLE)
		Refuse(context, (const Node *) constant,
			   psprintf("\"%s\" as %s", literal, format_type_be(constant->consttype)),
			   psprintf("It is not immutable: its value depends on when the %s is read.",
						context->kind->name));
}

/*
 * Returns true for a cast of an enum to a character type, which expressions
 * may use.  The output function of enums is not immutable, because labels can
 * be renamed, but depends neither on the session nor on the time.
 */
static bool
IsEnumToText(const CoerceViaIO *coerce)
{
	return type_is_enum(getBaseType(exprType((Node *) coerce->arg))) &&
		(coerce->resulttype == TEXTOID || coerce->resulttype == VARCHAROID);
}

/*
 * Returns true for types whose output functions PostgreSQL calls immutable,
 * although their text depends on extra_float_digits or bytea_output.
 */
static bool
TextDependsOnSettings(Oid type)
{
	switch (getBaseType(type))
	{
		case FLOAT4OID:
		case FLOAT8OID:
		case BYTEAOID:
		case POINTOID:
		case LSEGOID:
		case PATHOID:
		case BOXOID:
		case POLYGONOID:
		case LINEOID:
		case CIRCLEOID:
			return true;
		default:
			return false;
	}
}

/*
 * Refuses what PostgreSQL calls immutable, but settings of the session change:
 * a session could choose what is judged and recorded.  Stored conditions of
 * earlier versions, which have no text, pass.
 */
static void
CheckSettings(const CheckContext *context, Node *node)
{
	if (context->pstate == NULL)
		return;
	if (IsA(node, CoerceViaIO) &&
		TextDependsOnSettings(exprType((Node *) ((CoerceViaIO *) node)->arg)))
		Refuse(context, node,
			   psprintf("a cast of %s to text",
						format_type_be(exprType((Node *) ((CoerceViaIO *) node)->arg))),
			   "The text depends on settings of the session.");
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == F_QUOTE_IDENT)
		Refuse(context, node, pstrdup("function quote_ident(text)"),
			   "Its result depends on settings of the session.");
}

/*
 * Walker that refuses every node that is not allowed.
 */
static bool
CheckNode(Node *node, void *arg)
{
	CheckContext *context = (CheckContext *) arg;

	if (node == NULL)
		return false;
	context->node = node;
	CheckSettings(context, node);
	switch (nodeTag(node))
	{
		case T_Var:
			if (((Var *) node)->varattno == 0)
				Refuse(context, node, pstrdup("the whole row"),
					   "Columns must be referred to by name.");
			if (((Var *) node)->varattno < 0)
				Refuse(context, node, pstrdup("a system column"),
					   "System columns are not part of the row's data.");
			CheckType(context, node, ((Var *) node)->vartype);
			return false;
		case T_Const:
			CheckConst(context, (Const *) node);
			return false;
		case T_CaseTestExpr:
			return false;

			/* nodes that call functions, which are checked below */
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_RowCompareExpr:
			break;

		case T_CoerceViaIO:
			if (context->kind == &align_value_expression && IsEnumToText((CoerceViaIO *) node))
				return expression_tree_walker(node, CheckNode, arg);
			break;

		case T_MinMaxExpr:
			CheckComparison(context, ((MinMaxExpr *) node)->minmaxtype);
			break;
		case T_SubscriptingRef:
			{
				RegProcedure handler = get_typsubscript(((SubscriptingRef *) node)->refcontainertype, NULL);

				if (handler >= FirstUnpinnedObjectId)
					(void) CheckFunction(handler, context);
				break;
			}

		case T_CoerceToDomain:
			Refuse(context, node,
				   psprintf("cast to domain %s",
							format_type_be(((CoerceToDomain *) node)->resulttype)),
				   "Its checks can run functions that are not built in.");
			break;
		case T_SQLValueFunction:
			Refuse(context, node, pstrdup("a function of the session or the time"),
				   "It is not immutable: its result may change though the row does not.");
			break;

			/* nodes that call no functions themselves */
		case T_List:
		case T_NamedArgExpr:
		case T_BoolExpr:
		case T_RelabelType:
		case T_ArrayCoerceExpr:
		case T_CollateExpr:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_ArrayExpr:
		case T_RowExpr:
		case T_CoalesceExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_FieldSelect:
			break;

		default:
			Refuse(context, node, pstrdup("an expression of this kind"),
				   "It is not known to depend only on the row.");
	}
	(void) check_functions_in_node(node, CheckFunction, context);
	return expression_tree_walker(node, CheckNode, arg);
}

/*
 * Raises unless every node of a parsed condition is safe and immutable.
 */
void
align_condition_check(ParseState *pstate, Node *condition, List *literals,
					  const ConditionKind *kind)
{
	CheckContext context = {pstate, literals, condition, kind, NULL};

	(void) CheckNode(condition, &context);
}

/*
 * Returns true if every node of a stored expression is safe and immutable.
 */
bool
align_expression_is_safe(Node *expression)
{
	bool		refused = false;
	CheckContext context = {NULL, NIL, expression, &align_value_expression, &refused};

	(void) CheckNode(expression, &context);
	return !refused;
}
