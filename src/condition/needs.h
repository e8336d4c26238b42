/*
 * needs.h
 *	  What a stage or a move needs of the row: columns that must be filled and
 *	  conditions that must be true, compiled for one relation and one funnel;
 *	  and the conditions of its segments.
 *
 * A column is filled if it is not null and, in a character type, not blank.  A
 * condition is met only if it is true; null does not meet it.
 *
 * A need that cannot be compiled (the column was renamed or dropped, say) is
 * never met.
 */
#ifndef ALIGN_CONDITION_NEEDS_H
#define ALIGN_CONDITION_NEEDS_H

#include "compat.h"

#include "condition/condition.h"
#include "funnel/funnel.h"

typedef struct RowNeeds RowNeeds;

/*
 * Compile all needs of a funnel; the result belongs to context.  If check is
 * true, as in attach() and agree(), raises for the first need that cannot be
 * compiled (an unknown column, a condition that is not allowed), naming stage,
 * agreement and relation.  Otherwise such a need is never met.
 */
extern RowNeeds *align_needs_compile(Relation rel, const Funnel *funnel, const char *agreement,
									 int32 version, bool check, MemoryContext context);

/* Free the needs before their context is deleted. */
extern void align_needs_free(RowNeeds *needs);

/* True if every need could be compiled. */
extern bool align_needs_all_compiled(const RowNeeds *needs);

/* True if the needs were compiled from this Funnel, compared by address. */
extern bool align_needs_are_for(const RowNeeds *needs, const Funnel *funnel);

/*
 * Find the needs of entering stage "to" (and of the move from stage "from",
 * unless that is -1) that the row does not meet, in the order of the document.
 * Stores at most max of them in unmet and returns how many there are.
 */
extern int	align_needs_unmet(RowNeeds *needs, HeapTuple row, int from, int to,
							  const FunnelNeed **unmet, int max);

/*
 * The segments of the funnel that hold of a row: those whose condition is
 * true.  One whose condition cannot be compiled holds of no row.
 */
extern SegmentMask align_needs_segments(RowNeeds *needs, HeapTuple row);

/*
 * The reason why no row can meet a need ("column \"budget\" does not exist");
 * NULL if the need could be compiled.  Belongs to needs.
 */
extern const char *align_need_problem(const RowNeeds *needs, const FunnelNeed *need);

#endif							/* ALIGN_CONDITION_NEEDS_H */
