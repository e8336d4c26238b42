/*
 * recorder.c
 *	  Writes pending changes: entries of the history, and the clocks that they
 *	  start, stop, pause and resume.
 *
 * A flush takes the changes that belong to the current nesting level, in the
 * order in which their row versions were made, and works in runs: new keys (all
 * those of one command at once, since they may swap) or anything else.  For a
 * run of the latter it reads, for all leads at once, the last entry and the
 * clocks; applies each lead's changes to that in memory; and writes entries, new
 * clocks and changed clocks, a statement each.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "enforce/alerts.h"
#include "enforce/pending.h"
#include "enforce/recorder.h"
#include "enforce/recorder_sql.h"

/*
 * A lead with changes in this run.
 */
typedef struct LeadState
{
	Datum	   *key;
	uint32		hash;
	int			next;			/* in its hash bucket, -1 none */
	bool		recorded;		/* has it any entry? */
	bool		fresh;			/* known to have none */
	bool		held;			/* its changes wait */
	bool		recompute;		/* a backfill: make its clocks anew */
	int32		entry_no;		/* of its last entry */
	TimestampTz recorded_at;	/* likewise */
	TimestampTz latest;			/* effective_at of all entries */
	bool		alive;			/* its last entry has a stage */
	char	   *stage;			/* of its last entry */
	char	   *team;
	char	   *source;
	bool		has_clocks;		/* clocks is set up */
	LeadClocks	clocks;
} LeadState;

typedef struct Run
{
	Attachment *attachment;
	Batch	   *batch;
	MemoryContext context;
	int			nchanges;
	Change	  **changes;		/* in the order of their commands */
	LeadState **lead_of;		/* of each change */
	int			nleads;
	LeadState  *leads;
	int			nbuckets;
	int		   *buckets;
	bool		all_fresh;
	TimestampTz now;
} Run;

/*
 * Which changes belong together.
 */
static int
CompareChanges(const void *left, const void *right)
{
	const Change *a = *(Change *const *) left;
	const Change *b = *(Change *const *) right;

	if (a->command != b->command)
		return a->command < b->command ? -1 : 1;
	return (a->arrival > b->arrival) - (a->arrival < b->arrival);
}

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

static void
GatherLeads(Run *run)
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

/*
 * Reading.
 */
static Tuplestorestate *
KeyRows(Run *run, bool (*wanted) (const LeadState *lead))
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

static bool
NeedsRecomputation(const LeadState *lead)
{
	return lead->recompute;
}

static Datum
Field(uint64 row, int attnum, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, attnum, isnull);
}

