/*
 * plans.c
 *	  Plans and executes the statements that read and write the record tables.
 *
 * Statements are prepared once per attached table and session.  They are
 * planned with sequential scans, hash joins, merge joins, sorts and JIT
 * disabled, and as if the record tables were large: they may be empty when
 * the plan is made, and a plan that reads all of a table for each lead would
 * be disastrous later.  A plan that becomes invalid is made again in the same
 * way.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "optimizer/plancat.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/queryenvironment.h"
#include "utils/snapmgr.h"

#include "attachment/sweep.h"
#include "history/history.h"
#include "record/plans.h"
#include "record/writer.h"

/*
 * The plans of one attached table, for the history, clock table and key that
 * it had when they were made.
 */
typedef struct RootPlans
{
	AttachmentId root;			/* hash key */
	Oid			history;
	Oid			sla;
	int			history_ncolumns;
	int			nkeys;
	Oid			key_types[ATTACHMENT_MAX_KEYS];
	int32		key_typmods[ATTACHMENT_MAX_KEYS];
	MemoryContext context;		/* of the row types; NULL until first used */
	TupleDesc	descs[RECORDER_NROWS];	/* NULL until first used */
	SPIPlanPtr	plans[RECORDER_NSTATEMENTS];	/* NULL until first used */
	int			generations[RECORDER_NSTATEMENTS];	/* of the plan made by
													 * Prepare() */
} RootPlans;

static HTAB *root_plans = NULL;

static long sweep_at = 0;		/* for align_sweep_dropped() */

/*
 * Frees plans and row types.  The row types live until the end of the
 * transaction, since a trigger on a record table may have called us while rows
 * of these types are being written.  Plans that are being executed are not in
 * plans[].
 */
static void
FreePlans(void *element)
{
	RootPlans  *plans = (RootPlans *) element;

	for (int i = 0; i < RECORDER_NSTATEMENTS; i++)
	{
		if (plans->plans[i] != NULL)
			SPI_freeplan(plans->plans[i]);
		plans->plans[i] = NULL;
	}
	if (plans->context != NULL)
		MemoryContextSetParent(plans->context, TopTransactionContext);
	plans->context = NULL;
	memset(plans->descs, 0, sizeof(plans->descs));
}

/*
 * True if the plans are for the record tables and the key of the attachment.
 */
static bool
PlansMatch(const RootPlans *plans, const Attachment *attachment)
{
	if (plans->history != attachment->marker.history || plans->sla != attachment->marker.sla ||
		plans->history_ncolumns != attachment->history_ncolumns ||
		plans->nkeys != attachment->nkeys)
		return false;
	for (int i = 0; i < attachment->nkeys; i++)
	{
		if (plans->key_types[i] != attachment->keys[i].type ||
			plans->key_typmods[i] != attachment->keys[i].typmod)
			return false;
	}
	return true;
}

/*
 * Returns the plans of an attached table.  Those that do not match are freed.
 */
static RootPlans *
FindPlans(const Attachment *attachment)
{
	RootPlans  *plans;
	bool		found;

	if (root_plans == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(AttachmentId);
		control.entrysize = sizeof(RootPlans);
		control.hcxt = TopMemoryContext;
		root_plans = hash_create("align recorder plans", 16, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	plans = hash_search(root_plans, &attachment->root_id, HASH_FIND, &found);
	if (!found)
	{
		align_sweep_dropped(root_plans, &sweep_at, FreePlans);
		plans = hash_search(root_plans, &attachment->root_id, HASH_ENTER, NULL);
		memset((char *) plans + sizeof(AttachmentId), 0,
			   sizeof(RootPlans) - sizeof(AttachmentId));
	}
	if (found && PlansMatch(plans, attachment))
		return plans;

	FreePlans(plans);
	plans->history = attachment->marker.history;
	plans->sla = attachment->marker.sla;
	plans->history_ncolumns = attachment->history_ncolumns;
	plans->nkeys = attachment->nkeys;
	for (int i = 0; i < attachment->nkeys; i++)
	{
		plans->key_types[i] = attachment->keys[i].type;
		plans->key_typmods[i] = attachment->keys[i].typmod;
	}
	return plans;
}

/*
 * Initializes the attributes prefix_1, prefix_2, ... of a row type, from
 * number first on.
 */
static void
InitKeys(TupleDesc desc, int first, const Attachment *attachment, const char *prefix)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *column = &attachment->keys[i];
		char		name[NAMEDATALEN];

		snprintf(name, sizeof(name), "%s_%d", prefix, i + 1);
		TupleDescInitEntry(desc, first + i, name, column->type, column->typmod, 0);
		TupleDescInitEntryCollation(desc, first + i, column->collation);
	}
}

