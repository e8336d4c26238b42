/*
 * credits.h
 *	  What channels earned, as rows: the results of markov() and shapley().
 */
#ifndef ALIGN_PATHS_CREDITS_H
#define ALIGN_PATHS_CREDITS_H

#include "compat.h"

#include "conversion/amount_sum.h"
#include "fmgr.h"
#include "paths/paths.h"

/*
 * Sums over paths.  Those of the empty path belong to no channel.
 */
typedef struct PathsTotals
{
	int64		conversions;	/* of paths with a channel */
	AmountSum	value;
	bool		has_empty;		/* is there an empty path? */
	int64		empty_conversions;
	AmountSum	empty_value;
} PathsTotals;

/* Add the path that a reader has read last. */
extern void align_totals_add(PathsTotals *totals, const PathsReader *reader);

typedef struct ChannelCredit
{
	LeadString	channel;
	double		effect;			/* of removal; shown by markov() only */
	double		conversions;
	Numeric		units;			/* of the value, before what rounding leaves
								 * over is given away; NULL: zero */
} ChannelCredit;

/*
 * The unit in which the value is divided, a power of ten.  There must be a
 * value.
 */
extern Numeric align_value_unit(const PathsTotals *totals);

/* value * weight / divisor in whole units, rounded; palloc'd. */
extern Numeric align_value_units(Numeric value, Numeric weight, Numeric divisor, Numeric unit);

/*
 * Return rows (channel, [effect,] conversions, value): the credits, which are
 * in the order of their channels, and what the empty path earned for
 * "(none)".  Units that are left over of the total go to the channel with the
 * most.
 */
extern void align_put_credits(FunctionCallInfo fcinfo, ChannelCredit *credits, int n,
							  const PathsTotals *totals, bool has_effect);

#endif							/* ALIGN_PATHS_CREDITS_H */
