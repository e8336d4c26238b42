/*
 * rules.h
 *	  The rules of a calendar, between text and tables.
 *
 * A calendar is a list of rules; each names days and says when they are open,
 * and the last rule that names a day decides.  Instead of replaying the list
 * for every date, CalendarRules remembers for every weekday, every day of the
 * year and every fixed date the number of the last rule that named it: the rule
 * for a date is then the largest of three numbers.
 *
 * Rule 0 is the one before all others: always closed.
 */
#ifndef ALIGN_CALENDAR_RULES_H
#define ALIGN_CALENDAR_RULES_H

#include "calendar/calendar.h"
#include "lib/stringinfo.h"
#include "text_scan.h"

#define WEEK_DAYS 7				/* Monday is 0 */
#define YEAR_DAYS 366			/* numbered as in a leap year, January 1 is 0 */

/* Spans of one day after merging; every other half hour is 24 of them. */
#define CALENDAR_MAX_SPANS 24

/*
 * Minutes since the midnight that begins the local date: start < 1440, and an
 * end beyond 1440 lies on the next date.
 */
typedef struct DaySpan
{
	int			start;
	int			end;
} DaySpan;

/* Sorted, disjoint and not touching; none means closed. */
typedef struct DaySpans
{
	int			n;
	DaySpan		span[FLEXIBLE_ARRAY_MEMBER];
} DaySpans;

typedef struct CalendarRules
{
	char	   *zone;			/* IANA name */
	int			nrules;
	int			maxrules;
	DaySpans  **open;			/* by rule */
	int			week[WEEK_DAYS];
	int			yearly[YEAR_DAYS];
	int			fixed_lo;		/* fixed dates are kept from fixed_lo (day */
	int			fixed_hi;		/* number, see below) to before fixed_hi */
	int		   *fixed;
} CalendarRules;

/* A date as the grammar knows it; year 0 means every year. */
typedef struct CalendarDate
{
	int			year;
	int			month;
	int			day;
} CalendarDate;

/* parse.c: NULL after a soft error; the rest as the TextScan functions */
extern CalendarRules *align_rules_parse(const char *text, Node *escontext);
extern bool align_rules_scan_days(TextScan *scan, CalendarRules *rules, int rule);
extern bool align_rules_scan_minute(TextScan *scan, bool closing, int *minute);
extern bool align_rules_check_span(TextScan *scan, const char *at, DaySpan *span);

/* zone.c */
extern bool align_rules_scan_zone(TextScan *scan, CalendarRules *rules);

/* words.c */
extern const char *align_rules_hint(const char *text);

/* rules.c */
extern CalendarRules *align_rules_make(void);
extern int	align_rules_add(CalendarRules *rules);
extern bool align_rules_open(CalendarRules *rules, int rule, DaySpan *spans, int n);
extern void align_rules_name_weekdays(CalendarRules *rules, int rule, int first, int last);
extern void align_rules_name_yearly(CalendarRules *rules, int rule, int first, int last);
extern void align_rules_name_fixed(CalendarRules *rules, int rule, int first, int last);

/* canonical.c */
extern char *align_rules_write(CalendarRules *rules);
extern TextValue *align_calendar_value(CalendarRules *rules, Node *escontext);
/* One "days" text and its spans, in the order of the canonical text. */
typedef void (*RuleWriter) (void *arg, const char *days, const DaySpans *open);
extern void align_rules_walk(CalendarRules *rules, RuleWriter writer, void *arg);
extern int	align_span_parts(const DaySpan *span, DaySpan *parts);
extern void align_write_minute(StringInfo out, int minute, bool closing);

extern const char *const align_weekday_names[WEEK_DAYS];
extern const char *const align_month_names[12];
extern const int align_month_starts[13];	/* day of the (leap) year */

/*
 * Day numbers count from 2000-01-01, which is 0, in either direction.
 */
static inline int
DayWeekday(int day)
{
	int			weekday = (day + 5) % WEEK_DAYS;	/* that day was a Saturday */

	return weekday < 0 ? weekday + WEEK_DAYS : weekday;
}

static inline const DaySpans *
RuleOfDate(const CalendarRules *rules, int day, int month, int day_of_month)
{
	int			rule = Max(rules->week[DayWeekday(day)],
						   rules->yearly[align_month_starts[month - 1] + day_of_month - 1]);

	if (day >= rules->fixed_lo && day < rules->fixed_hi)
		rule = Max(rule, rules->fixed[day - rules->fixed_lo]);
	return rules->open[rule];
}

#endif							/* ALIGN_CALENDAR_RULES_H */
