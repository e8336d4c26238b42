/*
 * mermaid.c
 *	  dfg_mermaid(): a process as a Mermaid flowchart.
 *
 * Stages have generated ids, and their names are in quoted labels.  In these,
 * all punctuation but a few characters is written as entities: Mermaid takes
 * labels that begin like lists or contain backticks for Markdown, and others
 * for HTML.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "funnel/funnel.h"
#include "process/picture.h"

PG_FUNCTION_INFO_V1(align_dfg_mermaid);

/* No dot, which may make a label begin like a numbered list. */
#define PLAIN_PUNCTUATION " ,/"

static void
AppendStages(StringInfo out, const Picture *picture)
{
	const Process *process = picture->process;

	for (int i = 0; i < process->nstages; i++)
	{
		const ProcessStage *stage = &process->stages[i];

		if (!picture->stage_shown[i])
			continue;
		appendStringInfo(out, "    s%d[\"", i + 1);
		align_mermaid_label(out, stage->name.text, stage->name.len, PLAIN_PUNCTUATION);
		appendStringInfo(out, "<br/>" INT64_FORMAT " %s\"]\n", stage->leads,
						 stage->leads == 1 ? "lead" : "leads");
	}
}

static void
AppendMoves(StringInfo out, const Picture *picture)
{
	const Process *process = picture->process;

	for (int i = 0; i < picture->nmoves; i++)
	{
		const ProcessMove *move = &process->moves[picture->moves[i]];

		appendStringInfo(out, "    s%d -->|\"" INT64_FORMAT "<br/>", move->from + 1, move->moves);
		align_picture_times(out, &move->times);
		appendStringInfo(out, "\"| s%d\n", move->to + 1);
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
			appendStringInfo(out, "    %s((\"%s\"))\n", starts ? "first" : "last",
							 starts ? "start" : "end");
		first = false;
		if (starts)
			appendStringInfo(out, "    first -.->|\"" INT64_FORMAT "\"| s%d\n", leads, i + 1);
		else
			appendStringInfo(out, "    s%d -.->|\"" INT64_FORMAT "\"| last\n", i + 1, leads);
	}
}

Datum
align_dfg_mermaid(PG_FUNCTION_ARGS)
{
	Picture		picture;
	StringInfoData out;

	align_picture(fcinfo, &picture);
	initStringInfo(&out);
	appendStringInfo(&out, "flowchart TD\n"
					 "    %%%% moves: " INT64_FORMAT " of " INT64_FORMAT ", arrows: %d of %d, leads: "
					 INT64_FORMAT "\n",
					 picture.moves_shown, picture.moves_in_all, picture.nmoves,
					 picture.process->nmoves, picture.process->leads);
	AppendStages(&out, &picture);
	AppendStartsAndEnds(&out, &picture, true);
	AppendMoves(&out, &picture);
	AppendStartsAndEnds(&out, &picture, false);
	out.data[--out.len] = '\0';
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
