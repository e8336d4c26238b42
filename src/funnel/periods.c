/*
 * periods.c
 *	  The periods of targets, and the statement "fiscal year" that some of them
 *	  depend on.
 *
 * A week begins on Monday, a month on its first day, a year on the first day
 * of the fiscal year's first month, and a quarter on the first day of that
 * month or of the third, sixth or ninth one after it.
 */
#include "postgres.h"

#include "utils/date.h"
#include "utils/datetime.h"

#include "funnel/json_document.h"
#include "funnel/parse.h"
#include "nearest.h"

static const char *const month_names[MONTHS_PER_YEAR] = {
	"January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December"
};

#define DAYS_PER_WEEK 7
#define MONTH_ABBREVIATION 3	/* letters, as in the dates of calendars */

/* The length of a period: so many days, or else so many months. */
typedef struct Period
{
	const char *name;
	int			days;
	int			months;
} Period;

static const Period periods[] = {
	{"day", 1, 0},
	{"week", DAYS_PER_WEEK, 0},
	{"month", 0, 1},
	{"quarter", 0, 3},
	{"year", 0, MONTHS_PER_YEAR},
};

/*
 * The name of a month from 1.
 */
const char *
align_month_name(int month)
{
	return month_names[month - 1];
}

/* day | week | month | quarter | year */
bool
align_parse_period(TextScan *scan, const char **period)
{
	for (int i = 0; i < (int) lengthof(periods); i++)
	{
		if (align_scan_take_word(scan, periods[i].name))
		{
			*period = periods[i].name;
			return true;
		}
	}
	return align_scan_expected(scan, "day, week, month, quarter or year", NULL);
}

/*
 * Sets *month to the number of the month that is next, by its name or the
 * first three letters of it.
 */
static bool
ParseMonth(TextScan *scan, int *month)
{
	TextScan	ahead = *scan;
	ScanName	name;
	char	   *hint;

	for (int i = 0; i < MONTHS_PER_YEAR; i++)
	{
		char		abbreviation[MONTH_ABBREVIATION + 1];

		strlcpy(abbreviation, month_names[i], sizeof(abbreviation));
		if (align_scan_take_word(scan, month_names[i]) ||
			align_scan_take_word(scan, abbreviation))
		{
			*month = i + 1;
			return true;
		}
	}
	hint = "Write, for example, \"fiscal year begins February;\".";
	if (align_scan_peek_name(&ahead))
	{
		const char *nearest;

		if (!align_scan_name(&ahead, "month", &name))
			return false;
		nearest = align_nearest(name.text, name.len, (const char **) month_names, MONTHS_PER_YEAR);
		if (nearest != NULL)
			hint = align_nearest_text(nearest);
	}
	return align_scan_expected(scan, "name of a month", hint);
}

/* fiscal year begins month */
bool
align_parse_fiscal_year(TextScan *scan, Draft *draft)
{
	if (!align_scan_expect_word(scan, "year") || !align_scan_expect_word(scan, "begins"))
		return false;
	if (draft->fiscal_month > 0)
		return align_scan_fail_code(scan, ERRCODE_DUPLICATE_OBJECT, draft->statement, NULL, NULL,
									"a second \"fiscal year\"");
	return ParseMonth(scan, &draft->fiscal_month);
}

/*
 * The statement, which is omitted for the default.
 */
void
align_write_fiscal_year(StringInfo out, const Funnel *funnel)
{
	if (funnel->fiscal_month > 1)
		appendStringInfo(out, "fiscal year begins %s;\n", align_month_name(funnel->fiscal_month));
}

/*
 * The statement of the member "fiscal_year_begins", if that is present.
 */
void
align_json_read_fiscal_year(JsonDocument *document, const JsonNode *root)
{
	JsonNode	month = align_json_member(root, "fiscal_year_begins");

	if (month.value == NULL)
		return;
	for (int i = 0; i < MONTHS_PER_YEAR; i++)
	{
		if (align_json_is_string(&month, month_names[i]))
		{
			align_json_mark(document, &month);
			align_json_put(document, psprintf("fiscal year begins %s;\n", month_names[i]));
			return;
		}
	}
	align_json_fail(&month, "must be the name of a month, such as \"February\"");
}

/*
 * Appends a period.
 */
void
align_json_put_period(JsonDocument *document, const JsonNode *node)
{
	for (int i = 0; i < (int) lengthof(periods); i++)
	{
		if (align_json_is_string(node, periods[i].name))
		{
			align_json_put(document, periods[i].name);
			return;
		}
	}
	align_json_fail(node, "must be \"day\", \"week\", \"month\", \"quarter\" or \"year\"");
}

/*
 * Index of the period of this name, -1 if there is none.
 */
int
align_period(const char *name, int len)
{
	for (int i = 0; i < (int) lengthof(periods); i++)
	{
		if ((int) strlen(periods[i].name) == len && memcmp(periods[i].name, name, len) == 0)
			return i;
	}
	return -1;
}

/*
 * The first day of the period that contains a finite date, or with "next" the
 * first day of the period after it.  False if that is no date.
 */
bool
align_period_boundary(const Funnel *funnel, int period_no, DateADT date, bool next,
					  DateADT *boundary)
{
	const Period *period = &periods[period_no];
	int			julian = date + POSTGRES_EPOCH_JDATE;

	if (period->days > 0)
	{
		/* j2day() counts from Sunday */
		if (period->days == DAYS_PER_WEEK)
			julian -= (j2day(julian) + 6) % DAYS_PER_WEEK;
		julian += next ? period->days : 0;
	}
	else
	{
		int			year;
		int			month;
		int			day;

		j2date(julian, &year, &month, &day);
		month -= (month - funnel->fiscal_month + MONTHS_PER_YEAR) % period->months;
		month += next ? period->months : 0;
		if (month < 1)
		{
			month += MONTHS_PER_YEAR;
			year--;
		}
		else if (month > MONTHS_PER_YEAR)
		{
			month -= MONTHS_PER_YEAR;
			year++;
		}
		julian = date2j(year, month, 1);
	}
	*boundary = julian - POSTGRES_EPOCH_JDATE;
	return IS_VALID_DATE(*boundary);
}
