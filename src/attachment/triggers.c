/*
 * triggers.c
 *	  The triggers of an attachment; see triggers.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_trigger.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "attachment/pointer.h"
#include "attachment/triggers.h"
#include "catalog/relation.h"
#include "condition/condition.h"

static const char *
ColumnName(const AttachmentMarker *marker, AttrNumber attnum)
{
	return quote_identifier(get_attname(marker->root, attnum, false));
}

/*
 * Appends a test of whether an UPDATE changes a column, by the equality of the
 * column's type.
 *
 * IS DISTINCT FROM looks up its operator by name in the search_path, which is
 * empty when a dump is restored.  So it is used for operators in pg_catalog
 * only.  A domain is cast to its base type, because the equality of enums is
 * not found for a domain over an enum.  A stage with a nondeterministic
 * collation is compared with COLLATE "C": labels that the collation considers
 * equal are different labels.
 */
static void
AppendDistinct(StringInfo buf, const AttachmentMarker *marker, AttrNumber attnum)
{
	const char *name = ColumnName(marker, attnum);
	Oid			type;
	int32		typmod;
	Oid			collation;
	Oid			operator;
	Oid			base;
	const char *as = "";

	if (buf->len > 0)
		appendStringInfoString(buf, " OR ");
	get_atttypetypmodcoll(marker->root, attnum, &type, &typmod, &collation);
	operator = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation) &&
		attnum == marker->column[ROW_STAGE])
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
 * The live condition on OLD or NEW.
 */
static char *
LiveText(const AttachmentMarker *marker, const char *row)
{
	return deparse_expression(marker->live, deparse_context_for(row, marker->root), true, false);
}

/*
 * A row of columns of OLD or NEW, which are given as by align_role_columns().
 */
