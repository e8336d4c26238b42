/*
 * marker.c
 *	  Reads marker and pointer triggers (see attachment.h for their form), and
 *	  finds the tables that have one.
 *
 * Any role with the TRIGGER privilege on a table can create a trigger with the
 * name of the marker.  If it does not call align.attachment(), it is not a
 * marker.  If it does, but does not have the form that align.attach() creates,
 * every use of the table as an attached table is an error, and searches for
 * all attached tables ignore it.
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
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "attachment/attachment.h"
#include "catalog/trigger.h"

/* Number of marker arguments before those of the columns. */
#define MARKER_FIXED_ARGS 3

/*
 * Finds the trigger of a name on a table, if it calls align.attachment().
 */
static bool
FindMarkerTrigger(Oid relid, const char *name, CatalogTrigger *trigger)
{
	Oid			function = align_trigger_function("attachment");

	return OidIsValid(function) && align_find_trigger(relid, name, trigger) &&
		trigger->function == function;
}

/*
 * Parses '<relation>'::regclass IS NULL; false if there is no such relation.
 */
static bool
ParseRelation(Node *node, Oid *relid)
{
	Const	   *constant;

	if (!IsA(node, NullTest) || ((NullTest *) node)->nulltesttype != IS_NULL)
		return false;
	constant = (Const *) ((NullTest *) node)->arg;
	if (!IsA(constant, Const) || constant->consttype != REGCLASSOID || constant->constisnull)
		return false;
	*relid = DatumGetObjectId(constant->constvalue);
	/* PostgreSQL accepts any number as a constant of regclass */
	return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(*relid));
}

/*
 * The operands of an AND of two; returns the second, or NULL if the node is
 * something else.
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
ParseMode(const char *name, AttachMode *mode)
{
	int			found = align_attach_mode(name);

	if (found < 0)
		return false;
	*mode = (AttachMode) found;
	return true;
}

/*
 * The RowRole of a name, which is len bytes long; -1 if there is none.
 */
static int
FindRole(const char *name, int len)
{
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (strlen(align_row_role_names[role]) == (size_t) len &&
			memcmp(align_row_role_names[role], name, len) == 0)
			return role;
	}
	return -1;
}

/*
 * Parses one role of a column, which is len bytes long.  Only "key" may be the
 * role of more than one column.
 */
static bool
ParseColumnRole(const char *role, int len, AttrNumber attnum, AttachmentMarker *marker)
{
	int			found;

	if (len == 3 && memcmp(role, "key", 3) == 0)
	{
		if (marker->nkeys == ATTACHMENT_MAX_KEYS)
			return false;
		marker->key[marker->nkeys++] = attnum;
		return true;
	}
	found = FindRole(role, len);
	if (found < 0 || marker->column[found] != InvalidAttrNumber)
		return false;
	marker->column[found] = attnum;
	return true;
}

/*
 * Parses the roles of a column, joined by '+'.
 */
static bool
ParseColumnRoles(const char *roles, AttrNumber attnum, AttachmentMarker *marker)
{
	for (;;)
	{
		size_t		len = strcspn(roles, "+");

		if (!ParseColumnRole(roles, len, attnum, marker))
			return false;
		if (roles[len] == '\0')
			return true;
		roles += len + 1;
	}
}

/*
 * Parses a marker; false if it does not have the form that attach() creates.
 */
static bool
ParseMarker(const CatalogTrigger *trigger, AttachmentMarker *marker)
{
	Node	   *first;
	Node	   *second = SecondOperand(trigger->when, &first);

	if (trigger->type != (TRIGGER_TYPE_AFTER | TRIGGER_TYPE_UPDATE) ||
		second == NULL || !ParseRelation(first, &marker->history) ||
		!ParseRelation(second, &marker->sla))
		return false;
	if (trigger->nargs != MARKER_FIXED_ARGS + trigger->ncolumns ||
		strlen(trigger->args[0]) >= NAMEDATALEN || !ParseMode(trigger->args[1], &marker->mode))
		return false;
	strlcpy(marker->agreement, trigger->args[0], NAMEDATALEN);
	if (!align_attach_options_parse(trigger->args[2], &marker->options))
		return false;
	for (int i = 0; i < trigger->ncolumns; i++)
	{
		if (!ParseColumnRoles(trigger->args[MARKER_FIXED_ARGS + i], trigger->columns[i], marker))
			return false;
	}
	return marker->nkeys > 0;
}

/*
 * Parses the trigger with the live condition; false if it has another form.
 */
static bool
ParseLive(const CatalogTrigger *trigger, AttachmentMarker *marker)
{
	Node	   *first;

	/* the WHEN of a trigger for DELETE alone cannot refer to NEW */
	if (trigger->type == (TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE))
		marker->live = SecondOperand(trigger->when, &first);
	return marker->live != NULL;
}

