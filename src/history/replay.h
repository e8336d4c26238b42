/*
 * replay.h
 *	  Applies recorded entries to the service-level clocks of a lead.
 *
 * The recorder applies each new entry.  If an entry is dated before an earlier
 * one, and in align.check(), the whole history of the lead is replayed.  Both
 * use the same code, so recorded and recomputed clocks differ only if entries
 * or clocks were lost.
 *
 * The assignee when a clock stopped is the one before the change that stopped
 * it; the assignee when it started is the one after the change that started
 * it.
 *
 * Every clock keeps the version of the agreement that it was started under.
 * That version determines what stops, pauses and resumes the clock and which
 * stages are won or lost.  A stage of the entry's version that has another
 * name there is carried over through labels (align_carry_stage()); if the
 * clock's version does not know it at all, the version of the entry determines
 * whether it is won or lost.  New clocks start under the version of the
 * entry, unless one of the same service level is open.
 */
#ifndef ALIGN_HISTORY_REPLAY_H
#define ALIGN_HISTORY_REPLAY_H

#include "compat.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "agreement/agreement.h"
#include "history/history.h"
#include "judge/judge.h"

/*
 * The fields of a history entry that clocks depend on.  Strings need to live
 * only during the call.
 *
 * Stage entries (opening, entry, move, override) put the lead into their stage
 * and begin a life if it has none.  If their stage is null, and for deleted
 * and truncated, the life ends and all open clocks are closed.  owner only
 * changes the assignee.  rekey and touch have no effect, nor have entries of
 * rows that are not live, nor merged ones unless they enter a stage.
 *
 * If a row ceases to be live and becomes live again, the lead is back in its
 * stage, and the clocks that were open go on as if nothing had happened.  An
 * undated entry starts no clocks.  A clock that an opening starts, and that
 * was at risk or due before the opening was recorded, is not announced as
 * such.
 */
typedef struct ReplayEntry
{
	HistoryEvent event;
	TimestampTz effective_at;
	TimestampTz recorded_at;
	LeadString	stage;			/* text is NULL if absent */
	LeadString	assignee;		/* likewise */
	LeadString	agreement;		/* that judged the entry; if absent, that of
								 * LeadClocks */
	int32		version;		/* of the agreement, 0 if unknown */
	bool		merged;			/* merged from another lead */
	bool		not_live;		/* change of a row that is not live */
	LeadString	segments;		/* canonical list of those that held of the
								 * row; absent if there are none */
	bool		undated;		/* since when it is so is not known */
	bool		live;			/* the row ceased or began to be live */
	bool		resumed;		/* the row became live again */
} ReplayEntry;

/* Sets the last five fields from the source of the entry. */
extern void align_replay_set_source(ReplayEntry *entry, LeadString source);

/*
 * A row of the clock table.  If it was closed when it was loaded, only name,
 * cycle, start, agreement, version, assignees and notification times are set.
 */
typedef struct LeadClock
{
	SlaClock	clock;			/* clock.sla indexes funnel->service_levels */
	char	   *sla;			/* name of the service level */
	Funnel	   *funnel;			/* of its version; NULL if loaded closed */
	char	   *agreement;		/* that it was started under */
	int32		version;
	int			nth_start;		/* number of earlier cycles that started at
								 * the same instant; not of loaded clocks */
	char	   *assignee_at_start;	/* NULL if there is none */
	char	   *assignee_at_due;
	char	   *assignee_at_stop;
	int			npauses;		/* the last is open while clock.paused */
	int			pauses_room;
	TimestampTz *pauses;		/* from, to, from, to, ...; none is empty */
	ItemPointerData tid;		/* of the row it was loaded from, if that was
								 * read from the table and not by a query */
	bool		suspended;		/* closed because the row ceased to be live, */
	SlaClock	before;			/* and how it was until then */
	bool		is_new;			/* not yet in the table */
	bool		changed;		/* differs from the table */
	bool		warn_notified;	/* announced as at risk */
	bool		due_notified;	/* announced as overdue */
	TimestampTz warn_notified_at;
	TimestampTz due_notified_at;
} LeadClock;

/*
 * Why a clock cannot start or resume: it can never be due.
 */
typedef struct ClockFailure
{
	ClockProblem problem;		/* CLOCK_NO_PROBLEM if there is no failure */
	char	   *sla;			/* service level of the clock */
	char	   *agreement;		/* agreement that the clock runs under */
	int32		version;		/* and its version */
	bool		at_start;		/* true if it cannot start, false if it cannot
								 * resume */
	TimestampTz at;
} ClockFailure;

/*
 * The clocks of one lead: all of them, or at least the one of the highest
 * cycle per service level.  Only that one can be open.
 */
