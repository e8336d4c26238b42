/*
 * condition.h
 *	  What the files behind needs.h share: parsing, checking and running the
 *	  conditions of an agreement.
 */
#ifndef ALIGN_CONDITION_H
#define ALIGN_CONDITION_H

#include "enforce/needs.h"
#include "executor/executor.h"
#include "parser/parse_node.h"

#define CONDITION_HINT \
	"A condition may use the columns of the row, and immutable functions, operators and casts that are built in."

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
