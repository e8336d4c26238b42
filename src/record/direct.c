/*
 * direct.c
 *	  Access to plain record tables without the executor; see direct.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "executor/executor.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalog/relation.h"
#include "record/changed_leads.h"
#include "record/direct.h"

/*
 * True for align's own triggers on record tables: the guard and the pointer,
 * which do nothing when align inserts or updates rows, and those that log
 * changed leads, which align_direct_insert() does.  (Clocks change only
 * together with the history of their lead.)  A trigger of the owner may have
 * the same name, so function and events are checked, too.
 */
static bool
IsInert(const Trigger *trigger)
{
	if (align_is_changed_lead_trigger(trigger))
		return true;
	if (get_func_namespace(trigger->tgfoid) != get_namespace_oid("align", true))
		return false;
	if (strcmp(trigger->tgname, ATTACH_GUARD) == 0)
		return !TRIGGER_FOR_ROW(trigger->tgtype);
	return strcmp(trigger->tgname, ATTACHMENT_POINTER) == 0 &&
		!TRIGGER_FOR_INSERT(trigger->tgtype) && !TRIGGER_FOR_UPDATE(trigger->tgtype);
}

/*
 * True if there is a trigger that needs the executor.
 */
static bool
HasOtherTriggers(const TriggerDesc *triggers)
{
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (!IsInert(&triggers->triggers[i]))
			return true;
	}
	return false;
}

/*
 * True if there is a trigger that adds to a log of changed leads.
 */
static bool
HasLogTriggers(const TriggerDesc *triggers)
{
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (align_is_changed_lead_trigger(&triggers->triggers[i]))
			return true;
	}
	return false;
}

/*
 * True if a table is as attach() creates it, without anything that needs the
 * executor.
 */
static bool
IsPlain(const Attachment *attachment, Relation rel, int nown)
{
	TupleDesc	desc = RelationGetDescr(rel);

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relispartition ||
		rel->rd_rel->relam != HEAP_TABLE_AM_OID || rel->rd_rel->relhassubclass ||
		rel->rd_rules != NULL || rel->rd_rel->relowner != attachment->root_owner)
		return false;
	if (HasOtherTriggers(rel->trigdesc))
		return false;
	if (desc->constr != NULL && desc->constr->has_generated_stored)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			nown--;
	}
	return nown + attachment->nkeys == 0;
}

/*
 * True for a btree index on exactly the key columns, which are the first of
 * the table, followed by the columns then_by, all in ascending order.
 */
static bool
IsKeyIndex(const Attachment *attachment, Relation index, const AttrNumber *then_by, int nthen_by)
{
	Form_pg_index form = index->rd_index;
	int			nkeys = attachment->nkeys;

	if (index->rd_rel->relam != BTREE_AM_OID || !form->indisvalid || !form->indisready ||
		form->indcheckxmin || form->indnkeyatts != nkeys + nthen_by ||
		!align_index_is_plain(index))
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (form->indkey.values[i] != (i < nkeys ? i + 1 : then_by[i - nkeys]) ||
			index->rd_indoption[i] != 0)
			return false;
	}
	return true;
}

/*
 * Looks up the operators that scans of the index need; false if one does not
 * exist.
 */
static bool
SetOperators(const Attachment *attachment, Relation index, DirectLayout *layout)
{
	int			nkeys = attachment->nkeys;

	for (int i = 0; i <= nkeys; i++)
	{
		Oid			type = index->rd_opcintype[i];
		StrategyNumber strategy = i < nkeys ? BTEqualStrategyNumber : BTLessStrategyNumber;
		Oid			operator = get_opfamily_member(index->rd_opfamily[i], type, type, strategy);

		if (!OidIsValid(operator))
			return false;
		layout->operator[i] = get_opcode(operator);
		layout->type[i] = type;
		layout->collation[i] = index->rd_indcollation[i];
	}
	return true;
}

/*
 * Finds the index on the key, and sets the members of the layout that concern
 * it.
 */
