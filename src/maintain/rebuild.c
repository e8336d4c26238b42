/*
 * rebuild.c
 *	  rebuild_clocks(): the clocks of all leads, computed from the history.
 *
 * For whenever what clocks are computed from, or how, has changed: the rules of a
 * time zone, a repaired history.  What was announced of a cycle stays announced.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "storage/lmgr.h"

#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "maintain/owned.h"
#include "record/flush.h"
#include "record/recompute.h"

PG_FUNCTION_INFO_V1(align_rebuild_clocks);

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
	result = align_recompute_all_clocks(attachment);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}
