/*
 * json_write.c
 *	  The cast from conversion to jsonb.
 *
 * The document has the content of the text form under the same words, with an
 * object for every level; counts of zero are left out.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "conversion/conversion.h"
#include "time_text.h"

PG_FUNCTION_INFO_V1(align_conversion_to_jsonb);

static void
WriteString(StringInfo out, LeadString string)
{
	escape_json(out, pnstrdup(string.text, string.len));
}

static void
WriteCount(StringInfo out, const char *key, int64 count)
{
	if (count != 0)
		appendStringInfo(out, ", \"%s\": " INT64_FORMAT, key, count);
}

static void
WriteStrings(StringInfo out, const LeadString *strings, int n)
{
	appendStringInfoChar(out, '[');
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		WriteString(out, strings[i]);
	}
	appendStringInfoChar(out, ']');
}

/*
 * A step of one stage that is required is the name of the stage.
 */
static void
WriteStep(StringInfo out, const Step *step)
{
	if (step->nstages == 1 && !step->optional)
	{
		WriteString(out, step->stages[0]);
		return;
	}
	appendStringInfoString(out, "{\"stages\": ");
	WriteStrings(out, step->stages, step->nstages);
	appendStringInfo(out, ", \"optional\": %s}", step->optional ? "true" : "false");
}

static void
WriteList(StringInfo out, const StepList *list)
{
	appendStringInfo(out, "\"mode\": \"%s\", \"within\": ", align_match_modes_text(list->modes));
	if (align_is_limited(&list->within))
	{
		appendStringInfoChar(out, '"');
		align_write_within(out, list);
		appendStringInfoString(out, "\", ");
	}
	else
		appendStringInfoString(out, "null, ");
	if (list->gaps != NULL)
	{
		appendStringInfoString(out, "\"gaps\": [");
		for (int i = 0; i < list->nsteps - 1; i++)
		{
			bool		limited = align_is_limited(&list->gaps[i]);

			appendStringInfoString(out, i > 0 ? ", " : "");
			appendStringInfoString(out, limited ? "\"" : "null");
			if (limited)
			{
				align_write_gap(out, list, i);
				appendStringInfoChar(out, '"');
			}
		}
		appendStringInfoString(out, "], ");
	}
	if (list->zone.text != NULL)
	{
		appendStringInfoString(out, "\"time_zone\": ");
		WriteString(out, list->zone);
		appendStringInfoString(out, ", ");
	}
	if (list->nexclude > 0)
	{
		appendStringInfoString(out, "\"exclude\": ");
		WriteStrings(out, list->exclude, list->nexclude);
		appendStringInfoString(out, ", ");
	}
	if (list->passages)
		appendStringInfoString(out, "\"count\": \"passages\", ");
	appendStringInfoString(out, "\"steps\": [");
	for (int i = 0; i < list->nsteps; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		WriteStep(out, &list->steps[i]);
	}
	appendStringInfoChar(out, ']');
}

static void
WriteIdentity(StringInfo out, const ConversionIdentity *identity)
{
	if (identity->kind == CONVERSION_STEPS)
	{
		WriteList(out, &identity->list);
		return;
	}
	appendStringInfo(out, "\"funnel\": \"%016llx\", \"steps\": ",
					 (unsigned long long) identity->fingerprint);
	WriteStrings(out, identity->names, identity->nsteps);
}

/*
 * Times, not none, as an object.
 */
static void
WriteTimes(StringInfo out, Histogram *times)
{
	HistogramScan scan;
	const char *separator = "";
	int			bucket;
	int64		count;

	appendStringInfoString(out, "{\"sum\": ");
	align_write_uint128(out, times->sum);
	appendStringInfo(out, ", \"least\": " UINT64_FORMAT ", \"most\": " UINT64_FORMAT ", \"in\": [",
					 times->least, times->most);
	align_histogram_scan(&scan, times);
	while (align_histogram_next(&scan, &bucket, &count))
	{
		appendStringInfo(out, "%s[%d, " INT64_FORMAT "]", separator, bucket, count);
		separator = ", ";
	}
	appendStringInfoString(out, "]}");
}

static void
WriteLevel(StringInfo out, Conversion *conversion, int number)
{
	ConversionLevel *level = &conversion->levels[number];

	appendStringInfo(out, "{\"level\": %d", number);
	WriteCount(out, "open", level->open);
	WriteCount(out, "dropped", level->dropped);
	if (number == conversion->identity.nsteps)
		WriteCount(out, "converted", conversion->converted);
	WriteCount(out, "matured", level->matured);
	WriteCount(out, "entered", level->entered);
	if (level->amount.present)
		appendStringInfo(out, ", \"amount\": %s", align_amount_sum_text(&level->amount));
	if (level->times.count > 0)
	{
		appendStringInfoString(out, ", \"time\": ");
		WriteTimes(out, &level->times);
	}
	appendStringInfoChar(out, '}');
}

Datum
align_conversion_to_jsonb(PG_FUNCTION_ARGS)
{
	Conversion *conversion = align_conversion_absorb_datum(NULL, PG_GETARG_DATUM(0),
														   CurrentMemoryContext);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	WriteIdentity(&out, &conversion->identity);
	appendStringInfoString(&out, ", \"as_of\": [\"");
	align_write_time(&out, conversion->least_as_of);
	appendStringInfoString(&out, "\", \"");
	align_write_time(&out, conversion->most_as_of);
	appendStringInfo(&out, "\"], \"leads\": " INT64_FORMAT, conversion->leads);
	if (conversion->knows_matured)
		appendStringInfo(&out, ", \"matured\": " INT64_FORMAT,
						 align_conversion_matured(conversion));
	appendStringInfoString(&out, ", \"levels\": [");
	for (int i = 0; i <= conversion->identity.nsteps; i++)
	{
		if (i > 0)
			appendStringInfoString(&out, ", ");
		WriteLevel(&out, conversion, i);
	}
	appendStringInfoChar(&out, ']');
	if (conversion->knows_way)
	{
		appendStringInfoString(&out, ", \"way\": {");
		if (conversion->way.count > 0)
		{
			appendStringInfoString(&out, "\"time\": ");
			WriteTimes(&out, &conversion->way);
		}
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoChar(&out, '}');
	MemoryContextDelete(conversion->header.eoh_context);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}
