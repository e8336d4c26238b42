/*
 * owned.c
 *	  SQL text about the leads of an attached table.
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

Attachment *
align_owned_attachment(FunctionCallInfo fcinfo, const char *function)
{
	Oid			root;

	align_require_argument(fcinfo, 0, "relation");
	PreventCommandIfReadOnly(function);
	root = align_lock_attached(PG_GETARG_OID(0));
	(void) align_attachment(root, false);	/* raises for what is not attached */
	align_check_table_owner(root);
	return align_attachment_locked(root, RowExclusiveLock);
}

void
align_read_as_owner(Attachment *attachment, const char *query, Datum *key)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	OwnerIdentity identity;
	int			result;

	align_key_types(attachment, types);
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	align_become_owner(attachment, &identity);
	/* read-only: with the snapshot that is set, not one of its own */
	result = SPI_execute_with_args(query, attachment->nkeys, types, key, NULL, true, 0);
	align_resume_identity(&identity);
	PopActiveSnapshot();
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}

void
align_lead_changed(const char *lead)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access to what is recorded of lead %s", lead),
			 errhint("The transaction might succeed if retried.")));
}
