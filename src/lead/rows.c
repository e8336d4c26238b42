/*
 * rows.c
 *	  Functions of one lead that return rows: entries, their segments,
 *	  touches, transitions.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/timestamp.h"

#include "lead/lead.h"
#include "lead/values.h"

PG_FUNCTION_INFO_V1(align_lead_entries);
PG_FUNCTION_INFO_V1(align_lead_entry_segments);
PG_FUNCTION_INFO_V1(align_lead_touches);
PG_FUNCTION_INFO_V1(align_lead_transitions);

#define MAX_COLUMNS 9

/*
 * An output row, filled column by column.
 */
typedef struct Row
{
	ReturnSetInfo *result;
	MemoryContext context;		/* reset after every row */
	MemoryContext caller;
	int			ncolumns;
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS];
} Row;

static void
RowsBegin(Row *row, FunctionCallInfo fcinfo)
{
	align_begin_rows(fcinfo);
	row->result = (ReturnSetInfo *) fcinfo->resultinfo;
	row->context = AllocSetContextCreate(CurrentMemoryContext, "align lead rows",
										 ALLOCSET_SMALL_SIZES);
	row->ncolumns = 0;
	row->caller = MemoryContextSwitchTo(row->context);
}

static void
RowsEnd(Row *row)
{
	MemoryContextSwitchTo(row->caller);
	MemoryContextDelete(row->context);
}

static void
Put(Row *row, Datum value)
{
	Assert(row->ncolumns < MAX_COLUMNS);
	row->values[row->ncolumns] = value;
	row->nulls[row->ncolumns++] = false;
}

static void
PutNull(Row *row)
{
	Assert(row->ncolumns < MAX_COLUMNS);
	row->values[row->ncolumns] = (Datum) 0;
	row->nulls[row->ncolumns++] = true;
}

static void
PutText(Row *row, const LeadReader *reader, int string)
{
	if (string < 0)
		PutNull(row);
	else
		Put(row, align_lead_text_datum(reader->strings[string]));
}

static void
PutAmount(Row *row, const LeadReader *reader, int string)
{
	if (string < 0)
		PutNull(row);
	else
		Put(row, align_amount_numeric(reader->strings[string]));
}

static void
FinishRow(Row *row)
{
	Assert(row->ncolumns == row->result->setDesc->natts);
	tuplestore_putvalues(row->result->setResult, row->result->setDesc, row->values, row->nulls);
	row->ncolumns = 0;
	MemoryContextReset(row->context);
}

/*
 * entries(lead)
 */
Datum
align_lead_entries(PG_FUNCTION_ARGS)
{
	LeadReader	reader;
	LeadEntry	entry;
	Row			row;

	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	RowsBegin(&row, fcinfo);
	while (align_lead_next(&reader, &entry))
	{
		Put(&row, Int32GetDatum(reader.next));
		Put(&row, TimestampTzGetDatum(entry.at));
		PutText(&row, &reader, entry.stage);
		PutText(&row, &reader, entry.team);
		PutText(&row, &reader, entry.reason);
		PutText(&row, &reader, entry.campaign);
		PutAmount(&row, &reader, entry.amount);
		if (entry.ordinal != 0)
			Put(&row, Int64GetDatum(entry.ordinal));
		else
			PutNull(&row);
		if (entry.version != 0)
			Put(&row, Int32GetDatum(entry.version));
		else
			PutNull(&row);
		FinishRow(&row);
	}
	RowsEnd(&row);
	align_lead_read_end(&reader);
	return (Datum) 0;
}

/*
 * entry_segments(lead): the entries that have segments
 */
Datum
align_lead_entry_segments(PG_FUNCTION_ARGS)
{
	LeadReader	reader;
	LeadEntry	entry;
	Row			row;

	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	RowsBegin(&row, fcinfo);
	while (align_lead_next(&reader, &entry))
	{
		if (entry.segments < 0)
			continue;
		Put(&row, Int32GetDatum(reader.next));
		Put(&row, TimestampTzGetDatum(entry.at));
		PutText(&row, &reader, entry.stage);
		Put(&row, align_segments_array(reader.strings[entry.segments]));
		FinishRow(&row);
	}
	RowsEnd(&row);
	align_lead_read_end(&reader);
	return (Datum) 0;
}

/*
 * touches(lead): the entries that have a campaign and no stage
 */
Datum
align_lead_touches(PG_FUNCTION_ARGS)
{
	LeadReader	reader;
	LeadEntry	entry;
	Row			row;
	int			touch = 0;

	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	RowsBegin(&row, fcinfo);
	while (align_lead_next(&reader, &entry))
	{
		if (entry.stage >= 0)
			continue;
		Put(&row, Int32GetDatum(++touch));
		Put(&row, TimestampTzGetDatum(entry.at));
		PutText(&row, &reader, entry.campaign);
		PutAmount(&row, &reader, entry.amount);
		FinishRow(&row);
	}
	RowsEnd(&row);
	align_lead_read_end(&reader);
	return (Datum) 0;
}

/*
 * transitions(lead): the moves from one stage to another
 */
Datum
align_lead_transitions(PG_FUNCTION_ARGS)
{
	LeadReader	reader;
	LeadEntry	entry;
	Row			row;
	int			transition = 0;
	int			from = -1;
	TimestampTz from_at = 0;

	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	RowsBegin(&row, fcinfo);
	while (align_lead_next(&reader, &entry))
	{
		if (entry.stage < 0 || entry.stage == from)
			continue;
		/* the entry into the funnel is not a move */
		if (from >= 0)
		{
			Put(&row, Int32GetDatum(++transition));
			PutText(&row, &reader, from);
			PutText(&row, &reader, entry.stage);
			Put(&row, TimestampTzGetDatum(from_at));
			Put(&row, TimestampTzGetDatum(entry.at));
			Put(&row, align_interval_datum(align_lead_elapsed(from_at, entry.at)));
			PutText(&row, &reader, entry.team);
			PutText(&row, &reader, entry.reason);
			FinishRow(&row);
		}
		from = entry.stage;
		from_at = entry.at;
	}
	RowsEnd(&row);
	align_lead_read_end(&reader);
	return (Datum) 0;
}