static char *
RowOfColumns(const AttachmentMarker *marker, const Bitmapset *columns, const char *row)
{
	StringInfoData buf;
	int			member = -1;

	initStringInfo(&buf);
	while ((member = bms_next_member(columns, member)) >= 0)
		appendStringInfo(&buf, "%s%s.%s", buf.len > 0 ? ", " : "ROW(", row,
						 ColumnName(marker, member + FirstLowInvalidHeapAttributeNumber));
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

/*
 * Appends a test of whether an UPDATE changes a column that an expression for
 * stage, team or assignee uses.  Their images are compared, since an
 * expression can depend on more than equality does, such as the scale of a
 * numeric.
 */
static void
AppendExpressionsDiffer(StringInfo buf, const AttachmentMarker *marker)
{
	static const RowRole roles[] = {ROW_STAGE, ROW_TEAM, ROW_ASSIGNEE};
	Bitmapset  *columns = NULL;

	for (int i = 0; i < (int) lengthof(roles); i++)
	{
		if (marker->expression[roles[i]] != NULL)
			columns = bms_join(columns, align_role_columns(marker, roles[i]));
	}
	if (columns != NULL)
		appendStringInfo(buf, " OR pg_catalog.record_image_ne(%s, %s)",
						 RowOfColumns(marker, columns, "old"),
						 RowOfColumns(marker, columns, "new"));
}

/*
 * The WHEN of align_update: does the UPDATE change anything that is recorded?
 */
static char *
ChangeCondition(const AttachmentMarker *marker)
{
	StringInfoData buf;

	initStringInfo(&buf);
	if (marker->column[ROW_STAGE] != InvalidAttrNumber)
		AppendDistinct(&buf, marker, marker->column[ROW_STAGE]);
	for (int i = 0; i < marker->nkeys; i++)
		AppendDistinct(&buf, marker, marker->key[i]);
	if (marker->column[ROW_TEAM] != InvalidAttrNumber)
		AppendDistinct(&buf, marker, marker->column[ROW_TEAM]);
	if (marker->column[ROW_ASSIGNEE] != InvalidAttrNumber)
		AppendDistinct(&buf, marker, marker->column[ROW_ASSIGNEE]);
	AppendExpressionsDiffer(&buf, marker);
	if (marker->live != NULL)
		appendStringInfo(&buf, " OR ((%s) IS TRUE) IS DISTINCT FROM ((%s) IS TRUE)",
						 LiveText(marker, "old"), LiveText(marker, "new"));
	return buf.data;
}

/*
 * Adds a plan.  name is that of the first attachment, and so is that of the
 * record tables' own triggers in any attachment: they belong to one only.
 */
static TriggerPlan *
AddPlan(List **plans, Oid relid, const char *name, const char *timing, int16 type,
		const char *function, const char *comment)
{
	TriggerPlan *plan = palloc0(sizeof(TriggerPlan));

	plan->relid = relid;
	plan->name = name;
	plan->timing = timing;
	plan->type = type;
	plan->function = function;
	plan->arguments = "";
	plan->comment = comment;
	*plans = lappend(*plans, plan);
	return plan;
}

/*
 * Likewise for a trigger of the attached table: the name has the number of the
 * attachment, and so has the argument, except that of the first attachment.
 */
static TriggerPlan *
AddTablePlan(List **plans, const AttachmentMarker *marker, Oid relid, const char *name,
			 const char *timing, int16 type, const char *function, const char *comment)
{
	int32		number = marker->options.number;
	TriggerPlan *plan = AddPlan(plans, relid, align_numbered_name(name, number), timing, type,
								function, comment);

	if (number != ATTACHMENT_FIRST)
		plan->arguments = psprintf("'%d'", number);
	return plan;
}

/*
 * The arguments of the marker.
 */
static char *
MarkerArguments(const AttachmentMarker *marker)
{
	StringInfoData arguments;
	ListCell   *lc;

	initStringInfo(&arguments);
	appendStringInfo(&arguments, "%s, '%s', %s", quote_literal_cstr(marker->agreement),
					 align_attach_mode_name(marker->mode),
					 quote_literal_cstr(align_attach_options_text(&marker->options)));
	foreach(lc, align_used_columns(marker))
		appendStringInfo(&arguments, ", '%s'", align_column_roles(marker, lfirst_int(lc)));
	return arguments.data;
}

/*
 * Adds the trigger that stores the expressions, whose arguments are the roles
 * that have one.
 */
static void
AddExpressions(List **plans, const AttachmentMarker *marker)
{
	TriggerPlan *plan = AddTablePlan(plans, marker, marker->root, ATTACHMENT_EXPRESSIONS,
									 "AFTER DELETE", TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE,
									 "attachment", "stores the expressions of roles; never fires");
	StringInfoData expressions;
	StringInfoData roles;

	initStringInfo(&expressions);
	initStringInfo(&roles);
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (marker->expression[role] == NULL)
			continue;
		appendStringInfo(&expressions, "%s%s", expressions.len > 0 ? ", " : "",
						 align_role_sql(marker, (RowRole) role, "old"));
		appendStringInfo(&roles, "%s'%s'", roles.len > 0 ? ", " : "", align_row_role_names[role]);
	}
	plan->condition = psprintf("false AND (ROW(%s) IS NULL)", expressions.data);
	plan->arguments = roles.data;
}

/*
 * Adds the trigger that names the views of look-ups, whose arguments are their
 * roles.
 */
static void
AddLabels(List **plans, const AttachmentMarker *marker)
{
	TriggerPlan *plan = AddTablePlan(plans, marker, marker->root, ATTACHMENT_LABELS,
									 "AFTER DELETE", TRIGGER_TYPE_DELETE, "attachment",
									 "names the views in which labels are looked up; never fires");
	StringInfoData views;
	StringInfoData roles;

	initStringInfo(&views);
	initStringInfo(&roles);
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (!OidIsValid(marker->labels[role]))
			continue;
		appendStringInfo(&views, "%s%s::pg_catalog.regclass IS NULL", views.len > 0 ? " AND " : "",
						 quote_literal_cstr(align_relation_name(marker->labels[role])));
		appendStringInfo(&roles, "%s'%s'", roles.len > 0 ? ", " : "", align_row_role_names[role]);
	}
	plan->condition = views.data;
	plan->arguments = roles.data;
}

