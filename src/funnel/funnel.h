/*
 * funnel.h
 *	  The agreement: its compiled form and the pure functions on it.
 *
 * The stored value is the canonical document (see value.h); Funnel is its
 * compiled form.  A Funnel does not change once made, except that the
 * calendars of its working hours are compiled on first use.  All of it lives
 * in its own memory context.  Stages, teams and so on are referred to by
 * index: stages in the order in which the document declares them; teams in the
 * order in which stages, service levels, targets and hours first name them.
 *
 * Invariants (established by the parser, relied on everywhere):
 *	  - at least one stage; success_path has at least two, ends in a won stage,
 *		and names no stage twice;
 *	  - every stage is an entry stage or reachable from one;
 *	  - labels (names and "known as") are unique across the funnel;
 *	  - no move leads from a stage to itself, nor out of a won or lost stage
 *		unless a path names that stage as its source;
 *	  - a working-time promise has hours to count in.
 */
#ifndef ALIGN_FUNNEL_H
#define ALIGN_FUNNEL_H

#include "compat.h"

#include "calendar/calendar.h"
#include "datatype/timestamp.h"
#include "value.h"

#define FUNNEL_MAX_STAGES 200
#define FUNNEL_MAX_PATH 64		/* stages on the success path */
#define FUNNEL_MAX_LABELS 2000
#define FUNNEL_MAX_TEAMS 64
#define FUNNEL_MAX_SERVICE_LEVELS 200	/* handoffs included */
#define FUNNEL_MAX_TARGETS 200
#define FUNNEL_MAX_CHANNELS 200
#define FUNNEL_MAX_SEGMENTS 64	/* bits of a SegmentMask */
#define FUNNEL_MAX_PATTERN 1024 /* bytes of one pattern of a channel */
#define FUNNEL_MAX_TEXT (256 * 1024)
#define FUNNEL_MAX_CONDITION 8192
#define FUNNEL_MAX_NEEDS 200	/* of one stage or move */
#define FUNNEL_MAX_REASONS 1000 /* in one list */
#define FUNNEL_MAX_WORKING_DAYS 366 /* by end of the nth working day */
#define FUNNEL_MAX_DAYS 36525	/* of any other promise or window: 100 years */

typedef enum StageKind
{
	STAGE_OPEN,
	STAGE_WON,
	STAGE_LOST
} StageKind;

/*
 * What a stage or a move needs: a column that must be filled, a condition on
 * the row (opaque text), or a reason from a list (any reason if the list is
 * empty).
 */
typedef enum NeedKind
{
	NEED_COLUMN,
	NEED_CONDITION,
	NEED_REASON
} NeedKind;

typedef struct FunnelNeed
{
	NeedKind	kind;
	char	   *text;			/* column or condition; NULL for a reason */
	int			nreasons;
	char	  **reasons;
} FunnelNeed;

typedef struct FunnelStage
{
	char	   *name;
	StageKind	kind;
	int			team;			/* holder, -1 none */
	int			position;		/* on the success path from 0, -1 off it */
	bool		is_entry;
	int			nlabels;		/* "known as", without the name */
	char	  **labels;
	int			nneeds;
	FunnelNeed *needs;
} FunnelStage;

/* Bits of Funnel.moves. */
#define MOVE_LEGAL		0x01
#define MOVE_SUCCESS	0x02	/* along the success path */

/* Needs of one move beyond those of the stage it enters. */
typedef struct MoveNeeds
{
	int			from;
	int			to;
	int			nneeds;
	FunnelNeed *needs;
} MoveNeeds;

/*
 * A promise in time, and the warning before it.
 */
typedef enum DueKind
{
	DUE_NONE,					/* a handoff without "within" */
	DUE_ELAPSED,				/* plain elapsed time */
	DUE_WORKING,				/* the promising team's working time */
	DUE_END_OF_DAY				/* end of the nth working day; 0 the same */
} DueKind;

typedef struct Promise
{
	DueKind		kind;
	int64		amount;			/* microseconds, or n for DUE_END_OF_DAY */
	int64		warn;			/* microseconds after the start, -1 none;
								 * working time unless kind is DUE_ELAPSED */
	bool		warn_before;	/* they are before it is due instead */
} Promise;

/*
 * A named condition on the row (opaque text).
 */
typedef struct FunnelSegment
{
	char	   *name;
	char	   *condition;
} FunnelSegment;

/* The segments that hold of a row: bit i is Funnel.segments[i]. */
typedef uint64 SegmentMask;

