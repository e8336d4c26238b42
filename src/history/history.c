/*
 * history.c
 *	  The columns of the record tables and the events of the history, by name.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "history/history.h"

const OwnColumn align_history_columns[HISTORY_NCOLUMNS] = {
	[HISTORY_ENTRY_NO] = {"entry_no", INT4OID, true, "number of the change of this lead, from 1 in the order of the changes"},
	[HISTORY_EVENT] = {"event", TEXTOID, true, "opening, entry, move, owner, rekey, touch, override, deleted or truncated"},
	[HISTORY_EFFECTIVE_AT] = {"effective_at", TIMESTAMPTZOID, true, "when it happened, by the changed_at column, else recorded_at; never before the stage entry that it follows"},
	[HISTORY_RECORDED_AT] = {"recorded_at", TIMESTAMPTZOID, true, "when it was recorded; strictly increasing for a lead"},
	[HISTORY_FROM_STAGE] = {"from_stage", TEXTOID, false, "stage before, null if there was none"},
	[HISTORY_STAGE] = {"stage", TEXTOID, false, "stage after, null if there is none"},
	[HISTORY_FROM_TEAM] = {"from_team", TEXTOID, false, "team that held the lead before"},
	[HISTORY_TEAM] = {"team", TEXTOID, false, "team that holds the lead after: the team column, else the holder of the stage"},
	[HISTORY_ASSIGNEE] = {"assignee", TEXTOID, false, "person who holds the lead"},
	[HISTORY_ACTOR] = {"actor", TEXTOID, false, "person who made the change: the actor column, else the setting align.actor"},
	[HISTORY_DB_ROLE] = {"db_role", TEXTOID, false, "database role that made the change"},
	[HISTORY_REASON] = {"reason", TEXTOID, false, "reason given"},
	[HISTORY_NOTE] = {"note", TEXTOID, false, "the note column; for an override, its reason; for a rekey, the old key"},
	[HISTORY_CAMPAIGN] = {"campaign", TEXTOID, false, "campaign"},
	[HISTORY_AMOUNT] = {"amount", NUMERICOID, false, "amount, in the one currency of the table"},
	[HISTORY_AGREEMENT] = {"agreement", TEXTOID, false, "agreement that judged the change"},
	[HISTORY_VERSION] = {"version", INT4OID, false, "its version"},
	[HISTORY_VIOLATION] = {"violation", TEXTOID, false, "rules that the change broke, gravest first; null if none"},
	[HISTORY_SOURCE] = {"source", TEXTOID, false, "origin of the entry: null for an ordinary change, backdated, postdated, undated, adopted, import, live, resumed, or merged and the key it was merged from"},
	[HISTORY_BRANCH] = {"branch", TEXTOID, false, "reserved for tables that share a journey"},
	[HISTORY_HANDOFF] = {"handoff", TEXTOID, false, "handoff that the entry submits, null if none"},
	[HISTORY_NOTIFIED_AT] = {"notified_at", TIMESTAMPTZOID, false, "when the handoff was announced"},
	[HISTORY_SEGMENTS] = {"segments", TEXTARRAYOID, false, "segments of the agreement that held of the row; null if there were none"},
};

const OwnColumn align_sla_columns[SLA_NCOLUMNS] = {
	[SLA_SLA] = {"sla", TEXTOID, true, "service level or handoff, as the agreement names it"},
	[SLA_CYCLE] = {"cycle", INT4OID, true, "number of the cycle for this lead, from 1"},
	[SLA_TEAM] = {"team", TEXTOID, false, "team that promised"},
	[SLA_ASSIGNEE_AT_START] = {"assignee_at_start", TEXTOID, false, "person who held the lead when the clock started"},
	[SLA_ASSIGNEE_AT_DUE] = {"assignee_at_due", TEXTOID, false, "person who held the lead at the due instant; until then, who holds it now"},
	[SLA_ASSIGNEE_AT_STOP] = {"assignee_at_stop", TEXTOID, false, "person who held the lead when the clock stopped"},
	[SLA_STARTED_AT] = {"started_at", TIMESTAMPTZOID, true, "when the clock started"},
	[SLA_DUE_AT] = {"due_at", TIMESTAMPTZOID, true, "when the clock is due; while paused, as of the beginning of the pause"},
	[SLA_WARN_AT] = {"warn_at", TIMESTAMPTZOID, false, "when the clock is at risk; null without a warning"},
	[SLA_PAUSED] = {"paused", TSTZMULTIRANGEOID, true, "periods in which the clock was paused; unbounded above while it is"},
	[SLA_ELAPSED] = {"elapsed", INTERVALOID, false, "time counted, elapsed or working time as promised; null while open"},
	[SLA_STOPPED_AT] = {"stopped_at", TIMESTAMPTZOID, false, "when the clock stopped; null while open"},
	[SLA_OUTCOME] = {"outcome", TEXTOID, false, "met, missed or cancelled; null while open"},
	[SLA_AGREEMENT] = {"agreement", TEXTOID, false, "agreement that the clock was started under"},
	[SLA_VERSION] = {"version", INT4OID, true, "its version"},
	[SLA_WARN_NOTIFIED_AT] = {"warn_notified_at", TIMESTAMPTZOID, false, "when the clock was announced as at risk"},
	[SLA_DUE_NOTIFIED_AT] = {"due_notified_at", TIMESTAMPTZOID, false, "when the clock was announced as overdue"},
};

const char *const align_history_event_names[HISTORY_NEVENTS] = {
	[EVENT_OPENING] = "opening",
	[EVENT_ENTRY] = "entry",
	[EVENT_MOVE] = "move",
	[EVENT_OWNER] = "owner",
	[EVENT_REKEY] = "rekey",
	[EVENT_TOUCH] = "touch",
	[EVENT_OVERRIDE] = "override",
	[EVENT_DELETED] = "deleted",
	[EVENT_TRUNCATED] = "truncated",
};

/*
 * Returns the HistoryEvent of a name, or -1.
 */
