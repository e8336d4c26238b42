/*
 * write.c
 *	  The canonical document of a compiled agreement.
 *
 * Statements are written in a fixed order, and each thing in one way:
 * agreements with the same meaning and the same order of declarations have the
 * same document.  Names are quoted where they would be read as something else,
 * such as a keyword that begins a statement or clause.
 */
#include "postgres.h"

#include "funnel/draft.h"

/*
 * Keywords that must be quoted if they are names in these places.  "channel"
 * is not one of statement_words: stored documents have it bare as the name of
 * a stage, and must stay canonical; IsAboutStage in parse.c distinguishes the
 * two meanings.  The same goes for "segment", "mix" and "fiscal".
 */
static const char *const statement_words[] = {
	"hours", "stage", "won", "lost", "entry", "success", "path", "handoff", "sla", "target", NULL
};
static const char *const path_words[] = {"any", NULL};
static const char *const clause_words[] = {
	"accept", "reject", "pause", "within", "by", "warn", NULL
};
static const char *const need_words[] = {"reason", NULL};

/*
 * A name, quoted if it is one of these words (NULL: none) or not a plain word.
 */
static void
WriteName(StringInfo out, const char *name, const char *const *words)
{
	for (; words != NULL && *words != NULL; words++)
	{
		if (pg_strcasecmp(name, *words) == 0)
		{
			align_write_quoted(out, '"', name, strlen(name));
			return;
		}
	}
	align_write_name(out, name, strlen(name));
}

/*
 * name {, name}
 */
static void
WriteStages(StringInfo out, const Funnel *funnel, const int *stages, int n,
			const char *const *words)
{
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		WriteName(out, funnel->stages[stages[i]].name, words);
	}
}

/*
 * The same, where no keyword can be read instead.
 */
void
align_write_stages(StringInfo out, const Funnel *funnel, const int *stages, int n)
{
	WriteStages(out, funnel, stages, n, NULL);
}

static void
WriteTeam(StringInfo out, const Funnel *funnel, int team)
{
	WriteName(out, funnel->teams[team].name, NULL);
}

void
align_write_reasons(StringInfo out, char **reasons, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		WriteName(out, reasons[i], NULL);
	}
}

/*
 * reason [(a, b)]
 */
static void
WriteReasonList(StringInfo out, char **reasons, int n)
{
	appendStringInfoString(out, "reason");
	if (n == 0)
		return;
	appendStringInfoString(out, " (");
	align_write_reasons(out, reasons, n);
	appendStringInfoChar(out, ')');
}

void
align_write_need(StringInfo out, const FunnelNeed *need)
{
	switch (need->kind)
	{
		case NEED_COLUMN:
			WriteName(out, need->text, need_words);
			break;
		case NEED_CONDITION:
			align_write_quoted(out, '\'', need->text, strlen(need->text));
			break;
		case NEED_REASON:
			WriteReasonList(out, need->reasons, need->nreasons);
			break;
	}
}

static void
WriteNeeds(StringInfo out, const FunnelNeed *needs, int n)
{
	appendStringInfoString(out, " needs ");
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		align_write_need(out, &needs[i]);
	}
	appendStringInfoString(out, ";\n");
}

/*
 * The promises to segments and the common one; "gap" is written between them.
 */
static void
WriteDues(StringInfo out, const Funnel *funnel, const ServiceLevel *level, const char *gap)
{
	for (int i = 0; i < level->nsegment_promises; i++)
	{
		const SegmentPromise *to_segment = &level->segment_promises[i];

		align_write_due(out, &to_segment->promise);
		appendStringInfoString(out, " when ");
		WriteName(out, funnel->segments[to_segment->segment].name, NULL);
		appendStringInfo(out, ",%s", gap);
	}
	align_write_due(out, &level->promise);
}

/*
 * The common hours, then those of teams.
 */
