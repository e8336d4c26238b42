/*
 * merge_entries.c
 *	  What is recorded of a merge itself.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "enforce/judging_version.h"
#include "enforce/key_sql.h"
#include "enforce/merge.h"
#include "enforce/recorder_identity.h"
#include "enforce/replay.h"

/*
 * What puts a lead into a stage, and what passes it to somebody, as replay.h has
 * it.
 */
#define ENTERS_STAGE \
	"(h.event OPERATOR(pg_catalog.=) ANY ('{opening,entry,move,override}'::pg_catalog.text[])" \
	" AND h.stage IS NOT NULL AND " HISTORY_IS_LIVE("h") ")"
#define PASSES_LEAD \
	"(h.event OPERATOR(pg_catalog.=) 'owner' AND " HISTORY_IS_LIVE("h") \
	" AND " HISTORY_IS_ITS_OWN("h") ")"

/*
 * Where the joined journey ends, in the order in which things happened.
 */
typedef struct JourneyEnd
{
	TimestampTz effective_at;	/* of its last entry */
	char	   *stage;
	char	   *assignee;
} JourneyEnd;

static void
ReadJourneyEnd(Attachment *attachment, const MergedLead *into, JourneyEnd *end)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	Datum		values[ATTACHMENT_MAX_KEYS];
	StringInfoData condition;
	char	   *query;
	bool		isnull;

	align_key_types(attachment, types);
	memcpy(values, into->key, attachment->nkeys * sizeof(Datum));
	initStringInfo(&condition);
	appendStringInfo(&condition, "%s AS h WHERE ", attachment->history_name);
	align_append_key_condition(&condition, attachment, TABLE_HISTORY, 1);
	query = psprintf("SELECT (SELECT pg_catalog.max(h.effective_at) FROM %s),"
					 " (SELECT h.stage FROM %s AND " ENTERS_STAGE
					 " ORDER BY h.effective_at DESC, h.entry_no DESC LIMIT 1),"
					 " (SELECT h.assignee FROM %s AND (" ENTERS_STAGE " OR " PASSES_LEAD ")"
					 " ORDER BY h.effective_at DESC, h.entry_no DESC LIMIT 1)",
					 condition.data, condition.data, condition.data);
	align_execute_as_owner(attachment, query, attachment->nkeys, types, values, NULL);
	end->effective_at = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0],
														  SPI_tuptable->tupdesc, 1, &isnull));
	end->stage = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	end->assignee = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
}

/*
 * An entry that the merge itself makes: lead is where it stands after that.
 */
typedef struct MergeEntry
{
	const MergedLead *lead;
	HistoryEvent event;
	int32		entry_no;
	TimestampTz effective_at;
	TimestampTz recorded_at;
	const char *from_stage;
	const char *from_team;
	const char *note;
	const char *source;
} MergeEntry;

static void
SetText(Datum *values, char *nulls, HistoryColumn column, const char *text)
{
	if (text == NULL)
		return;
	values[column] = CStringGetTextDatum(text);
	nulls[column] = ' ';
}