/*
 * Returns a new row type for a kind of rows.
 */
static TupleDesc
MakeRowType(const Attachment *attachment, RecorderRows kind)
{
	const OwnColumn *columns = kind == ROWS_ENTRIES ? align_history_columns : align_sla_columns;
	int			ncolumns = kind == ROWS_ENTRIES ? attachment->history_ncolumns : SLA_NCOLUMNS;
	int			nkeys = attachment->nkeys;
	TupleDesc	desc;

	if (kind == ROWS_KEYS || kind == ROWS_REKEYS)
	{
		desc = CreateTemplateTupleDesc(1 + (kind == ROWS_KEYS ? nkeys : 2 * nkeys));
		TupleDescInitEntry(desc, 1, "n", INT4OID, -1, 0);
		InitKeys(desc, 2, attachment, "key");
		if (kind == ROWS_REKEYS)
			InitKeys(desc, 2 + nkeys, attachment, "old");
		return desc;
	}
	desc = CreateTemplateTupleDesc(nkeys + ncolumns);
	InitKeys(desc, 1, attachment, "key");
	for (int i = 0; i < ncolumns; i++)
		TupleDescInitEntry(desc, nkeys + 1 + i, columns[i].name, columns[i].type, -1, 0);
	return desc;
}

/*
 * Returns an empty tuplestore for rows of a kind, and their row type.
 */
Tuplestorestate *
align_recorder_rows(Attachment *attachment, RecorderRows kind, TupleDesc *desc)
{
	RootPlans  *plans = FindPlans(attachment);

	if (plans->context == NULL)
		plans->context = AllocSetContextCreate(TopMemoryContext, "align recorder row types",
											   ALLOCSET_SMALL_SIZES);
	if (plans->descs[kind] == NULL)
	{
		MemoryContext old_context = MemoryContextSwitchTo(plans->context);

		plans->descs[kind] = MakeRowType(attachment, kind);
		MemoryContextSwitchTo(old_context);
	}
	*desc = plans->descs[kind];
	return tuplestore_begin_heap(false, false, work_mem);
}

static const RecorderInputs statement_inputs[RECORDER_NSTATEMENTS] = {
	[READ_LEADS] = {1, {{"align_rows", ROWS_KEYS}}},
	[READ_LEADS_WITH_TIMES] = {1, {{"align_rows", ROWS_KEYS}}},
	[READ_ENTRIES] = {1, {{"align_rows", ROWS_KEYS}}},
	[READ_PAST] = {1, {{"align_rows", ROWS_KEYS}}},
	[READ_HISTORY] = {1, {{"align_rows", ROWS_KEYS}}},
	[COUNT_OLD_KEYS] = {1, {{"align_rows", ROWS_REKEYS}}},
	[WRITE_LEADS] = {3, {{"align_entries", ROWS_ENTRIES}, {"align_new_clocks", ROWS_CLOCKS},
	{"align_changed_clocks", ROWS_CLOCKS}}},
	[ADD_CLOCKS] = {1, {{"align_new_clocks", ROWS_CLOCKS}}},
	[DROP_CLOCKS] = {1, {{"align_rows", ROWS_KEYS}}},
	[REKEY_ENTRIES_ASIDE] = {1, {{"align_rows", ROWS_REKEYS}}},
	[REKEY_CLOCKS_ASIDE] = {1, {{"align_rows", ROWS_REKEYS}}},
	[REKEY_ENTRIES] = {1, {{"align_rows", ROWS_REKEYS}}},
	[REKEY_CLOCKS] = {1, {{"align_rows", ROWS_REKEYS}}},
	[SHIFT_ENTRIES_ASIDE] = {1, {{"align_rows", ROWS_KEYS}}},
	[SHIFT_ENTRIES_BACK] = {1, {{"align_rows", ROWS_KEYS}}},
	[REPLACE_FIRST_ENTRIES] = {1, {{"align_entries", ROWS_ENTRIES}}},
};