static LeadString
FieldText(uint64 row, int attnum)
{
	bool		isnull;
	Datum		value = Field(row, attnum, &isnull);
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

static LeadString
AsLeadString(const char *text)
{
	return (LeadString) {text, text ? (int) strlen(text) : 0};
}

/* Is a lead in the funnel after such an entry? */
static bool
LeavesAlive(int event, const char *stage, const char *source)
{
	return stage != NULL && event != EVENT_DELETED && event != EVENT_TRUNCATED &&
		(source == NULL || strcmp(source, SOURCE_NOT_LIVE) != 0);
}

static void
ReadLastEntries(Run *run)
{
	bool		with_latest = run->attachment->column[ROW_CHANGED_AT] != 0;
	uint64		nrows;
	Tuplestorestate *rows = KeyRows(run, NotFresh);

	nrows = align_recorder_execute(run->attachment, with_latest ? READ_LAST : READ_LAST_ONLY, rows);
	for (uint64 i = 0; i < nrows; i++)
	{
		bool		isnull;
		LeadState  *lead = &run->leads[DatumGetInt32(Field(i, LAST_N, &isnull))];
		Datum		entry_no = Field(i, LAST_ENTRY_NO, &isnull);
		LeadString	stage;
		LeadString	event;

		if (isnull)
			continue;
		lead->recorded = true;
		lead->entry_no = DatumGetInt32(entry_no);
		lead->recorded_at = DatumGetTimestampTz(Field(i, LAST_RECORDED_AT, &isnull));
		lead->latest = DatumGetTimestampTz(Field(i, LAST_EFFECTIVE_AT, &isnull));
		if (with_latest)
		{
			TimestampTz latest = DatumGetTimestampTz(Field(i, LAST_LATEST, &isnull));

			/* after a backfill the last entry is not where the journey ends */
			lead->recompute = latest > lead->latest;
			lead->latest = latest;
		}
		stage = FieldText(i, LAST_STAGE);
		lead->source = CopyString(FieldText(i, LAST_SOURCE));
		event = FieldText(i, LAST_EVENT);
		lead->stage = CopyString(stage);
		lead->team = CopyString(FieldText(i, LAST_TEAM));
		lead->alive = LeavesAlive(align_history_event(event.text, event.len), stage.text,
								  lead->source);
		align_replay_begin(&lead->clocks, run->attachment->marker.agreement, run->context);
		align_replay_set_state(&lead->clocks, lead->alive, stage, FieldText(i, LAST_ASSIGNEE));
		lead->has_clocks = true;
	}
	SPI_freetuptable(SPI_tuptable);
	tuplestore_end(rows);
}

static void
ReadClocks(Run *run)
{
	AttrNumber	columns[SLA_NCOLUMNS];
	uint64		nrows;
	Tuplestorestate *rows = KeyRows(run, IsRecorded);

	for (int i = 0; i < SLA_NCOLUMNS; i++)
		columns[i] = i + 2;
	if (tuplestore_tuple_count(rows) > 0)
	{
		nrows = align_recorder_execute(run->attachment, READ_CLOCKS, rows);
		for (uint64 i = 0; i < nrows; i++)
		{
			bool		isnull;
			LeadState  *lead = &run->leads[DatumGetInt32(Field(i, 1, &isnull))];

			align_replay_load(&lead->clocks, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, columns);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	tuplestore_end(rows);
}

/*
 * Writing.
 */
static void
SetText(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	if (text != NULL)
		values[column] = CStringGetTextDatum(text);
}

/* Which stage the entry says that the lead came from. */
static const char *
FromStage(const LeadState *lead, const Change *change)
{
	if (change->event == EVENT_OPENING || change->event == EVENT_ENTRY)
		return NULL;
	if (change->standing)
		return lead->stage;
	return change->from_stage;
}

static void
WriteEntry(Run *run, Tuplestorestate *rows, TupleDesc desc, LeadState *lead,
		   const Change *change, TimestampTz effective_at, const char *source)
{
	Attachment *attachment = run->attachment;
	Datum		all[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];
	bool		all_nulls[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS] = {false};
	Datum	   *values = all + attachment->nkeys;
	bool	   *nulls = all_nulls + attachment->nkeys;
	bool		notified = false;

	memcpy(all, change->key, attachment->nkeys * sizeof(Datum));
	if (attachment->marker.notify && change->handoff != NULL)
	{
		align_notify_handoff(attachment, change->key, lead->entry_no, change->handoff,
							 change->handoff_from_team, change->handoff_to_team);
		notified = true;
	}

	values[HISTORY_ENTRY_NO] = Int32GetDatum(lead->entry_no);
	SetText(values, nulls, HISTORY_EVENT, align_history_event_names[change->event]);
	values[HISTORY_EFFECTIVE_AT] = TimestampTzGetDatum(effective_at);
	values[HISTORY_RECORDED_AT] = TimestampTzGetDatum(lead->recorded_at);
	SetText(values, nulls, HISTORY_FROM_STAGE, FromStage(lead, change));
	SetText(values, nulls, HISTORY_STAGE, change->stage);
	SetText(values, nulls, HISTORY_FROM_TEAM, change->standing ? lead->team : change->from_team);
	SetText(values, nulls, HISTORY_TEAM, change->team);
	SetText(values, nulls, HISTORY_ASSIGNEE, change->assignee);
	SetText(values, nulls, HISTORY_ACTOR, change->actor);
	SetText(values, nulls, HISTORY_DB_ROLE, change->db_role);
	SetText(values, nulls, HISTORY_REASON, change->reason);
	SetText(values, nulls, HISTORY_NOTE, change->note);
	SetText(values, nulls, HISTORY_CAMPAIGN, change->campaign);
	values[HISTORY_AMOUNT] = change->amount;
	nulls[HISTORY_AMOUNT] = !change->has_amount;
	SetText(values, nulls, HISTORY_AGREEMENT, attachment->marker.agreement);
	values[HISTORY_VERSION] = Int32GetDatum(change->version);
	SetText(values, nulls, HISTORY_VIOLATION, change->violation);
	SetText(values, nulls, HISTORY_SOURCE, source);
	nulls[HISTORY_BRANCH] = true;
	SetText(values, nulls, HISTORY_HANDOFF, change->handoff);
	values[HISTORY_NOTIFIED_AT] = TimestampTzGetDatum(lead->recorded_at);
	nulls[HISTORY_NOTIFIED_AT] = !notified;
	tuplestore_putvalues(rows, desc, all, all_nulls);
}

static void
ApplyToClocks(Run *run, LeadState *lead, const Change *change, TimestampTz effective_at)
{
	ReplayEntry entry;

	if (!lead->has_clocks)
	{
		align_replay_begin(&lead->clocks, run->attachment->marker.agreement, run->context);
		align_replay_set_state(&lead->clocks, false, AsLeadString(NULL), AsLeadString(NULL));
		lead->has_clocks = true;
	}
	entry.event = change->event;
	entry.merged = false;
	entry.effective_at = effective_at;
	entry.stage = AsLeadString(change->stage);
	entry.assignee = AsLeadString(change->assignee);
	entry.agreement = AsLeadString(run->attachment->marker.agreement);
	entry.version = change->version;
	entry.not_live = change->source != NULL && strcmp(change->source, SOURCE_NOT_LIVE) == 0;
	align_replay_entry(&lead->clocks, &entry);
}

/*
 * Does this end a life that has ended, or that nothing is known of?  A row may be
 * deleted after it was no longer live, or without ever having been recorded.
 */
static bool
SaysNothing(const LeadState *lead, const Change *change)
{
	return (change->event == EVENT_DELETED || change->event == EVENT_TRUNCATED) && !lead->alive;
}

static void
WriteEntries(Run *run)
{
	TupleDesc	desc;
	Tuplestorestate *rows = align_recorder_rows(run->attachment, ROWS_ENTRIES, &desc);

	for (int i = 0; i < run->nchanges; i++)
	{
		Change	   *change = run->changes[i];
		LeadState  *lead = run->lead_of[i];
		const char *source = change->source;
		TimestampTz effective_at;

		if (lead->held || SaysNothing(lead, change))
			continue;
		lead->recorded_at = lead->entry_no > 0 ? Max(run->now, lead->recorded_at + 1) : run->now;
		lead->entry_no++;
		effective_at = change->effective_at == PENDING_NOT_TOLD ? lead->recorded_at : change->effective_at;

		if (effective_at < lead->latest)
		{
			if (source == NULL)
				source = SOURCE_BACKFILL;
			lead->recompute = true;
		}
		else
			lead->latest = effective_at;

		WriteEntry(run, rows, desc, lead, change, effective_at, source);
		if (!lead->recompute)
			ApplyToClocks(run, lead, change, effective_at);

		lead->recorded = true;
		lead->stage = unconstify(char *, change->stage);
		lead->team = unconstify(char *, change->team);
		lead->alive = LeavesAlive(change->event, change->stage, source);
	}
	if (tuplestore_tuple_count(rows) > 0)
		(void) align_recorder_execute(run->attachment, ADD_ENTRIES, rows);
	tuplestore_end(rows);
}

static void
PutClock(const Run *run, Tuplestorestate *rows, TupleDesc desc, const LeadState *lead,
		 const LeadClock *clock)
{
	int			nkeys = run->attachment->nkeys;
	Datum		values[ATTACHMENT_MAX_KEYS + SLA_NCOLUMNS];
	bool		nulls[ATTACHMENT_MAX_KEYS + SLA_NCOLUMNS] = {false};

	memcpy(values, lead->key, nkeys * sizeof(Datum));
	align_replay_store(clock, values + nkeys, nulls + nkeys);
	tuplestore_putvalues(rows, desc, values, nulls);
}

static void
WriteClocks(Run *run)
{
	TupleDesc	desc;
	Tuplestorestate *new_clocks = align_recorder_rows(run->attachment, ROWS_CLOCKS, &desc);
	Tuplestorestate *changed_clocks = align_recorder_rows(run->attachment, ROWS_CLOCKS, &desc);
	int64		nchanged;

	for (int i = 0; i < run->nleads; i++)
	{
		LeadState  *lead = &run->leads[i];

		if (lead->held || lead->recompute || !lead->has_clocks)
			continue;
		for (int j = 0; j < lead->clocks.nclocks; j++)
		{
			LeadClock  *clock = &lead->clocks.clocks[j];

			if (clock->is_new)
				PutClock(run, new_clocks, desc, lead, clock);
			else if (clock->changed)
				PutClock(run, changed_clocks, desc, lead, clock);
		}
	}
	/* those that are closed make room for those that start */
	nchanged = tuplestore_tuple_count(changed_clocks);
	if (nchanged > 0 &&
		align_recorder_execute(run->attachment, CHANGE_CLOCKS, changed_clocks) != (uint64) nchanged)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access to the clocks of table %s",
						run->attachment->root_name),
				 errhint("The transaction might succeed if retried.")));
	if (tuplestore_tuple_count(new_clocks) > 0)
		(void) align_recorder_execute(run->attachment, ADD_CLOCKS, new_clocks);
	tuplestore_end(new_clocks);
	tuplestore_end(changed_clocks);
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
		LeadState  *lead = &run->leads[DatumGetInt32(Field(i, ENTRY_N, &isnull))];
		LeadString	event = FieldText(i, ENTRY_EVENT);
		LeadString	source = FieldText(i, ENTRY_SOURCE);
		Datum		version;
		ReplayEntry entry;
		int			number = align_history_event(event.text, event.len);

		if (number < 0)
			continue;
		entry.event = (HistoryEvent) number;
		entry.merged = source.text != NULL && source.len >= (int) strlen(SOURCE_MERGED) &&
			memcmp(source.text, SOURCE_MERGED, strlen(SOURCE_MERGED)) == 0;
		entry.not_live = source.text != NULL && source.len == (int) strlen(SOURCE_NOT_LIVE) &&
			memcmp(source.text, SOURCE_NOT_LIVE, source.len) == 0;
		entry.effective_at = DatumGetTimestampTz(Field(i, ENTRY_EFFECTIVE_AT, &isnull));
		entry.stage = FieldText(i, ENTRY_STAGE);
		entry.assignee = FieldText(i, ENTRY_ASSIGNEE);
		entry.agreement = FieldText(i, ENTRY_AGREEMENT);
		version = Field(i, ENTRY_VERSION, &isnull);
		entry.version = isnull ? 0 : DatumGetInt32(version);
		align_replay_entry(&lead->clocks, &entry);
	}
}

