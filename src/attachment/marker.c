/*
 * marker.c
 *	  Reads marker and pointer triggers (see attachment.h for their form), and
 *	  finds the tables that have one.
 *
 * A role can make a trigger of that name on any table on which it has TRIGGER.
 * One that does not call align.attachment() is no marker.  One that does, but is
 * not in the form of align.attach(), is an error for every use of its table, and
 * is ignored in searches for all attached tables.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "attachment/attachment.h"
#include "catalog/trigger.h"

/* Arguments of the marker before the one per column. */
#define MARKER_FIXED_ARGS 3

/*
 * The trigger of that name on a table, if it calls align.attachment().
 */
static bool
FindMarkerTrigger(Oid relid, const char *name, CatalogTrigger *trigger)
{
	Oid			function = align_trigger_function("attachment");

	return OidIsValid(function) && align_find_trigger(relid, name, trigger) &&
		trigger->function == function;
}

/*
 * '<relation>'::regclass IS NULL
 */
static bool
ReadRelation(Node *node, Oid *relid)
{
	Const	   *constant;

	if (!IsA(node, NullTest) || ((NullTest *) node)->nulltesttype != IS_NULL)
		return false;
	constant = (Const *) ((NullTest *) node)->arg;
	if (!IsA(constant, Const) || constant->consttype != REGCLASSOID || constant->constisnull)
		return false;
	*relid = DatumGetObjectId(constant->constvalue);
	return true;
}

/*
 * The second operand of (<first> AND <second>), NULL if it is something else.
 */
static Node *
SecondOperand(Node *node, Node **first)
{
	BoolExpr   *and_expr = (BoolExpr *) node;

	if (node == NULL || !IsA(node, BoolExpr) || and_expr->boolop != AND_EXPR ||
		list_length(and_expr->args) != 2)
		return NULL;
	*first = linitial(and_expr->args);
	return lsecond(and_expr->args);
}

static bool
ReadMode(const char *name, AttachMode *mode)
{
	int			found = align_attach_mode(name);

	if (found < 0)
		return false;
	*mode = (AttachMode) found;
	return true;
}

/*
 * One role of a column, len bytes.
 */
static bool
ReadRole(const char *role, int len, AttrNumber attnum, AttachmentMarker *marker)
{
	if (len == 3 && memcmp(role, "key", 3) == 0)
	{
		if (marker->nkeys == ATTACHMENT_MAX_KEYS)
			return false;
		marker->key[marker->nkeys++] = attnum;
		return true;
	}
	for (int i = 0; i < ROW_NROLES; i++)
	{
		if (strlen(align_row_role_names[i]) == (size_t) len &&
			memcmp(align_row_role_names[i], role, len) == 0)
		{
			if (marker->column[i] != InvalidAttrNumber)
				return false;
			marker->column[i] = attnum;
			return true;
		}
	}
	return false;
}

static bool
ReadRoles(const char *roles, AttrNumber attnum, AttachmentMarker *marker)
{
	for (;;)
	{
		size_t		len = strcspn(roles, "+");

		if (!ReadRole(roles, len, attnum, marker))
			return false;
		if (roles[len] == '\0')
			return true;
		roles += len + 1;
	}
}

/*
 * The contents of a marker trigger; false if it is not in the form of attach().
 */
static bool
ParseMarker(const CatalogTrigger *trigger, AttachmentMarker *marker)
{
	Node	   *first;
	Node	   *second = SecondOperand(trigger->when, &first);

	if (second == NULL || !ReadRelation(first, &marker->history) ||
		!ReadRelation(second, &marker->sla))
		return false;
	if (trigger->nargs != MARKER_FIXED_ARGS + trigger->ncolumns ||
		strlen(trigger->args[0]) >= NAMEDATALEN || !ReadMode(trigger->args[1], &marker->mode))
		return false;
	marker->nargs = trigger->nargs;
	marker->args = trigger->args;
	strlcpy(marker->agreement, trigger->args[0], NAMEDATALEN);
	marker->notify = strcmp(trigger->args[2], "notify") == 0;
	if (!marker->notify && trigger->args[2][0] != '\0')
		return false;
	for (int i = 0; i < trigger->ncolumns; i++)
	{
		if (!ReadRoles(trigger->args[MARKER_FIXED_ARGS + i], trigger->columns[i], marker))
			return false;
	}
	return marker->nkeys > 0 && marker->column[ROW_STAGE] != InvalidAttrNumber;
}

