/*
 * score_bands.c
 *	  score_bands(): does a score, or a rule that sorts leads into bands,
 *	  predict an outcome?
 *
 * PostgreSQL sorts the rows of the user's query into bands and counts them;
 * rates and bounds are computed from the counts.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

#include "catalog/user_query.h"
#include "conversion/wilson.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_score_bands);

#define MAX_BANDS 1000
#define BANDS_COLUMNS 9

/* Columns of the user's query. */
#define COLUMN_BAND 0
#define COLUMN_OUTCOME 1
#define NCOLUMNS 2

#define COLUMNS_HINT \
	"The query must return (band or score, outcome), by position; an outcome that is not known yet is null."

/* Columns of the wrapped query. */
#define ROW_BAND 0
#define ROW_LEADS 1
#define ROW_DECIDED 2
#define ROW_HAPPENED 3

typedef struct Band
{
	char	   *name;			/* NULL: leads without one */
	int64		leads;
	int64		decided;		/* with a known outcome */
	int64		happened;
} Band;

typedef struct ScoreBands
{
	int			nbands;			/* that scores are cut into */
	MemoryContext context;		/* of the names */
	int			n;
	Band		bands[MAX_BANDS];
} ScoreBands;

static void BadColumn(TupleDesc desc, int column, const char *expected) pg_attribute_noreturn();

static void
BadColumn(TupleDesc desc, int column, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column %d of the query cannot be of type %s", column + 1,
					format_type_be(TupleDescAttr(desc, column)->atttypid)),
			 errdetail("Expected %s.", expected),
			 errhint(COLUMNS_HINT)));
}

/*
 * Raises an error unless number and types of the columns are right.  Returns
 * whether the first one is a score rather than a band.
 */
static bool
CheckColumns(TupleDesc desc)
{
	Oid			type;

	if (desc->natts != NCOLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("query must return %d columns, not %d", NCOLUMNS, desc->natts),
				 errhint(COLUMNS_HINT)));
	if (getBaseType(TupleDescAttr(desc, COLUMN_OUTCOME)->atttypid) != BOOLOID)
		BadColumn(desc, COLUMN_OUTCOME, "boolean");
	type = TupleDescAttr(desc, COLUMN_BAND)->atttypid;
	if (!OidIsValid(lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr))
		BadColumn(desc, COLUMN_BAND, "a number, or a type that can be sorted, such as text, boolean or an enum");
	type = getBaseType(type);
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == FLOAT4OID || type == FLOAT8OID || type == NUMERICOID;
}

/*
 * Returns a query for one row per band, in order: its name, leads, those with
 * a known outcome, and those that have it.  Scores are cut into bands with the
 * same number of leads, as far as equal scores stay together.
 */
static char *
WrapQuery(void *state, const char *statement, TupleDesc desc)
{
	const ScoreBands *bands = (const ScoreBands *) state;
	bool		is_score = CheckColumns(desc);
	StringInfoData wrapped;

	initStringInfo(&wrapped);
	if (is_score)
		appendStringInfo(&wrapped,
						 "SELECT CASE WHEN pg_catalog.min(s.band) OPERATOR(pg_catalog.=) pg_catalog.max(s.band) "
						 "THEN pg_catalog.min(s.band)::pg_catalog.text "
						 "ELSE pg_catalog.min(s.band)::pg_catalog.text OPERATOR(pg_catalog.||) ' to ' "
						 "OPERATOR(pg_catalog.||) pg_catalog.max(s.band)::pg_catalog.text END, "
						 "pg_catalog.count(*), pg_catalog.count(s.outcome), "
						 "pg_catalog.count(*) FILTER (WHERE s.outcome) "
						 "FROM (SELECT q.band, q.outcome, CASE WHEN q.band IS NOT NULL THEN "
						 "(pg_catalog.rank() OVER (ORDER BY q.band) OPERATOR(pg_catalog.-) 1) "
						 "OPERATOR(pg_catalog.*) %d OPERATOR(pg_catalog./) pg_catalog.count(q.band) OVER () "
						 "END AS band_no FROM (\n", bands->nbands);
	else
		appendStringInfoString(&wrapped,
							   "SELECT q.band::pg_catalog.text, pg_catalog.count(*), "
							   "pg_catalog.count(q.outcome), "
							   "pg_catalog.count(*) FILTER (WHERE q.outcome) FROM (\n");
	appendStringInfoString(&wrapped, statement);
	/* a newline, as the query may end with a comment */
	appendStringInfoString(&wrapped, "\n) AS q (band, outcome) ");
	if (is_score)
		appendStringInfoString(&wrapped, ") AS s GROUP BY s.band_no ORDER BY s.band_no");
	else
		appendStringInfoString(&wrapped, "GROUP BY q.band ORDER BY q.band");
	appendStringInfo(&wrapped, " LIMIT %d", MAX_BANDS + 1);
	return wrapped.data;
}

