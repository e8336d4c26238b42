/*
 * attach_triggers.c
 *	  Making and removing the triggers of an attachment (see attachment.h).
 *
 * Attaching again replaces triggers in their place, which takes no stronger lock
 * than creating them, and leaves them enabled as they were (ENABLE ALWAYS, for
 * tables that logical replication writes to); those that were disabled are
 * enabled.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "enforce/attach.h"

#define ROW_LEVEL "ROW"
#define STATEMENT_LEVEL "STATEMENT"

static const char *const trigger_names[] = {
	ATTACHMENT_MARKER, ATTACHMENT_LIVE, ATTACH_INSERT, ATTACH_UPDATE, ATTACH_DELETE,
	ATTACH_FLUSH, ATTACH_BEGIN, ATTACH_TRUNCATE, ATTACH_GUARD
};

/*
 * What is to become of one name on one table.
 */
typedef struct TriggerPlan
{
	const char *name;
	const char *timing;			/* "AFTER INSERT" */
	const char *level;
	const char *condition;		/* NULL: none */
	const char *function;		/* in the schema align */
	const char *arguments;
	const char *comment;
} TriggerPlan;

/*
 * Its state as in pg_trigger.tgenabled; '\0' if there is no such trigger.
 * *is_ours: it calls a function in the schema align.
 */
static char
FindTrigger(Oid relid, const char *name, bool *is_ours)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData keys[2];
	HeapTuple	tuple;
	NameData	name_key;
	char		result = '\0';

	*is_ours = false;
	namestrcpy(&name_key, name);
	ScanKeyInit(&keys[0], Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_trigger_tgname, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&name_key));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		result = form->tgenabled;
		*is_ours = get_func_namespace(form->tgfoid) == get_namespace_oid("align", true);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

bool
align_has_trigger(Oid relid, const char *name)
{
	bool		is_ours;

	return FindTrigger(relid, name, &is_ours) != '\0' && is_ours;
}

static const char *
EnableWord(char enabled)
{
	switch (enabled)
	{
		case TRIGGER_FIRES_ALWAYS:
			return "ENABLE ALWAYS";
		case TRIGGER_FIRES_ON_REPLICA:
			return "ENABLE REPLICA";
		default:
			return NULL;
	}
}

static void
MakeTrigger(Oid relid, const TriggerPlan *plan)
{
	bool		is_ours;
	char		enabled = FindTrigger(relid, plan->name, &is_ours);
	Oid			owner = align_relation_owner(relid);
	char	   *relation = align_relation_name(relid);
	StringInfoData command;

	if (enabled != '\0' && !is_ours)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("relation \"%s\" has a trigger named \"%s\" that is not align's",
						get_rel_name(relid), plan->name),
				 errhint("Rename that trigger.")));

	initStringInfo(&command);
	appendStringInfo(&command, "CREATE OR REPLACE TRIGGER %s %s ON %s FOR EACH %s ",
					 plan->name, plan->timing, relation, plan->level);
	if (plan->condition != NULL)
		appendStringInfo(&command, "WHEN (%s) ", plan->condition);
	appendStringInfo(&command, "EXECUTE FUNCTION align.%s(%s)", plan->function, plan->arguments);
	align_execute_as(owner, command.data);

	resetStringInfo(&command);
	appendStringInfo(&command, "COMMENT ON TRIGGER %s ON %s IS %s", plan->name, relation,
					 quote_literal_cstr(plan->comment));
	align_execute_as(owner, command.data);

	if (EnableWord(enabled) != NULL)
	{
		resetStringInfo(&command);
		appendStringInfo(&command, "ALTER TABLE %s %s TRIGGER %s", relation, EnableWord(enabled),
						 plan->name);
		align_execute_as(owner, command.data);
	}
	pfree(command.data);
}

static bool
DropTrigger(Oid relid, const char *name)
{
	StringInfoData command;

	if (!align_has_trigger(relid, name))
		return false;
	initStringInfo(&command);
	appendStringInfo(&command, "DROP TRIGGER %s ON %s", name, align_relation_name(relid));
	align_execute_as(align_relation_owner(relid), command.data);
	pfree(command.data);
	return true;
}

static const char *
ColumnName(const AttachRequest *request, AttrNumber attnum)
{
	return quote_identifier(get_attname(request->relid, attnum, false));
}

/*
 * Is a column's value another one afterwards?  By the equality of its type; where
 * that is not built in, by name, since IS DISTINCT FROM would find another one
 * or none when a dump is restored.  Nor would it find that of all enums for a
 * domain.  Collations that take different labels for equal are not asked.
 */
