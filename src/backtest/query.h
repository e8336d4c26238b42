/*
 * query.h
 *	  Runs somebody's query over raw events, read-only, and hands out the leads
 *	  that it describes one at a time.
 */
#ifndef ALIGN_BACKTEST_QUERY_H
#define ALIGN_BACKTEST_QUERY_H

#include "compat.h"

#include "datatype/timestamp.h"

/*
 * Called once per lead, in no particular order, in a memory context that is
 * reset afterwards.  key is the lead's key as text; lead is a value of type
 * lead, not compressed; latest is the largest time of all leads.
 */
typedef void (*JourneyCallback) (void *state, const text *key, const struct varlena *lead,
								 TimestampTz latest);

/*
 * The query yields (lead, at, stage [, team [, reason]]), by position.  It runs
 * with the rights of the current user, in a subtransaction that is read-only
 * and is rolled back in any case.
 */
extern void align_run_journeys(const char *query, JourneyCallback callback, void *state);

#endif							/* ALIGN_BACKTEST_QUERY_H */
