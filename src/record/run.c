/*
 * run.c
 *	  Groups the changes of a run by lead, and reads what is recorded of them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "attachment/key.h"
#include "attachment/may_read.h"
#include "record/run.h"
#include "record/writer.h"
#include "time_text.h"

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
	lead->command = InvalidCommandId;
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
	run->nleads = 0;
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
IsNotFresh(const LeadState *lead)
{
	return !lead->fresh;
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

bool
align_leaves_alive(int event, const char *stage, const char *source)
{
	return stage != NULL && event != EVENT_DELETED && event != EVENT_TRUNCATED &&
		!SaysNotLive(source);
}

/*
 * The last entry of a lead, however it was read.
 *
 * latest and in_order matter only for tables whose rows say when a change happened.
 * The journey of a lead is its stage entries by effective_at.  in_order: it ends
 * where the last entry says, because no entry since the last stage entry that was in
 * order was dated back.
 */
typedef struct LastEntry
{
	int32		entry_no;
	TimestampTz recorded_at;
	TimestampTz effective_at;
	TimestampTz latest;			/* greatest effective_at of its life */
	bool		in_order;
	LeadString	event;
	LeadString	stage;
	LeadString	team;
	LeadString	assignee;
	LeadString	source;
} LastEntry;

/* Do the rows say when a change happened? */
static inline bool
HasTimes(const Run *run)
{
	return run->attachment->column[ROW_CHANGED_AT] != 0;
}

static void
BeginClocks(Run *run, LeadState *lead, LeadString stage, LeadString assignee)
{
	align_replay_begin(&lead->clocks, run->attachment->marker.agreement, run->context);
	align_replay_set_state(&lead->clocks, lead->alive, stage, assignee);
	lead->has_clocks = true;
}

/*
 * A clock that was read.  A lead without entries has clocks where partitions of the
 * history were dropped: numbers of cycles go on after these, and if one is open the
 * lead is in a stage that is not known.
 */
static void
AddClock(Run *run, LeadState *lead, HeapTuple tuple, TupleDesc desc, const AttrNumber *columns)
{
	const LeadClocks *clocks = &lead->clocks;

	if (!lead->has_clocks)
		BeginClocks(run, lead, align_lead_cstring(NULL), align_lead_cstring(NULL));
	align_replay_load(&lead->clocks, tuple, desc, columns);
	if (!lead->recorded && !clocks->clocks[clocks->nclocks - 1].clock.closed)
		lead->alive = lead->clocks.alive = true;
}

static void
SetLastEntry(Run *run, LeadState *lead, const LastEntry *last)
{
	int			event = align_history_event(last->event.text, last->event.len);

	lead->recorded = true;
	lead->entry_no = last->entry_no;
	lead->recorded_at = last->recorded_at;
	lead->latest = last->latest;
	lead->source = CopyString(last->source);
	lead->stage = CopyString(last->stage);
	lead->team = CopyString(last->team);
	lead->assignee = CopyString(last->assignee);
	lead->alive = align_leaves_alive(event, lead->stage, lead->source);
	lead->recompute = !last->in_order;
	if (align_ends_life(event, align_source_is_merged(last->source.text, last->source.len)))
	{
		lead->ended = true;
		lead->latest = DT_NOBEGIN;
		lead->recompute = false;
	}
	BeginClocks(run, lead, last->stage, last->assignee);
}

/*
 * One row per clock of a lead, or one without a clock; the columns of the last entry
 * are repeated.
 */
