/*
 * plans.h
 *	  The SQL statements that read and write the record tables.
 *
 * The input of a statement is one or more ephemeral named relations, like
 * transition tables.  In the column lists below, "key" stands for key_1,
 * key_2, ... and "old key" for old_1, old_2, ..., in the types of the key
 * columns.  HistoryColumns and SlaColumns have the names and types of
 * history.h.  n is an int that the caller chooses; the result has it to
 * identify the input row.
 */
#ifndef ALIGN_RECORD_PLANS_H
#define ALIGN_RECORD_PLANS_H

#include "compat.h"

#include "access/tupdesc.h"
#include "attachment/attachment.h"
#include "lib/stringinfo.h"
#include "utils/tuplestore.h"

typedef enum RecorderStatement
{
	/*
	 * For each row of align_rows (n, key), returns the last entry of the lead
	 * and the clock of the highest cycle of each service level: one row per
	 * clock, or one row with nulls if there is none.  The columns of the
	 * result are LEAD_N and so on.
	 */
	READ_LEADS,

	/*
	 * The same with LEAD_LATEST, LEAD_LATEST_STAGE and LEAD_IN_ORDER, which
	 * READ_LEADS returns as null, null and true.
	 */
	READ_LEADS_WITH_TIMES,

	/*
	 * For each row of align_rows (n, key), returns all entries of the lead.
	 * They are ordered by n, life, time and entry_no, where the time of an
	 * entry is effective_at; that of an owner entry at most the effective_at
	 * of the next stage entry in order, because that change was made to a row
	 * which had the new owner already.  The columns of the result are ENTRY_N
	 * and so on.
	 */
	READ_ENTRIES,

	/*
	 * For each row of align_rows (n, key), returns what past.c needs of the
	 * last entry of the lead, if it has one.  The columns of the result are
	 * PAST_EVENT and so on.
	 */
	READ_PAST,

	/*
	 * For each row of align_rows (n, key), returns all entries of the lead,
	 * ordered by n and entry_no: n, then HistoryColumns up to notified_at.
	 */
	READ_HISTORY,

	/*
	 * For all rows of align_rows (n, key, old key) together, returns the
	 * number of entries and the number of clocks of the old keys.
	 */
	COUNT_OLD_KEYS,

	/*
	 * Inserts align_entries (key, HistoryColumns) and align_new_clocks (key,
	 * SlaColumns), and updates the clocks that have the key, sla and cycle of
	 * a row of align_changed_clocks (key, SlaColumns).  Returns the numbers
	 * of rows inserted or updated, in this order.
	 */
	WRITE_LEADS,

	/* Inserts align_new_clocks (key, SlaColumns). */
	ADD_CLOCKS,

	/*
	 * Deletes the clocks of each row of align_rows (n, key).  Returns one row
	 * per deleted clock, or one row with nulls if there is none.  The columns
	 * of the result are DROPPED_TOTAL and so on.
	 */
	DROP_CLOCKS,

	/*
	 * Give entries and clocks with the old keys of align_rows (n, key, old
	 * key) the new ones.  The statements "aside" make entry_no or cycle
	 * negative, so that leads can swap their keys; the others then number the
	 * rows after those that the new key has already.
	 */
	REKEY_ENTRIES_ASIDE,
	REKEY_CLOCKS_ASIDE,
	REKEY_ENTRIES,
	REKEY_CLOCKS,

	/*
	 * Number the entries of leads again.  SHIFT_ENTRIES_ASIDE adds n of
	 * align_rows (n, key) to the numbers of all entries but the first, and
	 * makes them negative, so that they do not collide; SHIFT_ENTRIES_BACK
	 * makes them positive.
	 */
	SHIFT_ENTRIES_ASIDE,
	SHIFT_ENTRIES_BACK,

	/*
	 * Changes the first entry of the lead of each row of align_entries (key,
	 * HistoryColumns), except for when and by which role it was recorded.
	 * notified_at is set only if it was null.
	 */
	REPLACE_FIRST_ENTRIES
} RecorderStatement;

#define RECORDER_NSTATEMENTS (REPLACE_FIRST_ENTRIES + 1)

