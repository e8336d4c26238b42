/*
 * replay.h
 *	  From recorded entries to service-level clocks: one fold, used by the
 *	  recorder for the entry that is new, and by backfills and align.check() for
 *	  a lead's whole history.
 *
 * So the clocks that the triggers wrote and those that are recomputed come from
 * the same code (judge/clocks.c), and differ only if something was lost.
 *
 * Who held the lead when a clock stopped is who held it up to the change that
 * stopped it; when a clock started, who held it after the change that started
 * it.
 *
 * Every clock keeps the version of the agreement that it was started under:
 * that version says what stops, pauses and resumes it and what is a won or lost
 * stage (where it does not know the stage, the version of the entry says so).
 * New clocks start under the version of the entry, unless one of the same name
 * is open.
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
 * An entry of the history, as far as clocks care.  Strings need to live only
 * during the call.
 *
 * opening and entry begin a life; move and override enter a stage (override
 * also begins one, if the lead was in none); deleted and truncated, and an
 * entry whose stage is null, end it: they cancel every open clock.  A rekey, a
 * touch, and anything whose source begins with "merged" other than stage entries
 * have no effect.  owner only changes who holds the lead.
 */
typedef struct ReplayEntry
{
	HistoryEvent event;
	bool		merged;			/* source begins with "merged" */
	TimestampTz effective_at;
	LeadString	stage;			/* text NULL: null */
	LeadString	assignee;
	LeadString	agreement;		/* that judged it; text NULL: that of
								 * LeadClocks */
	int32		version;		/* of that, 0: unknown */
	bool		not_live;		/* of a row that is not live: no effect at all */
} ReplayEntry;

/*
 * A row of the clock table.  clock.sla indexes funnel->service_levels.  Of a
 * closed clock that was loaded only name, cycle, start and version are known.
 */
typedef struct LeadClock
{
	SlaClock	clock;
	char	   *sla;			/* its name */
	Funnel	   *funnel;			/* of its version; NULL if loaded closed */
	char	   *agreement;		/* that it runs under */
	int32		version;
	char	   *assignee_at_start;	/* NULL: null */
	char	   *assignee_at_due;
	char	   *assignee_at_stop;
	int			npauses;		/* the last is open while clock.paused */
	int			pauses_room;
	TimestampTz *pauses;		/* from, to, from, to, ...; without empty ones */
	ItemPointerData tid;		/* of the row that it was loaded from, if that
								 * is one of the table itself */
	bool		is_new;			/* not yet in the table */
	bool		changed;		/* differs from the table */
	bool		warn_notified;	/* carried along when clocks are recomputed */
	bool		due_notified;
	TimestampTz warn_notified_at;
	TimestampTz due_notified_at;
} LeadClock;

/*
 * A clock that cannot start or resume, because it can never be due.
 */
typedef struct ClockFailure
{
	ClockProblem problem;		/* CLOCK_NO_PROBLEM: there is none */
	const char *sla;			/* its service level, */
	const char *agreement;		/* agreement */
	int32		version;		/* and version of that */
	bool		at_start;		/* it cannot start; else it cannot resume */
	TimestampTz at;
} ClockFailure;

/*
 * The clocks of one lead: all of them, or at least, per service level, the one of the
 * highest cycle.  Only that one can be open.
 */
typedef struct LeadClocks
{
	const char *agreement;		/* that the table is attached to */
	MemoryContext context;		/* of the arrays and strings */
	bool		alive;			/* in a stage, not deleted */
	char	   *stage;			/* the one it is in; NULL none */
	char	   *assignee;		/* who holds it */
	int			nclocks;
	int			room;
	LeadClock  *clocks;
	int			nlevels;		/* service levels, by name, that have a clock */
	int			levels_room;
	int		   *last;			/* of each: index of the clock of the highest
								 * cycle */
	ClockFailure failure;		/* the first one */
	bool		tolerant;		/* an entry of a version that does not exist
								 * starts no clocks; else it is an error */
	char		funnel_agreement[NAMEDATALEN];	/* the last version looked up, */
	int32		funnel_version; /* and its funnel */
	Funnel	   *funnel;
} LeadClocks;

/* agreement must outlive the clocks, which are for use within one statement. */
extern void align_replay_begin(LeadClocks *clocks, const char *agreement, MemoryContext context);

/* Forget everything, keep the memory. */
extern void align_replay_reset(LeadClocks *clocks);

/* What the lead was in before the next entry. */
extern void align_replay_set_state(LeadClocks *clocks, bool alive, LeadString stage,
								   LeadString assignee);

/* A row of the clock table; columns[] are the attribute numbers of SlaColumn. */
extern void align_replay_load(LeadClocks *clocks, HeapTuple tuple, TupleDesc desc,
							  const AttrNumber columns[SLA_NCOLUMNS]);

/*
 * The next entry in order of (effective_at, entry_no).  False if clocks->failure is
 * set: a clock that cannot start is left out, one that cannot resume is not usable.
 */
extern bool align_replay_entry(LeadClocks *clocks, const ReplayEntry *entry);

/* align's own columns of the row of a clock, by SlaColumn; not for clocks that
 * were loaded closed. */
extern void align_replay_store(const LeadClock *clock, Datum values[SLA_NCOLUMNS],
							   bool nulls[SLA_NCOLUMNS]);

/* The same, but only its start and what was announced of it; for
 * align_replay_carry_announced(). */
extern void align_replay_load_announced(LeadClocks *clocks, HeapTuple tuple, TupleDesc desc,
										const AttrNumber columns[SLA_NCOLUMNS]);

/* When clocks have been computed again: takes over what was announced of the same
 * cycles of the old ones. */
extern void align_replay_carry_announced(LeadClocks *clocks, LeadClocks *old_clocks);

/* For clock_row.c: room for one more clock of a service level and cycle. */
extern LeadClock *align_replay_new_clock(LeadClocks *clocks, char *sla, int cycle);

/* The funnel of a version; NULL if there is none and clocks is tolerant, or if
 * version is 0. */
extern Funnel *align_replay_funnel(LeadClocks *clocks, LeadString agreement, int32 version);

#endif							/* ALIGN_HISTORY_REPLAY_H */
