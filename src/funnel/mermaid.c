/*
 * mermaid.c
 *	  The agreement as a Mermaid state diagram.
 *
 * Mermaid's lexer is forgiving in surprising ways: some of its words are
 * recognised at the beginning of longer ones, and "#", ";", ":" and "%" mean
 * something inside a label.  So only plain names that begin like none of its
 * words are used as they are; all others get an id of ours and keep their name
 * in the label, where every unusual character is written as an entity.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "funnel/draft.h"

PG_FUNCTION_INFO_V1(align_funnel_mermaid);

/* No id may begin with one of these. */
static const char *const mermaid_words[] = {
	"acc", "choice", "class", "click", "concurrent", "default", "direction", "end", "fork", "hide",
	"href", "join", "left", "note", "right", "scale", "state", "style", NULL
};

/* Longer ids are hard on the eye, and limited in some versions. */
#define ID_MAX_LEN 63

static bool
IsPlainId(const char *name)
{
	size_t		len = strlen(name);

	if (len > ID_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		char		c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (i > 0 && ((c >= '0' && c <= '9') || c == '_'))))
			return false;
	}
	for (const char *const *word = mermaid_words; *word != NULL; word++)
	{
		if (pg_strncasecmp(name, *word, strlen(*word)) == 0)
			return false;
	}
	return true;
}

static bool
IsStageName(const Funnel *funnel, const char *name)
{
	for (int i = 0; i < funnel->nstages; i++)
	{
		if (strcmp(funnel->stages[i].name, name) == 0)
			return true;
	}
	return false;
}

/*
 * One id per stage, no two alike.
 */
static char **
MakeIds(const Funnel *funnel)
{
	char	  **ids = (char **) palloc(sizeof(char *) * funnel->nstages);

	for (int i = 0; i < funnel->nstages; i++)
	{
		char	   *id = funnel->stages[i].name;

		if (!IsPlainId(id))
		{
			id = psprintf("s%d", i + 1);
			while (IsStageName(funnel, id))
				id = psprintf("%s_", id);
		}
		ids[i] = id;
	}
	return ids;
}

/*
 * Text for a label: letters, digits, blanks and what is not ASCII stay as they
 * are, a few marks too, the rest becomes an entity.  So does the first letter of
 * "direction", which Mermaid takes for a statement wherever it stands in a line.
 */
static void
AppendLabel(StringInfo out, const char *text)
{
	for (; *text != '\0'; text++)
	{
		unsigned char c = *text;

		if (pg_strncasecmp(text, "direction", strlen("direction")) == 0)
			appendStringInfo(out, "#%d;", c);
		else if (IS_HIGHBIT_SET(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || strchr(" _.,()/", c) != NULL)
			appendStringInfoChar(out, c);
		else if (c < ' ' || c == 0x7f)
			appendStringInfoChar(out, ' ');
		else
			appendStringInfo(out, "#%d;", c);
	}
}

static void
AppendStates(StringInfo out, const Funnel *funnel, char **ids)
{
	for (int i = 0; i < funnel->nstages; i++)
	{
		const FunnelStage *stage = &funnel->stages[i];

		appendStringInfoString(out, "    state \"");
		AppendLabel(out, stage->name);
		if (stage->team >= 0)
		{
			appendStringInfoString(out, " (");
			AppendLabel(out, funnel->teams[stage->team].name);
			appendStringInfoChar(out, ')');
		}
		appendStringInfo(out, "\" as %s\n", ids[i]);
	}
}

/*
 * What a move means to the handoffs, and whether it is on the success path.
 */
static void
AppendMove(StringInfo out, const Funnel *funnel, char **ids, int from, int to)
{
	const char *separator = " : ";

	appendStringInfo(out, "    %s --> %s", ids[from], ids[to]);
	if (FUNNEL_MOVE(funnel, from, to) & MOVE_SUCCESS)
	{
		appendStringInfo(out, "%ssuccess path", separator);
		separator = ", ";
	}
	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		const ServiceLevel *level = &funnel->service_levels[i];
		char	   *due;

		if (!level->is_handoff || level->starts.stages[0] != from ||
			!(level->effects[to] & EFFECT_STOP))
			continue;
		appendStringInfoString(out, separator);
		AppendLabel(out, level->name);
		due = align_promise_text(&level->promise);
		if (!(level->effects[to] & EFFECT_ACCEPT))
			appendStringInfoString(out, " rejected");
		else if (due == NULL)
			appendStringInfoString(out, " accepted");
		else
			appendStringInfo(out, " accepted %s %s",
							 level->promise.kind == DUE_END_OF_DAY ? "by" : "within", due);
		separator = ", ";
	}
	appendStringInfoChar(out, '\n');
}

static void
AppendClass(StringInfo out, const Funnel *funnel, char **ids, StageKind kind, const char *name,
			const char *style)
{
	const char *separator = "    class ";

	for (int i = 0; i < funnel->nstages; i++)
	{
		if (funnel->stages[i].kind != kind)
			continue;
		appendStringInfo(out, "%s%s", separator, ids[i]);
		separator = ",";
	}
	if (strcmp(separator, ",") == 0)
		appendStringInfo(out, " %s\n    classDef %s %s\n", name, name, style);
}

Datum
align_funnel_mermaid(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(0), 0, 1);
	char	  **ids = MakeIds(funnel);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "stateDiagram-v2\n");
	AppendStates(&out, funnel, ids);
	for (int i = 0; i < funnel->nstages; i++)
	{
		if (funnel->stages[i].is_entry)
			appendStringInfo(&out, "    [*] --> %s\n", ids[i]);
	}
	/* the success path first: the drawing follows the order */
	for (int i = 1; i < funnel->npath; i++)
		AppendMove(&out, funnel, ids, funnel->success_path[i - 1], funnel->success_path[i]);
	for (int from = 0; from < funnel->nstages; from++)
	{
		for (int to = 0; to < funnel->nstages; to++)
		{
			uint8		move = FUNNEL_MOVE(funnel, from, to);

			if ((move & MOVE_LEGAL) && !(move & MOVE_SUCCESS))
				AppendMove(&out, funnel, ids, from, to);
		}
	}
	for (int i = 0; i < funnel->nstages; i++)
	{
		if (funnel->stages[i].kind != STAGE_OPEN)
			appendStringInfo(&out, "    %s --> [*]\n", ids[i]);
	}
	AppendClass(&out, funnel, ids, STAGE_WON, "won", "fill:#d4edda,stroke:#28a745");
	AppendClass(&out, funnel, ids, STAGE_LOST, "lost", "fill:#f8d7da,stroke:#dc3545");
	out.data[--out.len] = '\0';
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
