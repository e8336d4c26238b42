/*
 * draft.c
 *	  infer_agg: writes the draft agreement.
 *
 * Each line is a statement, followed by its counts in a comment.  Rare moves
 * and stages are comments as a whole; deleting two hyphens adds one to the
 * draft.  A comment ends with its line and a stage name may contain anything,
 * so names in comments are shortened, and their control characters become
 * blanks.
 *
 * Write... functions write statements, Note... functions write into comments.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "infer/infer.h"
#include "text_scan.h"
#include "time_text.h"

/* Sources in one "path a, b -> c" statement. */
#define SOURCES_PER_LINE 4
/* Rare moves and stages that are listed; the others are only counted. */
#define MAX_RARE_LINES 200
/* Bytes of a stage name that a comment repeats. */
#define COMMENT_NAME_LEN 64

/*
 * Keywords of the language are contextual and need no quotes, except "any",
 * which at the start of a path stands for all stages.
 */
static void
WriteStage(StringInfo out, const InferStage *stage)
{
	if (stage->name.len == 3 && pg_strncasecmp(stage->name.text, "any", 3) == 0)
		align_write_quoted(out, '"', stage->name.text, stage->name.len);
	else
		align_write_name(out, stage->name.text, stage->name.len);
}

/*
 * Write a stage name into a comment: shortened, and without line breaks.
 */
static void
NoteStage(StringInfo out, const InferStage *stage)
{
	int			begin = out->len;
	int			len = pg_mbcliplen(stage->name.text, stage->name.len, COMMENT_NAME_LEN);
	InferStage	clipped = *stage;

	clipped.name.len = len;
	WriteStage(out, &clipped);
	for (int i = begin; i < out->len; i++)
	{
		if ((unsigned char) out->data[i] < ' ' || out->data[i] == '\177')
			out->data[i] = ' ';
	}
	if (len < stage->name.len)
		appendStringInfoString(out, "...");
}

/* "3 leads" */
static void
NoteLeads(StringInfo out, int64 leads)
{
	appendStringInfo(out, INT64_FORMAT " %s", leads, leads == 1 ? "lead" : "leads");
}

/* " (0.1 %)" */
static void
NotePercent(StringInfo out, int64 part, int64 whole)
{
	double		percent = whole > 0 ? 100.0 * part / whole : 0;

	if (part > 0 && percent < 0.05)
		appendStringInfoString(out, " (<0.1 %)");
	else
		appendStringInfo(out, " (%.1f %%)", percent);
}

/* "3 leads (0.1 %)" */
static void
NoteShare(StringInfo out, int64 part, int64 whole)
{
	NoteLeads(out, part);
	NotePercent(out, part, whole);
}

/* "3 (0.1 %)", for lists */
static void
NoteBareShare(StringInfo out, int64 part, int64 whole)
{
	appendStringInfo(out, INT64_FORMAT, part);
	NotePercent(out, part, whole);
}

/* "2026-03-01", in UTC */
static void
NoteDate(StringInfo out, TimestampTz time)
{
	int			begin = out->len;
	char	   *clock;

	align_write_time(out, time);
	clock = strchr(out->data + begin, 'T');
	if (clock != NULL)
	{
		*clock = '\0';
		out->len = clock - out->data;
	}
}

static void
WriteHeader(StringInfo out, const InferGraph *graph)
{
	const InferState *state = graph->state;

	appendStringInfoString(out, "-- Draft agreement inferred from ");
	NoteLeads(out, state->nleads);
	appendStringInfoString(out, ", ");
	NoteDate(out, state->first);
	appendStringInfoString(out, " to ");
	NoteDate(out, state->last);
	appendStringInfoString(out, " (UTC).\n");

	appendStringInfoString(out, "-- A percentage is of the leads that were ever in the stage "
						   "that a move leaves.\n");
	if (state->min_share > 0)
		appendStringInfo(out, "-- Below %g %% a move is rare and only a comment (min_share %g).\n",
						 state->min_share * 100, state->min_share);
	else
		appendStringInfoString(out, "-- Every move that was observed is kept (min_share 0).\n");
	if (state->nstageless > 0)
	{
		appendStringInfoString(out, "-- Not counted: ");
		NoteLeads(out, state->nstageless);
		appendStringInfoString(out, " that never entered a stage.\n");
	}
	if (graph->nleft_out > 0)
	{
		appendStringInfo(out, "-- Left out: %d %s beyond the limits of an agreement; "
						 "the commonest had ",
						 graph->nleft_out, graph->nleft_out == 1 ? "stage" : "stages");
		NoteLeads(out, graph->leads_left_out);
		appendStringInfoString(out, ".\n");
	}
}