#define SEGMENT_BIT(segment) (UINT64CONST(1) << (segment))

/*
 * What a service level promises to the leads of a segment.  It is in the same
 * kind of time as the common promise, and has the same warning.
 */
typedef struct SegmentPromise
{
	int			segment;
	Promise		promise;
} SegmentPromise;

typedef struct StageSet
{
	int			n;
	int		   *stages;			/* in the order of the document */
} StageSet;

/*
 * A service level.  A handoff is one too: it starts at its stage, stops at the
 * accepting and rejecting stages, and is cancelled ("withdrawn") by any other.
 */
typedef struct ServiceLevel
{
	char	   *name;
	int			team;			/* who promises; for a handoff who receives */
	bool		is_handoff;
	int			from_team;		/* handoff: who hands over; else -1 */
	StageSet	starts;			/* handoff: exactly one */
	StageSet	stops;			/* handoff: accept, then reject */
	StageSet	pauses;
	int			naccept;		/* handoff: how many stops accept; those are
								 * the first */
	int			nreasons;		/* handoff: reasons allowed for a rejection; 0
								 * allows any, but one must be given */
	char	  **reasons;
	Promise		promise;		/* to leads of none of the segments below */
	int			nsegment_promises;
	SegmentPromise *segment_promises;	/* the first whose segment holds
										 * decides */
	uint8	   *effects;		/* by stage: EFFECT bits of entering it */
} ServiceLevel;

#define EFFECT_START	0x01
#define EFFECT_STOP		0x02
#define EFFECT_PAUSE	0x04
#define EFFECT_ACCEPT	0x08	/* a stop that accepts a handoff */
#define EFFECT_REJECT	0x10	/* a stop that rejects it */

typedef enum TargetKind
{
	TARGET_COUNT,				/* 400 mql per month */
	TARGET_AMOUNT,				/* 250000 amount of customer per quarter */
	TARGET_SERVICE_LEVEL,		/* 90% of speed_to_lead */
	TARGET_CONVERSION			/* 25% from mql to customer within 90 days */
} TargetKind;

typedef struct FunnelTarget
{
	TargetKind	kind;
	int			nteams;			/* more than one: a joint target */
	int		   *teams;
	char	   *goal;			/* decimal text, as numeric prints it */
	int			stage;			/* COUNT, AMOUNT; CONVERSION: from */
	int			to_stage;		/* CONVERSION */
	int			service_level;	/* SERVICE_LEVEL */
	const char *per;			/* day, week, month, quarter or year; of a
								 * rate also NULL, which means month */
	int64		within;			/* CONVERSION: microseconds, -1 none */
} FunnelTarget;

/* True if the goal is a percentage. */
#define TARGET_IS_RATE(target) \
	((target)->kind == TARGET_SERVICE_LEVEL || (target)->kind == TARGET_CONVERSION)

/*
 * The agreed shares of segments among the leads that enter a stage.  Together
 * they are at most 100 percent.
 */
typedef struct MixShare
{
	int			segment;		/* -1: the leads of no segment */
	char	   *share;			/* percentage, decimal text as numeric prints
								 * it */
} MixShare;

typedef struct FunnelMix
{
	int			stage;
	int			nshares;
	MixShare   *shares;			/* in the order of the document, that of no
								 * segment last */
} FunnelMix;

typedef struct FunnelTeam
{
	char	   *name;
	char	   *hours;			/* canonical calendar text, NULL: the common
								 * hours */
} FunnelTeam;

/*
 * A channel of the agreement: the patterns that a campaign must match, as
 * written, NULL for those absent (at least one is not).  See
 * align_funnel_channel().
 */
typedef struct FunnelChannel
{
	char	   *name;
	char	   *source;
	char	   *medium;
	char	   *campaign;		/* "name" in the document */
} FunnelChannel;

/* A name or other label ("known as") of a stage. */
typedef struct FunnelLabel
{
	char	   *text;
	int			len;
	int			stage;
} FunnelLabel;