static bool
FindKeyIndex(const Attachment *attachment, Relation rel, const AttrNumber *then_by, int nthen_by,
			 DirectLayout *layout)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *cell;
	bool		found = false;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		found = IsKeyIndex(attachment, index, then_by, nthen_by) &&
			SetOperators(attachment, index, layout);
		if (found)
			layout->key_index = RelationGetRelid(index);
		index_close(index, AccessShareLock);
		if (found)
			break;
	}
	list_free(indexes);
	return found;
}

/*
 * Sets the layout of a table; false if the table is not plain.
 */
static bool
BuildLayout(const Attachment *attachment, Oid relid, const OwnColumn *columns, int nown,
			const int *then_by, int nthen_by, DirectLayout *layout)
{
	Relation	rel = table_open(relid, NoLock);
	bool		possible = IsPlain(attachment, rel, nown);
	AttrNumber	then_by_columns[2];

	Assert(nthen_by <= (int) lengthof(then_by_columns));
	layout->relid = relid;
	layout->has_logs = HasLogTriggers(rel->trigdesc);
	layout->nown = nown;
	for (int i = 0; i < nown; i++)
		layout->own[i] = get_attnum(relid, columns[i].name);
	for (int i = 0; i < nthen_by; i++)
		then_by_columns[i] = layout->own[then_by[i]];
	possible = possible && FindKeyIndex(attachment, rel, then_by_columns, nthen_by, layout);
	table_close(rel, NoLock);
	return possible;
}

/*
 * Returns the layouts of both tables, which are determined when first used.
 */
static DirectLayouts *
GetLayouts(Attachment *attachment)
{
	static const int history_order[] = {HISTORY_ENTRY_NO};
	static const int sla_order[] = {SLA_SLA, SLA_CYCLE};

	if (attachment->direct == NULL)
	{
		DirectLayouts *layouts = MemoryContextAllocZero(attachment->context,
														sizeof(DirectLayouts));

		layouts->possible =
			BuildLayout(attachment, attachment->marker.history, align_history_columns,
						attachment->history_ncolumns, history_order, lengthof(history_order), &layouts->history) &&
			BuildLayout(attachment, attachment->marker.sla, align_sla_columns, SLA_NCOLUMNS,
						sla_order, lengthof(sla_order), &layouts->sla);
		attachment->direct = layouts;
	}
	return attachment->direct;
}

/*
 * Opens a table and the index on its key.
 */
static void
OpenTable(DirectTable *table, const DirectLayout *layout, int nkeys, EState *estate)
{
	table->layout = layout;
	table->nkeys = nkeys;
	table->rel = table_open(layout->relid, NoLock);
	table->index = index_open(layout->key_index, AccessShareLock);
	table->estate = estate;
	table->result = NULL;
	table->slot = NULL;
	table->logged = false;
	table->logs = NIL;
}

/*
 * Closes a table and its indexes.
 */
static void
CloseTable(DirectTable *table)
{
	if (table->result != NULL)
	{
		ExecCloseIndices(table->result);
		ExecDropSingleTupleTableSlot(table->slot);
		align_changed_leads_close(table->logs);
	}
	index_close(table->index, NoLock);
	table_close(table->rel, NoLock);
}

/*
 * Opens both record tables, or returns NULL if one of them is not plain.
 */
Direct *
align_direct_begin(Attachment *attachment)
{
	DirectLayouts *layouts = GetLayouts(attachment);
	Direct	   *direct;

	if (!layouts->possible)
		return NULL;
	direct = palloc0(sizeof(Direct));
	direct->estate = CreateExecutorState();
	OpenTable(&direct->history, &layouts->history, attachment->nkeys, direct->estate);
	direct->history.logged = layouts->history.has_logs;
	OpenTable(&direct->sla, &layouts->sla, attachment->nkeys, direct->estate);

	/*
	 * Opening relations processes invalidation messages, after which the
	 * layouts may be out of date.
	 */
	if (!attachment->valid)
	{
		align_direct_end(direct);
		return NULL;
	}
	return direct;
}

/*
 * Closes both tables, and frees the Direct.
 */
