/*
 * needs.h
 *	  What a stage or a move needs of the row: columns that must be filled and
 *	  conditions that must be true, compiled for one relation and one funnel.
 *
 * Conditions are parsed by PostgreSQL's own parser under the rules of a CHECK
 * constraint, with search_path set to pg_catalog alone.  They may use the
 * columns of the row (no system columns, no whole row) and built-in immutable
 * functions, operators and casts; nothing else.  They are run by the executor.
 *
 * A column is filled if it is neither null nor, in a character type, blank.  A
 * condition is satisfied only if it is true: null is not.
 *
 * A column that is gone (renamed or dropped since) is never filled.
 */
#ifndef ALIGN_NEEDS_H
#define ALIGN_NEEDS_H

#include "compat.h"

#include "access/htup.h"
#include "funnel/funnel.h"
#include "utils/rel.h"

typedef struct RowNeeds RowNeeds;

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

#endif							/* ALIGN_NEEDS_H */
