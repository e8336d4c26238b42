/*
 * build.h
 *	  Shared by the files that compile and check a draft; private to
 *	  src/funnel.
 *
 * Every function that returns bool returns false after a soft error.
 */
#ifndef ALIGN_FUNNEL_BUILD_H
#define ALIGN_FUNNEL_BUILD_H

#include "funnel/draft.h"

/*
 * State of compiling one draft.  Messages and scratch memory live in the
 * current context, the result in funnel->context.
 */
typedef struct FunnelBuild
{
	TextScan   *scan;
	const Draft *draft;
	Funnel	   *funnel;
	const char **stage_at;		/* position of each stage's declaration */
	int			nnamed;			/* teams that hold stages, promise or take
								 * part in handoffs: the first so many */
	bool	   *reaches;		/* nstages * nstages, [from * nstages + to]:
								 * is there a legal route? NULL until needed */
} FunnelBuild;

/* compile.c: draft to compiled form, in a new child of context. */
extern Funnel *align_funnel_build(TextScan *scan, const Draft *draft, MemoryContext context);

/* build.c */

/* Zeroed memory, and a copy of a text, in funnel->context. */
extern void *align_build_alloc(FunnelBuild *build, Size size);
extern char *align_build_strdup(FunnelBuild *build, const char *text);

/* Resolves names of stages, each of which may occur once. */
extern bool align_build_stage_set(FunnelBuild *build, List *names, StageSet *set);
extern bool align_build_reasons(FunnelBuild *build, List *names, int *nreasons, char ***reasons);

/* compile_promise.c; called in this order */
extern bool align_build_holders(FunnelBuild *build);
extern bool align_build_service_levels(FunnelBuild *build);
extern bool align_build_hours(FunnelBuild *build);

/* Sets *team to the index of the team of this name, adding it if it is new. */
extern bool align_build_team(FunnelBuild *build, const ScanName *name, int *team);

/* targets.c; after the service levels, before the hours */
extern bool align_build_targets(FunnelBuild *build);

/* mixes.c; after the segments */
extern bool align_build_mixes(FunnelBuild *build);

/* channels.c */
extern bool align_build_channels(FunnelBuild *build);

/* segments.c */
extern bool align_build_segments(FunnelBuild *build);
extern bool align_check_segment_known(FunnelBuild *build, const ScanName *name, int *segment);

/*
 * check.c, check_promise.c: one function and one message for each rule.  True
 * if the rule holds.
 */
extern bool align_check_limit(FunnelBuild *build, const char *at, int n, int max,
							  const char *what);
extern bool align_check_stage_known(FunnelBuild *build, const ScanName *name, int *stage);
extern bool align_check_stage_new(FunnelBuild *build, const ScanName *name);
extern bool align_check_labels_distinct(FunnelBuild *build, const FunnelLabel *labels,
										const char **at, int nlabels);
extern bool align_check_named_once(FunnelBuild *build, List *names, const char *what);
extern bool align_check_one_success_path(FunnelBuild *build);
extern bool align_check_success_path(FunnelBuild *build, List *steps);
extern bool align_check_move_leaves_stage(FunnelBuild *build, const ScanName *name,
										  int from, int to);
extern bool align_check_one_entry(FunnelBuild *build);
extern bool align_check_reached(FunnelBuild *build);
extern bool align_check_team_known(FunnelBuild *build, const ScanName *name, int team);
extern bool align_check_need_new(FunnelBuild *build, const DraftNeed *need,
								 const FunnelNeed *needs, int nneeds);
extern bool align_check_condition(FunnelBuild *build, const ScanName *condition);
extern bool align_check_move_legal(FunnelBuild *build, const ScanName *name, int from, int to);
extern bool align_check_service_level_new(FunnelBuild *build, const ScanName *name);
extern bool align_check_roles(FunnelBuild *build, const DraftServiceLevel *draft,
							  const ServiceLevel *level);
extern bool align_check_handoff(FunnelBuild *build, const DraftServiceLevel *draft,
								const ServiceLevel *level);
extern bool align_check_can_stop(FunnelBuild *build, const DraftServiceLevel *draft,
								 const ServiceLevel *level);
extern bool align_check_same_time(FunnelBuild *build, const DraftPromise *due,
								  const DraftSegmentPromise *draft);
extern bool align_check_segment_promise_new(FunnelBuild *build, const ServiceLevel *level,
											const ScanName *segment, int index);
extern bool align_check_warn(FunnelBuild *build, const DraftPromise *due);
extern bool align_check_has_hours(FunnelBuild *build, const DraftServiceLevel *draft,
								  const ServiceLevel *level);
extern bool align_check_common_reasons(FunnelBuild *build);
extern bool align_check_service_level_known(FunnelBuild *build, const ScanName *name, int *level);
extern bool align_check_target_route(FunnelBuild *build, const DraftTarget *draft,
									 const FunnelTarget *target);

#endif							/* ALIGN_FUNNEL_BUILD_H */
