/*
 * diff.c
 *	  The differences between two versions of an agreement.
 *
 * Each version is converted to a list of facts, each with a name and a text.
 * A fact that only one version has was added or removed; one that both
 * versions have with different texts was changed.
 *
 * A handoff or sla is several facts: the whole statement and its parts.  If
 * both versions have it, the parts that changed are returned; if only one has
 * it, the whole is returned and the parts are not.
 *
 * The facts contain everything in the canonical document, including the order
 * of declarations, so the result is empty only if the values are equal.
 */
#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"

#include "funnel/draft.h"
#include "funnel/rows.h"

PG_FUNCTION_INFO_V1(align_funnel_diff);

typedef struct Fact
{
	char	   *what;			/* its name */
	char	   *text;
	bool		is_whole;		/* has parts: returned only if the other
								 * version does not have it */
	char	   *whole;			/* what it is a part of, or NULL */
} Fact;

/* The facts of one version about one subject. */
typedef struct Facts
{
	int			n;
	int			max;
	Fact	   *facts;			/* in the order of the document */
	int		   *sorted;			/* their indexes sorted by name, for FindFact;
								 * NULL until needed */
} Facts;

typedef void (*GatherFacts) (Facts *facts, const Funnel *funnel);

/*
 * Adds a fact, unless the text is NULL.  The strings are not copied.
 */
static void
AddFact(Facts *facts, char *what, char *text, bool is_whole, char *whole)
{
	Fact	   *fact;

	if (text == NULL)
		return;
	if (facts->n == facts->max)
	{
		facts->max = Max(16, facts->max * 2);
		facts->facts = facts->facts == NULL ?
			(Fact *) palloc(sizeof(Fact) * facts->max) :
			(Fact *) repalloc(facts->facts, sizeof(Fact) * facts->max);
	}
	fact = &facts->facts[facts->n++];
	fact->what = what;
	fact->text = text;
	fact->is_whole = is_whole;
	fact->whole = whole;
}

/*
 * qsort_arg comparator of indexes of facts by name.
 */
static int
CompareFactNames(const void *a, const void *b, void *arg)
{
	const Fact *facts = (const Fact *) arg;

	return strcmp(facts[*(const int *) a].what, facts[*(const int *) b].what);
}

/*
 * The fact of this name, NULL if there is none.  No facts may be added after
 * the first call.
 */
static const Fact *
FindFact(Facts *facts, const char *what)
{
	int			low = 0;
	int			high = facts->n;

	if (facts->sorted == NULL)
	{
		facts->sorted = (int *) palloc(sizeof(int) * Max(facts->n, 1));
		for (int i = 0; i < facts->n; i++)
			facts->sorted[i] = i;
		qsort_arg(facts->sorted, facts->n, sizeof(int), CompareFactNames, facts->facts);
	}
	while (low < high)
	{
		int			middle = (low + high) / 2;
		const Fact *fact = &facts->facts[facts->sorted[middle]];
		int			cmp = strcmp(what, fact->what);

		if (cmp == 0)
			return fact;
		if (cmp < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/*
 * "prefix name", with the name quoted if necessary.
 */
static char *
NameWithPrefix(const char *prefix, const char *name)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "%s ", prefix);
	align_write_name(&out, name, strlen(name));
	return out.data;
}

/*
 * "mql, sal", NULL if empty.
 */
static char *
StageList(const Funnel *funnel, const int *stages, int n)
{
	StringInfoData out;

	if (n == 0)
		return NULL;
	initStringInfo(&out);
	align_write_stages(&out, funnel, stages, n);
	return out.data;
}

/*
 * "email, reason (price)", NULL if empty.
 */
static char *
ListNeeds(const FunnelNeed *needs, int n)
{
	StringInfoData out;

	if (n == 0)
		return NULL;
	initStringInfo(&out);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(&out, ", ");
		align_write_need(&out, &needs[i]);
	}
	return out.data;
}

