/*
 * check_triggers.c
 *	  Checks the triggers of an attachment, and the protection of history and
 *	  clock table.
 *
 * Every trigger must exist as align.attach() would create it, and be enabled.
 * Otherwise changes of the attached table may have been neither judged nor
 * recorded.  No other trigger may call a function of align, which could record
 * changes that were not made.
 *
 * History and clock table must not show more than the attached table does
 * (privileges.h), and must not have constraints that are INITIALLY DEFERRED.
 */
#include "postgres.h"

#include "catalog/pg_inherits.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "attachment/pointer.h"
#include "attachment/privileges.h"
#include "attachment/triggers.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "record/changed_leads.h"
#include "report/check.h"

static char *
TriggerText(const TriggerPlan *plan)
{
	return psprintf("%s on %s", plan->name, align_relation_name(plan->relid));
}

static char *
TriggerDefinition(Oid trigger)
{
	return TextDatumGetCString(DirectFunctionCall1(pg_get_triggerdef, ObjectIdGetDatum(trigger)));
}

static void
CheckTrigger(const Check *check, const TriggerPlan *plan)
{
	CatalogTrigger trigger;

	if (!align_find_trigger(plan->relid, plan->name, &trigger))
	{
		if (!plan->may_be_missing)
			align_check_report(check, "missing_trigger", NULL, TriggerText(plan));
	}
	else if (!align_trigger_fits(plan, &trigger))
		align_check_report(check, "altered_trigger", TriggerDefinition(trigger.oid),
						   align_trigger_definition(plan));
	else if (trigger.enabled != TRIGGER_FIRES_ON_ORIGIN && trigger.enabled != TRIGGER_FIRES_ALWAYS)
		align_check_report(check, "disabled_trigger", TriggerText(plan), NULL);
	else if (plan->pointer_of != NULL &&
			 align_pointer_is_outdated(plan->pointer_of, trigger.nargs, trigger.args))
		align_check_report(check, "outdated_pointer", TriggerDefinition(trigger.oid),
						   align_trigger_definition(plan));
}

static bool
IsPlanned(List *plans, const CatalogTrigger *trigger)
{
	ListCell   *lc;

	foreach(lc, plans)
	{
		const TriggerPlan *plan = (const TriggerPlan *) lfirst(lc);

		if (plan->relid == trigger->relid && strcmp(plan->name, trigger->name) == 0)
			return true;
	}
	return false;
}

/*
 * The plans for the triggers of the table's other attachments, whose record
 * tables can be used.  check() of these compares them.
 */
static List *
OtherPlans(const Attachment *attachment, List *partitions)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, align_attachment_numbers(attachment->marker.root))
	{
		AttachmentId id = {attachment->marker.root, lfirst_int(lc)};
		const Attachment *other;

		if (id.number == attachment->id.number)
			continue;
		other = align_attachment_with_fault(id);
		if (other != NULL && other->fault == NULL)
			result = list_concat(result, align_trigger_plans(&other->marker, partitions, NIL));
	}
	return result;
}

/*
 * Reports triggers of a table that call a function of align without being
 * planned.  Clones are not reported, since the trigger of the partitioned
 * table is; nor are those that log changed leads, if there is a log.
 */
static void
CheckNoOthers(const Check *check, List *plans, Oid relid)
{
	Oid			namespace_id = get_namespace_oid("align", false);
	Oid			log_function = align_trigger_function(CHANGED_LEADS_FUNCTION);
	Oid			owner = check->attachment->root_owner;
	ListCell   *lc;

	foreach(lc, align_triggers_of(relid))
	{
		const CatalogTrigger *trigger = (const CatalogTrigger *) lfirst(lc);

		if (get_func_namespace(trigger->function) == namespace_id &&
			(trigger->function != log_function ||
			 !OidIsValid(align_changed_leads_log(trigger->nargs, trigger->args, owner))) &&
			!OidIsValid(trigger->parent) && !IsPlanned(plans, trigger))
			align_check_report(check, "surplus_trigger", TriggerDefinition(trigger->oid), NULL);
	}
}

