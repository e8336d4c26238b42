/*
 * labels.c
 *	  Look-ups of labels: checks their tables, and creates the views that the
 *	  attachment names (attachment/labels.h).
 *
 * The owner may rename a view and replace its query.  So when the table is
 * attached again, the view that it has is kept, under the name that it has,
 * unless the call gives another look-up than before and the view still is a
 * look-up.  The COMMENT of a view has the text of the look-up that it was
 * created for.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/ruleutils.h"

#include "attach/request.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "condition/condition.h"

/*
 * Raises an error: labels cannot be looked up in a table.
 */
static void
Refuse(int sqlstate, Oid relid, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("labels cannot be looked up in relation \"%s\"", get_rel_name(relid)),
			 errdetail("%s", detail),
			 hint != NULL ? errhint("%s", hint) : 0));
}

/*
 * The table must have exactly the owner of the attached table, as whom it is
 * read.
 */
static void
CheckOwner(Oid relid, Oid owner)
{
	if (align_relation_owner(relid) != owner)
		Refuse(ERRCODE_INSUFFICIENT_PRIVILEGE, relid,
			   psprintf("It is read as the owner of the attached table, role \"%s\", and must belong to the same role.",
						GetUserNameFromId(owner, false)), NULL);
}

/*
 * Finds and locks the table of a look-up.
 */
void
align_attach_find_lookup(AttachRequest *request, RowRole role, const char *name, const char *text)
{
	Lookup	   *lookup = palloc0(sizeof(Lookup));
	Oid			owner = align_relation_owner(request->relid);

	lookup->text = palloc0(sizeof(LookupText));
	lookup->text->text = text;
	lookup->text->what = name;
	align_lookup_split(lookup->text);
	lookup->relid = RangeVarGetRelid(makeRangeVar(lookup->text->schema, lookup->text->table, -1),
									 NoLock, false);
	/* a table of another role must not be locked */
	CheckOwner(lookup->relid, owner);
	LockRelationOid(lookup->relid, AccessShareLock);
	align_check_relation_exists(lookup->relid);
	CheckOwner(lookup->relid, owner);
	request->lookup[role] = lookup;
}

/*
 * True if a unique index guarantees that a column has no value twice.
 */
static bool
IsUnique(Relation rel, AttrNumber attnum)
{
	ListCell   *lc;
	bool		found = false;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;

		found |= form->indisunique && form->indisvalid && form->indimmediate &&
			form->indnkeyatts == 1 && form->indkey.values[0] == attnum &&
			align_index_is_plain(index);
		index_close(index, NoLock);
	}
	return found;
}

static void
CheckTable(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);

	if (rel->rd_rel->relkind != RELKIND_RELATION &&
		rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		Refuse(ERRCODE_WRONG_OBJECT_TYPE, relid,
			   "It is not a table, so no key of it can be unique.", NULL);
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		Refuse(ERRCODE_WRONG_OBJECT_TYPE, relid, "It is a temporary table.", NULL);
	if (rel->rd_rel->relrowsecurity)
		Refuse(ERRCODE_INVALID_TABLE_DEFINITION, relid,
			   "Row-level security is enabled on it, and the history would show its labels to other roles.",
			   NULL);
}

/*
 * Sets the key column, which must be unique.
 */
static void
SetKey(Lookup *lookup, Relation rel)
{
	const char *name = lookup->text->key;
	Oid			relid = RelationGetRelid(rel);
	Oid			type;

	lookup->key = get_attnum(relid, name);
	if (lookup->key <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", name,
						RelationGetRelationName(rel))));
	type = TupleDescAttr(RelationGetDescr(rel), lookup->key - 1)->atttypid;
	if (type != INT2OID && type != INT4OID && type != INT8OID && type != UUIDOID &&
		type != TEXTOID && type != VARCHAROID)
		Refuse(ERRCODE_DATATYPE_MISMATCH, relid,
			   psprintf("Column \"%s\" has type %s; it must be of an integer type, uuid, text or varchar.",
						name, format_type_be(type)), NULL);
	if (!IsUnique(rel, lookup->key))
		Refuse(ERRCODE_INVALID_TABLE_DEFINITION, relid,
			   psprintf("There is no primary key, unique constraint or unique index (not deferrable, not partial) on exactly column \"%s\".",
						name),
			   psprintf("Create a unique index on (%s).", quote_identifier(name)));
}

