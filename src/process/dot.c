/*
 * dot.c
 *	  dfg_dot(): a process as a graph in the language of Graphviz.
 *
 * Stages have generated ids, and their names are in quoted labels, in which
 * backslashes begin an escape, and ampersands an entity.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "process/picture.h"

PG_FUNCTION_INFO_V1(align_dfg_dot);

/* The width of an arrow that all leads took is 1 more. */
#define WIDEST 4.0

static void
AppendLabel(StringInfo out, LeadString text)
{
	for (int i = 0; i < text.len; i++)
	{
		unsigned char c = text.text[i];

		if (c == '"' || c == '\\')
			appendStringInfo(out, "\\%c", c);
		else if (c == '&')
			appendStringInfoString(out, "&amp;");
		else if (c == '\n')
			appendStringInfoString(out, "\\n");
		else
			appendStringInfoChar(out, c < ' ' || c == 0x7f ? ' ' : c);
	}
}

static void
AppendStages(StringInfo out, const Picture *picture)
{
	const Process *process = picture->process;

	for (int i = 0; i < process->nstages; i++)
	{
		const ProcessStage *stage = &process->stages[i];

		if (!picture->stage_shown[i])
			continue;
		appendStringInfo(out, "    s%d [label=\"", i + 1);
		AppendLabel(out, stage->name);
		appendStringInfo(out, "\\n" INT64_FORMAT " %s\"];\n", stage->leads,
						 stage->leads == 1 ? "lead" : "leads");
	}
}

static void
AppendWidth(StringInfo out, const Picture *picture, int64 leads)
{
	appendStringInfo(out, "penwidth=%.1f",
					 1 + WIDEST * (double) leads / (double) picture->process->leads);
}

static void
AppendMoves(StringInfo out, const Picture *picture)
{
	const Process *process = picture->process;

	for (int i = 0; i < picture->nmoves; i++)
	{
		const ProcessMove *move = &process->moves[picture->moves[i]];

		appendStringInfo(out, "    s%d -> s%d [label=\"" INT64_FORMAT "\\n",
						 move->from + 1, move->to + 1, move->moves);
		align_picture_times(out, &move->times);
		appendStringInfoString(out, "\", ");
		AppendWidth(out, picture, move->leads);
		appendStringInfoString(out, "];\n");
	}
}

/*
 * Dotted arrows from the start, or to the end, with one node for all of them.
 */
static void
AppendStartsAndEnds(StringInfo out, const Picture *picture, bool starts)
{
	const Process *process = picture->process;
	bool		first = true;

	for (int i = 0; i < process->nstages; i++)
	{
		int64		leads = starts ? process->stages[i].starts : process->stages[i].ends;

		if (!align_picture_shows(picture, leads))
			continue;
		if (first)
			appendStringInfo(out, "    %s [label=\"%s\", shape=circle];\n",
							 starts ? "first" : "last", starts ? "start" : "end");
		first = false;
		if (starts)
			appendStringInfo(out, "    first -> s%d [label=\"" INT64_FORMAT "\", style=dotted, ",
							 i + 1, leads);
		else
			appendStringInfo(out, "    s%d -> last [label=\"" INT64_FORMAT "\", style=dotted, ",
							 i + 1, leads);
		AppendWidth(out, picture, leads);
		appendStringInfoString(out, "];\n");
	}
}

Datum
align_dfg_dot(PG_FUNCTION_ARGS)
{
	Picture		picture;
	StringInfoData out;

	align_picture(fcinfo, &picture);
	initStringInfo(&out);
	appendStringInfo(&out, "digraph process {\n"
					 "    // moves: " INT64_FORMAT " of " INT64_FORMAT ", arrows: %d of %d, leads: "
					 INT64_FORMAT "\n"
					 "    node [shape=box, style=rounded];\n",
					 picture.moves_shown, picture.moves_in_all, picture.nmoves,
					 picture.process->nmoves, picture.process->leads);
	AppendStages(&out, &picture);
	AppendStartsAndEnds(&out, &picture, true);
	AppendMoves(&out, &picture);
	AppendStartsAndEnds(&out, &picture, false);
	appendStringInfoChar(&out, '}');
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
