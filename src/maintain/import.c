/*
 * import.c
 *	  import_history(): history of leads from before they were recorded, such
 *	  as the audit table of an application.
 *
 * The user's query runs first, as its caller.  Then the table is locked, and
 * its rows are read in order of the key, some leads at a time: the recorded
 * entries of these leads are read, the rows are judged (import_lead.c), the
 * new entries are written before the recorded ones, and the clocks are
 * computed again.  So the cost is linear in the number of rows, and memory is
 * needed for one batch, or one lead.
 *
 * The history keeps its invariants: entry_no is without gaps and recorded_at
 * increases with it.  The numbers of the recorded entries grow; recorded_at of
 * the new ones is just before the first that was recorded.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "attachment/key.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "history/history.h"
#include "maintain/import.h"
#include "maintain/owned.h"
#include "record/flush.h"
#include "record/plans.h"
#include "record/recompute.h"
#include "record/writer.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_import_history);

/* A batch ends with the lead that makes it reach one of these. */
#define BATCH_LEADS 500
#define BATCH_ROWS 5000

/*
 * State of one call of import_history().
 */
typedef struct Import
{
	Attachment *attachment;
	ImportRows	rows;
	TupleTableSlot *slot;		/* current row of the query */
	bool		at_end;			/* all rows have been read */
	const char *db_role;
	MemoryContext batch_context;	/* reset after each batch */
	int			nleads;			/* in the batch */
	ImportLead *leads;
	/* counts of rows for the result and the notice */
	int64		nrows;
	int64		nimported;
	int64		nrepeated;
	int64		nlate;
	int64		nunknown;
	int64		nclosed;
} Import;

/*
 * Advances to the next row whose key has no null; sets at_end after the last.
 */
static void
NextRow(Import *import)
{
	for (;;)
	{
		/* the slot keeps a row that was read from a file in this context */
		MemoryContext old_context = MemoryContextSwitchTo(import->slot->tts_mcxt);
		bool		has_null = false;

		import->at_end = !tuplestore_gettupleslot(import->rows.rows, true, false, import->slot);
		MemoryContextSwitchTo(old_context);
		if (import->at_end)
			return;
		import->nrows++;
		slot_getallattrs(import->slot);
		for (int i = 0; i < import->attachment->nkeys; i++)
			has_null = has_null || import->slot->tts_isnull[i];
		if (!has_null)
			return;
		import->nunknown++;
	}
}

/*
 * Adds the current row to a lead.
 */
static void
AddRow(const Import *import, ImportLead *lead)
{
	const Datum *values = import->slot->tts_values + import->attachment->nkeys;
	const bool *nulls = import->slot->tts_isnull + import->attachment->nkeys;
	ImportRow  *row;

	if (lead->nrows == lead->rows_room)
	{
		lead->rows_room = Max(2 * lead->rows_room, 8);
		if (lead->rows == NULL)
			lead->rows = palloc(lead->rows_room * sizeof(ImportRow));
		else
			lead->rows = repalloc_huge(lead->rows, lead->rows_room * sizeof(ImportRow));
	}
	row = &lead->rows[lead->nrows++];
	memset(row, 0, sizeof(ImportRow));
	if (nulls[IMPORT_AT])
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"at\" must not be null"),
				 errdetail("The query returns a row of lead %s without a time.",
						   align_key_text(import->attachment, lead->key))));
	row->at = DatumGetTimestampTz(values[IMPORT_AT]);
	if (TIMESTAMP_NOT_FINITE(row->at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("\"at\" must be finite"),
				 errdetail("The query returns a row of lead %s with an infinite time.",
						   align_key_text(import->attachment, lead->key))));
	for (int i = IMPORT_STAGE; i < IMPORT_AMOUNT; i++)
		row->text[i] = nulls[i] ? NULL : TextDatumGetCString(values[i]);
	row->has_amount = !nulls[IMPORT_AMOUNT];
	if (row->has_amount)
		row->amount = PointerGetDatum(PG_DETOAST_DATUM_COPY(values[IMPORT_AMOUNT]));
}

/*
 * Reads the leads of the next batch; returns false if there are none.
 */
static bool
ReadBatch(Import *import)
{
	int			nrows = 0;

	import->nleads = 0;
	import->leads = palloc0(BATCH_LEADS * sizeof(ImportLead));
	while (!import->at_end && import->nleads < BATCH_LEADS && nrows < BATCH_ROWS)
	{
		ImportLead *lead = &import->leads[import->nleads++];

		lead->key = palloc(import->attachment->nkeys * sizeof(Datum));
		align_copy_key(import->attachment, import->slot->tts_values, lead->key);
		do
		{
			CHECK_FOR_INTERRUPTS();
			AddRow(import, lead);
			NextRow(import);
			nrows++;
		} while (!import->at_end &&
				 align_same_key(import->attachment, import->slot->tts_values, lead->key));
	}
	return import->nleads > 0;
}

