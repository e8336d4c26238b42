/*
 * stored.c
 *	  Parses conditions of align's own triggers and policies into the
 *	  expressions that the catalogs store.
 */
#include "postgres.h"

#include "access/table.h"
#include "nodes/makefuncs.h"
#include "parser/parse_clause.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/rel.h"

#include "condition/condition.h"

/*
 * Makes the columns of a table known to the parser, under an alias if it is
 * not NULL.
 */
static void
AddTable(ParseState *pstate, Relation rel, const char *alias)
{
	Alias	   *name = alias != NULL ? makeAlias(alias, NIL) : NULL;
	ParseNamespaceItem *nsitem = addRangeTableEntryForRelation(pstate, rel, AccessShareLock, name,
															   false, false);

	addNSItemToQuery(pstate, nsitem, false, true, true);
}

/*
 * Parses a condition into the expression that would be stored.
 */
Node *
align_condition_stored(Oid relid, const char *condition, ParseExprKind kind)
{
	Relation	rel = table_open(relid, AccessShareLock);
	ParseState *pstate = make_parsestate(NULL);
	List	   *raw = raw_parser(condition, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = castNode(SelectStmt, linitial_node(RawStmt, raw)->stmt);
	Node	   *result;

	pstate->p_sourcetext = condition;
	if (kind == EXPR_KIND_TRIGGER_WHEN)
	{
		AddTable(pstate, rel, "old");
		AddTable(pstate, rel, "new");
	}
	else
		AddTable(pstate, rel, NULL);
	result = transformWhereClause(pstate, linitial_node(ResTarget, select->targetList)->val,
								  kind, ParseExprKindName(kind));
	assign_expr_collations(pstate, result);
	free_parsestate(pstate);
	table_close(rel, NoLock);
	return result;
}