static void
WriteHours(StringInfo out, const Funnel *funnel)
{
	if (funnel->hours != NULL)
	{
		appendStringInfoString(out, "hours ");
		align_write_quoted(out, '\'', funnel->hours, strlen(funnel->hours));
		appendStringInfoString(out, ";\n");
	}
	for (int i = 0; i < funnel->nteams; i++)
	{
		const char *hours = funnel->teams[i].hours;

		if (hours == NULL)
			continue;
		appendStringInfoString(out, "hours of ");
		WriteTeam(out, funnel, i);
		appendStringInfoChar(out, ' ');
		align_write_quoted(out, '\'', hours, strlen(hours));
		appendStringInfoString(out, ";\n");
	}
}

/*
 * Declarations of stages.  Neighbours of the same kind and holder share a
 * statement.
 */
static void
WriteDeclarations(StringInfo out, const Funnel *funnel)
{
	static const char *const kinds[] = {"stage", "won", "lost"};

	for (int i = 0; i < funnel->nstages;)
	{
		const FunnelStage *first = &funnel->stages[i];

		appendStringInfo(out, "%s ", kinds[first->kind]);
		WriteName(out, first->name, NULL);
		for (i++; i < funnel->nstages; i++)
		{
			const FunnelStage *stage = &funnel->stages[i];

			if (stage->kind != first->kind || stage->team != first->team)
				break;
			appendStringInfoString(out, ", ");
			WriteName(out, stage->name, NULL);
		}
		if (first->team >= 0)
		{
			appendStringInfoString(out, " held by ");
			WriteTeam(out, funnel, first->team);
		}
		appendStringInfoString(out, ";\n");
	}
}

/*
 * True if the first stage of the success path is the only entry stage.
 */
static bool
EntryIsDefault(const Funnel *funnel)
{
	for (int i = 0; i < funnel->nstages; i++)
	{
		if (funnel->stages[i].is_entry != (i == funnel->success_path[0]))
			return false;
	}
	return true;
}

/*
 * Entry stages, omitted if they are the default.
 */
static void
WriteEntry(StringInfo out, const Funnel *funnel)
{
	bool		first = true;

	if (EntryIsDefault(funnel))
		return;
	for (int i = 0; i < funnel->nstages; i++)
	{
		if (!funnel->stages[i].is_entry)
			continue;
		appendStringInfoString(out, first ? "entry " : ", ");
		WriteName(out, funnel->stages[i].name, NULL);
		first = false;
	}
	appendStringInfoString(out, ";\n");
}

/*
 * The success path, then the other moves.
 */
static void
WritePaths(StringInfo out, const Funnel *funnel)
{
	ListCell   *cell;

	appendStringInfoString(out, "success path ");
	for (int i = 0; i < funnel->npath; i++)
	{
		if (i > 0)
			appendStringInfoString(out, " -> ");
		WriteName(out, funnel->stages[funnel->success_path[i]].name, path_words);
	}
	appendStringInfoString(out, ";\n");
	foreach(cell, align_funnel_path_groups(funnel))
	{
		PathGroup  *group = (PathGroup *) lfirst(cell);

		appendStringInfoString(out, "path ");
		if (group->any)
			appendStringInfoString(out, "any");
		else
			WriteStages(out, funnel, group->from.stages, group->from.n, path_words);
		appendStringInfoString(out, " -> ");
		WriteStages(out, funnel, group->to.stages, group->to.n, path_words);
		appendStringInfoString(out, ";\n");
	}
}

/*
 * A handoff; "gap" is written between its clauses.
 */
static void
WriteHandoff(StringInfo out, const Funnel *funnel, const ServiceLevel *handoff, const char *gap)
{
	appendStringInfoString(out, "handoff ");
	WriteName(out, handoff->name, NULL);
	appendStringInfoString(out, ": ");
	WriteName(out, funnel->stages[handoff->starts.stages[0]].name, NULL);
	appendStringInfoString(out, " from ");
	WriteTeam(out, funnel, handoff->from_team);
	appendStringInfoString(out, " to ");
	WriteTeam(out, funnel, handoff->team);
	appendStringInfo(out, ",%saccept ", gap);
	WriteStages(out, funnel, handoff->stops.stages, handoff->naccept, clause_words);
	if (handoff->stops.n > handoff->naccept)
	{
		appendStringInfo(out, ",%sreject ", gap);
		WriteStages(out, funnel, handoff->stops.stages + handoff->naccept,
					handoff->stops.n - handoff->naccept, clause_words);
		appendStringInfoString(out, " with ");
		WriteReasonList(out, handoff->reasons, handoff->nreasons);
	}
	if (handoff->promise.kind != DUE_NONE)
	{
		appendStringInfo(out, ",%s", gap);
		WriteDues(out, funnel, handoff, gap);
	}
	align_write_warn(out, &handoff->promise);
	appendStringInfoString(out, ";\n");
}