static void
AppendDistinct(StringInfo buf, const AttachRequest *request, AttrNumber attnum)
{
	const char *name = ColumnName(request, attnum);
	Oid			type;
	int32		typmod;
	Oid			collation;
	Oid			operator;
	Oid			base;
	const char *as = "";

	if (buf->len > 0)
		appendStringInfoString(buf, " OR ");
	get_atttypetypmodcoll(request->relid, attnum, &type, &typmod, &collation);
	operator = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation) &&
		attnum == request->column[ROW_STAGE])
		as = " COLLATE \"C\"";
	else if ((base = getBaseType(type)) != type)
		as = psprintf("::%s", format_type_extended(base, -1, FORMAT_TYPE_FORCE_QUALIFY));
	if (get_func_namespace(get_opcode(operator)) == PG_CATALOG_NAMESPACE)
		appendStringInfo(buf, "old.%s%s IS DISTINCT FROM new.%s%s", name, as, name, as);
	else
	{
		HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
		Form_pg_operator form;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for operator %u", operator);
		form = (Form_pg_operator) GETSTRUCT(tuple);
		appendStringInfo(buf,
						 "((old.%s OPERATOR(%s.%s) new.%s) IS NOT TRUE AND (old.%s IS NOT NULL OR new.%s IS NOT NULL))",
						 name, quote_identifier(get_namespace_name(form->oprnamespace)),
						 NameStr(form->oprname), name, name, name);
		ReleaseSysCache(tuple);
	}
}

/*
 * The condition on live rows over OLD or NEW.
 */
static char *
LiveText(const AttachRequest *request, const char *row)
{
	return deparse_expression(request->live, deparse_context_for(row, request->relid), true, false);
}

static char *
ChangeCondition(const AttachRequest *request)
{
	StringInfoData buf;

	initStringInfo(&buf);
	AppendDistinct(&buf, request, request->column[ROW_STAGE]);
	for (int i = 0; i < request->nkeys; i++)
		AppendDistinct(&buf, request, request->key[i]);
	if (request->column[ROW_TEAM] != InvalidAttrNumber)
		AppendDistinct(&buf, request, request->column[ROW_TEAM]);
	if (request->column[ROW_ASSIGNEE] != InvalidAttrNumber)
		AppendDistinct(&buf, request, request->column[ROW_ASSIGNEE]);
	if (request->live != NULL)
		appendStringInfo(&buf, " OR ((%s) IS TRUE) IS DISTINCT FROM ((%s) IS TRUE)",
						 LiveText(request, "old"), LiveText(request, "new"));
	return buf.data;
}

static void
AppendRole(StringInfo roles, const char *role)
{
	appendStringInfo(roles, "%s%s", roles->len > 0 ? "+" : "", role);
}

/*
 * All roles of a column, joined by '+'.
 */
static char *
RolesOf(const AttachRequest *request, AttrNumber attnum)
{
	StringInfoData roles;

	initStringInfo(&roles);
	for (int i = 0; i < request->nkeys; i++)
	{
		if (request->key[i] == attnum)
			AppendRole(&roles, "key");
	}
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (request->column[role] == attnum)
			AppendRole(&roles, align_row_role_names[role]);
	}
	return roles.data;
}

/*
 * The columns in use, each once: the key in its order, then the others.
 */
static List *
UsedColumns(const AttachRequest *request)
{
	List	   *result = NIL;

	for (int i = 0; i < request->nkeys; i++)
		result = lappend_int(result, request->key[i]);
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (request->column[role] != InvalidAttrNumber)
			result = list_append_unique_int(result, request->column[role]);
	}
	return result;
}

static void
MakeMarker(const AttachRequest *request)
{
	StringInfoData timing;
	StringInfoData arguments;
	StringInfoData condition;
	TriggerPlan plan = {
		.name = ATTACHMENT_MARKER,
		.level = STATEMENT_LEVEL,
		.function = "attachment",
		.comment = "what align.attach() was told about the table; never fires"
	};
	ListCell   *lc;

	initStringInfo(&timing);
	initStringInfo(&arguments);
	initStringInfo(&condition);
	appendStringInfo(&arguments, "%s, '%s', '%s'", quote_literal_cstr(request->agreement),
					 align_attach_mode_name(request->mode), request->notify ? "notify" : "");
	appendStringInfoString(&timing, "AFTER UPDATE OF ");
	foreach(lc, UsedColumns(request))
	{
		AttrNumber	attnum = lfirst_int(lc);

		appendStringInfo(&timing, "%s%s", foreach_current_index(lc) > 0 ? ", " : "",
						 ColumnName(request, attnum));
		appendStringInfo(&arguments, ", '%s'", RolesOf(request, attnum));
	}
	appendStringInfo(&condition, "%s::pg_catalog.regclass IS NULL AND %s::pg_catalog.regclass IS NULL",
					 quote_literal_cstr(align_relation_name(request->history.relid)),
					 quote_literal_cstr(align_relation_name(request->sla.relid)));
	plan.timing = timing.data;
	plan.arguments = arguments.data;
	plan.condition = condition.data;
	MakeTrigger(request->relid, &plan);
}

