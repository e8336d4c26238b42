/*
 * json_write.c
 *	  Cast from funnel to jsonb; json_read.c describes the document.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "funnel/draft.h"
#include "funnel/rows.h"

PG_FUNCTION_INFO_V1(align_funnel_to_jsonb);

typedef JsonbParseState *JsonOut;

static void
PushString(JsonOut *out, JsonbIteratorToken token, const char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	pushJsonbValue(out, token, &value);
}

static void
BeginArray(JsonOut *out, const char *key)
{
	PushString(out, WJB_KEY, key);
	pushJsonbValue(out, WJB_BEGIN_ARRAY, NULL);
}

static void
EndArray(JsonOut *out)
{
	pushJsonbValue(out, WJB_END_ARRAY, NULL);
}

static void
BeginObject(JsonOut *out)
{
	pushJsonbValue(out, WJB_BEGIN_OBJECT, NULL);
}

static void
EndObject(JsonOut *out)
{
	pushJsonbValue(out, WJB_END_OBJECT, NULL);
}

/*
 * A member with a string, omitted if that is NULL.
 */
static void
WriteMember(JsonOut *out, const char *key, const char *text)
{
	if (text == NULL)
		return;
	PushString(out, WJB_KEY, key);
	PushString(out, WJB_VALUE, text);
}

/*
 * A member with an array of strings, omitted if that is empty.
 */
static void
TextsMember(JsonOut *out, const char *key, char **texts, int n)
{
	if (n == 0)
		return;
	BeginArray(out, key);
	for (int i = 0; i < n; i++)
		PushString(out, WJB_ELEM, texts[i]);
	EndArray(out);
}

/*
 * A member with an array of names of stages, omitted if that is empty.
 */
static void
StagesMember(JsonOut *out, const char *key, const Funnel *funnel, const int *stages, int n)
{
	char	  **names = (char **) palloc(sizeof(char *) * Max(n, 1));

	for (int i = 0; i < n; i++)
		names[i] = funnel->stages[stages[i]].name;
	TextsMember(out, key, names, n);
	pfree(names);
}

/*
 * A member with the name of a team, omitted if that is -1.
 */
static void
TeamMember(JsonOut *out, const char *key, const Funnel *funnel, int team)
{
	WriteMember(out, key, team < 0 ? NULL : funnel->teams[team].name);
}

/*
 * A member with the name of a stage.
 */
static void
StageMember(JsonOut *out, const char *key, const Funnel *funnel, int stage)
{
	WriteMember(out, key, funnel->stages[stage].name);
}

/*
 * The member "needs", omitted if it is empty.
 */
static void
NeedsMember(JsonOut *out, const FunnelNeed *needs, int n)
{
	if (n == 0)
		return;
	BeginArray(out, "needs");
	for (int i = 0; i < n; i++)
	{
		BeginObject(out);
		switch (needs[i].kind)
		{
			case NEED_COLUMN:
				WriteMember(out, "column", needs[i].text);
				break;
			case NEED_CONDITION:
				WriteMember(out, "condition", needs[i].text);
				break;
			case NEED_REASON:
				BeginArray(out, "reason");
				for (int j = 0; j < needs[i].nreasons; j++)
					PushString(out, WJB_ELEM, needs[i].reasons[j]);
				EndArray(out);
				break;
		}
		EndObject(out);
	}
	EndArray(out);
}

/*
 * The members "hours" and "team_hours".
 */
static void
PushHours(JsonOut *out, const Funnel *funnel)
{
	bool		any = false;

	WriteMember(out, "hours", funnel->hours);
	for (int i = 0; i < funnel->nteams; i++)
	{
		if (funnel->teams[i].hours == NULL)
			continue;
		if (!any)
		{
			PushString(out, WJB_KEY, "team_hours");
			BeginObject(out);
		}
		any = true;
		WriteMember(out, funnel->teams[i].name, funnel->teams[i].hours);
	}
	if (any)
		EndObject(out);
}

/*
 * The members "stages" and "entry".
 */
static void
PushStages(JsonOut *out, const Funnel *funnel)
{
	int		   *entries = (int *) palloc(sizeof(int) * funnel->nstages);
	int			nentries = 0;

	BeginArray(out, "stages");
	for (int i = 0; i < funnel->nstages; i++)
	{
		const FunnelStage *stage = &funnel->stages[i];

		if (stage->is_entry)
			entries[nentries++] = i;
		BeginObject(out);
		WriteMember(out, "stage", stage->name);
		WriteMember(out, "kind", align_stage_kind_name(stage->kind));
		TeamMember(out, "team", funnel, stage->team);
		NeedsMember(out, stage->needs, stage->nneeds);
		TextsMember(out, "known_as", stage->labels, stage->nlabels);
		EndObject(out);
	}
	EndArray(out);
	StagesMember(out, "entry", funnel, entries, nentries);
}

