/*
 * graph.c
 *	  infer_agg: chooses the stages, entries and moves that a draft keeps.
 *
 * A move is kept if at least min_share of the leads that were ever in the
 * stage it leaves made it, an entry if at least min_share of all leads entered
 * the funnel there (the commonest entry always).  The share of a move is
 * relative to the leads that could have made it, because the stages at the end
 * of a funnel have few leads.
 */
#include "postgres.h"

#include "infer/infer.h"

/*
 * The longest label (as written, in quotes) that becomes a stage.  A draft
 * mentions a stage several times, and the text of an agreement is limited.
 */
#define INFER_MAX_NAME (FUNNEL_MAX_TEXT / 16)

static int
CompareNames(LeadString a, LeadString b)
{
	int			result = memcmp(a.text, b.text, Min(a.len, b.len));

	return result != 0 ? result : (a.len > b.len) - (a.len < b.len);
}

/* Order by leads, descending, then by the bytes of the name. */
static int
CompareLabels(const void *a, const void *b)
{
	const InferLabel *left = *(InferLabel *const *) a;
	const InferLabel *right = *(InferLabel *const *) b;

	if (left->leads != right->leads)
		return left->leads > right->leads ? -1 : 1;
	return CompareNames(left->name, right->name);
}

static bool
CanBeStage(LeadString name)
{
	int			quotes = 0;

	for (int i = 0; i < name.len; i++)
		quotes += name.text[i] == '"';
	return name.len > 0 && name.len + quotes <= INFER_MAX_NAME;
}

/*
 * The labels that become stages, ranked.  If the limit does not allow all,
 * those listed as won come before the commonest others.  Sets graph->nstages.
 */
static InferLabel **
RankLabels(InferGraph *graph, int max_stages, const LeadString *won, int nwon)
{
	const InferState *state = graph->state;
	InferLabel **ranked = palloc(state->nlabels * sizeof(InferLabel *));
	int			nranked = 0;
	int			nchosen = 0;

	for (int i = 0; i < state->nlabels; i++)
		ranked[nranked++] = &state->labels[i];
	qsort(ranked, nranked, sizeof(InferLabel *), CompareLabels);

	for (int pass = 0; pass < 2; pass++)
	{
		/* first those listed as won; both kinds keep their order */
		for (int i = nchosen; i < nranked && nchosen < max_stages; i++)
		{
			InferLabel *label = ranked[i];

			if (!CanBeStage(label->name) ||
				(pass == 0 && !align_infer_listed(label->name, won, nwon)))
				continue;
			memmove(&ranked[nchosen + 1], &ranked[nchosen], (i - nchosen) * sizeof(InferLabel *));
			ranked[nchosen++] = label;
		}
	}
	graph->nleft_out = nranked - nchosen;
	if (nranked > nchosen)
		graph->leads_left_out = ranked[nchosen]->leads;
	qsort(ranked, nchosen, sizeof(InferLabel *), CompareLabels);
	graph->nstages = nchosen;
	return ranked;
}

static InferStage *
AddStage(InferGraph *graph, LeadString name, StageKind kind)
{
	InferStage *stage = &graph->stages[graph->nstages++];

	memset(stage, 0, sizeof(InferStage));
	stage->name = name;
	stage->kind = kind;
	stage->position = -1;
	return stage;
}

/*
 * A name for an invented stage: the wanted one, with a number if it is taken.
 */
static LeadString
UnusedName(const InferState *state, const char *wanted)
{
	LeadString	name = {wanted, strlen(wanted)};

	for (int n = 2;; n++)
	{
		bool		taken = false;

		for (int i = 0; i < state->nlabels && !taken; i++)
			taken = CompareNames(name, state->labels[i].name) == 0;
		if (!taken)
			return name;
		name.text = psprintf("%s_%d", wanted, n);
		name.len = strlen(name.text);
	}
}

/*
 * Guess the won stage: of the open stages that leads move into, except the
 * main entry, the one with the largest ended^2 / leads.  That is a stage where
 * many journeys end and few go on.  -1 if there is none.
 */
static int
GuessWon(const InferGraph *graph)
{
	int			main_entry = align_infer_main_entry(graph, false);
	int			best = -1;
	double		best_score = 0;

	for (int i = 0; i < graph->nstages; i++)
	{
		const InferStage *stage = &graph->stages[i];
		double		score = (double) stage->ended * stage->ended / Max(stage->leads, 1);
		bool		arrived = false;

		for (int from = 0; from < graph->nstages; from++)
			arrived |= graph->leads[INFER_CELL(graph, from, i)] > 0;
		if (arrived && i != main_entry && stage->kind == STAGE_OPEN && score > best_score)
		{
			best = i;
			best_score = score;
		}
	}
	return best;
}

/*
 * Set the kind of every stage; guess or invent a won stage if there is none.
 */
