/*
 * rows.c
 *	  Set-returning SQL functions of type funnel.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "funnel/draft.h"
#include "funnel/rows.h"

PG_FUNCTION_INFO_V1(align_funnel_stages);
PG_FUNCTION_INFO_V1(align_funnel_moves);
PG_FUNCTION_INFO_V1(align_funnel_handoffs);
PG_FUNCTION_INFO_V1(align_funnel_service_levels);
PG_FUNCTION_INFO_V1(align_funnel_targets);
PG_FUNCTION_INFO_V1(align_funnel_agreed_targets);
PG_FUNCTION_INFO_V1(align_funnel_target_teams);
PG_FUNCTION_INFO_V1(align_funnel_target_mix);
PG_FUNCTION_INFO_V1(align_funnel_channels);
PG_FUNCTION_INFO_V1(align_funnel_segments);

#define FUNNEL_ARG() align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(0), 0, 1)

/*
 * "open", "won" or "lost"
 */
const char *
align_stage_kind_name(StageKind kind)
{
	static const char *const names[] = {"open", "won", "lost"};

	return names[kind];
}

/*
 * Begins the result of a set-returning function and its first row.
 */
void
align_row_begin(FunnelRow *row, FunctionCallInfo fcinfo)
{
	align_begin_rows(fcinfo);
	row->result = (ReturnSetInfo *) fcinfo->resultinfo;
	row->ncolumns = 0;
}

static void
AppendDatum(FunnelRow *row, Datum value)
{
	Assert(row->ncolumns < FUNNEL_ROW_COLUMNS);
	row->values[row->ncolumns] = value;
	row->nulls[row->ncolumns++] = false;
}

static void
AppendNull(FunnelRow *row)
{
	Assert(row->ncolumns < FUNNEL_ROW_COLUMNS);
	row->values[row->ncolumns] = (Datum) 0;
	row->nulls[row->ncolumns++] = true;
}

void
align_row_text(FunnelRow *row, const char *text)
{
	if (text == NULL)
		AppendNull(row);
	else
		AppendDatum(row, CStringGetTextDatum(text));
}

/*
 * Stores the row and begins the next.
 */
void
align_row_end(FunnelRow *row)
{
	Assert(row->ncolumns == row->result->setDesc->natts);
	tuplestore_putvalues(row->result->setResult, row->result->setDesc, row->values, row->nulls);
	row->ncolumns = 0;
}

/*
 * text[] of strings.
 */
static Datum
TextsArray(char **texts, int n)
{
	Datum	   *elements = (Datum *) palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		elements[i] = CStringGetTextDatum(texts[i]);
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum
align_stages_array(const Funnel *funnel, const int *stages, int n)
{
	char	  **names = (char **) palloc(sizeof(char *) * Max(n, 1));

	for (int i = 0; i < n; i++)
		names[i] = funnel->stages[stages[i]].name;
	return TextsArray(names, n);
}

/*
 * text[] of needs, as written in the document.
 */
static Datum
NeedsArray(const FunnelNeed *needs, int n)
{
	char	  **texts = (char **) palloc(sizeof(char *) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		StringInfoData text;

		initStringInfo(&text);
		align_write_need(&text, &needs[i]);
		texts[i] = text.data;
	}
	return TextsArray(texts, n);
}

/*
 * Name of a team, NULL if it is -1.
 */
static const char *
TeamName(const Funnel *funnel, int team)
{
	return team < 0 ? NULL : funnel->teams[team].name;
}

Datum
align_funnel_stages(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int i = 0; i < funnel->nstages; i++)
	{
		const FunnelStage *stage = &funnel->stages[i];

		if (stage->position < 0)
			AppendNull(&row);
		else
			AppendDatum(&row, Int32GetDatum(stage->position + 1));
		align_row_text(&row, stage->name);
		align_row_text(&row, align_stage_kind_name(stage->kind));
		align_row_text(&row, TeamName(funnel, stage->team));
		AppendDatum(&row, BoolGetDatum(stage->position >= 0));
		AppendDatum(&row, BoolGetDatum(stage->is_entry));
		AppendDatum(&row, TextsArray(stage->labels, stage->nlabels));
		AppendDatum(&row, NeedsArray(stage->needs, stage->nneeds));
		align_row_end(&row);
	}
	return (Datum) 0;
}