/*
 * Keeps a row of the wrapped query.
 */
static void
ReceiveBand(void *state, const Datum *values, const bool *nulls)
{
	ScoreBands *bands = (ScoreBands *) state;
	Band	   *band;

	if (bands->n == MAX_BANDS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("query returns too many bands"),
				 errdetail("There are more than %d different ones.", MAX_BANDS),
				 errhint("A number is a score, which is cut into bands; a text is a band.")));
	band = &bands->bands[bands->n++];
	band->name = nulls[ROW_BAND] ? NULL :
		MemoryContextStrdup(bands->context, TextDatumGetCString(values[ROW_BAND]));
	band->leads = DatumGetInt64(values[ROW_LEADS]);
	band->decided = DatumGetInt64(values[ROW_DECIDED]);
	band->happened = DatumGetInt64(values[ROW_HAPPENED]);
}

/*
 * score_bands(query, bands, confidence)
 */
Datum
align_score_bands(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ScoreBands *bands = palloc0(sizeof(ScoreBands));
	double		z;
	int64		decided = 0;
	int64		happened = 0;

	align_require_argument(fcinfo, 0, "query");
	align_require_argument(fcinfo, 1, "bands");
	align_require_argument(fcinfo, 2, "confidence");
	bands->nbands = PG_GETARG_INT32(1);
	if (bands->nbands < 1 || bands->nbands > MAX_BANDS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bands must be between 1 and %d", MAX_BANDS)));
	z = align_normal_quantile(align_confidence_arg(PG_GETARG_FLOAT8(2)));
	bands->context = CurrentMemoryContext;
	align_begin_rows(fcinfo);
	align_run_user_query(text_to_cstring(PG_GETARG_TEXT_PP(0)), WrapQuery, ReceiveBand, bands);

	for (int i = 0; i < bands->n; i++)
	{
		decided += bands->bands[i].decided;
		happened += bands->bands[i].happened;
	}
	for (int i = 0; i < bands->n; i++)
	{
		const Band *band = &bands->bands[i];
		Datum		values[BANDS_COLUMNS] = {0};
		bool		nulls[BANDS_COLUMNS] = {false};
		double		rate;
		double		lower;
		double		upper;

		values[0] = Int32GetDatum(i + 1);
		if (band->name != NULL)
			values[1] = CStringGetTextDatum(band->name);
		else
			nulls[1] = true;
		values[2] = Int64GetDatum(band->decided);
		values[3] = Int64GetDatum(band->happened);
		values[4] = Int64GetDatum(band->leads - band->decided);
		nulls[5] = nulls[6] = nulls[7] = band->decided == 0;
		nulls[8] = band->decided == 0 || happened == 0;
		if (band->decided > 0)
		{
			rate = (double) band->happened / (double) band->decided;
			align_wilson(band->happened, band->decided, z, &lower, &upper);
			values[5] = Float8GetDatum(rate);
			values[6] = Float8GetDatum(lower);
			values[7] = Float8GetDatum(upper);
			if (happened > 0)
				values[8] = Float8GetDatum(rate / ((double) happened / (double) decided));
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
