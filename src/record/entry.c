/*
 * entry.c
 *	  Entries of the history as rows; see entry.h.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead/lead.h"
#include "record/entry.h"
#include "record/plans.h"
#include "record/writer.h"

/*
 * Sets a text column.
 */
static void
SetText(Datum *values, bool *nulls, HistoryColumn column, const char *text)
{
	nulls[column] = text == NULL;
	if (text != NULL)
		values[column] = CStringGetTextDatum(text);
}

/*
 * Sets the columns of the row of an entry.
 */
void
align_entry_row(const Attachment *attachment, const HistoryEntry *entry, Datum *values,
				bool *nulls)
{
	Datum	   *own = values + attachment->nkeys;
	bool	   *own_nulls = nulls + attachment->nkeys;

	memcpy(values, entry->key, attachment->nkeys * sizeof(Datum));
	memset(nulls, 0, (attachment->nkeys + HISTORY_NCOLUMNS) * sizeof(bool));
	own[HISTORY_ENTRY_NO] = Int32GetDatum(entry->entry_no);
	SetText(own, own_nulls, HISTORY_EVENT, align_history_event_names[entry->event]);
	own[HISTORY_EFFECTIVE_AT] = TimestampTzGetDatum(entry->effective_at);
	own[HISTORY_RECORDED_AT] = TimestampTzGetDatum(entry->recorded_at);
	SetText(own, own_nulls, HISTORY_FROM_STAGE, entry->from_stage);
	SetText(own, own_nulls, HISTORY_STAGE, entry->stage);
	SetText(own, own_nulls, HISTORY_FROM_TEAM, entry->from_team);
	SetText(own, own_nulls, HISTORY_TEAM, entry->team);
	SetText(own, own_nulls, HISTORY_ASSIGNEE, entry->assignee);
	SetText(own, own_nulls, HISTORY_ACTOR, entry->actor);
	SetText(own, own_nulls, HISTORY_DB_ROLE, entry->db_role);
	SetText(own, own_nulls, HISTORY_REASON, entry->reason);
	SetText(own, own_nulls, HISTORY_NOTE, entry->note);
	SetText(own, own_nulls, HISTORY_CAMPAIGN, entry->campaign);
	own[HISTORY_AMOUNT] = entry->amount;
	own_nulls[HISTORY_AMOUNT] = !entry->has_amount;
	SetText(own, own_nulls, HISTORY_AGREEMENT, attachment->marker.agreement);
	own[HISTORY_VERSION] = Int32GetDatum(entry->version);
	SetText(own, own_nulls, HISTORY_VIOLATION, entry->violation);
	SetText(own, own_nulls, HISTORY_SOURCE, entry->source);
	own_nulls[HISTORY_BRANCH] = true;
	SetText(own, own_nulls, HISTORY_HANDOFF, entry->handoff);
	own[HISTORY_NOTIFIED_AT] = TimestampTzGetDatum(entry->recorded_at);
	own_nulls[HISTORY_NOTIFIED_AT] = !entry->notified;
	own_nulls[HISTORY_SEGMENTS] = entry->segments == NULL;
	if (entry->segments != NULL)
		own[HISTORY_SEGMENTS] = align_segments_array(align_lead_cstring(entry->segments));
}

/*
 * Writes entries by the recorder's statement.
 */
void
align_write_entries(Attachment *attachment, const HistoryEntry *entries, int n)
{
	TupleDesc	desc;
	TupleDesc	clock_desc;
	Tuplestorestate *rows = align_recorder_rows(attachment, ROWS_ENTRIES, &desc);
	Tuplestorestate *new_clocks = align_recorder_rows(attachment, ROWS_CLOCKS, &clock_desc);
	Tuplestorestate *changed_clocks = align_recorder_rows(attachment, ROWS_CLOCKS, &clock_desc);
	OwnerIdentity identity;
	bool		isnull;

	for (int i = 0; i < n; i++)
	{
		Datum		values[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];
		bool		nulls[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];

		align_entry_row(attachment, &entries[i], values, nulls);
		tuplestore_putvalues(rows, desc, values, nulls);
	}
	align_become_owner(attachment, &identity);
	(void) align_recorder_execute(attachment, WRITE_LEADS, rows, new_clocks, changed_clocks);
	align_resume_identity(&identity);
	align_check_written(attachment,
						DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
													&isnull)),
						n);
	SPI_freetuptable(SPI_tuptable);
	tuplestore_end(changed_clocks);
	tuplestore_end(new_clocks);
	tuplestore_end(rows);
}
