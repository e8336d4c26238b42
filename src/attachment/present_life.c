/*
 * present_life.c
 *	  align.in_present_life(), for the policies on record tables.
 *
 * A policy on a record table passes the rows of those leads that the current
 * user sees in the attached table.  That a row with the same key is visible is
 * not enough: after a lead has been deleted, another one may have got its key,
 * and belong to another user.  So everything up to the last entry after which
 * the lead was not in the funnel is hidden: it was deleted or truncated, its
 * stage is null, or its row is not live.  Rows that are not in the funnel can
 * be deleted and inserted without an entry.
 *
 * A policy cannot read the table that it is on.  This function does, as the
 * owner of the history, in a security-restricted operation.  Every role can
 * call it, so it must tell nothing to those who do not see the row already:
 * they have to give its recorded_at (of a clock, started_at), and the result
 * for a row that does not exist is the same as for one that is hidden.
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "attachment/attachment.h"
#include "attachment/key_sql.h"
#include "attachment/privileges.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "history/history.h"

PG_FUNCTION_INFO_V1(align_in_present_life);

enum PresentLifeArgument
{
	ARG_HISTORY,
	ARG_RECORD_TABLE,
	ARG_NUMBER,
	ARG_AT,
	ARG_KEY						/* and the other key columns */
};

/*
 * The query, which is kept in fn_extra for the rows that follow.
 */
typedef struct LifeQuery
{
	Oid			history;
	Oid			record_table;
	Oid			owner;
	int			nkeys;
	SPIPlanPtr	plan;			/* NULL until it is prepared */
	MemoryContextCallback callback;
} LifeQuery;

/*
 * True if a record table is the history or a partition of it.
 */
bool
align_is_history(Oid relid, Oid history)
{
	return relid == history ||
		(get_rel_relispartition(relid) && list_member_oid(get_partition_ancestors(relid), history));
}

/*
 * Appends "alias.id = $1 AND ..." for the key columns of a table.
 */
static void
AppendKey(StringInfo sql, Oid relid, int nkeys, const char *alias)
{
	AttrNumber	keys[ATTACHMENT_MAX_KEYS];

	if (!align_record_key_columns(relid, nkeys, keys))
		elog(ERROR, "table \"%s\" does not begin with the key columns", get_rel_name(relid));
	for (int i = 0; i < nkeys; i++)
		align_append_key_equality(sql, i, get_atttype(relid, keys[i]),
								  psprintf("%s.%s", alias,
										   quote_identifier(get_attname(relid, keys[i], false))),
								  psprintf("$%d", i + 1));
}

/* True for an entry after which the lead is not in the funnel. */
#define NOT_IN_FUNNEL(alias) \
	"(" alias ".stage IS NULL OR NOT " HISTORY_IS_LIVE(alias) ")" \
	" AND " alias ".event OPERATOR(pg_catalog.<>) 'touch' AND " HISTORY_IS_NOT_MERGED(alias)

/*
 * Appends a query for the numbers of the entries after which the lead is not
 * in the funnel, from entry_no on, which is an SQL expression.
 */
static void
AppendEnds(StringInfo sql, const LifeQuery *query, const char *entry_no)
{
	appendStringInfo(sql, "SELECT l.entry_no FROM %s AS l WHERE ",
					 align_relation_name(query->history));
	AppendKey(sql, query->history, query->nkeys, "l");
	appendStringInfo(sql, " AND l.entry_no OPERATOR(pg_catalog.>=) %s AND " NOT_IN_FUNNEL("l"),
					 entry_no);
}

/*
 * Appends the beginning of a query, which finds the row by its key, number and
 * time.
 */
static void
AppendRow(StringInfo sql, const LifeQuery *query, const char *number, const char *at)
{
	appendStringInfo(sql, "SELECT FROM %s AS r WHERE ", align_relation_name(query->record_table));
	AppendKey(sql, query->record_table, query->nkeys, "r");
	appendStringInfo(sql, " AND r.%s OPERATOR(pg_catalog.=) $%d"
					 " AND r.%s OPERATOR(pg_catalog.=) $%d AND NOT EXISTS (",
					 number, query->nkeys + 1, at, query->nkeys + 2);
}

/*
 * Returns the query for an entry, which returns a row if the lead has been in
 * the funnel since.
 */
