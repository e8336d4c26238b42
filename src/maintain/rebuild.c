/*
 * rebuild.c
 *	  rebuild_clocks(): replaces the clocks of all leads by those that follow
 *	  from the history.
 *
 * It is for use after a change of time zone rules or of the history itself; or
 * for open promises to follow the version of the agreement that is in force
 * now.  Cycles that were announced are not announced again.
 *
 * Deferred deletions (reload.h) stay deferred: clocks follow from the entries
 * that are there, and the deletion stops them when it is recorded.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "storage/lockdefs.h"

#include "attachment/judging_version.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "maintain/owned.h"
#include "record/flush.h"
#include "record/recompute.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_rebuild_clocks);
PG_FUNCTION_INFO_V1(align_rebuild_clocks_to_version);

/*
 * Common to both forms: returns the number of clocks.
 */
static int64
RebuildClocks(FunctionCallInfo fcinfo, bool to_version_in_force)
{
	AttachmentId root = align_owned_root(fcinfo, "align.rebuild_clocks()");
	Attachment *attachment;
	Recomputation how = {0};
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
	if (to_version_in_force)
		(void) align_judging_funnel(attachment, &how.open_version);
	align_spi_connect();
	result = align_recompute_all_clocks(attachment, &how);
	SPI_finish();
	align_end_restricted(&caller);
	return result;
}

/*
 * rebuild_clocks(relation)
 */
Datum
align_rebuild_clocks(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(RebuildClocks(fcinfo, false));
}

/*
 * rebuild_clocks(relation, to_version_in_force)
 */
Datum
align_rebuild_clocks_to_version(PG_FUNCTION_ARGS)
{
	align_require_argument(fcinfo, 1, "to_version_in_force");
	PG_RETURN_INT64(RebuildClocks(fcinfo, PG_GETARG_BOOL(1)));
}
