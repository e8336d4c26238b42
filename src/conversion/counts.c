/*
 * counts.c
 *	  The counts of a conversion: derives some, and checks their invariants.
 */
#include "postgres.h"

#include "common/int.h"

#include "conversion/conversion.h"

void
align_counts_of(const Conversion *conversion, ConversionCounts *counts)
{
	int			nsteps = conversion->identity.nsteps;
	int			level;

	memset(counts, 0, sizeof(*counts));
	counts->converted = conversion->converted;
	for (int i = 0; i <= nsteps; i++)
	{
		counts->open[i] = conversion->levels[i].open;
		counts->dropped[i] = conversion->levels[i].dropped;
		counts->entered[i] = conversion->levels[i].entered;
		counts->timed[i] = conversion->levels[i].times.count;
		counts->matured[i] = conversion->levels[i].matured;
	}
	if (align_counts_derive(nsteps, counts, &level) != NULL)
		return;					/* while parsing; the caller checks again */
	if (conversion->identity.kind == CONVERSION_STEPS)
		memcpy(counts->entered + 1, counts->reached + 1, nsteps * sizeof(int64));
}

int64
align_conversion_matured(const Conversion *conversion)
{
	int64		matured = 0;

	/* they are not more than all leads */
	for (int i = 1; i <= conversion->identity.nsteps; i++)
		matured += conversion->levels[i].matured;
	return matured;
}

const char *
align_counts_derive(int nsteps, ConversionCounts *counts, int *level)
{
	int64		sum = counts->converted;
	int64		matured = 0;

	for (int i = nsteps; i >= 0; i--)
	{
		*level = i;
		if (pg_add_s64_overflow(sum, counts->open[i], &sum) ||
			pg_add_s64_overflow(sum, counts->dropped[i], &sum))
			return "There are more leads than a bigint can count.";
		counts->reached[i] = sum;
		if (pg_add_s64_overflow(matured, counts->matured[i], &matured))
			return "There are more matured leads than a bigint can count.";
		counts->matured_reached[i] = matured;
	}
	counts->leads = sum;
	return NULL;
}

const char *
align_counts_check(ConversionKind kind, int nsteps, const ConversionCounts *counts, int *level)
{
	*level = 0;
	if (counts->leads < 1)
		return "It counts no leads.";

	for (int i = 1; i <= nsteps; i++)
	{
		int64		here = counts->open[i] + counts->dropped[i];

		*level = i;
		if (i == nsteps && here > 0)
			return "Leads that reached the last step are neither open nor dropped.";
		if (counts->matured_reached[i] > counts->reached[i])
			return "More matured leads reached a step than all leads did.";
		if (kind == CONVERSION_STEPS)
		{
			if (i > 1 && counts->timed[i] != counts->reached[i])
				return "The times of a step are not those of the leads that reached it.";
		}
		else
		{
			if (counts->entered[i] > counts->reached[i])
				return "More leads entered a step than reached it.";
			if (counts->entered[i] < here)
				return "Fewer leads entered a step than got no further.";
			if (i > 1 &&
				counts->timed[i] > Min(i == nsteps ? counts->reached[i] : counts->entered[i],
									   counts->entered[i - 1]))
				return "More leads have times for a step than entered it and the one before.";
		}
	}
	return NULL;
}
