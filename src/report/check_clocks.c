/*
 * check_clocks.c
 *	  Compares the clocks of a lead with those that follow from its history.
 *
 * All columns are compared except for the times of notifications, which do not
 * follow from the history.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/multirangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "report/check.h"

/*
 * A row of the clock table, as it is recorded or as it is expected.
 */
typedef struct ClockRow
{
	char	   *sla;
	int32		cycle;
	Datum	   *values;			/* by SlaColumn */
	bool	   *nulls;
} ClockRow;

static int
CompareRows(const void *left, const void *right)
{
	const ClockRow *a = (const ClockRow *) left;
	const ClockRow *b = (const ClockRow *) right;
	int			result = strcmp(a->sla, b->sla);

	return result != 0 ? result : (a->cycle > b->cycle) - (a->cycle < b->cycle);
}

/*
 * Sets the time by which each entry is ordered in a replay: effective_at, of
 * an owner entry not after the next stage entry in order of the same life.
 */
static void
SetReplayTimes(RecordedHistory *history)
{
	TimestampTz next = DT_NOEND;

	for (int i = history->nentries - 1; i >= 0; i--)
	{
		RecordedEntry *entry = &history->entries[i];

		if (i < history->nentries - 1 && entry->life != (entry + 1)->life)
			next = DT_NOEND;
		entry->at = entry->effective_at;
		if (entry->event == EVENT_OWNER)
			entry->at = Min(entry->at, next);
		else if (align_is_stage_event(entry->event) && !entry->merged && !entry->not_live &&
				 (entry->source == NULL || strcmp(entry->source, SOURCE_BACKFILL) != 0))
			next = Min(next, entry->effective_at);
	}
}

/*
 * Order of replay: by life, time and entry_no.
 */
static int
CompareEntries(const void *left, const void *right)
{
	const RecordedEntry *a = (const RecordedEntry *) left;
	const RecordedEntry *b = (const RecordedEntry *) right;

	if (a->life != b->life)
		return a->life < b->life ? -1 : 1;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->entry_no > b->entry_no) - (a->entry_no < b->entry_no);
}

/*
 * Sorts the history into the order of replay, and computes check->clocks from
 * it.
 */
static void
Replay(Check *check, RecordedHistory *history)
{
	bool		sorted = true;

	SetReplayTimes(history);
	for (int i = 1; i < history->nentries && sorted; i++)
		sorted = CompareEntries(&history->entries[i - 1], &history->entries[i]) <= 0;
	if (!sorted)
		qsort(history->entries, history->nentries, sizeof(RecordedEntry), CompareEntries);

	align_replay_reset(&check->clocks);
	for (int i = 0; i < history->nentries; i++)
	{
		const RecordedEntry *entry = &history->entries[i];
		ReplayEntry replay = {0};

		if (entry->event < 0)
			continue;
		replay.event = (HistoryEvent) entry->event;
		align_replay_set_source(&replay, align_lead_cstring(entry->source));
		replay.effective_at = entry->at;
		replay.recorded_at = entry->recorded_at;
		replay.stage = align_lead_cstring(entry->stage);
		replay.assignee = align_lead_cstring(entry->assignee);
		replay.agreement = align_lead_cstring(entry->agreement);
		replay.version = entry->version;
		replay.segments = entry->segments;
		align_replay_entry(&check->clocks, &replay);
	}
}

static ClockRow *
AllocateRows(int nrows)
{
	ClockRow   *rows = palloc(Max(nrows, 1) * sizeof(ClockRow));

	for (int i = 0; i < nrows; i++)
	{
		rows[i].values = palloc0(SLA_NCOLUMNS * sizeof(Datum));
		rows[i].nulls = palloc0(SLA_NCOLUMNS * sizeof(bool));
	}
	return rows;
}

/*
 * Returns the rows that follow from the history, by service level and cycle.
 */
static ClockRow *
ExpectedRows(const LeadClocks *clocks)
{
	ClockRow   *rows = AllocateRows(clocks->nclocks);

	for (int i = 0; i < clocks->nclocks; i++)
	{
		align_replay_store(&clocks->clocks[i], rows[i].values, rows[i].nulls);
		rows[i].sla = clocks->clocks[i].sla;
		rows[i].cycle = clocks->clocks[i].clock.cycle;
	}
	qsort(rows, clocks->nclocks, sizeof(ClockRow), CompareRows);
	return rows;
}

