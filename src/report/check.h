/*
 * check.h
 *	  Inside align.check(): what was recorded against what follows from it.
 */
#ifndef ALIGN_REPORT_CHECK_H
#define ALIGN_REPORT_CHECK_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"
#include "report/scan.h"
#include "history/replay.h"
#include "funcapi.h"

typedef struct Check
{
	ReturnSetInfo *rsinfo;
	const Attachment *attachment;
	Funnel	   *funnel;			/* in force now */
	const Datum *key;			/* of the lead under examination, NULL none */
	LeadClocks	clocks;			/* for replays */
} Check;

/* check_report.c: a difference found; the texts may be NULL. */
extern void align_check_report(const Check *check, const char *problem, const char *recorded,
							   const char *expected);

/*
 * An entry of the history; strings NULL if null.
 */
typedef struct RecordedEntry
{
	int32		entry_no;
	int			life;			/* how many lives ended before it */
	int			event;			/* HistoryEvent, -1 if it is none */
	char	   *event_name;
	TimestampTz effective_at;
	TimestampTz recorded_at;
	char	   *from_stage;
	char	   *stage;
	char	   *team;
	char	   *assignee;
	char	   *reason;
	char	   *agreement;
	int32		version;		/* 0: null */
	char	   *violation;
	bool		merged;
	bool		not_live;
} RecordedEntry;

/* All of one lead, by entry_no. */
typedef struct RecordedHistory
{
	int			nentries;
	int			room;
	RecordedEntry *entries;
	bool		cut;			/* its beginning is gone */
} RecordedHistory;

/*
 * Where a lead stands by its history.
 */
typedef struct RecordedState
{
	bool		alive;			/* in the funnel */
	const RecordedEntry *entry; /* that says so; NULL if there is none */
	const RecordedEntry *entered;	/* that put it into its stage; likewise */
} RecordedState;

/* check_entries.c: the entries for themselves. */
extern void align_check_entries(Check *check, const RecordedHistory *history,
								RecordedState *state);

/* The funnel that judged an entry, NULL if there is no such version. */
extern Funnel *align_check_funnel(Check *check, const RecordedEntry *entry);

/* check_clocks.c: rows of the clock table (as align_records_of_clocks gives
 * them), in any order, against the replay of the history. */
extern void align_check_clocks(Check *check, RecordedHistory *history, int nclocks,
							   HeapTuple *clocks, TupleDesc desc);

/* check_triggers.c: the triggers of the attachment; privileges, row-level security
 * and constraints of history and clock table. */
extern void align_check_triggers(const Check *check);
extern void align_check_record_tables(const Check *check);

#endif							/* ALIGN_REPORT_CHECK_H */