/*
 * Returns the keys of the leads of the batch, as rows for a statement.  n is
 * the index of the lead; with only_shifted, only those leads are returned that
 * have more than one recorded entry and get new ones, and n is the number of
 * these.
 */
static Tuplestorestate *
BatchKeys(const Import *import, bool only_shifted)
{
	Attachment *attachment = import->attachment;
	Datum		values[1 + ATTACHMENT_MAX_KEYS];
	bool		nulls[1 + ATTACHMENT_MAX_KEYS] = {false};
	TupleDesc	desc;
	Tuplestorestate *keys = align_recorder_rows(attachment, ROWS_KEYS, &desc);

	for (int i = 0; i < import->nleads; i++)
	{
		const ImportLead *lead = &import->leads[i];

		if (only_shifted && (lead->nentries == 0 || lead->nknown < 2))
			continue;
		values[0] = Int32GetDatum(only_shifted ? lead->nentries : i);
		memcpy(values + 1, lead->key, attachment->nkeys * sizeof(Datum));
		tuplestore_putvalues(keys, desc, values, nulls);
	}
	return keys;
}

/*
 * Returns a text field of the current result of SPI, palloc'd, or NULL.
 */
static char *
TextField(uint64 row, int attnum)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, attnum, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * Adds a row of READ_HISTORY to its lead.
 */
static void
AddKnownEntry(Import *import, uint64 i)
{
	HeapTuple	tuple = SPI_tuptable->vals[i];
	TupleDesc	desc = SPI_tuptable->tupdesc;
	bool		isnull;
	ImportLead *lead = &import->leads[DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull))];
	KnownEntry *known;
	HistoryEntry *entry;
	char	   *event;
	char	   *source;
	int			number;

#define FIELD(column) ((column) + 2)
	event = TextField(i, FIELD(HISTORY_EVENT));
	number = event == NULL ? -1 : align_history_event(event, strlen(event));
	if (number < 0)
		return;
	if (lead->nknown == lead->known_room)
	{
		lead->known_room = Max(2 * lead->known_room, 2);
		if (lead->known == NULL)
			lead->known = palloc(lead->known_room * sizeof(KnownEntry));
		else
			lead->known = repalloc_huge(lead->known, lead->known_room * sizeof(KnownEntry));
	}
	known = &lead->known[lead->nknown++];
	memset(known, 0, sizeof(KnownEntry));
	entry = &known->entry;
	entry->event = (HistoryEvent) number;
	entry->entry_no = DatumGetInt32(SPI_getbinval(tuple, desc, FIELD(HISTORY_ENTRY_NO), &isnull));
	entry->effective_at =
		DatumGetTimestampTz(SPI_getbinval(tuple, desc, FIELD(HISTORY_EFFECTIVE_AT), &isnull));
	entry->recorded_at =
		DatumGetTimestampTz(SPI_getbinval(tuple, desc, FIELD(HISTORY_RECORDED_AT), &isnull));
	entry->stage = TextField(i, FIELD(HISTORY_STAGE));
	source = TextField(i, FIELD(HISTORY_SOURCE));
	known->merged = source != NULL && align_source_is_merged(source, strlen(source));
	known->not_live = SourceIsNotLive(source);
	/* only the first entry may be written again */
	if (lead->nknown > 1)
		return;
	entry->from_stage = TextField(i, FIELD(HISTORY_FROM_STAGE));
	entry->from_team = TextField(i, FIELD(HISTORY_FROM_TEAM));
	entry->team = TextField(i, FIELD(HISTORY_TEAM));
	entry->assignee = TextField(i, FIELD(HISTORY_ASSIGNEE));
	entry->actor = TextField(i, FIELD(HISTORY_ACTOR));
	entry->reason = TextField(i, FIELD(HISTORY_REASON));
	entry->note = TextField(i, FIELD(HISTORY_NOTE));
	entry->campaign = TextField(i, FIELD(HISTORY_CAMPAIGN));
	entry->amount = SPI_getbinval(tuple, desc, FIELD(HISTORY_AMOUNT), &isnull);
	entry->has_amount = !isnull;
	if (entry->has_amount)
		entry->amount = PointerGetDatum(PG_DETOAST_DATUM_COPY(entry->amount));
	known->agreement = TextField(i, FIELD(HISTORY_AGREEMENT));
	entry->version = DatumGetInt32(SPI_getbinval(tuple, desc, FIELD(HISTORY_VERSION), &isnull));
	entry->version = isnull ? 0 : entry->version;
	entry->violation = TextField(i, FIELD(HISTORY_VIOLATION));
	entry->source = source;
	entry->handoff = TextField(i, FIELD(HISTORY_HANDOFF));
