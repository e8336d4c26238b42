/*
 * run.c
 *	  Evaluates checked conditions on rows, with the executor.
 *
 * The compiled form is kept until the relation changes, across statements and
 * transactions.  Memory that a row took is freed when the next one is set.
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"

#include "condition/condition.h"

struct RowCondition
{
	ConditionInput *input;
	Expr	   *planned;
	const char *context_line;	/* CONTEXT of errors, or NULL */
	MemoryContext context;		/* holds state */
	ExprState  *state;
	bool		running;		/* set during evaluation; if it is set before,
								 * an error ended the last evaluation */
};

/*
 * Makes the row that conditions of a relation are evaluated on.
 *
 * The tuple descriptor is a copy: that of the relcache entry is reference
 * counted, and freed when the relation changes.  It has the constraints,
 * because these hold the values of columns that are missing in rows older than
 * the column.
 */
ConditionInput *
align_condition_input(Relation rel, MemoryContext context)
{
	MemoryContext old_context = MemoryContextSwitchTo(context);
	ConditionInput *input = palloc(sizeof(ConditionInput));

	input->slot = MakeSingleTupleTableSlot(CreateTupleDescCopyConstr(RelationGetDescr(rel)),
										   &TTSOpsHeapTuple);
	input->econtext = CreateStandaloneExprContext();
	input->econtext->ecxt_scantuple = input->slot;
	MemoryContextSwitchTo(old_context);
	return input;
}

/*
 * Sets the row that conditions are evaluated on, and frees the results for the
 * previous one.
 */
void
align_condition_set_row(ConditionInput *input, HeapTuple row)
{
	ResetExprContext(input->econtext);
	ExecStoreHeapTuple(row, input->slot, false);
}

/*
 * Makes the executor state of a condition, instead of any previous one.
 */
static void
InitState(RowCondition *condition)
{
	MemoryContext old_context;

	MemoryContextReset(condition->context);
	old_context = MemoryContextSwitchTo(condition->context);
	condition->state = ExecInitExpr(condition->planned, NULL);
	MemoryContextSwitchTo(old_context);
}

/*
 * Error context callback: adds the context line of the condition.
 */
static void
ConditionErrorContext(void *arg)
{
	const RowCondition *condition = (const RowCondition *) arg;

	if (condition->context_line)
		errcontext("%s", condition->context_line);
}

/*
 * Compiles a parsed condition that is evaluated on the row set in input.
 */
RowCondition *
align_condition_compile_for(ConditionInput *input, Relation rel, Node *condition,
							const char *context_line, MemoryContext context)
{
	MemoryContext old_context = MemoryContextSwitchTo(context);
	RowCondition *result = palloc0(sizeof(RowCondition));
	ErrorContextCallback callback = {error_context_stack, ConditionErrorContext, result};

	result->input = input;
	result->context_line = context_line;
	result->context = AllocSetContextCreate(context, "align condition", ALLOCSET_SMALL_SIZES);
	error_context_stack = &callback;
	result->planned = expression_planner((Expr *) align_expand_virtual_columns(condition, rel));
	InitState(result);
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(old_context);
	return result;
}

/*
 * Returns the value of an expression for the row that was set, in the current
 * memory context.
 */
Datum
align_expression_value(RowCondition *condition, bool *isnull)
{
	ErrorContextCallback callback = {error_context_stack, ConditionErrorContext, condition};
	Datum		result;

	error_context_stack = &callback;
	/* after an error, what functions keep in the state may be incomplete */
	if (unlikely(condition->running))
		InitState(condition);
	condition->running = true;
	result = ExecEvalExpr(condition->state, condition->input->econtext, isnull);
	condition->running = false;
	error_context_stack = callback.previous;
	return result;
}

/*
 * Returns the value of an expression for the row that was set; it is freed
 * when the next row is set.
 */
Datum
align_condition_value(RowCondition *condition, bool *isnull)
{
	MemoryContext old_context =
		MemoryContextSwitchTo(condition->input->econtext->ecxt_per_tuple_memory);
	Datum		result = align_expression_value(condition, isnull);

	MemoryContextSwitchTo(old_context);
	return result;
}

/*
 * Compiles a parsed condition for use with align_condition_true().
 */
RowCondition *
align_condition_compile(Relation rel, Node *condition, MemoryContext context)
{
	return align_condition_compile_for(align_condition_input(rel, context), rel, condition, NULL, context);
}

/*
 * Returns true if a condition is true, and not null, for the row.
 */
bool
align_condition_true(RowCondition *condition, HeapTuple row)
{
	bool		isnull;
	Datum		value;

	align_condition_set_row(condition->input, row);
	value = align_condition_value(condition, &isnull);
	return !isnull && DatumGetBool(value);
}
