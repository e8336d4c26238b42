/*
 * flat_read.c
 *	  Reads the flat form of an incidence.
 */
#include "postgres.h"

#include "incidence/incidence.h"

/*
 * Add a series of the flat form to one in memory.  Returns the number of its
 * cases.
 */
static int64
AbsorbSeries(Incidence *into, TimeSeries *series, WireReader *reader, int64 unit)
{
	int			n = align_wire_count(reader, 2, INCIDENCE_MAX_TIMES);
	int64		at = 0;
	int64		cases = 0;

	for (int i = 0; i < n; i++)
	{
		uint64		distance = align_wire_uint(reader);
		uint64		count = align_wire_uint(reader);

		if (distance > (uint64) (PG_INT64_MAX - at) / unit)
			align_wire_fail(reader, "A time is out of range.");
		if (distance == 0 && i > 0)
			align_wire_fail(reader, "A time is repeated.");
		if (count == 0 || count > (uint64) (PG_INT64_MAX - cases))
			align_wire_fail(reader, "A count is out of range.");
		at += (int64) distance * unit;
		cases += (int64) count;
		align_series_add(series, into->header.eoh_context, at, (int64) count);
	}
	return cases;
}

Incidence *
align_incidence_absorb(Incidence *into, WireReader *reader, MemoryContext context)
{
	uint64		flags = align_wire_uint(reader);
	uint64		unit_index;
	int64		unit;
	int			noutcomes;
	int			outcomes[INCIDENCE_MAX_OUTCOMES];
	int64		late;

	align_check_flags(flags > PG_UINT32_MAX ? PG_UINT32_MAX : (uint32) flags, INCIDENCE_TYPE);
	if (into == NULL)
		into = align_incidence_make(context);
	into->flat_valid = false;

	unit_index = align_wire_uint(reader);
	if (unit_index >= INCIDENCE_UNITS)
		align_wire_fail(reader, "Its unit is unknown.");
	unit = align_incidence_units[unit_index].microseconds;
	noutcomes = align_wire_count(reader, 1, INCIDENCE_MAX_OUTCOMES);
	for (int i = 0; i < noutcomes; i++)
	{
		int			len;
		const char *name = align_wire_text(reader, &len);

		outcomes[i] = align_incidence_outcome(into, name, len);
	}

	late = AbsorbSeries(into, &into->late, reader, unit);
	align_incidence_count(into, AbsorbSeries(into, &into->open, reader, unit));
	for (int i = 0; i < noutcomes; i++)
	{
		int64		cases = AbsorbSeries(into, &into->outcomes[outcomes[i]].times, reader, unit);

		if (cases == 0)
			align_wire_fail(reader, "An outcome is without cases.");
		align_incidence_count(into, cases);
	}
	if (into->cases == 0)
		align_wire_fail(reader, "It is without cases.");
	if (late > into->cases)
		align_wire_fail(reader, "More cases enter late than leave.");
	align_wire_end(reader);
	return into;
}

Incidence *
align_incidence_absorb_datum(Incidence *into, Datum datum, MemoryContext context)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);
	WireReader	reader;

	align_wire_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), INCIDENCE_TYPE);
	into = align_incidence_absorb(into, &reader, context);
	if ((Pointer) value != DatumGetPointer(datum))
		pfree(value);
	return into;
}

Incidence *
align_incidence_arg(Datum datum)
{
	Incidence  *incidence;

	incidence = align_incidence_expanded(datum);
	if (incidence == NULL)
		incidence = align_incidence_absorb_datum(NULL, datum, CurrentMemoryContext);
	align_incidence_sort(incidence);
	return incidence;
}