static void
AddMarker(List **plans, const AttachmentMarker *marker)
{
	StringInfoData timing;
	TriggerPlan *plan;
	ListCell   *lc;

	initStringInfo(&timing);
	foreach(lc, align_used_columns(marker))
		appendStringInfo(&timing, "%s%s", timing.len > 0 ? ", " : "AFTER UPDATE OF ",
						 ColumnName(marker, lfirst_int(lc)));
	plan = AddTablePlan(plans, marker, marker->root, ATTACHMENT_MARKER, timing.data,
						TRIGGER_TYPE_AFTER | TRIGGER_TYPE_UPDATE, "attachment",
						"stores the arguments of align.attach(); never fires");
	plan->on_columns = true;
	plan->arguments = MarkerArguments(marker);
	plan->condition = psprintf("%s::pg_catalog.regclass IS NULL AND "
							   "%s::pg_catalog.regclass IS NULL",
							   quote_literal_cstr(align_relation_name(marker->history)),
							   quote_literal_cstr(align_relation_name(marker->sla)));
	if (marker->live != NULL)
	{
		plan = AddTablePlan(plans, marker, marker->root, ATTACHMENT_LIVE, "AFTER DELETE",
							TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE, "attachment",
							"stores the condition of live rows; never fires");
		plan->arguments = "";
		plan->condition = psprintf("false AND (%s)", LiveText(marker, "old"));
	}
	if (align_marker_has_expressions(marker))
		AddExpressions(plans, marker);
	if (align_marker_has_labels(marker))
		AddLabels(plans, marker);
}

/*
 * The WHEN of align_insert and align_delete on NEW or OLD; NULL for none.  On
 * a partitioned table they have none: the two events of a row movement must
 * both arrive, even if the stage is null in one of them.
 */
static char *
HasStageCondition(const AttachmentMarker *marker, const char *row)
{
	if (marker->partitioned || marker->expression[ROW_STAGE] != NULL)
		return NULL;
	return psprintf("%s.%s IS NOT NULL", row, ColumnName(marker, marker->column[ROW_STAGE]));
}

/*
 * Adds the row triggers.
 */
static void
AddRowTriggers(List **plans, const AttachmentMarker *marker, Oid relid)
{
	bool		cloned = relid != marker->root;
	TriggerPlan *plan;

	plan = AddTablePlan(plans, marker, relid, ATTACH_INSERT, "AFTER INSERT",
						TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT, "record_row",
						"align: judges and records leads that are inserted");
	plan->condition = HasStageCondition(marker, "new");
	plan->cloned = cloned;

	plan = AddTablePlan(plans, marker, relid, ATTACH_UPDATE, "AFTER UPDATE",
						TRIGGER_TYPE_ROW | TRIGGER_TYPE_UPDATE, "record_row",
						"align: judges and records changes of stage, and records those of key, team and assignee");
	plan->condition = ChangeCondition(marker);
	plan->cloned = cloned;

	plan = AddTablePlan(plans, marker, relid, ATTACH_DELETE, "AFTER DELETE",
						TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE, "record_row",
						"align: records leads that are deleted");
	plan->condition = HasStageCondition(marker, "old");
	plan->cloned = cloned;
}

/*
 * The statement triggers of the root or of a partition.  PostgreSQL fires only
 * those of the table that a statement names, and does not clone them.
 */
static void
AddStatementTriggers(List **plans, const AttachmentMarker *marker, Oid relid, bool is_partition)
{
	int16		events = TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE;
	TriggerPlan *plan;

	plan = AddTablePlan(plans, marker, relid, ATTACH_BEGIN, "BEFORE INSERT OR UPDATE OR DELETE",
						TRIGGER_TYPE_BEFORE | events, "record_statement",
						"align: registers the beginning of a statement");
	plan->may_be_missing = is_partition;

	plan = AddTablePlan(plans, marker, relid, ATTACH_FLUSH, "AFTER INSERT OR UPDATE OR DELETE",
						events, "record_statement",
						"align: writes the changes of a statement to history and clocks");
	plan->may_be_missing = is_partition;

	plan = AddTablePlan(plans, marker, relid, ATTACH_TRUNCATE, "BEFORE TRUNCATE",
						TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE, "record_statement",
						"align: records leads that are truncated");
	plan->may_be_missing = is_partition;
}

static void
AddGuard(List **plans, Oid relid, bool is_partition)
{
	TriggerPlan *plan = AddPlan(plans, relid, ATTACH_GUARD,
								"BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE",
								TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE |
								TRIGGER_TYPE_DELETE | TRIGGER_TYPE_TRUNCATE, "history_guard",
								"align: refuses writes that are not made by align");

	plan->may_be_missing = is_partition;
}

