/*
 * run.c
 *	  Groups the changes of a run by lead, and reads last entries and clocks.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "attachment/key.h"
#include "attachment/may_read.h"
#include "record/run.h"
#include "record/writer.h"
#include "time_text.h"

/*
 * Returns the lead of a change; adds it to the run if it is the first of that
 * lead.
 */
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
	lead->new_lead = change->new_lead;
	lead->latest = lead->latest_stage = DT_NOBEGIN;
	lead->last_command = InvalidCommandId;
	lead->next = *bucket;
	*bucket = run->nleads++;
	return lead;
}

/*
 * Groups the changes of a run by lead.
 */
void
align_run_group(Run *run)
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
	run->all_new = true;
	for (int i = 0; i < run->nchanges; i++)
	{
		run->lead_of[i] = FindLead(run, run->changes[i]);
		run->all_new = run->all_new && run->lead_of[i]->new_lead;
	}
}

/*
 * Returns the keys of the wanted leads, as rows for a statement.
 */
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
IsNotNew(const LeadState *lead)
{
	return !lead->new_lead;
}

/*
 * Returns a text field of the current result of SPI.
 */
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

/*
 * True if a lead is in the funnel after such an entry.
 */
bool
align_alive_after(int event, const char *stage, const char *source)
{
	return stage != NULL && event != EVENT_DELETED && event != EVENT_TRUNCATED &&
		!SourceIsNotLive(source);
}

/*
 * The last entry of a lead (the one with the highest entry_no), as it was
 * read.
 *
 * The journey of a lead is its stage entries in order of effective_at.  A
 * stage entry is "in order" unless its source is 'backfill': a version before
 * 0.4 has recorded it although its effective_at is less than that of an
 * earlier entry. As long as there are such entries since the last stage entry
 * in order, the last entry need not be the end of the journey, and the clocks
 * must be computed from all entries.
 */
typedef struct LastEntry
{
	int32		entry_no;
	TimestampTz recorded_at;
	TimestampTz effective_at;
	TimestampTz latest;			/* as in LeadState */
	TimestampTz latest_stage;	/* likewise */
	bool		in_order;		/* no backfill since the last stage entry in
								 * order */
	LeadString	event;
	LeadString	stage;
	LeadString	team;
	LeadString	assignee;
	LeadString	source;
	LeadString	agreement;
	int32		version;		/* 0 if null */
} LastEntry;

/*
 * True if rows have the time of changes or openings.  If not, the last entry
 * of a lead is the latest.
 */
static inline bool
HasTimes(const Run *run)
{
	return align_has_role(run->attachment, ROW_CHANGED_AT) ||
		align_has_role(run->attachment, ROW_OPENED_AT);
}

/*
 * Sets up the clocks of a lead, which is in a stage and with an assignee.
 */
static void
BeginClocks(Run *run, LeadState *lead, LeadString stage, LeadString assignee)
{
	align_replay_begin(&lead->clocks, run->attachment->marker.agreement, run->context);
	align_replay_set_state(&lead->clocks, lead->alive, stage, assignee);
	lead->has_clocks = true;
}

/*
 * Adds a row of the clock table to the clocks of a lead.
 *
 * A lead may have clocks but no entries, if partitions of the history were
 * dropped.  New cycles are numbered after these clocks, and if one is open,
 * the lead is in an unknown stage.
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

/*
 * Sets the version that judged the last entry of a lead, nearly always one of
 * the agreement of today.
 */
static void
SetJudgedBy(const Run *run, LeadState *lead, const LastEntry *last)
{
	const char *agreement = run->attachment->marker.agreement;

	if (last->agreement.text != NULL &&
		!align_lead_same(last->agreement, align_lead_cstring(agreement)))
		agreement = CopyString(last->agreement);
	lead->judged_by.agreement = agreement;
	lead->judged_by.version = last->version;
}

/*
 * Sets the state of a lead from its last entry.  Strings are copied.
 */