Datum
align_funnel_moves(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int from = 0; from < funnel->nstages; from++)
	{
		for (int to = 0; to < funnel->nstages; to++)
		{
			uint8		move = FUNNEL_MOVE(funnel, from, to);
			const MoveNeeds *needs;

			if (!(move & MOVE_LEGAL))
				continue;
			needs = align_funnel_move_needs(funnel, from, to);
			align_row_text(&row, funnel->stages[from].name);
			align_row_text(&row, funnel->stages[to].name);
			AppendDatum(&row, BoolGetDatum((move & MOVE_SUCCESS) != 0));
			AppendDatum(&row, needs ? NeedsArray(needs->needs, needs->nneeds) :
						NeedsArray(NULL, 0));
			align_row_end(&row);
		}
	}
	return (Datum) 0;
}

Datum
align_funnel_handoffs(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		const ServiceLevel *level = &funnel->service_levels[i];

		if (!level->is_handoff)
			continue;
		align_row_text(&row, level->name);
		align_row_text(&row, funnel->stages[level->starts.stages[0]].name);
		align_row_text(&row, TeamName(funnel, level->from_team));
		align_row_text(&row, TeamName(funnel, level->team));
		AppendDatum(&row, align_stages_array(funnel, level->stops.stages, level->naccept));
		AppendDatum(&row, align_stages_array(funnel, level->stops.stages + level->naccept,
											 level->stops.n - level->naccept));
		AppendDatum(&row, TextsArray(level->reasons, level->nreasons));
		align_row_text(&row, align_due_text(funnel, level));
		align_row_text(&row, align_warn_text(&level->promise));
		align_row_end(&row);
	}
	return (Datum) 0;
}

Datum
align_funnel_service_levels(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		const ServiceLevel *level = &funnel->service_levels[i];

		align_row_text(&row, level->name);
		align_row_text(&row, TeamName(funnel, level->team));
		AppendDatum(&row, align_stages_array(funnel, level->starts.stages, level->starts.n));
		AppendDatum(&row, align_stages_array(funnel, level->stops.stages, level->stops.n));
		AppendDatum(&row, align_stages_array(funnel, level->pauses.stages, level->pauses.n));
		align_row_text(&row, align_due_text(funnel, level));
		align_row_text(&row, align_warn_text(&level->promise));
		align_row_end(&row);
	}
	return (Datum) 0;
}

/*
 * What a target measures: a stage, "amount of customer", a service level, "mql
 * to customer".
 */
static char *
TargetMetric(const Funnel *funnel, const FunnelTarget *target)
{
	switch (target->kind)
	{
		case TARGET_COUNT:
			return funnel->stages[target->stage].name;
		case TARGET_AMOUNT:
			return psprintf("amount of %s", funnel->stages[target->stage].name);
		case TARGET_SERVICE_LEVEL:
			return funnel->service_levels[target->service_level].name;
		case TARGET_CONVERSION:
			return psprintf("%s to %s", funnel->stages[target->stage].name,
							funnel->stages[target->to_stage].name);
	}
	pg_unreachable();
}

/*
 * The columns goal, unit, per and within.
 */