static void
GatherHours(Facts *facts, const Funnel *funnel)
{
	AddFact(facts, "hours", funnel->hours, false, NULL);
	for (int i = 0; i < funnel->nteams; i++)
		AddFact(facts, NameWithPrefix("hours of", funnel->teams[i].name),
				funnel->teams[i].hours, false, NULL);
}

static void
GatherStages(Facts *facts, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nstages; i++)
	{
		const FunnelStage *stage = &funnel->stages[i];
		const char *kind = align_stage_kind_name(stage->kind);

		AddFact(facts, NameWithPrefix("stage", stage->name),
				stage->team < 0 ? pstrdup(kind) :
				NameWithPrefix(psprintf("%s, held by", kind), funnel->teams[stage->team].name),
				false, NULL);
	}
}

static void
GatherPaths(Facts *facts, const Funnel *funnel)
{
	int		   *entries = (int *) palloc(sizeof(int) * funnel->nstages);
	int			nentries = 0;
	StringInfoData path;

	for (int i = 0; i < funnel->nstages; i++)
	{
		if (funnel->stages[i].is_entry)
			entries[nentries++] = i;
	}
	AddFact(facts, "entry", StageList(funnel, entries, nentries), false, NULL);

	initStringInfo(&path);
	for (int i = 0; i < funnel->npath; i++)
	{
		if (i > 0)
			appendStringInfoString(&path, " -> ");
		align_write_stages(&path, funnel, &funnel->success_path[i], 1);
	}
	AddFact(facts, "success path", path.data, false, NULL);
}

/*
 * "prefix mql -> sal"
 */
static char *
MoveName(const char *prefix, const Funnel *funnel, int from, int to)
{
	return NameWithPrefix(psprintf("%s ->", NameWithPrefix(prefix, funnel->stages[from].name)),
						  funnel->stages[to].name);
}

static void
GatherMoves(Facts *facts, const Funnel *funnel)
{
	for (int from = 0; from < funnel->nstages; from++)
	{
		for (int to = 0; to < funnel->nstages; to++)
		{
			uint8		move = FUNNEL_MOVE(funnel, from, to);

			if (move & MOVE_LEGAL)
				AddFact(facts, MoveName("move", funnel, from, to),
						move & MOVE_SUCCESS ? "success path" : "legal", false, NULL);
		}
	}
}

/*
 * "price, timing", NULL if any reason is allowed.
 */
static char *
ListReasons(const ServiceLevel *level)
{
	StringInfoData out;

	if (level->nreasons == 0)
		return NULL;
	initStringInfo(&out);
	align_write_reasons(&out, level->reasons, level->nreasons);
	return out.data;
}

/*
 * The statement of a service level, in one line and without its semicolon.
 */
static char *
Statement(const Funnel *funnel, const ServiceLevel *level)
{
	StringInfoData out;

	initStringInfo(&out);
	align_write_service_level(&out, funnel, level, " ");
	while (out.len > 0 && (out.data[out.len - 1] == '\n' || out.data[out.len - 1] == ';'))
		out.data[--out.len] = '\0';
	return out.data;
}

/*
 * A service level as a whole, and its parts.
 */
static void
GatherServiceLevel(Facts *facts, const Funnel *funnel, const ServiceLevel *level)
{
	char	   *what = NameWithPrefix(level->is_handoff ? "handoff" : "sla", level->name);
	StageSet	stops = level->stops;

#define PART(suffix, text) AddFact(facts, psprintf("%s %s", what, suffix), text, false, what)

	AddFact(facts, what, Statement(funnel, level), true, NULL);
	if (level->is_handoff)
	{
		PART("stage", StageList(funnel, level->starts.stages, level->starts.n));
		PART("from team", funnel->teams[level->from_team].name);
		PART("to team", funnel->teams[level->team].name);
		PART("accept", StageList(funnel, stops.stages, level->naccept));
		PART("reject", StageList(funnel, stops.stages + level->naccept, stops.n - level->naccept));
		PART("reasons", ListReasons(level));
	}
	else
	{
		PART("team", funnel->teams[level->team].name);
		PART("starts", StageList(funnel, level->starts.stages, level->starts.n));
		PART("stops", StageList(funnel, stops.stages, stops.n));
		PART("pauses", StageList(funnel, level->pauses.stages, level->pauses.n));
	}
	PART("due", align_due_text(funnel, level));
	PART("warn", align_warn_text(&level->promise));

#undef PART
}

