/*
 * chain.c
 *	  The Markov chain of a multiset of paths, and the removal effects of its
 *	  channels.
 *
 * Linear systems are solved by eliminating states: when a state goes, each
 * transition into it is replaced by transitions to its successors, in
 * proportion to their weights (W. K. Grassmann, M. I. Taksar, D. P. Heyman,
 * "Regenerative analysis and steady state distributions for Markov chains",
 * Operations Research 33 (1985), 1107-1116).  Nothing is ever subtracted, so
 * results are never negative and have a small relative error, however close
 * the chain is to one that never ends.
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
#include "miscadmin.h"
#include "utils/memutils.h"

#include "paths/chain.h"

/* A state has fewer channels than the order at the beginning of a path. */
#define NO_CHANNEL PG_UINT32_MAX

/* The state before the first channel. */
#define START 0

/* One more pass at the same cost if the last one eliminated this part. */
#define WORTHWHILE_PART 10

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
typedef struct Graph
{
	int			nstates;
	int			room;
	ChainState *states;
} Graph;

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
	int			order;
	int64		ntransitions;	/* in memory */
	double		conversions;	/* of all paths */
	double		ends;
	Graph		graph;
	stateindex_hash *state_index;
	transitionindex_hash *transition_index;
	double	   *converts;		/* probability of a conversion, by state */
	int		   *positions;		/* by state: 1 + index in a row, else 0 */
};

static void
CountTransition(Chain *chain)
{
	if (unlikely(++chain->ntransitions > CHAIN_MAX_TRANSITIONS))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("Markov chain of order %d is too large", chain->order),
				 errdetail("It has %d states, and more than %d transitions while it is solved.",
						   chain->graph.nstates, CHAIN_MAX_TRANSITIONS),
				 errhint("Use a lower order, or merge rare channels before paths are aggregated.")));
}

/*
 * A new state; returns its index.
 */
static int
AddState(Graph *graph, StateLabel label)
{
	ChainState *state;

	if (graph->nstates == graph->room)
	{
		graph->room *= 2;
		graph->states = repalloc_huge(graph->states, (Size) graph->room * sizeof(ChainState));
	}
	state = &graph->states[graph->nstates];
	memset(state, 0, sizeof(ChainState));
	state->label = label;
	state->origin = graph->nstates;
	return graph->nstates++;
}

/*
 * A new transition; returns its index in out.
 */
static int
AddTransition(Chain *chain, Graph *graph, int from, int to, double weight)
{
	ChainState *source = &graph->states[from];
	ChainState *target = &graph->states[to];

	CountTransition(chain);
	if (source->nout == source->out_room)
	{
		source->out_room = source->out_room == 0 ? 4 : source->out_room * 2;
		source->out = source->out == NULL ?
			palloc(source->out_room * sizeof(Transition)) :
			repalloc_huge(source->out, (Size) source->out_room * sizeof(Transition));
	}
	if (target->nin == target->in_room)
	{
		target->in_room = target->in_room == 0 ? 4 : target->in_room * 2;
		target->in = target->in == NULL ?
			palloc(target->in_room * sizeof(int)) :
			repalloc_huge(target->in, (Size) target->in_room * sizeof(int));
	}
	target->in[target->nin++] = from;
	source->out[source->nout].to = to;
	source->out[source->nout].weight = weight;
	return source->nout++;
}

Chain *
align_chain(int nchannels, int order)
{
	Chain	   *chain = palloc0(sizeof(Chain));
	StateLabel	none;

	Assert(order >= 1 && order <= CHAIN_MAX_ORDER);
	chain->nchannels = nchannels;
	chain->order = order;
	chain->graph.room = 16;
	chain->graph.states = palloc(chain->graph.room * sizeof(ChainState));
	chain->state_index = stateindex_create(CurrentMemoryContext, 16, NULL);
	chain->transition_index = transitionindex_create(CurrentMemoryContext, 64, NULL);
	for (int i = 0; i < CHAIN_MAX_ORDER; i++)
		none.channels[i] = NO_CHANNEL;
	(void) AddState(&chain->graph, none);
	return chain;
}