/*
 * Disables, until the end of the GUC nest level, all plans that do not go
 * through the indexes on the keys.
 */
static void
PreferIndexes(void)
{
	static const char *const disabled[] = {
		"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_sort", "jit"
	};

	for (int i = 0; i < (int) lengthof(disabled); i++)
		(void) set_config_option(disabled[i], "off", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

/* The least size that a table is planned for. */
#define ASSUMED_PAGES 100000
#define ASSUMED_ROWS 10000000.0

static get_relation_info_hook_type previous_relation_info_hook = NULL;

/*
 * A get_relation_info_hook that makes tables and indexes at least as large as
 * assumed.  In an index of one page, PostgreSQL estimates that reading all of
 * it costs no more than a search.
 */
static void
AssumeLargeTable(PlannerInfo *root, Oid relid, bool is_parent, RelOptInfo *rel)
{
	ListCell   *cell;

	if (previous_relation_info_hook != NULL)
		previous_relation_info_hook(root, relid, is_parent, rel);
	if (is_parent)
		return;
	rel->pages = Max(rel->pages, ASSUMED_PAGES);
	rel->tuples = Max(rel->tuples, ASSUMED_ROWS);
	foreach(cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);

		index->pages = Max(index->pages, ASSUMED_PAGES);
		index->tuples = Max(index->tuples, ASSUMED_ROWS);
	}
}

/*
 * Plans a statement while the settings of PreferIndexes() are in force;
 * executions will reuse the plan.  An error frees the statement, which has
 * been kept already: SPI_keepplan() discards the plan that it has before.
 */
static void
MakePlan(SPIPlanPtr plan)
{
	previous_relation_info_hook = get_relation_info_hook;
	get_relation_info_hook = AssumeLargeTable;
	PG_TRY();
	{
		ReleaseCachedPlan(SPI_plan_get_cached_plan(plan), CurrentResourceOwner);
	}
	PG_CATCH();
	{
		get_relation_info_hook = previous_relation_info_hook;
		SPI_freeplan(plan);
		PG_RE_THROW();
	}
	PG_END_TRY();
	get_relation_info_hook = previous_relation_info_hook;
}

/*
 * Prepares and plans a statement, whose input is registered with SPI.
 */
static SPIPlanPtr
Prepare(const Attachment *attachment, RecorderStatement statement)
{
	int			guc_level = NewGUCNestLevel();
	SPIPlanPtr	plan;

	PreferIndexes();
	plan = SPI_prepare(align_recorder_sql(attachment, statement), 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	MakePlan(plan);
	AtEOXact_GUC(true, guc_level);
	return plan;
}

/*
 * Returns a number that changes whenever the statement is planned again.
 */
static int
PlanGeneration(SPIPlanPtr plan)
{
	return ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->generation;
}

/*
 * True if the plan that would be executed is the one that Prepare() made.
 * PostgreSQL plans a statement again on its own, without our settings, not
 * only after an invalidation message, but also if search_path has changed, for
 * example.
 */
static bool
IsPlanUnchanged(SPIPlanPtr plan, int generation)
{
	if (!SPI_plan_is_valid(plan))
		return false;
	ReleaseCachedPlan(SPI_plan_get_cached_plan(plan), CurrentResourceOwner);
	return PlanGeneration(plan) == generation;
}

/*
 * Makes rows visible to statements under a name.
 */
static void
RegisterRows(const RootPlans *plans, const Attachment *attachment, const char *name,
			 RecorderRows kind, Tuplestorestate *rows)
{
	EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));
	int			result;

	relation->md.name = pstrdup(name);
	relation->md.reliddesc = InvalidOid;
	/* the type that the rows were made of may no longer be cached */
	relation->md.tupdesc = plans->descs[kind] != NULL ?
		CreateTupleDescCopy(plans->descs[kind]) : MakeRowType(attachment, kind);
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = tuplestore_tuple_count(rows);
	relation->reldata = rows;
	result = SPI_register_relation(relation);
	if (result != SPI_OK_REL_REGISTER)
		elog(ERROR, "SPI_register_relation failed: %s", SPI_result_code_string(result));
}

