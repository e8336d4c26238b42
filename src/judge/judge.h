/*
 * judge.h
 *	  Pure functions of (funnel, lead): verdicts, service-level clocks, progress.
 *
 * The write path (triggers) and the read path (reports) both call these and
 * nothing else, so they cannot disagree.  Nothing here reads a catalog, calls
 * SPI or knows what time it is.
 */
#ifndef ALIGN_JUDGE_H
#define ALIGN_JUDGE_H

#include "compat.h"

#include "funnel/funnel.h"
#include "lead/lead.h"
#include "utils/array.h"
#include "utils/timestamp.h"

/*
 * align's own SQLSTATE class, "AL": one code per rule, documented and stable.
 */
typedef enum Rule
{
	RULE_NONE,					/* nothing is wrong */
	RULE_UNKNOWN_STAGE,			/* AL001 */
	RULE_ILLEGAL_MOVE,			/* AL002 */
	RULE_NOT_AN_ENTRY,			/* AL003 */
	RULE_MISSING_NEED,			/* AL004: by those who see the row */
	RULE_MISSING_REASON,		/* AL005 */
	RULE_UNLISTED_REASON,		/* AL006 */
	RULE_WRONG_TEAM,			/* AL007 */
	RULE_LEFT_FUNNEL			/* AL008: stage set to NULL */
} Rule;

extern const char *align_rule_name(Rule rule);
extern int	align_rule_sqlstate(Rule rule);

/*
 * One change of stage, as far as it can be judged without the row.
 */
typedef struct Move
{
	int			from;			/* stage; -1: the lead's entry (from_label is
								 * absent) or an unknown stage, out of which
								 * nothing is judged illegal */
	int			to;				/* stage, -1: unknown label */
	LeadString	from_label;		/* as written; absent for an entry */
	LeadString	to_label;
	LeadString	team;			/* who moves it; text NULL if not told */
	LeadString	reason;
} Move;

/*
 * Judge a move: the rules that it breaks, the gravest first, at most
 * MOVE_MAX_BROKEN.  Entering the stage that a lead is in is no move and breaks
 * nothing.
 */
#define MOVE_MAX_BROKEN 3

extern int	align_judge_move(const Funnel *funnel, const Move *move, Rule broken[MOVE_MAX_BROKEN]);

/* May this team (an index) make the move? */
extern bool align_team_may_move(const Funnel *funnel, const Move *move, int team);

/* What a verdict says; palloc'd sentences, hint NULL if nothing can be done. */
typedef struct VerdictText
{
	char	   *message;
	char	   *detail;
	char	   *hint;
} VerdictText;

/* subject: "lead" or "lead (id)=(42)"; agreement: "The agreement" or
 * "Agreement \"b2b\" version 3". */
extern void align_verdict_text(const Funnel *funnel, const Move *move, Rule rule,
							   const char *subject, const char *agreement,
							   VerdictText *text);
/* "Team "marketing" holds "mql" and team "sales" holds "sal".": of a move of
 * which at least one stage has a holder. */
extern char *align_holders_text(const Funnel *funnel, const Move *move);

/*
 * Walks the stage entries of a lead as a funnel sees them: labels resolved once
 * per dictionary string, touches and repeated entries into the same stage left
 * out.  (The trigger never fires for the latter, so reports must not count them
 * either.)
 */
#define WALK_NOT_LOOKED_UP (-2)

typedef struct Walk
{
	const Funnel *funnel;
	LeadReader	reader;
	int		   *stage_of_string;	/* dictionary index -> stage, -1 unknown,
									 * WALK_NOT_LOOKED_UP */
	int			inline_stages[LEAD_INLINE_STRINGS];
	int			from;			/* stage before this entry; -1 none or unknown */
	int			from_string;	/* its dictionary string, -1 before the first */
	int			to;				/* stage of this entry, -1 unknown */
	int			entry_no;		/* 1-based among all entries of the lead */
	LeadEntry	entry;
	int			amount;			/* dictionary string of the last amount told, by
								 * whatever entry; -1 none */
	TimestampTz as_of;			/* later entries are not seen */
	bool		started;		/* has a stage entry been seen? */
} Walk;