/* Attribute numbers in the result of READ_LEADS and READ_LEADS_WITH_TIMES. */
#define LEAD_N 1
#define LEAD_ENTRY_NO 2
#define LEAD_RECORDED_AT 3
#define LEAD_EFFECTIVE_AT 4
#define LEAD_EVENT 5
#define LEAD_STAGE 6
#define LEAD_TEAM 7
#define LEAD_ASSIGNEE 8
#define LEAD_SOURCE 9
#define LEAD_AGREEMENT 10
#define LEAD_VERSION 11
#define LEAD_LATEST 12			/* see LastEntry in run.c */
#define LEAD_LATEST_STAGE 13	/* likewise */
#define LEAD_IN_ORDER 14		/* likewise */
#define LEAD_CLOCK 15			/* the first of SlaColumns; null if there is
								 * no clock */

/* Attribute numbers in the result of READ_ENTRIES. */
#define ENTRY_N 1
#define ENTRY_EVENT 2
#define ENTRY_AT 3				/* the time that the entry is ordered by */
#define ENTRY_RECORDED_AT 4
#define ENTRY_STAGE 5
#define ENTRY_ASSIGNEE 6
#define ENTRY_AGREEMENT 7
#define ENTRY_VERSION 8
#define ENTRY_SOURCE 9
#define ENTRY_SEGMENTS 10

/* Attribute numbers in the result of READ_PAST. */
#define PAST_EVENT 1			/* of the last entry that was not merged and
								 * is no rekey or touch, like the next five */
#define PAST_SOURCE 2
#define PAST_FROM_STAGE 3
#define PAST_STAGE 4
#define PAST_AGREEMENT 5
#define PAST_VERSION 6
#define PAST_MERGED 7			/* a lead was merged into this one, which has
								 * not entered a stage since */

/* Attribute numbers in the result of DROP_CLOCKS. */
#define DROPPED_TOTAL 1			/* number of clocks before; more than the rows
								 * of the result if a trigger keeps some */
#define DROPPED_N 2
#define DROPPED_CLOCK 3			/* the first of SlaColumns */

/* Row types of the input. */
typedef enum RecorderRows
{
	ROWS_KEYS,					/* n, key */
	ROWS_REKEYS,				/* n, key, old key */
	ROWS_ENTRIES,				/* key, HistoryColumns */
	ROWS_CLOCKS					/* key, SlaColumns */
} RecorderRows;

#define RECORDER_NROWS (ROWS_CLOCKS + 1)

/*
 * Returns an empty tuplestore in the current memory context for rows of a
 * kind, and their row type in *desc.  The caller ends the tuplestore; the row
 * type is cached.
 */
extern Tuplestorestate *align_recorder_rows(Attachment *attachment, RecorderRows kind,
											TupleDesc *desc);

/* The input of a statement: names and kinds of its relations. */
#define RECORDER_MAX_INPUTS 3
typedef struct RecorderInputs
{
	int			n;
	struct
	{
		const char *name;
		RecorderRows kind;
	}			inputs[RECORDER_MAX_INPUTS];
} RecorderInputs;

/*
 * Appends a query that returns the clock of the highest cycle of each service
 * level for the key r.key_1, r.key_2, ...  It goes backwards through the index
 * on key, sla and cycle from one service level to the next (a skip scan),
 * without reading earlier cycles.
 */
extern void align_append_last_clocks(StringInfo buf, const Attachment *attachment);

/* Returns the palloc'd text of a statement.  (statements.c) */
extern char *align_recorder_sql(const Attachment *attachment, RecorderStatement statement);

/*
 * Executes a statement.  first, second and third are its input in the order of
 * the relations named above; unused ones are NULL.  The caller is connected to
 * SPI, and has the identity that record tables are written with (writer.h).
 * Returns SPI_processed; the rows are in SPI_tuptable.
 *
 * Statements use the latest snapshot at all isolation levels.  The caller's
 * transaction has changed the rows of the leads concerned, so no other
 * transaction can write entries for them at the same time.
 */
extern uint64 align_recorder_execute(Attachment *attachment, RecorderStatement statement,
									 Tuplestorestate *first, Tuplestorestate *second,
									 Tuplestorestate *third);

#endif							/* ALIGN_RECORD_PLANS_H */