static void
RecomputeClocks(Run *run)
{
	TupleDesc	desc;
	Tuplestorestate *rows = KeyRows(run, NeedsRecomputation);
	Tuplestorestate *clocks;
	AttrNumber	columns[SLA_NCOLUMNS];
	LeadClocks *old_clocks;
	uint64		nrows;

	if (tuplestore_tuple_count(rows) == 0)
	{
		tuplestore_end(rows);
		return;
	}

	old_clocks = palloc(run->nleads * sizeof(LeadClocks));
	for (int i = 0; i < run->nleads; i++)
	{
		align_replay_begin(&old_clocks[i], run->attachment->marker.agreement, run->context);
		align_replay_begin(&run->leads[i].clocks, run->attachment->marker.agreement, run->context);
	}
	for (int i = 0; i < SLA_NCOLUMNS; i++)
		columns[i] = i + 2;
	nrows = align_recorder_execute(run->attachment, READ_CLOCKS, rows);
	for (uint64 i = 0; i < nrows; i++)
	{
		bool		isnull;

		align_replay_load(&old_clocks[DatumGetInt32(Field(i, 1, &isnull))],
						  SPI_tuptable->vals[i], SPI_tuptable->tupdesc, columns);
	}
	SPI_freetuptable(SPI_tuptable);

	nrows = align_recorder_execute(run->attachment, READ_ENTRIES, rows);
	ReplayEntries(run, nrows);
	SPI_freetuptable(SPI_tuptable);

	(void) align_recorder_execute(run->attachment, DROP_CLOCKS, rows);
	clocks = align_recorder_rows(run->attachment, ROWS_CLOCKS, &desc);
	for (int i = 0; i < run->nleads; i++)
	{
		LeadState  *lead = &run->leads[i];

		for (int j = 0; lead->recompute && j < lead->clocks.nclocks; j++)
		{
			align_replay_carry_notified(&lead->clocks.clocks[j], &old_clocks[i]);
			PutClock(run, clocks, desc, lead, &lead->clocks.clocks[j]);
		}
	}
	if (tuplestore_tuple_count(clocks) > 0)
		(void) align_recorder_execute(run->attachment, ADD_CLOCKS, clocks);
	tuplestore_end(clocks);
	tuplestore_end(rows);
}