/* as_of DT_NOEND: the whole journey */
extern void align_walk_begin(Walk *walk, const Funnel *funnel, const struct varlena *lead,
							 TimestampTz as_of);
extern bool align_walk_next(Walk *walk);
extern void align_walk_end(Walk *walk);
/* A dictionary string of the lead; absent for -1. */
extern LeadString align_walk_string(const Walk *walk, int string);
/* The current entry as a Move. */
extern void align_walk_move(const Walk *walk, Move *move);

/*
 * Service-level clocks.
 */
typedef enum ClockState
{
	CLOCK_RUNNING,
	CLOCK_AT_RISK,
	CLOCK_OVERDUE,
	CLOCK_PAUSED,
	CLOCK_MET,
	CLOCK_MISSED,
	CLOCK_CANCELLED
} ClockState;

/*
 * One cycle of one service level.
 *
 * Times spent and left are in the promise's own kind of time: elapsed, or the
 * promising team's working time.  A pause keeps what is left: on resumption
 * due_at and warn_at lie that much later.  What was due before the pause began
 * stays where it was; a promise once broken is not mended by pausing.
 */
typedef struct SlaClock
{
	int			sla;			/* index into Funnel.service_levels */
	int			cycle;			/* from 1 per service level */
	bool		paused;
	bool		closed;
	ClockState	outcome;		/* once closed: met, missed or cancelled */
	TimestampTz started_at;
	TimestampTz due_at;			/* while paused: as of paused_at */
	TimestampTz warn_at;		/* likewise; CLOCK_NO_WARNING */
	TimestampTz running_since;	/* while running: its start or last resumption */
	int64		spent;			/* before running_since, or in all if not running */
	TimestampTz paused_at;		/* while paused */
	TimestampTz stopped_at;		/* once closed */
	int			stopped_by;		/* the stage that closed it, -1 if unknown */
} SlaClock;

#define CLOCK_NO_WARNING DT_NOEND

/*
 * What can happen to one clock; funnel is the agreement that it runs under, the
 * same throughout its life.  Instants never go back.
 */
extern void align_clock_start(Funnel *funnel, int sla, int cycle, TimestampTz at, SlaClock *clock);

/*
 * Why a clock cannot start or resume: there is no instant at which it is due.
 */
typedef enum ClockProblem
{
	CLOCK_NO_PROBLEM,
	CLOCK_NEVER_OPENS,			/* the team's hours do not open after the start */
	CLOCK_CLOSES_TOO_SOON,		/* they do, but not for as long as promised */
	CLOCK_OUT_OF_RANGE			/* due after the last timestamp */
} ClockProblem;

/*
 * The same as align_clock_start, for a caller with a message of its own: fills
 * the clock and returns CLOCK_NO_PROBLEM, or leaves it undefined and returns
 * what is wrong.  Still raises the calendar's own error where a promise "by end
 * of Nth working day" finds open hours, but on too few days.
 */
extern ClockProblem align_clock_try_start(Funnel *funnel, int sla, int cycle, TimestampTz at,
										  SlaClock *clock);
/* The clause "its calendar never opens again", and the SQLSTATE that goes with it. */
extern const char *align_clock_problem_text(ClockProblem problem);
extern int	align_clock_problem_sqlstate(ClockProblem problem);

/* The lead enters another stage (-1: one that the funnel does not know), which
 * ends its journey if terminal: what that does to an open clock. */
extern void align_clock_enter(Funnel *funnel, SlaClock *clock, int stage, bool terminal,
							  TimestampTz at);