static void
AddPointer(List **plans, const AttachmentMarker *marker, Oid relid)
{
	TriggerPlan *plan = AddPlan(plans, relid, ATTACHMENT_POINTER, "AFTER DELETE",
								TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE, "attachment",
								"names the attached table to which this one belongs; never fires");

	plan->from = marker->root;
	plan->condition = "false";
	plan->arguments = align_pointer_arguments(marker);
	plan->pointer_of = marker;
}

/*
 * The plans for all triggers of an attachment.
 */
List *
align_trigger_plans(const AttachmentMarker *marker, List *partitions, List *records)
{
	List	   *plans = NIL;
	ListCell   *lc;

	AddMarker(&plans, marker);
	AddRowTriggers(&plans, marker, marker->root);
	AddStatementTriggers(&plans, marker, marker->root, false);
	foreach(lc, partitions)
	{
		AddRowTriggers(&plans, marker, lfirst_oid(lc));
		AddStatementTriggers(&plans, marker, lfirst_oid(lc), true);
	}
	foreach(lc, records)
		AddGuard(&plans, lfirst_oid(lc),
				 lfirst_oid(lc) != marker->history && lfirst_oid(lc) != marker->sla);
	AddPointer(&plans, marker, marker->history);
	AddPointer(&plans, marker, marker->sla);
	return plans;
}

static const char *
LevelName(const TriggerPlan *plan)
{
	return plan->type & TRIGGER_TYPE_ROW ? "ROW" : "STATEMENT";
}

/*
 * The CREATE TRIGGER command of a plan.
 */
char *
align_trigger_definition(const TriggerPlan *plan)
{
	StringInfoData command;

	initStringInfo(&command);
	/* there is no CREATE OR REPLACE for constraint triggers */
	if (OidIsValid(plan->from))
		appendStringInfo(&command, "CREATE CONSTRAINT TRIGGER %s %s ON %s FROM %s ", plan->name,
						 plan->timing, align_relation_name(plan->relid),
						 align_relation_name(plan->from));
	else
		appendStringInfo(&command, "CREATE OR REPLACE TRIGGER %s %s ON %s ", plan->name,
						 plan->timing, align_relation_name(plan->relid));
	appendStringInfo(&command, "FOR EACH %s ", LevelName(plan));
	if (plan->condition != NULL)
		appendStringInfo(&command, "WHEN (%s) ", plan->condition);
	appendStringInfo(&command, "EXECUTE FUNCTION align.%s(%s)", plan->function, plan->arguments);
	return command.data;
}

static bool
SameCondition(const TriggerPlan *plan, const CatalogTrigger *trigger)
{
	if (plan->condition == NULL || trigger->when == NULL)
		return plan->condition == NULL && trigger->when == NULL;
	return equal(align_condition_stored(plan->relid, plan->condition, EXPR_KIND_TRIGGER_WHEN),
				 trigger->when);
}

/*
 * True if a trigger has the arguments of its plan, letter by letter.  Those of
 * the plan are SQL text, so quote those of the trigger.
 */
bool
align_trigger_is_current(const TriggerPlan *plan, const CatalogTrigger *trigger)
{
	StringInfoData arguments;

	initStringInfo(&arguments);
	for (int i = 0; i < trigger->nargs; i++)
		appendStringInfo(&arguments, "%s%s", i > 0 ? ", " : "",
						 quote_literal_cstr(trigger->args[i]));
	return strcmp(plan->arguments, arguments.data) == 0;
}

static bool
SameArguments(const TriggerPlan *plan, const CatalogTrigger *trigger)
{
	if (plan->pointer_of != NULL)
		return align_pointer_fits(plan->pointer_of, trigger->nargs, trigger->args, false);
	return align_trigger_is_current(plan, trigger);
}

/*
 * True if a trigger is the one of a plan, enabled or not.
 */
bool
align_trigger_fits(const TriggerPlan *plan, const CatalogTrigger *trigger)
{
	return trigger->function == align_trigger_function(plan->function) &&
		trigger->type == plan->type && trigger->from == plan->from &&
		!trigger->deferrable && (trigger->ncolumns > 0) == plan->on_columns &&
		SameArguments(plan, trigger) && SameCondition(plan, trigger);
}
