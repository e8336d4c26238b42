/*
 * record_run.c
 *	  Who the changes of a run are about, and what is recorded of them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "enforce/record_run.h"

static LeadState *
FindLead(Run *run, Change *change)
{
	int		   *bucket = &run->buckets[change->hash & (run->nbuckets - 1)];
	LeadState  *lead;

	for (int i = *bucket; i >= 0; i = run->leads[i].next)
	{
		lead = &run->leads[i];
		if (lead->hash == change->hash &&
			align_same_key(run->attachment, lead->key, change->key))
			return lead;
	}
	lead = &run->leads[run->nleads];
	memset(lead, 0, sizeof(LeadState));
	lead->key = change->key;
	lead->hash = change->hash;
	lead->fresh = change->fresh;
	lead->latest = DT_NOBEGIN;
	lead->next = *bucket;
	*bucket = run->nleads++;
	return lead;
}

void
align_run_gather(Run *run)
{
	run->nbuckets = 1;
	while (run->nbuckets < run->nchanges)
		run->nbuckets *= 2;
	run->buckets = palloc(run->nbuckets * sizeof(int));
	for (int i = 0; i < run->nbuckets; i++)
		run->buckets[i] = -1;
	run->leads = palloc(run->nchanges * sizeof(LeadState));
	run->lead_of = palloc(run->nchanges * sizeof(LeadState *));
	run->all_fresh = true;
	for (int i = 0; i < run->nchanges; i++)
	{
		run->lead_of[i] = FindLead(run, run->changes[i]);
		run->all_fresh = run->all_fresh && run->lead_of[i]->fresh;
	}
}

Tuplestorestate *
align_run_keys(Run *run, bool (*wanted) (const LeadState *lead))
{
	Attachment *attachment = run->attachment;
	Datum		values[1 + ATTACHMENT_MAX_KEYS];
	bool		nulls[1 + ATTACHMENT_MAX_KEYS] = {false};
	TupleDesc	desc;
	Tuplestorestate *rows = align_recorder_rows(attachment, ROWS_KEYS, &desc);

	for (int i = 0; i < run->nleads; i++)
	{
		if (!wanted(&run->leads[i]))
			continue;
		values[0] = Int32GetDatum(i);
		memcpy(values + 1, run->leads[i].key, attachment->nkeys * sizeof(Datum));
		tuplestore_putvalues(rows, desc, values, nulls);
	}
	return rows;
}

static bool
NotFresh(const LeadState *lead)
{
	return !lead->fresh;
}

static bool
IsRecorded(const LeadState *lead)
{
	return lead->recorded;
}

LeadString
align_spi_text(uint64 row, int attnum)
{
	bool		isnull;
	Datum		value = SpiField(row, attnum, &isnull);

	return isnull ? align_lead_cstring(NULL) : align_lead_varlena(value);
}

static char *
CopyString(LeadString string)
{
	return string.text ? pnstrdup(string.text, string.len) : NULL;
}

/* Is a lead in the funnel after such an entry? */
bool
align_leaves_alive(int event, const char *stage, const char *source)
{
	return stage != NULL && event != EVENT_DELETED && event != EVENT_TRUNCATED &&
		!SaysNotLive(source);
}

/*
 * The last entry of a lead, however it was read.
 */
typedef struct LastEntry
{
	int32		entry_no;
	TimestampTz recorded_at;
	TimestampTz effective_at;
	TimestampTz latest;			/* effective_at of all entries of its life */
	LeadString	event;
	LeadString	stage;
	LeadString	team;
	LeadString	assignee;
	LeadString	source;
} LastEntry;

/*
 * Only a table that tells times of its own can have told one that lies behind
 * the last.
 */
static inline bool
WantsLatest(const Run *run)
{
	return run->attachment->column[ROW_CHANGED_AT] != 0;
}

static void
TakeLastEntry(Run *run, LeadState *lead, const LastEntry *last)
{
	int			event;

	lead->recorded = true;
	lead->entry_no = last->entry_no;
	lead->recorded_at = last->recorded_at;
	lead->latest = last->latest;
	lead->source = CopyString(last->source);
	lead->stage = CopyString(last->stage);
	lead->team = CopyString(last->team);
	event = align_history_event(last->event.text, last->event.len);
	lead->alive = align_leaves_alive(event, lead->stage, lead->source);
	/* after a backfill the last entry is not where the journey ends, nor need it
	 * end in the stage that one tells which only says who holds the lead, or that
	 * it has a new key */
	lead->recompute = last->latest > last->effective_at ||
		(WantsLatest(run) && !align_is_stage_event(event));
	if (align_ends_life(event, align_source_is_merged(last->source.text, last->source.len)))
	{
		lead->ended = true;
		lead->latest = DT_NOBEGIN;
		lead->recompute = false;
	}
	align_replay_begin(&lead->clocks, run->attachment->marker.agreement, run->context);
	align_replay_set_state(&lead->clocks, lead->alive, last->stage, last->assignee);
	lead->has_clocks = true;
}