static void
MakeLive(const AttachRequest *request)
{
	TriggerPlan plan = {
		.name = ATTACHMENT_LIVE,
		.timing = "AFTER DELETE",
		.level = ROW_LEVEL,
		.function = "attachment",
		.arguments = "",
		.comment = "which rows align counts as live; never fires"
	};

	if (request->live == NULL)
	{
		DropTrigger(request->relid, ATTACHMENT_LIVE);
		return;
	}
	plan.condition = psprintf("false AND (%s)", LiveText(request, "old"));
	MakeTrigger(request->relid, &plan);
}

/*
 * Of a partitioned table, rows that appear and disappear are told whatever their
 * stage: they may be the halves of a row movement, and come in pairs.
 */
static void
MakeRecorders(const AttachRequest *request)
{
	const char *stage = ColumnName(request, request->column[ROW_STAGE]);
	TriggerPlan plan = {
		.level = ROW_LEVEL,
		.function = "record_row",
		.arguments = "",
	};

	plan.name = ATTACH_INSERT;
	plan.timing = "AFTER INSERT";
	plan.condition = request->partitioned ? NULL : psprintf("new.%s IS NOT NULL", stage);
	plan.comment = "align: judges and records leads that appear";
	MakeTrigger(request->relid, &plan);

	plan.name = ATTACH_UPDATE;
	plan.timing = "AFTER UPDATE";
	plan.condition = ChangeCondition(request);
	plan.comment = "align: judges and records changes of stage, and records those of key, team and assignee";
	MakeTrigger(request->relid, &plan);

	plan.name = ATTACH_DELETE;
	plan.timing = "AFTER DELETE";
	plan.condition = request->partitioned ? NULL : psprintf("old.%s IS NOT NULL", stage);
	plan.comment = "align: records leads that are deleted";
	MakeTrigger(request->relid, &plan);
}

static void
MakeStatementTriggers(const AttachRequest *request)
{
	ListCell   *lc;
	TriggerPlan plan = {
		.level = STATEMENT_LEVEL,
		.function = "record_statement",
		.arguments = "",
	};

	plan.name = ATTACH_FLUSH;
	plan.timing = "AFTER INSERT OR UPDATE OR DELETE";
	plan.comment = "align: writes what the statement changed to history and clocks";
	MakeTrigger(request->relid, &plan);

	if (request->partitioned)
	{
		plan.name = ATTACH_BEGIN;
		plan.timing = "BEFORE INSERT OR UPDATE OR DELETE";
		plan.comment = "align: a statement on the partitioned table itself begins";
		MakeTrigger(request->relid, &plan);
	}

	plan.name = ATTACH_TRUNCATE;
	plan.timing = "BEFORE TRUNCATE";
	plan.comment = "align: records the leads that are truncated away";
	MakeTrigger(request->relid, &plan);
	foreach(lc, request->partitions)
		MakeTrigger(lfirst_oid(lc), &plan);
}

static void
MakeGuard(Oid relid)
{
	TriggerPlan plan = {
		.name = ATTACH_GUARD,
		.timing = "BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE",
		.level = STATEMENT_LEVEL,
		.function = "history_guard",
		.arguments = "",
		.comment = "align: nobody but align writes here"
	};

	MakeTrigger(relid, &plan);
}

void
align_attach_make_triggers(AttachRequest *request)
{
	ListCell   *lc;
	List	   *own = list_concat(find_all_inheritors(request->history.relid, ShareRowExclusiveLock, NULL),
								  find_all_inheritors(request->sla.relid, ShareRowExclusiveLock, NULL));

	MakeMarker(request);
	MakeLive(request);
	MakeRecorders(request);
	MakeStatementTriggers(request);
	foreach(lc, own)
		MakeGuard(lfirst_oid(lc));

	/* tables that are the history no longer are their owner's to write to */
	if (request->was_attached && request->before.history != request->history.relid)
		align_attach_drop_guard(request->before.history, request->relid);
	if (request->was_attached && request->before.sla != request->sla.relid)
		align_attach_drop_guard(request->before.sla, request->relid);
	CommandCounterIncrement();
}

/*
 * A marker made by hand may name any table as its history: the guard of another
 * owner's table is none of ours.
 */
void
align_attach_drop_guard(Oid relid, Oid root)
{
	ListCell   *lc;

	if (!align_table_ownercheck(relid, align_relation_owner(root)))
		return;
	foreach(lc, find_all_inheritors(relid, AccessExclusiveLock, NULL))
		DropTrigger(lfirst_oid(lc), ATTACH_GUARD);
}

bool
align_attach_drop_triggers(Oid relid, List *partitions)
{
	bool		found = false;
	ListCell   *lc;

	for (int i = 0; i < (int) lengthof(trigger_names); i++)
	{
		if (strcmp(trigger_names[i], ATTACH_GUARD) != 0)
			found |= DropTrigger(relid, trigger_names[i]);
	}
	foreach(lc, partitions)
		found |= DropTrigger(lfirst_oid(lc), ATTACH_TRUNCATE);
	return found;
}
