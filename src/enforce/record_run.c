/*
 * record_run.c
 *	  Who the changes of a run are about, and what is recorded of them.
 */
#include "postgres.h"

#include "utils/builtins.h"
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
			align_pending_same_key(run->attachment, lead->key, change->key))
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
	text	   *string;

	if (isnull)
		return (LeadString) {NULL, 0};
	string = DatumGetTextPP(value);
	return (LeadString) {VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string)};
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
		(source == NULL || strcmp(source, SOURCE_NOT_LIVE) != 0);
}

void
align_run_read_last(Run *run)
{
	bool		with_latest = run->attachment->column[ROW_CHANGED_AT] != 0;
	uint64		nrows;
	Tuplestorestate *rows = align_run_keys(run, NotFresh);

	nrows = align_recorder_execute(run->attachment, with_latest ? READ_LAST : READ_LAST_ONLY, rows);
	for (uint64 i = 0; i < nrows; i++)
	{
		bool		isnull;
		LeadState  *lead = &run->leads[DatumGetInt32(SpiField(i, LAST_N, &isnull))];
		Datum		entry_no = SpiField(i, LAST_ENTRY_NO, &isnull);
		LeadString	stage;
		LeadString	event;

		if (isnull)
			continue;
		lead->recorded = true;
		lead->entry_no = DatumGetInt32(entry_no);
		lead->recorded_at = DatumGetTimestampTz(SpiField(i, LAST_RECORDED_AT, &isnull));
		lead->latest = DatumGetTimestampTz(SpiField(i, LAST_EFFECTIVE_AT, &isnull));
		if (with_latest)
		{
			TimestampTz latest = DatumGetTimestampTz(SpiField(i, LAST_LATEST, &isnull));

			/* after a backfill the last entry is not where the journey ends */
			lead->recompute = latest > lead->latest;
			lead->latest = latest;
		}
		stage = align_spi_text(i, LAST_STAGE);
		lead->source = CopyString(align_spi_text(i, LAST_SOURCE));
		event = align_spi_text(i, LAST_EVENT);
		lead->stage = CopyString(stage);
		lead->team = CopyString(align_spi_text(i, LAST_TEAM));
		lead->alive = align_leaves_alive(align_history_event(event.text, event.len), stage.text,
								  lead->source);
		align_replay_begin(&lead->clocks, run->attachment->marker.agreement, run->context);
		align_replay_set_state(&lead->clocks, lead->alive, stage, align_spi_text(i, LAST_ASSIGNEE));
		lead->has_clocks = true;
	}
	SPI_freetuptable(SPI_tuptable);
	tuplestore_end(rows);
}

void
align_run_read_clocks(Run *run)
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

