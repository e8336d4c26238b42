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
	int			from;			/* stage, -1: this is the lead's entry */
	int			to;				/* stage, -1: unknown label */
	LeadString	from_label;		/* as written, for messages */
	LeadString	to_label;
	LeadString	team;			/* who moves it; text NULL if not told */
	LeadString	reason;
} Move;

/*
 * Judge a move: the rules that it breaks, the gravest first, at most
 * MOVE_MAX_BROKEN.  Entering the stage that a lead is in is no move and breaks
 * nothing.
 */
#define MOVE_MAX_BROKEN 4
extern int	align_judge_move(const Funnel *funnel, const Move *move, Rule broken[MOVE_MAX_BROKEN]);

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

/*
 * Walks the stage entries of a lead as a funnel sees them: labels resolved once
 * per dictionary string, touches and repeated entries into the same stage left
 * out.  (The trigger never fires for the latter, so reports must not count them
 * either.)
 */
typedef struct Walk
{
	const Funnel *funnel;
	LeadReader	reader;
	int		   *stage_of_string;	/* dictionary index -> stage, -1 unknown, -2
									 * not looked up */
	int			inline_stages[LEAD_INLINE_STRINGS];
	int			from;			/* stage before this entry; -1 none or unknown */
	int			from_string;	/* its dictionary string, -1 before the first */
	int			to;				/* stage of this entry, -1 unknown */
	int			entry_no;		/* 1-based among all entries of the lead */
	LeadEntry	entry;
	bool		started;		/* has a stage entry been seen? */
} Walk;

extern void align_walk_begin(Walk *walk, const Funnel *funnel, const struct varlena *lead);
extern bool align_walk_next(Walk *walk);
extern void align_walk_end(Walk *walk);
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
 * One cycle of one service level.  While it is open, "since" is when it last
 * began to run and "spent" what it had used up by then; both are in the
 * promise's own kind of time.  A pause keeps what remains: on resumption due_at
 * is that much later, in the same kind of time.
 */
typedef struct SlaClock
{
	int			sla;			/* index into Funnel.service_levels */
	int			cycle;			/* from 1 per service level */
	TimestampTz started_at;
	TimestampTz due_at;
	TimestampTz warn_at;		/* DT_NOEND: no warning */
	TimestampTz since;
	int64		spent;
	bool		closed;
	bool		paused;
	TimestampTz paused_at;		/* while paused */
	TimestampTz stopped_at;		/* once closed */
	ClockState	outcome;		/* once closed: met, missed or cancelled */
	bool		accepted;		/* a handoff that was accepted */
	bool		rejected;		/* a handoff that was rejected */
	LeadString	reason;			/* of the entry that closed it */
} SlaClock;

typedef struct ClockBoard
{
	Funnel	   *funnel;
	int			nclocks;
	int			room;
	SlaClock   *clocks;			/* in order of their start, palloc'd */
	int		   *open;			/* per service level: its open clock, -1 none */
} ClockBoard;

extern void align_clocks_begin(ClockBoard *board, Funnel *funnel);
/* A lead enters a stage (-1: an unknown one, which stops a handoff's clock as
 * any other stage does and resumes what is paused). */
extern void align_clocks_enter(ClockBoard *board, int stage, TimestampTz at, LeadString reason);
/* Everything at or before as_of. */
extern void align_clocks_run(ClockBoard *board, const struct varlena *lead, TimestampTz as_of);

extern ClockState align_clock_state(const ClockBoard *board, const SlaClock *clock, TimestampTz as_of);
/* Time used up at as_of (or when it closed), in the promise's kind of time. */
extern int64 align_clock_elapsed(const ClockBoard *board, const SlaClock *clock, TimestampTz as_of);
/* Time left until due, negative once overdue; only for open clocks. */
extern int64 align_clock_remaining(const ClockBoard *board, const SlaClock *clock, TimestampTz as_of);
extern TimestampTz align_clock_due(const ClockBoard *board, const SlaClock *clock, TimestampTz as_of);
extern TimestampTz align_clock_warn(const ClockBoard *board, const SlaClock *clock, TimestampTz as_of);
extern const char *align_clock_state_name(ClockState state);

/*
 * Progress along steps.
 */
#define PROGRESS_MAX_STEPS 32

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

/* SQL arguments of progress() and conversion_agg(), checked; steps must not be
 * NULL, empty, hold NULLs or repeat beyond PROGRESS_MAX_STEPS. */
extern void align_progress_steps(ArrayType *steps, ProgressSteps *result);
extern int64 align_window_arg(Interval *within);	/* refuses months and negatives */
extern void align_mode_arg(text *mode); /* 0.1 knows "ordered" */

#endif							/* ALIGN_JUDGE_H */
