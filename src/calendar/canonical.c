/*
 * canonical.c
 *	  Rules to canonical text.
 *
 * Two lists of rules that open on the same days at the same times get the same
 * text, whatever the order and grouping in which they were written; except that
 * a date that was named stays named even where it changes nothing (a holiday on
 * a Sunday), unless a later rule overrides it altogether.
 *
 * The text has the weekdays first, then the yearly dates, then the fixed dates,
 * each overriding what is before.  That order is not always enough: in "Dec 25
 * off; Mo 08:00-12:00" a Monday is open even when it is Christmas, and a Tuesday
 * is not.  So weekdays and yearly dates are put into numbered layers, the
 * lowest that fit, and written layer by layer:
 *	  - a weekday that beats a yearly date lies in a higher layer than it;
 *	  - a yearly date that beats a weekday lies in its layer or a higher one;
 *	  - a yearly date that no weekday beats lies in the highest layer.
 * Fixed dates need no layers: a weekday or yearly rule overrides them for good
 * or not at all.
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
	int		   *value;			/* by rule: equal spans, equal number; 0 is closed */
	int			week[WEEK_DAYS];	/* layer of each weekday */
	int			yearly[YEAR_DAYS];	/* layer of each yearly date or UNNAMED */
	int			top;			/* highest layer */
	RuleWriter	writer;
	void	   *arg;
} Layers;

/* A run of equal days, and those with the same spans: a rule to be written. */
typedef struct DayRun
{
	int			first;
	int			last;
	int			value;
	int			rule;
	int			group;			/* index of the first run with this value */
} DayRun;

typedef struct SortRule
{
	const DaySpans *open;
	int			rule;
} SortRule;

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
 * Number the distinct sets of spans; closed sorts first and gets 0.
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
 * Of the weekdays on which a yearly date makes a difference, does it beat this
 * one (1), or is beaten (-1)?  0 where both say the same.
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
 * Should a yearly date be written at all?
 */
static bool
StaysNamed(const Layers *layers, int date)
{
	int			rule = layers->rules->yearly[date];
	bool		overridden = true;
	bool		beaten = false;

	if (rule == 0)
		return false;
	for (int weekday = 0; weekday < WEEK_DAYS; weekday++)
	{
		if (Precedence(layers, date, weekday) > 0)
			return true;
		beaten |= Precedence(layers, date, weekday) < 0;
		overridden &= rule < layers->rules->week[weekday];
	}
	return !beaten && !overridden;
}

/*
 * The lowest layers that satisfy the rules in the header comment.  They exist:
 * the order of the rules themselves satisfies them, so raising what must be
 * raised ends.
 */
static void
AssignLayers(Layers *layers)
{
	bool		beaten[YEAR_DAYS];
	bool		changed;

	layers->top = 0;
	memset(layers->week, 0, sizeof(layers->week));
	for (int date = 0; date < YEAR_DAYS; date++)
	{
		layers->yearly[date] = StaysNamed(layers, date) ? 0 : UNNAMED;
		beaten[date] = false;
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
					beaten[date] = true;
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

	for (int date = 0; date < YEAR_DAYS; date++)
	{
		if (layers->yearly[date] != UNNAMED && !beaten[date])
			layers->yearly[date] = layers->top;
	}
}

/*
 * The first so many runs, which are sorted by their first day, to rules: runs
 * with the same spans share one, at the place of the first.
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

static void
WriteWeekdayRun(StringInfo out, const DayRun *run)
{
	appendStringInfoString(out, align_weekday_names[run->first]);
	if (run->last != run->first)
		appendStringInfo(out, "-%s", align_weekday_names[run->last]);
}

/*
 * The weekdays of a layer.  In the lowest one closed days go without saying.
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
			runs[n++] = (DayRun) {.first = weekday, .last = weekday, .value = value, .rule = rule};
	}
	WriteRuns(layers, runs, n, WriteWeekdayRun);
}

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

static bool
SameMonth(int first, int last)
{
	int			month = 0;

	while (align_month_starts[month + 1] <= first)
		month++;
	return last >= first && last < align_month_starts[month + 1];
}

static void
WriteYearlyRun(StringInfo out, const DayRun *run)
{
	WriteYearDay(out, run->first, true);
	if (run->last == run->first)
		return;
	appendStringInfoChar(out, '-');
	WriteYearDay(out, run->last, !SameMonth(run->first, run->last));
}

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
			runs[n++] = (DayRun) {.first = date, .last = date, .value = value, .rule = rule};
	}

	/* a run may go on over New Year */
	if (n > 1 && runs[0].first == 0 && runs[n - 1].last == YEAR_DAYS - 1 &&
		runs[0].value == runs[n - 1].value)
	{
		runs[n - 1].last = runs[0].last;
		memmove(runs, runs + 1, (--n) * sizeof(DayRun));
	}
	WriteRuns(layers, runs, n, WriteYearlyRun);
}

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
 * Fixed dates, but for those that a later weekday or yearly rule overrides.
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
		runs[n++] = (DayRun) {.first = i, .last = i, .value = value, .rule = rule};
	}
	WriteRuns(layers, runs, n, WriteFixedRun);
	pfree(runs);
}

/*
 * Call the writer for every rule of the canonical text.
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
 * A time of day; minutes beyond midnight are those of the next day.
 */
void
align_write_minute(StringInfo out, int minute, bool closing)
{
	if (minute > MIDNIGHT || (minute == MIDNIGHT && !closing))
		minute -= MIDNIGHT;
	appendStringInfo(out, "%02d:%02d", minute / MINS_PER_HOUR, minute % MINS_PER_HOUR);
}

/*
 * A union of overlapping spans may be too long to be written as one: then it is
 * two, to midnight and from just before it.  Returns how many.
 */
int
align_span_parts(const DaySpan *span, DaySpan *parts)
{
	parts[0] = *span;
	if (span->end - span->start < MIDNIGHT || span->end == MIDNIGHT)
		return 1;
	parts[0].end = MIDNIGHT;
	parts[1] = (DaySpan) {MIDNIGHT - 1, span->end};
	return 2;
}

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
 * Canonical text; it parses to rules that have the same canonical text.
 */
char *
align_rules_write(CalendarRules *rules)
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
 * Rules to the stored value; NULL after a soft error.
 */
TextValue *
align_calendar_value(CalendarRules *rules, Node *escontext)
{
	char	   *canonical = align_rules_write(rules);

	if (strlen(canonical) > CALENDAR_MAX_TEXT)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("calendar is too long"),
				 errdetail("Its canonical text has %zu bytes; the limit is %d.",
						   strlen(canonical), CALENDAR_MAX_TEXT)));
	return align_text_value(canonical, strlen(canonical));
}

TextValue *
align_calendar_parse(const char *text, Node *escontext)
{
	CalendarRules *rules = align_rules_parse(text, escontext);

	if (rules == NULL)
		return NULL;
	return align_calendar_value(rules, escontext);
}
