/*
 * chain.c
 *	  The Markov chain of a multiset of paths, and the removal effects of its
 *	  channels.
 *
 * Linear systems are solved by eliminating states (eliminate.h).
 *
 * Every state that a path visits is followed by the rest of the path, which is
 * finite.  So from every state there is a way to the end, the weight of the
 * transitions out of a state, but to itself, is greater than zero, and the
 * systems have a solution.
 *
 * With channel c removed, the chain loses the walks that visit a state with c
 * and convert.  Their probability is that of the first visit, to state s, in
 * the chain in which all states without c are eliminated, times the
 * probability of a conversion from s.  Ranges of channels are halved, so that
 * most states are eliminated once for many channels.
 *
 * A chain whose transitions are those counted converts with the probability of
 * the data, conversions / (conversions + nulls): the counts are a solution of
 * the equations of its visits, and there is only one.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "paths/eliminate.h"

typedef struct StateSlot
{
	StateLabel	label;
	int			state;
	char		status;
} StateSlot;

#define SH_PREFIX stateindex
#define SH_ELEMENT_TYPE StateSlot
#define SH_KEY_TYPE StateLabel
#define SH_KEY label
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) &(key), sizeof(StateLabel))
#define SH_EQUAL(tb, a, b) (memcmp(&(a), &(b), sizeof(StateLabel)) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct TransitionSlot
{
	uint64		states;			/* from and to */
	int			index;			/* in out of the state it is from */
	char		status;
} TransitionSlot;

#define SH_PREFIX transitionindex
#define SH_ELEMENT_TYPE TransitionSlot
#define SH_KEY_TYPE uint64
#define SH_KEY states
#define SH_HASH_KEY(tb, key) \
	hash_combine(murmurhash32((uint32) ((key) >> 32)), murmurhash32((uint32) (key)))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct Chain
{
	int			nchannels;
	double		conversions;	/* of all paths */
	double		ends;
	ChainWork	work;
	ChainGraph	graph;
	stateindex_hash *state_index;
	transitionindex_hash *transition_index;
	double	   *converts;		/* probability of a conversion, by state */
};

Chain *
align_chain(int nchannels, int order)
{
	Chain	   *chain = palloc0(sizeof(Chain));
	StateLabel	none;

	Assert(order >= 1 && order <= CHAIN_MAX_ORDER);
	chain->nchannels = nchannels;
	chain->work.order = order;
	chain->graph.room = 16;
	chain->graph.states = palloc(chain->graph.room * sizeof(ChainState));
	chain->state_index = stateindex_create(CurrentMemoryContext, 16, NULL);
	chain->transition_index = transitionindex_create(CurrentMemoryContext, 64, NULL);
	for (int i = 0; i < CHAIN_MAX_ORDER; i++)
		none.channels[i] = CHAIN_NO_CHANNEL;
	(void) align_graph_add_state(&chain->graph, none);
	return chain;
}

void
align_chain_add(Chain *chain, const uint32 *path, int length, int64 conversions, int64 nulls)
{
	double		weight = (double) conversions + (double) nulls;
	StateLabel	label = chain->graph.states[CHAIN_START].label;
	int			from = CHAIN_START;

	for (int i = 0; i < length; i++)
	{
		StateSlot  *state;
		TransitionSlot *transition;
		bool		found;

		memmove(&label.channels[1], &label.channels[0], (chain->work.order - 1) * sizeof(uint32));
		label.channels[0] = path[i];
		state = stateindex_insert(chain->state_index, label, &found);
		if (!found)
		{
			state->state = align_graph_add_state(&chain->graph, label);
			chain->work.nstates = chain->graph.nstates;
			align_chain_check_limits(&chain->work);
		}
		transition = transitionindex_insert(chain->transition_index,
											(uint64) from << 32 | (uint32) state->state, &found);
		if (!found)
			transition->index = align_graph_add(&chain->work, &chain->graph, from, state->state, 0);
		chain->graph.states[from].out[transition->index].weight += weight;
		from = state->state;
	}
	chain->graph.states[from].conversions += (double) conversions;
	chain->graph.states[from].ends += weight;
	chain->conversions += (double) conversions;
	chain->ends += weight;
}

/*
 * Compute the probability of a conversion from every state.
 *
 * The last state eliminated has no transitions but to ends; those before it
 * have transitions to later ones.
 */
static void
SolveConversions(Chain *chain)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align chain",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	int64		ntransitions = chain->work.ntransitions;
	ChainGraph	graph;
	int		   *order;
	int			n;

	align_graph_copy(&chain->work, &graph, &chain->graph);
	order = MemoryContextAllocHuge(context, (Size) graph.nstates * sizeof(int));
	n = align_graph_eliminate(&chain->work, &graph, CHAIN_NO_CHANNEL, 0, order);
	while (n-- > 0)
	{
		const ChainState *state = &graph.states[order[n]];
		double		sum = state->conversions;

		for (int i = 0; i < state->nout; i++)
		{
			if (state->out[i].to != order[n])
				sum += state->out[i].weight * chain->converts[state->out[i].to];
		}
		chain->converts[order[n]] = sum / align_graph_weight_out(state, order[n]);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	chain->work.ntransitions = ntransitions;
}

/*
 * Set the effects of the channels from first to last, from a graph in which
 * all states without any of them may be eliminated.
 */
static void
RemoveChannels(Chain *chain, const ChainGraph *whole, uint32 first, uint32 last, double *effects)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align chain",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	int64		ntransitions = chain->work.ntransitions;
	ChainGraph	graph;

	align_graph_copy(&chain->work, &graph, whole);
	(void) align_graph_eliminate(&chain->work, &graph, first, last, NULL);
	if (first < last)
	{
		uint32		middle = first + (last - first) / 2;

		RemoveChannels(chain, &graph, first, middle, effects);
		RemoveChannels(chain, &graph, middle + 1, last, effects);
	}
	else
	{
		/* transitions of the start are now first visits to the channel */
		const ChainState *start = &graph.states[CHAIN_START];
		double		lost = 0;

		for (int i = 0; i < start->nout; i++)
			lost += start->out[i].weight *
				chain->converts[graph.states[start->out[i].to].origin];
		lost /= align_graph_weight_out(start, CHAIN_START);
		effects[first] = Min(lost / (chain->conversions / chain->ends), 1.0);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	chain->work.ntransitions = ntransitions;
}

void
align_chain_effects(Chain *chain, double *effects)
{
	Size		nstates = chain->graph.nstates;

	memset(effects, 0, chain->nchannels * sizeof(double));
	if (chain->nchannels == 0 || chain->conversions == 0)
		return;
	stateindex_destroy(chain->state_index);
	transitionindex_destroy(chain->transition_index);
	chain->converts = MemoryContextAllocHuge(CurrentMemoryContext, nstates * sizeof(double));
	chain->work.positions = MemoryContextAllocExtended(CurrentMemoryContext, nstates * sizeof(int),
													   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	SolveConversions(chain);
	RemoveChannels(chain, &chain->graph, 0, chain->nchannels - 1, effects);
}