/*
 * The members "success_path", "paths" and "move_needs".
 */
static void
PushPaths(JsonOut *out, const Funnel *funnel)
{
	List	   *groups = align_funnel_path_groups(funnel);
	ListCell   *cell;

	StagesMember(out, "success_path", funnel, funnel->success_path, funnel->npath);

	/* empty arrays are omitted */
	if (groups != NIL)
		BeginArray(out, "paths");
	foreach(cell, groups)
	{
		PathGroup  *group = (PathGroup *) lfirst(cell);

		BeginObject(out);
		if (group->any)
			WriteMember(out, "from", "any");
		else
			StagesMember(out, "from", funnel, group->from.stages, group->from.n);
		StagesMember(out, "to", funnel, group->to.stages, group->to.n);
		EndObject(out);
	}
	if (groups != NIL)
		EndArray(out);
	if (funnel->nmoveneeds == 0)
		return;
	BeginArray(out, "move_needs");
	for (int i = 0; i < funnel->nmoveneeds; i++)
	{
		const MoveNeeds *move = &funnel->move_needs[i];

		BeginObject(out);
		StageMember(out, "from", funnel, move->from);
		StageMember(out, "to", funnel, move->to);
		NeedsMember(out, move->needs, move->nneeds);
		EndObject(out);
	}
	EndArray(out);
}

/*
 * An element of "handoffs" or "slas".
 */
static void
PushServiceLevel(JsonOut *out, const Funnel *funnel, const ServiceLevel *level)
{
	BeginObject(out);
	if (level->is_handoff)
	{
		WriteMember(out, "handoff", level->name);
		StageMember(out, "stage", funnel, level->starts.stages[0]);
		TeamMember(out, "from_team", funnel, level->from_team);
		TeamMember(out, "to_team", funnel, level->team);
		StagesMember(out, "accept", funnel, level->stops.stages, level->naccept);
		StagesMember(out, "reject", funnel, level->stops.stages + level->naccept,
					 level->stops.n - level->naccept);
		TextsMember(out, "reasons", level->reasons, level->nreasons);
	}
	else
	{
		WriteMember(out, "sla", level->name);
		TeamMember(out, "team", funnel, level->team);
		StagesMember(out, "starts", funnel, level->starts.stages, level->starts.n);
		StagesMember(out, "stops", funnel, level->stops.stages, level->stops.n);
		StagesMember(out, "pauses", funnel, level->pauses.stages, level->pauses.n);
	}
	if (level->nsegment_promises > 0)
		BeginArray(out, "due_when");
	for (int i = 0; i < level->nsegment_promises; i++)
	{
		const SegmentPromise *to_segment = &level->segment_promises[i];

		BeginObject(out);
		WriteMember(out, "segment", funnel->segments[to_segment->segment].name);
		WriteMember(out, "due", align_promise_text(&to_segment->promise));
		EndObject(out);
	}
	if (level->nsegment_promises > 0)
		EndArray(out);
	WriteMember(out, "due", align_promise_text(&level->promise));
	WriteMember(out, "warn", align_warn_text(&level->promise));
	EndObject(out);
}

/*
 * The member "handoffs" or "slas", omitted if it is empty.
 */
static void
PushServiceLevels(JsonOut *out, const char *key, const Funnel *funnel, bool handoffs)
{
	bool		any = false;

	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		const ServiceLevel *level = &funnel->service_levels[i];

		if (level->is_handoff != handoffs)
			continue;
		if (!any)
			BeginArray(out, key);
		any = true;
		PushServiceLevel(out, funnel, level);
	}
	if (any)
		EndArray(out);
}

/*
 * A member with a number, which jsonb holds as exactly as the text.
 */
static void
NumberMember(JsonOut *out, const char *key, const char *decimal)
{
	JsonbValue	number;

	number.type = jbvNumeric;
	number.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in,
															 CStringGetDatum(decimal),
															 ObjectIdGetDatum(InvalidOid),
															 Int32GetDatum(-1)));
	PushString(out, WJB_KEY, key);
	pushJsonbValue(out, WJB_VALUE, &number);
}

/*
 * The member "team", or "teams" of a joint target.
 */
