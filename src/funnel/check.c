/*
 * check.c
 *	  Checks of stages, labels, paths and needs.
 *
 * check_promise.c checks promises and targets.  There is one function for each
 * rule, whose comment states the rule.  It returns true if the rule holds;
 * else it reports an error with the position in the document and returns
 * false.  The codes are DUPLICATE_OBJECT and UNDEFINED_OBJECT for names,
 * PROGRAM_LIMIT_EXCEEDED for limits, and INVALID_PARAMETER_VALUE for
 * contradictions.
 */
#include "postgres.h"

#include "funnel/build.h"
#include "nearest.h"

static const char *
StageName(const FunnelBuild *build, int stage)
{
	return build->funnel->stages[stage].name;
}

/*
 * At most "max" things, called "what" in messages.
 */
bool
align_check_limit(FunnelBuild *build, const char *at, int n, int max, const char *what)
{
	if (n <= max)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, at,
								psprintf("An agreement may have at most %d %s.", max, what),
								NULL, "too many %s", what);
}

/*
 * The stage is declared.  Sets *stage to its index.
 */
bool
align_check_stage_known(FunnelBuild *build, const ScanName *name, int *stage)
{
	Funnel	   *funnel = build->funnel;
	const char **names;

	for (*stage = 0; *stage < funnel->nstages; (*stage)++)
	{
		if (strcmp(funnel->stages[*stage].name, name->text) == 0)
			return true;
	}

	*stage = align_funnel_stage(funnel, name->text, name->len);
	if (*stage >= 0)
		return align_scan_fail_code(build->scan, ERRCODE_UNDEFINED_OBJECT, name->at,
									"A label stands for a stage in existing tables; an agreement refers to stages by name.",
									psprintf("Write \"%s\".", StageName(build, *stage)),
									"\"%s\" is a label, not the name of a stage", name->text);

	names = (const char **) palloc(sizeof(char *) * Max(funnel->nstages, 1));
	for (int i = 0; i < funnel->nstages; i++)
		names[i] = StageName(build, i);
	return align_scan_fail_code(build->scan, ERRCODE_UNDEFINED_OBJECT, name->at,
								"No \"stage\", \"won\" or \"lost\" statement declares it.",
								align_nearest_hint(name->text, name->len, names, funnel->nstages),
								"unknown stage \"%s\"", name->text);
}

/*
 * The stage is not declared yet.
 */
bool
align_check_stage_new(FunnelBuild *build, const ScanName *name)
{
	for (int i = 0; i < build->funnel->nstages; i++)
	{
		if (strcmp(StageName(build, i), name->text) == 0)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, name->at, NULL,
										"Declare a stage once, with \"stage\", \"won\" or \"lost\".",
										"stage \"%s\" is declared twice", name->text);
	}
	return true;
}

/* A label and its position in the text, to find repeated ones. */
typedef struct PlacedLabel
{
	FunnelLabel label;
	const char *at;
} PlacedLabel;

static int
ComparePlacedLabels(const void *a, const void *b)
{
	const PlacedLabel *left = (const PlacedLabel *) a;
	const PlacedLabel *right = (const PlacedLabel *) b;
	int			result = align_label_cmp(&left->label, &right->label);

	return result != 0 ? result : (left->at > right->at) - (left->at < right->at);
}

/*
 * The first label in the text that repeats an earlier one, NULL if none does.
 * Sets *original to that earlier one.  Sorts the labels.
 */
static const PlacedLabel *
FindRepeatedLabel(PlacedLabel *labels, int n, const PlacedLabel **original)
{
	const PlacedLabel *found = NULL;

	qsort(labels, n, sizeof(PlacedLabel), ComparePlacedLabels);
	for (int i = 1; i < n; i++)
	{
		if (align_label_cmp(&labels[i - 1].label, &labels[i].label) == 0 &&
			(found == NULL || labels[i].at < found->at))
		{
			*original = &labels[i - 1];
			found = &labels[i];
		}
	}
	return found;
}

/*
 * Labels and names of stages are distinct.
 */
bool
align_check_labels_distinct(FunnelBuild *build, const FunnelLabel *labels,
							const char **at, int nlabels)
{
	PlacedLabel *placed = (PlacedLabel *) palloc(sizeof(PlacedLabel) * Max(nlabels, 1));
	const PlacedLabel *repeated;
	const PlacedLabel *original;

	for (int i = 0; i < nlabels; i++)
	{
		placed[i].label = labels[i];
		placed[i].at = at[i];
	}
	repeated = FindRepeatedLabel(placed, nlabels, &original);
	if (repeated == NULL)
		return true;

	/* between a label and a stage declared after it, the label is at fault */
	if (repeated->at == build->stage_at[repeated->label.stage])
	{
		const PlacedLabel *swap = repeated;

		repeated = original;
		original = swap;
	}
	return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, repeated->at,
								psprintf("It already identifies stage \"%s\".",
										 StageName(build, original->label.stage)),
								"A label or name must identify one stage.",
								"label \"%s\" is given twice", repeated->label.text);
}

/*
 * No name occurs twice in a list.
 */
