/*
 * indexes.c
 *	  Creates the indexes of record tables.
 *
 * Both have an index on the key.  The clock table has one on open clocks, the
 * history one on handoffs that are not yet announced, and one on the keys that
 * rekey entries mention.  An index is not created if an existing one serves
 * the purpose.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "attach/request.h"
#include "catalog/as_role.h"

/*
 * The text of the predicate or the expressions of an index, or NULL.  The
 * search_path of attach() is pg_catalog, so the text has the same form for
 * every caller.
 */
static char *
IndexExpression(Relation index, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = SysCacheGetAttr(INDEXRELID, index->rd_indextuple, attnum, &isnull);

	if (isnull)
		return NULL;
	return TextDatumGetCString(DirectFunctionCall2(pg_get_expr, value,
												   ObjectIdGetDatum(index->rd_index->indrelid)));
}

/*
 * True if an index serves the same searches as one on these columns, with this
 * predicate and these expressions.  Both are in the form of pg_get_expr(), or
 * NULL.
 */
static bool
IndexMatches(Relation index, List *columns, const char *predicate, const char *expressions)
{
	Form_pg_index form = index->rd_index;

	if (index->rd_rel->relam != BTREE_AM_OID || !form->indisvalid || !form->indisready ||
		form->indnkeyatts < list_length(columns))
		return false;
	for (int i = 0; i < list_length(columns); i++)
	{
		if (form->indkey.values[i] != list_nth_int(columns, i) || index->rd_indoption[i] != 0)
			return false;
	}
	return align_same_string(IndexExpression(index, Anum_pg_index_indpred), predicate) &&
		align_same_string(IndexExpression(index, Anum_pg_index_indexprs), expressions);
}

/*
 * True if a table has an index that matches.
 */
static bool
HasIndex(const RecordTable *table, List *columns, const char *predicate, const char *expressions)
{
	Relation	rel = table_open(table->relid, NoLock);
	bool		found = false;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		found = found || IndexMatches(index, columns, predicate, expressions);
		index_close(index, NoLock);
	}
	table_close(rel, NoLock);
	return found;
}

/*
 * Creates the index on the key columns and "numbers", and the index on "open"
 * with a condition, whose form by pg_get_expr() is predicate.  The first one
 * is the primary key, except on a partitioned table, where a primary key would
 * have to include the partition key.
 */
static void
MakeIndexes(const AttachRequest *request, const RecordTable *table, const char *numbers,
			List *number_columns, const char *open, AttrNumber open_column, const char *condition,
			const char *predicate)
{
	List	   *columns = NIL;
	Relation	rel = table_open(table->relid, NoLock);
	StringInfoData names;

	/* the key columns are the first ones that are not dropped */
	for (int i = 0; list_length(columns) < request->nkeys; i++)
	{
		if (!TupleDescAttr(RelationGetDescr(rel), i)->attisdropped)
			columns = lappend_int(columns, i + 1);
	}
	initStringInfo(&names);
	for (int i = 0; i < request->nkeys; i++)
	{
		char	   *name = get_attname(table->relid, list_nth_int(columns, i), false);

		appendStringInfo(&names, "%s, ", quote_identifier(name));
	}
	table_close(rel, NoLock);

	if (!HasIndex(table, list_concat(columns, number_columns), NULL, NULL))
	{
		if (get_rel_relkind(table->relid) == RELKIND_PARTITIONED_TABLE)
			align_execute_format(align_record_table_creator(request, table),
								 "CREATE INDEX ON %s (%s%s)", align_record_table_name(table), names.data, numbers);
		else
			align_execute_format(align_record_table_creator(request, table),
								 "ALTER TABLE %s ADD PRIMARY KEY (%s%s)", align_record_table_name(table), names.data, numbers);
	}
	if (!HasIndex(table, list_make1_int(open_column), predicate, NULL))
		align_execute_format(align_record_table_creator(request, table),
							 "CREATE INDEX ON %s (%s) WHERE %s", align_record_table_name(table), open, condition);
	pfree(names.data);
}

/*
 * Creates the indexes that are missing on the record tables.
 */
void
align_attach_make_indexes(AttachRequest *request)
{
	RecordTable *history = &request->history;
	RecordTable *sla = &request->sla;

	MakeIndexes(request, history, "entry_no",
				list_make1_int(get_attnum(history->relid, "entry_no")),
				"recorded_at", get_attnum(history->relid, "recorded_at"),
				"handoff IS NOT NULL AND notified_at IS NULL",
				"((handoff IS NOT NULL) AND (notified_at IS NULL))");
	if (!HasIndex(history, list_make1_int(InvalidAttrNumber), "(event = 'rekey'::text)",
				  "\"substring\"(note, '[)]=([(].*)$'::text)"))
		align_execute_format(align_record_table_creator(request, history),
							 "CREATE INDEX ON %s ((" HISTORY_OLD_KEY_VALUES("note") ")) WHERE event OPERATOR(pg_catalog.=) 'rekey'",
							 align_record_table_name(history));
	MakeIndexes(request, sla, "sla, cycle",
				list_make2_int(get_attnum(sla->relid, "sla"), get_attnum(sla->relid, "cycle")),
				"due_at", get_attnum(sla->relid, "due_at"), "outcome IS NULL",
				"(outcome IS NULL)");
}
