/*
 * draft.h
 *	  What the parser reads, before names mean anything; private to this room.
 *
 * A Draft mirrors the document statement by statement.  Stages may be used
 * before they are declared, so names are resolved only once all has been read;
 * every ScanName keeps where it stood, for the messages that this may bring.
 */
#ifndef ALIGN_FUNNEL_DRAFT_H
#define ALIGN_FUNNEL_DRAFT_H

#include "funnel/funnel.h"
#include "nodes/pg_list.h"
#include "text_scan.h"

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
	bool		any;			/* the first step is "any" and not in the list */
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

/* Promise, and where its parts stood; NULL where absent. */
typedef struct DraftPromise
{
	Promise		promise;
	bool		warn_working;
	const char *due_at;
	const char *warn_at;
} DraftPromise;

/* handoff name: ...;  sla name by team: ...; */
typedef struct DraftServiceLevel
{
	ScanName	name;
	bool		is_handoff;
	ScanName	team;			/* who promises */
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
	ScanName	team;
	char	   *goal;
	const char *goal_at;
	ScanName	what;			/* stage, service level, or stage to start from */
	ScanName	to;				/* TARGET_CONVERSION */
	const char *per;			/* TARGET_COUNT */
	int64		within;			/* microseconds, -1 none */
} DraftTarget;

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
	List	   *service_levels;
	List	   *targets;
} Draft;

/* parse.c: false after a soft error, as all that follow. */
extern bool align_funnel_draft(TextScan *scan, Draft *draft);

/* promise.c */
extern bool align_funnel_due_follows(TextScan *scan);
extern bool align_funnel_warn_follows(TextScan *scan);
extern bool align_funnel_scan_due(TextScan *scan, DraftPromise *promise);
extern bool align_funnel_scan_warn(TextScan *scan, DraftPromise *promise);
extern bool align_funnel_scan_window(TextScan *scan, int64 *within);
/* "st", "nd", "rd" or "th" */
extern const char *align_ordinal_suffix(int64 n);

/* value.c */
/* Parse and compile what scan stands at the beginning of. */
extern Funnel *align_funnel_compile_scan(TextScan *scan, MemoryContext context);
/* The canonical value of it; NULL after a soft error. */
extern TextValue *align_funnel_value_scan(TextScan *scan);

/* lookup.c */
extern const char *align_nearest(const char *name, int len, const char **candidates, int n);
/* "Did you mean "x"?", else what there is if that is short, else NULL. */
extern char *align_nearest_hint(const char *name, int len, const char **candidates, int n);
extern int	align_label_cmp(const void *a, const void *b);
/* For every stage whether a legal route of at least one move leads there. */
extern void align_funnel_reach(const Funnel *funnel, int from, bool *reached);

/* promise.c, write.c, paths.c: pieces that the other writers of this room share. */
extern void align_write_need(StringInfo out, const FunnelNeed *need);
extern void align_write_stages(StringInfo out, const Funnel *funnel, const int *stages, int n);
/* "90 days"; NULL if negative */
extern char *align_window_text(int64 within);
extern void align_write_reasons(StringInfo out, char **reasons, int n);
/* gap: what separates the clauses of a handoff */
extern void align_write_service_level(StringInfo out, const Funnel *funnel,
									  const ServiceLevel *level, const char *gap);
/* without semicolon; without its goal it names the target */
extern void align_write_target(StringInfo out, const Funnel *funnel,
							   const FunnelTarget *target, bool with_goal);
/* Moves beyond the success path as few "path" statements. */
typedef struct PathGroup
{
	bool		any;			/* from every open stage; then from is unset */
	StageSet	from;
	StageSet	to;
} PathGroup;

extern List *align_funnel_path_groups(const Funnel *funnel);

#endif							/* ALIGN_FUNNEL_DRAFT_H */
