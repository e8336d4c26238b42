/*
 * accessors.c
 *	  Functions of one lead that return one value.
 *
 * Touches do not change the stage.  An entry into the stage that the lead is
 * already in is not a move: it neither ends a visit nor begins one.  Durations
 * are in hours and smaller units, never days, like those of working_time.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead/lead.h"
#include "lead/values.h"

PG_FUNCTION_INFO_V1(align_lead_current_stage);
PG_FUNCTION_INFO_V1(align_lead_stage_at);
PG_FUNCTION_INFO_V1(align_lead_since);
PG_FUNCTION_INFO_V1(align_lead_reached);
PG_FUNCTION_INFO_V1(align_lead_time_in);
PG_FUNCTION_INFO_V1(align_lead_time_between);
PG_FUNCTION_INFO_V1(align_lead_path);

Datum
align_lead_text_datum(LeadString string)
{
	return PointerGetDatum(cstring_to_text_with_len(string.text, string.len));
}

int64
align_lead_elapsed(TimestampTz from, TimestampTz to)
{
	int64		result;

	if (pg_sub_s64_overflow(to, from, &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range"),
				 errdetail("The two times are more than 292,000 years apart.")));
	return result;
}

/*
 * Adds the time between two instants to a total.
 */
static int64
AddElapsed(int64 total, TimestampTz from, TimestampTz to)
{
	int64		result;

	if (pg_add_s64_overflow(total, align_lead_elapsed(from, to), &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range"),
				 errdetail("The visits last more than 292,000 years together.")));
	return result;
}

/*
 * An open visit is counted up to as_of, which therefore must be finite.
 */
static void
CheckAsOf(TimestampTz as_of)
{
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("as_of must be finite"),
				 errdetail("An open visit is counted up to as_of.")));
}

/*
 * The dictionary index of a stage, -1 if the lead never entered it.  The
 * string may also be used for something other than a stage.
 */
static int
FindStage(const LeadReader *reader, text *stage)
{
	return align_lead_find(reader, VARDATA_ANY(stage), VARSIZE_ANY_EXHDR(stage));
}

/*
 * The stage that the lead is in at a time, and when it entered it; false if it
 * is not in any.
 */
static bool
FindStageAt(LeadReader *reader, TimestampTz at, int *stage, TimestampTz *since)
{
	LeadEntry	entry;

	*stage = -1;
	while (align_lead_next(reader, &entry) && entry.at <= at)
	{
		if (entry.stage < 0 || entry.stage == *stage)
			continue;
		*stage = entry.stage;
		*since = entry.at;
	}
	return *stage >= 0;
}

static Datum
StageAt(FunctionCallInfo fcinfo, TimestampTz at)
{
	LeadReader	reader;
	int			stage;
	TimestampTz since;
	Datum		result = (Datum) 0;
	bool		found;

	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	found = FindStageAt(&reader, at, &stage, &since);
	if (found)
		result = align_lead_text_datum(reader.strings[stage]);
	align_lead_read_end(&reader);
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}

/*
 * current_stage(lead)
 */
Datum
align_lead_current_stage(PG_FUNCTION_ARGS)
{
	return StageAt(fcinfo, DT_NOEND);
}

/*
 * stage_at(lead, at)
 */
Datum
align_lead_stage_at(PG_FUNCTION_ARGS)
{
	return StageAt(fcinfo, PG_GETARG_TIMESTAMPTZ(1));
}

/*
 * since(lead)
 */
Datum
align_lead_since(PG_FUNCTION_ARGS)
{
	LeadReader	reader;
	int			stage;
	TimestampTz since;
	bool		found;

	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	found = FindStageAt(&reader, DT_NOEND, &stage, &since);
	align_lead_read_end(&reader);
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(since);
}

/*
 * The time of the first entry into a stage at or after a time; false if there
 * is none.
 */