static void
SetLabel(Lookup *lookup, Relation rel)
{
	const char *allowed;
	Oid			type;

	lookup->label = align_lookup_parse(rel, lookup->text);
	type = exprType(lookup->label);
	allowed = align_role_type_problem(ROW_NOTE, type, true);
	if (allowed != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("expression of type %s cannot be used as label", format_type_be(type)),
				 errdetail("It must be of %s, or a domain over one of these.", allowed)));
}

/*
 * Checks the tables of look-ups, and parses labels.
 */
void
align_attach_check_lookups(AttachRequest *request)
{
	for (int role = 0; role < ROW_NROLES; role++)
	{
		Lookup	   *lookup = request->lookup[role];
		Relation	rel;

		if (lookup == NULL)
			continue;
		if (align_attach_role_columns(request, (RowRole) role) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s is given without %s", lookup->text->what,
							align_row_role_names[role]),
					 errhint("Name the column with %s => '...'.", align_row_role_names[role])));
		rel = table_open(lookup->relid, NoLock);
		CheckTable(rel);
		SetKey(lookup, rel);
		SetLabel(lookup, rel);
		table_close(rel, NoLock);
	}
}

/*
 * True if a view is used by another attachment: names of views are cut to the
 * length of a name.
 */
static bool
IsOfOther(const AttachRequest *request, Oid view)
{
	ListCell   *lc;

	foreach(lc, align_attached_tables(NULL))
	{
		const AttachmentId *id = (const AttachmentId *) lfirst(lc);
		AttachmentMarker marker;

		if ((id->relid == request->relid && id->number == request->options.number) ||
			!align_find_marker(*id, &marker))
			continue;
		for (int role = 0; role < ROW_NROLES; role++)
		{
			if (marker.labels[role] == view)
				return true;
		}
	}
	return false;
}

/*
 * True if a relation is a view of labels of the owner of the table, and not
 * that of another attachment.
 */
static bool
IsViewOfLabels(const AttachRequest *request, Oid view)
{
	return get_rel_relkind(view) == RELKIND_VIEW &&
		align_relation_owner(view) == request->owner &&
		get_attnum(view, "key") == 1 && get_attnum(view, "label") == 2 &&
		!IsOfOther(request, view);
}

/*
 * Raises an error if the name of a view is taken by something else than a view
 * of labels that can be used.
 */
static void
CheckExistingView(const AttachRequest *request, Oid view)
{
	if (IsViewOfLabels(request, view))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_TABLE),
			 errmsg("relation \"%s\" already exists", get_rel_name(view)),
			 errdetail("align.attach() creates a view of labels under this name."),
			 errhint("Rename the relation, or choose another history.")));
}

/*
 * Returns the index of the one table that a query reads, all rows of it, each
 * as a key column and a label; 0 if the query is another one.
 */
static int
LookedUpTable(const Query *query)
{
	Node	   *from = list_length(query->jointree->fromlist) == 1 ?
		(Node *) linitial(query->jointree->fromlist) : NULL;
	int			varno = from != NULL && IsA(from, RangeTblRef) ? ((RangeTblRef *) from)->rtindex : 0;
	RangeTblEntry *table = varno > 0 ? rt_fetch(varno, query->rtable) : NULL;
	TargetEntry *key;

	if (table == NULL || table->rtekind != RTE_RELATION ||
		!table->inh || table->tablesample != NULL ||
		list_length(query->targetList) != 2 || query->jointree->quals != NULL ||
		query->hasAggs || query->hasWindowFuncs || query->hasTargetSRFs || query->hasSubLinks ||
		query->cteList != NIL || query->setOperations != NULL || query->groupClause != NIL ||
		query->groupingSets != NIL || query->havingQual != NULL || query->distinctClause != NIL ||
		query->limitCount != NULL || query->limitOffset != NULL || query->rowMarks != NIL)
		return 0;
	key = linitial_node(TargetEntry, query->targetList);
	return IsA(key->expr, Var) && ((Var *) key->expr)->varno == varno ? varno : 0;
}

/*
 * True if a query is that of the view that a look-up needs.
 */
