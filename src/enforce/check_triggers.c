/*
 * check_triggers.c
 *	  Are the triggers there that an attachment relies on, and enabled?
 *
 * A trigger that is missing or disabled loses nothing by itself, but whatever is
 * written meanwhile is neither judged nor recorded.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "enforce/attach.h"
#include "enforce/check.h"

static char *
TriggerText(Oid relid, const char *name)
{
	return psprintf("%s on %s", name, align_relation_name(relid));
}

/*
 * Does the trigger fire for ordinary sessions?
 */
static void
CheckTrigger(const Check *check, Oid relid, const char *name)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_trigger_tgname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(name));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		align_check_report(check, "missing_trigger", NULL, TriggerText(relid, name));
	else
	{
		char		enabled = ((Form_pg_trigger) GETSTRUCT(tuple))->tgenabled;

		if (enabled != TRIGGER_FIRES_ON_ORIGIN && enabled != TRIGGER_FIRES_ALWAYS)
			align_check_report(check, "disabled_trigger", TriggerText(relid, name), NULL);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

void
align_check_triggers(const Check *check)
{
	static const char *const row_triggers[] = {ATTACH_INSERT, ATTACH_UPDATE, ATTACH_DELETE};
	const AttachmentMarker *marker = &check->attachment->marker;
	List	   *relations = list_make1_oid(marker->root);
	ListCell   *cell;

	if (marker->partitioned)
		relations = find_all_inheritors(marker->root, AccessShareLock, NULL);
	foreach(cell, relations)
	{
		for (int i = 0; i < (int) lengthof(row_triggers); i++)
			CheckTrigger(check, lfirst_oid(cell), row_triggers[i]);
	}
	CheckTrigger(check, marker->root, ATTACH_FLUSH);
	CheckTrigger(check, marker->root, ATTACH_TRUNCATE);
	if (marker->partitioned)
		CheckTrigger(check, marker->root, ATTACH_BEGIN);
	CheckTrigger(check, marker->history, ATTACH_GUARD);
	CheckTrigger(check, marker->sla, ATTACH_GUARD);
}
