/*
 * query.c
 *	  Runs a user-supplied query for raw events: checks its columns, and lets
 *	  PostgreSQL group its rows into leads.
 *
 * catalog/user_query.h says what the query may do.  Its rows are grouped
 * within work_mem, and the executor passes each lead to the callback.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "backtest/query.h"
#include "catalog/user_query.h"

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

typedef struct JourneyQuery
{
	QueryJourneyCallback callback;
	void	   *state;
} JourneyQuery;

/*
 * Returns a query for one row per lead: its key as text, the journey as a
 * value of type lead, and the largest time of all leads.
 */
static char *
WrapQuery(void *state, const char *statement, TupleDesc desc)
{
	QueryColumns columns;
	bool		all;
	StringInfoData wrapped;

	(void) state;
	CheckColumns(desc, &columns);
	all = columns.present[COLUMN_ORDINAL] || columns.present[COLUMN_SEGMENTS];
	initStringInfo(&wrapped);
	appendStringInfoString(&wrapped,
						   "SELECT q.lead::pg_catalog.text, "
						   "align.lead_agg(q.at::pg_catalog.timestamptz, q.stage::pg_catalog.text");
	/* the forms with fewer arguments are faster */
	if (all || columns.present[COLUMN_TEAM])
		appendStringInfo(&wrapped, ", %s::pg_catalog.text, %s::pg_catalog.text",
						 columns.present[COLUMN_TEAM] ? "q.team" : "NULL",
						 columns.present[COLUMN_REASON] ? "q.reason" : "NULL");
	if (all)
		appendStringInfo(&wrapped,
						 ", NULL::pg_catalog.text, NULL::pg_catalog.numeric, "
						 "%s::pg_catalog.int8, %s::pg_catalog.text[]",
						 columns.present[COLUMN_ORDINAL] ? "q.ordinal" : "NULL",
						 columns.present[COLUMN_SEGMENTS] ? "q.segments" : "NULL");
	appendStringInfoString(&wrapped,
						   "), pg_catalog.max(pg_catalog.max(q.at::pg_catalog.timestamptz)) OVER () "
						   "FROM (\n");
	appendStringInfoString(&wrapped, statement);
	/* a newline, as the query may end with a comment */
	appendStringInfoString(&wrapped, "\n) AS q (");
	for (int i = 0; i < columns.n; i++)
		appendStringInfo(&wrapped, "%s%s", i > 0 ? ", " : "", column_names[columns.roles[i]]);

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
 * Calls back for a row of the wrapped query.
 */
static void
ReceiveJourney(void *state, const Datum *values, const bool *nulls)
{
	JourneyQuery *journeys = (JourneyQuery *) state;

	Assert(!nulls[JOURNEY_KEY] && !nulls[JOURNEY_LEAD]);
	(void) nulls;
	journeys->callback(journeys->state,
					   DatumGetTextPP(values[JOURNEY_KEY]),
					   PG_DETOAST_DATUM_PACKED(values[JOURNEY_LEAD]),
					   DatumGetTimestampTz(values[JOURNEY_LATEST]));
}

/*
 * Runs a query for raw events and calls back for each lead.
 */
void
align_query_journeys(const char *query, QueryJourneyCallback callback, void *state)
{
	JourneyQuery journeys = {callback, state};

	align_run_user_query(query, WrapQuery, ReceiveJourney, &journeys);
}
