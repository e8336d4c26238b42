/*
 * times.c
 *	  way_times(conversion) and histogram(conversion, step, bounds).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "conversion/conversion.h"

PG_FUNCTION_INFO_V1(align_conversion_way_times);
PG_FUNCTION_INFO_V1(align_conversion_histogram);

/*
 * way_times(conversion)
 */
Datum
align_conversion_way_times(PG_FUNCTION_ARGS)
{
	ValueMemo  *memo = align_memo(fcinfo->flinfo, 0, 1);
	Conversion *conversion = align_conversion_absorb_datum(NULL, PG_GETARG_DATUM(0),
														   CurrentMemoryContext);
	Histogram  *way = &conversion->way;
	Datum		values[4] = {0};
	bool		nulls[4] = {true, true, true, true};

	/* the row type of the result is looked up once per call site */
	if (memo->compiled == NULL)
		memo->compiled = align_result_desc(fcinfo, memo->context);
	if (conversion->knows_way)
	{
		values[0] = Int64GetDatum(way->count);
		nulls[0] = false;
	}
	if (way->count > 0)
	{
		values[1] = align_days_interval_datum(align_histogram_mean(way));
		values[2] = align_days_interval_datum(align_histogram_median(way));
		values[3] = align_days_interval_datum(align_histogram_p90(way));
		memset(nulls, false, sizeof(nulls));
	}
	MemoryContextDelete(conversion->header.eoh_context);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple((TupleDesc) memo->compiled, values, nulls)));
}

/*
 * A bound in microseconds; a day is 24 hours.
 */
static uint64
BoundTime(const Interval *bound)
{
	int64		days;
	int64		result;

	if (ALIGN_INTERVAL_NOT_FINITE(bound))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bounds must be finite"),
				 errhint("The last class has no upper bound.")));
	if (bound->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bounds must not be given in months or years"),
				 errdetail("Months differ in length."),
				 errhint("Give them in days, for example \"30 days\".")));
	if (pg_mul_s64_overflow(bound->day, USECS_PER_DAY, &days) ||
		pg_add_s64_overflow(days, bound->time, &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("bound out of range")));
	if (result < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bounds must not be negative")));
	return (uint64) result;
}

/*
 * The bounds, palloc'd; they must ascend.
 */
static uint64 *
BoundsArg(ArrayType *array, Datum **bounds, int *n)
{
	bool	   *nulls;
	uint64	   *times;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("bounds must be a one-dimensional array")));
	deconstruct_array(array, INTERVALOID, sizeof(Interval), false, TYPALIGN_DOUBLE, bounds,
					  &nulls, n);
	times = palloc(Max(*n, 1) * sizeof(uint64));
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("bounds must not contain nulls")));
		times[i] = BoundTime(DatumGetIntervalP((*bounds)[i]));
		if (i > 0 && times[i] <= times[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("bounds must ascend"),
					 errdetail("Bound %d is not greater than the one before it.", i + 1)));
	}
	return times;
}

/*
 * The times of a step, or of the whole way if step is NULL; NULL if they are
 * not known.
 */
static Histogram *
TimesArg(FunctionCallInfo fcinfo, Conversion *conversion)
{
	int			nsteps = conversion->identity.nsteps;
	int			step;

	if (PG_ARGISNULL(1))
		return conversion->knows_way ? &conversion->way : NULL;
	step = PG_GETARG_INT32(1);
	if (step < 2 || step > nsteps)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("step %d has no times", step),
				 errdetail("The conversion has %d steps; the first has no step before it.", nsteps),
				 errhint("NULL as the step means the whole way.")));
	return &conversion->levels[step].times;
}

/*
 * histogram(conversion, step, bounds)
 */
Datum
align_conversion_histogram(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Conversion *conversion;
	Histogram  *times;
	Datum	   *bounds;
	uint64	   *bound_times;
	int			nbounds;
	int64		below = 0;

	align_begin_rows(fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	align_require_argument(fcinfo, 2, "bounds");
	bound_times = BoundsArg(PG_GETARG_ARRAYTYPE_P(2), &bounds, &nbounds);
	conversion = align_conversion_absorb_datum(NULL, PG_GETARG_DATUM(0), CurrentMemoryContext);
	times = TimesArg(fcinfo, conversion);

	for (int i = 0; i <= nbounds; i++)
	{
		Datum		values[4] = {0};
		bool		nulls[4] = {false, i == 0, i == nbounds, times == NULL};

		values[0] = Int32GetDatum(i + 1);
		if (i > 0)
			values[1] = bounds[i - 1];
		if (i < nbounds)
			values[2] = bounds[i];
		if (times != NULL)
		{
			int64		next = i < nbounds ? align_histogram_below(times, bound_times[i]) :
				times->count;

			values[3] = Int64GetDatum(next - below);
			below = next;
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	MemoryContextDelete(conversion->header.eoh_context);
	return (Datum) 0;
}
