/*
 * group_states.c
 *	  The memory context that the states of all groups of an aggregate share.
 */
#include "postgres.h"

#include "nodes/memnodes.h"
#include "utils/memutils.h"

#include "group_states.h"

/* Contexts with this identifier, compared by address, are those for states. */
static const char states_of_groups[] = "of all groups";

bool
align_is_group_states(MemoryContext context)
{
	return context->ident == states_of_groups;
}

static void
ForgetContext(void *arg)
{
	((GroupStates *) arg)->context = NULL;
}

MemoryContext
align_group_states(GroupStates *states, MemoryContext aggregate_context)
{
	MemoryContext context = aggregate_context->firstchild;
	MemoryContextCallback *callback;

	if (likely(states->context != NULL && states->parent == aggregate_context))
		return states->context;
	while (context != NULL && !align_is_group_states(context))
		context = context->nextchild;
	if (context == NULL)
	{
		context = AllocSetContextCreate(aggregate_context, "align states",
										ALLOCSET_DEFAULT_SIZES);
		MemoryContextSetIdentifier(context, states_of_groups);
	}

	/* the executor resets its context between groups that come sorted */
	callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	callback->func = ForgetContext;
	callback->arg = states;
	MemoryContextRegisterResetCallback(context, callback);
	states->parent = aggregate_context;
	states->context = context;
	states->number++;
	return context;
}
