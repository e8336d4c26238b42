/*
 * check.h
 *	  Shared by the files of align.check().
 */
#ifndef ALIGN_REPORT_CHECK_H
#define ALIGN_REPORT_CHECK_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"
#include "report/scan.h"
#include "history/replay.h"
#include "funcapi.h"

typedef struct CheckedStages CheckedStages;

/*
 * State of one call of align.check().
 */
typedef struct Check
{
	ReturnSetInfo *rsinfo;
	Attachment *attachment;
	Funnel	   *funnel;			/* of the version that judges now */
	int32		version;		/* its number */
	const Datum *key;			/* of the current lead; NULL while checking
								 * the tables as such */
	LeadClocks	clocks;			/* working area of replays */
	CheckedStages *stages;		/* that leads were in (check_stages.c) */
} Check;

/*
 * Returns one row: a difference in the current lead or, if there is none, in
 * the tables as such.  recorded and expected may be NULL.  (check_report.c)
 */
extern void align_check_report(const Check *check, const char *problem, const char *recorded,
							   const char *expected);

/*
 * An entry of the history.  Strings are NULL where the column is null.
 */
typedef struct RecordedEntry
{
	int32		entry_no;
	int			life;			/* number of lives that ended before it */
	int			event;			/* HistoryEvent; -1 if event_name is unknown */
	char	   *event_name;
	TimestampTz effective_at;
	TimestampTz recorded_at;
	char	   *from_stage;
	char	   *stage;
	char	   *team;
	char	   *assignee;
	LeadString	segments;		/* canonical list */
	char	   *reason;
	char	   *agreement;
	int32		version;		/* 0 if null */
	char	   *violation;
	char	   *source;
	bool		merged;			/* merged from another lead */
	bool		not_live;		/* of a row that was not live */
	TimestampTz at;				/* in the order of replay (see READ_ENTRIES) */
} RecordedEntry;

/*
 * The entries of one lead, in order of entry_no.
 */
typedef struct RecordedHistory
{
	int			nentries;
	int			capacity;		/* allocated size of entries */
	RecordedEntry *entries;
	bool		lacks_beginning;	/* the first entries have been dropped */
} RecordedHistory;

/*
 * The state of a lead after its last entry.
 */
typedef struct RecordedState
{
	bool		alive;			/* in the funnel */
	const RecordedEntry *entry; /* the last one that counts for the state;
								 * NULL if there is none */
	const RecordedEntry *entered;	/* the last stage entry; likewise */
} RecordedState;

/*
 * Checks the entries of one lead by themselves, and sets *state.
 * (check_entries.c)
 */
extern void align_check_entries(Check *check, const RecordedHistory *history,
								RecordedState *state);

/*
 * The last entry of the journey in the present life of a lead; NULL if there
 * is none, or if a version before 0.4 did not record entries in the order of
 * the journey.  (check_entries.c)
 */
extern const RecordedEntry *align_check_journey_end(const RecordedHistory *history);

/*
 * Returns the funnel that judged an entry; NULL if there is no such version.
 * (check_entries.c)
 */
extern Funnel *align_check_funnel(Check *check, const RecordedEntry *entry);

/*
 * Find stages that leads were in and that the version which judges now has
 * forgotten: called before the first lead, for each lead while its history is
 * in the order of entry_no, and after the last lead, which returns the rows.
 * (check_stages.c)
 */
extern CheckedStages *align_check_stages_begin(void);
extern void align_check_count_stages(Check *check, const RecordedHistory *history);
extern void align_check_report_stages(const Check *check);

/*
 * Compares the clocks of one lead with those that follow from its history,
 * which is sorted into the order of replay.  clocks are rows of a scan by
 * align_table_scan_clocks(), in any order.  (check_clocks.c)
 */
extern void align_check_clocks(Check *check, RecordedHistory *history, int nclocks,
							   HeapTuple *clocks, TupleDesc desc);

/*
 * Check the triggers of the attachment; and privileges, row-level security and
 * constraints of history and clock table.  (check_triggers.c)
 */
extern void align_check_triggers(const Check *check);
extern void align_check_record_tables(const Check *check);

/*
 * Checks the tables in which labels are looked up.  Returns false if one of
 * them cannot be read, so that leads cannot be checked.  (check_labels.c)
 */
extern bool align_check_labels(const Check *check);

#endif							/* ALIGN_REPORT_CHECK_H */
