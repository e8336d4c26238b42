/*
 * user_query.c
 *	  Runs a query that the caller of a function has given, read-only; see
 *	  user_query.h.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "tcop/cmdtag.h"
#include "tcop/dest.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/resowner.h"

#include "catalog/as_role.h"
#include "catalog/user_query.h"

/*
 * DestReceiver that calls back for each row.
 */
typedef struct RowReceiver
{
	DestReceiver pub;
	UserQueryRow receive;
	void	   *state;
	MemoryContext row_context;	/* reset after each row */
} RowReceiver;

static void
StartRows(DestReceiver *self, int operation, TupleDesc desc)
{
	(void) self;
	(void) operation;
	(void) desc;
}

static bool
ReceiveRow(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old_context = MemoryContextSwitchTo(receiver->row_context);

	slot_getallattrs(slot);
	receiver->receive(receiver->state, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(receiver->row_context);
	return true;
}

static void
EndRows(DestReceiver *self)
{
	(void) self;
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
 * Returns the text of a statement within the text that it was parsed from.
 */
static char *
StatementText(const char *query, const RawStmt *statement)
{
	const char *start = query + Max(statement->stmt_location, 0);

	return statement->stmt_len > 0 ? pnstrdup(start, statement->stmt_len) : pstrdup(start);
}

/*
 * Checks, wraps and runs the query in the current subtransaction.
 */
static void
RunQuery(const char *query, UserQueryWrapper wrap, RowReceiver *receiver)
{
	SPIPlanPtr	plan;
	List	   *sources;
	CachedPlanSource *source;
	char	   *wrapped;
	SPIExecuteOptions options;

	align_spi_connect();
	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	CheckStatement(sources);
	source = (CachedPlanSource *) linitial(sources);

	wrapped = wrap(receiver->state, StatementText(query, source->raw_parse_tree),
				   source->resultDesc);
	if (wrapped != NULL)
		plan = SPI_prepare_cursor(wrapped, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	memset(&options, 0, sizeof(options));
	options.read_only = true;
	options.dest = &receiver->pub;
	if (SPI_execute_plan_extended(plan, &options) < 0)
		elog(ERROR, "SPI_execute_plan_extended failed");

	/* PostgreSQL 15 does not prevent a RESET of this setting */
	if (!XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("query must not change \"transaction_read_only\"")));
	SPI_finish();
}

/*
 * Runs a user's query in a read-only subtransaction that is rolled back, and
 * calls back for each row.
 */
void
align_run_user_query(const char *query, UserQueryWrapper wrap, UserQueryRow receive, void *state)
{
	MemoryContext old_context = CurrentMemoryContext;
	ResourceOwner old_owner = CurrentResourceOwner;
	Oid			user_id;
	int			sec_context;
	RowReceiver receiver = {
		.pub.receiveSlot = ReceiveRow,
		.pub.rStartup = StartRows,
		.pub.rShutdown = EndRows,
		.pub.rDestroy = EndRows,
		.pub.mydest = DestNone,
		.receive = receive,
		.state = state,
	};

	receiver.row_context = AllocSetContextCreate(CurrentMemoryContext, "align row",
												 ALLOCSET_DEFAULT_SIZES);

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
		RunQuery(query, wrap, &receiver);
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
