/*
 * identity_text.c
 *	  The identity of a conversion in the words of its text form, and how two
 *	  identities differ.
 */
#include "postgres.h"

#include "conversion/conversion.h"

void
align_write_stage_names(StringInfo out, const LeadString *names, int n)
{
	appendStringInfoChar(out, '(');
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		align_write_name(out, names[i].text, names[i].len);
	}
	appendStringInfoChar(out, ')');
}

void
align_write_names(StringInfo out, const ConversionIdentity *identity)
{
	if (identity->kind == CONVERSION_FUNNEL)
	{
		align_write_stage_names(out, identity->names, identity->nsteps);
		return;
	}
	appendStringInfoChar(out, '(');
	for (int i = 0; i < identity->nsteps; i++)
	{
		const Step *step = &identity->list.steps[i];

		if (i > 0)
			appendStringInfoString(out, ", ");
		for (int j = 0; j < step->nstages; j++)
		{
			if (j > 0)
				appendStringInfoChar(out, '|');
			align_write_name(out, step->stages[j].text, step->stages[j].len);
		}
		if (step->optional)
			appendStringInfoChar(out, '?');
	}
	appendStringInfoChar(out, ')');
}

static void
WriteNumber(StringInfo out, int64 number, const char *unit)
{
	appendStringInfo(out, INT64_FORMAT " %s%s", number, unit, number == 1 ? "" : "s");
}

/*
 * Append elapsed time in the largest unit of which it is a multiple; beside
 * days of a calendar, a day is none.
 */
static void
WriteElapsed(StringInfo out, int64 time, bool calendar)
{
	static const struct
	{
		const char *name;
		int64		microseconds;
	}			units[] = {
		{"day", USECS_PER_DAY}, {"hour", USECS_PER_HOUR}, {"minute", USECS_PER_MINUTE},
		{"second", USECS_PER_SEC}, {"microsecond", 1}
	};
	int			unit = time == 0 ? 3 : calendar ? 1 : 0;

	while (time % units[unit].microseconds != 0)
		unit++;
	WriteNumber(out, time / units[unit].microseconds, units[unit].name);
}

/*
 * In a list with a time zone, elapsed time has no days: days are those of the
 * calendar.
 */
static void
WriteLimit(StringInfo out, const StepLimit *limit, bool calendar)
{
	const char *separator = "";

	if (!align_is_limited(limit))
	{
		appendStringInfoString(out, "none");
		return;
	}
	if (limit->months != 0)
	{
		WriteNumber(out, limit->months, "month");
		separator = " ";
	}
	if (limit->days != 0)
	{
		appendStringInfoString(out, separator);
		WriteNumber(out, limit->days, "day");
		separator = " ";
	}
	if (limit->time != 0 || *separator == '\0')
	{
		appendStringInfoString(out, separator);
		WriteElapsed(out, limit->time, calendar);
	}
}

void
align_write_within(StringInfo out, const StepList *list)
{
	WriteLimit(out, &list->within, list->zone.text != NULL);
}

void
align_write_gap(StringInfo out, const StepList *list, int gap)
{
	WriteLimit(out, &list->gaps[gap], list->zone.text != NULL);
}

void
align_write_gaps(StringInfo out, const StepList *list)
{
	appendStringInfoChar(out, '(');
	for (int i = 0; i < list->nsteps - 1; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		align_write_gap(out, list, i);
	}
	appendStringInfoChar(out, ')');
}

static char *
NamesText(const ConversionIdentity *identity)
{
	StringInfoData text;

	initStringInfo(&text);
	align_write_names(&text, identity);
	return text.data;
}

/* Say in which calendar days are counted. */
static void
WriteZone(StringInfo out, const StepList *list)
{
	if (list->zone.text != NULL)
		appendStringInfo(out, " in the time zone \"%.*s\"", list->zone.len, list->zone.text);
}

static char *
WindowText(const StepList *list)
{
	StringInfoData text;

	if (!align_is_limited(&list->within))
		return pstrdup("no window");
	initStringInfo(&text);
	align_write_within(&text, list);
	WriteZone(&text, list);
	return text.data;
}

