/*
 * eliminate.h
 *	  The states and transitions of a Markov chain, and how states are
 *	  eliminated from it.
 */
#ifndef ALIGN_PATHS_ELIMINATE_H
#define ALIGN_PATHS_ELIMINATE_H

#include "postgres.h"

#include "paths/chain.h"

/* A state has fewer channels than the order at the beginning of a path. */
#define CHAIN_NO_CHANNEL PG_UINT32_MAX

/* The state before the first channel. */
#define CHAIN_START 0

typedef struct StateLabel
{
	uint32		channels[CHAIN_MAX_ORDER];	/* the last one first */
} StateLabel;

typedef struct Transition
{
	int			to;
	double		weight;
} Transition;

typedef struct ChainState
{
	StateLabel	label;
	int			origin;			/* index in the whole chain */
	bool		eliminated;
	double		conversions;	/* weight of the transition to (conversion) */
	double		ends;			/* the same and that to (null) */
	int			nout;
	int			out_room;
	Transition *out;			/* to states that are not eliminated */
	int			nin;
	int			in_room;
	int		   *in;				/* states with a transition to this one */
} ChainState;

/* States and transitions of a chain, or what is left of them. */
typedef struct ChainGraph
{
	int			nstates;
	int			room;
	ChainState *states;
} ChainGraph;

/* What the graphs of a chain share. */
typedef struct ChainWork
{
	int			order;			/* for messages, as is nstates */
	int			nstates;
	int64		ntransitions;	/* in memory, of all graphs */
	int64		nsteps;			/* transitions visited, of all graphs */
	int		   *positions;		/* by state: zero between calls */
} ChainWork;

/* Raises an error if the chain is too large. */
extern void align_chain_check_limits(const ChainWork *work);

/* A new state; returns its index. */
extern int	align_graph_add_state(ChainGraph *graph, StateLabel label);

/*
 * A new transition; returns its index in out.  Raises if there are too many.
 */
extern int	align_graph_add(ChainWork *work, ChainGraph *graph, int from, int to,
							double weight);

/* The weight of all transitions of a state, but to itself. */
extern double align_graph_weight_out(const ChainState *state, int self);

/*
 * Eliminate all states, except the start, that have no channel from first to
 * last; their own transitions, to states that were not eliminated before them,
 * stay.  Notes their order in "order" if that is not NULL; returns their
 * number.
 */
extern int	align_graph_eliminate(ChainWork *work, ChainGraph *graph, uint32 first,
								  uint32 last, int *order);

/* A copy of what is not eliminated, in the current memory context. */
extern void align_graph_copy(ChainWork *work, ChainGraph *copy, const ChainGraph *graph);

#endif							/* ALIGN_PATHS_ELIMINATE_H */