/*
 * Returns the rows of the clock table, by service level and cycle.
 */
static ClockRow *
RecordedRows(const Check *check, int nclocks, HeapTuple *tuples, TupleDesc desc)
{
	ClockRow   *rows = AllocateRows(nclocks);

	for (int i = 0; i < nclocks; i++)
	{
		for (int column = 0; column < SLA_NCOLUMNS; column++)
		{
			rows[i].values[column] = heap_getattr(tuples[i],
												  check->attachment->nkeys + 1 + column, desc,
												  &rows[i].nulls[column]);
			if (rows[i].nulls[column] && align_sla_columns[column].not_null)
				ereport(ERROR,
						(errcode(ERRCODE_DATA_CORRUPTED),
						 errmsg("column \"%s\" of table %s contains a null",
								align_sla_columns[column].name, check->attachment->sla_name)));
		}
		rows[i].sla = TextDatumGetCString(rows[i].values[SLA_SLA]);
		rows[i].cycle = DatumGetInt32(rows[i].values[SLA_CYCLE]);
	}
	qsort(rows, nclocks, sizeof(ClockRow), CompareRows);
	return rows;
}

static bool
SameValue(Oid type, Datum a, Datum b)
{
	switch (type)
	{
		case INT4OID:
			return DatumGetInt32(a) == DatumGetInt32(b);
		case TIMESTAMPTZOID:
			return DatumGetTimestampTz(a) == DatumGetTimestampTz(b);
		case TEXTOID:
			return DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, a, b));
		case INTERVALOID:
			return DatumGetBool(DirectFunctionCall2(interval_eq, a, b));
		case TSTZMULTIRANGEOID:
			return multirange_eq_internal(lookup_type_cache(type, TYPECACHE_MULTIRANGE_INFO)->rngtype,
										  DatumGetMultirangeTypeP(a), DatumGetMultirangeTypeP(b));
	}
	elog(ERROR, "unexpected type of clock table column: %u", type);
}

/*
 * Returns a column as text, as in "speed_to_lead 1: due_at 2026-03-02
 * 13:00:00+00".
 */
static char *
ColumnText(const ClockRow *row, SlaColumn column)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(align_sla_columns[column].type, &output, &is_varlena);
	return psprintf("%s %d: %s %s", row->sla, row->cycle, align_sla_columns[column].name,
					row->nulls[column] ? "none" : OidOutputFunctionCall(output, row->values[column]));
}

/*
 * Reports the columns in which two rows for the same cycle differ.
 */
static void
CompareClock(const Check *check, const ClockRow *recorded, const ClockRow *expected)
{
	for (int column = 0; column < SLA_NCOLUMNS; column++)
	{
		if (column == SLA_WARN_NOTIFIED_AT || column == SLA_DUE_NOTIFIED_AT)
			continue;
		if (recorded->nulls[column] && expected->nulls[column])
			continue;
		if (recorded->nulls[column] || expected->nulls[column] ||
			!SameValue(align_sla_columns[column].type, recorded->values[column],
					   expected->values[column]))
			align_check_report(check, "clock", ColumnText(recorded, column),
							   ColumnText(expected, column));
	}
}

static char *
CycleText(const ClockRow *row)
{
	return psprintf("%s %d", row->sla, row->cycle);
}

/*
 * Compares the clocks of one lead with those that follow from its history.
 */
void
align_check_clocks(Check *check, RecordedHistory *history, int nclocks, HeapTuple *clocks,
				   TupleDesc desc)
{
	ClockRow   *recorded = RecordedRows(check, nclocks, clocks, desc);
	ClockRow   *expected;
	int			nexpected;
	int			i = 0;
	int			j = 0;

	Replay(check, history);
	expected = ExpectedRows(&check->clocks);
	nexpected = check->clocks.nclocks;

	/* merge the two sorted lists */
	while (i < nclocks || j < nexpected)
	{
		int			order = i == nclocks ? 1 : j == nexpected ? -1 :
			CompareRows(&recorded[i], &expected[j]);

		if (order < 0)
			align_check_report(check, "extra_clock", CycleText(&recorded[i++]), NULL);
		else if (order > 0)
			align_check_report(check, "missing_clock", NULL, CycleText(&expected[j++]));
		else
			CompareClock(check, &recorded[i++], &expected[j++]);
	}
}
