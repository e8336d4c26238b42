/*
 * judge.h
 *	  Pure functions of (funnel, lead): verdicts, service-level clocks,
 *	  progress.
 *
 * The write path (triggers) and the read path (reports) call the same
 * functions, so they cannot disagree.  Nothing here reads a catalog, calls SPI
 * or depends on the current time.
 */
#ifndef ALIGN_JUDGE_H
#define ALIGN_JUDGE_H

#include "compat.h"

#include "funnel/funnel.h"
#include "judge/steps.h"
#include "lead/lead.h"
#include "matching/matching.h"
#include "utils/array.h"
#include "utils/timestamp.h"

/*
 * The rules of an agreement.  Each has a SQLSTATE in class 23 (integrity
 * constraint violation), documented and stable.
 */
typedef enum Rule
{
	RULE_NONE,					/* no rule is broken */
	RULE_UNKNOWN_STAGE,			/* 23L01 */
	RULE_ILLEGAL_MOVE,			/* 23L02 */
	RULE_NOT_AN_ENTRY,			/* 23L03 */
	RULE_MISSING_NEED,			/* 23L04: needs the row, so not judged here */
	RULE_MISSING_REASON,		/* 23L05 */
	RULE_UNLISTED_REASON,		/* 23L06 */
	RULE_WRONG_TEAM,			/* 23L07 */
	RULE_LEFT_FUNNEL			/* 23L08: stage set to NULL */
} Rule;

extern const char *align_rule_name(Rule rule);

/*
 * For ereport(): sets the SQLSTATE of a rule, and as constraint name "align_"
 * and the rule's name.
 */
extern int	align_errrule(Rule rule);

/*
 * One change of stage, with everything but the row that a verdict depends on.
 */
typedef struct Move
{
	int			from;			/* stage index; -1 if from_label is absent
								 * (the entry into the funnel) or unknown
								 * (then the move is never illegal) */
	int			to;				/* stage index, -1 if to_label is unknown */
	LeadString	from_label;		/* as written */
	LeadString	to_label;
	LeadString	team;			/* which makes the move; absent if unknown */
	LeadString	reason;
} Move;

/*
 * Judge a move: fills in the rules that it breaks, the gravest first, and
 * returns how many.  A move to the stage that the lead is in breaks none.
 */
#define MOVE_MAX_BROKEN 3

extern int	align_judge_move(const Funnel *funnel, const Move *move, Rule broken[MOVE_MAX_BROKEN]);

/*
 * The one of two stages that is further along the success path.  Each may be
 * -1, and the first is -1 or on that path, as is the result.
 */
extern int	align_further_stage(const Funnel *funnel, int stage, int other);

/* True if a team (an index into the funnel's teams) may make the move. */
extern bool align_team_may_move(const Funnel *funnel, const Move *move, int team);

/* The texts of an error about a broken rule, palloc'd; hint may be NULL. */
typedef struct VerdictText
{
	char	   *message;
	char	   *detail;
	char	   *hint;
} VerdictText;

/*
 * Fill in the texts for a rule that align_judge_move returned.  subject is
 * "lead" or "lead (id)=(42)", agreement is "The agreement" or
 * "Agreement \"b2b\" version 3".
 */
extern void align_verdict_text(const Funnel *funnel, const Move *move, Rule rule,
							   const char *subject, const char *agreement,
							   VerdictText *text);

/*
 * The sentence "Team "marketing" holds "mql" and team "sales" holds "sal".",
 * palloc'd, for a move with a team that holds at least one of its stages.
 */
extern char *align_holders_text(const Funnel *funnel, const Move *move);

/*
 * Walks the moves of a lead under a funnel.  Labels are resolved once per
 * dictionary string.  Touches are skipped, and so are entries into the stage
 * that the lead is in: the trigger does not fire for those, so reports must
 * not count them.
 */
#define WALK_NOT_LOOKED_UP (-2)

typedef struct Walk
{
	const Funnel *funnel;
	LeadReader	reader;
	int		   *stage_of_string;	/* dictionary index -> stage, -1 unknown,
									 * WALK_NOT_LOOKED_UP */
	int			inline_stages[LEAD_INLINE_STRINGS];
	int			from;			/* stage before; -1 none or unknown */
	int			from_string;	/* its dictionary string; -1 at first entry */
	int			to;				/* stage of this entry; -1 unknown */
	int			entry_no;		/* from 1, among all entries of the lead */
	LeadEntry	entry;
	int			amount;			/* dictionary string of the last amount so
								 * far, of any entry; -1 none */
	TimestampTz as_of;			/* later entries are ignored */
	bool		started;		/* true after the first stage entry */
} Walk;

/* as_of DT_NOEND: the whole journey.  The lead must outlive the walk. */
extern void align_walk_begin(Walk *walk, const Funnel *funnel, const struct varlena *lead,
							 TimestampTz as_of);

