/*
 * mermaid.c
 *	  The agreement as a Mermaid state diagram.
 *
 * Mermaid's lexer recognises some keywords at the beginning of longer words,
 * and "#", ";", ":" and "%" are special inside labels.  So a stage's name is
 * used as its id only if it consists of letters, digits and underscores and
 * begins with no keyword; other stages get a generated id.  The name is in the
 * label, where special characters are written as entities.
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

/* Some versions of Mermaid limit the length of ids. */
#define ID_MAX_LEN 63

/*
 * True if a name can be used as an id.
 */
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

/*
 * True if this is the name of a stage.
 */
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
 * Distinct ids by stage.
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
			/* it must differ from names that are used as ids */
			id = psprintf("s%d", i + 1);
			while (IsStageName(funnel, id))
				id = psprintf("%s_", id);
		}
		ids[i] = id;
	}
	return ids;
}

/*
 * Letters, digits, some punctuation and everything that is not ASCII is
 * copied, other characters are written as entities.  So is the first letter of
 * "direction", which Mermaid takes for a statement anywhere in a line.
 */
void
align_mermaid_label(StringInfo out, const char *text, int len, const char *punctuation)
{
	static const char statement[] = "direction";
	int			statement_len = sizeof(statement) - 1;

	for (int i = 0; i < len; i++)
	{
		unsigned char c = text[i];

		if (len - i >= statement_len && pg_strncasecmp(text + i, statement, statement_len) == 0)
			appendStringInfo(out, "#%d;", c);
		else if (IS_HIGHBIT_SET(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				 (c >= '0' && c <= '9') || strchr(punctuation, c) != NULL)
			appendStringInfoChar(out, c);
		else if (c < ' ' || c == 0x7f)
			appendStringInfoChar(out, ' ');
		else
			appendStringInfo(out, "#%d;", c);
	}
}

static void
AppendLabel(StringInfo out, const char *text)
{
	align_mermaid_label(out, text, strlen(text), " _.,()/");
}

/*
 * All stages, labelled with name and team.
 */
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
 * A move, labelled with "success path" and with the handoffs that it accepts
 * or rejects.
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
		const Promise *first = level->nsegment_promises > 0 ?
			&level->segment_promises[0].promise : &level->promise;
		char	   *due;

		if (!level->is_handoff || level->starts.stages[0] != from ||
			!(level->effects[to] & EFFECT_STOP))
			continue;
		appendStringInfoString(out, separator);
		AppendLabel(out, level->name);
		due = align_due_text(funnel, level);
		if (!(level->effects[to] & EFFECT_ACCEPT))
			appendStringInfoString(out, " rejected");
		else if (due == NULL)
			appendStringInfoString(out, " accepted");
		else
			appendStringInfo(out, " accepted %s %s",
							 first->kind == DUE_END_OF_DAY ? "by" : "within", due);
		separator = ", ";
	}
	appendStringInfoChar(out, '\n');
}

/*
 * The style of the stages of a kind, omitted if there are none.
 */
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
