/*
 * history.h
 *	  The record tables of an attached table: history and clock table.
 *
 * Both begin with the key columns of the attached table, in the order of the
 * key and with its types.  A key column with one of the names below gets the
 * prefix "key_".  align's own columns are found by name and have built-in
 * types.  So the tables outlive the extension, and any tool can read them.
 *
 * The history, <table>_history, is append-only and has one entry per change of
 * a lead:
 *
 *	  - entry_no numbers the entries of a lead from 1 without gaps, in the
 *		order in which the versions of its row were made;
 *	  - recorded_at increases strictly with entry_no;
 *	  - from_stage is the stage of the previous entry by entry_no; null for the
 *		first entry, and after "deleted" and "truncated";
 *	  - stages are stored by the agreement's name for them, or as the label in
 *		the row if the agreement does not know it;
 *	  - effective_at is when the change happened: the value of the changed_at
 *		column, else recorded_at.  The journey of a lead is its stage entries
 *		in order of (effective_at, entry_no), and a change of the row follows
 *		what it replaces: effective_at is not before that of an earlier stage
 *		entry (nor, of an owner entry, before that of an earlier owner entry),
 *		and not after recorded_at.  An entry whose time was corrected has
 *		source "backdated" or "postdated".  Versions before 0.4 did not correct
 *		it; an entry that was not the last in this order then has source
 *		"backfill";
 *	  - the events "deleted" and "truncated" end a life of the lead, unless
 *		they were merged from another lead.  If a row appears again under the
 *		key, it begins another life, which comes after the previous one even if
 *		its times are earlier.  Clocks are computed life by life, each in the
 *		order of the journey.
 *
 * The clock table, <table>_sla, has one row per cycle of a service level.
 * outcome is null while the clock is open; whether it is running, at risk,
 * overdue or paused is derived when it is read.  While it is paused, the last
 * period of "paused" has no upper bound, and due_at and warn_at are as of the
 * beginning of that pause.
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
	HISTORY_STAGE,				/* text; null if the lead left the funnel, was
								 * deleted or truncated */
	HISTORY_FROM_TEAM,			/* text: team that held the lead before */
	HISTORY_TEAM,				/* text: the team column, else the team that
								 * holds the stage */
	HISTORY_ASSIGNEE,			/* text */
	HISTORY_ACTOR,				/* text: the actor column */
	HISTORY_DB_ROLE,			/* text: database role that made the change */
	HISTORY_REASON,				/* text */
	HISTORY_NOTE,				/* text; for an override, its reason; for a
								 * rekey, the old key */
	HISTORY_CAMPAIGN,			/* text */
	HISTORY_AMOUNT,				/* numeric */
	HISTORY_AGREEMENT,			/* text: agreement that judged the change */
	HISTORY_VERSION,			/* int: its version */
	HISTORY_VIOLATION,			/* text: names of the broken rules, gravest
								 * first, joined by ", "; null if none */
	HISTORY_SOURCE,				/* text: null or one of the values below */
	HISTORY_BRANCH,				/* text: null; reserved for tables that share
								 * a journey */
	HISTORY_HANDOFF,			/* text: the handoff that this entry submits */
	HISTORY_NOTIFIED_AT,		/* timestamptz: when align_handoff was sent
								 * for it */
	HISTORY_SEGMENTS			/* text[]: segments that held of the row; null
								 * if there were none */
} HistoryColumn;

#define HISTORY_NCOLUMNS (HISTORY_SEGMENTS + 1)

/*
 * A history that was created before 0.4 has only so many of these columns
 * until its table is attached again (Attachment.history_ncolumns).
 */
#define HISTORY_MIN_COLUMNS HISTORY_SEGMENTS

/*
 * Values of HISTORY_SOURCE.  An entry merged from another lead has the key of
 * that lead and its previous source, if any: "merged (id)=(7), resumed".
 */
#define SOURCE_BACKDATED "backdated"	/* the row had an earlier time than
										 * the entry that this one follows */
#define SOURCE_POSTDATED "postdated"	/* the row had a time in the future */
#define SOURCE_ADOPTED "adopted"	/* found when the table was attached */
#define SOURCE_UNDATED "undated"	/* found when the table was attached;
									 * since when it was so is not known */
#define SOURCE_ADOPTED_UNDATED "adopted, undated"	/* both */
#define SOURCE_LIVE "live"		/* the row became live or ceased to be live */
#define SOURCE_RESUMED "resumed"	/* the row became live again */
#define SOURCE_IMPORT "import"	/* by import_history() */
#define SOURCE_MERGED "merged"	/* prefix */

/* Only in entries of earlier versions. */
#define SOURCE_BACKFILL "backfill"	/* dated before an earlier entry */
#define SOURCE_NOT_LIVE "not live"	/* change of a row that is not live; the
									 * source of a rekey still */

typedef enum SlaColumn
{
	SLA_SLA,					/* text: name of the service level */
	SLA_CYCLE,					/* int, from 1 per lead and service level */
	SLA_TEAM,					/* text: promising team */
	SLA_ASSIGNEE_AT_START,		/* text */
	SLA_ASSIGNEE_AT_DUE,		/* text: assignee at the due instant; until
								 * then, the current one */
	SLA_ASSIGNEE_AT_STOP,		/* text */
	SLA_STARTED_AT,				/* timestamptz */
	SLA_DUE_AT,					/* timestamptz */
	SLA_WARN_AT,				/* timestamptz, null without a warning */
	SLA_PAUSED,					/* tstzmultirange, never null */
	SLA_ELAPSED,				/* interval: counted time, null while open */
	SLA_STOPPED_AT,				/* timestamptz */
	SLA_OUTCOME,				/* text: met, missed, cancelled; null while
								 * open */
	SLA_AGREEMENT,				/* text: name of the agreement that it was
								 * started under */
	SLA_VERSION,				/* int: its version */
	SLA_WARN_NOTIFIED_AT,		/* timestamptz: when align_sla was sent */
	SLA_DUE_NOTIFIED_AT			/* timestamptz */
} SlaColumn;