static char *
GapsText(const StepList *list)
{
	StringInfoData text;

	if (list->gaps == NULL)
		return pstrdup("none");
	initStringInfo(&text);
	align_write_gaps(&text, list);
	WriteZone(&text, list);
	return text.data;
}

static char *
ExcludeText(const StepList *list)
{
	StringInfoData text;

	if (list->nexclude == 0)
		return pstrdup("no stage");
	initStringInfo(&text);
	align_write_stage_names(&text, list->exclude, list->nexclude);
	return text.data;
}

static bool
SameGaps(const StepList *a, const StepList *b)
{
	if (a->gaps == NULL || b->gaps == NULL)
		return a->gaps == b->gaps;
	for (int i = 0; i < a->nsteps - 1; i++)
	{
		if (!align_same_limit(&a->gaps[i], &b->gaps[i]))
			return false;
	}
	return true;
}

static bool
SameExclude(const StepList *a, const StepList *b)
{
	bool		same = a->nexclude == b->nexclude;

	for (int i = 0; same && i < a->nexclude; i++)
		same = align_lead_same(a->exclude[i], b->exclude[i]);
	return same;
}

/*
 * How two lists of equal steps differ: the noun, and in *detail a sentence.
 */
static const char *
ListsDiffer(const StepList *a, const StepList *b, char **detail)
{
	if (a->zone.text != NULL && b->zone.text != NULL && !align_lead_same(a->zone, b->zone))
	{
		*detail = psprintf("One is of \"%.*s\", the other of \"%.*s\".",
						   a->zone.len, a->zone.text, b->zone.len, b->zone.text);
		return "time zones";
	}
	if (!align_same_limit(&a->within, &b->within))
	{
		*detail = psprintf("One has %s, the other %s.", WindowText(a), WindowText(b));
		return "windows";
	}
	if (!SameGaps(a, b))
	{
		*detail = psprintf("One has %s, the other %s.", GapsText(a), GapsText(b));
		return "gaps";
	}
	if (a->modes != b->modes)
	{
		*detail = psprintf("One is %s, the other %s.", align_match_modes_text(a->modes),
						   align_match_modes_text(b->modes));
		return "modes";
	}
	if (!SameExclude(a, b))
	{
		*detail = psprintf("One excludes %s, the other %s.", ExcludeText(a), ExcludeText(b));
		return "excluded stages";
	}
	*detail = pstrdup("One counts leads, the other passages.");
	return "counts";
}

void
align_identity_differs(const ConversionIdentity *a, const ConversionIdentity *b, bool rows)
{
	const char *what;
	const char *hint = NULL;
	char	   *detail;
	char	   *a_names = NamesText(a);
	char	   *b_names = NamesText(b);

	/* name the most basic of the differences */
	if (a->kind != b->kind)
	{
		what = "kinds";
		detail = psprintf("One is along the steps %s, "
						  "the other along a funnel with the success path %s.",
						  a->kind == CONVERSION_STEPS ? a_names : b_names,
						  a->kind == CONVERSION_STEPS ? b_names : a_names);
	}
	else if (strcmp(a_names, b_names) != 0)
	{
		what = a->kind == CONVERSION_FUNNEL ? "funnels" : "steps";
		detail = psprintf("One is along %s, the other along %s.", a_names, b_names);
	}
	else if (a->kind == CONVERSION_FUNNEL)
	{
		what = "funnels";
		detail = psprintf("Their success paths are equal, but the agreements differ elsewhere "
						  "(fingerprints %016llx and %016llx).",
						  (unsigned long long) a->fingerprint,
						  (unsigned long long) b->fingerprint);
		hint = "Group by the version of the agreement, or judge all leads by the same version.";
	}
	else
		what = ListsDiffer(&a->list, &b->list, &detail);

	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 rows ?
			 errmsg("cannot summarise leads along different %s in one conversion", what) :
			 errmsg("cannot merge conversions of different %s", what),
			 errdetail("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}
