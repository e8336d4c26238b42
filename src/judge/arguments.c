/*
 * arguments.c
 *	  Checks of the arguments that progress and conversion share.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "judge/judge.h"

void
align_progress_steps(ArrayType *steps, ProgressSteps *result)
{
	Datum	   *names;
	bool	   *nulls;
	int			nnames;

	if (ARR_NDIM(steps) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("steps must be a one-dimensional array")));
	deconstruct_array(steps, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &nnames);
	if (nnames == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("steps must name at least one stage")));
	if (nnames > PROGRESS_MAX_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many steps"),
				 errdetail("There are %d steps; the limit is %d.", nnames, PROGRESS_MAX_STEPS)));
	for (int i = 0; i < nnames; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("steps must not contain nulls")));
		result->steps[i].text = VARDATA_ANY(DatumGetPointer(names[i]));
		result->steps[i].len = VARSIZE_ANY_EXHDR(DatumGetPointer(names[i]));
	}
	result->nsteps = nnames;
}

/*
 * A window is elapsed time: a day is 24 hours, but a month has no fixed
 * length.
 */
int64
align_window_arg(Interval *within)
{
	int64		days;
	int64		result;

	if (ALIGN_INTERVAL_NOT_FINITE(within))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window must be finite"),
				 errhint("NULL means no window.")));
	if (within->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window must not be given in months or years"),
				 errdetail("Months differ in length."),
				 errhint("Give it in days, for example \"30 days\".")));
	if (pg_mul_s64_overflow(within->day, USECS_PER_DAY, &days) ||
		pg_add_s64_overflow(days, within->time, &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("window out of range")));
	if (result < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window must not be negative")));
	return result;
}

void
align_mode_arg(text *mode)
{
	static const char ordered[] = "ordered";

	if (VARSIZE_ANY_EXHDR(mode) == sizeof(ordered) - 1 &&
		memcmp(VARDATA_ANY(mode), ordered, sizeof(ordered) - 1) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown mode \"%s\"", text_to_cstring(mode)),
			 errhint("This release supports only the mode \"ordered\".")));
}

TimestampTz
align_as_of_arg(FunctionCallInfo fcinfo, int argno)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("as_of must not be null"),
				 errhint("Give the time as of which to look, for example now().")));
	as_of = PG_GETARG_TIMESTAMPTZ(argno);
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("as_of must be finite")));
	return as_of;
}