int
align_history_event(const char *name, int len)
{
	for (int i = 0; i < HISTORY_NEVENTS; i++)
	{
		if (strlen(align_history_event_names[i]) == (size_t) len &&
			memcmp(align_history_event_names[i], name, len) == 0)
			return i;
	}
	return -1;
}

/*
 * Returns true if an entry was merged from another lead.
 */
bool
align_source_is_merged(const char *source, int len)
{
	int			merged_len = strlen(SOURCE_MERGED);

	return source != NULL && len >= merged_len && memcmp(source, SOURCE_MERGED, merged_len) == 0;
}

/*
 * Returns true if an entry was dated before an earlier one, and not merged.
 */
bool
align_source_is_backfill(const char *source, int len)
{
	int			backfill_len = strlen(SOURCE_BACKFILL);

	return source != NULL && len == backfill_len &&
		memcmp(source, SOURCE_BACKFILL, backfill_len) == 0;
}

/*
 * Returns true if the last part of a source is the given text.
 */
static bool
EndsWith(const char *source, int len, const char *text)
{
	int			text_len = strlen(text);

	return source != NULL && len >= text_len &&
		memcmp(source + len - text_len, text, text_len) == 0;
}

/*
 * Returns true if an entry is a change of a row that was not live.
 */
bool
align_source_is_not_live(const char *source, int len)
{
	return EndsWith(source, len, SOURCE_NOT_LIVE);
}

/*
 * Returns true if it is not known since when the lead was in the stage.
 */
bool
align_source_is_undated(const char *source, int len)
{
	return EndsWith(source, len, SOURCE_UNDATED);
}

/*
 * Returns true if the row of an entry became live or ceased to be live.
 */
bool
align_source_is_live(const char *source, int len)
{
	return len == (int) strlen(SOURCE_LIVE) && EndsWith(source, len, SOURCE_LIVE);
}

/*
 * Returns the stage in which a lead was when its row ceased to be live.
 */
const char *
align_suspended_stage(int event, const char *source, const char *from_stage, const char *stage)
{
	if (event != EVENT_DELETED && event != EVENT_TRUNCATED)
		return stage;
	return source != NULL && align_source_is_live(source, strlen(source)) ? from_stage : NULL;
}

/*
 * Returns true if the row of an entry became live again.
 */
bool
align_source_is_resumed(const char *source, int len)
{
	return len == (int) strlen(SOURCE_RESUMED) && EndsWith(source, len, SOURCE_RESUMED);
}

/*
 * Returns true if an event can put a lead into a stage.
 */
bool
align_is_stage_event(int event)
{
	return event == EVENT_OPENING || event == EVENT_ENTRY || event == EVENT_MOVE ||
		event == EVENT_OVERRIDE;
}

/*
 * Returns true if an entry ends a life of its lead.
 */
bool
align_ends_life(int event, bool merged)
{
	return (event == EVENT_DELETED || event == EVENT_TRUNCATED) && !merged;
}

/*
 * Returns the values in the text of a key, as a pointer into it.
 */
const char *
align_key_text_values(const char *key_text)
{
	const char *values = strstr(key_text, ")=(");

	Assert(values != NULL);
	return values + 2;
}
