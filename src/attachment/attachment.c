/*
 * attachment.c
 *	  Names of column roles and modes, the key columns of a record table, and
 *	  the function of the marker trigger.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "commands/trigger.h"
#include "utils/acl.h"
#include "utils/syscache.h"

#include "attachment/attachment.h"

PG_FUNCTION_INFO_V1(align_attachment_marker);

const char *const align_row_role_names[ROW_NROLES] = {
	[ROW_STAGE] = "stage",
	[ROW_TEAM] = "team",
	[ROW_ASSIGNEE] = "assignee",
	[ROW_ACTOR] = "actor",
	[ROW_REASON] = "reason",
	[ROW_NOTE] = "note",
	[ROW_CAMPAIGN] = "campaign",
	[ROW_AMOUNT] = "amount",
	[ROW_CHANGED_AT] = "changed_at",
	[ROW_OPENED_AT] = "opened_at",
};

static const char *const mode_names[] = {
	[ATTACH_ENFORCE] = "enforce",
	[ATTACH_WARN] = "warn",
	[ATTACH_OBSERVE] = "observe",
};

/*
 * The name of a mode, as in SQL.
 */
const char *
align_attach_mode_name(AttachMode mode)
{
	return mode_names[mode];
}

/*
 * The AttachMode of a name, or -1.
 */
int
align_attach_mode(const char *name)
{
	for (int i = 0; i < (int) lengthof(mode_names); i++)
	{
		if (strcmp(mode_names[i], name) == 0)
			return i;
	}
	return -1;
}

/*
 * Finds the first nkeys columns that are not dropped; false if there are
 * fewer.
 */
bool
align_record_key_columns(Oid relid, int nkeys, AttrNumber *attnums)
{
	int			nfound = 0;

	for (AttrNumber attnum = 1; nfound < nkeys; attnum++)
	{
		HeapTuple	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid), Int16GetDatum(attnum));

		if (!HeapTupleIsValid(tuple))
			return false;
		if (!((Form_pg_attribute) GETSTRUCT(tuple))->attisdropped)
			attnums[nfound++] = attnum;
		ReleaseSysCache(tuple);
	}
	return true;
}

/*
 * The function of markers and pointers.  Their WHEN is never true, so it is
 * called only by a trigger that was not created by align.attach().
 */
Datum
align_attachment_marker(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"align.attachment\" was not called by trigger manager")));
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("trigger \"%s\" of relation \"%s\" must not fire",
					((TriggerData *) fcinfo->context)->tg_trigger->tgname,
					RelationGetRelationName(((TriggerData *) fcinfo->context)->tg_relation)),
			 errdetail("Triggers that call align.attachment() only store the arguments of align.attach()."),
			 errhint("Drop the trigger and use align.attach().")));
	return PointerGetDatum(NULL);
}
