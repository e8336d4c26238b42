/*
 * query.c
 *	  Runs a user-supplied query for raw events or rows, read-only.
 *
 * The query runs with the privileges of its caller.  Still, a report must not
 * change anything:
 *
 *	  - The query is first prepared on its own, and must be one SELECT that
 *		neither locks rows nor modifies data.  Only then is it wrapped in
 *		parentheses.  A text that parses on its own is balanced, so it cannot
 *		close these.
 *	  - It runs in a read-only subtransaction.  That includes the functions
 *		that it calls, and it cannot be made read-write.
 *	  - It can neither change roles nor create temporary objects: it runs in
 *		the security context of REFRESH MATERIALIZED VIEW.
 *	  - The subtransaction is always rolled back, with all changes that
 *		functions made to settings and temporary tables.
 *
 * PostgreSQL groups the rows into leads within work_mem, and the executor
 * passes each lead to the callback.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "tcop/cmdtag.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "backtest/query.h"
#include "catalog/as_role.h"

/* Columns of the query. */
#define COLUMN_LEAD 0
#define COLUMN_AT 1
#define COLUMN_STAGE 2
#define COLUMN_TEAM 3
#define COLUMN_REASON 4
#define COLUMN_ORDINAL 5
#define COLUMN_SEGMENTS 6
#define MIN_COLUMNS 3
#define MAX_COLUMNS 7

static const char *const column_names[MAX_COLUMNS] = {
	"lead", "at", "stage", "team", "reason", "ordinal", "segments"
};

#define COLUMNS_HINT \
	"The query must return (lead, at, stage [, team [, reason]]), by position, and may have columns named ordinal and segments after the stage."

/* Columns of the wrapped query. */
#define JOURNEY_KEY 0
#define JOURNEY_LEAD 1
#define JOURNEY_LATEST 2

/*
 * DestReceiver that calls back for each row of the wrapped query.
 */
typedef struct JourneyReceiver
{
	DestReceiver pub;
	QueryJourneyCallback callback;
	void	   *state;
	MemoryContext row_context;	/* reset after each row */
} JourneyReceiver;

/*
 * DestReceiver that calls back for each row of the query itself.
 */
typedef struct RowReceiver
{
	DestReceiver pub;
	QueryStartCallback start;
	QueryRowCallback callback;
	void	   *state;
	MemoryContext row_context;	/* reset after each row */
} RowReceiver;

static void
StartJourneys(DestReceiver *self, int operation, TupleDesc desc)
{
	(void) self;
	(void) operation;
	(void) desc;
}

static bool
ReceiveJourney(TupleTableSlot *slot, DestReceiver *self)
{
	JourneyReceiver *receiver = (JourneyReceiver *) self;
	MemoryContext old_context = MemoryContextSwitchTo(receiver->row_context);

	slot_getallattrs(slot);
	Assert(!slot->tts_isnull[JOURNEY_KEY] && !slot->tts_isnull[JOURNEY_LEAD]);
	receiver->callback(receiver->state,
					   DatumGetTextPP(slot->tts_values[JOURNEY_KEY]),
					   PG_DETOAST_DATUM_PACKED(slot->tts_values[JOURNEY_LEAD]),
					   DatumGetTimestampTz(slot->tts_values[JOURNEY_LATEST]));
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(receiver->row_context);
	return true;
}

static void
EndJourneys(DestReceiver *self)
{
	(void) self;
}

static void
StartRows(DestReceiver *self, int operation, TupleDesc desc)
{
	RowReceiver *receiver = (RowReceiver *) self;

	(void) operation;
	receiver->start(receiver->state, desc);
}

