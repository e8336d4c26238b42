/*
 * parse.c
 *	  From calendar text to rules.
 *
 *	  calendar = [ zone ] rule { ";" rule } [ ";" ]
 *	  rule     = "24/7" | [ days ] ( span { "," span } | "off" | "closed" )
 *	  days     = weekday [ "-" weekday ] { "," weekday [ "-" weekday ] }
 *			   | date [ "-" date ] { "," date [ "-" date ] }
 *	  date     = [ year ] month day | year "-" MM "-" DD
 *	  span     = HH:MM "-" HH:MM
 *
 * This is a subset of the opening_hours specification of OpenStreetMap.  At
 * the end of a range the year and month may be omitted ("Dec 24-26", "2026 Nov
 * 30-Dec 02"), in a list as well ("Dec 25,26").  Other parts of the
 * specification are refused, with a hint for what to write instead.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/datetime.h"

#include "calendar/rules.h"
#include "calendar/words.h"

/*
 * Reports that something else was expected; returns false.  A hint for the
 * text that was found is preferred to the given one, which may be NULL.
 */
static bool
FailExpected(TextScan *scan, const char *what, const char *hint)
{
	const char *better;

	align_scan_space(scan);
	better = align_rules_hint(scan->cur);
	return align_scan_expected(scan, what, better ? better : hint);
}

/* weekday */
static bool
ScanWeekday(TextScan *scan, int *weekday)
{
	align_scan_space(scan);
	*weekday = align_lookup_word(scan->cur, align_weekday_names, WEEK_DAYS);
	if (*weekday < 0)
		return FailExpected(scan, "a weekday (Mo, Tu, We, Th, Fr, Sa, Su)",
							IsMonth(scan->cur) || CountDigits(scan->cur) == 4 ?
							"Write dates in a rule of their own, after \";\"." : NULL);
	scan->cur += strlen(align_weekday_names[*weekday]);
	return true;
}

/* weekday [ "-" weekday ] { "," ... } */
static bool
ScanWeekdays(TextScan *scan, CalendarRules *rules, int rule)
{
	do
	{
		int			first;
		int			last;

		if (!ScanWeekday(scan, &first))
			return false;
		last = first;
		if (align_scan_take(scan, "-") && !ScanWeekday(scan, &last))
			return false;
		align_rules_name_weekdays(rules, rule, first, last);
	} while (align_scan_take(scan, ","));
	return true;
}

/*
 * Reads a run of min to max digits.  Returns false, without an error and with
 * the cursor unmoved, if there are fewer or more.
 */
static bool
ScanDigits(TextScan *scan, int min, int max, int *value)
{
	int			n = CountDigits(scan->cur);

	if (n < min || n > max)
		return false;
	*value = 0;
	while (n-- > 0)
		*value = *value * 10 + (*scan->cur++ - '0');
	return true;
}

/*
 * Reports a date that does not exist (February 29 of every year does) or lies
 * outside the supported years.
 */
static bool
CheckDate(TextScan *scan, const char *at, const CalendarDate *date)
{
	bool		leap = date->year == 0 || isleap(date->year);

	if (date->year != 0 &&
		(date->year < CALENDAR_MIN_YEAR || date->year > CALENDAR_MAX_YEAR))
		return align_scan_fail_code(scan, ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, at,
									psprintf("Fixed dates may lie between the years %d and %d.",
											 CALENDAR_MIN_YEAR, CALENDAR_MAX_YEAR),
									NULL, "date out of range");
	if (date->month < 1 || date->month > MONTHS_PER_YEAR ||
		date->day < 1 || date->day > day_tab[leap][date->month - 1])
		return align_scan_fail_code(scan, ERRCODE_DATETIME_FIELD_OVERFLOW, at, NULL, NULL,
									"no such date");
	return true;
}

/*
 * YYYY-MM-DD, [YYYY] Mon DD, or, if "context" is not NULL, DD alone: it then
 * has the month and year of that date.
 */