bool
align_check_named_once(FunnelBuild *build, List *names, const char *what)
{
	PlacedLabel *placed;
	const PlacedLabel *repeated;
	const PlacedLabel *original;
	ListCell   *cell;

	if (list_length(names) < 2)
		return true;
	placed = (PlacedLabel *) palloc(sizeof(PlacedLabel) * list_length(names));
	foreach(cell, names)
	{
		ScanName   *name = (ScanName *) lfirst(cell);
		PlacedLabel *place = &placed[foreach_current_index(cell)];

		place->label.text = name->text;
		place->label.len = name->len;
		place->at = name->at;
	}
	repeated = FindRepeatedLabel(placed, list_length(names), &original);
	if (repeated == NULL)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, repeated->at, NULL, NULL,
								"%s \"%s\" is named twice", what, repeated->label.text);
}

/*
 * There is exactly one success path.
 */
bool
align_check_one_success_path(FunnelBuild *build)
{
	const Draft *draft = build->draft;

	if (list_length(draft->success_paths) == 1)
		return true;
	if (draft->success_paths == NIL)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, build->scan->end,
									"An agreement must have a success path.",
									"Add \"success path first -> ... -> won;\".",
									"no success path");
	return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT,
								((DraftPath *) lsecond(draft->success_paths))->at,
								"An agreement has only one success path.",
								"Write other legal moves as \"path ...\".",
								"a second success path");
}

/*
 * The success path names no stage twice and no lost one, and ends in a won
 * one.
 */
bool
align_check_success_path(FunnelBuild *build, List *steps)
{
	Funnel	   *funnel = build->funnel;
	List	   *names = NIL;
	ScanName   *last;
	ListCell   *cell;

	foreach(cell, steps)
		names = lappend(names, linitial((List *) lfirst(cell)));
	if (!align_check_named_once(build, names, "stage"))
		return false;
	for (int i = 0; i < funnel->npath; i++)
	{
		ScanName   *name = (ScanName *) list_nth(names, i);

		if (funnel->stages[funnel->success_path[i]].kind == STAGE_LOST)
			return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, name->at, NULL, NULL,
										"lost stage \"%s\" on the success path", name->text);
	}
	last = (ScanName *) llast(names);
	if (funnel->stages[funnel->success_path[funnel->npath - 1]].kind != STAGE_WON)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, last->at,
									psprintf("Its last stage, \"%s\", is open.", last->text),
									psprintf("Declare the last stage with \"won %s;\", or extend the path to a won stage.",
											 last->text),
									"the success path does not end in a won stage");
	return true;
}

/*
 * A path does not lead from a stage to itself.
 */
bool
align_check_move_leaves_stage(FunnelBuild *build, const ScanName *name, int from, int to)
{
	if (from != to)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, name->at,
								"A move must lead to another stage.", NULL,
								"path from stage \"%s\" to itself", name->text);
}

/*
 * There is at most one "entry" statement.
 */
bool
align_check_one_entry(FunnelBuild *build)
{
	if (list_length(build->draft->entries) <= 1)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT,
								((DraftEntry *) lsecond(build->draft->entries))->at, NULL,
								"Name all entry stages in one statement.",
								"a second \"entry\"");
}

/*
 * Every stage is an entry stage or can be reached from one.
 */
bool
align_check_reached(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	int			n = funnel->nstages;
	bool	   *reached = (bool *) palloc0(n * sizeof(bool));
	bool	   *from_entry = (bool *) palloc(n * sizeof(bool));

	for (int entry = 0; entry < n; entry++)
	{
		if (!funnel->stages[entry].is_entry)
			continue;
		align_funnel_reach(funnel, entry, from_entry);
		for (int i = 0; i < n; i++)
			reached[i] |= from_entry[i] || i == entry;
	}
	for (int i = 0; i < n; i++)
	{
		if (!reached[i])
			return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE,
										build->stage_at[i],
										"A lead starts in an entry stage and moves along the paths.",
										psprintf("Add a path that leads to \"%s\", or make it an entry stage.",
												 StageName(build, i)),
										"no path reaches stage \"%s\"", StageName(build, i));
	}
	return true;
}

/*
 * A stage or move needs a column, a condition or a reason only once.
 */
bool
align_check_need_new(FunnelBuild *build, const DraftNeed *need,
					 const FunnelNeed *needs, int nneeds)
{
	for (int i = 0; i < nneeds; i++)
	{
		if (needs[i].kind != need->kind)
			continue;
		if (need->kind == NEED_REASON)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, need->text.at, NULL,
										"List all reasons in one place.  Write a column named reason in double quotes.",
										"a reason is needed twice");
		if (strcmp(needs[i].text, need->text.text) == 0)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, need->text.at, NULL, NULL,
										need->kind == NEED_COLUMN ? "column \"%s\" is needed twice" :
										"condition '%s' is needed twice", need->text.text);
	}
	return true;
}

/*
 * A condition is not too long.
 */
bool
align_check_condition(FunnelBuild *build, const ScanName *condition)
{
	if (condition->len <= FUNNEL_MAX_CONDITION)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, condition->at,
								psprintf("A condition may have at most %d bytes.", FUNNEL_MAX_CONDITION),
								NULL, "condition too long");
}

/*
 * Needs are only given to legal moves.
 */
bool
align_check_move_legal(FunnelBuild *build, const ScanName *name, int from, int to)
{
	if (FUNNEL_MOVE(build->funnel, from, to) & MOVE_LEGAL)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, name->at,
								psprintf("No path leads from \"%s\" to \"%s\".",
										 StageName(build, from), StageName(build, to)),
								"Add the path, or remove what it needs.",
								"needs of a move that is not legal");
}
