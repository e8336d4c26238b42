/*
 * recorder_sql.c
 *	  The statements that read and write history and clocks, and how they run.
 *
 * Statements are prepared once per attached table and planned with sequential
 * scans, hash and merge joins and sorts out of favour: a table that is empty when
 * the plan is made will not stay so, and a plan that reads all of it for every
 * lead would be a disaster.  If a relcache message makes a plan invalid, it is
 * made anew the same way.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/queryenvironment.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"

#include "enforce/history.h"
#include "enforce/recorder.h"
#include "enforce/recorder_sql.h"

#define ROWS_NAME "align_rows"

bool		align_recorder_writes = false;

/*
 * Plans of one attached table.  They are for the history, clock table and key
 * that it had when they were made.
 */
typedef struct RootPlans
{
	Oid			root;			/* hash key */
	Oid			history;
	Oid			sla;
	int			nkeys;
	Oid			key_types[ATTACHMENT_MAX_KEYS];
	int32		key_typmods[ATTACHMENT_MAX_KEYS];
	MemoryContext context;		/* of the row types */
	TupleDesc	descs[ROWS_CLOCKS + 1];
	SPIPlanPtr	plans[RECORDER_NSTATEMENTS];
	int			generations[RECORDER_NSTATEMENTS];	/* of the plan that we had made */
} RootPlans;

static HTAB *root_plans = NULL;

static void
ForgetPlans(RootPlans *plans)
{
	for (int i = 0; i < RECORDER_NSTATEMENTS; i++)
	{
		if (plans->plans[i] != NULL)
			SPI_freeplan(plans->plans[i]);
		plans->plans[i] = NULL;
	}
	if (plans->context != NULL)
		MemoryContextDelete(plans->context);
	plans->context = NULL;
	memset(plans->descs, 0, sizeof(plans->descs));
}

static bool
PlansFit(const RootPlans *plans, const Attachment *attachment)
{
	if (plans->history != attachment->marker.history || plans->sla != attachment->marker.sla ||
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

static RootPlans *
FindPlans(const Attachment *attachment)
{
	RootPlans  *plans;
	bool		found;

	if (root_plans == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(Oid);
		control.entrysize = sizeof(RootPlans);
		control.hcxt = TopMemoryContext;
		root_plans = hash_create("align recorder plans", 16, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	plans = hash_search(root_plans, &attachment->marker.root, HASH_ENTER, &found);
	if (!found)
		memset((char *) plans + sizeof(Oid), 0, sizeof(RootPlans) - sizeof(Oid));
	if (found && PlansFit(plans, attachment))
		return plans;

	ForgetPlans(plans);
	plans->history = attachment->marker.history;
	plans->sla = attachment->marker.sla;
	plans->nkeys = attachment->nkeys;
	for (int i = 0; i < attachment->nkeys; i++)
	{
		plans->key_types[i] = attachment->keys[i].type;
		plans->key_typmods[i] = attachment->keys[i].typmod;
	}
	return plans;
}

/*
 * Row types.
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

static TupleDesc
MakeRowType(const Attachment *attachment, RecorderRows kind)
{
	const OwnColumn *columns = kind == ROWS_ENTRIES ? align_history_columns : align_sla_columns;
	int			ncolumns = kind == ROWS_ENTRIES ? HISTORY_NCOLUMNS : SLA_NCOLUMNS;
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

static RecorderRows
RowsOf(RecorderStatement statement)
{
	switch (statement)
	{
		case READ_LAST:
		case READ_LAST_ONLY:
		case READ_CLOCKS:
		case READ_ENTRIES:
		case DROP_CLOCKS:
			return ROWS_KEYS;
		case ADD_ENTRIES:
			return ROWS_ENTRIES;
		case ADD_CLOCKS:
		case CHANGE_CLOCKS:
			return ROWS_CLOCKS;
		case REKEY_ENTRIES_ASIDE:
		case REKEY_CLOCKS_ASIDE:
		case REKEY_ENTRIES:
		case REKEY_CLOCKS:
			return ROWS_REKEYS;
	}
	elog(ERROR, "no such statement: %d", (int) statement);
}

/*
 * The texts.  "h" is history or clock table, "r" the rows.
 */

/* Name of the i-th key column of a table of ours. */
static const char *
OwnKeyName(Oid relid, int i)
{
	return quote_identifier(get_attname(relid, i + 1, false));
}

/* h.<key> = r.<prefix>_1 AND ..., with the operators of the keys' types */
static void
AppendKeyMatch(StringInfo buf, const Attachment *attachment, Oid relid, const char *prefix)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *column = &attachment->keys[i];
		char	   *left = psprintf("h.%s", OwnKeyName(relid, i));
		char	   *right = psprintf("r.%s_%d", prefix, i + 1);

		if (i > 0)
			appendStringInfoString(buf, " AND ");
		generate_operator_clause(buf, left, column->type, column->eq_operator,
								 right, column->type);
	}
}

static void
AppendOwnColumns(StringInfo buf, const char *prefix, const OwnColumn *columns, int ncolumns)
{
	for (int i = 0; i < ncolumns; i++)
		appendStringInfo(buf, ", %s%s", prefix, columns[i].name);
}

static void
AppendKeyNames(StringInfo buf, const Attachment *attachment, Oid relid)
{
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "%s%s", i > 0 ? ", " : "", OwnKeyName(relid, i));
}

static void
AppendRowKeys(StringInfo buf, const Attachment *attachment)
{
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "%sr.key_%d", i > 0 ? ", " : "", i + 1);
}

