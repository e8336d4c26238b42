/*
 * rebuild.c
 *	  rebuild_clocks(): replaces the clocks of all leads by those that follow
 *	  from the history.
 *
 * It is for use after a change of time zone rules or of the history itself.
 * Cycles that were announced are not announced again.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "storage/lockdefs.h"

#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "maintain/owned.h"
#include "record/flush.h"
#include "record/recompute.h"

PG_FUNCTION_INFO_V1(align_rebuild_clocks);

/*
 * rebuild_clocks(relation): returns the number of clocks.
 */
Datum
align_rebuild_clocks(PG_FUNCTION_ARGS)
{
	AttachmentId root = align_owned_root(fcinfo, "align.rebuild_clocks()");
	Attachment *attachment;
	RestrictedCaller caller;
	int64		result;

	/*
	 * Like attach(), and in the same order, to avoid deadlocks: lock the
	 * table before the history and the clock table.  Writers of leads wait,
	 * readers do not.
	 */
	align_lock_own_table(root.relid, ShareRowExclusiveLock);
	(void) align_lock_partitions(root.relid, ShareRowExclusiveLock);
	align_recorder_flush_all();
	attachment = align_attachment_locked(root, RowExclusiveLock);
	align_begin_restricted(&caller, attachment->root_owner);
	align_spi_connect();
	result = align_recompute_all_clocks(attachment);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}