/*
 * Checks the triggers on the attached table, its partitions and the record
 * tables.
 */
void
align_check_triggers(const Check *check)
{
	const AttachmentMarker *marker = &check->attachment->marker;
	List	   *partitions = NIL;
	List	   *plans;
	ListCell   *lc;
	int			nest_level = align_begin_role_sql();

	if (marker->partitioned)
		partitions = list_delete_oid(find_all_inheritors(marker->root, AccessShareLock, NULL),
									 marker->root);
	plans = align_trigger_plans(marker, partitions, check->attachment->records);
	foreach(lc, plans)
		CheckTrigger(check, (const TriggerPlan *) lfirst(lc));
	plans = list_concat(plans, OtherPlans(check->attachment, partitions));
	align_end_role_sql(nest_level);
	CheckNoOthers(check, plans, marker->root);
	foreach(lc, partitions)
		CheckNoOthers(check, plans, lfirst_oid(lc));
	foreach(lc, check->attachment->records)
		CheckNoOthers(check, plans, lfirst_oid(lc));
}

/*
 * Reports privileges on a record table that the attached table does not give.
 */
static void
CheckPrivileges(const Check *check, Oid relid)
{
	ListCell   *lc;

	foreach(lc, align_surplus_privileges(check->attachment->marker.root, relid))
	{
		const SurplusPrivileges *surplus = (const SurplusPrivileges *) lfirst(lc);
		char	   *column = "";

		if (surplus->attnum != 0)
			column = psprintf(" (%s)", quote_identifier(get_attname(relid, surplus->attnum, false)));
		align_check_report(check, "surplus_privilege",
						   psprintf("%s%s on %s to %s", align_privilege_names(surplus->privileges),
									column, align_relation_name(relid),
									align_grantee_name(surplus->grantee)),
						   NULL);
	}
}

/*
 * Checks that a record table has row-level security as the attached table has
 * it, and the policy that goes with it.
 */
static void
CheckRowSecurity(const Check *check, Oid relid)
{
	const AttachmentMarker *marker = &check->attachment->marker;
	char	   *name = align_relation_name(relid);
	bool		forced;
	bool		is_forced;
	char	   *condition;

	if (!align_row_security(marker->root, &forced))
		return;
	condition = align_policy_condition(marker->root, marker->history, marker->nkeys, marker->key,
									   relid);
	if (!align_row_security(relid, &is_forced))
		align_check_report(check, "row_security", psprintf("disabled on %s", name),
						   psprintf("enabled, as on %s", check->attachment->root_name));
	else if (forced != is_forced)
		align_check_report(check, "row_security",
						   psprintf("%s on %s", is_forced ? "forced" : "not forced", name),
						   psprintf("%s, as on %s", forced ? "forced" : "not forced",
									check->attachment->root_name));
	switch (align_policy_state(relid, condition))
	{
		case POLICY_MISSING:
			align_check_report(check, "row_security", NULL,
							   psprintf("policy %s on %s", ATTACHMENT_POLICY, name));
			break;
		case POLICY_DIFFERS:
			align_check_report(check, "row_security",
							   psprintf("another policy %s on %s", ATTACHMENT_POLICY, name),
							   psprintf("USING (%s)", condition));
			break;
		case POLICY_FITS:
			break;
	}
}

/*
 * Checks history, clock table and the partitions of both.
 */
void
align_check_record_tables(const Check *check)
{
	ListCell   *lc;

	foreach(lc, check->attachment->records)
	{
		Oid			relid = lfirst_oid(lc);
		char	   *constraint = align_deferred_constraint(relid);

		CheckPrivileges(check, relid);
		CheckRowSecurity(check, relid);
		if (constraint != NULL)
			align_check_report(check, "deferred_constraint",
							   psprintf("%s on %s", constraint, align_relation_name(relid)), NULL);
	}
}
