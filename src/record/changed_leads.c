/*
 * changed_leads.c
 *	  Logs of changed leads: the trigger function, and what the recorder calls
 *	  where it writes without triggers.  See changed_leads.h.
 *
 * A column that a trigger names may have been renamed since.  Then it is not
 * known which lead has changed, so all are logged, which is slow when the
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
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "record/changed_leads.h"

PG_FUNCTION_INFO_V1(align_log_changed_lead);

/* The arguments of a trigger before the names of columns: schema and OID. */
#define NARGS_BEFORE_COLUMNS 2

#define MAX_COLUMNS (ATTACHMENT_MAX_KEYS + CHANGED_LEADS_MAX_OTHERS)

/* A log for the direct writing of a history. */
typedef struct ChangeLog
{
	Relation	rel;
	bool		fits;			/* are its columns the first of the history? */
} ChangeLog;

bool
align_is_changed_lead_trigger(const Trigger *trigger)
{
	char	   *name;

	if (trigger->tgnargs <= NARGS_BEFORE_COLUMNS ||
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
 * True if a relation is a log of an owner.  Its name and the table beside it
 * tell it from a table of an application.
 */
static bool
IsLogOf(Oid relid, Oid owner)
{
	char	   *name = OidIsValid(relid) ? get_rel_name(relid) : NULL;

	return name != NULL && strcmp(name, CHANGED_LEADS) == 0 &&
		get_rel_relkind(relid) == RELKIND_RELATION && align_relation_owner(relid) == owner &&
		OidIsValid(get_relname_relid(CHANGED_LEADS_TAKEN, get_rel_namespace(relid)));
}

Oid
align_changed_leads_log(int nargs, char **args, Oid owner)
{
	Oid			relid;

	if (nargs <= NARGS_BEFORE_COLUMNS)
		return InvalidOid;
	relid = (Oid) strtoul(args[1], NULL, 10);
	if (!IsLogOf(relid, owner))
		relid = get_relname_relid(CHANGED_LEADS, get_namespace_oid(args[0], true));
	return IsLogOf(relid, owner) ? relid : InvalidOid;
}

/*
 * Opens the log that a trigger on a table of an owner adds to; NULL if there
 * is none.
 */
static Relation
OpenLog(const Trigger *trigger, Oid owner)
{
	Oid			relid = align_changed_leads_log(trigger->tgnargs, trigger->tgargs, owner);
	Relation	log = OidIsValid(relid) ? try_table_open(relid, RowExclusiveLock) : NULL;

	if (log == NULL)
		return NULL;
	/* it may have been replaced before it was locked */
	if (!IsLogOf(relid, owner))
	{
		table_close(log, RowExclusiveLock);
		return NULL;
	}
	if (log->rd_rel->relam != HEAP_TABLE_AM_OID || log->trigdesc != NULL || log->rd_rules != NULL ||
		RelationGetIndexList(log) != NIL || log->rd_rel->relispartition || log->rd_rel->relhassubclass ||
		RelationGetDescr(log)->constr != NULL || RelationGetDescr(log)->natts > ATTACHMENT_MAX_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot log that a lead has changed in \"%s.%s\"",
						get_namespace_name(RelationGetNamespace(log)), CHANGED_LEADS),
				 errdetail("The table has an index, a trigger, a constraint or something else that align.create_reports() has not given it."),
				 errhint("Remove it, or create the reports again with align.create_reports().")));
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
 * True if a column of the log can have the values of a column of a table.
 */
static bool
ColumnFits(Relation rel, AttrNumber column, Relation log, int keyno)
{
	return column > 0 && column <= RelationGetDescr(rel)->natts &&
		TupleDescAttr(RelationGetDescr(rel), column - 1)->atttypid ==
		TupleDescAttr(RelationGetDescr(log), keyno)->atttypid;
}

/*
 * Finds the columns of a table that the arguments of a trigger name.  Those of
 * the key must fit the log.  Returns false if one does not exist.
 */
static bool
FindColumns(Relation rel, Relation log, const Trigger *trigger, AttrNumber *columns)
{
	int			nkeys = RelationGetDescr(log)->natts;
	int			ncolumns = trigger->tgnargs - NARGS_BEFORE_COLUMNS;

	for (int i = 0; i < ncolumns; i++)
	{
		columns[i] = get_attnum(RelationGetRelid(rel), trigger->tgargs[NARGS_BEFORE_COLUMNS + i]);
		if (columns[i] <= 0 || (i < nkeys && !ColumnFits(rel, columns[i], log, i)))
			return false;
	}
	return ncolumns >= nkeys;
}

/*
 * Adds the key of a row of the table, unless it has a NULL, which no recorded
 * lead has.
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
	AttrNumber	columns[MAX_COLUMNS];
	Relation	rel;
	Relation	log;
	const Trigger *trigger;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(data->tg_event) ||
		data->tg_trigger->tgnargs <= NARGS_BEFORE_COLUMNS ||
		data->tg_trigger->tgnargs > NARGS_BEFORE_COLUMNS + MAX_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by a trigger of align.create_reports()", CHANGED_LEADS_FUNCTION)));
	rel = data->tg_relation;
	trigger = data->tg_trigger;
	log = OpenLog(trigger, RootOwner(rel));
	if (log == NULL)
		return PointerGetDatum(NULL);
	if (!TRIGGER_FIRED_FOR_ROW(data->tg_event) || !FindColumns(rel, log, trigger, columns))
		AddRow(log, NULL);
	else if (!TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		AddRowOf(rel, log, data->tg_trigtuple, columns);
	else
	{
		int			nkeys = RelationGetDescr(log)->natts;
		int			nothers = trigger->tgnargs - NARGS_BEFORE_COLUMNS - nkeys;
		bool		moved = HasChanged(rel, data->tg_trigtuple, data->tg_newtuple, columns, nkeys);

		/* without further columns, every change counts */
		if (moved || nothers == 0 ||
			HasChanged(rel, data->tg_trigtuple, data->tg_newtuple, columns + nkeys, nothers))
			AddRowOf(rel, log, data->tg_newtuple, columns);
		if (moved)
			AddRowOf(rel, log, data->tg_trigtuple, columns);
	}
	table_close(log, NoLock);
	return PointerGetDatum(NULL);
}