/* Go to the next move, or to the entry into the funnel; false at the end. */
extern bool align_walk_next(Walk *walk);
extern void align_walk_end(Walk *walk);

/* A dictionary string of the lead; absent for -1. */
extern LeadString align_walk_string(const Walk *walk, int string);

/* The segments of a funnel that are in the canonical list of an entry. */
extern SegmentMask align_segments_of(const Funnel *funnel, LeadString list);

/* Those of the current entry of a walk. */
static inline SegmentMask
align_walk_segments(const Walk *walk)
{
	return align_segments_of(walk->funnel, align_walk_string(walk, walk->entry.segments));
}

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
 * Durations are in the promise's kind of time: elapsed time, or the working
 * time of the promising team.  A pause preserves the remaining time: when the
 * clock resumes, due_at and warn_at move accordingly.  An instant that passed
 * before the pause began does not move, so a pause cannot undo a miss.
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
	TimestampTz warn_at;		/* likewise, or CLOCK_NO_WARNING */
	TimestampTz running_since;	/* while running: start or last resumption */
	int64		spent;			/* up to running_since, or in all if not
								 * running */
	TimestampTz paused_at;		/* while paused */
	TimestampTz stopped_at;		/* once closed */
	int			stopped_by;		/* the stage that closed it, -1 if unknown */
} SlaClock;

#define CLOCK_NO_WARNING DT_NOEND

/*
 * The reason for which a clock cannot start or resume: it can never be due.
 */
typedef enum ClockProblem
{
	CLOCK_NO_PROBLEM,
	CLOCK_NEVER_OPENS,			/* the team's calendar does not open again */
	CLOCK_CLOSES_TOO_SOON,		/* it does, but for less time than promised */
	CLOCK_OUT_OF_RANGE			/* due after the last timestamp */
} ClockProblem;

/* The clause "its calendar never opens again", and the SQLSTATE to report. */
extern const char *align_clock_problem_text(ClockProblem problem);
extern int	align_clock_problem_sqlstate(ClockProblem problem);

/*
 * The events of one clock.  funnel is the agreement under which the clock was
 * started, the same for all its events; instants must not descend.  segments
 * are those that hold of the lead when the clock starts.
 *
 * After any result but CLOCK_NO_PROBLEM the clock is undefined; the caller
 * raises an error that says whose clock it is, or does without the clock.
 */
extern ClockProblem align_clock_start(Funnel *funnel, int sla, int cycle, TimestampTz at,
									  SegmentMask segments, SlaClock *clock);

/*
 * The lead enters a stage (-1: unknown to the funnel) other than the one it
 * was in: stop, cancel, resume or pause an open clock.  terminal: the stage is
 * won or lost.
 */
extern ClockProblem align_clock_enter(Funnel *funnel, SlaClock *clock, int stage, bool terminal,
									  TimestampTz at);
extern void align_clock_pause(Funnel *funnel, SlaClock *clock, TimestampTz at);
extern ClockProblem align_clock_resume(Funnel *funnel, SlaClock *clock, TimestampTz at);

/* The lead leaves the funnel or is deleted. */
extern ClockProblem align_clock_cancel(Funnel *funnel, SlaClock *clock, TimestampTz at);

/* The time between two instants that counts for a service level. */
extern int64 align_clock_time(Funnel *funnel, int sla, TimestampTz from, TimestampTz to);

/*
 * True if a stage (-1: unknown) starts a service level that has no open clock.
 */
extern bool align_clock_starts(const Funnel *funnel, int sla, int stage);

/* The clocks of one lead, all under one agreement. */
typedef struct ClockBoard
{
	Funnel	   *funnel;
	int			nclocks;
	int			room;
	SlaClock   *clocks;			/* in the order of their start, palloc'd */
	int		   *open;			/* by service level: its open clock, -1 none */
	int		   *cycles;			/* by service level: clocks started so far */
} ClockBoard;

extern void align_clocks_begin(ClockBoard *board, Funnel *funnel);

/*
 * Remove the clocks but keep the memory, for the next lead of the same funnel.
 */
extern void align_clocks_reset(ClockBoard *board);
extern void align_clocks_end(ClockBoard *board);

/*
 * The lead enters a stage (-1: unknown) other than the one it was in, while
 * these segments hold of it.
 */
extern void align_clocks_enter(ClockBoard *board, int stage, TimestampTz at,
							   SegmentMask segments);

/* Apply every stage entry at or before as_of. */
extern void align_clocks_run(ClockBoard *board, const struct varlena *lead, TimestampTz as_of);

/*
 * The state of a clock as of an instant, which must not precede its last
 * event.
 */
typedef struct ClockReading
{
	ClockState	state;
	TimestampTz due_at;
	TimestampTz warn_at;		/* or CLOCK_NO_WARNING */
	int64		elapsed;
	int64		remaining;		/* negative if overdue; 0 for a closed clock */
} ClockReading;

extern void align_clock_read(Funnel *funnel, const SlaClock *clock, TimestampTz as_of,
							 ClockReading *reading);