static bool
ScanDate(TextScan *scan, const CalendarDate *context, CalendarDate *date)
{
	const char *at;
	int			month;

	align_scan_space(scan);
	at = scan->cur;
	date->year = 0;

	/* DD; a time follows it only after a blank */
	if (context != NULL && CountDigits(at) <= 2 && ScanDigits(scan, 1, 2, &date->day))
	{
		date->year = context->year;
		date->month = context->month;
		if (*scan->cur == ':')
		{
			scan->cur = at;
			return FailExpected(scan, "a date", "Separate days from times with a space.");
		}
		return CheckDate(scan, at, date);
	}

	if (ScanDigits(scan, 4, 4, &date->year))
	{
		/* year 0 would mean every year: report it as out of range instead */
		if (date->year == 0)
		{
			date->year = -1;
			date->month = date->day = 1;
			return CheckDate(scan, at, date);
		}
		if (*scan->cur == '-')
		{
			scan->cur++;
			if (!ScanDigits(scan, 2, 2, &date->month) || *scan->cur != '-')
				goto malformed;
			scan->cur++;
			if (!ScanDigits(scan, 2, 2, &date->day))
				goto malformed;
			return CheckDate(scan, at, date);
		}
		align_scan_space(scan);
		if (!IsMonth(scan->cur))
			return FailExpected(scan, "a month (Jan to Dec)",
								"Write a fixed date as 2026-12-24 or 2026 Dec 24; whole years are not supported.");
	}

	month = align_lookup_word(scan->cur, align_month_names, MONTHS_PER_YEAR);
	if (month < 0)
		return FailExpected(scan, "a date", "Write it as Dec 24 or 2026-12-24.");
	date->month = month + 1;
	scan->cur += strlen(align_month_names[month]);
	align_scan_space(scan);
	if (!ScanDigits(scan, 1, 2, &date->day))
		return FailExpected(scan, "a day of the month",
							CountDigits(scan->cur) >= 4 ?
							"Write the year first: 2026 Dec 24." :
							"Whole months are not supported: name their days, as in Jan 01-Mar 31.");
	/* "Dec 09:00": the digits are the hour of a time */
	if (*scan->cur == ':')
	{
		while (IsDigit(scan->cur[-1]))
			scan->cur--;
		return FailExpected(scan, "a day of the month",
							"Whole months are not supported: name their days, as in Jan 01-Mar 31.");
	}
	return CheckDate(scan, at, date);

malformed:
	scan->cur = at;
	return align_scan_expected(scan, "a date", "Write it as 2026-12-24.");
}

/*
 * Day of the (leap) year of a date.
 */
static int
YearDay(const CalendarDate *date)
{
	return align_month_starts[date->month - 1] + date->day - 1;
}

/*
 * Day number of a fixed date.
 */
static int
DayNumber(const CalendarDate *date)
{
	return date2j(date->year, date->month, date->day) - POSTGRES_EPOCH_JDATE;
}

/*
 * Reports a range that ends before it begins; returns false.
 */
static bool
FailBackwards(TextScan *scan, const char *at, const char *hint)
{
	return align_scan_fail_code(scan, ERRCODE_INVALID_PARAMETER_VALUE, at, NULL, hint,
								"range of dates runs backwards");
}

