/*
 * lookup.c
 *	  Lookup in a compiled agreement: labels, teams, routes, needs, hours,
 *	  channels.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "funnel/draft.h"
#include "nearest.h"

/*
 * qsort comparator of FunnelLabels by bytes.
 */
int
align_label_cmp(const void *a, const void *b)
{
	const FunnelLabel *left = (const FunnelLabel *) a;
	const FunnelLabel *right = (const FunnelLabel *) b;
	int			result = memcmp(left->text, right->text, Min(left->len, right->len));

	return result != 0 ? result : left->len - right->len;
}

/*
 * Index of the stage with this label, -1 if there is none.
 */
int
align_funnel_stage(const Funnel *funnel, const char *label, int len)
{
	int			low = 0;
	int			high = funnel->nlabels;

	while (low < high)
	{
		int			middle = (low + high) / 2;
		const FunnelLabel *candidate = &funnel->labels[middle];
		int			cmp = memcmp(label, candidate->text, Min(len, candidate->len));

		if (cmp == 0)
			cmp = len - candidate->len;
		if (cmp == 0)
			return candidate->stage;
		if (cmp < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

/*
 * Index of the team of this name, -1 if there is none.
 */
int
align_funnel_team(const Funnel *funnel, const char *name, int len)
{
	for (int i = 0; i < funnel->nteams; i++)
	{
		if (strncmp(funnel->teams[i].name, name, len) == 0 && funnel->teams[i].name[len] == '\0')
			return i;
	}
	return -1;
}

/*
 * Index of the stage with the label in an SQL argument; raises if there is
 * none.
 */
int
align_funnel_stage_arg(const Funnel *funnel, text *label)
{
	const char *name = VARDATA_ANY(label);
	int			len = VARSIZE_ANY_EXHDR(label);
	int			stage = align_funnel_stage(funnel, name, len);

	if (unlikely(stage < 0))
	{
		const char **names = (const char **) palloc(sizeof(char *) * funnel->nstages);
		const char **labels = (const char **) palloc(sizeof(char *) * funnel->nlabels);
		const char *nearest;
		char	   *hint;

		for (int i = 0; i < funnel->nstages; i++)
			names[i] = funnel->stages[i].name;
		for (int i = 0; i < funnel->nlabels; i++)
			labels[i] = funnel->labels[i].text;
		/* the nearest of all labels; but a list is only of the names */
		nearest = align_nearest(name, len, labels, funnel->nlabels);
		hint = nearest ? align_nearest_text(nearest) :
			align_nearest_hint(name, len, names, funnel->nstages);
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("unknown stage \"%.*s\"", len, name),
				 errdetail("No stage of the agreement has that name or label."),
				 hint ? errhint("%s", hint) : 0));
	}
	return stage;
}

/*
 * Working hours of a team, else the common ones, compiled on first use.
 */
Calendar *
align_funnel_calendar(Funnel *funnel, int team)
{
	if (team >= 0 && funnel->teams[team].hours != NULL)
	{
		if (funnel->team_calendars[team] == NULL)
			funnel->team_calendars[team] = align_calendar_compile(funnel->teams[team].hours,
																  funnel->context);
		return funnel->team_calendars[team];
	}
	if (funnel->common_calendar == NULL && funnel->hours != NULL)
		funnel->common_calendar = align_calendar_compile(funnel->hours, funnel->context);
	return funnel->common_calendar;
}

/*
 * Needs of a move, NULL if there are none.
 */
const MoveNeeds *
align_funnel_move_needs(const Funnel *funnel, int from, int to)
{
	int			low = 0;
	int			high = funnel->nmoveneeds;

	/* sorted by (from, to) */
	while (low < high)
	{
		int			middle = (low + high) / 2;
		const MoveNeeds *needs = &funnel->move_needs[middle];

		if (needs->from == from && needs->to == to)
			return needs;
		if (needs->from < from || (needs->from == from && needs->to < to))
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/*
 * Breadth-first search from a stage.  parents[] is set to the stage before
 * each stage on a shortest route, -1 if there is no route.  It is set once for
 * each stage, and stages are visited in the order of declaration; so of
 * several shortest routes the one whose stages are declared first is found.
 */
static void
BreadthFirst(const Funnel *funnel, int from, int *parents)
{
	int			n = funnel->nstages;
	int		   *queue = (int *) palloc(sizeof(int) * (n + 1));
	int			head = 0;
	int			tail = 0;

	for (int i = 0; i < n; i++)
		parents[i] = -1;
	queue[tail++] = from;
	while (head < tail)
	{
		int			stage = queue[head++];

		for (int next = 0; next < n; next++)
		{
			if (!(FUNNEL_MOVE(funnel, stage, next) & MOVE_LEGAL) || parents[next] >= 0)
				continue;
			parents[next] = stage;
			if (next != from)
				queue[tail++] = next;
		}
	}
	pfree(queue);
}

/*
 * Sets reached[] by stage: is there a legal route of one or more moves?
 */
void
align_funnel_reach(const Funnel *funnel, int from, bool *reached)
{
	int		   *parents = (int *) palloc(sizeof(int) * funnel->nstages);

	BreadthFirst(funnel, from, parents);
	for (int i = 0; i < funnel->nstages; i++)
		reached[i] = parents[i] >= 0;
	pfree(parents);
}

/*
 * The shortest legal route; returns its length, -1 if there is none.
 */
int
align_funnel_route(const Funnel *funnel, int from, int to, int *route)
{
	int		   *parents;
	int			length = 0;

	if (from == to)
		return 0;
	parents = (int *) palloc(sizeof(int) * funnel->nstages);
	BreadthFirst(funnel, from, parents);
	if (parents[to] < 0)
		length = -1;
	else
	{
		for (int stage = to; stage != from; stage = parents[stage])
			length++;
		for (int stage = to, i = length - 1; stage != from; stage = parents[stage], i--)
			route[i] = stage;
	}
	pfree(parents);
	return length;
}

/*
 * The stages to which a lead may move, as a list.
 */
char *
align_funnel_next_text(const Funnel *funnel, int from)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int to = 0; to < funnel->nstages; to++)
	{
		if (!(FUNNEL_MOVE(funnel, from, to) & MOVE_LEGAL))
			continue;
		if (out.len > 0)
			appendStringInfoString(&out, ", ");
		appendStringInfoString(&out, funnel->stages[to].name);
	}
	return out.len > 0 ? out.data : pstrdup("(none)");
}

static inline char
LowerAscii(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/*
 * True if a text, which need not be NUL-terminated, matches a pattern.  "*"
 * stands for any run of bytes, also an empty one, every other character for
 * itself, letters A to Z in either case.  The time is at most proportional to
 * the product of both lengths.
 */
static bool
MatchesPattern(const char *pattern, const char *text, int len)
{
	const char *end = text + len;
	const char *star = NULL;	/* behind the last "*" passed */
	const char *tail = NULL;	/* where the text after its run begins */

	/*
	 * Each "*" takes as little as possible.  On a mismatch only the last one
	 * need take more: what follows it could also follow a longer run of an
	 * earlier one.
	 */
	while (text < end)
	{
		if (*pattern == '*')
		{
			star = ++pattern;
			tail = text;
		}
		else if (*pattern != '\0' && LowerAscii(*pattern) == LowerAscii(*text))
		{
			pattern++;
			text++;
		}
		else if (star != NULL)
		{
			/* a "*" at the end takes the rest */
			if (*star == '\0')
				return true;
			pattern = star;
			text = ++tail;
		}
		else
			return false;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/*
 * Does a part of a campaign match a pattern, either of which may be absent?
 */
static bool
PartMatches(const char *pattern, const char *text, int len)
{
	return pattern == NULL || (text != NULL && MatchesPattern(pattern, text, len));
}

/*
 * The first channel that a campaign matches, NULL if there is none.
 */
const FunnelChannel *
align_funnel_channel(const Funnel *funnel, const char *source, int source_len,
					 const char *medium, int medium_len, const char *name, int name_len)
{
	for (int i = 0; i < funnel->nchannels; i++)
	{
		const FunnelChannel *channel = &funnel->channels[i];

		if (PartMatches(channel->source, source, source_len) &&
			PartMatches(channel->medium, medium, medium_len) &&
			PartMatches(channel->campaign, name, name_len))
			return channel;
	}
	return NULL;
}

static bool
ListsReason(char **reasons, int nreasons, const char *reason, int len)
{
	for (int i = 0; i < nreasons; i++)
	{
		if (strlen(reasons[i]) == (size_t) len && memcmp(reasons[i], reason, len) == 0)
			return true;
	}
	return false;
}

static bool
NeedsListReason(const FunnelNeed *needs, int nneeds, const char *reason, int len)
{
	for (int i = 0; i < nneeds; i++)
	{
		if (needs[i].kind == NEED_REASON &&
			ListsReason(needs[i].reasons, needs[i].nreasons, reason, len))
			return true;
	}
	return false;
}

/*
 * True if the funnel lists a reason, for any stage, move or handoff.
 */
bool
align_funnel_lists_reason(const Funnel *funnel, const char *reason, int len)
{
	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		const ServiceLevel *level = &funnel->service_levels[i];

		if (ListsReason(level->reasons, level->nreasons, reason, len))
			return true;
	}
	for (int i = 0; i < funnel->nstages; i++)
	{
		if (NeedsListReason(funnel->stages[i].needs, funnel->stages[i].nneeds, reason, len))
			return true;
	}
	for (int i = 0; i < funnel->nmoveneeds; i++)
	{
		if (NeedsListReason(funnel->move_needs[i].needs, funnel->move_needs[i].nneeds, reason,
							len))
			return true;
	}
	return false;
}
