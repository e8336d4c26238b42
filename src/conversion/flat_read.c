/*
 * flat_read.c
 *	  Reads the flat form of a conversion, with all checks.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "conversion/conversion.h"
#include "lead/amount.h"

/*
 * Read the identity, which must be that of "into"; if that is NULL, make a new
 * summary of it.
 */
static Conversion *
AbsorbIdentity(Conversion *into, WireReader *reader, MemoryContext context)
{
	ConversionIdentity identity;

	if (into != NULL &&
		(size_t) (reader->end - reader->cur) >= into->identity.len &&
		memcmp(reader->cur, into->identity.bytes, into->identity.len) == 0)
	{
		/* equal bytes are enough: no encoding is a prefix of another */
		reader->cur += into->identity.len;
		return into;
	}
	align_identity_read(&identity, reader, false);
	if (into != NULL)
		align_identity_differs(&into->identity, &identity, false);
	return align_conversion_make(&identity, context);
}

static void
AbsorbAsOf(Conversion *into, WireReader *reader)
{
	TimestampTz least = align_wire_int(reader);
	uint64		span = align_wire_uint(reader);

	if (!IS_VALID_TIMESTAMP(least) || span >= (uint64) END_TIMESTAMP - (uint64) least)
		align_wire_fail(reader, "An as_of is out of range.");
	align_conversion_see(into, least, least + span);
}

static int64
ReadCount(WireReader *reader)
{
	uint64		count = align_wire_uint(reader);

	if (count > PG_INT64_MAX)
		align_wire_fail(reader, "A count is out of range.");
	return (int64) count;
}

static void
ReadCounts(const ConversionIdentity *identity, WireReader *reader, bool knows_matured,
		   ConversionCounts *counts)
{
	int			nsteps = identity->nsteps;
	const char *wrong;
	int			level;

	memset(counts, 0, sizeof(*counts));
	for (int i = 0; i <= nsteps; i++)
	{
		counts->open[i] = ReadCount(reader);
		counts->dropped[i] = ReadCount(reader);
		if (i > 0 && align_counts_entered(identity, i))
			counts->entered[i] = ReadCount(reader);
		if (i > 0 && identity->kind == CONVERSION_FUNNEL)
			counts->timed[i] = ReadCount(reader);
	}
	counts->converted = ReadCount(reader);
	for (int i = 1; knows_matured && i <= nsteps; i++)
		counts->matured[i] = ReadCount(reader);
	wrong = align_counts_derive(nsteps, counts, &level);
	if (wrong != NULL)
		align_wire_fail(reader, wrong);
	if (identity->kind == CONVERSION_STEPS)
	{
		/* what is equal to other counts is not stored */
		for (int i = 1; i <= nsteps; i++)
		{
			if (!align_counts_entered(identity, i))
				counts->entered[i] = counts->reached[i];
			counts->timed[i] = i > 1 ? counts->entered[i] : 0;
		}
	}
	else if (counts->timed[1] != 0)
		align_wire_fail(reader, "The first step has times.");
	wrong = align_counts_check(identity, counts, &level);
	if (wrong != NULL)
		align_wire_fail(reader, wrong);
}

static void
AbsorbAmounts(Conversion *into, WireReader *reader, const ConversionCounts *counts)
{
	for (int i = 1; i <= into->identity.nsteps; i++)
	{
		LeadString	amount;

		amount.text = align_wire_text(reader, &amount.len);
		if (amount.len == 0)
			continue;
		if (!align_amount_is_canonical(amount.text, amount.len))
			align_wire_fail(reader, "An amount is not a canonical decimal number.");
		if (counts->reached[i] == (i < into->identity.nsteps ? counts->reached[i + 1] : 0))
			align_wire_fail(reader, "A level without leads has an amount.");
		align_amount_sum_add(&into->levels[i].amount, into->header.eoh_context, amount);
	}
}

/*
 * Add the times of the whole way.
 */
static void
AbsorbWay(Conversion *into, WireReader *reader, ConversionCounts *counts)
{
	const char *wrong;

	counts->way = into->identity.kind == CONVERSION_FUNNEL ? ReadCount(reader) :
		counts->converted;
	wrong = align_counts_check_way(&into->identity, counts);
	if (wrong != NULL)
		align_wire_fail(reader, wrong);
	if (counts->way > 0)
		align_histogram_decode(into->knows_way ? &into->way : NULL, into->header.eoh_context,
							   reader, counts->way);
}
Conversion *
align_conversion_absorb(Conversion *into, WireReader *reader, MemoryContext context)
{
	ConversionCounts counts;
	uint64		flags = align_wire_uint(reader);
	bool		knows_matured = (flags & CONVERSION_MATURED) != 0;
	bool		knows_way = (flags & CONVERSION_WAY) != 0;

	flags &= ~(uint64) CONVERSION_ALL_FLAGS;
	align_check_flags(flags > PG_UINT32_MAX ? PG_UINT32_MAX : (uint32) flags, CONVERSION_TYPE);
	into = AbsorbIdentity(into, reader, context);
	if (knows_matured && !align_identity_matures(&into->identity))
		align_wire_fail(reader, "It counts matured leads, but has no window.");
	into->flat_valid = false;
	AbsorbAsOf(into, reader);
	ReadCounts(&into->identity, reader, knows_matured, &counts);

	/* first, because it makes sure that no sum below overflows */
	align_conversion_count(into, counts.leads);
	into->converted += counts.converted;
	for (int i = 0; i <= into->identity.nsteps; i++)
	{
		into->levels[i].open += counts.open[i];
		into->levels[i].dropped += counts.dropped[i];
		if (i > 0 && align_counts_entered(&into->identity, i))
			into->levels[i].entered += counts.entered[i];
		if (into->knows_matured)
			into->levels[i].matured += counts.matured[i];
	}
	if (!knows_matured)
		align_conversion_forget_matured(into);
	if (!knows_way)
		align_conversion_forget_way(into);

	AbsorbAmounts(into, reader, &counts);
	for (int i = 2; i <= into->identity.nsteps; i++)
	{
		if (counts.timed[i] > 0)
			align_histogram_decode(&into->levels[i].times, into->header.eoh_context, reader,
								   counts.timed[i]);
	}
	if (knows_way)
		AbsorbWay(into, reader, &counts);
	align_wire_end(reader);
	return into;
}

Conversion *
align_conversion_absorb_datum(Conversion *into, Datum datum, MemoryContext context)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);
	WireReader	reader;

	align_wire_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), CONVERSION_TYPE);
	into = align_conversion_absorb(into, &reader, context);
	if ((Pointer) value != DatumGetPointer(datum))
		pfree(value);
	return into;
}
