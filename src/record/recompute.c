/*
 * recompute.c
 *	  Computes the clocks of leads from all of their entries.
 *
 * The recorder does so for leads whose entries are not in order of
 * effective_at; other callers rebuild clocks after a merge or after a change
 * of the rules.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "attachment/key.h"
#include "attachment/key_sql.h"
#include "catalog/as_role.h"
#include "catalog/cursor.h"
#include "record/recompute.h"
#include "record/run.h"
#include "record/writer.h"

static bool
NeedsRecomputation(const LeadState *lead)
{
	return lead->recompute;
}

/*
 * True if the clocks of a lead of the run must be recomputed.
 */
static bool
AnyNeedsRecomputation(const Run *run)
{
	for (int i = 0; i < run->nleads; i++)
	{
		if (NeedsRecomputation(&run->leads[i]))
			return true;
	}
	return false;
}

/*
 * Applies the result of READ_ENTRIES to the clocks of the leads.
 */
static void
ReplayEntries(Run *run, uint64 nrows)
{
	for (uint64 i = 0; i < nrows; i++)
	{
		bool		isnull;
		LeadState  *lead = &run->leads[DatumGetInt32(SpiField(i, ENTRY_N, &isnull))];
		LeadString	event = align_spi_text(i, ENTRY_EVENT);
		LeadString	source = align_spi_text(i, ENTRY_SOURCE);
		Datum		version;
		Datum		segments;
		ReplayEntry entry;
		int			number = align_history_event(event.text, event.len);

		if (number < 0)
			continue;
		entry.event = (HistoryEvent) number;
		align_replay_set_source(&entry, source);
		entry.effective_at = DatumGetTimestampTz(SpiField(i, ENTRY_AT, &isnull));
		entry.recorded_at = DatumGetTimestampTz(SpiField(i, ENTRY_RECORDED_AT, &isnull));
		entry.stage = align_spi_text(i, ENTRY_STAGE);
		entry.assignee = align_spi_text(i, ENTRY_ASSIGNEE);
		entry.agreement = align_spi_text(i, ENTRY_AGREEMENT);
		version = SpiField(i, ENTRY_VERSION, &isnull);
		entry.version = isnull ? 0 : DatumGetInt32(version);
		segments = SpiField(i, ENTRY_SEGMENTS, &isnull);
		entry.segments = isnull ? align_lead_cstring(NULL) :
			align_segments_list(DatumGetArrayTypeP(segments));
		align_run_replay(run, lead, &entry);
	}
}

/*
 * Deletes the clocks of the leads, and returns an array of the old ones, by
 * lead.  The DELETE itself returns them, because notify_due() may announce one
 * just before.
 */
static LeadClocks *
DropClocks(Run *run, Tuplestorestate *keys)
{
	LeadClocks *result = palloc(run->nleads * sizeof(LeadClocks));
	AttrNumber	columns[SLA_NCOLUMNS];
	uint64		nrows;
	int64		ndropped = 0;
	int64		total = 0;

	for (int i = 0; i < run->nleads; i++)
		align_replay_begin(&result[i], run->attachment->marker.agreement, run->context);
	for (int i = 0; i < SLA_NCOLUMNS; i++)
		columns[i] = DROPPED_CLOCK + i;
	nrows = align_recorder_execute(run->attachment, DROP_CLOCKS, keys, NULL, NULL);
	for (uint64 i = 0; i < nrows; i++)
	{
		bool		isnull;
		Datum		n;

		total = DatumGetInt64(SpiField(i, DROPPED_TOTAL, &isnull));
		n = SpiField(i, DROPPED_N, &isnull);
		if (isnull)
			continue;
		align_replay_load_announced(&result[DatumGetInt32(n)], SPI_tuptable->vals[i],
									SPI_tuptable->tupdesc, columns);
		ndropped++;
	}
	SPI_freetuptable(SPI_tuptable);
	align_check_written(run->attachment, ndropped, total);
	return result;
}

/*
 * Recomputes the clocks of the leads of a run for which this is needed.
 */
