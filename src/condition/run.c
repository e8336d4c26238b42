/*
 * run.c
 *	  Running checked conditions on rows, with the executor.
 *
 * The compiled form is kept for as long as the relation stays as it is, across
 * statements and transactions.  Nothing of a row is: the memory that one took is
 * given back when the next one comes.
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"

#include "condition/condition.h"

struct RowCondition
{
	RowFrame   *frame;
	Expr	   *planned;
	const char *context_line;	/* for errors, NULL none */
	MemoryContext context;		/* of state */
	ExprState  *state;
	bool		running;		/* still set at the next call: an error broke
								 * it off, and what functions remember may be
								 * half made */
};

/*
 * A descriptor of our own: that of the relcache entry counts references, and
 * goes when the relation changes.  With constraints, since columns that were
 * added later are missing in older rows and have their value there.
 */
RowFrame *
align_row_frame(Relation rel, MemoryContext context)
{
	MemoryContext old_context = MemoryContextSwitchTo(context);
	RowFrame   *frame = palloc(sizeof(RowFrame));

	frame->slot = MakeSingleTupleTableSlot(CreateTupleDescCopyConstr(RelationGetDescr(rel)),
										   &TTSOpsHeapTuple);
	frame->econtext = CreateStandaloneExprContext();
	frame->econtext->ecxt_scantuple = frame->slot;
	MemoryContextSwitchTo(old_context);
	return frame;
}

void
align_row_frame_put(RowFrame *frame, HeapTuple row)
{
	ResetExprContext(frame->econtext);
	ExecStoreHeapTuple(row, frame->slot, false);
}

static void
Prepare(RowCondition *condition)
{
	MemoryContext old_context;

	MemoryContextReset(condition->context);
	old_context = MemoryContextSwitchTo(condition->context);
	condition->state = ExecInitExpr(condition->planned, NULL);
	MemoryContextSwitchTo(old_context);
}

static void
ConditionErrorContext(void *arg)
{
	const RowCondition *condition = (const RowCondition *) arg;

	if (condition->context_line)
		errcontext("%s", condition->context_line);
}

RowCondition *
align_condition_compile_in(RowFrame *frame, Relation rel, Node *condition,
						   const char *context_line, MemoryContext context)
{
	MemoryContext old_context = MemoryContextSwitchTo(context);
	RowCondition *result = palloc0(sizeof(RowCondition));
	ErrorContextCallback callback = {error_context_stack, ConditionErrorContext, result};

	result->frame = frame;
	result->context_line = context_line;
	result->context = AllocSetContextCreate(context, "align condition", ALLOCSET_SMALL_SIZES);
	error_context_stack = &callback;
	result->planned = expression_planner((Expr *) align_expand_virtual_columns(condition, rel));
	Prepare(result);
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(old_context);
	return result;
}

Datum
align_condition_value(RowCondition *condition, bool *isnull)
{
	ErrorContextCallback callback = {error_context_stack, ConditionErrorContext, condition};
	Datum		result;

	error_context_stack = &callback;
	if (unlikely(condition->running))
		Prepare(condition);
	condition->running = true;
	result = ExecEvalExprSwitchContext(condition->state, condition->frame->econtext, isnull);
	condition->running = false;
	error_context_stack = callback.previous;
	return result;
}

RowCondition *
align_condition_compile(Relation rel, Node *condition, MemoryContext context)
{
	return align_condition_compile_in(align_row_frame(rel, context), rel, condition, NULL, context);
}

bool
align_condition_true(RowCondition *condition, HeapTuple row)
{
	bool		isnull;
	Datum		value;

	align_row_frame_put(condition->frame, row);
	value = align_condition_value(condition, &isnull);
	return !isnull && DatumGetBool(value);
}
