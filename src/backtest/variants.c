/*
 * variants.c
 *	  variants(query [, funnel]): the paths that the leads of a query take.
 *
 * PostgreSQL groups the leads by path, within work_mem.  The rows go straight
 * to the tuplestore of the result, which spills to disk: its memory and its
 * file belong to the caller, not to the subtransaction of the query.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "catalog/user_query.h"
#include "funnel/funnel.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_variants);

typedef struct Variants
{
	const char *funnel;			/* text of the agreement, or NULL */
	ReturnSetInfo *result;
} Variants;

/*
 * Raises an error unless the query returns one column of type lead.
 */
static void
CheckColumns(TupleDesc desc)
{
	Oid			type = desc->natts > 0 ? getBaseType(TupleDescAttr(desc, 0)->atttypid) : InvalidOid;

	if (desc->natts != 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("query must return one column, not %d", desc->natts),
				 errdetail("Expected one value of type align.lead per row.")));
	if (strcmp(format_type_extended(type, -1, FORMAT_TYPE_FORCE_QUALIFY), "align.lead") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column of the query cannot be of type %s", format_type_be(type)),
				 errdetail("Expected one value of type align.lead per row."),
				 errhint("Gather the rows of each lead with align.lead_agg(at, stage).")));
}

/*
 * Returns the query for the rows of the result.
 */
static char *
WrapQuery(void *state, const char *statement, TupleDesc desc)
{
	const Variants *variants = (const Variants *) state;
	StringInfoData wrapped;

	CheckColumns(desc);
	initStringInfo(&wrapped);
	appendStringInfoString(&wrapped,
						   "SELECT (pg_catalog.row_number() OVER largest)::pg_catalog.int8, v.path, v.leads, "
						   "v.leads::pg_catalog.float8 OPERATOR(pg_catalog./) (pg_catalog.sum(v.leads) OVER ())::pg_catalog.float8, "
						   "(pg_catalog.sum(v.leads) OVER largest)::pg_catalog.float8 OPERATOR(pg_catalog./) (pg_catalog.sum(v.leads) OVER ())::pg_catalog.float8, "
						   "v.won, v.lost, v.still_open, v.times[1], v.times[2] "
						   "FROM (SELECT s.path, pg_catalog.count(*) AS leads, ");
	if (variants->funnel != NULL)
		appendStringInfoString(&wrapped,
							   "pg_catalog.count(*) FILTER (WHERE s.status OPERATOR(pg_catalog.=) 'converted') AS won, "
							   "pg_catalog.count(*) FILTER (WHERE s.status OPERATOR(pg_catalog.=) 'dropped') AS lost, "
							   "pg_catalog.count(*) FILTER (WHERE s.status OPERATOR(pg_catalog.=) 'open') AS still_open, ");
	else
		appendStringInfoString(&wrapped,
							   "NULL::pg_catalog.int8 AS won, NULL::pg_catalog.int8 AS lost, "
							   "NULL::pg_catalog.int8 AS still_open, ");
	appendStringInfoString(&wrapped,
						   "pg_catalog.percentile_disc(ARRAY[0.5, 0.9]::pg_catalog.float8[]) WITHIN GROUP (ORDER BY s.time) AS times "
						   "FROM (SELECT align.path(q.lead) AS path, "
						   "align.since(q.lead) OPERATOR(pg_catalog.-) e.first AS time");
	if (variants->funnel != NULL)
		appendStringInfo(&wrapped,
						 ", (align.funnel_progress(q.lead, %s::align.funnel, e.last)).status",
						 quote_literal_cstr(variants->funnel));
	appendStringInfoString(&wrapped, " FROM (\n");
	appendStringInfoString(&wrapped, statement);
	/* a newline, as the query may end with a comment */
	appendStringInfoString(&wrapped,
						   "\n) AS q (lead) CROSS JOIN LATERAL ("
						   "SELECT pg_catalog.min(e.at) AS first, pg_catalog.max(e.at) AS last "
						   "FROM align.entries(q.lead) e WHERE e.stage IS NOT NULL) e "
						   "WHERE e.first IS NOT NULL) s GROUP BY s.path) v "
						   "WINDOW largest AS (ORDER BY v.leads DESC, v.path COLLATE pg_catalog.\"C\" "
						   "ROWS UNBOUNDED PRECEDING) ORDER BY 1");
	return wrapped.data;
}

static void
ReceiveRow(void *state, const Datum *values, const bool *nulls)
{
	ReturnSetInfo *result = ((const Variants *) state)->result;

	tuplestore_putvalues(result->setResult, result->setDesc, (Datum *) values, (bool *) nulls);
}

/*
 * variants(query [, funnel]): one row per path, the most frequent first.
 */
Datum
align_variants(PG_FUNCTION_ARGS)
{
	Variants	variants = {.result = (ReturnSetInfo *) fcinfo->resultinfo};

	align_require_argument(fcinfo, 0, "query");
	if (PG_NARGS() > 1)
	{
		align_require_argument(fcinfo, 1, "agreement");
		variants.funnel = align_text_value_cstring(align_text_value_arg(PG_GETARG_DATUM(1),
																		"funnel"));
	}
	align_begin_rows(fcinfo);
	align_run_user_query(text_to_cstring(PG_GETARG_TEXT_PP(0)), WrapQuery, ReceiveRow, &variants);
	return (Datum) 0;
}