static void
AppendReadLast(StringInfo buf, const Attachment *attachment, bool with_latest)
{
	Oid			history = attachment->marker.history;

	appendStringInfoString(buf, "SELECT r.n, l.entry_no, l.recorded_at, l.effective_at, l.event, "
						   "l.stage, l.team, l.assignee, l.source");
	if (with_latest)
		appendStringInfoString(buf, ", m.latest");
	appendStringInfo(buf, " FROM " ROWS_NAME " AS r LEFT JOIN LATERAL (SELECT h.entry_no, "
					 "h.recorded_at, h.effective_at, h.event, h.stage, h.team, h.assignee, h.source "
					 "FROM %s AS h WHERE ", attachment->history_name);
	AppendKeyMatch(buf, attachment, history, "key");
	/* all of the key, so that an index on it gives the order */
	appendStringInfoString(buf, " ORDER BY ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "h.%s DESC, ", OwnKeyName(history, i));
	appendStringInfoString(buf, "h.entry_no DESC LIMIT 1) AS l ON true");
	if (with_latest)
	{
		appendStringInfo(buf, " LEFT JOIN LATERAL (SELECT pg_catalog.max(h.effective_at) AS latest "
						 "FROM %s AS h WHERE ", attachment->history_name);
		AppendKeyMatch(buf, attachment, history, "key");
		appendStringInfoString(buf, ") AS m ON true");
	}
}

static void
AppendRekeyAside(StringInfo buf, const Attachment *attachment, Oid relid, const char *name,
				 const char *number)
{
	appendStringInfo(buf, "UPDATE %s AS h SET ", name);
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(buf, "%s = r.key_%d, ", OwnKeyName(relid, i), i + 1);
	appendStringInfo(buf, "%s = OPERATOR(pg_catalog.-) h.%s FROM " ROWS_NAME " AS r WHERE ",
					 number, number);
	AppendKeyMatch(buf, attachment, relid, "old");
	appendStringInfo(buf, " AND h.%s OPERATOR(pg_catalog.>) 0", number);
}

/*
 * The key may have been another lead's before: its entries stay in front, and
 * what comes is told apart as if it had been merged.
 */
static void
AppendRekeyEntries(StringInfo buf, const Attachment *attachment)
{
	Oid			history = attachment->marker.history;

	appendStringInfo(buf, "UPDATE %s AS h SET entry_no = o.last OPERATOR(pg_catalog.-) h.entry_no, "
					 "source = CASE WHEN o.last OPERATOR(pg_catalog.>) 0 THEN 'merged' ELSE h.source END, "
					 "recorded_at = CASE WHEN o.last OPERATOR(pg_catalog.>) 0 "
					 "THEN GREATEST(o.latest, pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.+) "
					 "pg_catalog.make_interval(secs => 0.000001 OPERATOR(pg_catalog.*) (OPERATOR(pg_catalog.-) h.entry_no)) "
					 "ELSE h.recorded_at END "
					 "FROM " ROWS_NAME " AS r, LATERAL (SELECT "
					 "COALESCE(pg_catalog.max(h.entry_no), 0) AS last, pg_catalog.max(h.recorded_at) AS latest FROM %s AS h WHERE ",
					 attachment->history_name, attachment->history_name);
	AppendKeyMatch(buf, attachment, history, "key");
	appendStringInfoString(buf, " AND h.entry_no OPERATOR(pg_catalog.>) 0) AS o WHERE ");
	AppendKeyMatch(buf, attachment, history, "key");
	appendStringInfoString(buf, " AND h.entry_no OPERATOR(pg_catalog.<) 0");
}

static void
AppendRekeyClocks(StringInfo buf, const Attachment *attachment)
{
	Oid			sla = attachment->marker.sla;

	appendStringInfo(buf, "UPDATE %s AS h SET cycle = (SELECT COALESCE(pg_catalog.max(o.cycle), 0) "
					 "FROM %s AS o WHERE ", attachment->sla_name, attachment->sla_name);
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *column = &attachment->keys[i];
		char	   *left = psprintf("o.%s", OwnKeyName(sla, i));
		char	   *right = psprintf("h.%s", OwnKeyName(sla, i));

		generate_operator_clause(buf, left, column->type, column->eq_operator,
								 right, column->type);
		appendStringInfoString(buf, " AND ");
	}
	appendStringInfoString(buf, "o.sla OPERATOR(pg_catalog.=) h.sla AND o.cycle OPERATOR(pg_catalog.>) 0) "
						   "OPERATOR(pg_catalog.-) h.cycle FROM " ROWS_NAME " AS r WHERE ");
	AppendKeyMatch(buf, attachment, sla, "key");
	appendStringInfoString(buf, " AND h.cycle OPERATOR(pg_catalog.<) 0");
}