typedef struct LeadClocks
{
	const char *agreement;		/* that the table is attached to */
	MemoryContext context;		/* holds the arrays and strings */
	bool		alive;			/* true between the first entry of a life and
								 * its end */
	char	   *stage;			/* current stage; NULL if none or unknown */
	char	   *assignee;		/* current assignee; NULL if none */
	char	   *suspended_stage;	/* stage in which the row ceased to be
									 * live; NULL unless the last life ended
									 * so */
	int			nclocks;
	int			room;
	LeadClock  *clocks;
	int			nlevels;		/* number of service levels, by name, that
								 * have a clock */
	int			levels_room;
	int		   *last;			/* per such level, index of the clock of the
								 * highest cycle */
	ClockFailure failure;		/* the first failure */
	const struct LeadClocks *old;	/* see align_replay_keep_versions() */
	int			nkept;			/* the clocks of old, by start */
	LeadClock **kept;
	int32		open_version;
	bool		tolerant;		/* entries of a version that does not exist
								 * start no clocks, instead of raising */
	char		funnel_agreement[NAMEDATALEN];	/* agreement and version of
												 * funnel */
	int32		funnel_version;
	Funnel	   *funnel;			/* the last one looked up */
} LeadClocks;

/*
 * Initializes an empty set of clocks.  agreement must outlive it.  It is for
 * use within one statement, and its memory belongs to context.
 */
extern void align_replay_begin(LeadClocks *clocks, const char *agreement, MemoryContext context);

/* Removes the clocks and the state of the lead, but keeps the memory. */
extern void align_replay_reset(LeadClocks *clocks);

/* Sets the state of the lead before the next entry. */
extern void align_replay_set_state(LeadClocks *clocks, bool alive, LeadString stage,
								   LeadString assignee);

/*
 * Adds a clock from a row of the clock table.  columns[] are the attribute
 * numbers by SlaColumn.
 */
extern void align_replay_load(LeadClocks *clocks, HeapTuple tuple, TupleDesc desc,
							  const AttrNumber columns[SLA_NCOLUMNS]);

/*
 * The same as of an instant at which the clock was open, whether or not it is
 * now: align_replay_load_open() loads its row as if it were, and
 * align_replay_set_back() sets it back to that instant, which must not precede
 * its start.  The latter returns false if clocks->failure is set.
 */
extern LeadClock *align_replay_load_open(LeadClocks *clocks, HeapTuple tuple, TupleDesc desc,
										 const AttrNumber columns[SLA_NCOLUMNS]);
extern bool align_replay_set_back(LeadClocks *clocks, LeadClock *clock, TimestampTz as_of);

/*
 * Applies the next entry in the order of lives and (effective_at, entry_no).
 * Returns false if clocks->failure is set: a clock that cannot start is left
 * out, and one that cannot resume is undefined.
 */
extern bool align_replay_entry(LeadClocks *clocks, const ReplayEntry *entry);

/*
 * Fills in align's own columns of the row of a clock, by SlaColumn.  Not for
 * clocks that were closed when they were loaded.
 */
extern void align_replay_store(const LeadClock *clock, Datum values[SLA_NCOLUMNS],
							   bool nulls[SLA_NCOLUMNS]);

/*
 * When clocks are recomputed: add an old clock with only its start, its
 * version, whether it is open, and the times of its announcements.
 * (clock_row.c; the others are in old_clocks.c)
 *
 * align_replay_carry_announced() copies these times to the new clocks of the
 * same cycles.
 *
 * align_replay_keep_versions() makes the new clocks of the same starts run
 * under the versions of the old ones, where these are later than that of the
 * entry: rebuild_clocks() has made them follow a later version.  If
 * open_version is not 0, what was open follows that version now.  It is to be
 * called before the first entry; old_clocks must outlive the replay.
 */
extern void align_replay_load_announced(LeadClocks *clocks, HeapTuple tuple, TupleDesc desc,
										const AttrNumber columns[SLA_NCOLUMNS]);
extern void align_replay_carry_announced(LeadClocks *clocks, LeadClocks *old_clocks);
extern void align_replay_keep_versions(LeadClocks *clocks, LeadClocks *old_clocks,
									   int32 open_version);

/*
 * For replay.c: if a clock is to run under a later version of the agreement
 * than *version, sets *version, *funnel and *level to that version.
 */
extern void align_replay_keep_version(const LeadClocks *clocks, LeadString agreement,
									  TimestampTz at, int nth_start, Funnel **funnel,
									  int *level, int32 *version);

/*
 * Marks the open clocks that were at risk or overdue at an instant as
 * announced then.
 */
extern void align_replay_announced_until(LeadClocks *clocks, TimestampTz until);

/*
 * For clock_row.c: add a clock of a service level and cycle.  sla becomes part
 * of it.  The result is valid until the next call.
 */
extern LeadClock *align_replay_new_clock(LeadClocks *clocks, char *sla, int cycle);

/*
 * The funnel of a version.  Returns NULL if version is 0, or if there is no
 * such version and clocks is tolerant; otherwise a missing version is an
 * error.
 */
extern Funnel *align_replay_funnel(LeadClocks *clocks, LeadString agreement, int32 version);

#endif							/* ALIGN_HISTORY_REPLAY_H */