static bool
ReceiveRow(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old_context = MemoryContextSwitchTo(receiver->row_context);

	slot_getallattrs(slot);
	receiver->callback(receiver->state, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(receiver->row_context);
	return true;
}

/*
 * Returns whether a query, or any part of it, locks rows or modifies data.
 */
static bool
ModifiesOrLocks(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		if (query->commandType != CMD_SELECT || query->hasModifyingCTE || query->rowMarks != NIL)
			return true;
		return query_tree_walker(query, ModifiesOrLocks, context, 0);
	}
	return expression_tree_walker(node, ModifiesOrLocks, context);
}

/*
 * Raises an error unless the statements are one SELECT that can only read.
 */
static void
CheckStatement(List *sources)
{
	CachedPlanSource *source;
	CommandTag	tag;

	if (sources == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query is empty")));
	if (list_length(sources) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query must be a single statement"),
				 errdetail("It has %d statements.", list_length(sources))));
	source = (CachedPlanSource *) linitial(sources);
	tag = source->commandTag;
	/* commandTag is that of the raw statement, SELECT also for SELECT INTO */
	if (tag == CMDTAG_SELECT && source->resultDesc == NULL)
		tag = CMDTAG_SELECT_INTO;
	if (tag != CMDTAG_SELECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query must be a SELECT, not %s", GetCommandTagName(tag))));
	if (ModifiesOrLocks((Node *) linitial(source->query_list), NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query must neither modify data nor lock rows"),
				 errdetail("INSERT, UPDATE, DELETE or MERGE in a WITH clause, FOR UPDATE and FOR SHARE are not allowed.")));
}

/*
 * Raises an error for the type of a column unless ok is true.
 */
static void
CheckColumnType(TupleDesc desc, int position, int column, bool ok, const char *expected)
{
	if (ok)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column %d of the query, \"%s\", cannot be of type %s",
					position + 1, column_names[column],
					format_type_be(TupleDescAttr(desc, position)->atttypid)),
			 errdetail("Expected %s.", expected),
			 errhint(COLUMNS_HINT)));
}

/*
 * Returns whether a type can hold labels: text, an enum, an integer, or a
 * domain over these.
 */
static bool
IsLabelType(Oid type)
{
	Oid			base = getBaseType(type);
	char		category = TypeCategory(base);

	return category == TYPCATEGORY_STRING || category == TYPCATEGORY_ENUM ||
		base == INT2OID || base == INT4OID || base == INT8OID;
}

/*
 * The columns of a query.
 */
typedef struct QueryColumns
{
	int			n;
	int			roles[MAX_COLUMNS]; /* by position: a COLUMN */
	bool		present[MAX_COLUMNS];	/* by COLUMN */
} QueryColumns;

/*
 * Determines the columns: ordinal and segments by name, the others by
 * position.  Raises an error if there are too few or too many.
 */
static void
FindColumns(TupleDesc desc, QueryColumns *columns)
{
	int			npositional = 0;

	memset(columns, 0, sizeof(QueryColumns));
	for (int i = 0; i < desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);
		int			role = npositional;

		if (i >= MIN_COLUMNS && strcmp(name, column_names[COLUMN_ORDINAL]) == 0)
			role = COLUMN_ORDINAL;
		else if (i >= MIN_COLUMNS && strcmp(name, column_names[COLUMN_SEGMENTS]) == 0)
			role = COLUMN_SEGMENTS;
		else if (npositional++ > COLUMN_REASON)
			continue;			/* one too many */
		if (columns->present[role])
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("query has more than one column \"%s\"", name)));
		columns->present[role] = true;
		columns->roles[columns->n++] = role;
	}
	if (npositional < MIN_COLUMNS || npositional > COLUMN_REASON + 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("query must return %d to %d columns, not %d",
						MIN_COLUMNS, COLUMN_REASON + 1, npositional),
				 errhint(COLUMNS_HINT)));
}

/*
 * Raises an error unless number and types of the columns are right.
 */
