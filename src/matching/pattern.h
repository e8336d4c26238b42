/*
 * pattern.h
 *	  The pattern language of sequence_match() and its sisters.
 *
 * A pattern is a list of items, each of which matches one event:
 *
 *	  (?N)			an event for which condition N holds
 *	  .				any event
 *
 * Between two items there may be
 *
 *	  .*			any number of events
 *	  (?t OP N)		the same, and the time from the event of the item before
 *					to that of the item after compares with N as OP says:
 *					< <= > >= == != (= and <> are the last two); N is seconds
 *					or, in quotes, an interval without months
 *
 * without them the two events are neighbours.  Several times between the same
 * items must all hold.  White space is free.
 */
#ifndef ALIGN_PATTERN_H
#define ALIGN_PATTERN_H

#include "compat.h"

/* As many items as a pattern may have, and conditions as it may refer to. */
#define PATTERN_MAX_ITEMS 1024
#define PATTERN_MAX_CONDITIONS 64

/* The condition of an item that matches any event. */
#define PATTERN_ANY (-1)

/*
 * What may lie between an item and the one before it.
 */
typedef enum PatternGap
{
	PATTERN_NEXT,				/* nothing */
	PATTERN_LATER,				/* any number of events */
	PATTERN_TIMED				/* the same, and one of the spans holds */
} PatternGap;

/*
 * Elapsed time in microseconds, both bounds included.
 */
typedef struct PatternSpan
{
	uint64		least;
	uint64		most;
} PatternSpan;

typedef struct PatternItem
{
	int			condition;		/* from 0, or PATTERN_ANY */
	PatternGap	gap;			/* of the first item: PATTERN_LATER */
	bool		same_time;		/* PATTERN_TIMED: it admits no time at all */
	int			first_span;		/* PATTERN_TIMED: its spans, disjoint; none: */
	int			nspans;			/* no time is admitted; 0 for other gaps */
} PatternItem;

/*
 * A compiled pattern.  Position p of a pattern, 0 to nitems, is that before
 * item p.  Sets of positions have nwords words; see pattern_set.h.
 */
typedef struct SequencePattern
{
	const char *text;			/* not NUL-terminated */
	int			len;
	int			nitems;			/* at least 1 */
	int			nconditions;	/* the highest condition of an item, from 1 */
	int			nspans;
	int			nwords;
	uint64		conditions;		/* those of the items */
	PatternItem *items;
	PatternSpan *spans;
	int		   *block_end;		/* by position: the next position that is not
								 * between neighbours, at most nitems */
	int		   *cut;			/* by position: the next position between two
								 * items that no two simultaneous events
								 * match, at most nitems + 1 */
	uint64	   *waits;			/* positions before which any number of events
								 * may lie, whatever their time */
	uint64	   *neighbours;		/* positions between neighbours */
	uint64	   *any;			/* items that match any event */
	uint64	   *matches[PATTERN_MAX_CONDITIONS];	/* items of a condition */
} SequencePattern;

/*
 * Compile a pattern into the current memory context.  Raises an error with the
 * position in the text if it breaks the rules.
 */
extern SequencePattern *align_pattern_compile(const char *text, int len);

#endif							/* ALIGN_PATTERN_H */
