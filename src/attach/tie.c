/*
 * tie.c
 *	  align.tie(): ties the record tables of a table to it that was attached
 *	  before 0.2.1.
 *
 * The function exists only while the extension is updated to 0.2.1: the update
 * script creates it, calls it for each attached table, and drops it.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"

#include "attach/request.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"

PG_FUNCTION_INFO_V1(align_tie);

/*
 * tie(relation regclass): creates the triggers on history and clock table that
 * name the relation, as its marker has it.  The caller has checked that the
 * three belong together.
 */
Datum
align_tie(PG_FUNCTION_ARGS)
{
	AttachmentId id = {PG_GETARG_OID(0), ATTACHMENT_FIRST};
	AttachmentMarker marker;
	RestrictedCaller caller;

	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to call align.tie()")));
	align_begin_restricted(&caller, align_relation_owner(id.relid));
	align_spi_connect();
	if (align_read_marker(id, &marker))
		align_attach_make_pointers(&marker);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_VOID();
}
