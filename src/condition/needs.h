/*
 * needs.h
 *	  What a stage or a move needs of the row: columns that must be filled and
 *	  conditions that must be true, compiled for one relation and one funnel.
 *
 * A column is filled if it is neither null nor, in a character type, blank.  A
 * condition is satisfied only if it is true: null is not.
 *
 * A column that is gone (renamed or dropped since) is never filled.
 */
#ifndef ALIGN_CONDITION_NEEDS_H
#define ALIGN_CONDITION_NEEDS_H

#include "compat.h"

#include "condition/condition.h"
#include "funnel/funnel.h"

typedef struct RowNeeds RowNeeds;

/*
 * All needs of a funnel.  With check, raises for the first that cannot be
 * compiled (an unknown column, a condition that is not allowed), naming stage,
 * agreement and relation: for attach() and agree().  Without, such a need is
 * one that is never met.
 */
extern RowNeeds *align_needs_compile(Relation rel, const Funnel *funnel, const char *agreement,
									 int32 version, bool check, MemoryContext context);

/* Gives back its memory, before that of its context goes. */
extern void align_needs_free(RowNeeds *needs);

/* Can all of them be met, as far as that does not depend on the row? */
extern bool align_needs_are_sound(const RowNeeds *needs);

/* Was it compiled from this very funnel? */
extern bool align_needs_are_of(const RowNeeds *needs, const Funnel *funnel);

/*
 * The needs of entering "to" (and of the move from "from", -1 an entry) that the
 * row does not meet, in the order of the document: at most max of them into
 * unmet; how many there are in all.
 */
extern int	align_needs_unmet(RowNeeds *needs, HeapTuple row, int from, int to,
							  const FunnelNeed **unmet, int max);

/* Why a need cannot be met whatever the row says ("column \"budget\" does not
 * exist"); NULL if it can. */
extern const char *align_need_problem(const RowNeeds *needs, const FunnelNeed *need);

#endif							/* ALIGN_CONDITION_NEEDS_H */