extern const char *align_clock_state_name(ClockState state);

/*
 * Progress along steps.
 */
typedef enum ProgressStatus
{
	PROGRESS_OPEN,
	PROGRESS_CONVERTED,
	PROGRESS_DROPPED
} ProgressStatus;

#define PROGRESS_NO_TIME MATCH_NO_TIME

typedef struct Progress
{
	int			nsteps;
	int			level;			/* position of the last step filled, 0 to
								 * nsteps; in the mode "any" their number */
	TimestampTz times[PROGRESS_MAX_STEPS];	/* when each step was filled;
											 * PROGRESS_NO_TIME if skipped or
											 * not reached */
	bool		entered_end;	/* along a funnel: won in the last stage of
								 * the success path, too */
	LeadString	amount;			/* the lead's last amount as of as_of, absent
								 * if there is none; points into the lead */
	ProgressStatus status;
	int			matured_level;	/* steps reached within the window of the
								 * lead's earliest first step, 1 to nsteps; 0
								 * if that window is not over, or there is
								 * none */
} Progress;

/*
 * A stage, and what entering it means.
 */
typedef struct StepName
{
	LeadString	name;
	uint32		signature;		/* equal names have equal signatures */
	bool		excluded;		/* ends an attempt */
	uint64		steps;			/* that it fills: bit i for step i, from 0 */
} StepName;

/*
 * A list of steps, ready for searching leads.
 */
typedef struct StepPlan
{
	const StepList *list;
	int			nnames;
	StepName   *names;			/* of all stages of the list, each once */
	bool		simple;			/* the mode is ordered, with no more than a
								 * window of elapsed time */
	int64		within;			/* if simple: microseconds, -1 none */
	StepRules	rules;			/* if not simple */
} StepPlan;

/*
 * Make a plan, in the current context, of a list that is valid and canonical
 * and lives as long.
 */
extern StepPlan *align_step_plan(const StepList *list);

/*
 * The stage of the plan that has a name; NULL if there is none.
 */
extern const StepName *align_step_name(const StepPlan *plan, LeadString name);

/*
 * Progress along steps: that of the chain which matching.h calls the best.
 * Entries after as_of are ignored.  A lead that has not converted is dropped
 * if no attempt that is under way at as_of can get on.
 */
extern void align_progress(const StepPlan *plan, const struct varlena *lead,
						   TimestampTz as_of, Progress *progress);

/*
 * The passages of a lead, each followed on its own.  An entry into the first
 * step begins one, which ends before the next begins.  One that is overtaken
 * and has not converted is dropped.  The amount is the lead's last one by the
 * end of the passage.
 */
typedef struct PassageScan PassageScan;

/* Reads the lead, which must outlive the scan, up to as_of. */
extern PassageScan *align_passages_begin(const StepPlan *plan, const struct varlena *lead,
										 TimestampTz as_of);

/* The next passage; false at the end. */
extern bool align_passages_next(PassageScan *scan, Progress *progress);
extern void align_passages_end(PassageScan *scan);

/*
 * Progress along a funnel's success path.  level is the furthest position
 * entered; any won stage counts as the end of the path, and skipped stages as
 * reached.  The time of the end is that of the first won stage.  A lead that
 * is in an open stage again was not won.
 */
extern void align_funnel_progress(const Funnel *funnel, const struct varlena *lead,
								  TimestampTz as_of, Progress *progress);

/*
 * Check arguments that progress and conversion share; an invalid one is an
 * error.
 */

/* The arguments that make a list of steps. */
enum
{
	STEPS_ARG_STEPS,
	STEPS_ARG_WITHIN,
	STEPS_ARG_MODE,
	STEPS_ARG_GAPS,
	STEPS_ARG_EXCLUDE,
	STEPS_ARG_COUNT,
	STEPS_ARG_TIME_ZONE,
	STEPS_NARGS
};

typedef struct StepArguments
{
	int			argno[STEPS_NARGS]; /* 0: the function does not have it */
	bool		passages;		/* unless the argument count decides */
} StepArguments;

/*
 * What a call site remembers: the arguments as last seen, and their plan.
 * Zeroed at first.
 */
typedef struct StepSite
{
	MemoryContext context;		/* of all that follows */
	bool		valid;
	LeadString	keys[STEPS_NARGS];	/* their bytes, absent if NULL */
	StepPlan   *plan;
} StepSite;

/*
 * Set site->plan from the arguments of a call; true if it is another plan than
 * at the last call.
 */
extern bool align_step_site(FunctionCallInfo fcinfo, const StepArguments *arguments,
							StepSite *site);

/* A window of elapsed time, in microseconds: not negative, no months. */
extern int64 align_window_arg(const Interval *within);

/* A timestamp that must be neither NULL nor infinite. */
extern TimestampTz align_as_of_arg(FunctionCallInfo fcinfo, int argno);

#endif							/* ALIGN_JUDGE_H */