#undef FIELD
}

/*
 * Executes a statement on the record tables as the owner; returns
 * SPI_processed.  Ends its input.
 */
static uint64
Execute(const Import *import, RecorderStatement statement, Tuplestorestate *rows)
{
	OwnerIdentity identity;
	uint64		result;

	align_become_owner(import->attachment, &identity);
	result = align_recorder_execute(import->attachment, statement, rows, NULL, NULL);
	align_resume_identity(&identity);
	tuplestore_end(rows);
	return result;
}

/*
 * Reads the recorded entries of the leads of the batch.
 */
static void
ReadKnownEntries(Import *import)
{
	uint64		nrows = Execute(import, READ_HISTORY, BatchKeys(import, false));

	for (uint64 i = 0; i < nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		AddKnownEntry(import, i);
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Judges the rows of the leads of the batch, and counts them.
 */
static void
JudgeBatch(Import *import)
{
	for (int i = 0; i < import->nleads; i++)
	{
		ImportLead *lead = &import->leads[i];

		align_import_lead(import->attachment, &import->rows, import->db_role, lead);
		import->nimported += lead->nimported;
		import->nrepeated += lead->nrepeated;
		import->nlate += lead->nlate;
		import->nunknown += lead->unknown ? lead->nrows : 0;
		import->nclosed += lead->closed ? lead->nrows : 0;
	}
}

/*
 * Numbers the recorded entries of the leads again, and replaces the first.
 */
static void
RenumberEntries(Import *import)
{
	Attachment *attachment = import->attachment;
	TupleDesc	desc;
	Tuplestorestate *first = align_recorder_rows(attachment, ROWS_ENTRIES, &desc);
	uint64		nshifted = 0;
	uint64		nfirst = 0;

	for (int i = 0; i < import->nleads; i++)
	{
		const ImportLead *lead = &import->leads[i];
		Datum		values[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];
		bool		nulls[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];
		Datum	   *own = values + attachment->nkeys;
		bool	   *own_nulls = nulls + attachment->nkeys;

		if (!lead->changed)
			continue;
		if (lead->nentries > 0)
			nshifted += lead->nknown - 1;
		nfirst++;
		align_entry_row(attachment, &lead->first.entry, values, nulls);
		own_nulls[HISTORY_AGREEMENT] = lead->first.agreement == NULL;
		if (lead->first.agreement != NULL)
			own[HISTORY_AGREEMENT] = CStringGetTextDatum(lead->first.agreement);
		own_nulls[HISTORY_VERSION] = lead->first.entry.version == 0;
		tuplestore_putvalues(first, desc, values, nulls);
	}
	if (nshifted > 0)
		align_check_written(attachment,
							Execute(import, SHIFT_ENTRIES_ASIDE, BatchKeys(import, true)),
							nshifted);
	align_check_written(attachment, Execute(import, REPLACE_FIRST_ENTRIES, first), nfirst);
	if (nshifted > 0)
		align_check_written(attachment,
							Execute(import, SHIFT_ENTRIES_BACK, BatchKeys(import, true)),
							nshifted);
}

/*
 * Writes the new entries of the leads by one statement.
 */
static void
WriteEntries(Import *import)
{
	HistoryEntry *entries;
	int			n = 0;

	for (int i = 0; i < import->nleads; i++)
		n += import->leads[i].nentries;
	if (n == 0)
		return;
	entries = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(HistoryEntry));
	n = 0;
	for (int i = 0; i < import->nleads; i++)
	{
		const ImportLead *lead = &import->leads[i];

		memcpy(entries + n, lead->entries, lead->nentries * sizeof(HistoryEntry));
		n += lead->nentries;
	}
	align_write_entries(import->attachment, entries, n);
}

/*
 * Recomputes the clocks of the leads that have changed.  What came due before
 * a lead was recorded is not announced.
 */
static void
RecomputeClocks(Import *import)
{
	int			nkeys = import->attachment->nkeys;
	Datum	   *keys = palloc(import->nleads * nkeys * sizeof(Datum));
	TimestampTz *announced_until = palloc(import->nleads * sizeof(TimestampTz));
	Recomputation how = {.announced_until = announced_until};
	int			n = 0;

	for (int i = 0; i < import->nleads; i++)
	{
		const ImportLead *lead = &import->leads[i];

		if (!lead->changed)
			continue;
		memcpy(keys + n * nkeys, lead->key, nkeys * sizeof(Datum));
		announced_until[n++] = lead->first.entry.recorded_at;
	}
	(void) align_recompute_clocks(import->attachment, keys, n, &how);
}

static bool
AnyLeadChanged(const Import *import)
{
	for (int i = 0; i < import->nleads; i++)
	{
		if (import->leads[i].changed)
			return true;
	}
	return false;
}

/*
 * Imports all rows of the query.
 */
static void
ImportAll(Import *import)
{
	MemoryContext old_context;

	import->batch_context = AllocSetContextCreate(CurrentMemoryContext, "align import",
												  ALLOCSET_DEFAULT_SIZES);
	NextRow(import);
	old_context = MemoryContextSwitchTo(import->batch_context);
	while (ReadBatch(import))
	{
		/* SPI allocates its list of relations in the current context */
		align_spi_connect();
		MemoryContextSwitchTo(import->batch_context);
		ReadKnownEntries(import);
		JudgeBatch(import);
		if (AnyLeadChanged(import))
		{
			RenumberEntries(import);
			WriteEntries(import);
			RecomputeClocks(import);
		}
		SPI_finish();
		MemoryContextReset(import->batch_context);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(import->batch_context);
}

/*
 * Appends "Rows of leads without history: 5." if n is not 0.
 */
static void
AppendCount(StringInfo detail, const char *what, int64 n)
{
	if (n > 0)
		appendStringInfo(detail, "%s%s: " INT64_FORMAT ".", detail->len > 0 ? " " : "", what, n);
}

/*
 * Tells the caller which rows have not been imported.
 */
static void
ReportSkipped(const Import *import)
{
	StringInfoData detail;

	if (import->nimported == import->nrows)
		return;
	initStringInfo(&detail);
	AppendCount(&detail, "Rows that repeat the row before or what is recorded",
				import->nrepeated);
	AppendCount(&detail, "Other rows at or after what is recorded", import->nlate);
	AppendCount(&detail, "Rows of leads of which nothing is recorded", import->nunknown);
	AppendCount(&detail, "Rows of leads whose first entry is gone or merged", import->nclosed);
	ereport(NOTICE,
			(errmsg(INT64_FORMAT " of " INT64_FORMAT " rows were not imported",
					import->nrows - import->nimported, import->nrows),
			 errdetail_internal("%s", detail.data)));
}

/*
 * True if two attachments, one of which may be out of date, have the same
 * history and key: then the rows that were read for one fit the other.
 */
static bool
SameKeys(const Attachment *a, const Attachment *b)
{
	if (a->marker.history != b->marker.history || a->nkeys != b->nkeys)
		return false;
	for (int i = 0; i < a->nkeys; i++)
	{
		if (a->keys[i].attnum != b->keys[i].attnum || a->keys[i].type != b->keys[i].type ||
			a->keys[i].typmod != b->keys[i].typmod ||
			a->keys[i].collation != b->keys[i].collation)
			return false;
	}
	return true;
}

/*
 * import_history(relation, query): returns the number of rows that became
 * entries.
 */
Datum
align_import_history(PG_FUNCTION_ARGS)
{
	AttachmentId root = align_owned_root(fcinfo, "align.import_history()");
	Import		import = {0};
	RestrictedCaller caller;
	const Attachment *before;

	align_require_argument(fcinfo, 1, "query");
	before = align_attachment(root, false);
	align_import_query(before, text_to_cstring(PG_GETARG_TEXT_PP(1)), &import.rows);

	/*
	 * Lock the table like rebuild_clocks(), and history and clock table
	 * against the other functions of this folder, too.
	 */
	align_lock_own_table(root.relid, ShareRowExclusiveLock);
	(void) align_lock_partitions(root.relid, ShareRowExclusiveLock);
	align_recorder_flush_all();
	/* deferred deletions stay deferred: they come after what is imported */
	import.attachment = align_attachment_locked(root, ShareRowExclusiveLock);
	if (!SameKeys(before, import.attachment))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s was attached differently while the query ran",
						import.attachment->root_name),
				 errhint("Call align.import_history() again.")));
	import.slot = MakeSingleTupleTableSlot(import.rows.desc, &TTSOpsMinimalTuple);
	import.db_role = GetUserNameFromId(GetOuterUserId(), false);

	align_begin_restricted(&caller, import.attachment->root_owner);
	ImportAll(&import);
	align_end_restricted(&caller);

	ExecDropSingleTupleTableSlot(import.slot);
	tuplestore_end(import.rows.rows);
	ReportSkipped(&import);
	PG_RETURN_INT64(import.nimported);
}