/*
 * Parses the trigger with the expressions, whose arguments are their roles;
 * false if it has another form.
 */
static bool
ParseExpressions(const CatalogTrigger *trigger, AttachmentMarker *marker)
{
	Node	   *first;
	NullTest   *test;
	RowExpr    *row;
	ListCell   *lc;
	int			i = 0;

	if (trigger->type != (TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE))
		return false;
	test = (NullTest *) SecondOperand(trigger->when, &first);
	if (test == NULL || !IsA(test, NullTest) || !IsA(test->arg, RowExpr))
		return false;
	row = (RowExpr *) test->arg;
	if (list_length(row->args) != trigger->nargs)
		return false;
	foreach(lc, row->args)
	{
		int			role = FindRole(trigger->args[i], strlen(trigger->args[i]));

		i++;
		if (role < 0 || align_marker_has_role(marker, (RowRole) role))
			return false;
		marker->expression[role] = (Node *) lfirst(lc);
	}
	return true;
}

/*
 * Parses the trigger with the views of look-ups, whose arguments are their
 * roles; false if it has another form.
 */
static bool
ParseLabels(const CatalogTrigger *trigger, AttachmentMarker *marker)
{
	List	   *views;
	ListCell   *lc;
	int			i = 0;

	if (trigger->type != TRIGGER_TYPE_DELETE || trigger->when == NULL)
		return false;
	views = is_andclause(trigger->when) ? ((BoolExpr *) trigger->when)->args :
		list_make1(trigger->when);
	if (list_length(views) != trigger->nargs)
		return false;
	foreach(lc, views)
	{
		int			role = FindRole(trigger->args[i], strlen(trigger->args[i]));

		i++;
		if (role < 0 || !align_marker_has_role(marker, (RowRole) role) ||
			OidIsValid(marker->labels[role]) ||
			!ParseRelation((Node *) lfirst(lc), &marker->labels[role]))
			return false;
	}
	return true;
}

/*
 * Reads the marker of a table, its live condition, expressions and look-ups.
 * Returns false if there is no marker, or if one of the triggers has another
 * form, and then *broken is true.
 */
static bool
ReadMarker(AttachmentId id, AttachmentMarker *marker, bool *broken)
{
	Oid			relid = id.relid;
	CatalogTrigger trigger;

	*broken = false;
	memset(marker, 0, sizeof(AttachmentMarker));
	if (!FindMarkerTrigger(relid, align_numbered_name(ATTACHMENT_MARKER, id.number), &trigger))
		return false;
	marker->root = relid;
	marker->partitioned = get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE;
	if (!ParseMarker(&trigger, marker) || marker->options.number != id.number)
	{
		*broken = true;
		return false;
	}

	/* OLD is varno 1 in WHEN, as marker->live must have it */
	StaticAssertStmt(PRS2_OLD_VARNO == 1, "OLD is not varno 1");
	*broken = (FindMarkerTrigger(relid, align_numbered_name(ATTACHMENT_LIVE, id.number),
								 &trigger) &&
			   !ParseLive(&trigger, marker)) ||
		(FindMarkerTrigger(relid, align_numbered_name(ATTACHMENT_EXPRESSIONS, id.number),
						   &trigger) &&
		 !ParseExpressions(&trigger, marker)) ||
		(FindMarkerTrigger(relid, align_numbered_name(ATTACHMENT_LABELS, id.number), &trigger) &&
		 !ParseLabels(&trigger, marker)) ||
		!align_marker_has_role(marker, ROW_STAGE);
	return !*broken;
}

/*
 * Reads the marker of an attachment; raises an error if it has another form.
 */
bool
align_read_marker(AttachmentId id, AttachmentMarker *marker)
{
	bool		broken;

	if (ReadMarker(id, marker, &broken))
		return true;
	if (broken)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("trigger \"%s\" of relation \"%s\" does not have the form that align.attach() creates",
						align_numbered_name(ATTACHMENT_MARKER, id.number), get_rel_name(id.relid)),
				 errhint("Call align.attach() again.")));
	return false;
}

/*
 * Reads the marker of an attachment; false if it has another form.
 */
bool
align_find_marker(AttachmentId id, AttachmentMarker *marker)
{
	bool		broken;

	return ReadMarker(id, marker, &broken);
}

/*
 * The number of the attachment that the arguments of a pointer name, or 0.
 */
static int32
PointerNumber(int nargs, char **args)
{
	AttachOptions options;

	return nargs >= MARKER_FIXED_ARGS && align_attach_options_parse(args[2], &options) ?
		options.number : 0;
}

/*
 * The attachment that the pointer of a record table names.
 */