static void
WriteStageLine(StringInfo out, const InferGraph *graph, const InferStage *stage)
{
	static const char *const statement[] = {"stage", "won", "lost"};

	appendStringInfo(out, "%s ", statement[stage->kind]);
	WriteStage(out, stage);
	appendStringInfoString(out, ";  -- ");
	if (stage->leads == 0)
		appendStringInfoString(out, "assumed: no lead was ever in it");
	else
	{
		NoteLeads(out, stage->leads);
		appendStringInfo(out, ", " INT64_FORMAT " of them there last", stage->ended);
	}
	if (stage->kind == STAGE_WON && graph->guessed_won)
		appendStringInfoString(out, "; guessed to mean won, "
							   "because most journeys end there and few leave");
	appendStringInfoChar(out, '\n');
}

static void
WriteStages(StringInfo out, const InferGraph *graph)
{
	appendStringInfoChar(out, '\n');
	for (int i = 0; i < graph->npath; i++)
	{
		if (graph->stages[graph->path[i]].kind == STAGE_OPEN)
			WriteStageLine(out, graph, &graph->stages[graph->path[i]]);
	}
	for (int kind = STAGE_OPEN; kind <= STAGE_LOST; kind++)
	{
		for (int i = 0; i < graph->nstages; i++)
		{
			const InferStage *stage = &graph->stages[i];

			if (stage->kept && (int) stage->kind == kind &&
				(kind != STAGE_OPEN || stage->position < 0))
				WriteStageLine(out, graph, stage);
		}
	}
}

static int
CompareEntries(const void *a, const void *b)
{
	const InferStage *left = *(InferStage *const *) a;
	const InferStage *right = *(InferStage *const *) b;

	if (left->entered != right->entered)
		return left->entered > right->entered ? -1 : 1;
	/* stages are ranked: their order in memory decides */
	return (left > right) - (left < right);
}

static void
WriteEntries(StringInfo out, const InferGraph *graph)
{
	InferStage **entries = palloc(graph->nstages * sizeof(InferStage *));
	int			nentries = 0;

	for (int i = 0; i < graph->nstages; i++)
	{
		if (graph->stages[i].is_entry)
			entries[nentries++] = &graph->stages[i];
	}
	qsort(entries, nentries, sizeof(InferStage *), CompareEntries);

	appendStringInfoString(out, "\nentry ");
	for (int i = 0; i < nentries; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		WriteStage(out, entries[i]);
	}
	appendStringInfoString(out, ";  -- ");
	for (int i = 0; i < nentries; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		if (nentries > 1)
		{
			NoteStage(out, entries[i]);
			appendStringInfoChar(out, ' ');
		}
		if (entries[i]->entered == 0)
			appendStringInfoString(out, "assumed");
		else
		{
			NoteBareShare(out, entries[i]->entered, graph->state->nleads);
			/* the commonest come first, assumed ones last */
			if (i == nentries - 1 || entries[i + 1]->entered == 0)
				appendStringInfoString(out, " of all leads");
		}
	}
	appendStringInfoChar(out, '\n');
}

static void
NoteMove(StringInfo out, const InferGraph *graph, int from, int to)
{
	NoteBareShare(out, graph->leads[INFER_CELL(graph, from, to)], graph->stages[from].leads);
}

