/*
 * canonical.c
 *	  From rules to canonical text.
 *
 * Two lists of rules that open on the same days at the same times get the same
 * text, in any order and grouping, with one exception:
 * a date that a rule names stays in the text even if it changes nothing (a
 * holiday on a Sunday), unless later rules override it on every weekday.
 *
 * The text has the weekdays first, then the yearly dates, then the fixed
 * dates, each overriding what precedes it.  That order is not always enough:
 * in "Dec 25 off; Mo 08:00-12:00" December 25 is open on a Monday but closed
 * on a Tuesday.  So weekdays and yearly dates are assigned to numbered layers,
 * the lowest that fit, and written layer by layer:
 *	  - a weekday that overrides a yearly date lies in a higher layer than it;
 *	  - a yearly date that overrides a weekday lies in its layer or higher;
 *	  - a yearly date that no weekday overrides lies in the highest layer.
 * Fixed dates need no layers: each has one weekday and one yearly date, which
 * either override it or do not.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/datetime.h"

#include "calendar/rules.h"

#define MIDNIGHT (MINS_PER_HOUR * HOURS_PER_DAY)
#define UNNAMED (-1)

typedef struct Layers
{
	const CalendarRules *rules;
	int		   *value;			/* by rule: number of its set of spans, see
								 * NumberValues */
	int			week[WEEK_DAYS];	/* layer of each weekday */
	int			yearly[YEAR_DAYS];	/* layer of each yearly date or UNNAMED */
	int			top;			/* highest layer */
	RuleWriter	writer;
	void	   *arg;
} Layers;

/* A run of consecutive days with the same spans. */
typedef struct DayRun
{
	int			first;
	int			last;
	int			value;
	int			rule;			/* one that has these spans */
	int			group;			/* index of the first run with this value */
} DayRun;

/* For sorting rules by their spans. */
typedef struct SortRule
{
	const DaySpans *open;
	int			rule;
} SortRule;

/*
 * Order sets of spans by number, then by content.
 */
static int
CompareOpen(const DaySpans *a, const DaySpans *b)
{
	if (a->n != b->n)
		return a->n - b->n;
	return memcmp(a->span, b->span, a->n * sizeof(DaySpan));
}

static int
CompareSortRules(const void *a, const void *b)
{
	return CompareOpen(((const SortRule *) a)->open, ((const SortRule *) b)->open);
}

/*
 * Number the distinct sets of spans.  The result has the number by rule; the
 * empty set (closed), which rule 0 has, sorts first and gets 0.
 */
static int *
NumberValues(const CalendarRules *rules)
{
	SortRule   *sorted = palloc(rules->nrules * sizeof(SortRule));
	int		   *value = palloc(rules->nrules * sizeof(int));
	int			number = 0;

	for (int i = 0; i < rules->nrules; i++)
	{
		sorted[i].open = rules->open[i];
		sorted[i].rule = i;
	}
	qsort(sorted, rules->nrules, sizeof(SortRule), CompareSortRules);
	for (int i = 0; i < rules->nrules; i++)
	{
		if (i > 0 && CompareSortRules(&sorted[i - 1], &sorted[i]) != 0)
			number++;
		value[sorted[i].rule] = number;
	}
	pfree(sorted);
	return value;
}

/*
 * On this weekday, does a yearly date override the weekday (1) or the weekday
 * the yearly date (-1)?  0 if both have the same spans.
 */
static inline int
Precedence(const Layers *layers, int date, int weekday)
{
	int			rule = layers->rules->yearly[date];
	int			week_rule = layers->rules->week[weekday];

	if (layers->value[rule] == layers->value[week_rule])
		return 0;
	return rule > week_rule ? 1 : -1;
}

/*
 * True if a yearly date is written: if it changes the spans of some weekday,
 * or if it changes nothing but is not overridden either.
 */
static bool
IsWritten(const Layers *layers, int date)
{
	int			rule = layers->rules->yearly[date];
	bool		all_later = true;	/* all weekdays are named by later rules */
	bool		overridden = false; /* by some weekday with other spans */

	if (rule == 0)
		return false;
	for (int weekday = 0; weekday < WEEK_DAYS; weekday++)
	{
		if (Precedence(layers, date, weekday) > 0)
			return true;
		overridden |= Precedence(layers, date, weekday) < 0;
		all_later &= rule < layers->rules->week[weekday];
	}
	return !overridden && !all_later;
}