static char *
HistoryQuery(const LifeQuery *query)
{
	StringInfoData sql;

	initStringInfo(&sql);
	AppendRow(&sql, query, "entry_no", "recorded_at");
	AppendEnds(&sql, query, psprintf("$%d", query->nkeys + 1));
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/*
 * Returns the query for a clock, which returns a row if the lead has never
 * left the funnel, or if an entry after it did has started the clock.
 */
static char *
ClockQuery(const LifeQuery *query)
{
	StringInfoData sql;

	initStringInfo(&sql);
	AppendRow(&sql, query, "cycle", "started_at");
	appendStringInfoString(&sql, "SELECT FROM (");
	AppendEnds(&sql, query, "1");
	appendStringInfo(&sql, " ORDER BY l.entry_no DESC LIMIT 1) AS ended"
					 " WHERE NOT EXISTS (SELECT FROM %s AS e WHERE ",
					 align_relation_name(query->history));
	AppendKey(&sql, query->history, query->nkeys, "e");
	appendStringInfo(&sql, " AND e.entry_no OPERATOR(pg_catalog.>) ended.entry_no"
					 " AND e.effective_at OPERATOR(pg_catalog.=) $%d))", query->nkeys + 2);
	return sql.data;
}

/*
 * Checks the arguments of a call that a policy need not have made.
 */
static void
CheckArguments(FunctionCallInfo fcinfo, Oid history, Oid record_table, int nkeys)
{
	AttrNumber	keys[ATTACHMENT_MAX_KEYS];
	bool		fits;

	align_check_relation_exists(history);
	align_check_relation_exists(record_table);
	fits = !get_fn_expr_variadic(fcinfo->flinfo) && nkeys <= ATTACHMENT_MAX_KEYS &&
		(get_rel_relkind(history) == RELKIND_RELATION ||
		 get_rel_relkind(history) == RELKIND_PARTITIONED_TABLE) &&
		align_relation_owner(history) == align_relation_owner(record_table) &&
		align_record_key_columns(history, nkeys, keys);
	for (int i = 0; fits && i < nkeys; i++)
		fits = get_fn_expr_argtype(fcinfo->flinfo, ARG_KEY + i) == get_atttype(history, keys[i]);
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("relation \"%s\" is not the history of these leads",
						get_rel_name(history)),
				 errdetail("align.in_present_life() is for the policies that align.attach() creates.")));
}

/*
 * Callback of the memory context that fn_extra is in: frees the plan.
 */
static void
FreePlan(void *arg)
{
	LifeQuery  *query = (LifeQuery *) arg;

	if (query->plan != NULL)
		SPI_freeplan(query->plan);
	query->plan = NULL;
}

/*
 * Returns the query for the arguments of a call, from fn_extra if it was for
 * the same tables.
 */
static LifeQuery *
FindQuery(FunctionCallInfo fcinfo)
{
	LifeQuery  *query = (LifeQuery *) fcinfo->flinfo->fn_extra;
	Oid			history = PG_GETARG_OID(ARG_HISTORY);
	Oid			record_table = PG_GETARG_OID(ARG_RECORD_TABLE);

	if (query == NULL)
	{
		query = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(LifeQuery));
		query->callback.func = FreePlan;
		query->callback.arg = query;
		MemoryContextRegisterResetCallback(fcinfo->flinfo->fn_mcxt, &query->callback);
		fcinfo->flinfo->fn_extra = query;
	}
	if (query->plan != NULL && query->history == history && query->record_table == record_table)
		return query;
	FreePlan(query);
	query->history = history;
	query->record_table = record_table;
	query->nkeys = PG_NARGS() - ARG_KEY;
	CheckArguments(fcinfo, history, record_table, query->nkeys);
	query->owner = align_relation_owner(history);
	return query;
}

/*
 * Prepares the query; the caller is connected to SPI, as the owner.
 */
static void
Prepare(LifeQuery *query, const Oid *types)
{
	char	   *sql = align_is_history(query->record_table, query->history) ?
		HistoryQuery(query) : ClockQuery(query);
	SPIPlanPtr	plan = SPI_prepare(sql, query->nkeys + 2, unconstify(Oid *, types));

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	query->plan = plan;
}

/*
 * in_present_life(history, record_table, number, at, key, ...): true if the
 * row exists and belongs to the present life of its lead, that is, to the time
 * since it last entered the funnel.
 */
Datum
align_in_present_life(PG_FUNCTION_ARGS)
{
	LifeQuery  *query = FindQuery(fcinfo);
	Oid			types[ATTACHMENT_MAX_KEYS + 2];
	Datum		values[ATTACHMENT_MAX_KEYS + 2];
	RestrictedCaller caller;
	CallerRole	owner;
	bool		result;

	for (int i = 0; i < query->nkeys; i++)
	{
		types[i] = get_fn_expr_argtype(fcinfo->flinfo, ARG_KEY + i);
		values[i] = PG_GETARG_DATUM(ARG_KEY + i);
	}
	types[query->nkeys] = INT4OID;
	values[query->nkeys] = PG_GETARG_DATUM(ARG_NUMBER);
	types[query->nkeys + 1] = TIMESTAMPTZOID;
	values[query->nkeys + 1] = PG_GETARG_DATUM(ARG_AT);

	align_begin_restricted(&caller, query->owner);
	/* also where row-level security is forced on the owner */
	align_work_as(query->owner, &owner);
	align_spi_connect();
	if (query->plan == NULL)
		Prepare(query, types);
	/* read_only makes SPI use the snapshot of the caller's query */
	if (SPI_execute_plan(query->plan, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(SPI_result));
	result = SPI_processed > 0;
	SPI_finish();
	align_return_to(&owner);
	align_end_restricted(&caller);
	PG_RETURN_BOOL(result);
}
