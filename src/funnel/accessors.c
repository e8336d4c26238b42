/*
 * accessors.c
 *	  Scalar SQL functions of type funnel.
 *
 * The agreement is nearly always the same for all rows of a query, so its
 * compiled form is cached per call site (see align_funnel_arg).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "funnel/draft.h"
#include "funnel/rows.h"
#include "nearest.h"

PG_FUNCTION_INFO_V1(align_funnel_stage_name);
PG_FUNCTION_INFO_V1(align_funnel_stage_kind);
PG_FUNCTION_INFO_V1(align_funnel_stage_position);
PG_FUNCTION_INFO_V1(align_funnel_stage_team);
PG_FUNCTION_INFO_V1(align_funnel_can_move);
PG_FUNCTION_INFO_V1(align_funnel_next_stages);
PG_FUNCTION_INFO_V1(align_funnel_route_names);
PG_FUNCTION_INFO_V1(align_funnel_hours);
PG_FUNCTION_INFO_V1(align_funnel_team_hours);
PG_FUNCTION_INFO_V1(align_funnel_fiscal_year_begins);
PG_FUNCTION_INFO_V1(align_funnel_period_start);
PG_FUNCTION_INFO_V1(align_funnel_period_end);

#define FUNNEL_ARG() align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(0), 0, 1)

/*
 * The stage with the label in argument n; raises if there is none.
 */
static int
StageArg(FunctionCallInfo fcinfo, const Funnel *funnel, int n)
{
	text	   *label = PG_GETARG_TEXT_PP(n);
	int			stage = align_funnel_stage_arg(funnel, label);

	PG_FREE_IF_COPY(label, n);
	return stage;
}

Datum
align_funnel_stage_name(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();

	PG_RETURN_TEXT_P(cstring_to_text(funnel->stages[StageArg(fcinfo, funnel, 1)].name));
}

Datum
align_funnel_stage_kind(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	StageKind	kind = funnel->stages[StageArg(fcinfo, funnel, 1)].kind;

	PG_RETURN_TEXT_P(cstring_to_text(align_stage_kind_name(kind)));
}

Datum
align_funnel_stage_position(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	int			position = funnel->stages[StageArg(fcinfo, funnel, 1)].position;

	if (position < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(position + 1);
}

Datum
align_funnel_stage_team(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	int			team = funnel->stages[StageArg(fcinfo, funnel, 1)].team;

	if (team < 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(funnel->teams[team].name));
}

Datum
align_funnel_can_move(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	int			from = StageArg(fcinfo, funnel, 1);
	int			to = StageArg(fcinfo, funnel, 2);

	PG_RETURN_BOOL((FUNNEL_MOVE(funnel, from, to) & MOVE_LEGAL) != 0);
}

Datum
align_funnel_next_stages(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	int			from = StageArg(fcinfo, funnel, 1);
	int		   *next = (int *) palloc(sizeof(int) * funnel->nstages);
	int			n = 0;

	for (int to = 0; to < funnel->nstages; to++)
	{
		if (FUNNEL_MOVE(funnel, from, to) & MOVE_LEGAL)
			next[n++] = to;
	}
	PG_RETURN_DATUM(align_stages_array(funnel, next, n));
}

Datum
align_funnel_route_names(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	int			from = StageArg(fcinfo, funnel, 1);
	int			to = StageArg(fcinfo, funnel, 2);
	int		   *route = (int *) palloc(sizeof(int) * funnel->nstages);
	int			n = align_funnel_route(funnel, from, to, route);

	if (n < 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(align_stages_array(funnel, route, n));
}

/*
 * Value of type calendar.  The text of a calendar in an agreement is
 * canonical, so it need not be parsed.
 */
static Datum
CalendarDatum(const char *hours)
{
	return PointerGetDatum(align_text_value(hours, strlen(hours)));
}

Datum
align_funnel_hours(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();

	if (funnel->hours == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(CalendarDatum(funnel->hours));
}

Datum
align_funnel_team_hours(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();
	text	   *name = PG_GETARG_TEXT_PP(1);
	int			len = VARSIZE_ANY_EXHDR(name);
	int			team = align_funnel_team(funnel, VARDATA_ANY(name), len);
	const char *hours;

	if (team < 0)
	{
		const char **names = (const char **) palloc(sizeof(char *) * Max(funnel->nteams, 1));
		char	   *hint;

		for (int i = 0; i < funnel->nteams; i++)
			names[i] = funnel->teams[i].name;
		hint = align_nearest_hint(VARDATA_ANY(name), len, names, funnel->nteams);
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("unknown team \"%.*s\"", len, VARDATA_ANY(name)),
				 errdetail("The agreement does not mention it."),
				 hint ? errhint("%s", hint) : 0));
	}
	hours = funnel->teams[team].hours ? funnel->teams[team].hours : funnel->hours;
	if (hours == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(CalendarDatum(hours));
}

Datum
align_funnel_fiscal_year_begins(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = FUNNEL_ARG();

	PG_RETURN_INT32(funnel->fiscal_month);
}

/*
 * The arguments and result of period_start() and period_end(): (funnel, per
 * text, on_date date).  An infinite date is its own period.
 */
static Datum
PeriodBoundary(FunctionCallInfo fcinfo, bool next)
{
	Funnel	   *funnel = FUNNEL_ARG();
	text	   *per = PG_GETARG_TEXT_PP(1);
	int			period = align_period(VARDATA_ANY(per), VARSIZE_ANY_EXHDR(per));
	DateADT		date = PG_GETARG_DATEADT(2);

	if (period < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown period \"%s\"", text_to_cstring(per)),
				 errhint("Periods are day, week, month, quarter and year.")));
	if (!DATE_NOT_FINITE(date) && !align_period_boundary(funnel, period, date, next, &date))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range"),
				 errdetail("The %s begins or ends outside the range of dates.",
						   text_to_cstring(per))));
	PG_RETURN_DATEADT(date);
}

Datum
align_funnel_period_start(PG_FUNCTION_ARGS)
{
	return PeriodBoundary(fcinfo, false);
}

Datum
align_funnel_period_end(PG_FUNCTION_ARGS)
{
	return PeriodBoundary(fcinfo, true);
}
