/*
 * attachment_marker.c
 *	  Reading what align.attach() wrote down in the catalogs: the marker trigger
 *	  (see attachment.h for its form), and which tables have one.
 *
 * Anybody may make a trigger of that name on a table of theirs.  One that does
 * not call align.attachment() is no marker; one that does, but is not in the
 * form of attach(), is an error for whoever uses that table, and is passed over
 * by those who look for all attached tables.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "enforce/attach.h"
#include "enforce/attachment.h"

/* Arguments of the marker before the one per column. */
#define MARKER_FIXED_ARGS 3

/*
 * A trigger that calls align.attachment().
 */
typedef struct MarkerTrigger
{
	int			nargs;
	char	  **args;
	int			ncolumns;
	AttrNumber *columns;
	Node	   *when;			/* NULL: none */
} MarkerTrigger;

/*
 * InvalidOid while the extension is not there.
 */
Oid
align_attachment_function(void)
{
	Oid			namespace_id = get_namespace_oid("align", true);

	if (!OidIsValid(namespace_id))
		return InvalidOid;
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum("attachment"),
						   PointerGetDatum(buildoidvector(NULL, 0)),
						   ObjectIdGetDatum(namespace_id));
}

static void
TakeTrigger(Relation catalog, HeapTuple tuple, MarkerTrigger *trigger)
{
	Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);
	bool		isnull;
	Datum		value;

	trigger->ncolumns = form->tgattr.dim1;
	trigger->columns = palloc(Max(1, trigger->ncolumns) * sizeof(AttrNumber));
	memcpy(trigger->columns, form->tgattr.values, trigger->ncolumns * sizeof(AttrNumber));

	/* the arguments, each ended by a zero byte */
	trigger->nargs = form->tgnargs;
	trigger->args = palloc(Max(1, trigger->nargs) * sizeof(char *));
	value = heap_getattr(tuple, Anum_pg_trigger_tgargs, RelationGetDescr(catalog), &isnull);
	if (trigger->nargs > 0)
	{
		char	   *p;

		if (isnull)
			elog(ERROR, "null tgargs in trigger \"%s\"", NameStr(form->tgname));
		p = VARDATA(DatumGetByteaPCopy(value));
		for (int i = 0; i < trigger->nargs; i++)
		{
			trigger->args[i] = p;
			p += strlen(p) + 1;
		}
	}

	value = heap_getattr(tuple, Anum_pg_trigger_tgqual, RelationGetDescr(catalog), &isnull);
	trigger->when = isnull ? NULL : stringToNode(TextDatumGetCString(value));
}

/*
 * The trigger of that name of a table, if it calls align.attachment().
 */
static bool
FindTrigger(Oid relid, const char *name, MarkerTrigger *trigger)
{
	Oid			function = align_attachment_function();
	Relation	catalog;
	SysScanDesc scan;
	ScanKeyData keys[2];
	HeapTuple	tuple;
	NameData	name_key;
	bool		found = false;

	if (!OidIsValid(function))
		return false;
	namestrcpy(&name_key, name);
	ScanKeyInit(&keys[0], Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_trigger_tgname, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&name_key));
	catalog = table_open(TriggerRelationId, AccessShareLock);
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple) && ((Form_pg_trigger) GETSTRUCT(tuple))->tgfoid == function)
	{
		TakeTrigger(catalog, tuple, trigger);
		found = true;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/*
 * '<relation>'::regclass IS NULL
 */
static bool
TakeRelation(Node *node, Oid *relid)
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
TakeMode(const char *name, AttachMode *mode)
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
TakeRole(const char *role, int len, AttrNumber attnum, AttachmentMarker *marker)
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
TakeRoles(const char *roles, AttrNumber attnum, AttachmentMarker *marker)
{
	for (;;)
	{
		size_t		len = strcspn(roles, "+");

		if (!TakeRole(roles, len, attnum, marker))
			return false;
		if (roles[len] == '\0')
			return true;
		roles += len + 1;
	}
}

/*
 * What the marker's trigger says, false if it is not in the form of attach().
 */
static bool
TakeMarker(const MarkerTrigger *trigger, AttachmentMarker *marker)
{
	Node	   *first;
	Node	   *second = SecondOperand(trigger->when, &first);

	if (second == NULL || !TakeRelation(first, &marker->history) ||
		!TakeRelation(second, &marker->sla))
		return false;
	if (trigger->nargs != MARKER_FIXED_ARGS + trigger->ncolumns ||
		strlen(trigger->args[0]) >= NAMEDATALEN || !TakeMode(trigger->args[1], &marker->mode))
		return false;
	strlcpy(marker->agreement, trigger->args[0], NAMEDATALEN);
	marker->notify = strcmp(trigger->args[2], "notify") == 0;
	if (!marker->notify && trigger->args[2][0] != '\0')
		return false;
	for (int i = 0; i < trigger->ncolumns; i++)
	{
		if (!TakeRoles(trigger->args[MARKER_FIXED_ARGS + i], trigger->columns[i], marker))
			return false;
	}
	return marker->nkeys > 0 && marker->column[ROW_STAGE] != InvalidAttrNumber;
}

/*
 * False if there is no marker; *broken if there is one that makes no sense.
 */
static bool
ReadMarker(Oid relid, AttachmentMarker *marker, bool *broken)
{
	MarkerTrigger trigger;
	Node	   *first;

	*broken = false;
	memset(marker, 0, sizeof(AttachmentMarker));
	if (!FindTrigger(relid, ATTACHMENT_MARKER, &trigger))
		return false;
	marker->root = relid;
	marker->partitioned = get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE;
	if (!TakeMarker(&trigger, marker))
	{
		*broken = true;
		return false;
	}

	/* in WHEN, OLD is varno 1 */
	StaticAssertStmt(PRS2_OLD_VARNO == 1, "OLD is not varno 1");
	if (FindTrigger(relid, ATTACHMENT_LIVE, &trigger))
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

static bool
HasMarker(Oid relid)
{
	MarkerTrigger trigger;

	return FindTrigger(relid, ATTACHMENT_MARKER, &trigger);
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
 * The table of a trigger of this OID if it is a marker, else InvalidOid.
 */
static Oid
MarkedTable(Oid trigger)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(trigger));
	scan = systable_beginscan(catalog, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		if (strcmp(NameStr(form->tgname), ATTACHMENT_MARKER) == 0)
			result = form->tgrelid;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/*
 * Whoever calls align.attachment() depends on it, and there are few of those.
 */
List *
align_attached_tables(const char *agreement)
{
	Oid			function = align_attachment_function();
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
		AttachmentMarker marker;
		bool		broken;
		Oid			relid;

		if (form->classid != TriggerRelationId)
			continue;
		relid = MarkedTable(form->objid);
		if (OidIsValid(relid) && ReadMarker(relid, &marker, &broken) &&
			(agreement == NULL || strcmp(marker.agreement, agreement) == 0))
			result = lappend_oid(result, relid);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	list_sort(result, list_oid_cmp);
	return result;
}