typedef struct Funnel
{
	MemoryContext context;
	char	   *hours;			/* canonical calendar text, NULL none */
	int			nteams;
	FunnelTeam *teams;
	int			nstages;
	FunnelStage *stages;
	int			npath;			/* success path, as stage indexes */
	int		   *success_path;
	uint8	   *moves;			/* nstages * nstages, [from * nstages + to] */
	int			nmoveneeds;
	MoveNeeds  *move_needs;
	int			nsegments;
	FunnelSegment *segments;	/* in the order of the document */
	int			nservice_levels;	/* handoffs, then the others; each in the
									 * order of the document */
	ServiceLevel *service_levels;
	int			ntargets;
	FunnelTarget *targets;
	int			nmixes;
	FunnelMix  *mixes;			/* in the order of the document */
	int			fiscal_month;	/* first month of the fiscal year, 1 to 12 */
	int			nchannels;
	FunnelChannel *channels;	/* in the order of the document; the first
								 * that matches decides */
	FunnelLabel *labels;		/* sorted by bytes, for align_funnel_stage */
	int			nlabels;
	Calendar  **team_calendars; /* compiled on first use, by team; see
								 * align_funnel_calendar */
	Calendar   *common_calendar;
} Funnel;

#define FUNNEL_MOVE(funnel, from, to) ((funnel)->moves[(from) * (funnel)->nstages + (to)])

/*
 * Checks a document; its stored value, palloc'd, or NULL after a soft error.
 */
extern TextValue *align_funnel_parse(const char *document, Node *escontext);

/*
 * Checks and compiles a document, in a new child of context, which the caller
 * may delete through funnel->context.  NULL after a soft error.
 */
extern Funnel *align_funnel_compile(const char *document, MemoryContext context, Node *escontext);

/* The canonical document, palloc'd. */
extern char *align_funnel_write(const Funnel *funnel);

/*
 * Compiled form of an argument of an SQL function.  It is cached in flinfo, in
 * the given one of nslots slots, and stays valid until the next call with the
 * same flinfo and slot.
 */
extern Funnel *align_funnel_arg(FmgrInfo *flinfo, Datum value, int slot, int nslots);

/*
 * Append text for a label of a Mermaid diagram; the given punctuation is
 * copied, and other punctuation written as entities.
 */
extern void align_mermaid_label(StringInfo out, const char *text, int len,
								const char *punctuation);

/* Index of the stage with this label (name or "known as"), -1 if none. */
extern int	align_funnel_stage(const Funnel *funnel, const char *label, int len);

/* The same for an SQL argument; raises, with a hint, if there is none. */
extern int	align_funnel_stage_arg(const Funnel *funnel, text *label);

/* Index of the team of this name, -1 if the agreement does not mention it. */
extern int	align_funnel_team(const Funnel *funnel, const char *name, int len);

/* Index of the segment of this name, -1 if there is none. */
extern int	align_funnel_segment(const Funnel *funnel, const char *name, int len);

/* The promise to a lead of which these segments hold. */
extern const Promise *align_promise_to(const ServiceLevel *level, SegmentMask segments);

/*
 * Working hours of a team: its own, else the common ones.  Team -1 has the
 * common ones.  NULL if there are none.  The calendar belongs to the funnel.
 * Raises for a time zone that the server does not have.
 */
extern Calendar *align_funnel_calendar(Funnel *funnel, int team);

/* Needs of the move itself, NULL if none or if from is -1 (an entry). */
extern const MoveNeeds *align_funnel_move_needs(const Funnel *funnel, int from, int to);

/*
 * Writes the shortest legal route, without "from", to route, an array of
 * nstages elements.  Returns its length: 0 if from equals to, -1 if there is
 * no route.  Of several shortest routes, the one whose stages are declared
 * first is taken.
 */
extern int	align_funnel_route(const Funnel *funnel, int from, int to, int *route);

/*
 * The stages to which a lead may move, as "sal, nurture, disqualified";
 * "(none)" if there are none.  palloc'd.
 */
extern char *align_funnel_next_text(const Funnel *funnel, int from);

/*
 * The first channel whose patterns match source, medium and name of a
 * campaign; NULL if there is none.  An absent one is NULL, and matches no
 * pattern.
 */
extern const FunnelChannel *align_funnel_channel(const Funnel *funnel,
												 const char *source, int source_len,
												 const char *medium, int medium_len,
												 const char *name, int name_len);

/*
 * When a promise is due ("4 working hours", "2 days", "end of next working
 * day"), when a service level is, with the promises to segments ("1 hour when
 * demo, 2 days"), and when to warn ("3 working hours", "1 working hour
 * before"), palloc'd; NULL if there is none.
 */
extern char *align_promise_text(const Promise *promise);
extern char *align_due_text(const Funnel *funnel, const ServiceLevel *level);
extern char *align_warn_text(const Promise *promise);

/* True if the funnel lists a reason, for any stage, move or handoff. */
extern bool align_funnel_lists_reason(const Funnel *funnel, const char *reason, int len);

#endif							/* ALIGN_FUNNEL_H */
