/*
 * group_states.h
 *	  The memory context that the states of all groups of an aggregate share.
 *
 * PostgreSQL's hash aggregation adds up the contexts below its own whenever it
 * makes a group, so a context per group would make it quadratic.  One context
 * serves them all.  It is a child of the aggregate's, so that the executor
 * leaves the expanded objects in it where they are.
 */
#ifndef ALIGN_GROUP_STATES_H
#define ALIGN_GROUP_STATES_H

#include "compat.h"

/*
 * What a call site of an aggregate remembers of that context; zeroed at first.
 * It must live longer than the context.
 */
typedef struct GroupStates
{
	MemoryContext parent;
	MemoryContext context;		/* NULL: not known */
	uint64		number;			/* another one after the context has changed */
} GroupStates;

/*
 * The context for states below an aggregate's context.  With grouping sets the
 * latter changes from row to row, and each change costs some memory: ask only
 * where a state is made.
 */
extern MemoryContext align_group_states(GroupStates *states, MemoryContext aggregate_context);

/* True if a context comes from align_group_states(). */
extern bool align_is_group_states(MemoryContext context);

#endif							/* ALIGN_GROUP_STATES_H */
