/*
 * against.c
 *	  Functions of a lead and a calendar or an agreement.
 */
#include "postgres.h"

#include "fmgr.h"

#include "calendar/calendar.h"
#include "funnel/funnel.h"
#include "lead/lead.h"
#include "lead/values.h"

PG_FUNCTION_INFO_V1(align_lead_working_time_between);
PG_FUNCTION_INFO_V1(align_lead_touchless);
PG_FUNCTION_INFO_V1(align_lead_canonical);

/*
 * working_time_between(lead, from_stage, to_stage, calendar)
 */
Datum
align_lead_working_time_between(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = align_calendar_arg(fcinfo->flinfo, PG_GETARG_DATUM(3), 0, 1);
	TimestampTz from,
				to;

	if (!align_lead_span(PG_GETARG_VARLENA_PP(0), PG_GETARG_TEXT_PP(1), PG_GETARG_TEXT_PP(2),
						 &from, &to))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(align_interval_datum(align_working_time(calendar, from, to)));
}

/*
 * touchless(lead, funnel): true if at most one team held the lead.  Stages
 * that no team holds, and labels that the agreement does not have, do not
 * count.
 */
Datum
align_lead_touchless(PG_FUNCTION_ARGS)
{
	struct varlena *lead = PG_GETARG_VARLENA_PP(0);
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1);
	LeadReader	reader;
	LeadEntry	entry;
	int			last = -1;
	int			first_team = -1;
	bool		touchless = true;

	align_lead_read(&reader, lead);
	while (touchless && align_lead_next(&reader, &entry))
	{
		int			stage;
		int			team;

		if (entry.stage < 0 || entry.stage == last)
			continue;
		last = entry.stage;
		stage = align_funnel_stage(funnel, reader.strings[last].text, reader.strings[last].len);
		team = stage < 0 ? -1 : funnel->stages[stage].team;
		if (first_team < 0)
			first_team = team;
		else if (team >= 0 && team != first_team)
			touchless = false;
	}
	align_lead_read_end(&reader);
	if (last < 0)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(touchless);
}

/*
 * canonical(lead, funnel): the lead with stages by the agreement's names for
 * them.  Labels that the agreement does not have stay.
 */
Datum
align_lead_canonical(PG_FUNCTION_ARGS)
{
	struct varlena *lead = PG_GETARG_VARLENA_PP(0);
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1);
	LeadReader	reader;
	LeadString *stages;
	LeadBuilder *builder;
	bool		renames = false;

	align_lead_read(&reader, lead);
	/* other strings than stages are renamed, too, but used only as stages */
	stages = palloc(Max(reader.nstrings, 1) * sizeof(LeadString));
	for (int i = 0; i < reader.nstrings; i++)
	{
		LeadString	label = reader.strings[i];
		int			stage = align_funnel_stage(funnel, label.text, label.len);

		stages[i] = stage < 0 ? label : align_lead_cstring(funnel->stages[stage].name);
		renames = renames || !align_lead_same(stages[i], label);
	}
	if (!renames)
	{
		align_lead_read_end(&reader);
		PG_RETURN_POINTER(lead);
	}
	builder = align_lead_builder(CurrentMemoryContext);
	align_lead_add_renamed(builder, &reader, stages);
	align_lead_read_end(&reader);
	PG_RETURN_POINTER(align_lead_encode(builder, false));
}
