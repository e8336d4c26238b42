/*
 * step_plan.c
 *	  Compiles a list of steps into what a search needs.
 */
#include "postgres.h"

#include "judge/judge.h"

/*
 * A cheap hash: equal names have equal signatures, so most comparisons of a
 * name with the stages can be skipped.
 */
static inline uint32
Signature(LeadString name)
{
	if (name.len == 0)
		return 0;
	return (uint32) name.len << 16 | (uint32) (uint8) name.text[0] << 8 |
		(uint8) name.text[name.len - 1];
}

const StepName *
align_step_name(const StepPlan *plan, LeadString name)
{
	uint32		signature = Signature(name);

	for (int i = 0; i < plan->nnames; i++)
	{
		const StepName *candidate = &plan->names[i];

		if (candidate->signature == signature && candidate->name.len == name.len &&
			memcmp(candidate->name.text, name.text, name.len) == 0)
			return candidate;
	}
	return NULL;
}

/* The entry of a stage in the list of names, which has room for it. */
static StepName *
NameOf(StepPlan *plan, LeadString stage)
{
	StepName   *name = unconstify(StepName *, align_step_name(plan, stage));

	if (name == NULL)
	{
		name = &plan->names[plan->nnames++];
		name->name = stage;
		name->signature = Signature(stage);
	}
	return name;
}

static void
CompileNames(StepPlan *plan, const StepList *list)
{
	int			room = list->nexclude;

	for (int i = 0; i < list->nsteps; i++)
		room += list->steps[i].nstages;
	plan->names = palloc0(room * sizeof(StepName));
	for (int i = 0; i < list->nsteps; i++)
	{
		for (int j = 0; j < list->steps[i].nstages; j++)
			NameOf(plan, list->steps[i].stages[j])->steps |= UINT64CONST(1) << i;
	}
	for (int i = 0; i < list->nexclude; i++)
		NameOf(plan, list->exclude[i])->excluded = true;
}

static StepWindow
WindowOf(const StepLimit *limit, pg_tz *zone)
{
	StepWindow	window;

	if (!align_is_limited(limit))
		return align_no_window();
	if (limit->months == 0 && limit->days == 0)
		return align_elapsed_window(limit->time);
	Assert(zone != NULL);
	window.limited = true;
	window.months = limit->months;
	window.days = limit->days;
	window.time = limit->time;
	window.zone = zone;
	return window;
}

static void
CompileRules(StepRules *rules, const StepList *list)
{
	pg_tz	   *zone = list->zone.text == NULL ? NULL :
		pg_tzset(pnstrdup(list->zone.text, list->zone.len));

	rules->nsteps = list->nsteps;
	rules->modes = list->modes;
	rules->within = WindowOf(&list->within, zone);
	if (list->gaps != NULL)
	{
		StepWindow *gaps = palloc(list->nsteps * sizeof(StepWindow));

		gaps[0] = align_no_window();
		for (int i = 1; i < list->nsteps; i++)
			gaps[i] = WindowOf(&list->gaps[i - 1], zone);
		rules->gaps = gaps;
	}
	for (int i = 0; i < list->nsteps; i++)
	{
		if (list->steps[i].optional)
			rules->optional |= UINT64CONST(1) << i;
	}
	align_prepare_rules(rules);
}

StepPlan *
align_step_plan(const StepList *list)
{
	StepPlan   *plan = palloc0(sizeof(StepPlan));

	plan->list = list;
	CompileNames(plan, list);
	plan->simple = list->modes == MATCH_ORDERED && !list->passages && list->gaps == NULL &&
		list->nexclude == 0 && list->zone.text == NULL;
	for (int i = 0; plan->simple && i < list->nsteps; i++)
		plan->simple = !list->steps[i].optional;
	plan->within = list->within.time;
	CompileRules(&plan->rules, list);
	return plan;
}
