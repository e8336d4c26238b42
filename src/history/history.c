/*
 * history.c
 *	  The columns and events of history and clock tables, by name.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "history/history.h"

const OwnColumn align_history_columns[HISTORY_NCOLUMNS] = {
	[HISTORY_ENTRY_NO] = {"entry_no", INT4OID, true, "number of the change of this lead, from 1, in the order in which the changes were made"},
	[HISTORY_EVENT] = {"event", TEXTOID, true, "opening, entry, move, owner, rekey, touch, override, deleted or truncated"},
	[HISTORY_EFFECTIVE_AT] = {"effective_at", TIMESTAMPTZOID, true, "when it happened, as the table tells it, else recorded_at"},
	[HISTORY_RECORDED_AT] = {"recorded_at", TIMESTAMPTZOID, true, "when it was recorded; strictly increasing for a lead"},
	[HISTORY_FROM_STAGE] = {"from_stage", TEXTOID, false, "stage before, null if none"},
	[HISTORY_STAGE] = {"stage", TEXTOID, false, "stage after, null if none"},
	[HISTORY_FROM_TEAM] = {"from_team", TEXTOID, false, "team that held the lead before"},
	[HISTORY_TEAM] = {"team", TEXTOID, false, "team that holds it after: as the table tells it, else the holder of the stage"},
	[HISTORY_ASSIGNEE] = {"assignee", TEXTOID, false, "person who holds it"},
	[HISTORY_ACTOR] = {"actor", TEXTOID, false, "person who did it, as the table tells it"},
	[HISTORY_DB_ROLE] = {"db_role", TEXTOID, false, "database role that did it"},
	[HISTORY_REASON] = {"reason", TEXTOID, false, "reason given"},
	[HISTORY_NOTE] = {"note", TEXTOID, false, "note, as the table tells it; of an override, why; of a rekey, the old key"},
	[HISTORY_CAMPAIGN] = {"campaign", TEXTOID, false, "campaign"},
	[HISTORY_AMOUNT] = {"amount", NUMERICOID, false, "amount, in the one currency of the table"},
	[HISTORY_AGREEMENT] = {"agreement", TEXTOID, false, "agreement that judged it"},
	[HISTORY_VERSION] = {"version", INT4OID, false, "its version"},
	[HISTORY_VIOLATION] = {"violation", TEXTOID, false, "rules that it broke, gravest first; null if none"},
	[HISTORY_SOURCE] = {"source", TEXTOID, false, "where the entry came from: null for a change as it was made, backfill, adopted, live, or merged and the key it was merged from"},
	[HISTORY_BRANCH] = {"branch", TEXTOID, false, "reserved for tables that share a journey"},
	[HISTORY_HANDOFF] = {"handoff", TEXTOID, false, "handoff that it submits, null if none"},
	[HISTORY_NOTIFIED_AT] = {"notified_at", TIMESTAMPTZOID, false, "when the handoff was announced"},
};

const OwnColumn align_sla_columns[SLA_NCOLUMNS] = {
	[SLA_SLA] = {"sla", TEXTOID, true, "service level or handoff, as the agreement names it"},
	[SLA_CYCLE] = {"cycle", INT4OID, true, "number of the cycle for this lead, from 1"},
	[SLA_TEAM] = {"team", TEXTOID, false, "team that promised"},
	[SLA_ASSIGNEE_AT_START] = {"assignee_at_start", TEXTOID, false, "person who held the lead when the clock started"},
	[SLA_ASSIGNEE_AT_DUE] = {"assignee_at_due", TEXTOID, false, "person who held it at the due instant, or holds it while that has not come"},
	[SLA_ASSIGNEE_AT_STOP] = {"assignee_at_stop", TEXTOID, false, "person who held it when the clock stopped"},
	[SLA_STARTED_AT] = {"started_at", TIMESTAMPTZOID, true, "when the clock started"},
	[SLA_DUE_AT] = {"due_at", TIMESTAMPTZOID, true, "when it is due; while paused, as of the beginning of the pause"},
	[SLA_WARN_AT] = {"warn_at", TIMESTAMPTZOID, false, "when it is at risk; null without a warning"},
	[SLA_PAUSED] = {"paused", TSTZMULTIRANGEOID, true, "periods in which it was paused; unbounded above while it is"},
	[SLA_ELAPSED] = {"elapsed", INTERVALOID, false, "time counted, in the kind of time that was promised; null while open"},
	[SLA_STOPPED_AT] = {"stopped_at", TIMESTAMPTZOID, false, "when it stopped; null while open"},
	[SLA_OUTCOME] = {"outcome", TEXTOID, false, "met, missed or cancelled; null while open"},
	[SLA_AGREEMENT] = {"agreement", TEXTOID, false, "agreement that it was started under"},
	[SLA_VERSION] = {"version", INT4OID, true, "its version"},
	[SLA_WARN_NOTIFIED_AT] = {"warn_notified_at", TIMESTAMPTZOID, false, "when it was announced as at risk"},
	[SLA_DUE_NOTIFIED_AT] = {"due_notified_at", TIMESTAMPTZOID, false, "when it was announced as overdue"},
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

bool
align_source_is_merged(const char *source, int len)
{
	int			merged_len = strlen(SOURCE_MERGED);

	return source != NULL && len >= merged_len && memcmp(source, SOURCE_MERGED, merged_len) == 0;
}

bool
align_source_is_backfill(const char *source, int len)
{
	int			backfill_len = strlen(SOURCE_BACKFILL);

	return source != NULL && len == backfill_len &&
		memcmp(source, SOURCE_BACKFILL, backfill_len) == 0;
}

bool
align_source_is_not_live(const char *source, int len)
{
	int			not_live_len = strlen(SOURCE_NOT_LIVE);

	return source != NULL && len >= not_live_len &&
		memcmp(source + len - not_live_len, SOURCE_NOT_LIVE, not_live_len) == 0;
}

bool
align_is_stage_event(int event)
{
	return event == EVENT_OPENING || event == EVENT_ENTRY || event == EVENT_MOVE ||
		event == EVENT_OVERRIDE;
}

bool
align_ends_life(int event, bool merged)
{
	return (event == EVENT_DELETED || event == EVENT_TRUNCATED) && !merged;
}

const char *
align_mentioned_values(const char *key_text)
{
	const char *values = strstr(key_text, ")=(");

	Assert(values != NULL);
	return values + 2;
}