/*
 * A change whose predecessor we have not been told yet waits, if there is still
 * somebody to tell us: a trigger that is under way, or an outer nesting level.
 * The lead's later changes wait with it.
 */
static void
HoldIncomplete(Run *run, bool more_to_come)
{
	if (!more_to_come)
		return;
	for (int i = 0; i < run->nchanges; i++)
	{
		LeadState  *lead = run->lead_of[i];
		Change	   *change = run->changes[i];
		const char *last = NULL;
		bool		seen = false;

		if (lead->held || change->standing)
			continue;
		/* the change of this lead before it in this run, else what is recorded */
		for (int j = i - 1; j >= 0 && run->nchanges > 1; j--)
		{
			if (run->lead_of[j] == lead)
			{
				last = run->changes[j]->stage;
				seen = true;
				break;
			}
		}
		if (!seen)
			last = lead->alive ? lead->stage : NULL;
		if (change->event == EVENT_ENTRY || change->event == EVENT_OPENING ||
			change->event == EVENT_DELETED || change->from_stage == NULL ||
			(change->source != NULL && strcmp(change->source, SOURCE_NOT_LIVE) == 0))
			continue;
		if (last == NULL || strcmp(last, change->from_stage) != 0)
			lead->held = true;
	}
}

static void
ExecuteRun(Run *run, bool more_to_come)
{
	GatherLeads(run);
	if (!run->all_fresh)
	{
		ReadLastEntries(run);
		HoldIncomplete(run, more_to_come);
		ReadClocks(run);
	}
	WriteEntries(run);
	WriteClocks(run);
	RecomputeClocks(run);
}