static void
WriteSla(StringInfo out, const Funnel *funnel, const ServiceLevel *sla)
{
	appendStringInfoString(out, "sla ");
	WriteName(out, sla->name, NULL);
	appendStringInfoString(out, " by ");
	WriteTeam(out, funnel, sla->team);
	appendStringInfoString(out, ": from ");
	WriteStages(out, funnel, sla->starts.stages, sla->starts.n, clause_words);
	appendStringInfoString(out, " to ");
	WriteStages(out, funnel, sla->stops.stages, sla->stops.n, clause_words);
	appendStringInfoChar(out, ' ');
	WriteDues(out, funnel, sla, " ");
	align_write_warn(out, &sla->promise);
	if (sla->pauses.n > 0)
	{
		appendStringInfoString(out, ", pause ");
		WriteStages(out, funnel, sla->pauses.stages, sla->pauses.n, clause_words);
	}
	appendStringInfoString(out, ";\n");
}

/*
 * A handoff or an sla, as a statement.
 */
void
align_write_service_level(StringInfo out, const Funnel *funnel, const ServiceLevel *level,
						  const char *gap)
{
	if (level->is_handoff)
		WriteHandoff(out, funnel, level, gap);
	else
		WriteSla(out, funnel, level);
}

/*
 * Needs of stages, then of moves.
 */
static void
WriteStageNeeds(StringInfo out, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nstages; i++)
	{
		const FunnelStage *stage = &funnel->stages[i];

		if (stage->nneeds == 0)
			continue;
		WriteName(out, stage->name, statement_words);
		WriteNeeds(out, stage->needs, stage->nneeds);
	}
	for (int i = 0; i < funnel->nmoveneeds; i++)
	{
		const MoveNeeds *needs = &funnel->move_needs[i];

		WriteName(out, funnel->stages[needs->from].name, statement_words);
		appendStringInfoString(out, " -> ");
		WriteName(out, funnel->stages[needs->to].name, NULL);
		WriteNeeds(out, needs->needs, needs->nneeds);
	}
}

/*
 * Labels other than names.
 */
static void
WriteLabels(StringInfo out, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nstages; i++)
	{
		const FunnelStage *stage = &funnel->stages[i];

		for (int j = 0; j < stage->nlabels; j++)
		{
			if (j == 0)
			{
				WriteName(out, stage->name, statement_words);
				appendStringInfoString(out, " known as ");
			}
			else
				appendStringInfoString(out, ", ");
			align_write_quoted(out, '\'', stage->labels[j], strlen(stage->labels[j]));
		}
		if (stage->nlabels > 0)
			appendStringInfoString(out, ";\n");
	}
}

/*
 * The canonical document.
 */
char *
align_funnel_write(const Funnel *funnel)
{
	StringInfoData out;

	initStringInfo(&out);
	WriteHours(&out, funnel);
	WriteDeclarations(&out, funnel);
	WriteEntry(&out, funnel);
	WritePaths(&out, funnel);
	align_write_segments(&out, funnel);
	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		if (funnel->service_levels[i].is_handoff)
			align_write_service_level(&out, funnel, &funnel->service_levels[i], "\n    ");
	}
	WriteStageNeeds(&out, funnel);
	WriteLabels(&out, funnel);
	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		if (!funnel->service_levels[i].is_handoff)
			align_write_service_level(&out, funnel, &funnel->service_levels[i], NULL);
	}
	align_write_fiscal_year(&out, funnel);
	for (int i = 0; i < funnel->ntargets; i++)
	{
		align_write_target(&out, funnel, &funnel->targets[i], true);
		appendStringInfoString(&out, ";\n");
	}
	align_write_mixes(&out, funnel);
	align_write_channels(&out, funnel);

	/* remove the line feed after the last statement */
	out.data[--out.len] = '\0';
	return out.data;
}
