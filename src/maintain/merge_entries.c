/*
 * merge_entries.c
 *	  What is recorded of a merge itself.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "attachment/judging_version.h"
#include "attachment/key_sql.h"
#include "maintain/merge.h"
#include "record/entry.h"
#include "record/writer.h"

/*
 * What puts a lead into a stage, and what passes it to somebody, as replay.h has
 * it.
 */
#define ENTERS_STAGE \
	"(h.event OPERATOR(pg_catalog.=) ANY ('{opening,entry,move,override}'::pg_catalog.text[])" \
	" AND h.stage IS NOT NULL AND " HISTORY_IS_LIVE("h") ")"
#define PASSES_LEAD \
	"(h.event OPERATOR(pg_catalog.=) 'owner' AND " HISTORY_IS_LIVE("h") \
	" AND " HISTORY_IS_NOT_MERGED("h") ")"

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
 * An entry that the merge itself makes: lead is where it is after that.
 */
static HistoryEntry
MergeEntry(Attachment *attachment, const MergedLead *lead, HistoryEvent event)
{
	HistoryEntry entry = {.key = lead->key,.event = event};

	entry.stage = lead->stage;
	entry.team = lead->team;
	entry.assignee = lead->assignee;
	entry.db_role = GetUserNameFromId(GetOuterUserId(), false);
	(void) align_judging_funnel(attachment, &entry.version);
	return entry;
}

/*
 * The lead that stays: where the joined journey ends elsewhere than the row is, an
 * entry that brings it there, which is not a move; then one that records the merge.
 */
void
align_merge_entries_of_into(Attachment *attachment, const MergedLead *from, const MergedLead *into,
							int64 nmoved, TimestampTz recorded_at)
{
	HistoryEntry entries[2];
	int			n = 0;
	int32		entry_no = into->entry_no + nmoved + 1;
	JourneyEnd	end;

	recorded_at += nmoved;
	ReadJourneyEnd(attachment, into, &end);
	if (!align_same_string(end.stage, into->stage) || !align_same_string(end.assignee, into->assignee))
	{
		entries[n] = MergeEntry(attachment, into, EVENT_OPENING);
		entries[n].entry_no = entry_no;
		entries[n].recorded_at = recorded_at;
		entries[n].effective_at = end.effective_at;
		entries[n].source = psprintf(SOURCE_MERGED " %s", from->stored_text);
		n++;
	}
	entries[n] = MergeEntry(attachment, into, EVENT_REKEY);
	entries[n].entry_no = entry_no + n;
	entries[n].recorded_at = recorded_at + n;
	entries[n].effective_at = Max(entries[n].recorded_at, end.effective_at);
	entries[n].from_stage = into->stage;
	entries[n].from_team = into->team;
	entries[n].note = psprintf("merged from %s", from->stored_text);
	align_write_entries(attachment, entries, n + 1);
}

/*
 * The duplicate, if it is still in the table: a record that begins with where it is.
 */
void
align_merge_entry_of_from(Attachment *attachment, const MergedLead *from, const MergedLead *into,
						  TimestampTz recorded_at)
{
	HistoryEntry entry;

	if (!from->in_table || from->stage == NULL)
		return;
	entry = MergeEntry(attachment, from, EVENT_REKEY);
	entry.entry_no = 1;
	entry.effective_at = entry.recorded_at = recorded_at;
	entry.note = psprintf("merged into %s", into->stored_text);
	align_write_entries(attachment, &entry, 1);
}
