/*
 * trigger.c
 *	  Reading pg_trigger; see trigger.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog/trigger.h"

/*
 * Returns the OID of a trigger function of the extension, or InvalidOid.
 */
Oid
align_trigger_function(const char *name)
{
	Oid			namespace_id = get_namespace_oid("align", true);

	if (!OidIsValid(namespace_id))
		return InvalidOid;
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(NULL, 0)),
						   ObjectIdGetDatum(namespace_id));
}

/*
 * Sets trigger->args from pg_trigger.tgargs, where each argument ends with a
 * zero byte.
 */
static void
ReadArguments(Relation catalog, HeapTuple tuple, CatalogTrigger *trigger)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, Anum_pg_trigger_tgargs, RelationGetDescr(catalog),
									 &isnull);
	char	   *p;

	trigger->args = palloc(Max(1, trigger->nargs) * sizeof(char *));
	if (trigger->nargs == 0)
		return;
	if (isnull)
		elog(ERROR, "null tgargs in trigger \"%s\"", trigger->name);
	p = VARDATA(DatumGetByteaPCopy(value));
	for (int i = 0; i < trigger->nargs; i++)
	{
		trigger->args[i] = p;
		p += strlen(p) + 1;
	}
}

/*
 * Copies a row of pg_trigger into *trigger.
 */
static void
ReadTrigger(Relation catalog, HeapTuple tuple, CatalogTrigger *trigger)
{
	Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);
	bool		isnull;
	Datum		value;

	trigger->oid = form->oid;
	trigger->relid = form->tgrelid;
	trigger->name = pstrdup(NameStr(form->tgname));
	trigger->function = form->tgfoid;
	trigger->type = form->tgtype;
	trigger->enabled = form->tgenabled;
	trigger->deferrable = form->tgdeferrable;
	trigger->initially_deferred = form->tginitdeferred;
	trigger->parent = form->tgparentid;
	trigger->from = form->tgconstrrelid;
	trigger->nargs = form->tgnargs;
	ReadArguments(catalog, tuple, trigger);
	trigger->ncolumns = form->tgattr.dim1;
	trigger->columns = palloc(Max(1, trigger->ncolumns) * sizeof(AttrNumber));
	if (trigger->ncolumns > 0)
		memcpy(trigger->columns, form->tgattr.values, trigger->ncolumns * sizeof(AttrNumber));
	value = heap_getattr(tuple, Anum_pg_trigger_tgqual, RelationGetDescr(catalog), &isnull);
	trigger->when = isnull ? NULL : stringToNode(TextDatumGetCString(value));
}

/*
 * Looks up a trigger by table and name; returns false if there is none.
 */
bool
align_find_trigger(Oid relid, const char *name, CatalogTrigger *trigger)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData keys[2];
	HeapTuple	tuple;
	NameData	name_key;
	bool		found;

	namestrcpy(&name_key, name);
	ScanKeyInit(&keys[0], Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_trigger_tgname, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&name_key));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		ReadTrigger(catalog, tuple, trigger);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/*
 * Looks up a trigger by OID; returns false if there is none.
 */
bool
align_find_trigger_by_oid(Oid oid, CatalogTrigger *trigger)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	bool		found;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(catalog, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		ReadTrigger(catalog, tuple, trigger);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/*
 * Returns the triggers of a table that are not internal, sorted by name.
 */
List *
align_triggers_of(Oid relid)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	List	   *result = NIL;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CatalogTrigger *trigger;

		if (((Form_pg_trigger) GETSTRUCT(tuple))->tgisinternal)
			continue;
		trigger = palloc(sizeof(CatalogTrigger));
		ReadTrigger(catalog, tuple, trigger);
		result = lappend(result, trigger);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/*
 * Returns the names of the triggers of a table that call a function.
 */
List *
align_trigger_names(Oid relid, Oid function)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	List	   *result = NIL;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		if (form->tgfoid == function && !form->tgisinternal)
			result = lappend(result, pstrdup(NameStr(form->tgname)));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/*
 * Returns the name of a constraint that has an INITIALLY DEFERRED trigger on
 * the table, or NULL.
 */
char *
align_deferred_constraint(Oid relid)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	char	   *result = NULL;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (result == NULL && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		if (form->tginitdeferred)
			result = get_constraint_name(form->tgconstraint);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/*
 * Returns the name of a foreign key that refers to the table, or NULL.
 */
char *
align_referring_key(Oid relid, Oid *referring)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	char	   *result = NULL;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (result == NULL && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		if (!form->tgisinternal || RI_FKey_trigger_type(form->tgfoid) != RI_TRIGGER_PK)
			continue;
		*referring = form->tgconstrrelid;
		result = get_constraint_name(form->tgconstraint);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/*
 * Returns true if the table has a trigger of that name that calls a function
 * of the extension.
 */
bool
align_has_trigger(Oid relid, const char *name)
{
	CatalogTrigger trigger;
	Oid			namespace_id = get_namespace_oid("align", true);

	return OidIsValid(namespace_id) && align_find_trigger(relid, name, &trigger) &&
		get_func_namespace(trigger.function) == namespace_id;
}

/*
 * Returns true if an open relation has a trigger of that name.
 */
bool
align_relation_has_trigger(Relation rel, const char *name)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		if (strcmp(rel->trigdesc->triggers[i].tgname, name) == 0)
			return true;
	}
	return false;
}