/*
 * True if a statement only reads.
 */
static bool
IsRead(RecorderStatement statement)
{
	return statement <= COUNT_OLD_KEYS;
}

/*
 * Executes a plan with the latest snapshot, and returns SPI's result code.
 */
static int
ExecuteStatement(SPIPlanPtr plan, RecorderStatement statement)
{
	int			result;

	/*
	 * Rows that were committed after the transaction's own snapshot may be
	 * updated, even under REPEATABLE READ: this transaction is the last one
	 * that has changed the row of the lead.
	 */
	if (!IsRead(statement))
		return SPI_execute_snapshot(plan, NULL, NULL, GetLatestSnapshot(), InvalidSnapshot,
									false, true, 0);

	/* also see what the current command has written */
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	result = SPI_execute_plan(plan, NULL, NULL, true, 0);
	PopActiveSnapshot();
	return result;
}

/*
 * Takes the plan of a statement out of the cache, after preparing it if
 * necessary, and sets its generation.
 *
 * While it is executed, triggers on the record tables may call the recorder
 * for the same statement, and must not free it.
 */
static SPIPlanPtr
TakePlan(Attachment *attachment, RecorderStatement statement, int *generation)
{
	RootPlans  *plans = FindPlans(attachment);
	SPIPlanPtr	plan = plans->plans[statement];

	*generation = plans->generations[statement];
	plans->plans[statement] = NULL;
	if (plan != NULL && IsPlanUnchanged(plan, *generation))
		return plan;
	if (plan != NULL)
		SPI_freeplan(plan);
	plan = Prepare(attachment, statement);
	*generation = PlanGeneration(plan);
	return plan;
}

/*
 * Puts a plan back into the cache, unless there is another one by now, or one
 * would be for other tables.
 */
static void
PutPlan(const Attachment *attachment, RecorderStatement statement, SPIPlanPtr plan, int generation)
{
	RootPlans  *plans = hash_search(root_plans, &attachment->root_id, HASH_FIND, NULL);

	if (plans != NULL && plans->plans[statement] == NULL && PlansMatch(plans, attachment))
	{
		plans->plans[statement] = plan;
		plans->generations[statement] = generation;
	}
	else
		SPI_freeplan(plan);
}

/*
 * Executes a statement over its input, and returns SPI_processed.
 */
uint64
align_recorder_execute(Attachment *attachment, RecorderStatement statement,
					   Tuplestorestate *first, Tuplestorestate *second, Tuplestorestate *third)
{
	RootPlans  *plans = FindPlans(attachment);
	const RecorderInputs *inputs = &statement_inputs[statement];
	Tuplestorestate *rows[RECORDER_MAX_INPUTS] = {first, second, third};
	SPIPlanPtr volatile plan;
	int			generation;
	int			result = 0;

	Assert(align_recorder_writes(attachment->marker.history));
	for (int i = 0; i < inputs->n; i++)
		RegisterRows(plans, attachment, inputs->inputs[i].name, inputs->inputs[i].kind, rows[i]);
	plan = TakePlan(attachment, statement, &generation);
	PG_TRY();
	{
		result = ExecuteStatement(plan, statement);
	}
	PG_FINALLY();
	{
		PutPlan(attachment, statement, plan, generation);
	}
	PG_END_TRY();
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	for (int i = 0; i < inputs->n; i++)
	{
		if (SPI_unregister_relation(inputs->inputs[i].name) != SPI_OK_REL_UNREGISTER)
			elog(ERROR, "SPI_unregister_relation failed");
	}
	return SPI_processed;
}
