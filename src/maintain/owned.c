/*
 * owned.c
 *	  Common parts of the functions that the owner of an attached table calls.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "attachment/key_sql.h"
#include "catalog/relation.h"
#include "maintain/owned.h"
#include "record/writer.h"
#include "value.h"

/*
 * Returns the attachment of the root that the first argument means; the root
 * is locked against being detached, and the current user must own it.
 */
AttachmentId
align_owned_root(FunctionCallInfo fcinfo, const char *function)
{
	AttachmentId root;

	align_require_argument(fcinfo, 0, "relation");
	PreventCommandIfReadOnly(function);
	root = align_lock_attached(PG_GETARG_OID(0));
	/* raise the error for a table that is not attached first */
	(void) align_attachment(root, false);
	align_check_table_owner(root.relid);
	return root;
}

/*
 * Likewise, but locks the record tables, too, and returns the attachment.
 */
Attachment *
align_owned_attachment(FunctionCallInfo fcinfo, const char *function)
{
	return align_attachment_locked(align_owned_root(fcinfo, function), RowExclusiveLock);
}

/*
 * Runs a query for one key as the owner of the table, under a new snapshot.
 */
void
align_read_latest_as_owner(Attachment *attachment, const char *query, Datum *key)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	OwnerIdentity identity;
	int			result;

	align_key_types(attachment, types);
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	align_become_owner(attachment, &identity);
	/* read_only makes SPI use the active snapshot, not a new one of its own */
	result = SPI_execute_with_args(query, attachment->nkeys, types, key, NULL, true, 0);
	align_resume_identity(&identity);
	PopActiveSnapshot();
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}

/*
 * Updates the rows (h) of a table that satisfy a condition, as the owner, and
 * returns their number.
 */
uint64
align_update_rows(Attachment *attachment, AttachedTable table, const char *assignments,
				  const char *condition, int nargs, Oid *types, Datum *values, const char *nulls)
{
	const char *name = align_table_name(attachment, table);
	uint64		nupdated;

	align_execute_as_owner(attachment,
						   psprintf("UPDATE %s AS h SET %s WHERE %s", name, assignments, condition),
						   nargs, types, values, nulls);
	nupdated = SPI_processed;

	/* a trigger of the owner may have suppressed the update of some */
	align_execute_as_owner(attachment,
						   psprintf("SELECT FROM %s AS h WHERE %s", name, condition),
						   nargs, types, values, nulls);
	align_check_written(attachment, nupdated, nupdated + SPI_processed);
	return nupdated;
}

/*
 * Raises a serialization failure for a lead.
 */
void
align_report_concurrent_change(const char *lead)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access to lead %s due to concurrent change", lead),
			 errhint("The transaction might succeed if retried.")));
}