/* date [ "-" date ] { "," ... } */
static bool
ScanDates(TextScan *scan, CalendarRules *rules, int rule)
{
	CalendarDate first;
	CalendarDate last = {0};
	bool		iso = false;
	bool		more = false;

	do
	{
		const char *at;
		bool		bare;

		align_scan_space(scan);
		at = scan->cur;
		if (!ScanDate(scan, more && !iso ? &last : NULL, &first))
			return false;
		/* ambiguous: a date of the year before it, or of every year */
		if (more && last.year != 0 && first.year == 0)
			return align_scan_fail(scan, at, NULL, "Write the year with every date of the list.",
								   "expected a year");
		iso = IsDigit(*at) && at[1] != '\0' && CountDigits(at) == 4 && at[4] == '-';
		last = first;

		if (align_scan_take(scan, "-"))
		{
			align_scan_space(scan);
			at = scan->cur;
			bare = IsDigit(*at) && CountDigits(at) <= 2;
			if (!ScanDate(scan, iso ? NULL : &first, &last))
				return false;

			/* the year may be omitted at the end, but only there */
			if (last.year == 0 && first.year != 0)
				last.year = first.year;
			if (last.year != 0 && first.year == 0)
				return align_scan_fail(scan, at, NULL,
									   "Write the year with both ends of the range, or with neither.",
									   "expected a date without a year");
			if (last.year != 0)
			{
				/* check again, with the year that came from the first date */
				if (!CheckDate(scan, at, &last))
					return false;
				if (DayNumber(&last) < DayNumber(&first))
					return FailBackwards(scan, at, "Write the year with both ends of the range.");
			}
			else if (bare && last.day < first.day)
				return FailBackwards(scan, at, "To continue into the next month, write the month.");
		}

		if (first.year != 0)
			align_rules_name_fixed(rules, rule, DayNumber(&first), DayNumber(&last));
		else
			align_rules_name_yearly(rules, rule, YearDay(&first), YearDay(&last));
		more = true;
	} while (align_scan_take(scan, ","));
	return true;
}

/*
 * The days of a rule: weekdays or dates.
 */
bool
align_rules_scan_days(TextScan *scan, CalendarRules *rules, int rule)
{
	align_scan_space(scan);
	if (IsWeekday(scan->cur))
		return ScanWeekdays(scan, rules, rule);
	return ScanDates(scan, rules, rule);
}

/*
 * HH:MM.  24:00 can only end a span.
 */
bool
align_rules_scan_minute(TextScan *scan, bool closing, int *minute)
{
	const char *at;
	int			hour;
	int			rest;

	align_scan_space(scan);
	at = scan->cur;
	if (!ScanDigits(scan, 1, 2, &hour) || *scan->cur != ':')
		goto malformed;
	scan->cur++;
	if (!ScanDigits(scan, 2, 2, &rest))
		goto malformed;
	if (*scan->cur == ':')
		return align_scan_fail(scan, at, NULL, "Calendars count in whole minutes.",
							   "expected a time without seconds");
	*minute = hour * MINS_PER_HOUR + rest;
	if (rest >= MINS_PER_HOUR || *minute > MINS_PER_HOUR * HOURS_PER_DAY ||
		(*minute == MINS_PER_HOUR * HOURS_PER_DAY && !closing))
	{
		const char *hint = NULL;

		/* hours beyond midnight, rather than impossible minutes */
		if (hour > HOURS_PER_DAY || (hour == HOURS_PER_DAY && rest < MINS_PER_HOUR))
			hint = closing ?
				"For a span that ends on the next day, write the clock time of its end, as in 22:00-06:00." :
				"The first time of a day is 00:00.";
		return align_scan_fail_code(scan, ERRCODE_DATETIME_FIELD_OVERFLOW, at, NULL, hint,
									"no such time of day");
	}
	return true;

malformed:
	scan->cur = at;
	return FailExpected(scan, closing ? "a closing time" : "a time or \"off\"",
						CountDigits(at) == 4 ? "Write the year of a date first, as in 2026 Dec 24." :
						IsDigit(*at) ? "Write hours and minutes, as in 09:00." :
						IsWeekday(at) || IsMonth(at) ? "Separate rules with \";\"." : NULL);
}

/*
 * Converts a span as written to one as counted: an end before the start lies
 * on the next day.  Reports an empty span.
 */
bool
align_rules_check_span(TextScan *scan, const char *at, DaySpan *span)
{
	if (span->start == span->end)
		return align_scan_fail_code(scan, ERRCODE_INVALID_PARAMETER_VALUE, at,
									"A span begins and ends at different times.",
									"For a whole day write 00:00-24:00.",
									"empty span");
	if (span->end < span->start)
		span->end += MINS_PER_HOUR * HOURS_PER_DAY;
	return true;
}