static void
GatherHandoffs(Facts *facts, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		if (funnel->service_levels[i].is_handoff)
			GatherServiceLevel(facts, funnel, &funnel->service_levels[i]);
	}
}

static void
GatherSlas(Facts *facts, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		if (!funnel->service_levels[i].is_handoff)
			GatherServiceLevel(facts, funnel, &funnel->service_levels[i]);
	}
}

static void
GatherNeeds(Facts *facts, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nstages; i++)
		AddFact(facts, NameWithPrefix("needs of", funnel->stages[i].name),
				ListNeeds(funnel->stages[i].needs, funnel->stages[i].nneeds), false, NULL);
	for (int i = 0; i < funnel->nmoveneeds; i++)
	{
		const MoveNeeds *move = &funnel->move_needs[i];

		AddFact(facts, MoveName("needs of move", funnel, move->from, move->to),
				ListNeeds(move->needs, move->nneeds), false, NULL);
	}
}

static void
GatherLabels(Facts *facts, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nstages; i++)
	{
		const FunnelStage *stage = &funnel->stages[i];
		StringInfoData out;

		if (stage->nlabels == 0)
			continue;
		initStringInfo(&out);
		for (int j = 0; j < stage->nlabels; j++)
		{
			if (j > 0)
				appendStringInfoString(&out, ", ");
			align_write_quoted(&out, '\'', stage->labels[j], strlen(stage->labels[j]));
		}
		AddFact(facts, NameWithPrefix("labels of", stage->name), out.data, false, NULL);
	}
}

/*
 * Targets.  The name of the fact is the statement without its goal.
 */
static void
GatherTargets(Facts *facts, const Funnel *funnel)
{
	for (int i = 0; i < funnel->ntargets; i++)
	{
		const FunnelTarget *target = &funnel->targets[i];
		StringInfoData what;

		initStringInfo(&what);
		align_write_target(&what, funnel, target, false);
		AddFact(facts, what.data,
				TARGET_IS_RATE(target) ? psprintf("%s%%", target->goal) : target->goal,
				false, NULL);
	}
}

static void
GatherMixes(Facts *facts, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nmixes; i++)
	{
		const FunnelMix *mix = &funnel->mixes[i];
		StringInfoData shares;

		initStringInfo(&shares);
		align_write_shares(&shares, funnel, mix);
		AddFact(facts, NameWithPrefix("mix of", funnel->stages[mix->stage].name), shares.data,
				false, NULL);
	}
}

static void
GatherFiscalYear(Facts *facts, const Funnel *funnel)
{
	AddFact(facts, "fiscal year begins", pstrdup(align_month_name(funnel->fiscal_month)),
			false, NULL);
}

static void
GatherChannels(Facts *facts, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nchannels; i++)
	{
		const FunnelChannel *channel = &funnel->channels[i];
		StringInfoData conditions;

		initStringInfo(&conditions);
		align_write_conditions(&conditions, channel);
		AddFact(facts, NameWithPrefix("channel", channel->name), conditions.data, false, NULL);
	}
}

static void
GatherSegments(Facts *facts, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nsegments; i++)
		AddFact(facts, NameWithPrefix("segment", funnel->segments[i].name),
				funnel->segments[i].condition, false, NULL);
}

/*
 * One row of the result; NULL texts are SQL NULLs.
 */
