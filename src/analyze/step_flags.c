/*
 * step_flags.c
 *	  Which steps a row matches, from an array that may be of any shape.
 */
#include "postgres.h"

#include "analyze/step_flags.h"
#include "matching/matching.h"

uint64
align_step_flags_checked(const ArrayType *flags, int *nsteps)
{
	const char *values = ARR_DATA_PTR(flags);
	const bits8 *present = ARR_NULLBITMAP(flags);
	uint64		steps = 0;

	if (ARR_NDIM(flags) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("conditions must be a one-dimensional array")));
	*nsteps = ARR_NDIM(flags) == 0 ? 0 : ARR_DIMS(flags)[0];
	if (*nsteps == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("at least one condition is required")));
	if (*nsteps > MATCH_MAX_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many conditions"),
				 errdetail("There are %d conditions; the limit is %d.",
						   *nsteps, MATCH_MAX_STEPS)));
	for (int i = 0; i < *nsteps; i++)
	{
		/* a null has no value in the array */
		if (present != NULL && !(present[i / BITS_PER_BYTE] & (1 << (i % BITS_PER_BYTE))))
			continue;
		if (*values++ != 0)
			steps |= UINT64CONST(1) << i;
	}
	return steps;
}
