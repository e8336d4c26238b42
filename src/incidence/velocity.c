/*
 * velocity.c
 *	  sales_velocity(): what a pipeline brings per day.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "incidence/incidence.h"

PG_FUNCTION_INFO_V1(align_sales_velocity);

#define VELOCITY_COLUMNS 5

/*
 * sales_velocity(opportunities, average_amount, win_rate, cycle)
 *
 * The arguments, and opportunities * average_amount * win_rate / days of the
 * cycle, in decimal arithmetic; NULL if one of them is.
 */
Datum
align_sales_velocity(PG_FUNCTION_ARGS)
{
	int64		opportunities = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0);
	Numeric		average_amount = PG_ARGISNULL(1) ? int64_to_numeric(0) : PG_GETARG_NUMERIC(1);
	double		win_rate = PG_ARGISNULL(2) ? 0.0 : PG_GETARG_FLOAT8(2);
	int64		cycle = PG_ARGISNULL(3) ? 1 :
		align_incidence_time(PG_GETARG_INTERVAL_P(3), "cycle");
	Datum		per_day;
	Datum		values[VELOCITY_COLUMNS];
	bool		nulls[VELOCITY_COLUMNS] = {false};
	TupleDesc	desc;

	if (opportunities < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of opportunities must not be negative")));
	if (numeric_is_nan(average_amount) || numeric_is_inf(average_amount))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("average amount must be a finite number"),
				 errdetail("It is %s.", numeric_is_nan(average_amount) ? "NaN" : "infinite")));
	/* NaN fails this comparison, too */
	if (!(win_rate >= 0.0 && win_rate <= 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("win rate must be between 0 and 1"),
				 errhint("Write 0.25 for 25 percent.")));
	if (cycle <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cycle must be greater than 0")));

	per_day = DirectFunctionCall2(numeric_mul,
								  NumericGetDatum(int64_to_numeric(opportunities)),
								  NumericGetDatum(average_amount));
	per_day = DirectFunctionCall2(numeric_mul, per_day,
								  DirectFunctionCall1(float8_numeric, Float8GetDatum(win_rate)));
	per_day = DirectFunctionCall2(numeric_mul, per_day,
								  NumericGetDatum(int64_to_numeric(USECS_PER_DAY)));
	per_day = DirectFunctionCall2(numeric_div, per_day, NumericGetDatum(int64_to_numeric(cycle)));

	/* what is not known is NULL, and then so is the product */
	for (int i = 0; i < VELOCITY_COLUMNS - 1; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i);
		nulls[VELOCITY_COLUMNS - 1] |= nulls[i];
	}
	values[VELOCITY_COLUMNS - 1] = per_day;
	desc = align_result_desc(fcinfo, CurrentMemoryContext);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