#define SLA_NCOLUMNS (SLA_DUE_NOTIFIED_AT + 1)

/* One of align's own columns of a record table. */
typedef struct OwnColumn
{
	const char *name;
	Oid			type;
	bool		not_null;
	const char *comment;		/* for COMMENT ON COLUMN */
} OwnColumn;

/* Indexed by HistoryColumn and SlaColumn. */
extern const OwnColumn align_history_columns[HISTORY_NCOLUMNS];
extern const OwnColumn align_sla_columns[SLA_NCOLUMNS];

typedef enum HistoryEvent
{
	EVENT_OPENING,				/* found in a stage, as when the table is
								 * attached */
	EVENT_ENTRY,				/* the lead entered the funnel */
	EVENT_MOVE,					/* the stage changed */
	EVENT_OWNER,				/* team or assignee changed, not the stage */
	EVENT_REKEY,				/* the key changed; note has the old one */
	EVENT_TOUCH,				/* reserved for event tables */
	EVENT_OVERRIDE,				/* an entry or move that broke a rule and was
								 * allowed by align.override */
	EVENT_DELETED,				/* the row was deleted, or ceased to be live
								 * (source "live") */
	EVENT_TRUNCATED				/* the table was truncated */
} HistoryEvent;

#define HISTORY_NEVENTS (EVENT_TRUNCATED + 1)

extern const char *const align_history_event_names[HISTORY_NEVENTS];

/* The HistoryEvent of a name, or -1. */
extern int	align_history_event(const char *name, int len);

/*
 * The stage in which a lead was when its row ceased to be live, by its last
 * entry: the one before an entry that ended its life so, NULL if another one
 * ended it, else the one after the entry.
 */
extern const char *align_suspended_stage(int event, const char *source, const char *from_stage,
										 const char *stage);

/*
 * Tests of the source of an entry, which may be NULL.  A merged entry that was
 * "not live" before is so still.  One that was "backfill" is no longer.
 */
extern bool align_source_is_merged(const char *source, int len);
extern bool align_source_is_not_live(const char *source, int len);
extern bool align_source_is_backfill(const char *source, int len);

/*
 * The same for "undated", also after "adopted" or "merged", and for "live" and
 * "resumed", which are false for merged entries.
 */
extern bool align_source_is_undated(const char *source, int len);
extern bool align_source_is_live(const char *source, int len);
extern bool align_source_is_resumed(const char *source, int len);

/* The same for a null-terminated string. */
static inline bool
SourceIsNotLive(const char *source)
{
	return source != NULL && align_source_is_not_live(source, strlen(source));
}

/*
 * True if an event can put a lead into a stage; false for -1.  Its entry is a
 * stage entry.
 */
extern bool align_is_stage_event(int event);

/*
 * SQL conditions on a row of the history, with qualified operators.
 */
#define HISTORY_IS_LIVE(alias) \
	"COALESCE(" alias ".source, '') OPERATOR(pg_catalog.!~) '" SOURCE_NOT_LIVE "$'"
/* An entry of the lead's own that shows in which stage it was. */
#define HISTORY_SHOWS_STAGE(alias) \
	"(" alias ".event OPERATOR(pg_catalog.<>) 'rekey' AND " \
	alias ".event OPERATOR(pg_catalog.<>) 'touch' AND " \
	HISTORY_IS_LIVE(alias) " AND " HISTORY_IS_NOT_MERGED(alias) ")"
#define HISTORY_IS_STAGE_EVENT(alias) \
	alias ".event OPERATOR(pg_catalog.=) ANY ('{opening,entry,move,override}'::pg_catalog.text[])"
/* An entry of the journey, merged or not. */
#define HISTORY_PUTS_INTO_STAGE(alias) \
	"(" HISTORY_IS_STAGE_EVENT(alias) " AND " HISTORY_IS_LIVE(alias) ")"
/* A stage entry that was last in the journey when it was recorded. */
#define HISTORY_IN_ORDER(alias) \
	HISTORY_IS_STAGE_EVENT(alias) " AND " \
	"COALESCE(" alias ".source, '') OPERATOR(pg_catalog.<>) '" SOURCE_BACKFILL "' AND " \
	HISTORY_IS_LIVE(alias) " AND " HISTORY_IS_NOT_MERGED(alias)
/* align_ends_life() */
#define HISTORY_ENDS_LIFE(alias) \
	"(" alias ".event OPERATOR(pg_catalog.=) 'deleted' OR " \
	alias ".event OPERATOR(pg_catalog.=) 'truncated') AND " HISTORY_IS_NOT_MERGED(alias)
#define HISTORY_IS_NOT_MERGED(alias) \
	"COALESCE(" alias ".source, '') OPERATOR(pg_catalog.!~) '^" SOURCE_MERGED "'"

/*
 * The values in the text of a key, such as "(7)" in "(id)=(7)".  The macro is
 * an SQL expression that takes them from the note of a rekey entry, such as
 * "was (id)=(7)"; history tables have an index on it.  The result of the
 * function points into its argument.
 */
#define HISTORY_OLD_KEY_VALUES(note) "pg_catalog.\"substring\"(" note ", '[)]=([(].*)$')"
extern const char *align_key_text_values(const char *key_text);

/*
 * True if an entry ends a life of its lead, so that later entries belong to
 * another life.
 */
extern bool align_ends_life(int event, bool merged);

#endif							/* ALIGN_HISTORY_H */