static void
SetKinds(InferGraph *graph, const LeadString *won, int nwon)
{
	int			nlost;
	LeadString *lost = align_infer_names(graph->state->lost, "lost", &nlost);
	bool		any_won = false;

	for (int i = 0; i < graph->nstages; i++)
	{
		InferStage *stage = &graph->stages[i];

		if (align_infer_listed(stage->name, won, nwon))
		{
			stage->kind = STAGE_WON;
			any_won = true;
		}
		else if (align_infer_listed(stage->name, lost, nlost))
			stage->kind = STAGE_LOST;
	}
	if (any_won)
		return;

	/* guess only if the caller lists no won stage */
	if (nwon == 0)
	{
		int			guess = GuessWon(graph);

		graph->guessed_won = guess >= 0;
		if (guess >= 0)
		{
			graph->stages[guess].kind = STAGE_WON;
			return;
		}
	}
	/* a listed stage that no lead was in, or one with the name "won" */
	for (int i = 0; i < nwon; i++)
	{
		if (CanBeStage(won[i]))
		{
			AddStage(graph, won[i], STAGE_WON);
			return;
		}
	}
	AddStage(graph, UnusedName(graph->state, "won"), STAGE_WON);
}

/*
 * Invent an open stage if there is none, because an agreement needs one.
 */
static void
EnsureOpenStage(InferGraph *graph)
{
	for (int i = 0; i < graph->nstages; i++)
	{
		if (graph->stages[i].kind == STAGE_OPEN)
			return;
	}
	AddStage(graph, UnusedName(graph->state, "lead"), STAGE_OPEN);
}

/*
 * Fill the matrix of observed moves; invented stages have none.
 */
static void
FillMoves(InferGraph *graph, InferLabel **ranked, int nranked)
{
	const InferState *state = graph->state;
	int		   *stage_of_label = palloc(Max(state->nlabels, 1) * sizeof(int));
	int			nmoves;
	InferMove  *moves = align_infer_moves(state, &nmoves);

	for (int i = 0; i < state->nlabels; i++)
		stage_of_label[i] = -1;
	for (int i = 0; i < nranked; i++)
		stage_of_label[ranked[i] - state->labels] = i;

	graph->leads = palloc0(graph->nstages * graph->nstages * sizeof(int64));
	for (int i = 0; i < nmoves; i++)
	{
		int			from = stage_of_label[INFER_MOVE_FROM(&moves[i])];
		int			to = stage_of_label[INFER_MOVE_TO(&moves[i])];

		if (from >= 0 && to >= 0)
			graph->leads[INFER_CELL(graph, from, to)] = moves[i].leads;
	}
	pfree(moves);
	pfree(stage_of_label);
}

/*
 * Keep the entries and moves that are not rare.
 */
static void
KeepCommon(InferGraph *graph)
{
	const InferState *state = graph->state;
	int			main_entry = align_infer_main_entry(graph, false);

	graph->keep = palloc0(graph->nstages * graph->nstages * sizeof(bool));
	for (int i = 0; i < graph->nstages; i++)
	{
		InferStage *stage = &graph->stages[i];

		stage->is_entry = stage->entered > 0 &&
			(i == main_entry || stage->entered >= state->min_share * state->nleads);
		for (int to = 0; to < graph->nstages; to++)
		{
			int64		leads = graph->leads[INFER_CELL(graph, i, to)];

			graph->keep[INFER_CELL(graph, i, to)] =
				leads > 0 && leads >= state->min_share * stage->leads;
		}
	}
}

/*
 * Keep the stages that are reached through kept entries and moves.
 */
static void
KeepReached(InferGraph *graph)
{
	int		   *queue = palloc(graph->nstages * sizeof(int));
	int			nqueue = 0;

	for (int i = 0; i < graph->nstages; i++)
	{
		graph->stages[i].kept = graph->stages[i].is_entry;
		if (graph->stages[i].kept)
			queue[nqueue++] = i;
	}
	for (int next = 0; next < nqueue; next++)
	{
		for (int to = 0; to < graph->nstages; to++)
		{
			if (!graph->stages[to].kept && graph->keep[INFER_CELL(graph, queue[next], to)])
			{
				graph->stages[to].kept = true;
				queue[nqueue++] = to;
			}
		}
	}
	pfree(queue);
}

InferGraph *
align_infer_graph(const InferState *state, int max_stages)
{
	InferGraph *graph = palloc0(sizeof(InferGraph));
	int			nwon;
	LeadString *won = align_infer_names(state->won, "won", &nwon);
	InferLabel **ranked;
	int			nranked;

	graph->state = state;
	ranked = RankLabels(graph, max_stages, won, nwon);
	nranked = graph->nstages;

	graph->stages = palloc((nranked + 2) * sizeof(InferStage));
	graph->nstages = 0;
	for (int i = 0; i < nranked; i++)
	{
		InferStage *stage = AddStage(graph, ranked[i]->name, STAGE_OPEN);

		stage->leads = ranked[i]->leads;
		stage->entered = ranked[i]->entered;
		stage->ended = ranked[i]->ended;
	}

	FillMoves(graph, ranked, nranked);
	SetKinds(graph, won, nwon);
	EnsureOpenStage(graph);
	if (graph->nstages > nranked)
	{
		/* an invented stage makes the rows of the matrix longer */
		pfree(graph->leads);
		FillMoves(graph, ranked, nranked);
	}
	KeepCommon(graph);
	align_infer_choose_path(graph);
	KeepReached(graph);

	/* the success path may begin in a stage that is not reached otherwise */
	if (!graph->stages[graph->path[0]].kept)
	{
		graph->stages[graph->path[0]].is_entry = true;
		KeepReached(graph);
	}
	return graph;
}