static void
WriteDiffRow(FunnelRow *row, const char *change, const char *what,
			 const char *before, const char *after)
{
	align_row_text(row, change);
	align_row_text(row, what);
	align_row_text(row, before);
	align_row_text(row, after);
	align_row_end(row);
}

/*
 * True if a fact is a part of a whole that the other version does not have.
 * Then the row of the whole covers it.
 */
static bool
CoveredByWhole(const Fact *fact, Facts *other)
{
	return fact->whole != NULL && FindFact(other, fact->whole) == NULL;
}

/*
 * Rows for facts removed, in the order of the old version, then for those
 * added or changed, in the order of the new one.
 */
static void
CompareFacts(FunnelRow *row, Facts *before, Facts *after)
{
	for (int i = 0; i < before->n; i++)
	{
		const Fact *fact = &before->facts[i];

		if (FindFact(after, fact->what) == NULL && !CoveredByWhole(fact, after))
			WriteDiffRow(row, "removed", fact->what, fact->text, NULL);
	}
	for (int i = 0; i < after->n; i++)
	{
		const Fact *fact = &after->facts[i];
		const Fact *old = FindFact(before, fact->what);

		if (old == NULL)
		{
			if (!CoveredByWhole(fact, before))
				WriteDiffRow(row, "added", fact->what, NULL, fact->text);
		}
		else if (!fact->is_whole && strcmp(old->text, fact->text) != 0)
			WriteDiffRow(row, "changed", fact->what, old->text, fact->text);
	}
}

/*
 * The names, without prefix, of the facts that both versions have, in the
 * order of the first.
 */
static char *
CommonOrder(const Facts *facts, Facts *other, const char *prefix)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < facts->n; i++)
	{
		const Fact *fact = &facts->facts[i];

		if (fact->whole != NULL || FindFact(other, fact->what) == NULL)
			continue;
		if (out.len > 0)
			appendStringInfoString(&out, ", ");
		appendStringInfoString(&out, fact->what + strlen(prefix) + 1);
	}
	return out.data;
}

/*
 * A row if the facts that both versions have are in another order.
 */
static void
CompareOrder(FunnelRow *row, const char *what, const char *prefix, Facts *before, Facts *after)
{
	char	   *old_order = CommonOrder(before, after, prefix);
	char	   *new_order = CommonOrder(after, before, prefix);

	if (strcmp(old_order, new_order) != 0)
		WriteDiffRow(row, "changed", what, old_order, new_order);
}

Datum
align_funnel_diff(PG_FUNCTION_ARGS)
{
	static const struct
	{
		GatherFacts gather;
		const char *order;		/* name of their order, NULL if it is not part
								 * of the value */
		const char *prefix;		/* of the names of the facts */
	}			subjects[] = {
		{GatherHours, NULL, NULL},
		{GatherStages, "order of stages", "stage"},
		{GatherPaths, NULL, NULL},
		{GatherMoves, NULL, NULL},
		{GatherSegments, "order of segments", "segment"},
		{GatherHandoffs, "order of handoffs", "handoff"},
		{GatherNeeds, NULL, NULL},
		{GatherLabels, NULL, NULL},
		{GatherSlas, "order of slas", "sla"},
		{GatherFiscalYear, NULL, NULL},
		{GatherTargets, "order of targets", "target"},
		{GatherMixes, "order of mixes", "mix of"},
		{GatherChannels, "order of channels", "channel"},
	};
	Funnel	   *before = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(0), 0, 2);
	Funnel	   *after = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 1, 2);
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int i = 0; i < (int) lengthof(subjects); i++)
	{
		Facts		old_facts = {0};
		Facts		new_facts = {0};

		subjects[i].gather(&old_facts, before);
		subjects[i].gather(&new_facts, after);
		CompareFacts(&row, &old_facts, &new_facts);
		if (subjects[i].order != NULL)
			CompareOrder(&row, subjects[i].order, subjects[i].prefix, &old_facts, &new_facts);
	}
	return (Datum) 0;
}
