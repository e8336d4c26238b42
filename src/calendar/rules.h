/*
 * rules.h
 *	  The parsed rules of a calendar, from which text and tables are made.
 *
 * A calendar is a list of rules; each names days and gives their open spans,
 * and the last rule that names a day decides.  Instead of replaying the list
 * for every date, CalendarRules records for every weekday, every day of the
 * year and every fixed date the number of the last rule that named it: the
 * rule for a date is then the largest of three numbers.
 *
 * Rule 0, before all others, is closed and names no day.
 */
#ifndef ALIGN_CALENDAR_RULES_H
#define ALIGN_CALENDAR_RULES_H

#include "calendar/calendar.h"
#include "lib/stringinfo.h"
#include "text_scan.h"

#define WEEK_DAYS 7				/* Monday is 0 */
#define YEAR_DAYS 366			/* numbered as in a leap year, January 1 is 0 */

/* Spans of one day after merging: enough for every other half hour. */
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
	DaySpans  **open;			/* spans by rule, never NULL */

	/* the last rule that names each weekday and each day of the year, or 0 */
	int			week[WEEK_DAYS];
	int			yearly[YEAR_DAYS];
	/* by date, as day numbers (see below) from fixed_lo to before fixed_hi */
	int			fixed_lo;
	int			fixed_hi;
	int		   *fixed;
} CalendarRules;

/* A date of the grammar; year 0 means every year. */
typedef struct CalendarDate
{
	int			year;
	int			month;
	int			day;
} CalendarDate;

/*
 * parse.c
 *
 * The functions that take a TextScan return false after a soft error, as those
 * of text_scan.h do.
 */

/* Text to rules in the current context; NULL after a soft error. */
extern CalendarRules *align_rules_parse(const char *text, Node *escontext);

/* The days that a rule names: weekdays or dates. */
extern bool align_rules_scan_days(TextScan *scan, CalendarRules *rules, int rule);

/* A time of day in minutes; "closing" allows 24:00. */
extern bool align_rules_scan_minute(TextScan *scan, bool closing, int *minute);

/* Makes a span as written one as counted; "at" is where it was written. */
extern bool align_rules_check_span(TextScan *scan, const char *at, DaySpan *span);

/* zone.c: read the zone at the beginning, if any, and set rules->zone. */
extern bool align_rules_scan_zone(TextScan *scan, CalendarRules *rules);

/* words.c: hint for an unsupported word, or NULL. */
extern const char *align_rules_hint(const char *text);

/* rules.c */

/* Rules with nothing but rule 0. */
extern CalendarRules *align_rules_make(void);

/* Adds a rule that is closed and names no day; returns its number. */
extern int	align_rules_add(CalendarRules *rules);

/* Sets a rule's spans; false if there are more than CALENDAR_MAX_SPANS. */
extern bool align_rules_set_spans(CalendarRules *rules, int rule, DaySpan *spans, int n);

/* Makes a rule name days; the first two run past the end if first > last. */
extern void align_rules_name_weekdays(CalendarRules *rules, int rule, int first, int last);
extern void align_rules_name_yearly(CalendarRules *rules, int rule, int first, int last);
extern void align_rules_name_fixed(CalendarRules *rules, int rule, int first, int last);

/* canonical.c */

/* The stored value; NULL after a soft error. */
extern TextValue *align_calendar_value(CalendarRules *rules, Node *escontext);

/* Called with the days and the spans of a rule of the canonical text. */
typedef void (*RuleWriter) (void *arg, const char *days, const DaySpans *open);

/* Calls writer for every rule of the canonical text, in its order. */
extern void align_rules_walk(CalendarRules *rules, RuleWriter writer, void *arg);

/* Split a span into one or two parts that can be written; returns how many. */
extern int	align_span_parts(const DaySpan *span, DaySpan *parts);

/* Writes a time of day; a "closing" midnight is 24:00. */
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
	int			weekday = (day + 5) % WEEK_DAYS;	/* it was a Saturday */

	return weekday < 0 ? weekday + WEEK_DAYS : weekday;
}

/*
 * The spans of the rule that decides a date, given both as day number and as
 * month and day.
 */
static inline const DaySpans *
SpansOfDate(const CalendarRules *rules, int day, int month, int day_of_month)
{
	int			rule = Max(rules->week[DayWeekday(day)],
						   rules->yearly[align_month_starts[month - 1] + day_of_month - 1]);

	if (day >= rules->fixed_lo && day < rules->fixed_hi)
		rule = Max(rule, rules->fixed[day - rules->fixed_lo]);
	return rules->open[rule];
}

#endif							/* ALIGN_CALENDAR_RULES_H */
