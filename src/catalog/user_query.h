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
#include "tcop/dest.h"

/*
 * Returns the query to run, palloc'd.  statement is the text of the user's
 * query without a semicolon, and desc its columns, of which an unsuitable one
 * is an error.
 */
typedef char *(*UserQueryWrapper) (void *state, const char *statement, TupleDesc desc);

/*
 * Runs the query that wrap() returns for a user's query, and sends its rows to
 * dest.  What dest keeps must not belong to a memory context or a resource
 * owner of the time in which it receives rows.
 */
extern void align_run_user_query(const char *query, UserQueryWrapper wrap, void *state,
								 DestReceiver *dest);

#endif							/* ALIGN_CATALOG_USER_QUERY_H */