static void
ReadBySql(Run *run)
{
	Tuplestorestate *rows = align_run_keys(run, IsNotFresh);
	bool		with_times = HasTimes(run);
	RecorderStatement statement = with_times ? READ_LEADS_WITH_TIMES : READ_LEADS;
	uint64		nrows = align_recorder_execute(run->attachment, statement, rows, NULL, NULL);
	AttrNumber	clock_columns[SLA_NCOLUMNS];

	for (int i = 0; i < SLA_NCOLUMNS; i++)
		clock_columns[i] = LEAD_CLOCK + i;
	for (uint64 i = 0; i < nrows; i++)
	{
		bool		isnull;
		LeadState  *lead = &run->leads[DatumGetInt32(SpiField(i, LEAD_N, &isnull))];
		LastEntry	last;

		last.entry_no = DatumGetInt32(SpiField(i, LEAD_ENTRY_NO, &isnull));
		if (!isnull && !lead->recorded)
		{
			last.recorded_at = DatumGetTimestampTz(SpiField(i, LEAD_RECORDED_AT, &isnull));
			last.effective_at = DatumGetTimestampTz(SpiField(i, LEAD_EFFECTIVE_AT, &isnull));
			last.latest = DatumGetTimestampTz(SpiField(i, LEAD_LATEST, &isnull));
			last.latest = isnull ? last.effective_at : Max(last.latest, last.effective_at);
			last.in_order = DatumGetBool(SpiField(i, LEAD_IN_ORDER, &isnull));
			last.event = align_spi_text(i, LEAD_EVENT);
			last.stage = align_spi_text(i, LEAD_STAGE);
			last.team = align_spi_text(i, LEAD_TEAM);
			last.assignee = align_spi_text(i, LEAD_ASSIGNEE);
			last.source = align_spi_text(i, LEAD_SOURCE);
			SetLastEntry(run, lead, &last);
		}
		(void) SpiField(i, LEAD_CLOCK, &isnull);
		if (!isnull)
			AddClock(run, lead, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, clock_columns);
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

static TimestampTz
DirectTime(const DirectTable *table, HeapTuple tuple, int column)
{
	bool		isnull;

	return DatumGetTimestampTz(DirectField(table, tuple, column, &isnull));
}

/*
 * Goes back from the last entry of a lead to the last stage entry that was in order.
 * Entries in order have ascending times, so the greatest time of a life is that of
 * the last such entry, or of one that was dated back after it.  Merged entries keep
 * their own times; the entry that records the merge is later than all of them.
 */
static void
ReadTimes(const DirectTable *table, SysScanDesc scan, HeapTuple tuple, LastEntry *last)
{
	bool		first = true;

	do
	{
		LeadString	event_name = DirectText(table, tuple, HISTORY_EVENT);
		LeadString	source = DirectText(table, tuple, HISTORY_SOURCE);
		int			event = align_history_event(event_name.text, event_name.len);
		bool		merged = align_source_is_merged(source.text, source.len);

		if (!first && align_ends_life(event, merged))
			break;
		first = false;
		if (merged)
			continue;
		last->latest = Max(last->latest, DirectTime(table, tuple, HISTORY_EFFECTIVE_AT));
		if (align_source_is_backfill(source.text, source.len))
			last->in_order = false;
		else if (align_is_stage_event(event) && !align_source_is_not_live(source.text, source.len))
			break;
	} while ((tuple = align_direct_next(scan)) != NULL);
}

static void
ReadLastDirectly(Run *run, LeadState *lead)
{
	DirectTable *table = &run->direct->history;
	SysScanDesc scan = align_direct_scan(run->direct, table, lead->key, NULL);
	HeapTuple	tuple = align_direct_next(scan);
	LastEntry	last;
	bool		isnull;

	if (tuple != NULL)
	{
		last.entry_no = DatumGetInt32(DirectField(table, tuple, HISTORY_ENTRY_NO, &isnull));
		last.recorded_at = DirectTime(table, tuple, HISTORY_RECORDED_AT);
		last.effective_at = DirectTime(table, tuple, HISTORY_EFFECTIVE_AT);
		last.latest = last.effective_at;
		last.in_order = true;
		last.event = DirectText(table, tuple, HISTORY_EVENT);
		last.stage = DirectText(table, tuple, HISTORY_STAGE);
		last.team = DirectText(table, tuple, HISTORY_TEAM);
		last.assignee = DirectText(table, tuple, HISTORY_ASSIGNEE);
		last.source = DirectText(table, tuple, HISTORY_SOURCE);
		SetLastEntry(run, lead, &last); /* copies the strings */
		if (HasTimes(run) && !lead->ended)
		{
			ReadTimes(table, scan, tuple, &last);
			lead->latest = last.latest;
			lead->recompute = !last.in_order;
		}
	}
	align_direct_end_scan(scan);
}

/*
 * Of each service level the clock of the highest cycle, whatever the number of past
 * cycles: one look into the index per service level, from the last one back.
 */
static void
ReadClocksDirectly(Run *run, LeadState *lead)
{
	DirectTable *table = &run->direct->sla;
	Datum		before = (Datum) 0;
	bool		found;

	do
	{
		SysScanDesc scan = align_direct_scan(run->direct, table, lead->key,
											 before != (Datum) 0 ? &before : NULL);
		HeapTuple	tuple = align_direct_next(scan);
		bool		isnull;

		found = tuple != NULL;
		if (found)
		{
			AddClock(run, lead, tuple, RelationGetDescr(table->rel), table->layout->own);
			before = PointerGetDatum(PG_DETOAST_DATUM_COPY(DirectField(table, tuple, SLA_SLA,
																	   &isnull)));
		}
		align_direct_end_scan(scan);
	} while (found);
}

void
align_run_read(Run *run)
{
	if (run->direct == NULL)
	{
		ReadBySql(run);
		return;
	}
	align_direct_refresh(run->direct);
	for (int i = 0; i < run->nleads; i++)
	{
		LeadState  *lead = &run->leads[i];

		if (lead->fresh)
			continue;
		ReadLastDirectly(run, lead);
		ReadClocksDirectly(run, lead);
	}
}

/*
 * A clock that can never be due would be missing from every report, so the change
 * that would start it is refused.  The key is shown only to a role that may read it.
 */
static void
FailClock(const Run *run, const LeadState *lead)
{
	const Attachment *attachment = run->attachment;
	const ClockFailure *failure = &lead->clocks.failure;
	bool		show_key = align_may_read_key(attachment, align_recorder_caller());

	ereport(ERROR,
			(errcode(align_clock_problem_sqlstate(failure->problem)),
			 errmsg("service level \"%s\" of agreement \"%s\" cannot %s for lead%s%s at %s: %s",
					failure->sla, failure->agreement, failure->at_start ? "start" : "resume",
					show_key ? " " : "",
					show_key ? align_key_text(attachment, lead->key) : "",
					align_time_text(failure->at), align_clock_problem_text(failure->problem)),
			 errdetail("The clock runs under version %d of the agreement.", failure->version),
			 failure->at_start && failure->problem != CLOCK_OUT_OF_RANGE ?
			 errhint("Agree on a version whose team has working hours then.") : 0));
}

void
align_run_replay(const Run *run, LeadState *lead, const ReplayEntry *entry)
{
	if (!align_replay_entry(&lead->clocks, entry))
		FailClock(run, lead);
}
