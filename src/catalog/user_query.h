/*
 * user_query.h
 *	  Runs a query that the caller of a function has given, read-only.
 *
 * The query runs with the privileges of the current user.  Still, it must not
 * change anything:
 *
 *	  - It is first prepared on its own, and must be one SELECT that neither
 *		locks rows nor modifies data.  Only then is it made part of another
 *		query, in parentheses.  A text that parses on its own is balanced, so
 *		it cannot close these.
 *	  - It runs in a read-only subtransaction.  That includes the functions
 *		that it calls, and it cannot be made read-write.
 *	  - It can neither change roles nor create temporary objects: it runs in
 *		the security context of REFRESH MATERIALIZED VIEW.
 *	  - The subtransaction is always rolled back, with all changes that
 *		functions made to settings and temporary tables.
 */
#ifndef ALIGN_CATALOG_USER_QUERY_H
#define ALIGN_CATALOG_USER_QUERY_H

#include "compat.h"

#include "access/tupdesc.h"

/*
 * Called once with the text of the user's query, without a semicolon, and its
 * columns, of which an unsuitable one is an error.  Returns the query to run,
 * palloc'd, or NULL to run the user's as it is.
 */
typedef char *(*UserQueryWrapper) (void *state, const char *statement, TupleDesc desc);

/*
 * Called for each row of the query that is run, in a memory context that is
 * reset afterwards.
 */
typedef void (*UserQueryRow) (void *state, const Datum *values, const bool *nulls);

/*
 * Runs the query that wrap() returns for a user's query, and calls receive()
 * for each of its rows.  Both are called in the subtransaction and connected
 * to SPI; what they keep must not belong to a resource owner of that time.  A
 * query that is wrapped may use parallel workers, so receive() must not run
 * queries then.
 */
extern void align_run_user_query(const char *query, UserQueryWrapper wrap, UserQueryRow receive,
								 void *state);

#endif							/* ALIGN_CATALOG_USER_QUERY_H */