static void
WriteSuccessPath(StringInfo out, const InferGraph *graph)
{
	appendStringInfoString(out, "success path ");
	for (int i = 0; i < graph->npath; i++)
	{
		if (i > 0)
			appendStringInfoString(out, " -> ");
		WriteStage(out, &graph->stages[graph->path[i]]);
	}
	appendStringInfoString(out, ";  -- ");
	for (int i = 1; i < graph->npath; i++)
	{
		if (i > 1)
			appendStringInfoString(out, ", ");
		if (graph->leads[INFER_CELL(graph, graph->path[i - 1], graph->path[i])] == 0)
			appendStringInfoString(out, "assumed: no lead was seen to go this way");
		else
		{
			NoteMove(out, graph, graph->path[i - 1], graph->path[i]);
			if (i == graph->npath - 1)
				appendStringInfoString(out, " leads");
		}
	}
	appendStringInfoChar(out, '\n');
}

static bool
OnSuccessPath(const InferGraph *graph, int from, int to)
{
	return graph->stages[from].position >= 0 &&
		graph->stages[to].position == graph->stages[from].position + 1;
}

/* True for a kept move that is not part of the success path. */
static bool
IsDetour(const InferGraph *graph, int from, int to)
{
	return graph->stages[from].kept && graph->keep[INFER_CELL(graph, from, to)] &&
		!OnSuccessPath(graph, from, to);
}

/*
 * Write "path a, b -> c;" for the detours to a stage, a few sources per line.
 */
static void
WritePathsTo(StringInfo out, const InferGraph *graph, int to)
{
	int			sources[SOURCES_PER_LINE];
	int			nsources = 0;

	for (int from = 0; from <= graph->nstages; from++)
	{
		/* collect sources until a line is full; one round more for the rest */
		if (from < graph->nstages && IsDetour(graph, from, to))
			sources[nsources++] = from;
		if (nsources == 0 ||
			(nsources < SOURCES_PER_LINE && from < graph->nstages))
			continue;

		appendStringInfoString(out, "path ");
		for (int i = 0; i < nsources; i++)
		{
			if (i > 0)
				appendStringInfoString(out, ", ");
			WriteStage(out, &graph->stages[sources[i]]);
		}
		appendStringInfoString(out, " -> ");
		WriteStage(out, &graph->stages[to]);
		appendStringInfoString(out, ";  -- ");
		if (nsources == 1)
			NoteShare(out, graph->leads[INFER_CELL(graph, sources[0], to)],
					  graph->stages[sources[0]].leads);
		for (int i = 0; nsources > 1 && i < nsources; i++)
		{
			if (i > 0)
				appendStringInfoString(out, ", ");
			NoteMove(out, graph, sources[i], to);
		}
		appendStringInfoString(out, nsources > 1 ? " leads\n" : "\n");
		nsources = 0;
	}
}

static void
WriteDetours(StringInfo out, const InferGraph *graph)
{
	for (int kind = STAGE_OPEN; kind <= STAGE_LOST; kind++)
	{
		for (int to = 0; to < graph->nstages; to++)
		{
			if ((int) graph->stages[to].kind == kind)
				WritePathsTo(out, graph, to);
		}
	}
}

/*
 * An observation that the draft leaves out: a move, an entry (from is -1), or
 * a stage that no kept move or entry reaches (from and to are the stage).
 */
typedef struct RareThing
{
	int64		leads;
	int64		of;				/* leads of which these are a share */
	int			from;
	int			to;
} RareThing;

static int
CompareRare(const void *a, const void *b)
{
	const RareThing *left = (const RareThing *) a;
	const RareThing *right = (const RareThing *) b;

	if (left->leads != right->leads)
		return left->leads > right->leads ? -1 : 1;
	if (left->from != right->from)
		return left->from < right->from ? -1 : 1;
	return (left->to > right->to) - (left->to < right->to);
}

static void
SetRare(RareThing *thing, int64 leads, int64 of, int from, int to)
{
	thing->leads = leads;
	thing->of = of;
	thing->from = from;
	thing->to = to;
}

