/*
 * condition.h
 *	  Conditions on a row, as agreements and align.attach(live => ...) have them:
 *	  parsing, checking and running them.
 *
 * Conditions are parsed by PostgreSQL's own parser under the rules of a CHECK
 * constraint, with search_path set to pg_catalog alone.  They may use the
 * columns of the row (no system columns, no whole row) and built-in immutable
 * functions, operators and casts; nothing else.  They are run by the executor.
 */
#ifndef ALIGN_CONDITION_H
#define ALIGN_CONDITION_H

#include "compat.h"

#include "access/htup.h"
#include "executor/executor.h"
#include "parser/parse_node.h"
#include "utils/rel.h"

#define CONDITION_HINT \
	"A condition may use the columns of the row, and immutable functions, operators and casts that are built in."

/*
 * Parses and checks one condition over the columns of rel: an expression tree
 * over varno 1, of type boolean, not yet planned.  what names it in messages:
 * "condition of stage \"sql\"", "live".  Raises for all that is not allowed.
 */
extern Node *align_condition_parse(Relation rel, const char *condition, const char *what);

/* Is a parsed condition true of the row?  (For live.)  Compiled by the caller
 * with align_condition_compile into a long-lived context. */
typedef struct RowCondition RowCondition;
extern RowCondition *align_condition_compile(Relation rel, Node *condition, MemoryContext context);
extern bool align_condition_true(RowCondition *condition, HeapTuple row);

extern char *align_condition_clip(const char *text);

/* Can values of the type be read from text without running what somebody else
 * supplied? */
extern bool align_type_is_harmless(Oid type);

/* Raises unless everything in a parsed condition is harmless and immutable.
 * literals: the strings in its text, as A_Const. */
extern void align_condition_check(ParseState *pstate, Node *condition, List *literals);

/*
 * Where rows are put to run conditions on them; shared by all conditions of one
 * relation.  What a condition returns lives until the next row is put.
 */
typedef struct RowFrame
{
	ExprContext *econtext;
	TupleTableSlot *slot;
} RowFrame;

extern RowFrame *align_row_frame(Relation rel, MemoryContext context);
extern void align_row_frame_put(RowFrame *frame, HeapTuple row);

/* context_line is what errors say of the condition, NULL nothing; it must live
 * as long as the condition. */
extern RowCondition *align_condition_compile_in(RowFrame *frame, Relation rel, Node *condition,
												const char *context_line, MemoryContext context);

/* What the expression is for the row that was put. */
extern Datum align_condition_value(RowCondition *condition, bool *isnull);

#endif							/* ALIGN_CONDITION_H */
