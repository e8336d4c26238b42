/*
 * query.h
 *	  Runs a user-supplied query, read-only, and returns the leads of its raw
 *	  events, one at a time.
 */
#ifndef ALIGN_BACKTEST_QUERY_H
#define ALIGN_BACKTEST_QUERY_H

#include "compat.h"

#include "datatype/timestamp.h"

/*
 * Called once per lead, in no particular order, in a memory context that is
 * reset afterwards.  key is the lead's key as text, lead a value of type lead
 * that is not compressed, and latest the largest time of all leads.
 */
typedef void (*QueryJourneyCallback) (void *state, const text *key, const struct varlena *lead,
									  TimestampTz latest);

/*
 * Runs a query that returns the columns (lead, at, stage [, team [, reason]]),
 * by position, and calls back for each lead.  Raises an error if it is not
 * such a query.
 *
 * It runs as catalog/user_query.h says.
 */
extern void align_query_journeys(const char *query, QueryJourneyCallback callback, void *state);

#endif							/* ALIGN_BACKTEST_QUERY_H */