static bool
SameQuery(const Lookup *lookup, const Query *query)
{
	List	   *context = deparse_context_for("t", lookup->relid);
	int			varno = LookedUpTable(query);
	Node	   *label;
	Node	   *expected;

	if (varno == 0 || rt_fetch(varno, query->rtable)->relid != lookup->relid ||
		((Var *) linitial_node(TargetEntry, query->targetList)->expr)->varattno != lookup->key)
		return false;

	/* trees may differ that have the same text */
	label = (Node *) copyObject(lsecond_node(TargetEntry, query->targetList)->expr);
	ChangeVarNodes(label, varno, 1, 0);
	expected = coerce_to_target_type(NULL, (Node *) copyObject(lookup->label),
									 exprType(lookup->label), TEXTOID, -1, COERCION_EXPLICIT,
									 COERCE_EXPLICIT_CAST, -1);
	return expected != NULL &&
		strcmp(deparse_expression(label, context, true, false),
			   deparse_expression(expected, context, true, false)) == 0;
}

/*
 * True if an existing view is as MakeView() would create it.
 */
static bool
ViewFits(const Lookup *lookup, Oid view)
{
	Relation	rel = relation_open(view, AccessShareLock);
	bool		result = RelationHasSecurityInvoker(rel) && SameQuery(lookup, get_view_query(rel));

	relation_close(rel, NoLock);
	return result;
}

/* The COMMENT of a view: the role, the table, and the text of the look-up. */
#define VIEW_COMMENT_LOOKUP ", looked up by align: "

static char *
ViewComment(const AttachRequest *request, RowRole role)
{
	return psprintf("labels of the %s of %s" VIEW_COMMENT_LOOKUP "%s", align_row_role_names[role],
					align_relation_name(request->relid), request->lookup[role]->text->text);
}

/*
 * Returns the text of the look-up that a view was created for; NULL if the
 * owner has given it another COMMENT, or if it is from 0.4.0.
 */
static const char *
CreatedFor(Oid view)
{
	const char *comment = GetComment(view, RelationRelationId, 0);
	const char *lookup = comment != NULL ? strstr(comment, VIEW_COMMENT_LOOKUP) : NULL;

	return lookup != NULL ? lookup + strlen(VIEW_COMMENT_LOOKUP) : NULL;
}

/*
 * True if a view that does not fit the look-up has the query that its owner
 * has given it, and not that of another look-up.
 *
 * If the call gives the same look-up as the one before, the owner has changed
 * the view.  Otherwise a query that is none of a look-up is the owner's; so
 * is, if it is not known for which look-up it was created, one on another
 * table.
 */
static bool
IsOwnersQuery(const Lookup *lookup, Oid view)
{
	const char *created_for = CreatedFor(view);
	Relation	rel;
	Query	   *query;
	int			varno;
	bool		result;

	if (created_for != NULL && strcmp(created_for, lookup->text->text) == 0)
		return true;
	rel = relation_open(view, AccessShareLock);
	query = get_view_query(rel);
	varno = LookedUpTable(query);
	result = varno == 0 ||
		(created_for == NULL && rt_fetch(varno, query->rtable)->relid != lookup->relid);
	relation_close(rel, NoLock);
	return result;
}

static void
ReportKept(Oid view)
{
	ereport(NOTICE,
			(errmsg("view %s is used as it is", align_relation_name(view)),
			 errdetail("Its owner has changed its query, which is not that of the look-up in the call."),
			 errhint("Use CREATE OR REPLACE VIEW to change the query.")));
}

/*
 * Raises an error if the labels have another collation than in the view, which
 * cannot be changed.
 */
static void
CheckViewLabel(const Lookup *lookup, RowRole role, Oid view)
{
	Oid			type;
	int32		typmod;
	Oid			collation;
	Oid			given = exprCollation(lookup->label);

	if (!OidIsValid(given))
		given = DEFAULT_COLLATION_OID;	/* of the cast to text */
	get_atttypetypmodcoll(view, 2, &type, &typmod, &collation);
	if (given != collation)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("labels of %s have another collation than before",
						align_row_role_names[role]),
				 errdetail("The new collation is %s, and that of a column of view %s, %s, cannot be changed.",
						   generate_collation_name(given), align_relation_name(view),
						   generate_collation_name(collation)),
				 errhint("Add COLLATE %s to the label.", generate_collation_name(collation))));
}

/*
 * Raises an error if the key has another type than in the view, which cannot
 * be changed.
 */
