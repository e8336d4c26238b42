/*
 * check.c
 *	  May this expression be run for anyone, and does it depend on the row alone?
 *
 * The nodes that are allowed are listed; whatever a later release of PostgreSQL
 * adds is refused until somebody has looked at it.  Every function, however it
 * is called (by name, as an operator, a cast, a type's input or output, the
 * comparison of a type), must be built in and immutable.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/typcache.h"

#include "condition/condition.h"

/*
 * Can values of this type be read from text without running functions that
 * somebody else supplied?  Containers of domains cannot: the input of their
 * elements runs the domain's checks.  (A literal that meets a domain itself is
 * read as the domain's base type.)  Range types may bring a canonical function
 * and an ordering of their own.  Base types are made by superusers.
 */
static bool
TypeIsHarmless(Oid type, bool inside)
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
			return !inside && TypeIsHarmless(getBaseType(type), false);
		case TYPTYPE_BASE:
			element = get_element_type(type);
			return !OidIsValid(element) || TypeIsHarmless(element, true);
		case TYPTYPE_COMPOSITE:
			{
				TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);

				for (int i = 0; i < desc->natts; i++)
				{
					Form_pg_attribute attribute = TupleDescAttr(desc, i);

					if (!attribute->attisdropped && !TypeIsHarmless(attribute->atttypid, true))
						return false;
				}
				return true;
			}
		default:
			return false;
	}
}

bool
align_type_is_harmless(Oid type)
{
	return TypeIsHarmless(type, false);
}

typedef struct CheckContext
{
	ParseState *pstate;
	List	   *literals;		/* of A_Const */
	Node	   *node;			/* that is being looked at */
} CheckContext;

static void
Refuse(const CheckContext *context, const Node *node, char *what, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("%s is not allowed in a condition", what),
			 errdetail("%s", why),
			 errhint("%s", CONDITION_HINT),
			 parser_errposition(context->pstate, exprLocation(node))));
}

/*
 * For check_functions_in_node, which stops at the first true.
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

static void
CheckComparison(CheckContext *context, Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_CMP_PROC);

	if (OidIsValid(entry->cmp_proc))
		(void) CheckFunction(entry->cmp_proc, context);
}

/*
 * The string in the text that a constant was read from, NULL if none.
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
 * Does it contain one of the words that dates and times read as the present?
 */
static bool
NamesThePresent(const char *literal)
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

static bool
NamesAnObject(Oid type)
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
 * The parser's input went through this already; an expression that was stored
 * may be shown as text and parsed again.
 */
static void
CheckType(const CheckContext *context, const Node *node, Oid type)
{
	if (!align_type_is_harmless(type))
		Refuse(context, node, psprintf("a value of type %s", format_type_be(type)),
			   "Values of this type may run functions that are not built in.");
}

/*
 * A constant was read when the condition was parsed, which happens in every
 * session anew: it must come out the same.  The settings are taken care of.
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
	if (NamesAnObject(constant->consttype) &&
		DatumGetObjectId(constant->constvalue) >= FirstNormalObjectId)
		Refuse(context, (const Node *) constant,
			   psprintf("constant of type %s", format_type_be(constant->consttype)),
			   "It names an object that is not built in.");
	literal = LiteralAt(context, constant->location);
	if (literal == NULL || !NamesThePresent(literal) || type_is_enum(constant->consttype))
		return;
	getTypeInputInfo(constant->consttype, &input, &io_param);
	if (func_volatile(input) != PROVOLATILE_IMMUTABLE)
		Refuse(context, (const Node *) constant,
			   psprintf("\"%s\" as %s", literal, format_type_be(constant->consttype)),
			   "It is not immutable: its value depends on when the condition is read.");
}

static bool
CheckNode(Node *node, void *arg)
{
	CheckContext *context = (CheckContext *) arg;

	if (node == NULL)
		return false;
	context->node = node;
	switch (nodeTag(node))
	{
		case T_Var:
			if (((Var *) node)->varattno == 0)
				Refuse(context, node, pstrdup("the whole row"),
					   "A condition refers to columns by their names.");
			if (((Var *) node)->varattno < 0)
				Refuse(context, node, pstrdup("a system column"),
					   "It is no part of what the row says.");
			CheckType(context, node, ((Var *) node)->vartype);
			return false;
		case T_Const:
			CheckConst(context, (Const *) node);
			return false;
		case T_CaseTestExpr:
			return false;

			/* functions by whatever name: looked at below */
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_CoerceViaIO:
		case T_RowCompareExpr:
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
				   "Its checks may run functions that are not built in.");
			break;
		case T_SQLValueFunction:
			Refuse(context, node, pstrdup("a function of the session or the time"),
				   "It is not immutable: its result may change though the row does not.");
			break;

			/* no functions of their own */
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
				   "It is none of those that are known to depend on the row alone.");
	}
	(void) check_functions_in_node(node, CheckFunction, context);
	return expression_tree_walker(node, CheckNode, arg);
}

void
align_condition_check(ParseState *pstate, Node *condition, List *literals)
{
	CheckContext context = {pstate, literals, condition};

	(void) CheckNode(condition, &context);
}