static void
WriteEntry(Attachment *attachment, const MergeEntry *entry)
{
	int			nkeys = attachment->nkeys;
	Oid			types[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];
	Datum		values[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];
	char		nulls[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];
	Datum	   *own = values + nkeys;
	char	   *own_nulls = nulls + nkeys;
	int32		version;
	StringInfoData command;

	memset(nulls, ' ', nkeys);
	memset(own_nulls, 'n', HISTORY_NCOLUMNS);
	memcpy(values, entry->lead->key, nkeys * sizeof(Datum));
	(void) align_judging_funnel(attachment, &version);
	own[HISTORY_ENTRY_NO] = Int32GetDatum(entry->entry_no);
	own[HISTORY_EFFECTIVE_AT] = TimestampTzGetDatum(entry->effective_at);
	own[HISTORY_RECORDED_AT] = TimestampTzGetDatum(entry->recorded_at);
	own[HISTORY_VERSION] = Int32GetDatum(version);
	own_nulls[HISTORY_ENTRY_NO] = own_nulls[HISTORY_EFFECTIVE_AT] = ' ';
	own_nulls[HISTORY_RECORDED_AT] = own_nulls[HISTORY_VERSION] = ' ';
	SetText(own, own_nulls, HISTORY_EVENT, align_history_event_names[entry->event]);
	SetText(own, own_nulls, HISTORY_FROM_STAGE, entry->from_stage);
	SetText(own, own_nulls, HISTORY_STAGE, entry->lead->stage);
	SetText(own, own_nulls, HISTORY_FROM_TEAM, entry->from_team);
	SetText(own, own_nulls, HISTORY_TEAM, entry->lead->team);
	SetText(own, own_nulls, HISTORY_ASSIGNEE, entry->lead->assignee);
	SetText(own, own_nulls, HISTORY_DB_ROLE, GetUserNameFromId(GetOuterUserId(), false));
	SetText(own, own_nulls, HISTORY_NOTE, entry->note);
	SetText(own, own_nulls, HISTORY_AGREEMENT, attachment->marker.agreement);
	SetText(own, own_nulls, HISTORY_SOURCE, entry->source);

	initStringInfo(&command);
	appendStringInfo(&command, "INSERT INTO %s (", attachment->history_name);
	for (int i = 0; i < nkeys; i++)
		appendStringInfo(&command, "%s, ", attachment->keys[i].history_column);
	align_key_types(attachment, types);
	for (int i = 0; i < HISTORY_NCOLUMNS; i++)
	{
		appendStringInfo(&command, "%s%s", i > 0 ? ", " : "", align_history_columns[i].name);
		types[nkeys + i] = align_history_columns[i].type;
	}
	appendStringInfoString(&command, ") VALUES (");
	for (int i = 0; i < nkeys + HISTORY_NCOLUMNS; i++)
		appendStringInfo(&command, "%s$%d", i > 0 ? ", " : "", i + 1);
	appendStringInfoChar(&command, ')');
	align_execute_as_owner(attachment, command.data, nkeys + HISTORY_NCOLUMNS, types, values, nulls);
	align_check_written(attachment, SPI_processed, 1);
}

/*
 * The lead that stays: where the joined journey ends elsewhere than the row
 * stands, an entry that brings it there, which is nobody's move; then one that
 * tells of the merge.
 */
void
align_merge_entries_of_into(Attachment *attachment, const MergedLead *from, const MergedLead *into,
							int64 nmoved, TimestampTz recorded_at)
{
	MergeEntry	entry = {.lead = into};
	JourneyEnd	end;

	entry.entry_no = into->entry_no + nmoved + 1;
	entry.recorded_at = recorded_at + nmoved;
	ReadJourneyEnd(attachment, into, &end);
	if (!align_same_string(end.stage, into->stage) || !align_same_string(end.assignee, into->assignee))
	{
		entry.event = EVENT_OPENING;
		entry.effective_at = end.effective_at;
		entry.source = psprintf(SOURCE_MERGED " %s", from->stored_text);
		WriteEntry(attachment, &entry);
		entry.entry_no++;
		entry.recorded_at++;
	}
	entry.event = EVENT_REKEY;
	entry.effective_at = Max(entry.recorded_at, end.effective_at);
	entry.from_stage = into->stage;
	entry.from_team = into->team;
	entry.source = NULL;
	entry.note = psprintf("merged from %s", from->stored_text);
	WriteEntry(attachment, &entry);
}

/*
 * The duplicate, if it still stands: a record that begins with where it is now.
 */
void
align_merge_entry_of_from(Attachment *attachment, const MergedLead *from, const MergedLead *into,
						  TimestampTz recorded_at)
{
	MergeEntry	entry = {.lead = from,.event = EVENT_REKEY,.entry_no = 1};

	if (!from->in_table || from->stage == NULL)
		return;
	entry.effective_at = entry.recorded_at = recorded_at;
	entry.note = psprintf("merged into %s", into->stored_text);
	WriteEntry(attachment, &entry);
}
