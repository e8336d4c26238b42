/*
 * indexes.c
 *	  The indexes of history and clock tables: on the key, on what is open or not
 *	  yet announced, and on the keys that rekey entries mention.
 *
 * Where an existing table has an index that serves, none is created.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "attach/request.h"
#include "catalog/as_role.h"

/*
 * An index that begins with these columns; with a partial one, any condition is
 * taken for ours.
 */
static bool
HasIndex(const OwnTable *own, List *columns, bool partial)
{
	Relation	rel = table_open(own->relid, NoLock);
	bool		found = false;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		ListCell   *column;
		int			i = 0;
		bool		matches = index->rd_index->indisvalid &&
			(RelationGetIndexPredicate(index) != NIL) == partial &&
			index->rd_index->indnkeyatts >= list_length(columns);

		foreach(column, columns)
		{
			matches = matches && index->rd_index->indkey.values[i] == lfirst_int(column);
			i++;
		}
		found = found || matches;
		index_close(index, NoLock);
	}
	table_close(rel, NoLock);
	return found;
}

/*
 * The key, and where it is not ours to partition, a primary key on it.
 */
static void
MakeIndexes(const AttachRequest *request, const OwnTable *own, const char *numbers,
			List *number_columns, const char *open, AttrNumber open_column, const char *condition)
{
	Oid			role = align_own_creator(request, own);
	List	   *columns = NIL;
	Relation	rel = table_open(own->relid, NoLock);
	StringInfoData names;

	for (int i = 0; list_length(columns) < request->nkeys; i++)
	{
		if (!TupleDescAttr(RelationGetDescr(rel), i)->attisdropped)
			columns = lappend_int(columns, i + 1);
	}
	initStringInfo(&names);
	for (int i = 0; i < request->nkeys; i++)
		appendStringInfo(&names, "%s, ",
						 quote_identifier(get_attname(own->relid, list_nth_int(columns, i), false)));
	table_close(rel, NoLock);

	if (!HasIndex(own, list_concat(columns, number_columns), false))
	{
		if (get_rel_relkind(own->relid) == RELKIND_PARTITIONED_TABLE)
			align_execute_format(role, "CREATE INDEX ON %s (%s%s)", align_own_name(own), names.data,
								 numbers);
		else
			align_execute_format(role, "ALTER TABLE %s ADD PRIMARY KEY (%s%s)", align_own_name(own),
								 names.data, numbers);
	}
	if (!HasIndex(own, list_make1_int(open_column), true))
		align_execute_format(role, "CREATE INDEX ON %s (%s) WHERE %s", align_own_name(own), open,
							 condition);
	pfree(names.data);
}

/*
 * On tables that are filled already, if they are new: that is faster by far.
 */
void
align_attach_make_indexes(AttachRequest *request)
{
	OwnTable   *history = &request->history;
	OwnTable   *sla = &request->sla;

	MakeIndexes(request, history, "entry_no",
				list_make1_int(get_attnum(history->relid, "entry_no")),
				"recorded_at", get_attnum(history->relid, "recorded_at"),
				"handoff IS NOT NULL AND notified_at IS NULL");
	if (!HasIndex(history, list_make1_int(InvalidAttrNumber), true))
		align_execute_format(align_own_creator(request, history),
							 "CREATE INDEX ON %s ((" HISTORY_OLD_KEY_VALUES("note") ")) WHERE event OPERATOR(pg_catalog.=) 'rekey'",
							 align_own_name(history));
	MakeIndexes(request, sla, "sla, cycle",
				list_make2_int(get_attnum(sla->relid, "sla"), get_attnum(sla->relid, "cycle")),
				"due_at", get_attnum(sla->relid, "due_at"), "outcome IS NULL");
}
