/*
 * rebuild.c
 *	  rebuild_clocks(): the clocks of all leads, computed from the history.
 *
 * For whenever what clocks are computed from, or how, has changed: the rules of a
 * time zone, a repaired history.  What was announced of a cycle stays announced.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "enforce/lead_sql.h"
#include "enforce/rebuild.h"
#include "enforce/record_clocks.h"
#include "enforce/recorder.h"

PG_FUNCTION_INFO_V1(align_rebuild_clocks);

/* So many leads at a time. */
#define PORTION 500

/*
 * Leads by key: those with entries, and those with clocks only, which lose them.
 */
static Portal
OpenKeys(const Attachment *attachment)
{
	CallerRole	caller;
	StringInfoData query;
	Portal		portal;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	align_append_key(&query, attachment, TABLE_HISTORY);
	appendStringInfo(&query, " FROM %s AS h UNION SELECT ", attachment->history_name);
	align_append_key(&query, attachment, TABLE_SLA);
	appendStringInfo(&query, " FROM %s AS h", attachment->sla_name);
	PushActiveSnapshot(GetLatestSnapshot());
	align_work_as(attachment->root_owner, &caller);
	portal = SPI_cursor_open_with_args(NULL, query.data, 0, NULL, NULL, NULL, true, 0);
	align_return_to(&caller);
	PopActiveSnapshot();
	if (portal == NULL)
		elog(ERROR, "SPI_cursor_open_with_args failed: %s", query.data);
	return portal;
}

static uint64
FetchKeys(const Attachment *attachment, Portal portal)
{
	CallerRole	caller;

	align_work_as(attachment->root_owner, &caller);
	SPI_cursor_fetch(portal, true, PORTION);
	align_return_to(&caller);
	return SPI_processed;
}

int64
align_rebuild_all_clocks(Attachment *attachment)
{
	Portal		portal = OpenKeys(attachment);
	Datum	   *keys = palloc(PORTION * attachment->nkeys * sizeof(Datum));
	int64		result = 0;
	uint64		nleads;

	while ((nleads = FetchKeys(attachment, portal)) > 0)
	{
		SPITupleTable *rows = SPI_tuptable;

		CHECK_FOR_INTERRUPTS();
		for (uint64 i = 0; i < nleads; i++)
		{
			for (int j = 0; j < attachment->nkeys; j++)
			{
				bool		isnull;

				keys[i * attachment->nkeys + j] = SPI_getbinval(rows->vals[i], rows->tupdesc,
																j + 1, &isnull);
			}
		}
		result += align_recompute_clocks(attachment, keys, (int) nleads);
		SPI_freetuptable(rows);
	}
	SPI_cursor_close(portal);
	pfree(keys);
	return result;
}

Datum
align_rebuild_clocks(PG_FUNCTION_ARGS)
{
	Attachment *attachment = align_owned_attachment(fcinfo, "align.rebuild_clocks()");
	RestrictedCaller caller;
	int64		result;

	/* the lock of attach(): readers go on, writers wait */
	LockRelationOid(attachment->marker.root, ShareRowExclusiveLock);
	align_lock_partitions(attachment->marker.root, ShareRowExclusiveLock);
	align_recorder_flush_all();
	attachment = align_attachment_locked(attachment->marker.root, RowExclusiveLock);
	align_begin_restricted(&caller);
	align_spi_connect();
	result = align_rebuild_all_clocks(attachment);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}