List *
align_changed_lead_triggers(Oid relid)
{
	Oid			function = align_trigger_function(CHANGED_LEADS_FUNCTION);
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, align_triggers_of(relid))
	{
		CatalogTrigger *trigger = lfirst(lc);

		if (trigger->function == function)
			result = lappend(result, trigger);
	}
	return result;
}

void
align_drop_changed_lead_triggers(Oid relid, Oid owner, Oid log)
{
	ListCell   *lc;

	foreach(lc, align_changed_lead_triggers(relid))
	{
		const CatalogTrigger *trigger = lfirst(lc);
		Oid			found = align_changed_leads_log(trigger->nargs, trigger->args, owner);

		if (!OidIsValid(trigger->parent) && (!OidIsValid(found) || found == log))
			align_spi_execute(psprintf("DROP TRIGGER %s ON %s", quote_identifier(trigger->name),
									   align_relation_name(relid)));
	}
}

List *
align_changed_leads_logs(Oid relid, Oid owner)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, align_changed_lead_triggers(relid))
	{
		const CatalogTrigger *trigger = lfirst(lc);

		result = list_append_unique_oid(result,
										align_changed_leads_log(trigger->nargs, trigger->args, owner));
	}
	return result;
}

List *
align_changed_leads_open(Relation history, int nkeys)
{
	const TriggerDesc *triggers = history->trigdesc;
	List	   *result = NIL;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		ChangeLog  *log;

		if (!TRIGGER_FOR_ROW(trigger->tgtype) || trigger->tgenabled == TRIGGER_DISABLED ||
			!align_is_changed_lead_trigger(trigger))
			continue;
		log = palloc(sizeof(ChangeLog));
		log->rel = OpenLog(trigger, history->rd_rel->relowner);
		if (log->rel == NULL)
			continue;
		log->fits = RelationGetDescr(log->rel)->natts == nkeys;
		for (int keyno = 0; log->fits && keyno < nkeys; keyno++)
			log->fits = ColumnFits(history, keyno + 1, log->rel, keyno);
		result = lappend(result, log);
	}
	return result;
}

void
align_changed_leads_close(List *logs)
{
	ListCell   *lc;

	foreach(lc, logs)
		table_close(((const ChangeLog *) lfirst(lc))->rel, NoLock);
	list_free_deep(logs);
}

void
align_changed_leads_add(List *logs, const Datum *key)
{
	ListCell   *lc;

	foreach(lc, logs)
	{
		const ChangeLog *log = lfirst(lc);

		AddRow(log->rel, log->fits ? key : NULL);
	}
}
