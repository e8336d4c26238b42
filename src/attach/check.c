/*
 * check.c
 *	  Checks whether a table can be attached, and what its roles are read from:
 *	  columns and expressions.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "attach/request.h"
#include "catalog/trigger.h"
#include "condition/condition.h"

static void
CheckKind(Relation rel)
{
	char		kind = rel->rd_rel->relkind;

	if (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("cannot attach relation \"%s\"", RelationGetRelationName(rel)),
			 kind == RELKIND_VIEW ? errdetail("It is a view; its rows are written elsewhere.") :
			 kind == RELKIND_MATVIEW ? errdetail("It is a materialized view; its rows are written elsewhere.") :
			 kind == RELKIND_FOREIGN_TABLE ? errdetail("It is a foreign table; its rows are written elsewhere.") :
			 errdetail("It is not a table."),
			 kind == RELKIND_VIEW || kind == RELKIND_MATVIEW ?
			 errhint("Attach the table that it reads.") : 0));
}

/*
 * No system catalogs, and no tables of the extension or record tables.
 */
static void
CheckNotInternal(Relation rel)
{
	if (IsSystemRelation(rel) || RelationGetNamespace(rel) == get_namespace_oid("align", true))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot attach relation \"%s\"", RelationGetRelationName(rel)),
				 errdetail("It is part of the system.")));
	if (align_has_trigger(RelationGetRelid(rel), ATTACH_GUARD))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot attach relation \"%s\"", RelationGetRelationName(rel)),
				 errdetail("It is the history or the clock table of an attached table.")));
}

/*
 * No temporary tables: record tables must outlive the session.
 */
static void
CheckNotTemporary(Relation rel)
{
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot attach relation \"%s\"", RelationGetRelationName(rel)),
				 errdetail("It is a temporary table.")));
}

/*
 * No plain inheritance: triggers of the parent do not fire for rows of a
 * child, which queries on the parent return.
 */
static void
CheckNoInheritance(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);

	if (!rel->rd_rel->relispartition && has_superclass(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot attach relation \"%s\"", RelationGetRelationName(rel)),
				 errdetail("It inherits from another table; plain inheritance is not supported."),
				 errhint("Use partitions instead, or ALTER TABLE ... NO INHERIT.")));
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE &&
		find_inheritance_children(relid, NoLock) != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot attach relation \"%s\"", RelationGetRelationName(rel)),
				 errdetail("Other tables inherit from it; plain inheritance is not supported."),
				 errhint("Use partitions instead, or ALTER TABLE ... NO INHERIT.")));
}

/*
 * No partition of an attached table, unless the partition itself is attached
 * already.
 */
static void
CheckAncestors(Relation rel)
{
	Oid			root;

	if (!rel->rd_rel->relispartition ||
		align_attachment_numbers(RelationGetRelid(rel)) != NIL)
		return;
	root = align_attached_root(RelationGetRelid(rel), NULL);
	if (OidIsValid(root))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot attach relation \"%s\"", RelationGetRelationName(rel)),
				 errdetail("It is a partition of \"%s\", which is attached.",
						   get_rel_name(root))));
}

static void
CheckPartition(Relation rel, Oid partition)
{
	if (get_rel_relkind(partition) == RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot attach relation \"%s\"", RelationGetRelationName(rel)),
				 errdetail("Its partition \"%s\" is a foreign table; its rows are written elsewhere.",
						   get_rel_name(partition))));
	if (align_attachment_numbers(partition) != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot attach relation \"%s\"", RelationGetRelationName(rel)),
				 errdetail("Its partition \"%s\" is attached on its own.", get_rel_name(partition)),
				 errhint("Use align.detach() on the partition first.")));
}

/*
 * Checks that a table and its partitions can be attached.
 */
void
align_attach_check_table(Relation rel, List *partitions)
{
	ListCell   *lc;

	CheckKind(rel);
	CheckNotInternal(rel);
	CheckNotTemporary(rel);
	CheckNoInheritance(rel);
	CheckAncestors(rel);
	foreach(lc, partitions)
		CheckPartition(rel, lfirst_oid(lc));
}

/*
 * Finds a column of the table by name; what is the argument that names it.
 */
AttrNumber
align_attach_find_column(Relation rel, const char *name, const char *what)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(rel), name);
	Form_pg_attribute attribute;

	if (attnum == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", name,
						RelationGetRelationName(rel)),
				 strcmp(what, "key") == 0 ? errhint("Name the columns with key => '{...}'.") :
				 errhint("Name the column with %s => '...'.", what)));
	if (attnum < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("system column \"%s\" cannot be used as %s", name, what)));
	attribute = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	if (attribute->attgenerated != '\0' && attribute->attgenerated != ATTRIBUTE_GENERATED_STORED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("virtual generated column \"%s\" cannot be used as %s", name, what),
				 errdetail("Triggers do not see its value.")));
	return attnum;
}

/*
 * The type of what a role is read from.
 */
static Oid
RoleType(const AttachRequest *request, Relation rel, RowRole role)
{
	if (request->expression[role] != NULL)
		return exprType(request->expression[role]);
	return TupleDescAttr(RelationGetDescr(rel), request->column[role] - 1)->atttypid;
}

