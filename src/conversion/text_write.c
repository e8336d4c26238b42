/*
 * text_write.c
 *	  Writes the text form of a conversion; text.c has the grammar.
 *
 * Output is canonical: zero and absent values are left out.
 */
#include "postgres.h"

#include "conversion/conversion.h"
#include "time_text.h"

static void
WriteCount(StringInfo out, const char *word, int64 count)
{
	if (count != 0)
		appendStringInfo(out, " %s " INT64_FORMAT, word, count);
}

static void
WriteTimes(StringInfo out, Histogram *times)
{
	if (times->count == 0)
		return;
	appendStringInfoString(out, " time ");
	align_histogram_write(out, times);
}

/*
 * What a list of steps has beside its steps.
 */
static void
WriteRules(StringInfo out, const StepList *list)
{
	appendStringInfo(out, " mode %s", align_match_modes_text(list->modes));
	if (align_is_limited(&list->within))
	{
		appendStringInfoString(out, " within ");
		align_write_within(out, list);
	}
	if (list->gaps != NULL)
	{
		appendStringInfoString(out, " gaps ");
		align_write_gaps(out, list);
	}
	if (list->zone.text != NULL)
	{
		appendStringInfoString(out, " zone ");
		align_write_name(out, list->zone.text, list->zone.len);
	}
	if (list->nexclude > 0)
	{
		appendStringInfoString(out, " exclude ");
		align_write_stage_names(out, list->exclude, list->nexclude);
	}
	if (list->passages)
		appendStringInfoString(out, " passages");
}

char *
align_conversion_write(Conversion *conversion)
{
	const ConversionIdentity *identity = &conversion->identity;
	StringInfoData out;

	initStringInfo(&out);
	if (identity->kind == CONVERSION_STEPS)
	{
		appendStringInfoString(&out, "{steps ");
		align_write_names(&out, identity);
		WriteRules(&out, &identity->list);
	}
	else
	{
		appendStringInfo(&out, "{funnel %016llx ", (unsigned long long) identity->fingerprint);
		align_write_names(&out, identity);
	}
	appendStringInfoString(&out, " as of ");
	align_write_time(&out, conversion->least_as_of);
	if (conversion->most_as_of != conversion->least_as_of)
	{
		appendStringInfoString(&out, " to ");
		align_write_time(&out, conversion->most_as_of);
	}
	if (conversion->knows_matured)
		appendStringInfo(&out, " matured " INT64_FORMAT, align_conversion_matured(conversion));

	for (int i = 0; i <= identity->nsteps; i++)
	{
		ConversionLevel *level = &conversion->levels[i];
		int			before = out.len;
		int			empty;

		appendStringInfo(&out, ", level %d", i);
		empty = out.len;
		WriteCount(&out, "open", level->open);
		WriteCount(&out, "dropped", level->dropped);
		if (i == identity->nsteps)
			WriteCount(&out, "converted", conversion->converted);
		WriteCount(&out, "matured", level->matured);
		WriteCount(&out, "entered", level->entered);
		if (level->amount.present)
			appendStringInfo(&out, " amount %s", align_amount_sum_text(&level->amount));
		WriteTimes(&out, &level->times);

		/* remove a level without any value */
		if (out.len == empty)
		{
			out.len = before;
			out.data[before] = '\0';
		}
	}
	if (conversion->knows_way)
	{
		appendStringInfoString(&out, ", way");
		WriteTimes(&out, &conversion->way);
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}
