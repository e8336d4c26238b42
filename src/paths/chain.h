/*
 * chain.h
 *	  The Markov chain of a multiset of paths, and the removal effects of its
 *	  channels.
 *
 * A state of a chain of order k is the last k channels of a path, or all of
 * them while there are fewer; the chain begins in the state of none.  Its
 * transitions are those of the paths, as often as there are conversions and
 * nulls, and end in (conversion) or (null).
 *
 * The removal effect of a channel is the share of the conversions that is
 * lost when every transition into a state that holds the channel leads to
 * (null) instead: E. Anderl, I. Becker, F. v. Wangenheim, J. H. Schumann,
 * "Mapping the customer journey: lessons learned from graph-based online
 * attribution modeling", International Journal of Research in Marketing 33
 * (2016), 457-474.
 */
#ifndef ALIGN_PATHS_CHAIN_H
#define ALIGN_PATHS_CHAIN_H

#include "postgres.h"

#define CHAIN_MAX_ORDER 4

/* States of a chain; a chain of order 1 has one for each channel. */
#define CHAIN_MAX_STATES 50000

/* Transitions in memory while a chain is solved: about 20 bytes each. */
#define CHAIN_MAX_TRANSITIONS 4000000

/*
 * Transitions visited while a chain is solved, 5 to 10 s of work: a chain of
 * order 1 with 1,000 channels in every order takes less.
 */
#define CHAIN_MAX_STEPS INT64CONST(5000000000)

typedef struct Chain Chain;

/* An empty chain, in the current memory context. */
extern Chain *align_chain(int nchannels, int order);

/*
 * Add a path, the indexes of its channels below nchannels.  This and
 * align_chain_effects() raise if a limit is exceeded.
 */
extern void align_chain_add(Chain *chain, const uint32 *path, int length,
							int64 conversions, int64 nulls);

/*
 * Set the removal effect of every channel, from 0 to 1.  Depends only on the
 * paths and the order in which they were added.  The chain must have a path,
 * and cannot be used again.
 */
extern void align_chain_effects(Chain *chain, double *effects);

#endif							/* ALIGN_PATHS_CHAIN_H */
