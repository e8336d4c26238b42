/*
 * check.c
 *	  Checks whether a table can be attached, and its columns.
 */
#include "postgres.h"

#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "attach/request.h"
#include "catalog/trigger.h"

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

	if (!rel->rd_rel->relispartition || align_has_trigger(RelationGetRelid(rel), ATTACHMENT_MARKER))
		return;
	root = align_attached_root(RelationGetRelid(rel));
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
	if (align_has_trigger(partition, ATTACHMENT_MARKER))
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

static bool
IsString(Oid type)
{
	char		category;
	bool		preferred;

	get_type_category_preferred(type, &category, &preferred);
	return category == TYPCATEGORY_STRING;
}

static void
RaiseWrongType(Relation rel, AttrNumber attnum, RowRole role, const char *allowed)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of type %s cannot be used as %s", NameStr(attribute->attname),
					format_type_be(attribute->atttypid), align_row_role_names[role]),
			 errdetail("It must be of %s, or a domain over one of these.", allowed)));
}

static void
CheckColumnType(Relation rel, AttrNumber attnum, RowRole role)
{
	Oid			type = getBaseType(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid);

	switch (role)
	{
		case ROW_STAGE:
			if (!IsString(type) && !type_is_enum(type) &&
				type != INT2OID && type != INT4OID && type != INT8OID)
				RaiseWrongType(rel, attnum, role, "a character type, an enum or an integer type");
			break;
		case ROW_AMOUNT:
			if (type != NUMERICOID && type != INT2OID && type != INT4OID && type != INT8OID &&
				type != FLOAT4OID && type != FLOAT8OID)
				RaiseWrongType(rel, attnum, role, type == CASHOID ?
							   "type numeric, an integer or a floating-point type (the meaning of money depends on lc_monetary)" :
							   "type numeric, an integer or a floating-point type");
			break;
		case ROW_CHANGED_AT:
		case ROW_OPENED_AT:
			if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
				RaiseWrongType(rel, attnum, role,
							   "type timestamp with time zone, timestamp without time zone or date");
			break;
		default:
			break;				/* read as text, so any type will do */
	}
}

/*
 * Checks that a column whose changes are recorded can be compared.
 */
static void
CheckComparable(Relation rel, AttrNumber attnum, const char *what)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	if (!OidIsValid(lookup_type_cache(attribute->atttypid, TYPECACHE_EQ_OPR)->eq_opr))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("column \"%s\" of type %s cannot be used as %s",
						NameStr(attribute->attname), format_type_be(attribute->atttypid), what),
				 errdetail("Values of that type cannot be compared, so changes cannot be detected.")));
}

/*
 * Finds the columns that the caller named, and checks their types.
 */
void
align_attach_set_columns(AttachRequest *request, Relation rel, char *const *names)
{
	for (int role = 0; role < ROW_NROLES; role++)
	{
		const char *what = align_row_role_names[role];

		if (names[role] == NULL)
			continue;
		request->column[role] = align_attach_find_column(rel, names[role], what);
		CheckColumnType(rel, request->column[role], (RowRole) role);
		if (role == ROW_STAGE || role == ROW_TEAM || role == ROW_ASSIGNEE)
			CheckComparable(rel, request->column[role], what);
	}
}

/*
 * Checks that changed_at and opened_at are instants: a column without a time
 * zone would mean something else in every session.  Until 0.3 that was
 * allowed.
 */
void
align_attach_check_times(const AttachRequest *request, Relation rel)
{
	static const RowRole roles[] = {ROW_CHANGED_AT, ROW_OPENED_AT};

	for (int i = 0; i < (int) lengthof(roles); i++)
	{
		AttrNumber	attnum = request->column[roles[i]];
		Form_pg_attribute attribute;

		if (attnum == InvalidAttrNumber || request->options.time_zone[0] != '\0')
			continue;
		attribute = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
		if (getBaseType(attribute->atttypid) == TIMESTAMPTZOID)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of type %s needs a time zone to be used as %s",
						NameStr(attribute->attname), format_type_be(attribute->atttypid),
						align_row_role_names[roles[i]]),
				 errdetail("Its values do not say in which time zone they are."),
				 errhint("Name the time zone that the application writes them in, for example time_zone => 'UTC'.")));
	}
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
	if (request->column[ROW_REASON] == InvalidAttrNumber && RequiresReasons(request->funnel))
		ereport(NOTICE,
				(errmsg("agreement \"%s\" requires reasons, but no reason column is named",
						request->agreement),
				 errhint("Name the reason column with reason => '...'.")));
}