static void
CheckColumns(TupleDesc desc, QueryColumns *columns)
{
	Oid			type;

	FindColumns(desc, columns);
	type = TupleDescAttr(desc, COLUMN_LEAD)->atttypid;
	CheckColumnType(desc, COLUMN_LEAD, COLUMN_LEAD,
					OidIsValid(lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr),
					"a type that can be compared, such as bigint, uuid or text");
	type = getBaseType(TupleDescAttr(desc, COLUMN_AT)->atttypid);
	CheckColumnType(desc, COLUMN_AT, COLUMN_AT,
					type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID,
					"timestamp with time zone (or timestamp or date, which are taken in the session's time zone)");
	for (int i = COLUMN_STAGE; i < desc->natts; i++)
	{
		int			role = columns->roles[i];

		type = getBaseType(TupleDescAttr(desc, i)->atttypid);
		if (role == COLUMN_ORDINAL)
			CheckColumnType(desc, i, role,
							type == INT2OID || type == INT4OID || type == INT8OID, "an integer");
		else if (role == COLUMN_SEGMENTS)
			CheckColumnType(desc, i, role, type == TEXTARRAYOID || type == VARCHARARRAYOID,
							"text[]");
		else
			CheckColumnType(desc, i, role, IsLabelType(type), "text, an enum or an integer");
	}
}

/*
 * Returns a query for one row per lead: its key as text, the journey as a
 * value of type lead, and the largest time of all leads.  query is the text
 * that statement was parsed from.
 */
static char *
WrapQuery(const char *query, const RawStmt *statement, const QueryColumns *columns)
{
	bool		all = columns->present[COLUMN_ORDINAL] || columns->present[COLUMN_SEGMENTS];

	const char *start = query + Max(statement->stmt_location, 0);
	int			len = statement->stmt_len > 0 ? statement->stmt_len : (int) strlen(start);
	StringInfoData wrapped;

	initStringInfo(&wrapped);
	appendStringInfoString(&wrapped,
						   "SELECT q.lead::pg_catalog.text, "
						   "align.lead_agg(q.at::pg_catalog.timestamptz, q.stage::pg_catalog.text");
	/* the forms with fewer arguments are faster */
	if (all || columns->present[COLUMN_TEAM])
		appendStringInfo(&wrapped, ", %s::pg_catalog.text, %s::pg_catalog.text",
						 columns->present[COLUMN_TEAM] ? "q.team" : "NULL",
						 columns->present[COLUMN_REASON] ? "q.reason" : "NULL");
	if (all)
		appendStringInfo(&wrapped,
						 ", NULL::pg_catalog.text, NULL::pg_catalog.numeric, "
						 "%s::pg_catalog.int8, %s::pg_catalog.text[]",
						 columns->present[COLUMN_ORDINAL] ? "q.ordinal" : "NULL",
						 columns->present[COLUMN_SEGMENTS] ? "q.segments" : "NULL");
	appendStringInfoString(&wrapped,
						   "), pg_catalog.max(pg_catalog.max(q.at::pg_catalog.timestamptz)) OVER () "
						   "FROM (\n");
	appendBinaryStringInfo(&wrapped, start, len);
	/* a newline, as the query may end with a comment */
	appendStringInfoString(&wrapped, "\n) AS q (");
	for (int i = 0; i < columns->n; i++)
		appendStringInfo(&wrapped, "%s%s", i > 0 ? ", " : "", column_names[columns->roles[i]]);

	/*
	 * Ignore the rows that lead_agg() ignores.  Test the text of the key: for
	 * a row value, IS NOT NULL would be false if any of its fields is null.
	 */
	appendStringInfoString(&wrapped,
						   ") WHERE q.lead::pg_catalog.text IS NOT NULL AND q.at IS NOT NULL "
						   "AND q.stage::pg_catalog.text IS NOT NULL GROUP BY q.lead");
	return wrapped.data;
}

/*
 * Prepares the query, and raises an error unless it is one SELECT that can
 * only read.
 */
static SPIPlanPtr
PrepareQuery(const char *query, CachedPlanSource **source)
{
	SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);
	List	   *sources;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	CheckStatement(sources);
	*source = (CachedPlanSource *) linitial(sources);
	return plan;
}

