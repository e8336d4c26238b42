/*
 * sql.c
 *	  SQL functions of type calendar: input, output and arithmetic.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "common/int.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "calendar/rules.h"

/* A multirange of this many ranges takes 24 MB. */
#define MAX_OPEN_PERIODS 1000000

PG_FUNCTION_INFO_V1(align_calendar_in);
PG_FUNCTION_INFO_V1(align_calendar_out);
PG_FUNCTION_INFO_V1(align_calendar_recv);
PG_FUNCTION_INFO_V1(align_calendar_send);
PG_FUNCTION_INFO_V1(align_calendar_working_time);
PG_FUNCTION_INFO_V1(align_calendar_working_time_range);
PG_FUNCTION_INFO_V1(align_calendar_working_time_multirange);
PG_FUNCTION_INFO_V1(align_calendar_add_working_time);
PG_FUNCTION_INFO_V1(align_calendar_is_open);
PG_FUNCTION_INFO_V1(align_calendar_next_open);
PG_FUNCTION_INFO_V1(align_calendar_next_close);
PG_FUNCTION_INFO_V1(align_calendar_end_of_working_day);
PG_FUNCTION_INFO_V1(align_calendar_open_periods);
PG_FUNCTION_INFO_V1(align_calendar_with_holidays);

/* The calendar is always the first argument. */
#define CALENDAR_ARG() align_calendar_only_arg(fcinfo->flinfo, PG_GETARG_DATUM(0))

Datum
align_calendar_in(PG_FUNCTION_ARGS)
{
	TextValue  *value = align_calendar_parse(PG_GETARG_CSTRING(0), fcinfo->context);

	if (value == NULL)
		PG_RETURN_NULL();		/* after a soft error */
	PG_RETURN_POINTER(value);
}

Datum
align_calendar_out(PG_FUNCTION_ARGS)
{
	TextValue  *value = align_text_value_arg(PG_GETARG_DATUM(0), "calendar");

	PG_RETURN_CSTRING(align_text_value_cstring(value));
}

Datum
align_calendar_recv(PG_FUNCTION_ARGS)
{
	char	   *text = align_text_value_recv((StringInfo) PG_GETARG_POINTER(0), "calendar");

	PG_RETURN_POINTER(align_calendar_parse(text, NULL));
}

Datum
align_calendar_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(align_text_value_send(align_text_value_arg(PG_GETARG_DATUM(0), "calendar")));
}

Datum
align_calendar_working_time(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = CALENDAR_ARG();

	return align_interval_datum(align_working_time(calendar, PG_GETARG_TIMESTAMPTZ(1),
												   PG_GETARG_TIMESTAMPTZ(2)));
}

/*
 * The bounds of a range that is not empty; raises unless both are finite.
 */
static void
FiniteBounds(const RangeBound *lower, const RangeBound *upper,
			 TimestampTz *from, TimestampTz *to)
{
	bool		no_lower = lower->infinite ||
		TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(lower->val));
	bool		no_upper = upper->infinite ||
		TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(upper->val));

	if (no_lower || no_upper)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("range must have finite bounds"),
				 no_lower ? errdetail("The range has no finite lower bound.") :
				 errdetail("The range has no finite upper bound."),
				 no_lower ? 0 :
				 errhint("Intersect it with a range that ends, for example with tstzrange(NULL, now()).")));
	*from = DatumGetTimestampTz(lower->val);
	*to = DatumGetTimestampTz(upper->val);
}

Datum
align_calendar_working_time_range(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = CALENDAR_ARG();
	RangeType  *range = PG_GETARG_RANGE_P(1);
	TypeCacheEntry *typcache = lookup_type_cache(RangeTypeGetOid(range), TYPECACHE_RANGE_INFO);
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;
	TimestampTz from;
	TimestampTz to;
	int64		result = 0;

	range_deserialize(typcache, range, &lower, &upper, &empty);
	if (!empty)
	{
		FiniteBounds(&lower, &upper, &from, &to);
		result = align_working_time(calendar, from, to);
	}
	PG_FREE_IF_COPY(range, 1);
	return align_interval_datum(result);
}

Datum
align_calendar_working_time_multirange(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = CALENDAR_ARG();
	MultirangeType *multirange = PG_GETARG_MULTIRANGE_P(1);
	TypeCacheEntry *typcache = lookup_type_cache(MultirangeTypeGetOid(multirange),
												 TYPECACHE_MULTIRANGE_INFO);
	int64		result = 0;

	for (uint32 i = 0; i < multirange->rangeCount; i++)
	{
		RangeBound	lower;
		RangeBound	upper;
		TimestampTz from;
		TimestampTz to;

		multirange_get_bounds(typcache->rngtype, multirange, i, &lower, &upper);
		FiniteBounds(&lower, &upper, &from, &to);
		if (pg_add_s64_overflow(result, align_working_time(calendar, from, to), &result))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("interval out of range")));
	}
	PG_FREE_IF_COPY(multirange, 1);
	return align_interval_datum(result);
}

/*
 * Raises if an amount is infinite or has days or months: a working day or
 * month has no fixed length.
 */
