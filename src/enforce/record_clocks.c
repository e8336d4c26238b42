/*
 * record_clocks.c
 *	  The clocks of leads whose entries did not come in order, anew from the whole
 *	  history.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "catalog/as_role.h"
#include "enforce/record_run.h"

static bool
NeedsRecomputation(const LeadState *lead)
{
	return lead->recompute;
}

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
 * The clocks of some leads anew, from all of their entries.  What was announced
 * of a cycle stays announced.
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
		ReplayEntry entry;
		int			number = align_history_event(event.text, event.len);

		if (number < 0)
			continue;
		entry.event = (HistoryEvent) number;
		entry.merged = align_source_is_merged(source.text, source.len);
		entry.not_live = align_source_is_not_live(source.text, source.len);
		entry.effective_at = DatumGetTimestampTz(SpiField(i, ENTRY_EFFECTIVE_AT, &isnull));
		entry.stage = align_spi_text(i, ENTRY_STAGE);
		entry.assignee = align_spi_text(i, ENTRY_ASSIGNEE);
		entry.agreement = align_spi_text(i, ENTRY_AGREEMENT);
		version = SpiField(i, ENTRY_VERSION, &isnull);
		entry.version = isnull ? 0 : DatumGetInt32(version);
		align_replay_entry(&lead->clocks, &entry);
	}
}

void
align_run_recompute_clocks(Run *run)
{
	TupleDesc	desc;
	Tuplestorestate *rows;
	Tuplestorestate *clocks;
	AttrNumber	columns[SLA_NCOLUMNS];
	LeadClocks *old_clocks;
	uint64		nrows;

	if (!AnyNeedsRecomputation(run))
		return;
	rows = align_run_keys(run, NeedsRecomputation);
	old_clocks = palloc(run->nleads * sizeof(LeadClocks));
	for (int i = 0; i < run->nleads; i++)
	{
		align_replay_begin(&old_clocks[i], run->attachment->marker.agreement, run->context);
		align_replay_begin(&run->leads[i].clocks, run->attachment->marker.agreement, run->context);
	}
	nrows = align_recorder_execute(run->attachment, READ_ENTRIES, rows);
	ReplayEntries(run, nrows);
	SPI_freetuptable(SPI_tuptable);

	/* as they are when they go: they may be announced while we wait for them */
	for (int i = 0; i < SLA_NCOLUMNS; i++)
		columns[i] = i + 2;
	nrows = align_recorder_execute(run->attachment, DROP_CLOCKS, rows);
	for (uint64 i = 0; i < nrows; i++)
	{
		bool		isnull;

		align_replay_load(&old_clocks[DatumGetInt32(SpiField(i, 1, &isnull))],
						  SPI_tuptable->vals[i], SPI_tuptable->tupdesc, columns);
	}
	SPI_freetuptable(SPI_tuptable);

	clocks = align_recorder_rows(run->attachment, ROWS_CLOCKS, &desc);
	for (int i = 0; i < run->nleads; i++)
	{
		LeadState  *lead = &run->leads[i];

		for (int j = 0; lead->recompute && j < lead->clocks.nclocks; j++)
		{
			align_replay_carry_notified(&lead->clocks.clocks[j], &old_clocks[i]);
			align_run_put_clock(run, clocks, desc, lead, &lead->clocks.clocks[j]);
		}
	}
	if (tuplestore_tuple_count(clocks) > 0)
		(void) align_recorder_execute(run->attachment, ADD_CLOCKS, clocks);
	tuplestore_end(clocks);
	tuplestore_end(rows);
}

void
align_recompute_clocks(Attachment *attachment, const Datum *key)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align recorder",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	OwnerIdentity identity;
	Run			run = {0};

	run.attachment = attachment;
	run.context = context;
	run.nleads = 1;
	run.leads = palloc0(sizeof(LeadState));
	run.leads[0].key = unconstify(Datum *, key);
	run.leads[0].recompute = true;
	align_spi_connect();
	MemoryContextSwitchTo(context);
	align_become_owner(attachment, &identity);
	align_run_recompute_clocks(&run);
	align_resume_identity(&identity);
	SPI_finish();
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}
