/*
 * arguments.c
 *	  Arguments of functions on incidences.
 */
#include "postgres.h"

#include "common/int.h"

#include "incidence/incidence.h"

int64
align_incidence_time(const Interval *interval, const char *what)
{
	int64		days;
	int64		result;

	if (ALIGN_INTERVAL_NOT_FINITE(interval))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite", what)));
	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be given in months or years", what),
				 errdetail("Months differ in length."),
				 errhint("Give it in days of 24 hours, for example \"30 days\"; subtract timestamps rather than use age().")));
	if (pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &days) ||
		pg_add_s64_overflow(days, interval->time, &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s out of range", what)));
	return result;
}