/* span { "," span } | "off" | "closed" */
static bool
ScanTimes(TextScan *scan, CalendarRules *rules, int rule)
{
	int			n = 0;
	int			max = 8;
	DaySpan    *spans;
	const char *at;

	align_scan_space(scan);
	at = scan->cur;
	if (IsClosed(at))
	{
		scan->cur += CountLetters(at);
		return true;
	}

	/* collect all spans first: the limit counts overlapping ones once */
	spans = palloc(max * sizeof(DaySpan));
	do
	{
		const char *span_at;

		if (n == max)
		{
			max *= 2;
			spans = repalloc(spans, max * sizeof(DaySpan));
		}
		align_scan_space(scan);
		span_at = scan->cur;
		if (!align_rules_scan_minute(scan, false, &spans[n].start) ||
			(!align_scan_take(scan, "-") &&
			 !FailExpected(scan, "\"-\" and a closing time", NULL)) ||
			!align_rules_scan_minute(scan, true, &spans[n].end) ||
			!align_rules_check_span(scan, span_at, &spans[n]))
			return false;
		n++;
	} while (align_scan_take(scan, ","));

	if (!align_rules_set_spans(rules, rule, spans, n))
		return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, at,
									psprintf("A day may have at most %d separate spans.",
											 CALENDAR_MAX_SPANS),
									NULL, "too many spans");
	pfree(spans);
	return true;
}

/*
 * Reads "24/7"; returns false, without an error, if it is not next.
 */
static bool
ScanAlwaysOpen(TextScan *scan)
{
	if (strncmp(scan->cur, "24/7", 4) != 0 || IsDigit(scan->cur[4]))
		return false;
	scan->cur += 4;
	return true;
}

/* "24/7" | [ days ] times */
static bool
ScanRule(TextScan *scan, CalendarRules *rules)
{
	int			rule = align_rules_add(rules);
	const char *p;

	align_scan_space(scan);
	p = scan->cur;
	if (ScanAlwaysOpen(scan))
	{
		DaySpan		whole_day = {0, MINS_PER_HOUR * HOURS_PER_DAY};

		align_rules_set_spans(rules, rule, &whole_day, 1);
		align_rules_name_weekdays(rules, rule, 0, WEEK_DAYS - 1);
		return true;
	}
	if (IsWeekday(p) || IsMonth(p) || CountDigits(p) == 4)
	{
		if (!align_rules_scan_days(scan, rules, rule))
			return false;
	}
	else if (IsClosed(p) || IsDigit(*p))
		align_rules_name_weekdays(rules, rule, 0, WEEK_DAYS - 1);
	else
		return FailExpected(scan, "a rule",
							"Write days and times, as in Mo-Fr 09:00-17:00; \"off\" is a calendar that never opens.");
	return ScanTimes(scan, rules, rule);
}

/*
 * Rules of a text; NULL after a soft error.
 */
CalendarRules *
align_rules_parse(const char *text, Node *escontext)
{
	CalendarRules *rules;
	TextScan	scan;

	align_scan_begin(&scan, text, "calendar", false, escontext);
	if (scan.end - scan.start > CALENDAR_MAX_TEXT)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("calendar is too long"),
				 errdetail("Its text has %zu bytes; the limit is %d.",
						   (size_t) (scan.end - scan.start), CALENDAR_MAX_TEXT)));

	rules = align_rules_make();
	if (!align_rules_scan_zone(&scan, rules))
		return NULL;
	do
	{
		CHECK_FOR_INTERRUPTS();
		if (!ScanRule(&scan, rules))
			return NULL;
		if (align_scan_at_end(&scan))
			return rules;
		if (!align_scan_take(&scan, ";"))
		{
			FailExpected(&scan, "\";\"", NULL);
			return NULL;
		}
	} while (!align_scan_at_end(&scan));
	return rules;
}
