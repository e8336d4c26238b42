/*
 * cursor.h
 *	  Reading the result of a query as another role, some rows at a time.
 */
#ifndef ALIGN_CATALOG_CURSOR_H
#define ALIGN_CATALOG_CURSOR_H

#include "compat.h"

#include "utils/portal.h"

/*
 * Opens a cursor for a query without parameters, as a role and under the
 * active snapshot.  The caller is connected to SPI.  Raises an error if the
 * query cannot be executed.
 */
extern Portal align_open_cursor_as(Oid role, const char *query);

/*
 * Fetches at most count rows of a cursor, as the role: the query runs with the
 * rights of the role that is current during the fetch.  Returns SPI_processed;
 * the rows are in SPI_tuptable.
 */
extern uint64 align_fetch_as(Oid role, Portal portal, long count);

#endif							/* ALIGN_CATALOG_CURSOR_H */