/*
 * New keys: the whole record moves along, all leads of a command at once.
 */
static void
MoveRecords(Run *run)
{
	Attachment *attachment = run->attachment;
	int			nkeys = attachment->nkeys;
	Datum		values[1 + 2 * ATTACHMENT_MAX_KEYS];
	bool		nulls[1 + 2 * ATTACHMENT_MAX_KEYS] = {false};
	TupleDesc	desc;
	Tuplestorestate *rows = align_recorder_rows(attachment, ROWS_REKEYS, &desc);
	static const RecorderStatement steps[] = {
		REKEY_ENTRIES_ASIDE, REKEY_CLOCKS_ASIDE, REKEY_ENTRIES, REKEY_CLOCKS
	};

	for (int i = 0; i < run->nchanges; i++)
	{
		values[0] = Int32GetDatum(i);
		memcpy(values + 1, run->changes[i]->key, nkeys * sizeof(Datum));
		memcpy(values + 1 + nkeys, run->changes[i]->old_key, nkeys * sizeof(Datum));
		tuplestore_putvalues(rows, desc, values, nulls);
	}
	for (int i = 0; i < (int) lengthof(steps); i++)
		(void) align_recorder_execute(attachment, steps[i], rows);
	tuplestore_end(rows);
}

/*
 * How many of the changes, in order, make one run.
 */
