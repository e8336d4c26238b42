/*
 * eliminate.c
 *	  Eliminates states of a Markov chain.
 *
 * When a state goes, each transition into it is replaced by transitions to its
 * successors, in proportion to their weights (W. K. Grassmann, M. I. Taksar,
 * D. P. Heyman, "Regenerative analysis and steady state distributions for
 * Markov chains", Operations Research 33 (1985), 1107-1116).  Nothing is ever
 * subtracted, so weights are never negative and have a small relative error,
 * however close the chain is to one that never ends.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "paths/eliminate.h"

/* One more pass at the same limit if the last one eliminated this part. */
#define WORTHWHILE_PART 10

void
align_chain_check_limits(const ChainWork *work)
{
	bool		states = work->nstates > CHAIN_MAX_STATES;

	if (unlikely(states || work->ntransitions > CHAIN_MAX_TRANSITIONS))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("Markov chain of order %d is too large", work->order),
				 states ?
				 errdetail("It has more than %d states.", CHAIN_MAX_STATES) :
				 errdetail("It has %d states, and more than %d transitions while it is solved.",
						   work->nstates, CHAIN_MAX_TRANSITIONS),
				 errhint("Use a lower order, or merge rare channels before paths are aggregated.")));
}

/*
 * Count the transitions that are about to be visited.  Raises an error if they
 * are too many.
 */
static inline void
CountSteps(ChainWork *work, int64 nsteps)
{
	work->nsteps += nsteps;
	if (unlikely(work->nsteps > CHAIN_MAX_STEPS))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("Markov chain of order %d is too large", work->order),
				 errdetail("It has %d states, and takes more than %lld steps to solve.",
						   work->nstates, (long long) CHAIN_MAX_STEPS),
				 errhint("Use a lower order, or merge rare channels before paths are aggregated.")));
}

/*
 * A new state; returns its index.
 */
int
align_graph_add_state(ChainGraph *graph, StateLabel label)
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
int
align_graph_add(ChainWork *work, ChainGraph *graph, int from, int to, double weight)
{
	ChainState *source = &graph->states[from];
	ChainState *target = &graph->states[to];

	work->ntransitions++;
	align_chain_check_limits(work);
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

/*
 * The weight of all transitions of a state, but to itself.
 */
double
align_graph_weight_out(const ChainState *state, int self)
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
PassBy(ChainWork *work, ChainGraph *graph, int from, int eliminated, double weight_out)
{
	ChainState *gone = &graph->states[eliminated];
	ChainState *state = &graph->states[from];
	int		   *positions = work->positions;
	double		part;
	int			at;

	CountSteps(work, (int64) state->nout + gone->nout);
	for (int i = 0; i < state->nout; i++)
		positions[state->out[i].to] = i + 1;
	at = positions[eliminated] - 1;
	part = state->out[at].weight / weight_out;

	/* the last one takes its place */
	positions[eliminated] = 0;
	state->out[at] = state->out[--state->nout];
	if (at < state->nout)
		positions[state->out[at].to] = at + 1;
	work->ntransitions--;

	for (int i = 0; i < gone->nout; i++)
	{
		int			to = gone->out[i].to;
		double		weight = part * gone->out[i].weight;

		if (to == eliminated)
			continue;
		if (positions[to] > 0)
			state->out[positions[to] - 1].weight += weight;
		else
			positions[to] = align_graph_add(work, graph, from, to, weight) + 1;
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
Eliminate(ChainWork *work, ChainGraph *graph, int index)
{
	ChainState *gone = &graph->states[index];
	double		weight_out = align_graph_weight_out(gone, index);

	CHECK_FOR_INTERRUPTS();
	Assert(weight_out > 0);
	for (int i = 0; i < gone->nin; i++)
	{
		if (gone->in[i] != index)
			PassBy(work, graph, gone->in[i], index, weight_out);
	}
	for (int i = 0; i < gone->nout; i++)
	{
		ChainState *target = &graph->states[gone->out[i].to];
		int			j = 0;

		while (target->in[j] != index)
			j++;
		CountSteps(work, j);
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
int
align_graph_eliminate(ChainWork *work, ChainGraph *graph, uint32 first, uint32 last, int *order)
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
			Eliminate(work, graph, i);
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
void
align_graph_copy(ChainWork *work, ChainGraph *copy, const ChainGraph *graph)
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
		to = &copy->states[align_graph_add_state(copy, state->label)];
		to->origin = state->origin;
		to->conversions = state->conversions;
		to->ends = state->ends;
	}
	for (int i = 0; i < graph->nstates; i++)
	{
		const ChainState *state = &graph->states[i];

		for (int j = 0; !state->eliminated && j < state->nout; j++)
			align_graph_add(work, copy, places[i], places[state->out[j].to], state->out[j].weight);
	}
	pfree(places);
}
