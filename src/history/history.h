/*
 * history.h
 *	  The two tables that go with an attached table.
 *
 * Both begin with the key columns of the attached table, in the order of the
 * key and in its types (renamed with the prefix "key_" where the name is one of
 * those below); align's own columns are found by name and have built-in types.
 * So they outlive the extension, and any tool can read them.
 *
 * History, <table>_history: append-only, one row per change of a lead.
 *
 *	  - entry_no numbers the changes of a lead from 1 without gaps, in the order
 *		in which the versions of its row were made;
 *	  - recorded_at is strictly increasing with entry_no;
 *	  - from_stage is the stage of the entry before (by entry_no), null after
 *		none, deleted and truncated;
 *	  - stages are names of the agreement where the label was known to it, else
 *		the label itself;
 *	  - effective_at is when it happened, as told by the changed_at column, else
 *		recorded_at (but not before what was recorded earlier).  The journey of a lead is its entries by (effective_at,
 *		entry_no); an entry that was not the last of that order when it was
 *		recorded has source 'backfill';
 *	  - deleted and truncated end a life (unless they were merged): a row that
 *		comes back under the same key, or that takes the key, lives after that,
 *		however early its times are.  Clocks follow lives, then that order.
 *
 * Clock table, <table>_sla: one row per cycle of a service level.  outcome is
 * null while the clock is open; whether it then is running, at risk, overdue or
 * paused is derived when read.  While it is paused, the last period of "paused"
 * has no upper bound and due_at and warn_at are as of its beginning.
 */
#ifndef ALIGN_HISTORY_H
#define ALIGN_HISTORY_H

#include "compat.h"

typedef enum HistoryColumn
{
	HISTORY_ENTRY_NO,			/* int */
	HISTORY_EVENT,				/* text, see HistoryEvent */
	HISTORY_EFFECTIVE_AT,		/* timestamptz */
	HISTORY_RECORDED_AT,		/* timestamptz */
	HISTORY_FROM_STAGE,			/* text */
	HISTORY_STAGE,				/* text; null: left the funnel, deleted,
								 * truncated */
	HISTORY_FROM_TEAM,			/* text: who held it before */
	HISTORY_TEAM,				/* text: the team column, else who holds the
								 * stage */
	HISTORY_ASSIGNEE,			/* text */
	HISTORY_ACTOR,				/* text: the actor column */
	HISTORY_DB_ROLE,			/* text: the database role that did it */
	HISTORY_REASON,				/* text */
	HISTORY_NOTE,				/* text; of an override: why */
	HISTORY_CAMPAIGN,			/* text */
	HISTORY_AMOUNT,				/* numeric */
	HISTORY_AGREEMENT,			/* text: name of the agreement that judged it */
	HISTORY_VERSION,			/* int: its version */
	HISTORY_VIOLATION,			/* text: names of the rules broken, gravest
								 * first, joined by ", "; null: none */
	HISTORY_SOURCE,				/* text: null, 'backfill', 'adopted', 'live'
								 * (it ended or began to be live), 'not live'
								 * (a change in between), or 'merged (id)=(7)' */
	HISTORY_BRANCH,				/* text: null; for tables that share a journey */
	HISTORY_HANDOFF,			/* text: the handoff that this entry submits */
	HISTORY_NOTIFIED_AT			/* timestamptz: when align_handoff was sent
								 * for it */
} HistoryColumn;

#define HISTORY_NCOLUMNS (HISTORY_NOTIFIED_AT + 1)

#define SOURCE_BACKFILL "backfill"
#define SOURCE_ADOPTED "adopted"
#define SOURCE_LIVE "live"
#define SOURCE_NOT_LIVE "not live"
#define SOURCE_MERGED "merged"	/* how it begins */