static bool
FirstEntry(const struct varlena *lead, text *stage, TimestampTz not_before, TimestampTz *at)
{
	LeadReader	reader;
	LeadEntry	entry;
	int			wanted;
	bool		found = false;

	align_lead_read(&reader, lead);
	wanted = FindStage(&reader, stage);
	while (wanted >= 0 && !found && align_lead_next(&reader, &entry))
	{
		if (entry.stage == wanted && entry.at >= not_before)
		{
			*at = entry.at;
			found = true;
		}
	}
	align_lead_read_end(&reader);
	return found;
}

/*
 * reached(lead, stage)
 */
Datum
align_lead_reached(PG_FUNCTION_ARGS)
{
	TimestampTz at;

	PG_RETURN_BOOL(FirstEntry(PG_GETARG_VARLENA_PP(0), PG_GETARG_TEXT_PP(1), DT_NOBEGIN, &at));
}

/*
 * time_in(lead, stage, as_of)
 */
Datum
align_lead_time_in(PG_FUNCTION_ARGS)
{
	text	   *stage = PG_GETARG_TEXT_PP(1);
	TimestampTz as_of = PG_GETARG_TIMESTAMPTZ(2);
	LeadReader	reader;
	LeadEntry	entry;
	int			wanted;
	bool		inside = false;
	TimestampTz entered = 0;
	int64		total = 0;

	CheckAsOf(as_of);
	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	wanted = FindStage(&reader, stage);
	while (wanted >= 0 && align_lead_next(&reader, &entry) && entry.at <= as_of)
	{
		if (entry.stage < 0 || (entry.stage == wanted) == inside)
			continue;
		/* the lead enters the stage, or leaves it for another */
		if (inside)
			total = AddElapsed(total, entered, entry.at);
		else
			entered = entry.at;
		inside = !inside;
	}
	if (inside)
		total = AddElapsed(total, entered, as_of);
	align_lead_read_end(&reader);
	PG_RETURN_DATUM(align_interval_datum(total));
}

/*
 * From the first entry into one stage to the first entry into the other at or
 * after that time.  This compares times, not the order of entries, which is
 * arbitrary among simultaneous entries (in many systems, those of one date).
 */
bool
align_lead_span(const struct varlena *lead, text *from_stage, text *to_stage,
				TimestampTz *from, TimestampTz *to)
{
	return FirstEntry(lead, from_stage, DT_NOBEGIN, from) &&
		FirstEntry(lead, to_stage, *from, to);
}

/*
 * time_between(lead, from_stage, to_stage)
 */
Datum
align_lead_time_between(PG_FUNCTION_ARGS)
{
	TimestampTz from,
				to;

	if (!align_lead_span(PG_GETARG_VARLENA_PP(0), PG_GETARG_TEXT_PP(1), PG_GETARG_TEXT_PP(2),
						 &from, &to))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(align_interval_datum(align_lead_elapsed(from, to)));
}

/*
 * path(lead): the stages in order, without entries into the current stage
 */
Datum
align_lead_path(PG_FUNCTION_ARGS)
{
	LeadReader	reader;
	LeadEntry	entry;
	Datum	   *texts;
	Datum	   *stages;
	int			nstages = 0;
	int			last = -1;

	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	/* a journey may repeat a stage often: make each text value once */
	texts = MemoryContextAllocHuge(CurrentMemoryContext, (Size) reader.nstrings * sizeof(Datum));
	memset(texts, 0, (Size) reader.nstrings * sizeof(Datum));
	stages = MemoryContextAllocHuge(CurrentMemoryContext, (Size) reader.nentries * sizeof(Datum));
	while (align_lead_next(&reader, &entry))
	{
		if (entry.stage < 0 || entry.stage == last)
			continue;
		last = entry.stage;
		if (texts[last] == 0)
			texts[last] = align_lead_text_datum(reader.strings[last]);
		stages[nstages++] = texts[last];
	}
	align_lead_read_end(&reader);
	PG_RETURN_ARRAYTYPE_P(construct_array(stages, nstages, TEXTOID, -1, false, TYPALIGN_INT));
}