static RareThing *
CollectRare(const InferGraph *graph, int *count)
{
	int			n = graph->nstages;
	RareThing  *things = palloc((n * n + 2 * n) * sizeof(RareThing));

	*count = 0;
	for (int from = 0; from < n; from++)
	{
		const InferStage *stage = &graph->stages[from];

		if (stage->leads > 0 && !stage->kept)
			SetRare(&things[(*count)++], stage->leads, graph->state->nleads, from, from);
		if (stage->entered > 0 && !stage->is_entry)
			SetRare(&things[(*count)++], stage->entered, graph->state->nleads, -1, from);
		for (int to = 0; to < n; to++)
		{
			int64		leads = graph->leads[INFER_CELL(graph, from, to)];

			if (leads > 0 && !(stage->kept && graph->keep[INFER_CELL(graph, from, to)]))
				SetRare(&things[(*count)++], leads, stage->leads, from, to);
		}
	}
	qsort(things, *count, sizeof(RareThing), CompareRare);
	return things;
}

static void
WriteRareLine(StringInfo out, const InferGraph *graph, const RareThing *thing)
{
	static const char *const statement[] = {"stage", "won", "lost"};
	const InferStage *to = &graph->stages[thing->to];

	appendStringInfoString(out, "-- ");
	if (thing->from == thing->to)
		appendStringInfo(out, "%s ", statement[to->kind]);
	else if (thing->from < 0)
		appendStringInfoString(out, "entry ");
	else
	{
		appendStringInfoString(out, "path ");
		NoteStage(out, &graph->stages[thing->from]);
		appendStringInfoString(out, " -> ");
	}
	NoteStage(out, to);
	appendStringInfoString(out, ";  -- ");
	NoteShare(out, thing->leads, thing->of);
	appendStringInfoChar(out, '\n');
}

static void
WriteRare(StringInfo out, const InferGraph *graph, int max_lines)
{
	int			count;
	RareThing  *rare = CollectRare(graph, &count);
	int			shown = Min(count, max_lines);

	if (count == 0)
		return;
	appendStringInfoString(out, "\n-- Seen, but too rare to keep, "
						   "or reached only through what is:\n");
	for (int i = 0; i < shown; i++)
		WriteRareLine(out, graph, &rare[i]);
	if (shown < count)
	{
		appendStringInfo(out, "-- and %d more, each of at most ", count - shown);
		NoteLeads(out, rare[shown].leads);
		appendStringInfoString(out, ".\n");
	}
	pfree(rare);
}

/*
 * List the labels in won or lost that no lead ever had.
 */
static void
WriteUnseen(StringInfo out, const InferGraph *graph, ArrayType *array, const char *statement)
{
	int			count;
	LeadString *names = align_infer_names(array, statement, &count);
	bool		any = false;

	for (int i = 0; i < count && i < MAX_RARE_LINES; i++)
	{
		InferStage	stage = {.name = names[i]};
		bool		seen = align_infer_listed(names[i], names, i);

		for (int j = 0; j < graph->nstages && !seen; j++)
			seen = align_infer_listed(names[i], &graph->stages[j].name, 1);
		for (int j = 0; j < graph->state->nlabels && !seen; j++)
			seen = align_infer_listed(names[i], &graph->state->labels[j].name, 1);
		if (seen)
			continue;
		if (!any)
			appendStringInfoChar(out, '\n');
		any = true;
		appendStringInfo(out, "-- %s ", statement);
		NoteStage(out, &stage);
		appendStringInfoString(out, ";  -- never seen\n");
	}
}

/*
 * Write the draft.  If it exceeds the size of an agreement, because of many or
 * long names, try again without rare observations, and then with fewer stages.
 */
char *
align_infer_draft(const InferState *state)
{
	int			max_stages = INFER_MAX_STAGES;
	int			max_rare = MAX_RARE_LINES;
	StringInfoData out;

	initStringInfo(&out);
	for (;;)
	{
		InferGraph *graph = align_infer_graph(state, max_stages);

		WriteHeader(&out, graph);
		WriteStages(&out, graph);
		WriteEntries(&out, graph);
		WriteSuccessPath(&out, graph);
		WriteDetours(&out, graph);
		WriteRare(&out, graph, max_rare);
		WriteUnseen(&out, graph, state->won, "won");
		WriteUnseen(&out, graph, state->lost, "lost");

		if (out.len <= FUNNEL_MAX_TEXT || max_stages <= 1)
			return out.data;
		if (max_rare > 0)
			max_rare = 0;
		else
			max_stages = Min(max_stages, graph->nstages) / 2;
		resetStringInfo(&out);
	}
}