void
align_chain_add(Chain *chain, const uint32 *path, int length, int64 conversions, int64 nulls)
{
	double		weight = (double) conversions + (double) nulls;
	StateLabel	label = chain->graph.states[START].label;
	int			from = START;

	for (int i = 0; i < length; i++)
	{
		StateSlot  *state;
		TransitionSlot *transition;
		bool		found;

		memmove(&label.channels[1], &label.channels[0], (chain->order - 1) * sizeof(uint32));
		label.channels[0] = path[i];
		state = stateindex_insert(chain->state_index, label, &found);
		if (!found)
			state->state = AddState(&chain->graph, label);
		transition = transitionindex_insert(chain->transition_index,
											(uint64) from << 32 | (uint32) state->state, &found);
		if (!found)
			transition->index = AddTransition(chain, &chain->graph, from, state->state, 0);
		chain->graph.states[from].out[transition->index].weight += weight;
		from = state->state;
	}
	chain->graph.states[from].conversions += (double) conversions;
	chain->graph.states[from].ends += weight;
	chain->conversions += (double) conversions;
	chain->ends += weight;
}

/*
 * The weight of all transitions of a state, but to itself.
 */
static double
WeightOut(const ChainState *state, int self)
{
	double		weight = state->ends;

	for (int i = 0; i < state->nout; i++)
	{
		if (state->out[i].to != self)
			weight += state->out[i].weight;
	}
	return weight;
}

/*
 * Replace the transition from a state to an eliminated one by transitions to
 * the successors of that.
 */
static void
PassBy(Chain *chain, Graph *graph, int from, int eliminated, double weight_out)
{
	ChainState *gone = &graph->states[eliminated];
	ChainState *state = &graph->states[from];
	int		   *positions = chain->positions;
	double		part;
	int			at;

	for (int i = 0; i < state->nout; i++)
		positions[state->out[i].to] = i + 1;
	at = positions[eliminated] - 1;
	part = state->out[at].weight / weight_out;

	/* the last one takes its place */
	positions[eliminated] = 0;
	state->out[at] = state->out[--state->nout];
	if (at < state->nout)
		positions[state->out[at].to] = at + 1;
	chain->ntransitions--;

	for (int i = 0; i < gone->nout; i++)
	{
		int			to = gone->out[i].to;
		double		weight = part * gone->out[i].weight;

		if (to == eliminated)
			continue;
		if (positions[to] > 0)
			state->out[positions[to] - 1].weight += weight;
		else
			positions[to] = AddTransition(chain, graph, from, to, weight) + 1;
	}
	state->conversions += part * gone->conversions;
	state->ends += part * gone->ends;
	for (int i = 0; i < state->nout; i++)
		positions[state->out[i].to] = 0;
}

/*
 * Eliminate a state.  Its own transitions stay.
 */
static void
Eliminate(Chain *chain, Graph *graph, int index)
{
	ChainState *gone = &graph->states[index];
	double		weight_out = WeightOut(gone, index);

	CHECK_FOR_INTERRUPTS();
	Assert(weight_out > 0);
	for (int i = 0; i < gone->nin; i++)
	{
		if (gone->in[i] != index)
			PassBy(chain, graph, gone->in[i], index, weight_out);
	}
	for (int i = 0; i < gone->nout; i++)
	{
		ChainState *target = &graph->states[gone->out[i].to];
		int			j = 0;

		while (target->in[j] != index)
			j++;
		target->in[j] = target->in[--target->nin];
	}
	gone->eliminated = true;
}

/*
 * True if the state has a channel from first to last.
 */
static bool
HoldsChannel(const ChainState *state, uint32 first, uint32 last)
{
	for (int i = 0; i < CHAIN_MAX_ORDER; i++)
	{
		if (state->label.channels[i] >= first && state->label.channels[i] <= last)
			return true;
	}
	return false;
}

/*
 * Eliminate all states, except the start, that have no channel from first to
 * last; notes their order in "order" if that is not NULL.  Returns their
 * number.
 *
 * States with few transitions go first, so that few are added: in passes over
 * all states, with a limit that rises.
 */