int64
align_run_recompute_clocks(Run *run)
{
	TupleDesc	desc;
	Tuplestorestate *keys;
	Tuplestorestate *clocks;
	LeadClocks *old_clocks;
	uint64		nentries;
	int64		nclocks;

	if (!AnyNeedsRecomputation(run))
		return 0;

	/* compute the new clocks in memory */
	keys = align_run_keys(run, NeedsRecomputation);
	for (int i = 0; i < run->nleads; i++)
	{
		if (run->leads[i].recompute)
			align_replay_begin(&run->leads[i].clocks, run->attachment->marker.agreement,
							   run->context);
	}
	nentries = align_recorder_execute(run->attachment, READ_ENTRIES, keys, NULL, NULL);
	ReplayEntries(run, nentries);
	SPI_freetuptable(SPI_tuptable);

	/*
	 * Replace the old ones.  What notify_due() has announced of them must not
	 * be announced again.
	 */
	old_clocks = DropClocks(run, keys);
	clocks = align_recorder_rows(run->attachment, ROWS_CLOCKS, &desc);
	for (int i = 0; i < run->nleads; i++)
	{
		LeadState  *lead = &run->leads[i];

		if (!lead->recompute)
			continue;
		align_replay_carry_announced(&lead->clocks, &old_clocks[i]);
		for (int j = 0; j < lead->clocks.nclocks; j++)
			align_run_put_clock(run, clocks, desc, lead, &lead->clocks.clocks[j]);
	}
	nclocks = tuplestore_tuple_count(clocks);
	if (nclocks > 0)
		align_check_written(run->attachment,
							align_recorder_execute(run->attachment, ADD_CLOCKS, clocks, NULL, NULL),
							nclocks);
	tuplestore_end(clocks);
	tuplestore_end(keys);
	return nclocks;
}

/*
 * Recomputes the clocks of the leads with the given keys.
 */
int64
align_recompute_clocks(Attachment *attachment, const Datum *keys, int nleads)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align recorder",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	OwnerIdentity identity;
	Run			run = {0};
	int64		result;

	run.attachment = attachment;
	run.context = context;
	run.nleads = nleads;
	run.leads = palloc0(nleads * sizeof(LeadState));
	for (int i = 0; i < nleads; i++)
	{
		run.leads[i].key = unconstify(Datum *, keys) + i * attachment->nkeys;
		run.leads[i].recompute = true;
	}
	align_spi_connect();
	MemoryContextSwitchTo(context);
	align_become_owner(attachment, &identity);
	result = align_run_recompute_clocks(&run);
	align_resume_identity(&identity);
	SPI_finish();
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return result;
}

/* Number of leads that are recomputed at a time. */
#define FETCH_SIZE 500

/*
 * Opens a cursor, as the owner, for the keys of all leads whose first entry
 * is in the history.  The clocks of others, whose entries were dropped in
 * part or entirely, do not follow from it.
 */
static Portal
OpenKeys(const Attachment *attachment)
{
	StringInfoData query;
	Portal		portal;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	align_append_key(&query, attachment, TABLE_HISTORY);
	appendStringInfo(&query, " FROM %s AS h WHERE h.entry_no OPERATOR(pg_catalog.=) 1",
					 attachment->history_name);
	PushActiveSnapshot(GetLatestSnapshot());
	portal = align_open_cursor_as(attachment->root_owner, query.data);
	PopActiveSnapshot();
	return portal;
}

/*
 * Recomputes the clocks of all leads of an attached table whose history is
 * complete.
 */
int64
align_recompute_all_clocks(Attachment *attachment)
{
	Portal		portal = OpenKeys(attachment);
	Datum	   *keys = palloc(FETCH_SIZE * attachment->nkeys * sizeof(Datum));
	int64		result = 0;
	uint64		nleads;

	while ((nleads = align_fetch_as(attachment->root_owner, portal, FETCH_SIZE)) > 0)
	{
		SPITupleTable *rows = SPI_tuptable;

		CHECK_FOR_INTERRUPTS();
		for (uint64 i = 0; i < nleads; i++)
			align_key_from_result(attachment, TABLE_HISTORY, rows->vals[i], rows->tupdesc, 1,
								  keys + i * attachment->nkeys);
		result += align_recompute_clocks(attachment, keys, (int) nleads);
		SPI_freetuptable(rows);
	}
	SPI_cursor_close(portal);
	pfree(keys);
	return result;
}