static int
RunLength(Change **changes, int nchanges)
{
	bool		rekey = changes[0]->event == EVENT_REKEY;
	int			length = 1;

	while (length < nchanges && (changes[length]->event == EVENT_REKEY) == rekey &&
		   (!rekey || changes[length]->command == changes[0]->command))
		length++;
	return length;
}

/*
 * All new keys of one command come first in it: they take effect at once.
 */
static int
CompareForRuns(const void *left, const void *right)
{
	const Change *a = *(Change *const *) left;
	const Change *b = *(Change *const *) right;

	if (a->command == b->command && (a->event == EVENT_REKEY) != (b->event == EVENT_REKEY))
		return a->event == EVENT_REKEY ? -1 : 1;
	return CompareChanges(left, right);
}

static int
TriggerDepth(void)
{
	return DatumGetInt32(OidFunctionCall0(F_PG_TRIGGER_DEPTH));
}

static void
Flush(Attachment *attachment, Batch *batch, bool more_to_come)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align recorder",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	int			level = GetCurrentTransactionNestLevel();
	Change	  **changes = palloc(batch->nchanges * sizeof(Change *));
	int			nchanges = 0;
	bool	   *gone = palloc0(batch->nchanges * sizeof(bool));
	int			done = 0;

	for (int i = 0; i < batch->nchanges; i++)
	{
		if (batch->changes[i]->nest_level >= level)
			changes[nchanges++] = batch->changes[i];
	}
	if (nchanges < batch->nchanges)
		more_to_come = true;
	qsort(changes, nchanges, sizeof(Change *), CompareForRuns);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
	while (done < nchanges)
	{
		Run			run = {0};

		run.attachment = attachment;
		run.batch = batch;
		run.context = context;
		run.changes = changes + done;
		run.nchanges = RunLength(changes + done, nchanges - done);
		run.now = GetCurrentTimestamp();
		if (run.changes[0]->event == EVENT_REKEY)
			MoveRecords(&run);
		ExecuteRun(&run, more_to_come);
		for (int i = 0; i < run.nchanges; i++)
		{
			if (!run.lead_of[i]->held)
				run.changes[i]->written = true;
		}
		done += run.nchanges;
	}
	SPI_finish();

	for (int i = 0; i < batch->nchanges; i++)
		gone[i] = batch->changes[i]->written;
	align_pending_remove(batch, gone);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}

void
align_recorder_flush(Attachment *attachment, Batch *batch)
{
	if (batch->nchanges == 0)
		return;
	Flush(attachment, batch, TriggerDepth() > 1);
}

void
align_recorder_flush_all(void)
{
	ListCell   *cell;
	List	   *batches = align_pending_batches();
	bool		need_snapshot = batches != NIL && !ActiveSnapshotSet();

	if (need_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	foreach(cell, batches)
	{
		Batch	   *batch = (Batch *) lfirst(cell);

		Flush(align_attachment(batch->root, false), batch, TriggerDepth() > 0);
	}
	if (need_snapshot)
		PopActiveSnapshot();
}

void
align_recompute_clocks(Attachment *attachment, const Datum *key)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align recorder",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	Run			run = {0};

	run.attachment = attachment;
	run.context = context;
	run.nleads = 1;
	run.leads = palloc0(sizeof(LeadState));
	run.leads[0].key = unconstify(Datum *, key);
	run.leads[0].recompute = true;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
	RecomputeClocks(&run);
	SPI_finish();
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}