static int
EliminateWithout(Chain *chain, Graph *graph, uint32 first, uint32 last, int *order)
{
	int64		limit = 1;
	int			nleft = 0;
	int			neliminated = 0;

	for (int i = 1; i < graph->nstates; i++)
		nleft += !HoldsChannel(&graph->states[i], first, last);
	while (nleft > 0)
	{
		int			before = nleft;

		for (int i = 1; i < graph->nstates; i++)
		{
			ChainState *state = &graph->states[i];

			if (state->eliminated || (int64) state->nin * state->nout > limit ||
				HoldsChannel(state, first, last))
				continue;
			Eliminate(chain, graph, i);
			if (order != NULL)
				order[neliminated] = i;
			neliminated++;
			nleft--;
		}
		if (before - nleft < before / WORTHWHILE_PART + 1)
			limit *= 2;
	}
	return neliminated;
}

/*
 * A copy of what is not eliminated, in the current memory context.
 */
static void
CopyGraph(Chain *chain, Graph *copy, const Graph *graph)
{
	int		   *places = MemoryContextAllocHuge(CurrentMemoryContext,
												(Size) graph->nstates * sizeof(int));

	copy->nstates = copy->room = 0;
	for (int i = 0; i < graph->nstates; i++)
		places[i] = graph->states[i].eliminated ? -1 : copy->room++;
	copy->states = MemoryContextAllocHuge(CurrentMemoryContext,
										  (Size) copy->room * sizeof(ChainState));
	for (int i = 0; i < graph->nstates; i++)
	{
		const ChainState *state = &graph->states[i];
		ChainState *to;

		if (state->eliminated)
			continue;
		to = &copy->states[AddState(copy, state->label)];
		to->origin = state->origin;
		to->conversions = state->conversions;
		to->ends = state->ends;
	}
	for (int i = 0; i < graph->nstates; i++)
	{
		const ChainState *state = &graph->states[i];

		for (int j = 0; !state->eliminated && j < state->nout; j++)
			AddTransition(chain, copy, places[i], places[state->out[j].to], state->out[j].weight);
	}
	pfree(places);
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
	int64		ntransitions = chain->ntransitions;
	Graph		graph;
	int		   *order;
	int			n;

	CopyGraph(chain, &graph, &chain->graph);
	order = MemoryContextAllocHuge(context, (Size) graph.nstates * sizeof(int));
	n = EliminateWithout(chain, &graph, NO_CHANNEL, 0, order);
	while (n-- > 0)
	{
		const ChainState *state = &graph.states[order[n]];
		double		sum = state->conversions;

		for (int i = 0; i < state->nout; i++)
		{
			if (state->out[i].to != order[n])
				sum += state->out[i].weight * chain->converts[state->out[i].to];
		}
		chain->converts[order[n]] = sum / WeightOut(state, order[n]);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	chain->ntransitions = ntransitions;
}

/*
 * Set the effects of the channels from first to last, from a graph in which
 * all states without any of them may be eliminated.
 */
static void
RemoveChannels(Chain *chain, const Graph *whole, uint32 first, uint32 last, double *effects)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align chain",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	int64		ntransitions = chain->ntransitions;
	Graph		graph;

	CopyGraph(chain, &graph, whole);
	(void) EliminateWithout(chain, &graph, first, last, NULL);
	if (first < last)
	{
		uint32		middle = first + (last - first) / 2;

		RemoveChannels(chain, &graph, first, middle, effects);
		RemoveChannels(chain, &graph, middle + 1, last, effects);
	}
	else
	{
		/* transitions of the start are now first visits to the channel */
		const ChainState *start = &graph.states[START];
		double		lost = 0;

		for (int i = 0; i < start->nout; i++)
			lost += start->out[i].weight *
				chain->converts[graph.states[start->out[i].to].origin];
		lost /= WeightOut(start, START);
		effects[first] = Min(lost / (chain->conversions / chain->ends), 1.0);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	chain->ntransitions = ntransitions;
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
	chain->positions = MemoryContextAllocExtended(CurrentMemoryContext, nstates * sizeof(int),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	SolveConversions(chain);
	RemoveChannels(chain, &chain->graph, 0, chain->nchannels - 1, effects);
}
