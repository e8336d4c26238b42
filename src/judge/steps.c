/*
 * steps.c
 *	  Lists of steps: the text of a step, and their canonical form.
 */
#include "postgres.h"

#include "common/int.h"
#include "mb/pg_wchar.h"

#include "judge/steps.h"
#include "text_scan.h"

bool
align_steps_are_plain(const StepList *list)
{
	for (int i = 0; i < list->nsteps; i++)
	{
		if (list->steps[i].optional || list->steps[i].nstages != 1)
			return false;
	}
	return list->modes == 0 && !list->passages && list->gaps == NULL && list->nexclude == 0 &&
		list->zone.text == NULL;
}

static int
CompareStages(const void *a, const void *b)
{
	const LeadString *x = (const LeadString *) a;
	const LeadString *y = (const LeadString *) b;
	int			result = memcmp(x->text, y->text, Min(x->len, y->len));

	return result != 0 ? result : (x->len > y->len) - (x->len < y->len);
}

/*
 * Sort stages by bytes and remove repetitions; returns how many are left.
 */
static int
SortStages(LeadString *stages, int n)
{
	int			kept = 0;

	if (n < 2)
		return n;
	qsort(stages, n, sizeof(LeadString), CompareStages);
	for (int i = 1; i < n; i++)
	{
		if (CompareStages(&stages[kept], &stages[i]) != 0)
			stages[++kept] = stages[i];
	}
	return kept + 1;
}

/*
 * Without a time zone a day is 24 hours; false if that is out of range.
 */
static bool
MakeElapsed(StepLimit *limit)
{
	int64		days;

	Assert(limit->months == 0);
	if (pg_mul_s64_overflow(limit->days, USECS_PER_DAY, &days) ||
		pg_add_s64_overflow(limit->time, days, &limit->time))
		return false;
	limit->days = 0;
	return true;
}

bool
align_steps_canonical(StepList *list)
{
	bool		calendar = list->within.months != 0 || list->within.days != 0;
	bool		gaps = false;

	for (int i = 0; i < list->nsteps; i++)
		list->steps[i].nstages = SortStages(list->steps[i].stages, list->steps[i].nstages);
	list->nexclude = SortStages(list->exclude, list->nexclude);

	for (int i = 0; list->gaps != NULL && i < list->nsteps - 1; i++)
	{
		calendar |= list->gaps[i].months != 0 || list->gaps[i].days != 0;
		gaps |= align_is_limited(&list->gaps[i]);
	}
	if (!gaps)
		list->gaps = NULL;
	if (!calendar)
		list->zone = align_lead_bytes(NULL, 0);
	if (list->zone.text != NULL)
		return true;

	if (!MakeElapsed(&list->within))
		return false;
	for (int i = 0; list->gaps != NULL && i < list->nsteps - 1; i++)
	{
		if (!MakeElapsed(&list->gaps[i]))
			return false;
	}
	return true;
}

/*
 * The step, from 0, that a stage is of; -1 if there is none.
 */
static int
StepOfStage(const StepList *list, LeadString stage)
{
	for (int i = 0; i < list->nsteps; i++)
	{
		for (int j = 0; j < list->steps[i].nstages; j++)
		{
			if (align_lead_same(list->steps[i].stages[j], stage))
				return i;
		}
	}
	return -1;
}

/* A stage of the first step that is one of a later step, too; or absent. */
static LeadString
RepeatedFirstStage(const StepList *list)
{
	const Step *first = &list->steps[0];

	for (int i = 0; i < first->nstages; i++)
	{
		for (int j = 1; j < list->nsteps; j++)
		{
			for (int k = 0; k < list->steps[j].nstages; k++)
			{
				if (align_lead_same(first->stages[i], list->steps[j].stages[k]))
					return first->stages[i];
			}
		}
	}
	return align_lead_bytes(NULL, 0);
}

const char *
align_steps_problem(const StepList *list)
{
	bool		any = (list->modes & MATCH_ANY) != 0;

	if (list->steps[0].optional)
		return "The first step cannot be optional: it is where an attempt begins.";
	if (list->steps[list->nsteps - 1].optional)
		return "The last step cannot be optional: it is where an attempt has succeeded.";
	for (int i = 0; any && i < list->nsteps; i++)
	{
		if (list->steps[i].optional)
			return "In the mode \"any\" no step can be optional.";
	}
	if (any && list->gaps != NULL)
		return "In the mode \"any\" there are no gaps: no step precedes another.";
	if (any && list->passages)
		return "In the mode \"any\" there are no passages: no step is the first.";

	for (int i = 0; i < list->nexclude; i++)
	{
		LeadString	stage = list->exclude[i];
		int			step = StepOfStage(list, stage);

		if (step >= 0)
			return psprintf("The stage \"%.*s\" is excluded, and of step %d.",
							stage.len, stage.text, step + 1);
	}
	if (list->passages && !(list->modes & MATCH_REUSE))
	{
		LeadString	stage = RepeatedFirstStage(list);

		if (stage.text != NULL)
			return psprintf("Each entry into the stage \"%.*s\" begins a passage, so none can fill a later step.",
							stage.len, stage.text);
	}
	return NULL;
}

