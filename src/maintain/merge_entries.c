/*
 * merge_entries.c
 *	  The entries that merge_leads() writes about the merge itself.
 */
#include "postgres.h"

#include "access/table.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "attachment/judging_version.h"
#include "attachment/key_sql.h"
#include "maintain/merge.h"
#include "maintain/owned.h"
#include "record/entry.h"
#include "record/writer.h"
#include "settings.h"
#include "verdict/verdict.h"

/*
 * Conditions on entries: h puts the lead into a stage, and h changes its
 * assignee outside of that.  They select the entries that align_replay_entry()
 * treats so.
 */
#define ENTERS_STAGE \
	"(h.event OPERATOR(pg_catalog.=) ANY ('{opening,entry,move,override}'::pg_catalog.text[])" \
	" AND h.stage IS NOT NULL AND " HISTORY_IS_LIVE("h") ")"
#define CHANGES_ASSIGNEE \
	"(h.event OPERATOR(pg_catalog.=) 'owner' AND " HISTORY_IS_LIVE("h") \
	" AND " HISTORY_IS_NOT_MERGED("h") ")"

/*
 * The end of the joined journey, in order of effective_at.
 */
typedef struct JourneyEnd
{
	TimestampTz effective_at;	/* the largest of all entries */
	char	   *stage;			/* NULL if none */
	char	   *assignee;		/* NULL if none */
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
					 " (SELECT h.assignee FROM %s AND (" ENTERS_STAGE " OR " CHANGES_ASSIGNEE ")"
					 " ORDER BY h.effective_at DESC, h.entry_no DESC LIMIT 1)",
					 condition.data, condition.data, condition.data);
	align_execute_as_owner(attachment, query, attachment->nkeys, types, values, NULL);
	end->effective_at = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0],
														  SPI_tuptable->tupdesc, 1, &isnull));
	end->stage = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	end->assignee = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
}

/*
 * Returns the canonical list of the segments that hold of the lead's row, NULL
 * if there are none.
 */
static const char *
RowSegments(Attachment *attachment, MergedLead *lead)
{
	Relation	rel = table_open(attachment->marker.root, AccessShareLock);
	Oid			types[ATTACHMENT_MAX_KEYS];
	RowMove		move = {.agreement = attachment->marker.agreement};
	LeadString	result;

	move.funnel = align_judging_funnel(attachment, &move.version);
	align_read_latest_as_owner(attachment, align_lead_row_query(attachment, rel, types),
							   lead->key);
	if (SPI_processed == 0)
		align_report_concurrent_change(lead->text);
	result = align_verdict_segments(attachment, rel, &move,
									align_lead_row_found(rel, CurrentMemoryContext));
	table_close(rel, NoLock);
	return result.text != NULL ? pnstrdup(result.text, result.len) : NULL;
}

/*
 * Returns an entry of the current user for a lead that stays in its stage;
 * number, times and source are left to the caller.
 */
static HistoryEntry
NewEntry(Attachment *attachment, const MergedLead *lead, HistoryEvent event)
{
	HistoryEntry entry = {.key = lead->key,.event = event};

	entry.stage = lead->stage;
	entry.team = lead->team;
	entry.assignee = lead->assignee;
	entry.actor = align_actor();
	entry.db_role = GetUserNameFromId(GetOuterUserId(), false);
	(void) align_judging_funnel(attachment, &entry.version);
	return entry;
}

/*
 * Writes the entries of the surviving lead: an opening, unless the joined
 * journey ends with the stage and assignee of its row, and a rekey that
 * records the merge.
 */
void
align_write_survivor_entries(Attachment *attachment, const MergedLead *from,
							 MergedLead *into, int64 nmoved, TimestampTz recorded_at)
{
	HistoryEntry entries[2];
	int			n = 0;
	int32		entry_no = into->last_entry_no + nmoved + 1;
	JourneyEnd	end;

	/* the moved entries have consecutive times from recorded_at on */
	recorded_at += nmoved;
	ReadJourneyEnd(attachment, into, &end);
	if (!align_same_string(end.stage, into->stage) || !align_same_string(end.assignee, into->assignee))
	{
		entries[n] = NewEntry(attachment, into, EVENT_OPENING);
		entries[n].entry_no = entry_no;
		entries[n].recorded_at = recorded_at;
		entries[n].effective_at = end.effective_at;
		entries[n].source = psprintf(SOURCE_MERGED " %s", from->stored_text);
		entries[n].segments = RowSegments(attachment, into);
		n++;
	}
	entries[n] = NewEntry(attachment, into, EVENT_REKEY);
	entries[n].entry_no = entry_no + n;
	entries[n].recorded_at = recorded_at + n;
	entries[n].effective_at = Max(entries[n].recorded_at, end.effective_at);
	entries[n].from_stage = into->stage;
	entries[n].from_team = into->team;
	entries[n].note = psprintf("merged from %s", from->stored_text);
	align_write_entries(attachment, entries, n + 1);
}

/*
 * Writes the first entry of a new history of the duplicate, a rekey with the
 * stage of its row, if that is in the table and in the funnel.
 */
void
align_write_duplicate_entry(Attachment *attachment, const MergedLead *from,
							const MergedLead *into, TimestampTz recorded_at)
{
	HistoryEntry entry;

	if (!from->in_table || from->stage == NULL)
		return;
	entry = NewEntry(attachment, from, EVENT_REKEY);
	entry.entry_no = 1;
	entry.effective_at = entry.recorded_at = recorded_at;
	entry.note = psprintf("merged into %s", into->stored_text);
	align_write_entries(attachment, &entry, 1);
}