static void
CheckViewKey(const Lookup *lookup, RowRole role, Oid view)
{
	Oid			type;
	Oid			view_type;
	int32		typmod;
	int32		view_typmod;
	Oid			collation;
	Oid			view_collation;

	get_atttypetypmodcoll(lookup->relid, lookup->key, &type, &typmod, &collation);
	get_atttypetypmodcoll(view, 1, &view_type, &view_typmod, &view_collation);
	if (type == view_type && typmod == view_typmod && collation == view_collation)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("labels of %s are looked up by values of type %s",
					align_row_role_names[role], format_type_with_typemod(view_type, view_typmod)),
			 errdetail("Column \"%s\" of table %s has type %s%s, and the type of a column of view %s cannot be changed.",
					   get_attname(lookup->relid, lookup->key, false),
					   align_relation_name(lookup->relid), format_type_with_typemod(type, typmod),
					   type == view_type && typmod == view_typmod ? " with another collation" : "",
					   align_relation_name(view)),
			 errhint("Detach the table, drop the view and attach the table again; its history is kept.")));
}

/*
 * Creates or replaces the view of one role.  It is read with the privileges of
 * the role that reads it, so it shows nothing that the table does not.
 */
static void
ReplaceView(const AttachRequest *request, RowRole role, const char *view)
{
	const Lookup *lookup = request->lookup[role];
	Oid			creator = align_record_table_creator(request, &request->history);
	int			nest_level = align_begin_role_sql();
	char	   *label = deparse_expression(lookup->label,
										   deparse_context_for("t", lookup->relid), true, false);

	align_execute_format(creator,
						 "CREATE OR REPLACE VIEW %s WITH (security_invoker = true) AS SELECT t.%s AS key, (%s)::pg_catalog.text AS label FROM %s AS t",
						 view, quote_identifier(get_attname(lookup->relid, lookup->key, false)),
						 label, align_relation_name(lookup->relid));
	align_end_role_sql(nest_level);
	if (creator != request->owner)
		align_execute_format(creator, "ALTER VIEW %s OWNER TO %s", view,
							 quote_identifier(GetUserNameFromId(request->owner, false)));
	align_execute_format(request->owner, "COMMENT ON VIEW %s IS %s", view,
						 quote_literal_cstr(ViewComment(request, role)));
}

/*
 * Returns the view that a role had before, InvalidOid if there is none that
 * can be used.
 */
static Oid
ViewBefore(const AttachRequest *request, RowRole role)
{
	Oid			view = request->was_attached ? request->before.labels[role] : InvalidOid;

	return OidIsValid(view) && IsViewOfLabels(request, view) ? view : InvalidOid;
}

/*
 * Makes the view of one role.  One that is as it must be is left alone:
 * replacing it needs the privilege to create relations in its schema.  So is
 * one with a query of its owner.
 */
static Oid
MakeView(const AttachRequest *request, RowRole role)
{
	const Lookup *lookup = request->lookup[role];
	const RecordTable *history = &request->history;
	char	   *name = makeObjectName(history->name, align_row_role_names[role], "labels");
	char	   *qualified = quote_qualified_identifier(history->schema, name);
	Oid			schema = get_namespace_oid(history->schema, false);
	Oid			view = ViewBefore(request, role);
	bool		fits;

	if (OidIsValid(view))
		qualified = align_relation_name(view);
	else if (OidIsValid(view = get_relname_relid(name, schema)))
		CheckExistingView(request, view);
	fits = OidIsValid(view) && ViewFits(lookup, view);
	if (OidIsValid(view) && !fits && IsOwnersQuery(lookup, view))
		ReportKept(view);
	else if (!fits)
	{
		if (OidIsValid(view))
		{
			CheckViewKey(lookup, role, view);
			CheckViewLabel(lookup, role, view);
		}
		ReplaceView(request, role, qualified);
	}
	/* may the owner read it? */
	align_execute_format(request->owner, "SELECT FROM %s WHERE false", qualified);
	return OidIsValid(view) ? view : get_relname_relid(name, schema);
}

/*
 * Creates or replaces the views of labels.
 */
void
align_attach_make_labels(AttachRequest *request)
{
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (request->lookup[role] != NULL)
			request->labels[role] = MakeView(request, (RowRole) role);
	}
}