void
align_direct_end(Direct *direct)
{
	if (direct->snapshot != NULL)
		UnregisterSnapshot(direct->snapshot);
	CloseTable(&direct->sla);
	CloseTable(&direct->history);
	FreeExecutorState(direct->estate);
	pfree(direct);
}

/*
 * Takes a new snapshot for scans.
 */
void
align_direct_refresh(Direct *direct)
{
	CommandCounterIncrement();
	if (direct->snapshot != NULL)
		UnregisterSnapshot(direct->snapshot);
	direct->snapshot = RegisterSnapshot(GetLatestSnapshot());
}

/*
 * Begins a backward scan of the rows of a key, or of those below a value.
 */
SysScanDesc
align_direct_scan(Direct *direct, DirectTable *table, const Datum *key, const Datum *below)
{
	const DirectLayout *layout = table->layout;
	ScanKeyData keys[ATTACHMENT_MAX_KEYS + 1];
	int			nkeys = table->nkeys;

	for (int i = 0; i < nkeys; i++)
		ScanKeyEntryInitialize(&keys[i], 0, i + 1, BTEqualStrategyNumber, layout->type[i],
							   layout->collation[i], layout->operator[i], key[i]);
	if (below != NULL)
	{
		AttrNumber	column = table->index->rd_index->indkey.values[nkeys];

		ScanKeyEntryInitialize(&keys[nkeys], 0, column, BTLessStrategyNumber,
							   layout->type[nkeys], layout->collation[nkeys],
							   layout->operator[nkeys], *below);
		nkeys++;
	}
	return systable_beginscan_ordered(table->rel, table->index, direct->snapshot, nkeys, keys);
}

/*
 * Returns the next row of a scan, or NULL.
 */
HeapTuple
align_direct_next(SysScanDesc scan)
{
	return systable_getnext_ordered(scan, BackwardScanDirection);
}

/*
 * Ends a scan.
 */
void
align_direct_end_scan(SysScanDesc scan)
{
	systable_endscan_ordered(scan);
}

/*
 * Opens all indexes of a table, before its first row is written.
 */
static void
PrepareToWrite(DirectTable *table)
{
	MemoryContext old_context;

	if (table->result != NULL)
		return;
	old_context = MemoryContextSwitchTo(table->estate->es_query_cxt);
	table->result = makeNode(ResultRelInfo);
	InitResultRelInfo(table->result, table->rel, 0, NULL, 0);
	ExecOpenIndices(table->result, false);
	table->slot = MakeSingleTupleTableSlot(RelationGetDescr(table->rel), &TTSOpsHeapTuple);
	if (table->logged)
		table->logs = align_changed_leads_open(table->rel, table->nkeys);
	MemoryContextSwitchTo(old_context);
}

/*
 * Forms a row in the slot of the table.
 */
static void
FillSlot(DirectTable *table, const Datum *values, const bool *nulls)
{
	const DirectLayout *layout = table->layout;
	TupleDesc	desc = RelationGetDescr(table->rel);
	Datum		all[MaxHeapAttributeNumber];
	bool		all_nulls[MaxHeapAttributeNumber];

	memset(all_nulls, true, desc->natts * sizeof(bool));
	for (int i = 0; i < table->nkeys; i++)
	{
		all[i] = values[i];
		all_nulls[i] = nulls[i];
	}
	for (int i = 0; i < layout->nown; i++)
	{
		all[layout->own[i] - 1] = values[table->nkeys + i];
		all_nulls[layout->own[i] - 1] = nulls[table->nkeys + i];
	}
	ExecStoreHeapTuple(heap_form_tuple(desc, all, all_nulls), table->slot, true);
	table->slot->tts_tableOid = RelationGetRelid(table->rel);
}

/*
 * Inserts a row.
 */
