/*
 * findings.h
 *	  The findings of a backtest, counted per rule and move.
 */
#ifndef ALIGN_BACKTEST_FINDINGS_H
#define ALIGN_BACKTEST_FINDINGS_H

#include "compat.h"

#include "funcapi.h"
#include "judge/judge.h"

/*
 * A broken rule and the move that broke it, or a missed service level.  The
 * latter has RULE_NONE, the stage that started the clock, and the stage that
 * stopped it too late, which is absent if the clock is still open.
 */
typedef struct FindingKey
{
	Rule		rule;
	int			sla;			/* index of the service level that was missed;
								 * else -1 */
	LeadString	from;			/* absent for an entry */
	LeadString	to;
} FindingKey;

typedef struct Findings Findings;

/*
 * Returns an empty set of findings.  It is allocated in the current memory
 * context and keeps a pointer to the funnel.
 */
extern Findings *align_findings_begin(const Funnel *funnel);

/* To be called before the findings of each lead, even if there are none. */
extern void align_findings_next_lead(Findings *findings);

/*
 * Counts one finding in the current lead.  key and lead_key, the text of the
 * lead's key, are copied as needed.
 */
extern void align_findings_count(Findings *findings, FindingKey key, const text *lead_key);

/* Returns the result, one row per finding, the most frequent first. */
extern void align_findings_put(const Findings *findings, ReturnSetInfo *rsinfo);

#endif							/* ALIGN_BACKTEST_FINDINGS_H */
