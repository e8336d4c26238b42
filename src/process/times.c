/*
 * times.c
 *	  Histograms of a process as columns of a row, and durations as text.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "process/times.h"
#include "value.h"

static Datum
DurationDatum(uint64 microseconds, bool working)
{
	/* working time is counted in an int64 */
	return working ? align_interval_datum((int64) microseconds) :
		align_days_interval_datum(microseconds);
}

Datum
align_seconds_datum(uint128 microseconds)
{
	StringInfoData text;
	uint32		fraction = (uint32) (microseconds % USECS_PER_SEC);

	initStringInfo(&text);
	align_write_uint128(&text, microseconds / USECS_PER_SEC);
	if (fraction != 0)
	{
		appendStringInfo(&text, ".%06u", fraction);
		while (text.data[text.len - 1] == '0')
			text.data[--text.len] = '\0';
	}
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text.data),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

void
align_times_columns(Histogram *histogram, bool working, Datum *values, bool *nulls)
{
	int64		count = histogram->count;

	if (count == 0)
	{
		memset(nulls, true, TIMES_NCOLUMNS * sizeof(bool));
		return;
	}
	/* ranks as in percentile_disc: the least rank >= fraction * count */
	values[TIMES_MEAN] = DurationDatum(align_histogram_mean(histogram), working);
	values[TIMES_MEDIAN] = DurationDatum(align_histogram_rank(histogram, count - count / 2),
										 working);
	values[TIMES_P90] = DurationDatum(align_histogram_rank(histogram, count - count / 10),
									  working);
	values[TIMES_TOTAL_SECONDS] = align_seconds_datum(histogram->sum);
}

void
align_write_duration(StringInfo out, uint64 microseconds, bool working)
{
	static const struct
	{
		const char *name;
		const char *part_name;
		uint64		unit;
		uint64		part;		/* the duration is rounded to it */
	}			units[] = {
		{"d", "h", USECS_PER_DAY, USECS_PER_HOUR},
		{"h", "min", USECS_PER_HOUR, USECS_PER_MINUTE},
		{"min", "s", USECS_PER_MINUTE, USECS_PER_SEC},
		{"s", NULL, USECS_PER_SEC, USECS_PER_SEC},
		{"ms", NULL, 1000, 1000},
		{"us", NULL, 1, 1}
	};

	if (microseconds == 0)
	{
		appendStringInfoString(out, "0 s");
		return;
	}
	for (int i = working ? 1 : 0; i < (int) lengthof(units); i++)
	{
		uint64		part = units[i].part;
		uint64		rounded = (microseconds + part / 2) / part * part;

		if (rounded < units[i].unit)
			continue;
		appendStringInfo(out, UINT64_FORMAT " %s", rounded / units[i].unit, units[i].name);
		if (rounded % units[i].unit != 0)
			appendStringInfo(out, " " UINT64_FORMAT " %s", rounded % units[i].unit / part,
							 units[i].part_name);
		return;
	}
}