extern void align_clock_pause(Funnel *funnel, SlaClock *clock, TimestampTz at);
extern void align_clock_resume(Funnel *funnel, SlaClock *clock, TimestampTz at);
/* The lead is gone. */
extern void align_clock_cancel(Funnel *funnel, SlaClock *clock, TimestampTz at);
/* Time that counts for a service level. */
extern int64 align_clock_time(Funnel *funnel, int sla, TimestampTz from, TimestampTz to);
/* Does entering a stage start a service level that has no open clock? */
extern bool align_clock_starts(const Funnel *funnel, int sla, int stage);

/* The clocks of one lead, all under one agreement. */
typedef struct ClockBoard
{
	Funnel	   *funnel;
	int			nclocks;
	int			room;
	SlaClock   *clocks;			/* in the order of their start, palloc'd */
	int		   *open;			/* per service level: its open clock, -1 none */
	int		   *cycles;			/* per service level: clocks started so far */
} ClockBoard;

extern void align_clocks_begin(ClockBoard *board, Funnel *funnel);
/* Forget the clocks, keep the memory: for the next lead of the same funnel. */
extern void align_clocks_reset(ClockBoard *board);
extern void align_clocks_end(ClockBoard *board);
/* The lead enters a stage other than the one it was in (-1: an unknown one). */
extern void align_clocks_enter(ClockBoard *board, int stage, TimestampTz at);
/* Every stage entry at or before as_of. */
extern void align_clocks_run(ClockBoard *board, const struct varlena *lead, TimestampTz as_of);

/*
 * A clock as of an instant not before anything that happened to it.
 * Time left is negative once overdue and means nothing for a closed clock.
 */
typedef struct ClockReading
{
	ClockState	state;
	TimestampTz due_at;
	TimestampTz warn_at;		/* or CLOCK_NO_WARNING */
	int64		elapsed;
	int64		remaining;
} ClockReading;

extern void align_clock_read(Funnel *funnel, const SlaClock *clock, TimestampTz as_of,
							 ClockReading *reading);
extern const char *align_clock_state_name(ClockState state);

/*
 * Progress along steps.
 */
#define PROGRESS_MAX_STEPS 64

typedef enum ProgressStatus
{
	PROGRESS_OPEN,
	PROGRESS_CONVERTED,
	PROGRESS_DROPPED
} ProgressStatus;

#define PROGRESS_NO_TIME DT_NOBEGIN

typedef struct Progress
{
	int			nsteps;
	int			level;			/* steps reached, 0 to nsteps */
	TimestampTz times[PROGRESS_MAX_STEPS];	/* when each step was entered;
											 * PROGRESS_NO_TIME where it was not
											 * (a skipped step, or beyond level) */
	LeadString	amount;			/* the lead's last amount at as_of, as text;
								 * NULL if none.  Points into the lead. */
	ProgressStatus status;
} Progress;

typedef struct ProgressSteps
{
	int			nsteps;
	LeadString	steps[PROGRESS_MAX_STEPS];
	int64		within;			/* microseconds from the first step, -1 none */
} ProgressSteps;

/*
 * Mode "ordered": one entry fills one step, other entries may stand between;
 * among the longest chains the earliest completing, then the latest start.
 * Entries after as_of are not seen.
 */
extern void align_progress(const ProgressSteps *steps, const struct varlena *lead,
						   TimestampTz as_of, Progress *progress);
/*
 * Along a funnel's success path: level is the furthest position entered (any
 * won stage counts as the end), earlier steps are imputed as reached.
 */
extern void align_funnel_progress(const Funnel *funnel, const struct varlena *lead,
								  TimestampTz as_of, Progress *progress);

/*
 * Arguments that progress and conversion share; each raises for what it cannot
 * take.
 */

/* One to PROGRESS_MAX_STEPS names, none NULL; they point into the array. */
extern void align_progress_steps(ArrayType *steps, ProgressSteps *result);
/* In microseconds; months and negative windows are refused. */
extern int64 align_window_arg(Interval *within);
/* This release knows "ordered". */
extern void align_mode_arg(text *mode);
/* An argument that may be neither NULL nor infinite. */
extern TimestampTz align_as_of_arg(FunctionCallInfo fcinfo, int argno);

#endif							/* ALIGN_JUDGE_H */
