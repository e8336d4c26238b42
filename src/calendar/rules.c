/*
 * rules.c
 *	  Building the rules of a calendar.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/datetime.h"

#include "calendar/rules.h"

const char *const align_weekday_names[WEEK_DAYS] =
{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};

const char *const align_month_names[12] =
{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

const int	align_month_starts[13] =
{0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366};

/*
 * Makes rules that have nothing but rule 0.
 */
CalendarRules *
align_rules_make(void)
{
	CalendarRules *rules = palloc0(sizeof(CalendarRules));

	rules->maxrules = 8;
	rules->open = palloc(rules->maxrules * sizeof(DaySpans *));
	align_rules_add(rules);		/* rule 0: closed */
	return rules;
}

/*
 * Adds a rule after all others and returns its number.  It is closed until
 * align_rules_set_spans is called.
 */
int
align_rules_add(CalendarRules *rules)
{
	DaySpans   *closed = palloc(offsetof(DaySpans, span));

	closed->n = 0;
	if (rules->nrules == rules->maxrules)
	{
		rules->maxrules *= 2;
		rules->open = repalloc(rules->open, rules->maxrules * sizeof(DaySpans *));
	}
	rules->open[rules->nrules] = closed;
	return rules->nrules++;
}

static int
CompareSpans(const void *a, const void *b)
{
	const DaySpan *left = a;
	const DaySpan *right = b;

	if (left->start != right->start)
		return left->start - right->start;
	return left->end - right->end;
}

/*
 * Sets a rule's spans to the union of these, which are sorted in place.
 * Returns false if there are too many.
 */
bool
align_rules_set_spans(CalendarRules *rules, int rule, DaySpan *spans, int n)
{
	DaySpans   *open;
	int			merged = 0;

	qsort(spans, n, sizeof(DaySpan), CompareSpans);
	for (int i = 0; i < n; i++)
	{
		if (merged > 0 && spans[i].start <= spans[merged - 1].end)
			spans[merged - 1].end = Max(spans[merged - 1].end, spans[i].end);
		else
			spans[merged++] = spans[i];
	}
	if (merged > CALENDAR_MAX_SPANS)
		return false;

	open = palloc(offsetof(DaySpans, span) + merged * sizeof(DaySpan));
	open->n = merged;
	memcpy(open->span, spans, merged * sizeof(DaySpan));
	rules->open[rule] = open;
	return true;
}

/*
 * Makes a rule name the weekdays from first to last, past Sunday if first >
 * last.
 */
void
align_rules_name_weekdays(CalendarRules *rules, int rule, int first, int last)
{
	for (int day = first;; day = (day + 1) % WEEK_DAYS)
	{
		rules->week[day] = rule;
		if (day == last)
			break;
	}
}

/*
 * Makes a rule name the days of the year from first to last, past December 31
 * if first > last.
 */
void
align_rules_name_yearly(CalendarRules *rules, int rule, int first, int last)
{
	for (int day = first;; day = (day + 1) % YEAR_DAYS)
	{
		rules->yearly[day] = rule;
		if (day == last)
			break;
	}
}

/*
 * Enlarges the array of fixed dates to hold those from first to last, and a
 * year more: holidays tend to be listed in order.
 */
static void
EnlargeFixed(CalendarRules *rules, int first, int last)
{
	bool		empty = rules->fixed_lo == rules->fixed_hi;
	int			lo = first;
	int			hi = last + 1;
	int		   *fixed;

	if (!empty && first >= rules->fixed_lo && last < rules->fixed_hi)
		return;
	if (!empty)
	{
		lo = first < rules->fixed_lo ? first - YEAR_DAYS : rules->fixed_lo;
		hi = last >= rules->fixed_hi ? last + YEAR_DAYS : rules->fixed_hi;
	}
	fixed = palloc0((hi - lo) * sizeof(int));
	if (!empty)
	{
		memcpy(fixed + (rules->fixed_lo - lo), rules->fixed,
			   (rules->fixed_hi - rules->fixed_lo) * sizeof(int));
		pfree(rules->fixed);
	}
	rules->fixed = fixed;
	rules->fixed_lo = lo;
	rules->fixed_hi = hi;
}

/*
 * Makes a rule name the fixed dates from first to last.
 */
void
align_rules_name_fixed(CalendarRules *rules, int rule, int first, int last)
{
	CHECK_FOR_INTERRUPTS();
	EnlargeFixed(rules, first, last);
	for (int day = first; day <= last; day++)
		rules->fixed[day - rules->fixed_lo] = rule;
}
