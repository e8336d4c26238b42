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

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#include "funnel/json_document.h"
#include "funnel/parse.h"
#include "nearest.h"

PG_FUNCTION_INFO_V1(align_funnel_fiscal_year_begins);
PG_FUNCTION_INFO_V1(align_funnel_period_start);
PG_FUNCTION_INFO_V1(align_funnel_period_end);

static const char *const month_names[MONTHS_PER_YEAR] = {
	"January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December"
};

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
	{"week", 7, 0},
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

Datum
align_funnel_fiscal_year_begins(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(0), 0, 1);

	PG_RETURN_INT32(funnel->fiscal_month);
}

/*
 * The period of this name; raises if there is none.
 */
static const Period *
PeriodArg(text *name)
{
	for (int i = 0; i < (int) lengthof(periods); i++)
	{
		if (strlen(periods[i].name) == VARSIZE_ANY_EXHDR(name) &&
			memcmp(periods[i].name, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0)
			return &periods[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown period \"%s\"", text_to_cstring(name)),
			 errhint("Periods are day, week, month, quarter and year.")));
}

/*
 * The first day of the period that contains a finite date, or with "next" the
 * first day of the period after it.
 */
static DateADT
PeriodBoundary(const Funnel *funnel, const Period *period, DateADT date, bool next)
{
	int			julian = date + POSTGRES_EPOCH_JDATE;
	int			year;
	int			month;
	int			day;

	if (period->days > 0)
	{
		/* j2day() counts from Sunday */
		if (period->days == 7)
			julian -= (j2day(julian) + 6) % 7;
		julian += next ? period->days : 0;
	}
	else
	{
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
	date = julian - POSTGRES_EPOCH_JDATE;
	if (!IS_VALID_DATE(date))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range"),
				 errdetail("The %s begins or ends outside the range of dates.", period->name)));
	return date;
}

/*
 * The arguments and result of both functions: (funnel, per text, on_date
 * date).  An infinite date is its own period.
 */
static Datum
PeriodResult(FunctionCallInfo fcinfo, bool next)
{
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(0), 0, 1);
	const Period *period = PeriodArg(PG_GETARG_TEXT_PP(1));
	DateADT		date = PG_GETARG_DATEADT(2);

	if (!DATE_NOT_FINITE(date))
		date = PeriodBoundary(funnel, period, date, next);
	PG_RETURN_DATEADT(date);
}

Datum
align_funnel_period_start(PG_FUNCTION_ARGS)
{
	return PeriodResult(fcinfo, false);
}

Datum
align_funnel_period_end(PG_FUNCTION_ARGS)
{
	return PeriodResult(fcinfo, true);
}