static void
PushTargetTeams(JsonOut *out, const Funnel *funnel, const FunnelTarget *target)
{
	if (target->nteams == 1)
	{
		TeamMember(out, "team", funnel, target->teams[0]);
		return;
	}
	BeginArray(out, "teams");
	for (int i = 0; i < target->nteams; i++)
		PushString(out, WJB_ELEM, funnel->teams[target->teams[i]].name);
	EndArray(out);
}

/*
 * The member "targets", omitted if it is empty.
 */
static void
PushTargets(JsonOut *out, const Funnel *funnel)
{
	if (funnel->ntargets == 0)
		return;
	BeginArray(out, "targets");
	for (int i = 0; i < funnel->ntargets; i++)
	{
		const FunnelTarget *target = &funnel->targets[i];

		BeginObject(out);
		PushTargetTeams(out, funnel, target);
		NumberMember(out, "goal", target->goal);
		switch (target->kind)
		{
			case TARGET_COUNT:
				StageMember(out, "stage", funnel, target->stage);
				break;
			case TARGET_AMOUNT:
				StageMember(out, "amount_of", funnel, target->stage);
				break;
			case TARGET_SERVICE_LEVEL:
				WriteMember(out, "of", funnel->service_levels[target->service_level].name);
				break;
			case TARGET_CONVERSION:
				StageMember(out, "from", funnel, target->stage);
				StageMember(out, "to", funnel, target->to_stage);
				WriteMember(out, "within", align_window_text(target->within));
				break;
		}
		WriteMember(out, "per", target->per);
		EndObject(out);
	}
	EndArray(out);
}

/*
 * The member "mixes", omitted if it is empty.
 */
static void
PushMixes(JsonOut *out, const Funnel *funnel)
{
	if (funnel->nmixes == 0)
		return;
	BeginArray(out, "mixes");
	for (int i = 0; i < funnel->nmixes; i++)
	{
		const FunnelMix *mix = &funnel->mixes[i];
		const MixShare *last = &mix->shares[mix->nshares - 1];
		int			nsegments = mix->nshares - (last->segment < 0);

		BeginObject(out);
		StageMember(out, "stage", funnel, mix->stage);
		if (nsegments > 0)
			BeginArray(out, "shares");
		for (int j = 0; j < nsegments; j++)
		{
			BeginObject(out);
			WriteMember(out, "segment", funnel->segments[mix->shares[j].segment].name);
			NumberMember(out, "share", mix->shares[j].share);
			EndObject(out);
		}
		if (nsegments > 0)
			EndArray(out);
		if (last->segment < 0)
			NumberMember(out, "other", last->share);
		EndObject(out);
	}
	EndArray(out);
}

/*
 * The member "channels", omitted if it is empty.
 */
static void
PushChannels(JsonOut *out, const Funnel *funnel)
{
	if (funnel->nchannels == 0)
		return;
	BeginArray(out, "channels");
	for (int i = 0; i < funnel->nchannels; i++)
	{
		const FunnelChannel *channel = &funnel->channels[i];

		BeginObject(out);
		WriteMember(out, "channel", channel->name);
		WriteMember(out, "source", channel->source);
		WriteMember(out, "medium", channel->medium);
		WriteMember(out, "name", channel->campaign);
		EndObject(out);
	}
	EndArray(out);
}

/*
 * The member "segments", omitted if it is empty.
 */
static void
PushSegments(JsonOut *out, const Funnel *funnel)
{
	if (funnel->nsegments == 0)
		return;
	BeginArray(out, "segments");
	for (int i = 0; i < funnel->nsegments; i++)
	{
		BeginObject(out);
		WriteMember(out, "segment", funnel->segments[i].name);
		WriteMember(out, "condition", funnel->segments[i].condition);
		EndObject(out);
	}
	EndArray(out);
}

Datum
align_funnel_to_jsonb(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(0), 0, 1);
	JsonOut		out = NULL;
	JsonbValue *result;

	BeginObject(&out);
	PushHours(&out, funnel);
	PushStages(&out, funnel);
	PushPaths(&out, funnel);
	PushSegments(&out, funnel);
	PushServiceLevels(&out, "handoffs", funnel, true);
	PushServiceLevels(&out, "slas", funnel, false);
	PushTargets(&out, funnel);
	PushMixes(&out, funnel);
	if (funnel->fiscal_month > 1)
		WriteMember(&out, "fiscal_year_begins", align_month_name(funnel->fiscal_month));
	PushChannels(&out, funnel);
	result = pushJsonbValue(&out, WJB_END_OBJECT, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(result));
}