static void
RunPlan(SPIPlanPtr plan, DestReceiver *receiver)
{
	SPIExecuteOptions options;

	memset(&options, 0, sizeof(options));
	options.read_only = true;
	options.dest = receiver;
	if (SPI_execute_plan_extended(plan, &options) < 0)
		elog(ERROR, "SPI_execute_plan_extended failed");

	/* PostgreSQL 15 does not prevent a RESET of this setting */
	if (!XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("query must not change \"transaction_read_only\"")));
}

/*
 * Checks and runs the query for journeys.
 */
static void
RunJourneys(const char *query, DestReceiver *receiver)
{
	CachedPlanSource *source;
	QueryColumns columns;
	SPIPlanPtr	plan;

	(void) PrepareQuery(query, &source);
	CheckColumns(source->resultDesc, &columns);
	plan = SPI_prepare_cursor(WrapQuery(query, source->raw_parse_tree, &columns),
							  0, NULL, CURSOR_OPT_PARALLEL_OK);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	RunPlan(plan, receiver);
}

/*
 * Checks and runs the query for its rows.
 */
static void
RunRows(const char *query, DestReceiver *receiver)
{
	CachedPlanSource *source;

	RunPlan(PrepareQuery(query, &source), receiver);
}

/*
 * Runs a query in a read-only subtransaction.
 */
static void
RunReadOnly(void (*run) (const char *query, DestReceiver *receiver), const char *query,
			DestReceiver *receiver)
{
	MemoryContext old_context = CurrentMemoryContext;
	ResourceOwner old_owner = CurrentResourceOwner;
	Oid			user_id;
	int			sec_context;

	/*
	 * The end of the subtransaction restores the security context and
	 * XactReadOnly.
	 */
	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		GetUserIdAndSecContext(&user_id, &sec_context);
		SetUserIdAndSecContext(user_id, sec_context | SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_RESTRICTED_OPERATION);
		XactReadOnly = true;
		align_spi_connect();
		run(query, receiver);
		SPI_finish();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(old_context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(old_context);
		CurrentResourceOwner = old_owner;
		ReThrowError(error);
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(old_context);
	CurrentResourceOwner = old_owner;
}

/*
 * Runs a query for raw events and calls back for each lead.
 */
void
align_query_journeys(const char *query, QueryJourneyCallback callback, void *state)
{
	JourneyReceiver receiver;

	receiver.pub.receiveSlot = ReceiveJourney;
	receiver.pub.rStartup = StartJourneys;
	receiver.pub.rShutdown = EndJourneys;
	receiver.pub.rDestroy = EndJourneys;
	receiver.pub.mydest = DestNone;
	receiver.callback = callback;
	receiver.state = state;
	receiver.row_context = AllocSetContextCreate(CurrentMemoryContext, "align journey",
												 ALLOCSET_DEFAULT_SIZES);
	RunReadOnly(RunJourneys, query, &receiver.pub);
	MemoryContextDelete(receiver.row_context);
}

/*
 * Runs a query and calls back for each of its rows.
 */
void
align_query_rows(const char *query, QueryStartCallback start, QueryRowCallback callback,
				 void *state)
{
	RowReceiver receiver;

	receiver.pub.receiveSlot = ReceiveRow;
	receiver.pub.rStartup = StartRows;
	receiver.pub.rShutdown = EndJourneys;
	receiver.pub.rDestroy = EndJourneys;
	receiver.pub.mydest = DestNone;
	receiver.start = start;
	receiver.callback = callback;
	receiver.state = state;
	receiver.row_context = AllocSetContextCreate(CurrentMemoryContext, "align row",
												 ALLOCSET_DEFAULT_SIZES);
	RunReadOnly(RunRows, query, &receiver.pub);
	MemoryContextDelete(receiver.row_context);
}
