/*
 * route.c
 *	  infer_agg: chooses the success path of a draft.
 *
 * The success path is the likeliest route from the commonest entry to a won
 * stage, through open stages only.  The weight of a move is its share of all
 * moves out of its stage, and the product of the weights is maximised
 * (Dijkstra's algorithm).  This is the route that leads would take most often
 * if each move depended on the current stage alone.  Ties are broken by the
 * shorter route, then by the stage with more leads.
 *
 * An agreement needs a success path even if no lead ever won.  Then the path
 * may have rare moves, a move that no lead made, or a stage that no lead was
 * in; comments in the document mark them.
 */
#include "postgres.h"

#include "infer/infer.h"

int
align_infer_main_entry(const InferGraph *graph, bool open_only)
{
	int			best = -1;

	for (int i = 0; i < graph->nstages; i++)
	{
		const InferStage *stage = &graph->stages[i];

		if (stage->entered > 0 && (!open_only || stage->kind == STAGE_OPEN) &&
			(best < 0 || stage->entered > graph->stages[best].entered))
			best = i;
	}
	return best;
}

/*
 * Set graph->path to the likeliest route from an open stage to any won stage;
 * false if there is none.  With "shortest" all moves have the same weight,
 * which finds a route if the likeliest one exceeds FUNNEL_MAX_PATH stages.
 */
static bool
FindRoute(InferGraph *graph, int start, bool kept_only, bool shortest)
{
	int			n = graph->nstages;
	double	   *product = palloc(n * sizeof(double));
	int		   *hops = palloc(n * sizeof(int));
	int		   *came_from = palloc(n * sizeof(int));
	bool	   *done = palloc0(n * sizeof(bool));
	int			at;

	for (int i = 0; i < n; i++)
		hops[i] = -1;			/* not reached */
	product[start] = 1;
	hops[start] = 0;

	for (;;)
	{
		double		out = 0;

		/* the likeliest stage reached but not done; stages are few */
		at = -1;
		for (int i = 0; i < n; i++)
		{
			if (!done[i] && hops[i] >= 0 &&
				(at < 0 || product[i] > product[at] ||
				 (product[i] == product[at] && hops[i] < hops[at])))
				at = i;
		}
		if (at < 0 || graph->stages[at].kind == STAGE_WON)
			break;
		done[at] = true;
		if (graph->stages[at].kind != STAGE_OPEN)
			continue;

		for (int to = 0; to < n; to++)
			out += graph->leads[INFER_CELL(graph, at, to)];
		for (int to = 0; to < n; to++)
		{
			int			cell = INFER_CELL(graph, at, to);
			double		weight;

			if (done[to] || graph->leads[cell] == 0 || (kept_only && !graph->keep[cell]))
				continue;
			weight = product[at] * (shortest ? 1.0 : graph->leads[cell] / out);
			if (hops[to] < 0 || weight > product[to] ||
				(weight == product[to] && hops[at] + 1 < hops[to]))
			{
				product[to] = weight;
				hops[to] = hops[at] + 1;
				came_from[to] = at;
			}
		}
	}

	if (at < 0)
		return false;
	if (hops[at] >= FUNNEL_MAX_PATH)
		return !shortest && FindRoute(graph, start, kept_only, true);
	graph->npath = hops[at] + 1;
	for (int i = hops[at]; i >= 0; i--)
	{
		graph->path[i] = at;
		at = came_from[at];
	}
	return true;
}

/*
 * Try open stages as the head of the success path: the entries in the order of
 * the leads that entered there, or all stages in the order of their leads.
 */
static bool
FindRouteFromAny(InferGraph *graph, bool entries_only, bool kept_only)
{
	int			n = graph->nstages;
	bool	   *tried = palloc0(n * sizeof(bool));

	for (;;)
	{
		int			best = -1;

		for (int i = 0; i < n; i++)
		{
			const InferStage *stage = &graph->stages[i];

			if (tried[i] || stage->kind != STAGE_OPEN ||
				(entries_only && (stage->entered == 0 || (kept_only && !stage->is_entry))))
				continue;
			if (best < 0 ||
				(entries_only && stage->entered > graph->stages[best].entered))
				best = i;
		}
		if (best < 0)
			return false;
		if (FindRoute(graph, best, kept_only, false))
			return true;
		tried[best] = true;
	}
}

static int
FirstOfKind(const InferGraph *graph, StageKind kind)
{
	for (int i = 0; i < graph->nstages; i++)
	{
		if (graph->stages[i].kind == kind)
			return i;
	}
	elog(ERROR, "inferred agreement lacks a kind of stage");
}

/*
 * Choose the success path: from kept moves, else from rare ones, else from any
 * stage, else invent a move.
 */
void
align_infer_choose_path(InferGraph *graph)
{
	graph->path = palloc(Max(graph->nstages, FUNNEL_MAX_PATH) * sizeof(int));
	if (!FindRouteFromAny(graph, true, true) &&
		!FindRouteFromAny(graph, true, false) &&
		!FindRouteFromAny(graph, false, false))
	{
		/* no route leads to a won stage: invent a move from the main entry */
		int			start = align_infer_main_entry(graph, true);

		graph->path[0] = start >= 0 ? start : FirstOfKind(graph, STAGE_OPEN);
		graph->path[1] = FirstOfKind(graph, STAGE_WON);
		graph->npath = 2;
	}

	for (int i = 0; i < graph->npath; i++)
	{
		graph->stages[graph->path[i]].position = i;
		if (i > 0)
			graph->keep[INFER_CELL(graph, graph->path[i - 1], graph->path[i])] = true;
	}
}
