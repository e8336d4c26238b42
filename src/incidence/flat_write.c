/*
 * flat_write.c
 *	  Writes the flat form of an incidence.
 */
#include "postgres.h"

#include "incidence/incidence.h"

const IncidenceUnit align_incidence_units[INCIDENCE_UNITS] = {
	{"days", USECS_PER_DAY},
	{"hours", USECS_PER_HOUR},
	{"minutes", USECS_PER_MINUTE},
	{"seconds", USECS_PER_SEC},
	{"milliseconds", 1000},
	{"microseconds", 1},
};

/*
 * The coarsest unit, from the given one on, that all times of a series are
 * multiples of.
 */
static int
CoarsestUnit(const TimeSeries *series, int unit)
{
	for (int i = 0; i < series->n; i++)
	{
		while (series->items[i].at % align_incidence_units[unit].microseconds != 0)
			unit++;
	}
	return unit;
}

int
align_incidence_unit(const Incidence *incidence)
{
	int			unit = 0;

	unit = CoarsestUnit(&incidence->late, unit);
	unit = CoarsestUnit(&incidence->open, unit);
	for (int i = 0; i < incidence->noutcomes; i++)
		unit = CoarsestUnit(&incidence->outcomes[i].times, unit);
	return unit;
}

static void
EncodeSeries(StringInfo out, const TimeSeries *series, int64 unit)
{
	int64		before = 0;

	align_wire_append_uint(out, series->n);
	for (int i = 0; i < series->n; i++)
	{
		align_wire_append_uint(out, (series->items[i].at - before) / unit);
		align_wire_append_uint(out, series->items[i].count);
		before = series->items[i].at;
	}
}

void
align_incidence_encode(StringInfo out, const Incidence *incidence)
{
	int			unit;
	int64		microseconds;

	Assert(incidence->cases > 0);

	unit = align_incidence_unit(incidence);
	microseconds = align_incidence_units[unit].microseconds;

	align_wire_append_uint(out, 0);
	align_wire_append_uint(out, unit);
	align_wire_append_uint(out, incidence->noutcomes);
	for (int i = 0; i < incidence->noutcomes; i++)
		align_wire_append_text(out, incidence->outcomes[i].name, incidence->outcomes[i].len);
	EncodeSeries(out, &incidence->late, microseconds);
	EncodeSeries(out, &incidence->open, microseconds);
	for (int i = 0; i < incidence->noutcomes; i++)
		EncodeSeries(out, &incidence->outcomes[i].times, microseconds);
}
