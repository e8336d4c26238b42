/*
 * risk.h
 *	  Walks an incidence from its first time to its last: how many cases are at
 *	  risk, and how many leave, with which outcome.
 */
#ifndef ALIGN_INCIDENCE_RISK_H
#define ALIGN_INCIDENCE_RISK_H

#include "incidence/incidence.h"

typedef struct RiskWalk
{
	const Incidence *incidence; /* sorted */
	int			late;			/* late entries before this one are at risk */
	int			open;			/* open cases before this one have left */
	int			outcomes[INCIDENCE_MAX_OUTCOMES];
	int64		at_risk;
} RiskWalk;

/* What leaves at one time. */
typedef struct RiskStep
{
	int64		at;
	int64		at_risk;
	int64		events;			/* with the outcome asked for */
	int64		competing;		/* with another one */
	int64		censored;		/* open */
} RiskStep;

/* Begin before the first time. */
extern void align_risk_begin(RiskWalk *walk, const Incidence *incidence);

/* The next time at which a case leaves; false after the last one. */
extern bool align_risk_peek(const RiskWalk *walk, int64 *at);

/*
 * The cases at risk at a time, which is not after the next one at which a case
 * leaves.
 */
extern int64 align_risk_at(RiskWalk *walk, int64 at);

/*
 * Take the cases that leave at a time, which is not after the next one at
 * which a case leaves.  outcome is an index, or -1 for one that no case has.
 */
extern void align_risk_take(RiskWalk *walk, int64 at, int outcome, RiskStep *step);

#endif							/* ALIGN_INCIDENCE_RISK_H */