/*
 * Assign the lowest layers that satisfy the conditions in the header comment.
 *
 * Weekdays and dates are raised until all conditions hold.  That ends, because
 * the numbers of the rules are layers that satisfy them.
 */
static void
AssignLayers(Layers *layers)
{
	bool		overridden[YEAR_DAYS];
	bool		changed;

	layers->top = 0;
	memset(layers->week, 0, sizeof(layers->week));
	for (int date = 0; date < YEAR_DAYS; date++)
	{
		layers->yearly[date] = IsWritten(layers, date) ? 0 : UNNAMED;
		overridden[date] = false;
	}
	do
	{
		changed = false;
		for (int date = 0; date < YEAR_DAYS; date++)
		{
			if (layers->yearly[date] == UNNAMED)
				continue;
			for (int weekday = 0; weekday < WEEK_DAYS; weekday++)
			{
				int			precedence = Precedence(layers, date, weekday);

				if (precedence < 0)
				{
					overridden[date] = true;
					if (layers->week[weekday] <= layers->yearly[date])
					{
						layers->week[weekday] = layers->yearly[date] + 1;
						changed = true;
					}
				}
				else if (precedence > 0 && layers->yearly[date] < layers->week[weekday])
				{
					layers->yearly[date] = layers->week[weekday];
					changed = true;
				}
				layers->top = Max(layers->top, layers->week[weekday]);
			}
		}
	} while (changed);

	/* dates that no weekday overrides are written after all weekdays */
	for (int date = 0; date < YEAR_DAYS; date++)
	{
		if (layers->yearly[date] != UNNAMED && !overridden[date])
			layers->yearly[date] = layers->top;
	}
}

/*
 * Writes n runs, which are sorted by their first day, as rules.  Runs with the
 * same spans share a rule, in the place of the first of them.
 */
static void
WriteRuns(Layers *layers, DayRun *runs, int n,
		  void (*write_run) (StringInfo out, const DayRun *run))
{
	int		   *first_run = palloc(layers->rules->nrules * sizeof(int));
	StringInfoData *days = palloc(n * sizeof(StringInfoData));

	for (int i = 0; i < layers->rules->nrules; i++)
		first_run[i] = -1;
	for (int i = 0; i < n; i++)
	{
		int		   *group = &first_run[runs[i].value];

		if (*group < 0)
		{
			*group = i;
			initStringInfo(&days[i]);
		}
		else
			appendStringInfoChar(&days[*group], ',');
		runs[i].group = *group;
		write_run(&days[*group], &runs[i]);
	}
	for (int i = 0; i < n; i++)
	{
		if (runs[i].group != i)
			continue;
		layers->writer(layers->arg, days[i].data, layers->rules->open[runs[i].rule]);
		pfree(days[i].data);
	}
	pfree(days);
	pfree(first_run);
}

/*
 * "Mo" or "Mo-Fr"
 */
static void
WriteWeekdayRun(StringInfo out, const DayRun *run)
{
	appendStringInfoString(out, align_weekday_names[run->first]);
	if (run->last != run->first)
		appendStringInfo(out, "-%s", align_weekday_names[run->last]);
}

/* A run of one day. */
static void
BeginRun(DayRun *run, int day, int value, int rule)
{
	run->first = run->last = day;
	run->value = value;
	run->rule = rule;
	run->group = 0;
}

/*
 * Writes the weekdays of a layer.  In the lowest one closed days are omitted,
 * as days that no rule names are closed.
 */
static void
WriteWeekdays(Layers *layers, int layer)
{
	DayRun		runs[WEEK_DAYS];
	int			n = 0;

	for (int weekday = 0; weekday < WEEK_DAYS; weekday++)
	{
		int			rule = layers->rules->week[weekday];
		int			value = layers->value[rule];

		if (layers->week[weekday] != layer || (layer == 0 && value == 0))
			continue;
		if (n > 0 && runs[n - 1].value == value && runs[n - 1].last == weekday - 1)
			runs[n - 1].last = weekday;
		else
			BeginRun(&runs[n++], weekday, value, rule);
	}
	WriteRuns(layers, runs, n, WriteWeekdayRun);
}