static void
SetLastEntry(Run *run, LeadState *lead, const LastEntry *last)
{
	int			event = align_history_event(last->event.text, last->event.len);

	lead->recorded = true;
	lead->entry_no = last->entry_no;
	lead->recorded_at = last->recorded_at;
	lead->latest = last->latest;
	lead->latest_stage = last->latest_stage;
	lead->source = CopyString(last->source);
	lead->stage = CopyString(last->stage);
	lead->team = CopyString(last->team);
	lead->assignee = CopyString(last->assignee);
	SetJudgedBy(run, lead, last);
	lead->alive = align_alive_after(event, lead->stage, lead->source);
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
 * Sets a time from a field of the result of a statement, unless that is null.
 */
static void
SetTime(TimestampTz *time, uint64 row, int attnum)
{
	bool		isnull;
	Datum		value = SpiField(row, attnum, &isnull);

	if (!isnull)
		*time = DatumGetTimestampTz(value);
}

/*
 * Reads last entries and clocks of all leads by a statement.  It returns a row
 * for each clock of a lead, or one row with nulls if there is none; the
 * columns of the last entry are repeated in each.
 */
static void
ReadBySql(Run *run)
{
	Tuplestorestate *rows = align_run_keys(run, IsNotNew);
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
		Datum		version;

		/* the columns of the last entry: null if there is none */
		last.entry_no = DatumGetInt32(SpiField(i, LEAD_ENTRY_NO, &isnull));
		if (!isnull && !lead->recorded)
		{
			last.recorded_at = DatumGetTimestampTz(SpiField(i, LEAD_RECORDED_AT, &isnull));
			last.effective_at = DatumGetTimestampTz(SpiField(i, LEAD_EFFECTIVE_AT, &isnull));
			last.latest = last.latest_stage = with_times ? DT_NOBEGIN : last.effective_at;
			SetTime(&last.latest, i, LEAD_LATEST);
			SetTime(&last.latest_stage, i, LEAD_LATEST_STAGE);
			last.in_order = DatumGetBool(SpiField(i, LEAD_IN_ORDER, &isnull));
			last.event = align_spi_text(i, LEAD_EVENT);
			last.stage = align_spi_text(i, LEAD_STAGE);
			last.team = align_spi_text(i, LEAD_TEAM);
			last.assignee = align_spi_text(i, LEAD_ASSIGNEE);
			last.source = align_spi_text(i, LEAD_SOURCE);
			last.agreement = align_spi_text(i, LEAD_AGREEMENT);
			version = SpiField(i, LEAD_VERSION, &isnull);
			last.version = isnull ? 0 : DatumGetInt32(version);
			SetLastEntry(run, lead, &last);
		}
		(void) SpiField(i, LEAD_CLOCK, &isnull);
		if (!isnull)
			AddClock(run, lead, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, clock_columns);
	}
	SPI_freetuptable(SPI_tuptable);
	tuplestore_end(rows);
}

static TimestampTz
DirectTime(const DirectTable *table, HeapTuple tuple, int column)
{
	bool		isnull;

	return DatumGetTimestampTz(DirectField(table, tuple, column, &isnull));
}

/*
 * Sets latest, latest_stage and in_order of a last entry, whose row is the
 * first of a backward scan.
 *
 * The scan goes back to the last stage entry in order.  Older entries need not
 * be read: that entry is not earlier than older stage entries, and follows
 * older owner entries in the order of replay.  Entries that were merged from
 * another lead keep their own times.
 */
static void
ReadTimes(const DirectTable *table, SysScanDesc scan, HeapTuple tuple, LastEntry *last)
{
	bool		this_life = true;

	last->latest = last->latest_stage = DT_NOBEGIN;
	do
	{
		LeadString	event_name = DirectText(table, tuple, HISTORY_EVENT);
		LeadString	source = DirectText(table, tuple, HISTORY_SOURCE);
		TimestampTz effective_at = DirectTime(table, tuple, HISTORY_EFFECTIVE_AT);
		int			event = align_history_event(event_name.text, event_name.len);
		bool		merged = align_source_is_merged(source.text, source.len);
		bool		enters = align_is_stage_event(event) &&
			!align_source_is_not_live(source.text, source.len);
		bool		backfill = align_source_is_backfill(source.text, source.len);

		CHECK_FOR_INTERRUPTS();
		if (align_ends_life(event, merged))
			this_life = false;
		if (enters)
			last->latest_stage = Max(last->latest_stage, effective_at);
		if (this_life && (enters || (event == EVENT_OWNER && !merged)))
			last->latest = Max(last->latest, effective_at);
		if (this_life && backfill)
			last->in_order = false;
		if (enters && !merged && !backfill)
			break;
	} while ((tuple = align_direct_next(scan)) != NULL);
}

