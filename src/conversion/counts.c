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
	counts->way = conversion->way.count;
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
	for (int i = 1; i <= nsteps; i++)
	{
		if (!align_counts_entered(&conversion->identity, i))
			counts->entered[i] = counts->reached[i];
	}
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

/*
 * The invariants of the counts of one step along a funnel.
 */
static const char *
CheckFunnelStep(int nsteps, const ConversionCounts *counts, int step)
{
	if (counts->entered[step] > counts->reached[step])
		return "More leads entered a step than reached it.";
	if (counts->entered[step] < counts->open[step] + counts->dropped[step])
		return "Fewer leads entered a step than got no further.";
	if (step > 1 &&
		counts->timed[step] > Min(step == nsteps ? counts->reached[step] : counts->entered[step],
								  counts->entered[step - 1]))
		return "More leads have times for a step than entered it and the one before.";
	return NULL;
}

/*
 * The same along plain steps.
 */
static const char *
CheckPlainStep(bool optional, const ConversionCounts *counts, int step)
{
	if (optional && counts->entered[step] > counts->reached[step])
		return "More leads entered a step than reached it.";
	if (optional && counts->entered[step] < counts->open[step] + counts->dropped[step])
		return "Fewer leads entered a step than got no further.";
	if (step > 1 && counts->timed[step] != counts->entered[step])
		return optional ? "The times of a step are not those of the leads that entered it." :
			"The times of a step are not those of the leads that reached it.";
	return NULL;
}

const char *
align_counts_check(const ConversionIdentity *identity, const ConversionCounts *counts, int *level)
{
	int			nsteps = identity->nsteps;

	*level = 0;
	if (counts->leads < 1)
		return "It counts no leads.";

	for (int i = 1; i <= nsteps; i++)
	{
		const char *wrong;

		*level = i;
		if (i == nsteps && counts->open[i] + counts->dropped[i] > 0)
			return "Leads that reached the last step are neither open nor dropped.";
		if (counts->matured_reached[i] > counts->reached[i])
			return "More matured leads reached a step than all leads did.";
		wrong = identity->kind == CONVERSION_FUNNEL ? CheckFunnelStep(nsteps, counts, i) :
			CheckPlainStep(align_counts_entered(identity, i), counts, i);
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

const char *
align_counts_check_way(const ConversionIdentity *identity, const ConversionCounts *counts)
{
	if (identity->kind == CONVERSION_STEPS && counts->way != counts->converted)
		return "The times of the whole way are not those of the leads that converted.";
	if (counts->way > Min(counts->converted, counts->entered[1]))
		return "More leads have times of the whole way than entered its first step and converted.";
	return NULL;
}