/*
 * False if there is no marker, or one of another form; *broken then is true.
 */
static bool
ReadMarker(Oid relid, AttachmentMarker *marker, bool *broken)
{
	CatalogTrigger trigger;
	Node	   *first;

	*broken = false;
	memset(marker, 0, sizeof(AttachmentMarker));
	if (!FindMarkerTrigger(relid, ATTACHMENT_MARKER, &trigger))
		return false;
	marker->root = relid;
	marker->partitioned = get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE;
	if (!ParseMarker(&trigger, marker))
	{
		*broken = true;
		return false;
	}

	/* in WHEN, OLD is varno 1 */
	StaticAssertStmt(PRS2_OLD_VARNO == 1, "OLD is not varno 1");
	if (FindMarkerTrigger(relid, ATTACHMENT_LIVE, &trigger))
	{
		marker->live = SecondOperand(trigger.when, &first);
		*broken = marker->live == NULL;
	}
	return !*broken;
}

bool
align_read_marker(Oid relid, AttachmentMarker *marker)
{
	bool		broken;

	if (ReadMarker(relid, marker, &broken))
		return true;
	if (broken)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("trigger \"%s\" of relation \"%s\" is not as align.attach() makes it",
						ATTACHMENT_MARKER, get_rel_name(relid)),
				 errhint("Call align.attach() again.")));
	return false;
}

bool
align_find_marker(Oid relid, AttachmentMarker *marker)
{
	bool		broken;

	return ReadMarker(relid, marker, &broken);
}

Oid
align_read_pointer(Oid relid, int *nargs, char ***args)
{
	CatalogTrigger trigger;

	if (!FindMarkerTrigger(relid, ATTACHMENT_POINTER, &trigger))
		return InvalidOid;
	*nargs = trigger.nargs;
	*args = trigger.args;
	return trigger.from;
}

static bool
HasMarker(Oid relid)
{
	CatalogTrigger trigger;

	return FindMarkerTrigger(relid, ATTACHMENT_MARKER, &trigger);
}

Oid
align_attached_root(Oid relid)
{
	ListCell   *lc;

	if (HasMarker(relid))
		return relid;
	if (!get_rel_relispartition(relid))
		return InvalidOid;
	foreach(lc, get_partition_ancestors(relid))
	{
		if (HasMarker(lfirst_oid(lc)))
			return lfirst_oid(lc);
	}
	return InvalidOid;
}

/*
 * All triggers of a name that call align.attachment(), as CatalogTrigger *.
 * They depend on that function, and not much else does.
 */
static List *
TriggersNamed(const char *name)
{
	Oid			function = align_trigger_function("attachment");
	List	   *result = NIL;
	Relation	depend;
	SysScanDesc scan;
	ScanKeyData keys[2];
	HeapTuple	tuple;

	if (!OidIsValid(function))
		return NIL;
	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(ProcedureRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(function));
	depend = table_open(DependRelationId, AccessShareLock);
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
		CatalogTrigger trigger;

		if (form->classid == TriggerRelationId &&
			align_find_trigger_by_oid(form->objid, &trigger) &&
			strcmp(trigger.name, name) == 0)
		{
			CatalogTrigger *found = palloc(sizeof(CatalogTrigger));

			*found = trigger;
			result = lappend(result, found);
		}
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return result;
}

List *
align_attached_tables(const char *agreement)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, TriggersNamed(ATTACHMENT_MARKER))
	{
		Oid			relid = ((CatalogTrigger *) lfirst(lc))->relid;
		AttachmentMarker marker;

		if (align_find_marker(relid, &marker) &&
			(agreement == NULL || strcmp(marker.agreement, agreement) == 0))
			result = lappend_oid(result, relid);
	}
	list_sort(result, list_oid_cmp);
	return result;
}

List *
align_record_tables_of(Oid root)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, TriggersNamed(ATTACHMENT_POINTER))
	{
		CatalogTrigger *trigger = (CatalogTrigger *) lfirst(lc);

		/*
		 * Clones on partitions go with their parent's, also those of
		 * partitions that were detached: PostgreSQL does not drop clones of
		 * constraint triggers then, nor lets them be dropped.
		 */
		if (trigger->from == root && !OidIsValid(trigger->parent))
			result = lappend_oid(result, trigger->relid);
	}
	list_sort(result, list_oid_cmp);
	return result;
}
