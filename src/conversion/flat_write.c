/*
 * flat_write.c
 *	  Writes the flat form of a conversion.
 */
#include "postgres.h"

#include "conversion/conversion.h"

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
		align_histogram_encode(out, &conversion->levels[i].times);
	if (!conversion->knows_way)
		return;
	if (identity->kind == CONVERSION_FUNNEL)
		align_wire_append_uint(out, conversion->way.count);
	align_histogram_encode(out, &conversion->way);
}
