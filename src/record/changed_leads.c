/*
 * changed_leads.c
 *	  Logs of changed leads: the trigger function, and what the recorder calls
 *	  where it writes without triggers.  See changed_leads.h.
 *
 * A column that a trigger names may have been renamed since.  Then nobody can
 * tell which lead has changed, so all are logged, which is slow when the
 * reports are brought up to date, but right.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "attachment/attachment.h"
#include "catalog/relation.h"
#include "record/changed_leads.h"

PG_FUNCTION_INFO_V1(align_log_changed_lead);

bool
align_is_changed_lead_trigger(const Trigger *trigger)
{
	char	   *name;

	if (trigger->tgnargs < 2 ||
		get_func_namespace(trigger->tgfoid) != get_namespace_oid("align", true))
		return false;
	name = get_func_name(trigger->tgfoid);
	return name != NULL && strcmp(name, CHANGED_LEADS_FUNCTION) == 0;
}

/*
 * The owner of a table, or of the partitioned table that it is a partition of.
 */
static Oid
RootOwner(Relation rel)
{
	List	   *ancestors;

	if (!rel->rd_rel->relispartition)
		return rel->rd_rel->relowner;
	ancestors = get_partition_ancestors(RelationGetRelid(rel));
	return ancestors == NIL ? rel->rd_rel->relowner : align_relation_owner(llast_oid(ancestors));
}

/*
 * Opens the log in a schema, to which changes of a table are added.  Returns
 * NULL if there is none that can be used: then the reports have been dropped,
 * or their schema has been renamed, which refresh_reports() notices.
 */
static Relation
OpenLog(const char *schema, Oid owner)
{
	Oid			relid = get_relname_relid(CHANGED_LEADS, get_namespace_oid(schema, true));
	Relation	log = OidIsValid(relid) ? try_table_open(relid, RowExclusiveLock) : NULL;

	if (log == NULL)
		return NULL;
	if (log->rd_rel->relkind != RELKIND_RELATION || log->rd_rel->relam != HEAP_TABLE_AM_OID ||
		log->rd_rel->relowner != owner || log->trigdesc != NULL || log->rd_rules != NULL ||
		log->rd_rel->relhasindex || log->rd_rel->relispartition ||
		RelationGetDescr(log)->natts > ATTACHMENT_MAX_KEYS)
	{
		table_close(log, NoLock);
		return NULL;
	}
	return log;
}

/*
 * Adds a row; of all leads, if key is NULL.
 */
static void
AddRow(Relation log, const Datum *key)
{
	bool		nulls[ATTACHMENT_MAX_KEYS];
	Datum		values[ATTACHMENT_MAX_KEYS] = {0};
	HeapTuple	tuple;

	memset(nulls, key == NULL, sizeof(nulls));
	if (key != NULL)
		memcpy(values, key, RelationGetDescr(log)->natts * sizeof(Datum));
	tuple = heap_form_tuple(RelationGetDescr(log), values, nulls);
	simple_heap_insert(log, tuple);
	heap_freetuple(tuple);
}

/*
 * Finds the columns of a table whose names are the arguments of a trigger from
 * the second on.  Those of the key must have the types of the log's.  Returns
 * false if one does not exist.
 */
static bool
FindColumns(Relation rel, Relation log, const Trigger *trigger, AttrNumber *columns)
{
	int			nkeys = RelationGetDescr(log)->natts;

	for (int i = 1; i < trigger->tgnargs; i++)
	{
		AttrNumber	column = get_attnum(RelationGetRelid(rel), trigger->tgargs[i]);

		if (column <= 0 ||
			(i <= nkeys && TupleDescAttr(RelationGetDescr(rel), column - 1)->atttypid !=
			 TupleDescAttr(RelationGetDescr(log), i - 1)->atttypid))
			return false;
		columns[i - 1] = column;
	}
	return trigger->tgnargs > nkeys;
}

/*
 * Adds the key of a row of the table; of all leads, if the key has a NULL,
 * which no recorded lead has.
 */
static void
AddRowOf(Relation rel, Relation log, HeapTuple tuple, const AttrNumber *columns)
{
	int			nkeys = RelationGetDescr(log)->natts;
	Datum		key[ATTACHMENT_MAX_KEYS];

	for (int i = 0; i < nkeys; i++)
	{
		bool		isnull;

		key[i] = heap_getattr(tuple, columns[i], RelationGetDescr(rel), &isnull);
		if (isnull)
			return;
	}
	AddRow(log, key);
}

/*
 * True if one of the columns of a row has changed.
 */
static bool
HasChanged(Relation rel, HeapTuple before, HeapTuple after, const AttrNumber *columns, int ncolumns)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < ncolumns; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, columns[i] - 1);
		bool		was_null;
		bool		is_null;
		Datum		old = heap_getattr(before, columns[i], desc, &was_null);
		Datum		new = heap_getattr(after, columns[i], desc, &is_null);

		if (was_null != is_null ||
			(!is_null && !datum_image_eq(old, new, attribute->attbyval, attribute->attlen)))
			return true;
	}
	return false;
}

/*
 * The trigger function: AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW, or
 * AFTER TRUNCATE FOR EACH STATEMENT.
 */
Datum
align_log_changed_lead(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	AttrNumber	columns[FUNC_MAX_ARGS];
	Relation	rel;
	Relation	log;
	const Trigger *trigger;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(data->tg_event) ||
		data->tg_trigger->tgnargs < 2 || data->tg_trigger->tgnargs > FUNC_MAX_ARGS)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" is for triggers that align.create_reports() creates", CHANGED_LEADS_FUNCTION)));
	rel = data->tg_relation;
	trigger = data->tg_trigger;
	log = OpenLog(trigger->tgargs[0], RootOwner(rel));
	if (log == NULL)
		return PointerGetDatum(NULL);
	if (!TRIGGER_FIRED_FOR_ROW(data->tg_event) || !FindColumns(rel, log, trigger, columns))
		AddRow(log, NULL);
	else if (!TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		AddRowOf(rel, log, data->tg_trigtuple, columns);
	else
	{
		int			nkeys = RelationGetDescr(log)->natts;
		bool		moved = HasChanged(rel, data->tg_trigtuple, data->tg_newtuple, columns, nkeys);

		/* without further columns, every change counts */
		if (moved || trigger->tgnargs == nkeys + 1 ||
			HasChanged(rel, data->tg_trigtuple, data->tg_newtuple, columns + nkeys, trigger->tgnargs - 1 - nkeys))
			AddRowOf(rel, log, data->tg_newtuple, columns);
		if (moved)
			AddRowOf(rel, log, data->tg_trigtuple, columns);
	}
	table_close(log, NoLock);
	return PointerGetDatum(NULL);
}

List *
align_changed_leads_open(Relation history)
{
	const TriggerDesc *triggers = history->trigdesc;
	List	   *result = NIL;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		Relation	log;

		if (!TRIGGER_FOR_ROW(trigger->tgtype) || !align_is_changed_lead_trigger(trigger))
			continue;
		log = OpenLog(trigger->tgargs[0], history->rd_rel->relowner);
		if (log != NULL)
			result = lappend(result, log);
	}
	return result;
}

void
align_changed_leads_close(List *logs)
{
	ListCell   *lc;

	foreach(lc, logs)
		table_close((Relation) lfirst(lc), NoLock);
	list_free(logs);
}

void
align_changed_leads_add(List *logs, const Datum *key)
{
	ListCell   *lc;

	foreach(lc, logs)
		AddRow((Relation) lfirst(lc), key);
}
