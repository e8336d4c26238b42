/*
 * compile_promise.c
 *	  From draft to compiled agreement: teams, handoffs, service levels and
 *	  hours.
 */
#include "postgres.h"

#include "funnel/build.h"

/*
 * Sets *team to the index of the team of this name, which is added if it is
 * new.
 */
bool
align_build_team(FunnelBuild *build, const ScanName *name, int *team)
{
	Funnel	   *funnel = build->funnel;

	*team = align_funnel_team(funnel, name->text, name->len);
	if (*team >= 0)
		return true;
	if (!align_check_limit(build, name->at, funnel->nteams + 1, FUNNEL_MAX_TEAMS, "teams"))
		return false;
	*team = funnel->nteams++;
	funnel->teams[*team].name = align_build_strdup(build, name->text);
	return true;
}

/*
 * Teams that hold stages.
 */
bool
align_build_holders(FunnelBuild *build)
{
	ListCell   *cell;

	build->funnel->teams = (FunnelTeam *)
		align_build_alloc(build, sizeof(FunnelTeam) * FUNNEL_MAX_TEAMS);
	foreach(cell, build->draft->stages)
	{
		DraftStage *draft = (DraftStage *) lfirst(cell);

		if (draft->team != NULL &&
			!align_build_team(build, draft->team, &build->funnel->stages[foreach_current_index(cell)].team))
			return false;
	}
	return true;
}

/*
 * The promises to segments.
 */
static bool
BuildSegmentPromises(FunnelBuild *build, const DraftServiceLevel *draft, ServiceLevel *level)
{
	ListCell   *cell;

	level->segment_promises = (SegmentPromise *)
		align_build_alloc(build, sizeof(SegmentPromise) * list_length(draft->due.to_segments));
	foreach(cell, draft->due.to_segments)
	{
		DraftSegmentPromise *to_segment = (DraftSegmentPromise *) lfirst(cell);
		SegmentPromise *result = &level->segment_promises[level->nsegment_promises];

		if (!align_check_segment_known(build, &to_segment->segment, &result->segment) ||
			!align_check_segment_promise_new(build, level, &to_segment->segment,
											 result->segment) ||
			!align_check_same_time(build, &draft->due, to_segment))
			return false;
		result->promise = to_segment->promise;
		result->promise.warn = level->promise.warn;
		result->promise.warn_before = level->promise.warn_before;
		level->nsegment_promises++;
	}
	return true;
}

/*
 * One handoff or sla.
 */
static bool
BuildServiceLevel(FunnelBuild *build, const DraftServiceLevel *draft)
{
	Funnel	   *funnel = build->funnel;
	ServiceLevel *level = &funnel->service_levels[funnel->nservice_levels];
	StageSet   *sets[3];

	if (!align_check_service_level_new(build, &draft->name))
		return false;
	level->name = align_build_strdup(build, draft->name.text);
	level->is_handoff = draft->is_handoff;
	level->from_team = -1;
	level->promise = draft->due.promise;
	if ((draft->is_handoff && !align_build_team(build, &draft->from_team, &level->from_team)) ||
		!align_build_team(build, &draft->team, &level->team) ||
		!align_build_stage_set(build, draft->starts, &level->starts) ||
		!align_build_stage_set(build, draft->pauses, &level->pauses))
		return false;

	/* a handoff stops at the accepting stages, then at the rejecting ones */
	if (draft->is_handoff)
	{
		List	   *stops = list_concat_copy(draft->accept, draft->reject);

		if (!align_build_stage_set(build, stops, &level->stops) ||
			!align_build_reasons(build, draft->reasons, &level->nreasons, &level->reasons))
			return false;
		level->naccept = list_length(draft->accept);
	}
	else if (!align_build_stage_set(build, draft->stops, &level->stops))
		return false;

	if (!align_check_roles(build, draft, level) ||
		(draft->is_handoff && !align_check_handoff(build, draft, level)) ||
		!align_check_can_stop(build, draft, level) ||
		!BuildSegmentPromises(build, draft, level) ||
		!align_check_warn(build, &draft->due))
		return false;

	/* a stage may have two effects: stop a cycle and start the next */
	level->effects = (uint8 *) align_build_alloc(build, funnel->nstages);
	sets[0] = &level->starts;
	sets[1] = &level->stops;
	sets[2] = &level->pauses;
	for (int i = 0; i < (int) lengthof(sets); i++)
	{
		static const uint8 bits[] = {EFFECT_START, EFFECT_STOP, EFFECT_PAUSE};

		for (int j = 0; j < sets[i]->n; j++)
			level->effects[sets[i]->stages[j]] |= bits[i];
	}
	for (int i = 0; draft->is_handoff && i < level->stops.n; i++)
		level->effects[level->stops.stages[i]] |=
			i < level->naccept ? EFFECT_ACCEPT : EFFECT_REJECT;
	funnel->nservice_levels++;
	return true;
}

