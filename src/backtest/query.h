/*
 * query.h
 *	  Runs a user-supplied query, read-only, and returns the leads of its raw
 *	  events, or its rows, one at a time.
 */
#ifndef ALIGN_BACKTEST_QUERY_H
#define ALIGN_BACKTEST_QUERY_H

#include "compat.h"

#include "access/tupdesc.h"
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
 * It runs with the privileges of the current user, in a read-only
 * subtransaction that is always rolled back.
 */
extern void align_query_journeys(const char *query, QueryJourneyCallback callback, void *state);

/*
 * Called once before the first row, with the columns of the query, and then
 * for each row, in a memory context that is reset afterwards.
 */
typedef void (*QueryStartCallback) (void *state, TupleDesc desc);
typedef void (*QueryRowCallback) (void *state, const Datum *values, const bool *nulls);

/*
 * Likewise runs a query with any columns, and calls back for each row, in the
 * subtransaction and connected to SPI.
 */
extern void align_query_rows(const char *query, QueryStartCallback start,
							 QueryRowCallback callback, void *state);

#endif							/* ALIGN_BACKTEST_QUERY_H */
