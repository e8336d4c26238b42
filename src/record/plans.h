/*
 * plans.h
 *	  The statements that read and write history and clocks, and how they run.
 *
 * Rows go in as "named tuplestores", the way transition tables do.  Their first
 * columns are key_1, key_2, ... in the types of the key; further columns have
 * the names of history.h, or as said below.
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
	 * Reads, for every row of align_rows (n int, key), its last entry and, of
	 * each service level, the clock of the highest cycle; see LEAD_N and so
	 * on.
	 */
	READ_LEADS,

	/*
	 * The same with LEAD_LATEST and LEAD_IN_ORDER, which are null and true
	 * above.
	 */
	READ_LEADS_WITH_TIMES,

	/*
	 * For every row of align_rows: n, event, effective_at, stage, assignee,
	 * agreement, version, source, by effective_at and entry_no within n.
	 */
	READ_ENTRIES,

	/*
	 * For every row of align_rows (n, key, old_1, old_2, ...): numbers of
	 * entries and of clocks of all old keys.
	 */
	COUNT_OLD_KEYS,

	/*
	 * Inserts align_entries (key, HistoryColumns) and align_new_clocks (key,
	 * SlaColumns), and updates clocks to align_changed_clocks (likewise, by
	 * key, sla and cycle); returns one row with the number of rows written of
	 * each.
	 */
	WRITE,
	ADD_CLOCKS,					/* from align_new_clocks */

	/*
	 * Deletes the clocks of align_rows (n, key); returns how many there were,
	 * n and SlaColumns of each that is gone, and one row of nulls if none is.
	 */
	DROP_CLOCKS,

	/*
	 * A new key for leads: align_rows (n, key, old_1, old_2, ...); first
	 * aside, with negative numbers, then to their places.
	 */
	REKEY_ENTRIES_ASIDE,
	REKEY_CLOCKS_ASIDE,
	REKEY_ENTRIES,
	REKEY_CLOCKS
} RecorderStatement;

#define RECORDER_NSTATEMENTS (REKEY_CLOCKS + 1)

/* Attribute numbers in the results of READ_LEADS. */
#define LEAD_N 1
#define LEAD_ENTRY_NO 2
#define LEAD_RECORDED_AT 3
#define LEAD_EFFECTIVE_AT 4
#define LEAD_EVENT 5
#define LEAD_STAGE 6
#define LEAD_TEAM 7
#define LEAD_ASSIGNEE 8
#define LEAD_SOURCE 9
#define LEAD_LATEST 10			/* greatest effective_at since the last stage
								 * entry in order */
#define LEAD_IN_ORDER 11		/* no entry since then was dated back */
#define LEAD_CLOCK 12			/* SlaColumns; null: no clock */

/* READ_ENTRIES */
#define ENTRY_N 1
#define ENTRY_EVENT 2
#define ENTRY_EFFECTIVE_AT 3
#define ENTRY_STAGE 4
#define ENTRY_ASSIGNEE 5
#define ENTRY_AGREEMENT 6
#define ENTRY_VERSION 7
#define ENTRY_SOURCE 8

/* DROP_CLOCKS */
#define DROPPED_TOTAL 1
#define DROPPED_N 2
#define DROPPED_CLOCK 3

typedef enum RecorderRows
{
	ROWS_KEYS,					/* n, key */
	ROWS_REKEYS,				/* n, key, old key */
	ROWS_ENTRIES,				/* key, HistoryColumns */
	ROWS_CLOCKS					/* key, SlaColumns */
} RecorderRows;

#define RECORDER_NROWS (ROWS_CLOCKS + 1)

/* An empty set of rows for a statement, and its row type. */
extern Tuplestorestate *align_recorder_rows(Attachment *attachment, RecorderRows kind,
											TupleDesc *desc);

/* The names under which statements see their rows. */
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
 * Appends a query for the clocks of the highest cycle of each service level of the
 * key r.key_1, r.key_2, ...  It goes from one service level to the one before in the
 * index; the past cycles of a lead are not read, however many there are.
 */
extern void align_append_last_clocks(StringInfo buf, const Attachment *attachment);

/* A statement as text; palloc'd.  (statements.c) */
extern char *align_recorder_text(const Attachment *attachment, RecorderStatement statement);

/*
 * Run a statement over its rows, in the order of its inputs; NULL where it has
 * fewer.  The caller works as the owner of the table and is connected to SPI, which
 * holds what was read; returns SPI_processed.  What is read is as of now, whatever
 * the isolation level: the row locks that the writer holds make it final.
 */
extern uint64 align_recorder_execute(Attachment *attachment, RecorderStatement statement,
									 Tuplestorestate *first, Tuplestorestate *second,
									 Tuplestorestate *third);

#endif							/* ALIGN_RECORD_PLANS_H */