/*
 * Handoffs, then slas, each in the order of the document.  The canonical
 * document has the same order.
 */
bool
align_build_service_levels(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	List	   *drafts = build->draft->service_levels;
	ListCell   *cell;

	if (list_length(drafts) > FUNNEL_MAX_SERVICE_LEVELS)
	{
		DraftServiceLevel *first_over = (DraftServiceLevel *)
			list_nth(drafts, FUNNEL_MAX_SERVICE_LEVELS);

		return align_check_limit(build, first_over->name.at, list_length(drafts),
								 FUNNEL_MAX_SERVICE_LEVELS, "handoffs and service levels");
	}
	funnel->service_levels = (ServiceLevel *)
		align_build_alloc(build, sizeof(ServiceLevel) * list_length(drafts));
	for (int pass = 0; pass < 2; pass++)
	{
		foreach(cell, drafts)
		{
			DraftServiceLevel *draft = (DraftServiceLevel *) lfirst(cell);

			if (draft->is_handoff == (pass == 0) && !BuildServiceLevel(build, draft))
				return false;
		}
	}
	/* teams that only targets and hours name are added after this */
	build->nnamed = funnel->nteams;
	return align_check_common_reasons(build);
}

/*
 * list_sort comparator: common hours first, then by team; equal ones by
 * position.
 */
static int
CompareDraftHours(const ListCell *a, const ListCell *b)
{
	const DraftHours *left = (const DraftHours *) lfirst(a);
	const DraftHours *right = (const DraftHours *) lfirst(b);
	int			result;

	if (left->team == NULL || right->team == NULL)
		result = (left->team != NULL) - (right->team != NULL);
	else
		result = strcmp(left->team->text, right->team->text);
	return result != 0 ? result : (left->at > right->at) - (left->at < right->at);
}

/*
 * Sets *hours to the canonical text of a calendar.  An error in the calendar
 * is reported with its position in the document and the calendar's message as
 * the detail.
 */
static bool
BuildCalendar(FunnelBuild *build, const ScanName *calendar, char **hours)
{
	ErrorData  *error;
	TextValue  *value = align_capture_error(align_calendar_parse, calendar->text, &error);
	MemoryContext old;

	if (value == NULL)
		return align_scan_fail_code(build->scan, error->sqlerrcode, calendar->at,
									psprintf("The calendar: %s.%s%s", error->message,
											 error->detail ? " " : "",
											 error->detail ? error->detail : ""),
									error->hint, "hours are not a valid calendar");
	old = MemoryContextSwitchTo(build->funnel->context);
	*hours = align_text_value_cstring(value);
	MemoryContextSwitchTo(old);
	return true;
}

/*
 * Working hours.
 *
 * Teams that only "hours" statements name are added here, sorted by name, so
 * that the order of those statements does not matter to the value.
 */
bool
align_build_hours(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	List	   *drafts = list_copy(build->draft->hours);
	ListCell   *cell;

	list_sort(drafts, CompareDraftHours);
	foreach(cell, drafts)
	{
		DraftHours *draft = (DraftHours *) lfirst(cell);
		char	  **hours = &funnel->hours;
		int			team;

		if (draft->team != NULL)
		{
			if (!align_build_team(build, draft->team, &team) ||
				!align_check_team_known(build, draft->team, team))
				return false;
			hours = &funnel->teams[team].hours;
		}
		if (*hours != NULL)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, draft->at, NULL,
										"Put all hours into one calendar.",
										draft->team ? "a second \"hours of %s\"" : "a second \"hours\"",
										draft->team ? draft->team->text : "");
		if (!BuildCalendar(build, &draft->calendar, hours))
			return false;
	}
	funnel->team_calendars = (Calendar **)
		align_build_alloc(build, sizeof(Calendar *) * funnel->nteams);

	/* only now is it known which service levels have no hours to count in */
	foreach(cell, build->draft->service_levels)
	{
		DraftServiceLevel *draft = (DraftServiceLevel *) lfirst(cell);
		int			level;

		if (!align_check_service_level_known(build, &draft->name, &level) ||
			!align_check_has_hours(build, draft, &funnel->service_levels[level]))
			return false;
	}
	return true;
}
