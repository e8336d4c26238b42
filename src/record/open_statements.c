/*
 * open_statements.c
 *	  The stack of open statements of a batch; see pending.h.
 */
#include "postgres.h"

#include "replication/logicalworker.h"
#include "utils/memutils.h"

#include "record/pending.h"

#define INITIAL_OPEN 4

/*
 * True if all statements on the table are on the stack of open statements.
 */
bool
align_pending_stack_is_exact(const Attachment *attachment)
{
	return attachment->lists_statements && !IsLogicalWorker();
}

/*
 * Returns the number of open statements around the one that made a change.
 */
int
align_pending_outer_open(const Batch *batch, const Attachment *attachment, const Change *change)
{
	return Min(change->nouter, batch->nopen) + (align_pending_stack_is_exact(attachment) ? 0 : 1);
}

/*
 * Returns the number of open statements whose row trigger for an earlier
 * version of the same row may be outstanding.
 */
int
align_pending_possible_predecessors(const Batch *batch, const Attachment *attachment,
									const Change *change)
{
	if (change->replaced_command == InvalidCommandId)
		return 0;
	return align_pending_outer_open(batch, attachment, change);
}

/* A callback for the end of a query. */
typedef struct QueryCallback
{
	MemoryContextCallback callback;
	uint64		query;
} QueryCallback;

/*
 * Memory context callback: a query is over.
 */
static void
QueryEnds(void *arg)
{
	const QueryCallback *callback = (QueryCallback *) arg;

	align_pending_query_ends(callback->query);
}

/*
 * Returns an identifier of the query that fires the current trigger.
 * align_pending_query_ends() will be called when it is over.
 *
 * PostgreSQL calls triggers in a memory context whose parent is that of the
 * query, and frees that at the end of the query.
 */
static uint64
WatchQuery(void)
{
	static uint64 nqueries = 0;
	MemoryContext context = MemoryContextGetParent(CurrentMemoryContext);
	QueryCallback *callback = MemoryContextAlloc(context, sizeof(QueryCallback));

	callback->callback.func = QueryEnds;
	callback->callback.arg = callback;
	callback->query = ++nqueries;
	MemoryContextRegisterResetCallback(context, &callback->callback);
	return callback->query;
}

/*
 * Pushes a statement on the stack of open statements.
 */
OpenStatement *
align_pending_begin_statement(Batch *batch, TriggerEvent kind)
{
	int			depth = align_trigger_depth();
	OpenStatement *statement;

	if (batch->nopen == batch->maxopen)
	{
		int			size = batch->maxopen == 0 ? INITIAL_OPEN : batch->maxopen * 2;

		if (batch->open == NULL)
			batch->open = MemoryContextAlloc(TopTransactionContext,
											 size * sizeof(OpenStatement));
		else
			batch->open = repalloc(batch->open, size * sizeof(OpenStatement));
		batch->maxopen = size;
	}
	statement = &batch->open[batch->nopen++];
	memset(statement, 0, sizeof(OpenStatement));
	statement->kind = kind;
	statement->trigger_depth = depth;
	statement->nest_level = GetCurrentTransactionNestLevel();
	return statement;
}

/*
 * Removes the innermost open statement of a kind from the stack, if there is
 * one at the current trigger depth.  If it began at a greater depth, it is the
 * cascade of a foreign key, and only marked as ended.
 */
void
align_pending_end_statement(Batch *batch, TriggerEvent kind)
{
	int			depth = align_trigger_depth();

	for (int i = batch->nopen - 1; i >= 0 && batch->open[i].trigger_depth >= depth; i--)
	{
		OpenStatement *statement = &batch->open[i];

		if (statement->kind != kind || statement->ended_in != 0)
			continue;
		if (statement->trigger_depth > depth)
			statement->ended_in = WatchQuery();
		else
		{
			memmove(statement, statement + 1, (batch->nopen - i - 1) * sizeof(OpenStatement));
			batch->nopen--;
		}
		return;
	}
}

/*
 * Returns the open UPDATE whose row trigger is executing, or NULL.  The BEFORE
 * STATEMENT triggers of several kinds may have fired for one statement.
 */
const OpenStatement *
align_pending_current_update(const Batch *batch)
{
	int			depth = align_trigger_depth();

	for (int i = batch->nopen - 1; i >= 0 && batch->open[i].trigger_depth >= depth; i--)
	{
		if (batch->open[i].kind == TRIGGER_EVENT_UPDATE && batch->open[i].ended_in == 0)
			return &batch->open[i];
	}
	return NULL;
}

/*
 * True if the AFTER STATEMENT triggers of all open statements have fired.
 */
bool
align_pending_all_ended(const Batch *batch)
{
	for (int i = 0; i < batch->nopen; i++)
	{
		if (batch->open[i].ended_in == 0)
			return false;
	}
	return true;
}