typedef enum SlaColumn
{
	SLA_SLA,					/* text */
	SLA_CYCLE,					/* int, from 1 per lead and service level */
	SLA_TEAM,					/* text: who promises */
	SLA_ASSIGNEE_AT_START,		/* text */
	SLA_ASSIGNEE_AT_DUE,		/* text: who held the lead at the due instant,
								 * or holds it as long as that has not come */
	SLA_ASSIGNEE_AT_STOP,		/* text */
	SLA_STARTED_AT,				/* timestamptz */
	SLA_DUE_AT,					/* timestamptz */
	SLA_WARN_AT,				/* timestamptz, null: no warning */
	SLA_PAUSED,					/* tstzmultirange, never null */
	SLA_ELAPSED,				/* interval: counted time, null while open */
	SLA_STOPPED_AT,				/* timestamptz */
	SLA_OUTCOME,				/* text: met, missed, cancelled; null while
								 * open */
	SLA_AGREEMENT,				/* text: name of the agreement that it was
								 * started under */
	SLA_VERSION,				/* int: its version */
	SLA_WARN_NOTIFIED_AT,		/* timestamptz: when align_sla was sent for it */
	SLA_DUE_NOTIFIED_AT			/* timestamptz */
} SlaColumn;

#define SLA_NCOLUMNS (SLA_DUE_NOTIFIED_AT + 1)

typedef struct OwnColumn
{
	const char *name;			/* entry_no, ... */
	Oid			type;
	bool		not_null;
	const char *comment;		/* for COMMENT ON COLUMN */
} OwnColumn;

/* history.c */
extern const OwnColumn align_history_columns[HISTORY_NCOLUMNS];
extern const OwnColumn align_sla_columns[SLA_NCOLUMNS];

typedef enum HistoryEvent
{
	EVENT_OPENING,				/* a row that was there when the table was
								 * attached */
	EVENT_ENTRY,				/* a lead enters the funnel */
	EVENT_MOVE,
	EVENT_OWNER,				/* team or assignee changed, not the stage */
	EVENT_REKEY,				/* its key changed; note tells the old one */
	EVENT_TOUCH,				/* for event tables */
	EVENT_OVERRIDE,				/* an entry or move that align.override let
								 * pass */
	EVENT_DELETED,				/* also: no longer live (source 'live') */
	EVENT_TRUNCATED
} HistoryEvent;

#define HISTORY_NEVENTS (EVENT_TRUNCATED + 1)

extern const char *const align_history_event_names[HISTORY_NEVENTS];

/* -1 if it is none of them. */
extern int	align_history_event(const char *name, int len);

/*
 * What a source (NULL: none) says of its entry.  An entry that was merged from
 * another lead still says, at the end, what it said before.
 */
extern bool align_source_is_merged(const char *source, int len);
extern bool align_source_is_not_live(const char *source, int len);
extern bool align_source_is_backfill(const char *source, int len);

/* Is it an event that may put a lead into a stage?  (Any int: -1 is none.) */
extern bool align_is_stage_event(int event);

/*
 * The same asked of a row of the history in SQL text, with operators qualified.
 */
#define HISTORY_IS_LIVE(alias) \
	"COALESCE(" alias ".source, '') OPERATOR(pg_catalog.!~) '" SOURCE_NOT_LIVE "$'"
/* A stage entry that was in order when it was recorded. */
#define HISTORY_IN_ORDER(alias) \
	alias ".event OPERATOR(pg_catalog.=) ANY ('{opening,entry,move,override}'::pg_catalog.text[]) AND " \
	"COALESCE(" alias ".source, '') OPERATOR(pg_catalog.<>) '" SOURCE_BACKFILL "' AND " \
	HISTORY_IS_LIVE(alias) " AND " HISTORY_IS_ITS_OWN(alias)
#define HISTORY_ENDS_LIFE(alias) \
	"(" alias ".event OPERATOR(pg_catalog.=) 'deleted' OR " \
	alias ".event OPERATOR(pg_catalog.=) 'truncated') AND " HISTORY_IS_ITS_OWN(alias)
#define HISTORY_IS_ITS_OWN(alias) \
	"COALESCE(" alias ".source, '') OPERATOR(pg_catalog.!~) '^" SOURCE_MERGED "'"

/*
 * The values of the key that a rekey entry mentions, "(7)" of "was (id)=(7)", in SQL
 * text; history tables have an index on it.  And the same of a key as it is stored.
 */
#define HISTORY_MENTIONED(note) "pg_catalog.\"substring\"(" note ", '[)]=([(].*)$')"
extern const char *align_mentioned_values(const char *key_text);

/* Do the entries after this one belong to another life? */
extern bool align_ends_life(int event, bool merged);

#endif							/* ALIGN_HISTORY_H */
