/*
 * cursor.c
 *	  Reading the result of a query as another role; see cursor.h.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "catalog/as_role.h"
#include "catalog/cursor.h"

/*
 * Opens a cursor as a role.
 */
Portal
align_open_cursor_as(Oid role, const char *query)
{
	CallerRole	caller;
	Portal		portal;

	align_work_as(role, &caller);
	/* read_only makes SPI use the active snapshot, not a new one of its own */
	portal = SPI_cursor_open_with_args(NULL, query, 0, NULL, NULL, NULL, true, 0);
	align_return_to(&caller);
	if (portal == NULL)
		elog(ERROR, "SPI_cursor_open_with_args failed: %s: %s",
			 SPI_result_code_string(SPI_result), query);
	return portal;
}

/*
 * Fetches the next rows as the role.
 */
uint64
align_fetch_as(Oid role, Portal portal, long count)
{
	CallerRole	caller;

	align_work_as(role, &caller);
	SPI_cursor_fetch(portal, true, count);
	align_return_to(&caller);
	return SPI_processed;
}