/*
 * "Dec 25", or "25" without the month
 */
static void
WriteYearDay(StringInfo out, int date, bool with_month)
{
	int			month = 0;

	while (align_month_starts[month + 1] <= date)
		month++;
	if (with_month)
		appendStringInfo(out, "%s ", align_month_names[month]);
	appendStringInfo(out, "%02d", date - align_month_starts[month] + 1);
}

/*
 * True if "last" is a later day of the same month.
 */
static bool
SameMonth(int first, int last)
{
	int			month = 0;

	while (align_month_starts[month + 1] <= first)
		month++;
	return last >= first && last < align_month_starts[month + 1];
}

/*
 * "Dec 25", "Dec 24-26" or "Dec 24-Jan 02"
 */
static void
WriteYearlyRun(StringInfo out, const DayRun *run)
{
	WriteYearDay(out, run->first, true);
	if (run->last == run->first)
		return;
	appendStringInfoChar(out, '-');
	WriteYearDay(out, run->last, !SameMonth(run->first, run->last));
}

/*
 * Writes the yearly dates of a layer.
 */
static void
WriteYearly(Layers *layers, int layer)
{
	DayRun		runs[YEAR_DAYS];
	int			n = 0;

	for (int date = 0; date < YEAR_DAYS; date++)
	{
		int			rule = layers->rules->yearly[date];
		int			value = layers->value[rule];

		if (layers->yearly[date] != layer)
			continue;
		if (n > 0 && runs[n - 1].value == value && runs[n - 1].last == date - 1)
			runs[n - 1].last = date;
		else
			BeginRun(&runs[n++], date, value, rule);
	}

	/* join the runs that end on December 31 and begin on January 1 */
	if (n > 1 && runs[0].first == 0 && runs[n - 1].last == YEAR_DAYS - 1 &&
		runs[0].value == runs[n - 1].value)
	{
		runs[n - 1].last = runs[0].last;
		memmove(runs, runs + 1, (--n) * sizeof(DayRun));
	}
	WriteRuns(layers, runs, n, WriteYearlyRun);
}

/*
 * "2026-12-25", "2026 Dec 24-26" or "2026 Dec 24-2027 Jan 02"
 */
