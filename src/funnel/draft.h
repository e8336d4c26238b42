/*
 * draft.h
 *	  The parsed document before names are resolved; private to src/funnel.
 *
 * A Draft mirrors the document statement by statement.  Stages may be used
 * before they are declared, so names are resolved after the whole document has
 * been read.  Every ScanName holds its position in the text, for messages.
 *
 * Drafts live in the memory context that is current while parsing.  Positions
 * and names point into that context or into the text.
 */
#ifndef ALIGN_FUNNEL_DRAFT_H
#define ALIGN_FUNNEL_DRAFT_H

#include "funnel/funnel.h"
#include "nodes/pg_list.h"
#include "text_scan.h"
#include "utils/date.h"

/* hours 'calendar';  hours of team 'calendar'; */
typedef struct DraftHours
{
	const char *at;
	ScanName   *team;			/* NULL: the common hours */
	ScanName	calendar;
} DraftHours;

/* One stage of a "stage", "won" or "lost" statement. */
typedef struct DraftStage
{
	ScanName	name;
	StageKind	kind;
	ScanName   *team;			/* NULL: not held */
} DraftStage;

/* entry a, b; */
typedef struct DraftEntry
{
	const char *at;
	List	   *stages;			/* of ScanName * */
} DraftEntry;

/* success path a -> b;  path a, b -> c -> d;  path any -> x; */
typedef struct DraftPath
{
	const char *at;
	bool		any;			/* first step is "any", not in the list */
	List	   *steps;			/* of List * of ScanName * */
} DraftPath;

typedef struct DraftNeed
{
	NeedKind	kind;
	ScanName	text;			/* of a reason only "at" */
	List	   *reasons;		/* of ScanName * */
} DraftNeed;

/* stage needs ...;  from -> to needs ...; */
typedef struct DraftNeeds
{
	ScanName   *from;			/* NULL: needs of the stage */
	ScanName	to;
	List	   *needs;			/* of DraftNeed * */
} DraftNeeds;

/* stage known as 'label', 'label'; */
typedef struct DraftLabels
{
	ScanName	stage;
	List	   *labels;			/* of ScanName * */
} DraftLabels;

/* segment name: 'condition'; */
typedef struct DraftSegment
{
	ScanName	name;
	ScanName	condition;
} DraftSegment;

/* within ... when segment */
typedef struct DraftSegmentPromise
{
	Promise		promise;
	const char *due_at;
	ScanName	segment;
} DraftSegmentPromise;

/* A promise and the positions of its parts, NULL for those absent. */
typedef struct DraftPromise
{
	Promise		promise;
	bool		warn_working;
	const char *due_at;
	const char *warn_at;
	List	   *to_segments;	/* of DraftSegmentPromise * */
} DraftPromise;

/* handoff name: ...;  sla name by team: ...; */
typedef struct DraftServiceLevel
{
	ScanName	name;
	bool		is_handoff;
	ScanName	team;			/* sla: who promises; handoff: who receives */
	ScanName	from_team;		/* handoffs only */
	List	   *starts;			/* all of ScanName * */
	List	   *stops;			/* sla only */
	List	   *accept;			/* handoff only */
	List	   *reject;
	List	   *reasons;
	List	   *pauses;
	DraftPromise due;
} DraftServiceLevel;

typedef struct DraftTarget
{
	const char *at;
	TargetKind	kind;
	List	   *teams;			/* of ScanName * */
	char	   *goal;
	const char *goal_at;
	ScanName	what;			/* stage, service level, or stage to start
								 * from */
	ScanName	to;				/* TARGET_CONVERSION */
	const char *per;			/* NULL none */
	int64		within;			/* microseconds, -1 none */
} DraftTarget;

/* N% segment;  N% other */
typedef struct DraftShare
{
	char	   *share;
	const char *share_at;
	bool		is_other;
	ScanName	segment;		/* of other only "at" */
} DraftShare;

/* mix of stage: share, ...; */
typedef struct DraftMix
{
	ScanName	stage;
	List	   *shares;			/* of DraftShare * */
} DraftMix;

/* source, medium and name */
#define FUNNEL_CHANNEL_KINDS 3

