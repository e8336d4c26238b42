/*
 * condition.h
 *	  Conditions on a row, from agreements and from align.attach(live => ...),
 *	  and expressions that align.attach() is given instead of columns: parsing,
 *	  checking and evaluating them.
 *
 * PostgreSQL's parser parses a condition under the rules of a CHECK
 * constraint, with search_path set to pg_catalog alone.  A condition can use
 * the columns of the row (no system columns, no whole row) and built-in
 * immutable functions, operators and casts, and nothing else.  The executor
 * evaluates it.  The same holds for expressions.
 */
#ifndef ALIGN_CONDITION_H
#define ALIGN_CONDITION_H

#include "compat.h"

#include "access/htup.h"
#include "executor/executor.h"
#include "parser/parse_node.h"
#include "utils/rel.h"

/* What messages call a condition: its name, with an article, and a hint. */
typedef struct ConditionKind
{
	const char *name;
	const char *noun;
	const char *hint;
} ConditionKind;

extern const ConditionKind align_boolean_condition;
extern const ConditionKind align_value_expression;

/*
 * Parse and check one condition over the columns of rel.  Returns an
 * expression tree over varno 1, of type boolean, not yet planned; raises if
 * anything in it is not allowed.  what names the condition in messages:
 * "condition of stage \"sql\"", "live".
 */
extern Node *align_condition_parse(Relation rel, const char *condition, const char *what);

/*
 * The same for an expression of any type; a literal of no known type is text.
 */
extern Node *align_expression_parse(Relation rel, const char *expression, const char *what);

/*
 * If a text is only the name of a column (SQL, so it may be in quotes),
 * returns it; else NULL.  There need not be such a column.  Raises an error if
 * the text is not a single expression.
 */
extern char *align_expression_column(Relation rel, const char *expression, const char *what);

/*
 * The text of a look-up, "crm_stage(id, name ->> 'en_US')", and its parts.
 */
typedef struct LookupText
{
	const char *text;
	const char *what;			/* names it in messages: "stage_labels" */
	char	   *schema;			/* NULL if it has none */
	char	   *table;
	char	   *key;			/* name of the column of the values */
	Node	   *label;			/* raw parse tree */
} LookupText;

/* Sets the parts of a look-up; raises if it has another form. */
extern void align_lookup_split(LookupText *lookup);

/*
 * Parses and checks the label of a look-up, an expression over the columns of
 * its table.
 */
extern Node *align_lookup_parse(Relation rel, const LookupText *lookup);

/*
 * Compile a parsed condition for use with align_condition_true(), which
 * returns true if the condition is true (not null) for the row.  The compiled
 * form belongs to context, which may be long-lived.
 */
typedef struct RowCondition RowCondition;
extern RowCondition *align_condition_compile(Relation rel, Node *condition, MemoryContext context);
extern bool align_condition_true(RowCondition *condition, HeapTuple row);

/* The text of a condition, shortened for a message; palloc'd. */
extern char *align_condition_clip(const char *text);

/*
 * True if the input function of a type, and of everything inside it, cannot
 * run functions supplied by another user.
 */
extern bool align_type_is_safe(Oid type);

/* True for character types, and for literals without a type. */
extern bool align_type_is_string(Oid type);

/*
 * Raises unless every node of a parsed condition or expression is safe and
 * immutable.  literals are the string constants of its text, a list of
 * A_Const; NIL if the text is not at hand.
 */
extern void align_condition_check(ParseState *pstate, Node *condition, List *literals,
								  const ConditionKind *kind);

/*
 * True if a stored expression passes the same check.
 */
extern bool align_expression_is_safe(Node *expression);

/*
 * The row that conditions are evaluated on, shared by all conditions of one
 * relation.  The result of a condition is valid until the next row is set.
 */
typedef struct ConditionInput
{
	ExprContext *econtext;
	TupleTableSlot *slot;
} ConditionInput;

extern ConditionInput *align_condition_input(Relation rel, MemoryContext context);
extern void align_condition_set_row(ConditionInput *input, HeapTuple row);

/*
 * Compile a parsed condition that is evaluated on the row set in input.
 * context_line is the CONTEXT of errors, or NULL; it must live as long as the
 * condition.
 */
extern RowCondition *align_condition_compile_for(ConditionInput *input, Relation rel,
												 Node *condition, const char *context_line,
												 MemoryContext context);

/*
 * The value of an expression of any type for the row that was set.  The second
 * form evaluates it in the current memory context, so that the value outlives
 * the next row.
 */
extern Datum align_condition_value(RowCondition *condition, bool *isnull);
extern Datum align_expression_value(RowCondition *expression, bool *isnull);

/*
 * Parses a condition of align's own for a table into the expression that the
 * catalogs would store: with EXPR_KIND_TRIGGER_WHEN that of a trigger, in
 * which OLD is varno 1 and NEW is varno 2, with EXPR_KIND_POLICY that of a
 * policy.
 */
extern Node *align_condition_stored(Oid relid, const char *condition, ParseExprKind kind);

#endif							/* ALIGN_CONDITION_H */
