/*
 * query.c
 *	  Runs somebody's query over raw events, read-only.
 *
 * The text of the query is not trusted to be what it should be, although it runs
 * with no more than its caller's rights: a report must not change anything.
 *
 *	  - It is first prepared on its own, and must be one SELECT that neither
 *		locks rows nor modifies data.  Only then is it put in parentheses, so it
 *		cannot close them: a text that parses on its own is balanced.
 *	  - It runs in a subtransaction that is read-only, which also holds inside
 *		the functions that it calls, and which refuses to be made read-write.
 *	  - Roles cannot be changed, nor temporary objects made: the same security
 *		context as that of REFRESH MATERIALIZED VIEW.
 *	  - The subtransaction is rolled back even if all went well, and with it
 *		whatever the functions did to settings and temporary tables.
 *
 * PostgreSQL groups the rows into leads, so memory is bounded by work_mem; the
 * executor hands each lead over as soon as it is made.
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
#define MIN_COLUMNS 3
#define MAX_COLUMNS 5

static const char *const column_names[MAX_COLUMNS] = {"lead", "at", "stage", "team", "reason"};

/* Columns of the query around it. */
#define JOURNEY_KEY 0
#define JOURNEY_LEAD 1
#define JOURNEY_LATEST 2

typedef struct JourneyReceiver
{
	DestReceiver pub;
	JourneyCallback callback;
	void	   *state;
	MemoryContext row_context;
} JourneyReceiver;

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

/*
 * Does a query, or any part of it, lock rows or modify data?
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
				 errdetail("It has %d.", list_length(sources))));
	source = (CachedPlanSource *) linitial(sources);
	tag = source->commandTag;
	/* SELECT INTO is told from SELECT only once it has been analyzed */
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
				 errdetail("It only reads: no INSERT, UPDATE, DELETE or MERGE in a WITH clause, no FOR UPDATE or FOR SHARE.")));
}

static void
CheckColumnType(TupleDesc desc, int column, bool ok, const char *expected)
{
	if (ok)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column %d of the query, \"%s\", cannot be of type %s",
					column + 1, column_names[column],
					format_type_be(TupleDescAttr(desc, column)->atttypid)),
			 errdetail("Expected %s.", expected),
			 errhint("The query yields (lead, at, stage [, team [, reason]]), by position.")));
}

/*
 * Labels may be kept as text, as an enum, or as a number.
 */
static bool
IsLabelType(Oid type)
{
	Oid			base = getBaseType(type);
	char		category = TypeCategory(base);

	return category == TYPCATEGORY_STRING || category == TYPCATEGORY_ENUM ||
		base == INT2OID || base == INT4OID || base == INT8OID;
}

static void
CheckColumns(TupleDesc desc)
{
	Oid			type;

	if (desc->natts < MIN_COLUMNS || desc->natts > MAX_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("query must return %d to %d columns, not %d",
						MIN_COLUMNS, MAX_COLUMNS, desc->natts),
				 errhint("The query yields (lead, at, stage [, team [, reason]]), by position.")));

	type = TupleDescAttr(desc, COLUMN_LEAD)->atttypid;
	CheckColumnType(desc, COLUMN_LEAD,
					OidIsValid(lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr),
					"a type that can be compared, such as bigint, uuid or text");
	type = getBaseType(TupleDescAttr(desc, COLUMN_AT)->atttypid);
	CheckColumnType(desc, COLUMN_AT,
					type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID,
					"timestamp with time zone (or timestamp or date, which are taken in the session's time zone)");
	for (int i = COLUMN_STAGE; i < desc->natts; i++)
		CheckColumnType(desc, i, IsLabelType(TupleDescAttr(desc, i)->atttypid),
						"text, an enum or an integer");
}

/*
 * The query around the query.
 */
static char *
WrapQuery(const char *query, const RawStmt *statement, int ncolumns)
{
	const char *start = query + Max(statement->stmt_location, 0);
	int			len = statement->stmt_len > 0 ? statement->stmt_len : (int) strlen(start);
	StringInfoData wrapped;

	initStringInfo(&wrapped);
	appendStringInfoString(&wrapped,
						   "SELECT q.lead::pg_catalog.text, "
						   "align.lead_agg(q.at::pg_catalog.timestamptz, q.stage::pg_catalog.text");
	if (ncolumns > COLUMN_TEAM)
		appendStringInfoString(&wrapped, ", q.team::pg_catalog.text");
	if (ncolumns > COLUMN_REASON)
		appendStringInfoString(&wrapped, ", q.reason::pg_catalog.text");
	else if (ncolumns > COLUMN_TEAM)
		appendStringInfoString(&wrapped, ", NULL::pg_catalog.text");
	appendStringInfoString(&wrapped,
						   "), pg_catalog.max(pg_catalog.max(q.at::pg_catalog.timestamptz)) OVER () "
						   "FROM (\n");
	appendBinaryStringInfo(&wrapped, start, len);
	/* the line end closes a comment in which the query may end */
	appendStringInfoString(&wrapped, "\n) AS q (");
	for (int i = 0; i < ncolumns; i++)
		appendStringInfo(&wrapped, "%s%s", i > 0 ? ", " : "", column_names[i]);
	/* as lead_agg ignores them; the key by its text, for a row may hold nulls */
	appendStringInfoString(&wrapped,
						   ") WHERE q.lead::pg_catalog.text IS NOT NULL AND q.at IS NOT NULL "
						   "AND q.stage::pg_catalog.text IS NOT NULL GROUP BY q.lead");
	return wrapped.data;
}

static void
RunQuery(const char *query, JourneyReceiver *receiver)
{
	SPIPlanPtr	plan;
	List	   *sources;
	CachedPlanSource *source;
	SPIExecuteOptions options;

	align_spi_connect();

	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	CheckStatement(sources);
	source = (CachedPlanSource *) linitial(sources);
	CheckColumns(source->resultDesc);

	plan = SPI_prepare_cursor(WrapQuery(query, source->raw_parse_tree, source->resultDesc->natts),
							  0, NULL, CURSOR_OPT_PARALLEL_OK);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	memset(&options, 0, sizeof(options));
	options.read_only = true;
	options.dest = &receiver->pub;
	if (SPI_execute_plan_extended(plan, &options) < 0)
		elog(ERROR, "SPI_execute_plan_extended failed");

	/* RESET gets past the check of this setting in 15 */
	if (!XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("query must not change \"transaction_read_only\"")));
	SPI_finish();
}

void
align_run_journeys(const char *query, JourneyCallback callback, void *state)
{
	MemoryContext old_context = CurrentMemoryContext;
	ResourceOwner old_owner = CurrentResourceOwner;
	JourneyReceiver receiver;
	Oid			user_id;
	int			sec_context;

	receiver.pub.receiveSlot = ReceiveJourney;
	receiver.pub.rStartup = StartJourneys;
	receiver.pub.rShutdown = EndJourneys;
	receiver.pub.rDestroy = EndJourneys;
	receiver.pub.mydest = DestNone;
	receiver.callback = callback;
	receiver.state = state;
	receiver.row_context = AllocSetContextCreate(old_context, "align journey",
												 ALLOCSET_DEFAULT_SIZES);

	/* the end of the subtransaction restores both user and read-only state */
	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		GetUserIdAndSecContext(&user_id, &sec_context);
		SetUserIdAndSecContext(user_id, sec_context | SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_RESTRICTED_OPERATION);
		XactReadOnly = true;
		RunQuery(query, &receiver);
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
	MemoryContextDelete(receiver.row_context);
}