static char *
StatementText(const Attachment *attachment, RecorderStatement statement)
{
	Oid			history = attachment->marker.history;
	Oid			sla = attachment->marker.sla;
	StringInfoData buf;

	initStringInfo(&buf);
	switch (statement)
	{
		case READ_LAST:
			AppendReadLast(&buf, attachment, true);
			break;
		case READ_LAST_ONLY:
			AppendReadLast(&buf, attachment, false);
			break;
		case READ_CLOCKS:
			appendStringInfoString(&buf, "SELECT r.n");
			AppendOwnColumns(&buf, "h.", align_sla_columns, SLA_NCOLUMNS);
			appendStringInfo(&buf, " FROM " ROWS_NAME " AS r, %s AS h WHERE ", attachment->sla_name);
			AppendKeyMatch(&buf, attachment, sla, "key");
			break;
		case READ_ENTRIES:
			appendStringInfo(&buf, "SELECT r.n, h.event, h.effective_at, h.stage, h.assignee, "
							 "h.agreement, h.version, h.source FROM " ROWS_NAME " AS r, %s AS h WHERE ",
							 attachment->history_name);
			AppendKeyMatch(&buf, attachment, history, "key");
			appendStringInfoString(&buf, " ORDER BY r.n, h.effective_at, h.entry_no");
			break;
		case ADD_ENTRIES:
			appendStringInfo(&buf, "INSERT INTO %s (", attachment->history_name);
			AppendKeyNames(&buf, attachment, history);
			AppendOwnColumns(&buf, "", align_history_columns, HISTORY_NCOLUMNS);
			appendStringInfoString(&buf, ") SELECT ");
			AppendRowKeys(&buf, attachment);
			AppendOwnColumns(&buf, "r.", align_history_columns, HISTORY_NCOLUMNS);
			appendStringInfoString(&buf, " FROM " ROWS_NAME " AS r");
			break;
		case ADD_CLOCKS:
			appendStringInfo(&buf, "INSERT INTO %s (", attachment->sla_name);
			AppendKeyNames(&buf, attachment, sla);
			AppendOwnColumns(&buf, "", align_sla_columns, SLA_NCOLUMNS);
			appendStringInfoString(&buf, ") SELECT ");
			AppendRowKeys(&buf, attachment);
			AppendOwnColumns(&buf, "r.", align_sla_columns, SLA_NCOLUMNS);
			appendStringInfoString(&buf, " FROM " ROWS_NAME " AS r");
			break;
		case CHANGE_CLOCKS:
			/* what identifies a clock, and what others write, stays */
			appendStringInfo(&buf, "UPDATE %s AS h SET assignee_at_due = r.assignee_at_due, "
							 "assignee_at_stop = r.assignee_at_stop, due_at = r.due_at, "
							 "warn_at = r.warn_at, paused = r.paused, elapsed = r.elapsed, "
							 "stopped_at = r.stopped_at, outcome = r.outcome FROM " ROWS_NAME
							 " AS r WHERE ", attachment->sla_name);
			AppendKeyMatch(&buf, attachment, sla, "key");
			appendStringInfoString(&buf, " AND h.sla OPERATOR(pg_catalog.=) r.sla "
								   "AND h.cycle OPERATOR(pg_catalog.=) r.cycle");
			break;
		case DROP_CLOCKS:
			appendStringInfo(&buf, "DELETE FROM %s AS h USING " ROWS_NAME " AS r WHERE ",
							 attachment->sla_name);
			AppendKeyMatch(&buf, attachment, sla, "key");
			break;
		case REKEY_ENTRIES_ASIDE:
			AppendRekeyAside(&buf, attachment, history, attachment->history_name, "entry_no");
			break;
		case REKEY_CLOCKS_ASIDE:
			AppendRekeyAside(&buf, attachment, sla, attachment->sla_name, "cycle");
			break;
		case REKEY_ENTRIES:
			AppendRekeyEntries(&buf, attachment);
			break;
		case REKEY_CLOCKS:
			AppendRekeyClocks(&buf, attachment);
			break;
	}
	return buf.data;
}

