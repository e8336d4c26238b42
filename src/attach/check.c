/*
 * check.c
 *	  What can be attached: kinds of tables, and columns.
 *
 * One function per rule.
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
 * Neither the catalogs nor what belongs to align itself.
 */
static void
CheckNotOurs(Relation rel)
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
 * History and clocks are to outlive the session.
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
 * With plain inheritance a query on the parent finds rows that the parent's
 * triggers never see.
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

void
align_attach_check_table(Relation rel, List *partitions)
{
	ListCell   *lc;

	CheckKind(rel);
	CheckNotOurs(rel);
	CheckNotTemporary(rel);
	CheckNoInheritance(rel);
	CheckAncestors(rel);
	foreach(lc, partitions)
		CheckPartition(rel, lfirst_oid(lc));
}

/*
 * A column of the table by name; what is the argument that named it.
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
				 strcmp(what, "key") == 0 ? errhint("Say which columns it is: key => '{...}'.") :
				 errhint("Say which column it is: %s => '...'.", what)));
	if (attnum < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("system column \"%s\" cannot be %s", name, what)));
	attribute = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	if (attribute->attgenerated != '\0' && attribute->attgenerated != ATTRIBUTE_GENERATED_STORED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("virtual generated column \"%s\" cannot be %s", name, what),
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
WrongType(Relation rel, AttrNumber attnum, RowRole role, const char *allowed)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of type %s cannot be %s", NameStr(attribute->attname),
					format_type_be(attribute->atttypid), align_row_role_names[role]),
			 errdetail("It may be of %s, or a domain over these.", allowed)));
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
				WrongType(rel, attnum, role, "a character type, an enum or an integer type");
			break;
		case ROW_AMOUNT:
			if (type != NUMERICOID && type != INT2OID && type != INT4OID && type != INT8OID &&
				type != FLOAT4OID && type != FLOAT8OID)
				WrongType(rel, attnum, role, type == CASHOID ?
						  "type numeric, an integer or a floating-point type (what money means depends on a setting)" :
						  "type numeric, an integer or a floating-point type");
			break;
		case ROW_CHANGED_AT:
			if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
				WrongType(rel, attnum, role,
						  "type timestamp with time zone, timestamp without time zone or date");
			break;
		default:
			break;				/* read as text, which every type has */
	}
}

/*
 * Changes of these columns are recorded, so they must be comparable.
 */
static void
CheckComparable(Relation rel, AttrNumber attnum, const char *what)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	if (!OidIsValid(lookup_type_cache(attribute->atttypid, TYPECACHE_EQ_OPR)->eq_opr))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("column \"%s\" of type %s cannot be %s", NameStr(attribute->attname),
						format_type_be(attribute->atttypid), what),
				 errdetail("Values of that type cannot be compared, so a change cannot be told.")));
}

void
align_attach_columns(AttachRequest *request, Relation rel, Name const *names)
{
	for (int role = 0; role < ROW_NROLES; role++)
	{
		const char *what = align_row_role_names[role];

		if (names[role] == NULL)
			continue;
		request->column[role] = align_attach_find_column(rel, NameStr(*names[role]), what);
		CheckColumnType(rel, request->column[role], (RowRole) role);
		if (role == ROW_STAGE || role == ROW_TEAM || role == ROW_ASSIGNEE)
			CheckComparable(rel, request->column[role], what);
	}
}

static bool
AsksForReasons(const Funnel *funnel)
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
 * Where nothing tells the reason, such a move can never be made.
 */
void
align_attach_reasons(const AttachRequest *request)
{
	if (request->column[ROW_REASON] == InvalidAttrNumber && AsksForReasons(request->funnel))
		ereport(NOTICE,
				(errmsg("agreement \"%s\" asks for reasons, but no reason column is named",
						request->agreement),
				 errhint("Say which column tells the reason: reason => '...'.")));
}