AttachmentId
align_read_pointer(Oid relid, int *nargs, char ***args)
{
	CatalogTrigger trigger;
	AttachmentId root = {InvalidOid, 0};

	if (!FindMarkerTrigger(relid, ATTACHMENT_POINTER, &trigger))
		return root;
	*nargs = trigger.nargs;
	*args = trigger.args;
	root.relid = trigger.from;
	root.number = PointerNumber(trigger.nargs, trigger.args);
	return root;
}

/*
 * The numbers of the markers of a relation.
 */
List *
align_attachment_numbers(Oid relid)
{
	Oid			function = align_trigger_function("attachment");
	List	   *result = NIL;
	ListCell   *lc;

	if (!OidIsValid(function))
		return NIL;
	foreach(lc, align_trigger_names(relid, function))
	{
		int32		number = align_number_in_name((const char *) lfirst(lc), ATTACHMENT_MARKER);

		if (number != 0)
			result = lappend_int(result, number);
	}
	list_sort(result, list_int_cmp);
	return result;
}

/*
 * True if a relation has the marker of a number; 0 means any.  numbers are
 * those of its markers.
 */
static bool
HasMarker(Oid relid, int32 number, List **numbers)
{
	*numbers = align_attachment_numbers(relid);
	return number == 0 ? *numbers != NIL : list_member_int(*numbers, number);
}

/*
 * The nearest relation that has the marker of a number among a relation and
 * its ancestors.
 */
static Oid
NearestRoot(Oid relid, int32 number, List **numbers)
{
	ListCell   *lc;

	if (HasMarker(relid, number, numbers))
		return relid;
	if (!get_rel_relispartition(relid))
		return InvalidOid;
	foreach(lc, get_partition_ancestors(relid))
	{
		if (HasMarker(lfirst_oid(lc), number, numbers))
			return lfirst_oid(lc);
	}
	return InvalidOid;
}

/*
 * The nearest relation with a marker among a relation and its ancestors.
 */
Oid
align_attached_root(Oid relid, List **numbers)
{
	List	   *found;

	return NearestRoot(relid, 0, numbers != NULL ? numbers : &found);
}

/*
 * Likewise for a marker of one number.
 */
Oid
align_numbered_root(AttachmentId id)
{
	List	   *numbers;

	return NearestRoot(id.relid, id.number, &numbers);
}

/*
 * All triggers that call align.attachment() and have a name, with or without a
 * number, as a list of CatalogTrigger.  They are found by their dependency on
 * that function, which few other objects have.
 */
static List *
FindTriggersByName(const char *name)
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
			align_number_in_name(trigger.name, name) != 0)
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

/*
 * list_sort() comparator for AttachmentId *: by table, then by number.
 */
static int
CompareIds(const ListCell *left, const ListCell *right)
{
	const AttachmentId *a = (const AttachmentId *) lfirst(left);
	const AttachmentId *b = (const AttachmentId *) lfirst(right);

	if (a->relid != b->relid)
		return a->relid > b->relid ? 1 : -1;
	return a->number - b->number;
}

/*
 * The attachments to an agreement, or to any.
 */
List *
align_attached_tables(const char *agreement)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, FindTriggersByName(ATTACHMENT_MARKER))
	{
		const CatalogTrigger *trigger = (const CatalogTrigger *) lfirst(lc);
		AttachmentId id = {trigger->relid, align_number_in_name(trigger->name, ATTACHMENT_MARKER)};
		AttachmentMarker marker;

		if (align_find_marker(id, &marker) &&
			(agreement == NULL || strcmp(marker.agreement, agreement) == 0))
		{
			AttachmentId *found = palloc(sizeof(AttachmentId));

			*found = id;
			result = lappend(result, found);
		}
	}
	list_sort(result, CompareIds);
	return result;
}

/*
 * OIDs of the tables whose pointers name an attachment of a root, or any if
 * number is 0.
 */
List *
align_record_tables_of(Oid root, int32 number)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, FindTriggersByName(ATTACHMENT_POINTER))
	{
		CatalogTrigger *trigger = (CatalogTrigger *) lfirst(lc);

		/*
		 * Skip the clones on partitions, which are dropped with the pointer
		 * of the partitioned table.  A partition that was detached still has
		 * its clone: PostgreSQL keeps clones of constraint triggers, and does
		 * not allow dropping them.
		 */
		if (trigger->from == root && !OidIsValid(trigger->parent) &&
			strcmp(trigger->name, ATTACHMENT_POINTER) == 0 &&
			(number == 0 || number == PointerNumber(trigger->nargs, trigger->args)))
			result = lappend_oid(result, trigger->relid);
	}
	list_sort(result, list_oid_cmp);
	return result;
}