static void
WriteFixedRun(StringInfo out, const DayRun *run)
{
	int			year,
				month,
				day,
				last_year,
				last_month,
				last_day;

	j2date(run->first + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	if (run->last == run->first)
	{
		appendStringInfo(out, "%04d-%02d-%02d", year, month, day);
		return;
	}
	j2date(run->last + POSTGRES_EPOCH_JDATE, &last_year, &last_month, &last_day);
	appendStringInfo(out, "%04d %s %02d-", year, align_month_names[month - 1], day);
	if (last_year != year)
		appendStringInfo(out, "%04d ", last_year);
	if (last_year != year || last_month != month)
		appendStringInfo(out, "%s ", align_month_names[last_month - 1]);
	appendStringInfo(out, "%02d", last_day);
}

/*
 * Writes the fixed dates that no later weekday or yearly rule overrides.
 */
static void
WriteFixed(Layers *layers)
{
	const CalendarRules *rules = layers->rules;
	DayRun	   *runs;
	int			n = 0;
	int			max = 16;

	runs = palloc(max * sizeof(DayRun));
	for (int i = rules->fixed_lo; i < rules->fixed_hi; i++)
	{
		int			rule = rules->fixed[i - rules->fixed_lo];
		int			year,
					month,
					day,
					value;

		/* compare with the weekday first, which needs no j2date */
		if (rule < rules->week[DayWeekday(i)] || rule == 0)
			continue;
		j2date(i + POSTGRES_EPOCH_JDATE, &year, &month, &day);
		if (rule < rules->yearly[align_month_starts[month - 1] + day - 1])
			continue;

		value = layers->value[rule];
		if (n > 0 && runs[n - 1].value == value && runs[n - 1].last == i - 1)
		{
			runs[n - 1].last = i;
			continue;
		}
		if (n == max)
		{
			max *= 2;
			runs = repalloc(runs, max * sizeof(DayRun));
		}
		BeginRun(&runs[n++], i, value, rule);
	}
	WriteRuns(layers, runs, n, WriteFixedRun);
	pfree(runs);
}

/*
 * Calls the writer for every rule of the canonical text.
 */
void
align_rules_walk(CalendarRules *rules, RuleWriter writer, void *arg)
{
	Layers		layers;

	layers.rules = rules;
	layers.value = NumberValues(rules);
	layers.writer = writer;
	layers.arg = arg;
	AssignLayers(&layers);
	for (int layer = 0; layer <= layers.top; layer++)
	{
		WriteWeekdays(&layers, layer);
		WriteYearly(&layers, layer);
	}
	WriteFixed(&layers);
	pfree(layers.value);
}

/*
 * Writes a time of day.  Minutes beyond midnight are those of the next day.
 */
void
align_write_minute(StringInfo out, int minute, bool closing)
{
	if (minute > MIDNIGHT || (minute == MIDNIGHT && !closing))
		minute -= MIDNIGHT;
	appendStringInfo(out, "%02d:%02d", minute / MINS_PER_HOUR, minute % MINS_PER_HOUR);
}

/*
 * Split a span that is too long to be written as one (a union of overlapping
 * spans may be) in two: until midnight, and from a minute before it.  Returns
 * the number of parts.
 */
int
align_span_parts(const DaySpan *span, DaySpan *parts)
{
	parts[0] = *span;
	if (span->end - span->start < MIDNIGHT || span->end == MIDNIGHT)
		return 1;
	parts[0].end = MIDNIGHT;
	parts[1].start = MIDNIGHT - 1;
	parts[1].end = span->end;
	return 2;
}

/*
 * RuleWriter that appends a rule to a StringInfo.
 */
static void
WriteRule(void *arg, const char *days, const DaySpans *open)
{
	StringInfo	out = (StringInfo) arg;

	if (out->data[out->len - 1] != ' ')
		appendStringInfoString(out, "; ");
	if (strcmp(days, "Mo-Su") == 0 && open->n == 1 &&
		open->span[0].start == 0 && open->span[0].end == MIDNIGHT)
	{
		appendStringInfoString(out, "24/7");
		return;
	}
	appendStringInfo(out, "%s ", days);
	if (open->n == 0)
		appendStringInfoString(out, "off");
	for (int i = 0; i < open->n; i++)
	{
		DaySpan		parts[2];
		int			n = align_span_parts(&open->span[i], parts);

		for (int part = 0; part < n; part++)
		{
			if (i + part > 0)
				appendStringInfoChar(out, ',');
			align_write_minute(out, parts[part].start, false);
			appendStringInfoChar(out, '-');
			align_write_minute(out, parts[part].end, true);
		}
	}
}

/*
 * Canonical text of rules.  It parses to rules with the same canonical text.
 */
static char *
WriteRules(CalendarRules *rules)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "%s ", rules->zone);
	align_rules_walk(rules, WriteRule, &out);
	if (out.data[out.len - 1] == ' ')
		appendStringInfoString(&out, "off");
	return out.data;
}

/*
 * Stored value of rules; NULL after a soft error.
 */
TextValue *
align_calendar_value(CalendarRules *rules, Node *escontext)
{
	char	   *canonical = WriteRules(rules);

	if (strlen(canonical) > CALENDAR_MAX_TEXT)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("calendar is too long"),
				 errdetail("Its canonical text has %zu bytes; the limit is %d.",
						   strlen(canonical), CALENDAR_MAX_TEXT)));
	return align_text_value(canonical, strlen(canonical));
}

/*
 * Stored value of a text; NULL after a soft error.
 */
TextValue *
align_calendar_parse(const char *text, Node *escontext)
{
	CalendarRules *rules = align_rules_parse(text, escontext);

	if (rules == NULL)
		return NULL;
	return align_calendar_value(rules, escontext);
}