/*
 * What a role is read from, for messages.
 */
static char *
RoleText(const AttachRequest *request, Relation rel, RowRole role)
{
	if (request->expression[role] != NULL)
		return pstrdup("expression");
	return psprintf("column \"%s\"",
					NameStr(TupleDescAttr(RelationGetDescr(rel), request->column[role] - 1)->attname));
}

/*
 * Checks the type of a role's value, and that changes of it can be detected if
 * they are recorded; an expression is compared through its columns.
 */
static void
CheckRoleType(const AttachRequest *request, Relation rel, RowRole role)
{
	bool		is_expression = request->expression[role] != NULL;
	const char *name = align_row_role_names[role];
	Oid			type = RoleType(request, rel, role);
	const char *allowed = align_role_type_problem(role, type, is_expression);
	char	   *what = RoleText(request, rel, role);

	if (allowed != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s of type %s cannot be used as %s", what, format_type_be(type), name),
				 errdetail("It must be of %s, or a domain over one of these.", allowed)));
	if (!is_expression && (role == ROW_STAGE || role == ROW_TEAM || role == ROW_ASSIGNEE) &&
		!OidIsValid(lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("%s of type %s cannot be used as %s", what, format_type_be(type), name),
				 errdetail("Values of that type cannot be compared, so changes cannot be detected.")));
}

/*
 * Parses the expression of a role.
 */
static void
SetExpression(AttachRequest *request, Relation rel, RowRole role, const char *text,
			  const char *what)
{
	request->expression[role] = align_expression_parse(rel, text, what);
	if (align_attach_role_columns(request, role) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("expression for %s uses no column", align_row_role_names[role]),
				 errdetail("Its value would be the same for all rows.")));
}

/*
 * Finds the columns that the caller named, parses expressions, and checks
 * their types.
 */
void
align_attach_set_roles(AttachRequest *request, Relation rel, char *const *texts)
{
	for (int role = 0; role < ROW_NROLES; role++)
	{
		const char *name = align_row_role_names[role];
		char	   *what = psprintf("expression for %s", name);
		char	   *column = texts[role];

		if (texts[role] == NULL)
			continue;
		if (get_attnum(RelationGetRelid(rel), column) == InvalidAttrNumber)
			column = align_expression_column(rel, texts[role], what);
		if (column != NULL)
			request->column[role] = align_attach_find_column(rel, column, name);
		else
			SetExpression(request, rel, (RowRole) role, texts[role], what);
		CheckRoleType(request, rel, (RowRole) role);
	}
}

/*
 * Checks that changed_at and opened_at are instants: a value without a time
 * zone would mean something else in every session.  Until 0.3 that was
 * allowed.
 */
void
align_attach_check_times(const AttachRequest *request, Relation rel)
{
	static const RowRole roles[] = {ROW_CHANGED_AT, ROW_OPENED_AT};

	for (int i = 0; i < (int) lengthof(roles); i++)
	{
		RowRole		role = roles[i];
		AttrNumber	attnum = request->column[role];
		Oid			type;

		if (request->options.time_zone[0] != '\0' ||
			(attnum == InvalidAttrNumber && request->expression[role] == NULL))
			continue;
		type = RoleType(request, rel, role);
		if (getBaseType(type) == TIMESTAMPTZOID)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of type %s needs a time zone to be used as %s",
						RoleText(request, rel, role), format_type_be(type),
						align_row_role_names[role]),
				 errdetail("Its values do not say in which time zone they are."),
				 errhint("Name the time zone that the application writes them in, for example time_zone => 'UTC'.")));
	}
}

/*
 * The columns that a role is read from.
 */
Bitmapset *
align_attach_role_columns(const AttachRequest *request, RowRole role)
{
	return align_value_columns(request->column[role], request->expression[role]);
}

/*
 * True if any move requires a reason.  Moves that reject a handoff do, and
 * stages and moves that have a reason among their needs.
 */
static bool
RequiresReasons(const Funnel *funnel)
{
	for (int i = 0; i < funnel->nmoveneeds; i++)
	{
		for (int j = 0; j < funnel->move_needs[i].nneeds; j++)
		{
			if (funnel->move_needs[i].needs[j].kind == NEED_REASON)
				return true;
		}
	}
	for (int i = 0; i < funnel->nstages; i++)
	{
		for (int j = 0; j < funnel->stages[i].nneeds; j++)
		{
			if (funnel->stages[i].needs[j].kind == NEED_REASON)
				return true;
		}
	}
	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		const ServiceLevel *sla = &funnel->service_levels[i];

		if (sla->is_handoff && sla->stops.n > sla->naccept)
			return true;
	}
	return false;
}

/*
 * NOTICE if the agreement requires reasons and there is no reason column: a
 * move that needs a reason is always a violation then.
 */
void
align_attach_check_reasons(const AttachRequest *request)
{
	if (align_attach_role_columns(request, ROW_REASON) == NULL &&
		RequiresReasons(request->funnel))
		ereport(NOTICE,
				(errmsg("agreement \"%s\" requires reasons, but no reason column is named",
						request->agreement),
				 errhint("Name the reason column with reason => '...'.")));
}