void
align_direct_insert(DirectTable *table, const Datum *values, const bool *nulls)
{
	AlignUpdateIndexes all_indexes = ALIGN_ALL_INDEXES;

	PrepareToWrite(table);
	FillSlot(table, values, nulls);
	if (RelationGetDescr(table->rel)->constr != NULL)
		ExecConstraints(table->result, table->slot, table->estate);
	table_tuple_insert(table->rel, table->slot, GetCurrentCommandId(true), 0, NULL);
	if (table->result->ri_NumIndices > 0)
		list_free(align_insert_index_tuples(table->result, table->slot, table->estate, false,
											all_indexes));
	align_changed_leads_add(table->logs, values);
	ExecClearTuple(table->slot);
	ResetPerTupleExprContext(table->estate);
}

/*
 * Raises a serialization failure for a row of the clock table.
 */
static void
ReportConcurrentChange(const DirectTable *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access to the clocks in table \"%s\"",
					RelationGetRelationName(table->rel)),
			 errhint("The transaction might succeed if retried.")));
}

/*
 * Raises an error if this transaction has changed a row since it was read:
 * functions of the owner, in constraints or indexes of the record tables, can
 * call rebuild_clocks(), for example.  Only if there has been another command
 * is it necessary to look.
 */
static void
CheckUnchanged(Direct *direct, ItemPointer tid)
{
	DirectTable *table = &direct->sla;
	TupleTableSlot *slot;
	bool		found;

	if (GetCurrentCommandId(false) == direct->snapshot->curcid)
		return;
	slot = table_slot_create(table->rel, NULL);
	found = table_tuple_fetch_row_version(table->rel, tid, SnapshotSelf, slot);
	ExecDropSingleTupleTableSlot(slot);
	if (!found)
		ReportConcurrentChange(table);
}

/*
 * Locks the latest version of a row of the clock table that notify_due() has
 * updated since it was read; waits for its transaction if need be.  Sets tid
 * to that version, and in values the columns that only notify_due() writes.
 */
static void
LockLatestClock(Direct *direct, ItemPointer tid, Datum *values, bool *nulls)
{
	static const SlaColumn announced[] = {SLA_WARN_NOTIFIED_AT, SLA_DUE_NOTIFIED_AT};
	DirectTable *table = &direct->sla;
	TupleTableSlot *latest = table_slot_create(table->rel, NULL);
	TM_FailureData failure;
	TM_Result	result;

	result = table_tuple_lock(table->rel, tid, direct->snapshot, latest,
							  GetCurrentCommandId(false), LockTupleNoKeyExclusive, LockWaitBlock,
							  TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
	if (result != TM_Ok)
		ReportConcurrentChange(table);
	for (int i = 0; i < (int) lengthof(announced); i++)
	{
		int			column = table->nkeys + announced[i];

		/* timestamptz is passed by value, so the slot can go */
		values[column] = slot_getattr(latest, table->layout->own[announced[i]], &nulls[column]);
	}
	*tid = latest->tts_tid;
	ExecDropSingleTupleTableSlot(latest);
}

/*
 * Replaces a row of the clock table.
 */
void
align_direct_update_clock(Direct *direct, ItemPointer tid, Datum *values, bool *nulls)
{
	DirectTable *table = &direct->sla;
	AlignUpdateIndexes update_indexes;

	PrepareToWrite(table);
	for (;;)
	{
		TM_FailureData failure;
		LockTupleMode lock_mode;
		TM_Result	result;

		FillSlot(table, values, nulls);
		if (RelationGetDescr(table->rel)->constr != NULL)
			ExecConstraints(table->result, table->slot, table->estate);
		CheckUnchanged(direct, tid);
		result = table_tuple_update(table->rel, tid, table->slot, GetCurrentCommandId(true),
									direct->snapshot, InvalidSnapshot, true, &failure, &lock_mode,
									&update_indexes);
		if (result == TM_Ok)
			break;
		if (result == TM_SelfModified)
			ReportConcurrentChange(table);
		LockLatestClock(direct, tid, values, nulls);
	}
	if (table->result->ri_NumIndices > 0 && ALIGN_UPDATES_INDEXES(update_indexes))
		list_free(align_insert_index_tuples(table->result, table->slot, table->estate, true,
											update_indexes));
	ExecClearTuple(table->slot);
	ResetPerTupleExprContext(table->estate);
}
