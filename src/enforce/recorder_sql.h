/*
 * recorder_sql.h
 *	  The statements that read and write history and clocks, and how they run.
 *
 * Rows go in as "named tuplestores", the way transition tables do.  Their first
 * columns are key_1, key_2, ... in the types of the key; further columns have
 * the names of history.h, or as said below.
 */
#ifndef ALIGN_RECORDER_SQL_H
#define ALIGN_RECORDER_SQL_H

#include "compat.h"

#include "access/tupdesc.h"
#include "enforce/attachment.h"
#include "utils/tuplestore.h"

typedef enum RecorderStatement
{
	/*
	 * For every row of align_rows (n int, key): n, and of the last entry of that
	 * lead entry_no, recorded_at, effective_at, event, stage, team, assignee,
	 * source (null if there is none), and the latest effective_at of all.
	 */
	READ_LAST,
	/* The same, but without looking for the latest effective_at. */
	READ_LAST_ONLY,
	/* For every row of align_rows: n and SlaColumns of each of its clocks. */
	READ_CLOCKS,
	/* For every row of align_rows: n, event, effective_at, stage, assignee,
	 * agreement, version, source, by effective_at and entry_no within n. */
	READ_ENTRIES,
	ADD_ENTRIES,				/* from align_rows (key, HistoryColumns) */
	ADD_CLOCKS,					/* from align_rows (key, SlaColumns) */
	CHANGE_CLOCKS,				/* likewise; by key, sla and cycle */
	DROP_CLOCKS,				/* of align_rows (n, key); yields what READ_CLOCKS does */
	/* A new key for leads: align_rows (n, key, old_1, old_2, ...); first aside,
	 * with negative numbers, then to their places. */
	REKEY_ENTRIES_ASIDE,
	REKEY_CLOCKS_ASIDE,
	REKEY_ENTRIES,
	REKEY_CLOCKS
} RecorderStatement;

#define RECORDER_NSTATEMENTS (REKEY_CLOCKS + 1)

/* Attribute numbers in the results of READ_LAST. */
#define LAST_N 1
#define LAST_ENTRY_NO 2
#define LAST_RECORDED_AT 3
#define LAST_EFFECTIVE_AT 4
#define LAST_EVENT 5
#define LAST_STAGE 6
#define LAST_TEAM 7
#define LAST_ASSIGNEE 8
#define LAST_SOURCE 9
#define LAST_LATEST 10

/* READ_ENTRIES */
#define ENTRY_N 1
#define ENTRY_EVENT 2
#define ENTRY_EFFECTIVE_AT 3
#define ENTRY_STAGE 4
#define ENTRY_ASSIGNEE 5
#define ENTRY_AGREEMENT 6
#define ENTRY_VERSION 7
#define ENTRY_SOURCE 8

typedef enum RecorderRows
{
	ROWS_KEYS,					/* n, key */
	ROWS_REKEYS,				/* n, key, old key */
	ROWS_ENTRIES,				/* key, HistoryColumns */
	ROWS_CLOCKS					/* key, SlaColumns */
} RecorderRows;

/* An empty set of rows for a statement, and its row type. */
extern Tuplestorestate *align_recorder_rows(Attachment *attachment, RecorderRows kind,
											TupleDesc *desc);

#define RECORDER_ROWS_NAME "align_rows"

/* A statement as text; palloc'd.  (recorder_text.c) */
extern char *align_recorder_text(const Attachment *attachment, RecorderStatement statement);

/*
 * Run a statement over rows; the caller has become the owner and is connected to
 * SPI, whose results hold what was read.  What is read is as of now, whatever the
 * isolation level: the row locks that the writer holds make it final.
 */
extern uint64 align_recorder_execute(Attachment *attachment, RecorderStatement statement,
									 Tuplestorestate *rows);

#endif							/* ALIGN_RECORDER_SQL_H */