static void
AppendGoal(FunnelRow *row, const FunnelTarget *target)
{
	static const char *const units[] = {
		[TARGET_COUNT] = "leads",
		[TARGET_AMOUNT] = "amount",
		[TARGET_SERVICE_LEVEL] = "%",
		[TARGET_CONVERSION] = "%",
	};

	AppendDatum(row, DirectFunctionCall3(numeric_in, CStringGetDatum(target->goal),
										 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	align_row_text(row, units[target->kind]);
	align_row_text(row, target->per);
	if (target->within < 0)
		AppendNull(row);
	else
		AppendDatum(row, align_days_interval_datum(target->within));
}

Datum
align_funnel_targets(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int i = 0; i < funnel->ntargets; i++)
	{
		const FunnelTarget *target = &funnel->targets[i];

		align_row_text(&row, align_target_teams_text(funnel, target));
		align_row_text(&row, TargetMetric(funnel, target));
		AppendGoal(&row, target);
		align_row_end(&row);
	}
	return (Datum) 0;
}

/*
 * agreed_targets(funnel): as targets(), with what is measured in columns
 */
Datum
align_funnel_agreed_targets(PG_FUNCTION_ARGS)
{
	static const char *const kinds[] = {
		[TARGET_COUNT] = "count",
		[TARGET_AMOUNT] = "amount",
		[TARGET_SERVICE_LEVEL] = "service_level",
		[TARGET_CONVERSION] = "conversion",
	};
	Funnel	   *funnel = FUNNEL_ARG();
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int i = 0; i < funnel->ntargets; i++)
	{
		const FunnelTarget *target = &funnel->targets[i];
		bool		is_conversion = target->kind == TARGET_CONVERSION;
		int			stage = is_conversion ? target->to_stage : target->stage;

		align_row_text(&row, align_target_teams_text(funnel, target));
		align_row_text(&row, kinds[target->kind]);
		align_row_text(&row, stage < 0 ? NULL : funnel->stages[stage].name);
		align_row_text(&row, is_conversion ? funnel->stages[target->stage].name : NULL);
		align_row_text(&row, target->service_level < 0 ? NULL :
					   funnel->service_levels[target->service_level].name);
		AppendGoal(&row, target);
		align_row_end(&row);
	}
	return (Datum) 0;
}

/*
 * target_teams(funnel): one row for each team of each target
 */
Datum
align_funnel_target_teams(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int i = 0; i < funnel->ntargets; i++)
	{
		const FunnelTarget *target = &funnel->targets[i];

		for (int j = 0; j < target->nteams; j++)
		{
			AppendDatum(&row, Int32GetDatum(i + 1));
			align_row_text(&row, TeamName(funnel, target->teams[j]));
			align_row_end(&row);
		}
	}
	return (Datum) 0;
}

/*
 * target_mix(funnel): one row for each share of each mix
 */
Datum
align_funnel_target_mix(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int i = 0; i < funnel->nmixes; i++)
	{
		const FunnelMix *mix = &funnel->mixes[i];

		for (int j = 0; j < mix->nshares; j++)
		{
			const MixShare *share = &mix->shares[j];

			align_row_text(&row, funnel->stages[mix->stage].name);
			align_row_text(&row, share->segment < 0 ? "(other)" :
						   funnel->segments[share->segment].name);
			/* the digits are moved as text, so that 30% is exactly 0.3 */
			AppendDatum(&row, DirectFunctionCall1(float8in,
												  CStringGetDatum(psprintf("%se-2", share->share))));
			align_row_end(&row);
		}
	}
	return (Datum) 0;
}

Datum
align_funnel_segments(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int i = 0; i < funnel->nsegments; i++)
	{
		align_row_text(&row, funnel->segments[i].name);
		align_row_text(&row, funnel->segments[i].condition);
		align_row_end(&row);
	}
	return (Datum) 0;
}

Datum
align_funnel_channels(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	FunnelRow	row;

	align_row_begin(&row, fcinfo);
	for (int i = 0; i < funnel->nchannels; i++)
	{
		const FunnelChannel *channel = &funnel->channels[i];

		align_row_text(&row, channel->name);
		align_row_text(&row, channel->source);
		align_row_text(&row, channel->medium);
		align_row_text(&row, channel->campaign);
		align_row_end(&row);
	}
	return (Datum) 0;
}
