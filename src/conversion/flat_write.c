/*
 * flat_write.c
 *	  Writes the flat form of a conversion.
 */
#include "postgres.h"

#include "conversion/conversion.h"

/*
 * Append the times of a step, or of the whole way.
 */
static void
EncodeTimes(StringInfo out, Histogram *times)
{
	HistogramScan scan;
	int			bucket;
	int64		count;
	int			nbuckets = 0;
	int			first = -1;
	int			last = -1;

	if (times->count == 0)
		return;

	align_histogram_scan(&scan, times);
	while (align_histogram_next(&scan, &bucket, &count))
		nbuckets++;
	align_wire_append_uint(out, nbuckets);

	align_histogram_scan(&scan, times);
	while (align_histogram_next(&scan, &bucket, &count))
	{
		align_wire_append_uint(out, bucket - last - 1);
		align_wire_append_uint(out, count);
		if (first < 0)
			first = bucket;
		last = bucket;
	}
	align_wire_append_uint(out, (uint64) (times->sum >> 64));
	align_wire_append_uint(out, (uint64) times->sum);
	align_wire_append_uint(out, times->least - align_histogram_lower(first));
	align_wire_append_uint(out, times->most - align_histogram_lower(last));
}

void
align_conversion_encode(StringInfo out, Conversion *conversion)
{
	const ConversionIdentity *identity = &conversion->identity;

	Assert(conversion->leads > 0);

	align_wire_append_uint(out, (conversion->knows_matured ? CONVERSION_MATURED : 0) |
						   (conversion->knows_way ? CONVERSION_WAY : 0));
	appendBinaryStringInfo(out, identity->bytes, identity->len);
	align_wire_append_int(out, conversion->least_as_of);
	align_wire_append_uint(out, (uint64) conversion->most_as_of -
						   (uint64) conversion->least_as_of);

	/* along plain steps, timed is entered, and that mostly reached */
	for (int i = 0; i <= identity->nsteps; i++)
	{
		ConversionLevel *level = &conversion->levels[i];

		align_wire_append_uint(out, level->open);
		align_wire_append_uint(out, level->dropped);
		if (i > 0 && align_counts_entered(identity, i))
			align_wire_append_uint(out, level->entered);
		if (i > 0 && identity->kind == CONVERSION_FUNNEL)
			align_wire_append_uint(out, level->times.count);
	}
	align_wire_append_uint(out, conversion->converted);
	for (int i = 1; conversion->knows_matured && i <= identity->nsteps; i++)
		align_wire_append_uint(out, conversion->levels[i].matured);

	for (int i = 1; i <= identity->nsteps; i++)
	{
		AmountSum  *amount = &conversion->levels[i].amount;
		char	   *text;

		if (!amount->present)
		{
			align_wire_append_uint(out, 0);
			continue;
		}
		text = align_amount_sum_text(amount);
		align_wire_append_text(out, text, strlen(text));
		pfree(text);
	}

	for (int i = 2; i <= identity->nsteps; i++)
		EncodeTimes(out, &conversion->levels[i].times);
	if (!conversion->knows_way)
		return;
	if (identity->kind == CONVERSION_FUNNEL)
		align_wire_append_uint(out, conversion->way.count);
	EncodeTimes(out, &conversion->way);
}
