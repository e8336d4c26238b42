/*
 * check.c
 *	  The rules of stages, labels, paths and needs: one function and one message
 *	  each; check_promise.c has those of promises and targets.
 *
 * Every function returns true if its rule holds and reports, with the position
 * in the document, if not.  Codes: DUPLICATE_OBJECT and UNDEFINED_OBJECT for
 * names, PROGRAM_LIMIT_EXCEEDED for limits, INVALID_PARAMETER_VALUE for what
 * contradicts itself.
 */
#include "postgres.h"

#include "funnel/build.h"

static const char *
StageName(const FunnelBuild *build, int stage)
{
	return build->funnel->stages[stage].name;
}

bool
align_check_limit(FunnelBuild *build, const char *at, int n, int max, const char *what)
{
	if (n <= max)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, at,
								psprintf("An agreement may have at most %d %s.", max, what),
								NULL, "too many %s", what);
}

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
									"Labels are for existing tables; the agreement itself calls a stage by its name.",
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

bool
align_check_stage_new(FunnelBuild *build, const ScanName *name)
{
	for (int i = 0; i < build->funnel->nstages; i++)
	{
		if (strcmp(StageName(build, i), name->text) == 0)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, name->at, NULL,
										"A stage is declared once, by \"stage\", \"won\" or \"lost\".",
										"stage \"%s\" is declared twice", name->text);
	}
	return true;
}

/* A label and where it stands, to find repeated ones. */
typedef struct PlacedLabel
{
	FunnelLabel label;
	const char *at;
} PlacedLabel;

static int
PlacedLabelCmp(const void *a, const void *b)
{
	const PlacedLabel *left = (const PlacedLabel *) a;
	const PlacedLabel *right = (const PlacedLabel *) b;
	int			result = align_label_cmp(&left->label, &right->label);

	return result != 0 ? result : (left->at > right->at) - (left->at < right->at);
}

/*
 * The first label in the text that an earlier one equals; NULL if none.
 * *original is the one it repeats.
 */
static const PlacedLabel *
FirstRepeated(PlacedLabel *labels, int n, const PlacedLabel **original)
{
	const PlacedLabel *found = NULL;

	qsort(labels, n, sizeof(PlacedLabel), PlacedLabelCmp);
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

bool
align_check_labels_distinct(FunnelBuild *build, const FunnelLabel *labels, const char **at, int nlabels)
{
	PlacedLabel *placed = (PlacedLabel *) palloc(sizeof(PlacedLabel) * Max(nlabels, 1));
	const PlacedLabel *repeated;
	const PlacedLabel *original;

	for (int i = 0; i < nlabels; i++)
	{
		placed[i].label = labels[i];
		placed[i].at = at[i];
	}
	repeated = FirstRepeated(placed, nlabels, &original);
	if (repeated == NULL)
		return true;
	/* a name that is declared later than the label stands for its own stage */
	if (repeated->at == build->stage_at[repeated->label.stage])
	{
		const PlacedLabel *swap = repeated;

		repeated = original;
		original = swap;
	}
	return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, repeated->at,
								psprintf("It already stands for stage \"%s\".",
										 StageName(build, original->label.stage)),
								"A label, or the name of a stage, stands for one stage.",
								"label \"%s\" is given twice", repeated->label.text);
}

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
	repeated = FirstRepeated(placed, list_length(names), &original);
	if (repeated == NULL)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, repeated->at, NULL, NULL,
								"%s \"%s\" is named twice", what, repeated->label.text);
}

bool
align_check_one_success_path(FunnelBuild *build)
{
	const Draft *draft = build->draft;

	if (list_length(draft->success_paths) == 1)
		return true;
	if (draft->success_paths == NIL)
		return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, build->scan->end,
									"An agreement says which way leads are meant to go.",
									"Add \"success path first -> ... -> won;\".",
									"no success path");
	return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT,
								((DraftPath *) lsecond(draft->success_paths))->at,
								"There is one way that leads are meant to go.",
								"Write other legal ways as \"path ...\".",
								"a second success path");
}

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
									psprintf("Declare the last stage by \"won %s;\", or lead the path on to a won stage.",
											 last->text),
									"the success path does not end in a won stage");
	return true;
}

bool
align_check_moves_on(FunnelBuild *build, const ScanName *name, int from, int to)
{
	if (from != to)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, name->at,
								"A lead that stays in its stage does not move.", NULL,
								"path from stage \"%s\" to itself", name->text);
}

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
										"A lead appears in an entry stage and moves along the paths.",
										psprintf("Add a path that leads to \"%s\", or make it an entry stage.",
												 StageName(build, i)),
										"no path reaches stage \"%s\"", StageName(build, i));
	}
	return true;
}

bool
align_check_need_new(FunnelBuild *build, const DraftNeed *need, const FunnelNeed *needs, int nneeds)
{
	for (int i = 0; i < nneeds; i++)
	{
		if (needs[i].kind != need->kind)
			continue;
		if (need->kind == NEED_REASON)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, need->text.at, NULL,
										"List all reasons in one place; a column called reason is written in double quotes.",
										"a reason is needed twice");
		if (strcmp(needs[i].text, need->text.text) == 0)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, need->text.at, NULL, NULL,
										need->kind == NEED_COLUMN ? "column \"%s\" is needed twice" :
										"condition '%s' is needed twice", need->text.text);
	}
	return true;
}

bool
align_check_condition(FunnelBuild *build, const ScanName *condition)
{
	if (condition->len <= FUNNEL_MAX_CONDITION)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, condition->at,
								psprintf("A condition may have at most %d bytes.", FUNNEL_MAX_CONDITION),
								NULL, "condition too long");
}

bool
align_check_move_legal(FunnelBuild *build, const ScanName *name, int from, int to)
{
	if (FUNNEL_MOVE(build->funnel, from, to) & MOVE_LEGAL)
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, name->at,
								psprintf("No path leads from \"%s\" to \"%s\".",
										 StageName(build, from), StageName(build, to)),
								"Add the path, or leave out what it needs.",
								"needs of a move that is not legal");
}
