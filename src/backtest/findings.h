/*
 * findings.h
 *	  What a backtest found, counted per rule and move.
 */
#ifndef ALIGN_BACKTEST_FINDINGS_H
#define ALIGN_BACKTEST_FINDINGS_H

#include "compat.h"

#include "funcapi.h"
#include "judge/judge.h"

/*
 * What was broken, and where.  A missed service level has RULE_NONE and goes
 * from the stage that started the clock to the one that stopped it too late,
 * which is absent while the clock still runs.
 */
typedef struct FindingKey
{
	Rule		rule;
	int			sla;			/* index, -1 unless a service level was missed */
	LeadString	from;			/* absent for an entry */
	LeadString	to;
} FindingKey;

typedef struct Findings Findings;

/* They live in the current memory context, and refer to the funnel. */
extern Findings *align_findings_begin(const Funnel *funnel);

/* The next lead is being judged. */
extern void align_findings_next_lead(Findings *findings);
extern void align_findings_count(Findings *findings, FindingKey key, const text *lead_key);

/* The rows of the result, the most frequent first. */
extern void align_findings_put(const Findings *findings, ReturnSetInfo *rsinfo);

#endif							/* ALIGN_BACKTEST_FINDINGS_H */