static void
ReadLastBySql(Run *run)
{
	bool		with_latest = WantsLatest(run);
	Tuplestorestate *rows = align_run_keys(run, NotFresh);
	uint64		nrows = align_recorder_execute(run->attachment,
											   with_latest ? READ_LAST : READ_LAST_ONLY, rows);

	for (uint64 i = 0; i < nrows; i++)
	{
		bool		isnull;
		LeadState  *lead = &run->leads[DatumGetInt32(SpiField(i, LAST_N, &isnull))];
		LastEntry	last;

		last.entry_no = DatumGetInt32(SpiField(i, LAST_ENTRY_NO, &isnull));
		if (isnull)
			continue;
		last.recorded_at = DatumGetTimestampTz(SpiField(i, LAST_RECORDED_AT, &isnull));
		last.effective_at = DatumGetTimestampTz(SpiField(i, LAST_EFFECTIVE_AT, &isnull));
		last.latest = last.effective_at;
		if (with_latest)
		{
			last.latest = DatumGetTimestampTz(SpiField(i, LAST_LATEST, &isnull));
			if (isnull)
				last.latest = last.effective_at;
		}
		last.event = align_spi_text(i, LAST_EVENT);
		last.stage = align_spi_text(i, LAST_STAGE);
		last.team = align_spi_text(i, LAST_TEAM);
		last.assignee = align_spi_text(i, LAST_ASSIGNEE);
		last.source = align_spi_text(i, LAST_SOURCE);
		TakeLastEntry(run, lead, &last);
	}
	SPI_freetuptable(SPI_tuptable);
	tuplestore_end(rows);
}

static Datum
DirectField(const DirectTable *table, HeapTuple tuple, int column, bool *isnull)
{
	return heap_getattr(tuple, table->layout->own[column], RelationGetDescr(table->rel), isnull);
}

static LeadString
DirectText(const DirectTable *table, HeapTuple tuple, int column)
{
	bool		isnull;
	Datum		value = DirectField(table, tuple, column, &isnull);

	return isnull ? align_lead_cstring(NULL) : align_lead_varlena(value);
}

static void
ReadLastDirectly(Run *run, LeadState *lead)
{
	DirectTable *table = &run->direct->history;
	SysScanDesc scan = align_direct_scan(run->direct, table, lead->key);
	HeapTuple	tuple = align_direct_next(scan);
	LastEntry	last;
	bool		isnull;

	if (tuple == NULL)
	{
		align_direct_end_scan(scan);
		return;
	}
	last.entry_no = DatumGetInt32(DirectField(table, tuple, HISTORY_ENTRY_NO, &isnull));
	last.recorded_at = DatumGetTimestampTz(DirectField(table, tuple, HISTORY_RECORDED_AT, &isnull));
	last.effective_at = DatumGetTimestampTz(DirectField(table, tuple, HISTORY_EFFECTIVE_AT, &isnull));
	last.latest = last.effective_at;
	last.event = DirectText(table, tuple, HISTORY_EVENT);
	last.stage = DirectText(table, tuple, HISTORY_STAGE);
	last.team = DirectText(table, tuple, HISTORY_TEAM);
	last.assignee = DirectText(table, tuple, HISTORY_ASSIGNEE);
	last.source = DirectText(table, tuple, HISTORY_SOURCE);
	TakeLastEntry(run, lead, &last);	/* copies the strings */

	/* back to the beginning of its life, if it is not over */
	while (WantsLatest(run) && lead->latest != DT_NOBEGIN &&
		   (tuple = align_direct_next(scan)) != NULL)
	{
		LeadString	event = DirectText(table, tuple, HISTORY_EVENT);
		LeadString	source = DirectText(table, tuple, HISTORY_SOURCE);
		TimestampTz effective_at =
			DatumGetTimestampTz(DirectField(table, tuple, HISTORY_EFFECTIVE_AT, &isnull));

		if (align_ends_life(align_history_event(event.text, event.len),
							align_source_is_merged(source.text, source.len)))
			break;
		lead->latest = Max(lead->latest, effective_at);
		lead->recompute |= lead->latest > last.effective_at;
	}
	align_direct_end_scan(scan);
}

void
align_run_read_last(Run *run)
{
	if (run->direct == NULL)
	{
		ReadLastBySql(run);
		return;
	}
	align_direct_refresh(run->direct);
	for (int i = 0; i < run->nleads; i++)
	{
		if (!run->leads[i].fresh)
			ReadLastDirectly(run, &run->leads[i]);
	}
}

static void
ReadClocksBySql(Run *run)
{
	AttrNumber	columns[SLA_NCOLUMNS];
	uint64		nrows;
	Tuplestorestate *rows = align_run_keys(run, IsRecorded);

	for (int i = 0; i < SLA_NCOLUMNS; i++)
		columns[i] = i + 2;
	if (tuplestore_tuple_count(rows) > 0)
	{
		nrows = align_recorder_execute(run->attachment, READ_CLOCKS, rows);
		for (uint64 i = 0; i < nrows; i++)
		{
			bool		isnull;
			LeadState  *lead = &run->leads[DatumGetInt32(SpiField(i, 1, &isnull))];

			align_replay_load(&lead->clocks, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, columns);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	tuplestore_end(rows);
}

void
align_run_read_clocks(Run *run)
{
	if (run->direct == NULL)
	{
		ReadClocksBySql(run);
		return;
	}
	for (int i = 0; i < run->nleads; i++)
	{
		DirectTable *table = &run->direct->sla;
		SysScanDesc scan;
		HeapTuple	tuple;

		if (!run->leads[i].recorded)
			continue;
		scan = align_direct_scan(run->direct, table, run->leads[i].key);
		while ((tuple = align_direct_next(scan)) != NULL)
			align_replay_load(&run->leads[i].clocks, tuple, RelationGetDescr(table->rel),
							  table->layout->own);
		align_direct_end_scan(scan);
	}
}