static inline bool
IsSpace(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static LeadString
Trim(LeadString text)
{
	while (text.len > 0 && IsSpace(text.text[0]))
	{
		text.text++;
		text.len--;
	}
	while (text.len > 0 && IsSpace(text.text[text.len - 1]))
		text.len--;
	return text;
}

/*
 * True if the text is the name of a stage just as it is.
 */
static bool
IsPlainName(LeadString text)
{
	LeadString	trimmed = Trim(text);

	if (trimmed.len == 0)
		return true;
	return trimmed.text[0] != '"' && trimmed.text[trimmed.len - 1] != '?' &&
		memchr(trimmed.text, '|', trimmed.len) == NULL;
}

/*
 * Append a name as one of several, in quotes if it needs them.
 */
static void
WriteAlternative(StringInfo out, LeadString name)
{
	LeadString	trimmed = Trim(name);

	if (name.len > 0 && trimmed.len == name.len && IsPlainName(name))
		appendBinaryStringInfo(out, name.text, name.len);
	else
		align_write_quoted(out, '"', name.text, name.len);
}

LeadString
align_step_text(const Step *step)
{
	StringInfoData out;

	if (step->nstages == 1 && !step->optional)
		return step->stages[0];
	initStringInfo(&out);
	for (int i = 0; i < step->nstages; i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, '|');
		WriteAlternative(&out, step->stages[i]);
	}
	if (step->optional)
		appendStringInfoChar(&out, '?');
	return align_lead_bytes(out.data, out.len);
}

static void
MalformedStep(LeadString text, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("malformed step \"%.*s\"", text.len, text.text),
			 errdetail("%s", detail),
			 errhint("A step is a stage, several as in \"sal|sql\", or optional as in \"sql?\". Put a name that contains \"|\", begins with a double quote or ends with \"?\" into double quotes.")));
}

/*
 * Read a quoted name at *p, and move *p after it.
 */
static LeadString
ReadQuoted(LeadString text, const char **p)
{
	const char *end = text.text + text.len;
	char	   *name = palloc(text.len);
	int			len = 0;
	const char *cur = *p + 1;

	for (;;)
	{
		if (cur == end)
			MalformedStep(text, "A quoted name has no end.");
		if (*cur == '"')
		{
			if (cur + 1 == end || cur[1] != '"')
				break;
			cur++;
		}
		name[len++] = *cur++;
	}
	*p = cur + 1;
	return align_lead_bytes(name, len);
}

void
align_step_parse(LeadString text, Step *step)
{
	const char *end = text.text + text.len;
	const char *p = text.text;
	int			room = 1;

	step->optional = false;
	if (!IsPlainName(text))
	{
		/* at most one name more than there are bars */
		for (const char *bar = p; (bar = memchr(bar, '|', end - bar)) != NULL; bar++)
			room++;
	}
	step->stages = palloc(room * sizeof(LeadString));
	step->nstages = 0;
	if (IsPlainName(text))
	{
		step->stages[step->nstages++] = text;
		return;
	}

	for (;;)
	{
		LeadString	name;

		while (p < end && IsSpace(*p))
			p++;
		if (p < end && *p == '"')
		{
			name = ReadQuoted(text, &p);
			while (p < end && IsSpace(*p))
				p++;
			if (p < end && *p == '?')
			{
				step->optional = true;
				for (p++; p < end && IsSpace(*p);)
					p++;
			}
			if (p < end && (*p != '|' || step->optional))
				MalformedStep(text, "A quoted name is followed by something other than \"|\", or \"?\" at the end.");
		}
		else
		{
			const char *bar = memchr(p, '|', end - p);

			name = Trim(align_lead_bytes(p, (bar != NULL ? bar : end) - p));
			p = bar != NULL ? bar : end;
			if (name.len > 0 && name.text[name.len - 1] == '?')
			{
				if (bar != NULL)
					MalformedStep(text, "The \"?\" of an optional step stands at its end.");
				step->optional = true;
				name.len--;
				name = Trim(name);
			}
		}
		if (name.len == 0)
			MalformedStep(text, "A name is empty.");
		if (step->nstages == STEP_MAX_STAGES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many stages in one step"),
					 errdetail("The limit is %d.", STEP_MAX_STAGES)));
		step->stages[step->nstages++] = name;
		if (p == end)
			return;
		p++;
	}
}