/*
 * Planning.
 */
static void
FavourIndexes(void)
{
	static const char *const out_of_favour[] = {
		"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_sort", "jit"
	};

	for (int i = 0; i < (int) lengthof(out_of_favour); i++)
		(void) set_config_option(out_of_favour[i], "off", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

/* The caller has registered the rows. */
static SPIPlanPtr
Prepare(const Attachment *attachment, RecorderStatement statement)
{
	int			guc_level = NewGUCNestLevel();
	SPIPlanPtr	plan;

	FavourIndexes();
	plan = SPI_prepare(StatementText(attachment, statement), 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	/* made now, while the settings are ours, and used as long as it is valid */
	ReleaseCachedPlan(SPI_plan_get_cached_plan(plan), CurrentResourceOwner);
	AtEOXact_GUC(true, guc_level);
	return plan;
}

static int
PlanGeneration(SPIPlanPtr plan)
{
	return ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->generation;
}

/*
 * Is the plan that would be run the one that was made under our settings?
 * Something else than a relcache message, like another search_path, would have
 * it made anew silently.
 */
static bool
IsOurPlan(SPIPlanPtr plan, int generation)
{
	if (!SPI_plan_is_valid(plan))
		return false;
	ReleaseCachedPlan(SPI_plan_get_cached_plan(plan), CurrentResourceOwner);
	return PlanGeneration(plan) == generation;
}

static void
RegisterRows(const RootPlans *plans, RecorderStatement statement, Tuplestorestate *rows)
{
	EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));
	int			result;

	relation->md.name = ROWS_NAME;
	relation->md.reliddesc = InvalidOid;
	relation->md.tupdesc = plans->descs[RowsOf(statement)];
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = tuplestore_tuple_count(rows);
	relation->reldata = rows;
	result = SPI_register_relation(relation);
	if (result != SPI_OK_REL_REGISTER)
		elog(ERROR, "SPI_register_relation failed: %s", SPI_result_code_string(result));
}

static bool
IsRead(RecorderStatement statement)
{
	return statement <= READ_ENTRIES;
}

static int
ExecuteStatement(SPIPlanPtr plan, RecorderStatement statement)
{
	int			result;

	if (!IsRead(statement))
		return SPI_execute_plan(plan, NULL, NULL, false, 0);

	/* as of now, with what this very command has recorded already */
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	result = SPI_execute_plan(plan, NULL, NULL, true, 0);
	PopActiveSnapshot();
	return result;
}

uint64
align_recorder_execute(Attachment *attachment, RecorderStatement statement, Tuplestorestate *rows)
{
	RootPlans  *plans = FindPlans(attachment);
	SPIPlanPtr	plan;
	OwnerIdentity identity;
	int			result;

	RegisterRows(plans, statement, rows);
	align_become_owner(attachment, &identity);
	plan = plans->plans[statement];
	if (plan == NULL || !IsOurPlan(plan, plans->generations[statement]))
	{
		plans->plans[statement] = NULL;
		if (plan != NULL)
			SPI_freeplan(plan);
		plan = plans->plans[statement] = Prepare(attachment, statement);
		plans->generations[statement] = PlanGeneration(plan);
	}
	result = ExecuteStatement(plan, statement);
	align_resume_identity(&identity);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	if (SPI_unregister_relation(ROWS_NAME) != SPI_OK_REL_UNREGISTER)
		elog(ERROR, "SPI_unregister_relation failed");
	return SPI_processed;
}

/*
 * The identity that history and clocks are written with, as core's referential
 * triggers take on that of the owner.  Should anything fail, the abort of the
 * (sub)transaction restores it, and the guard with it.
 */
static int	writing_level = 0;	/* nesting level of the outermost writer, 0 none */

static void
StopWriting(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid, void *arg)
{
	(void) mySubid;
	(void) parentSubid;
	(void) arg;
	if (event == SUBXACT_EVENT_ABORT_SUB && writing_level >= GetCurrentTransactionNestLevel())
	{
		align_recorder_writes = false;
		writing_level = 0;
	}
}

static void
StopWritingAtEnd(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_ABORT)
	{
		align_recorder_writes = false;
		writing_level = 0;
	}
}

void
align_become_owner(const Attachment *attachment, OwnerIdentity *identity)
{
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(StopWritingAtEnd, NULL);
		RegisterSubXactCallback(StopWriting, NULL);
		registered = true;
	}
	GetUserIdAndSecContext(&identity->userid, &identity->sec_context);
	identity->writing = align_recorder_writes;
	SetUserIdAndSecContext(attachment->root_owner,
						   identity->sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	align_recorder_writes = true;
	if (writing_level == 0)
		writing_level = GetCurrentTransactionNestLevel();
}

void
align_resume_identity(const OwnerIdentity *identity)
{
	align_recorder_writes = identity->writing;
	if (!identity->writing)
		writing_level = 0;
	SetUserIdAndSecContext(identity->userid, identity->sec_context);
}

int
align_execute_as_owner(Attachment *attachment, const char *command, int nargs,
					   Oid *types, Datum *values, const char *nulls)
{
	OwnerIdentity identity;
	int			result;

	align_become_owner(attachment, &identity);
	result = SPI_execute_with_args(command, nargs, types, values, nulls, false, 0);
	align_resume_identity(&identity);
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	return result;
}