static void
CheckAmount(const Interval *amount)
{
	if (ALIGN_INTERVAL_NOT_FINITE(amount))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot add an infinite interval of working time")));
	if (amount->month != 0 || amount->day != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("interval of working time must not have days or months"),
				 errdetail("Working days and months differ in length."),
				 errhint("Give the time in hours, or use align.end_of_working_day.")));
}

Datum
align_calendar_add_working_time(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = CALENDAR_ARG();
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	Interval   *amount = PG_GETARG_INTERVAL_P(2);

	CheckAmount(amount);
	PG_RETURN_TIMESTAMPTZ(align_add_working_time(calendar, at, amount->time));
}

Datum
align_calendar_is_open(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = CALENDAR_ARG();

	PG_RETURN_BOOL(align_is_open(calendar, PG_GETARG_TIMESTAMPTZ(1)));
}

Datum
align_calendar_next_open(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = CALENDAR_ARG();

	PG_RETURN_TIMESTAMPTZ(align_next_open(calendar, PG_GETARG_TIMESTAMPTZ(1)));
}

Datum
align_calendar_next_close(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = CALENDAR_ARG();

	PG_RETURN_TIMESTAMPTZ(align_next_close(calendar, PG_GETARG_TIMESTAMPTZ(1)));
}

Datum
align_calendar_end_of_working_day(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = CALENDAR_ARG();

	PG_RETURN_TIMESTAMPTZ(align_end_of_working_day(calendar, PG_GETARG_TIMESTAMPTZ(1),
												   PG_GETARG_INT32(2)));
}

/*
 * The open periods within a range, each from opening to before closing.  A
 * period that the range cuts gets the bound of the range.
 */
Datum
align_calendar_open_periods(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = CALENDAR_ARG();
	RangeType  *range = PG_GETARG_RANGE_P(1);
	TypeCacheEntry *typcache = lookup_type_cache(RangeTypeGetOid(range), TYPECACHE_RANGE_INFO);
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;
	bool		open_at_end;
	TimestampTz from;
	TimestampTz to;
	TimestampTz at;
	TimestampTz open;
	TimestampTz close;
	RangeType **periods;
	int			n = 0;
	int			max = 16;

	range_deserialize(typcache, range, &lower, &upper, &empty);
	if (empty)
		PG_RETURN_MULTIRANGE_P(make_multirange(TSTZMULTIRANGEOID, typcache, 0, NULL));
	FiniteBounds(&lower, &upper, &from, &to);
	open_at_end = align_is_open(calendar, to);

	periods = palloc(max * sizeof(RangeType *));
	for (at = from; align_open_period(calendar, at, to, &open, &close); at = close)
	{
		RangeBound	period_lower = lower;
		RangeBound	period_upper = upper;

		CHECK_FOR_INTERRUPTS();
		if (n == MAX_OPEN_PERIODS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("range has more than %d open periods", MAX_OPEN_PERIODS)));
		if (n == max)
		{
			max *= 2;
			periods = repalloc(periods, max * sizeof(RangeType *));
		}
		period_lower.val = TimestampTzGetDatum(open);
		period_lower.inclusive = open > from || lower.inclusive;
		period_upper.val = TimestampTzGetDatum(close);
		period_upper.inclusive = close == to && open_at_end && upper.inclusive;
		periods[n++] = align_make_range(typcache, &period_lower, &period_upper, false);
	}

	/* a period that opens at the inclusive end of the range has one instant */
	if (open_at_end && upper.inclusive && (n == 0 || at < to))
	{
		RangeBound	opening = upper;

		opening.lower = true;
		periods = repalloc(periods, (n + 1) * sizeof(RangeType *));
		periods[n++] = align_make_range(typcache, &opening, &upper, false);
	}
	PG_RETURN_MULTIRANGE_P(make_multirange(TSTZMULTIRANGEOID, typcache, n, periods));
}

/*
 * The calendar with these dates closed.  NULL dates are refused, not ignored,
 * because in a table of holidays they are probably a mistake.
 */
Datum
align_calendar_with_holidays(PG_FUNCTION_ARGS)
{
	TextValue  *value = align_text_value_arg(PG_GETARG_DATUM(0), "calendar");
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	CalendarRules *rules = align_rules_parse(align_text_value_cstring(value), NULL);
	int			rule = align_rules_add(rules);
	int			first = date2j(CALENDAR_MIN_YEAR, 1, 1) - POSTGRES_EPOCH_JDATE;
	int			last = date2j(CALENDAR_MAX_YEAR, 12, 31) - POSTGRES_EPOCH_JDATE;
	Datum	   *dates;
	bool	   *nulls;
	int			n;

	/* one rule after all others, which therefore decides */
	deconstruct_array(array, DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &dates, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		DateADT		date;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("array of holidays must not contain nulls")));
		date = DatumGetDateADT(dates[i]);
		if (DATE_NOT_FINITE(date))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("holiday must be a finite date")));
		if (date < first || date > last)
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("holiday out of range"),
					 errdetail("Fixed dates may lie between the years %d and %d.",
							   CALENDAR_MIN_YEAR, CALENDAR_MAX_YEAR)));
		align_rules_name_fixed(rules, rule, date, date);
	}
	PG_RETURN_POINTER(align_calendar_value(rules, NULL));
}