/*
 * Reads the last entry of a lead through the index on key and entry_no.
 */
static void
ReadLastDirectly(Run *run, LeadState *lead)
{
	DirectTable *table = &run->direct->history;
	SysScanDesc scan = align_direct_scan(run->direct, table, lead->key, NULL);
	HeapTuple	tuple = align_direct_next(scan);
	LastEntry	last;
	Datum		version;
	bool		isnull;

	if (tuple != NULL)
	{
		last.entry_no = DatumGetInt32(DirectField(table, tuple, HISTORY_ENTRY_NO, &isnull));
		last.recorded_at = DirectTime(table, tuple, HISTORY_RECORDED_AT);
		last.effective_at = DirectTime(table, tuple, HISTORY_EFFECTIVE_AT);
		last.latest = last.latest_stage = last.effective_at;
		last.in_order = true;
		last.event = DirectText(table, tuple, HISTORY_EVENT);
		last.stage = DirectText(table, tuple, HISTORY_STAGE);
		last.team = DirectText(table, tuple, HISTORY_TEAM);
		last.assignee = DirectText(table, tuple, HISTORY_ASSIGNEE);
		last.source = DirectText(table, tuple, HISTORY_SOURCE);
		last.agreement = DirectText(table, tuple, HISTORY_AGREEMENT);
		version = DirectField(table, tuple, HISTORY_VERSION, &isnull);
		last.version = isnull ? 0 : DatumGetInt32(version);
		SetLastEntry(run, lead, &last); /* copies the strings */
		if (HasTimes(run))
		{
			ReadTimes(table, scan, tuple, &last);
			lead->latest_stage = last.latest_stage;
			if (!lead->ended)
			{
				lead->latest = last.latest;
				lead->recompute = !last.in_order;
			}
		}
	}
	align_direct_end_scan(scan);
}

/*
 * Reads the clock of the highest cycle of each service level of a lead,
 * through the index on key, sla and cycle: first the last row of the key,
 * then, again and again, the last one with a smaller sla.  So past cycles cost
 * nothing.
 */
static void
ReadClocksDirectly(Run *run, LeadState *lead)
{
	DirectTable *table = &run->direct->sla;
	Datum		below = (Datum) 0;
	bool		found;

	do
	{
		SysScanDesc scan = align_direct_scan(run->direct, table, lead->key,
											 below != (Datum) 0 ? &below : NULL);
		HeapTuple	tuple = align_direct_next(scan);
		bool		isnull;

		found = tuple != NULL;
		if (found)
		{
			AddClock(run, lead, tuple, RelationGetDescr(table->rel), table->layout->own);
			below = PointerGetDatum(PG_DETOAST_DATUM_COPY(DirectField(table, tuple, SLA_SLA,
																	  &isnull)));
		}
		align_direct_end_scan(scan);
	} while (found);
}

/*
 * Reads the last entry and the clocks of all leads that are not new.
 */
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

		if (lead->new_lead)
			continue;
		ReadLastDirectly(run, lead);
		ReadClocksDirectly(run, lead);
	}
}

/*
 * Raises the error for a clock that cannot start or resume.  Without the
 * clock, the lead would be missing from every report on the service level, so
 * the change is refused.  The message has the key only if the caller may read
 * it.
 */
static void
ReportClockFailure(const Run *run, const LeadState *lead)
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

/*
 * Applies an entry to the clocks of a lead.
 */
void
align_run_replay(const Run *run, LeadState *lead, const ReplayEntry *entry)
{
	if (!align_replay_entry(&lead->clocks, entry))
		ReportClockFailure(run, lead);
}