/* channel name when source 'pattern' and ...; */
typedef struct DraftChannel
{
	ScanName	name;
	ScanName	patterns[FUNNEL_CHANNEL_KINDS]; /* text is NULL if absent */
} DraftChannel;

typedef struct Draft
{
	const char *statement;		/* where the one being read began */
	List	   *hours;
	List	   *stages;
	List	   *entries;
	List	   *success_paths;
	List	   *paths;
	List	   *needs;
	List	   *labels;
	List	   *segments;
	List	   *service_levels;
	List	   *targets;
	List	   *mixes;
	int			fiscal_month;	/* 0: no "fiscal year" statement */
	List	   *channels;
} Draft;

/* parse.c: parse a whole document.  False after a soft error. */
extern bool align_funnel_draft(TextScan *scan, Draft *draft);

/*
 * promise.c: is a "within" or "by end of" clause next, or a "warn" clause; and
 * read one.  The latter return false after a soft error.
 */
extern bool align_funnel_due_follows(TextScan *scan);
extern bool align_funnel_warn_follows(TextScan *scan);
extern bool align_funnel_scan_due(TextScan *scan, Promise *promise);
extern bool align_funnel_scan_warn(TextScan *scan, DraftPromise *promise);
extern bool align_funnel_scan_window(TextScan *scan, int64 *within);

/*
 * value.c: the stored value of a document.  The scan must be at the beginning.
 * NULL after a soft error.
 */
extern TextValue *align_funnel_value_scan(TextScan *scan);

/* lookup.c */

/* Compares FunnelLabels by bytes, for qsort. */
extern int	align_label_cmp(const void *a, const void *b);

/* Sets reached[] by stage: is there a legal route of one or more moves? */
extern void align_funnel_reach(const Funnel *funnel, int from, bool *reached);

/* write.c: parts of the canonical document, shared with the other writers */
extern void align_write_need(StringInfo out, const FunnelNeed *need);
extern void align_write_stages(StringInfo out, const Funnel *funnel, const int *stages, int n);
extern void align_write_reasons(StringInfo out, char **reasons, int n);

/* "gap" separates the clauses of a handoff. */
extern void align_write_service_level(StringInfo out, const Funnel *funnel,
									  const ServiceLevel *level, const char *gap);

/*
 * targets.c: a target without semicolon; the text without the goal identifies
 * it.  "marketing, sales", the names as they are, palloc'd.
 */
extern void align_write_target(StringInfo out, const Funnel *funnel,
							   const FunnelTarget *target, bool with_goal);
extern char *align_target_teams_text(const Funnel *funnel, const FunnelTarget *target);

/* mixes.c: the statements of all mixes; the shares of one */
extern void align_write_mixes(StringInfo out, const Funnel *funnel);
extern void align_write_shares(StringInfo out, const Funnel *funnel, const FunnelMix *mix);

/*
 * periods.c: the statement "fiscal year", nothing if that begins in January;
 * "February" for 2; the index of a period, -1 if there is none of this name;
 * the first day of the period of a finite date, or of the one after it, false
 * if that is out of range.
 */
extern void align_write_fiscal_year(StringInfo out, const Funnel *funnel);
extern const char *align_month_name(int month);
extern int	align_period(const char *name, int len);
extern bool align_period_boundary(const Funnel *funnel, int period, DateADT date, bool next,
								  DateADT *boundary);

/* channels.c: the statements of all channels; the conditions of one */
extern void align_write_channels(StringInfo out, const Funnel *funnel);
extern void align_write_conditions(StringInfo out, const FunnelChannel *channel);

/* segments.c: the statements of all segments */
extern void align_write_segments(StringInfo out, const Funnel *funnel);

/*
 * promise.c: "within 2 days" or "by end of next working day"; ", warn after 1
 * hour" or nothing; "90 days", NULL if negative
 */
extern void align_write_due(StringInfo out, const Promise *promise);
extern void align_write_warn(StringInfo out, const Promise *promise);
extern char *align_window_text(int64 within);

/* paths.c: the moves that are not on the success path, as "path" statements */
typedef struct PathGroup
{
	bool		any;			/* from every open stage; then from is empty */
	StageSet	from;
	StageSet	to;
} PathGroup;

extern List *align_funnel_path_groups(const Funnel *funnel);

#endif							/* ALIGN_FUNNEL_DRAFT_H */
