/*
 * check_labels.c
 *	  Checks the tables in which labels are looked up.
 *
 * align.attach() refuses a table that has row-level security or another owner
 * than the attached table (attach/labels.c).  Both can change later: then the
 * history shows labels of rows that are hidden from its readers, or labels can
 * no longer be read as the owner of the attached table.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "attachment/privileges.h"
#include "catalog/relation.h"
#include "report/check.h"

/*
 * Adds the tables that a query reads to a list of OIDs.
 */
static bool
AddTables(Node *node, void *context)
{
	List	  **tables = (List **) context;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, AddTables, context, QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, RangeTblEntry))
	{
		const RangeTblEntry *table = (const RangeTblEntry *) node;
		char		kind = table->rtekind == RTE_RELATION ? get_rel_relkind(table->relid) : '\0';

		if (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE)
			*tables = list_append_unique_oid(*tables, table->relid);
		return false;
	}
	return expression_tree_walker(node, AddTables, context);
}

/*
 * Checks one table; false if the owner of the attached table cannot read it.
 */
static bool
CheckLabelTable(const Check *check, Oid relid)
{
	char	   *name = align_relation_name(relid);
	Oid			owner = align_relation_owner(relid);
	bool		forced;

	if (owner != check->attachment->root_owner)
		align_check_report(check, "label_table",
						   psprintf("%s belongs to role \"%s\"", name,
									GetUserNameFromId(owner, false)),
						   psprintf("to role \"%s\", as %s",
									GetUserNameFromId(check->attachment->root_owner, false),
									check->attachment->root_name));
	if (align_row_security(relid, &forced))
		align_check_report(check, "label_table",
						   psprintf("row-level security is enabled on %s", name), "disabled");
	return pg_class_aclcheck(relid, check->attachment->root_owner, ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, check->attachment->root_owner, ACL_SELECT,
								  ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * Checks the tables that the views of labels read; false if the owner of the
 * attached table cannot read them all.
 */
bool
align_check_labels(const Check *check)
{
	bool		readable = true;
	List	   *tables = NIL;
	ListCell   *lc;

	for (int role = 0; role < ROW_NROLES; role++)
	{
		Oid			view = check->attachment->marker.labels[role];
		Relation	rel;

		if (!OidIsValid(view))
			continue;
		rel = relation_open(view, AccessShareLock);
		(void) AddTables((Node *) get_view_query(rel), &tables);
		relation_close(rel, NoLock);
	}
	foreach(lc, tables)
		readable &= CheckLabelTable(check, lfirst_oid(lc));
	return readable;
}
