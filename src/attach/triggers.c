/*
 * triggers.c
 *	  Creates and drops the triggers of an attachment (see
 *	  attachment/triggers.h).
 *
 * When a table is attached again, CREATE OR REPLACE TRIGGER replaces its
 * triggers, which takes no stronger lock than creating them.  ENABLE ALWAYS
 * and ENABLE REPLICA are kept; disabled triggers are enabled.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "attach/request.h"
#include "attachment/triggers.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"

/* The triggers on the attached table. */
static const char *const table_triggers[] = {
	ATTACHMENT_MARKER, ATTACHMENT_LIVE, ATTACHMENT_EXPRESSIONS, ATTACHMENT_LABELS, ATTACH_INSERT, ATTACH_UPDATE, ATTACH_DELETE,
	ATTACH_BEGIN, ATTACH_FLUSH, ATTACH_TRUNCATE
};

/* Those on its partitions that PostgreSQL does not clone, nor drop with it. */
static const char *const partition_triggers[] = {ATTACH_BEGIN, ATTACH_FLUSH, ATTACH_TRUNCATE};

/*
 * The clause of ALTER TABLE that sets a value of tgenabled, or NULL for those
 * that are not kept.
 */
static const char *
EnableText(char enabled)
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

/*
 * True if a table's trigger of this name, with or without the number of an
 * attachment, is in a list; of any attachment if number is 0.
 */
static bool
IsListed(const CatalogTrigger *trigger, const char *const *names, int nnames, int32 number)
{
	for (int i = 0; i < nnames; i++)
	{
		int32		found = align_number_in_name(trigger->name, names[i]);

		if (found != 0 && (number == 0 || found == number))
			return true;
	}
	return false;
}

/*
 * Drops a trigger of align; false if the table has none of that name.
 */
static bool
DropTrigger(Oid relid, const char *name)
{
	if (!align_has_trigger(relid, name))
		return false;
	align_execute_format(align_relation_owner(relid), "DROP TRIGGER %s ON %s", name,
						 align_relation_name(relid));
	return true;
}

/*
 * Creates a trigger, or replaces an existing one.
 */
static void
MakeTrigger(const TriggerPlan *plan)
{
	Oid			owner = align_relation_owner(plan->relid);
	char	   *relation = align_relation_name(plan->relid);
	CatalogTrigger existing;
	bool		exists = align_find_trigger(plan->relid, plan->name, &existing);

	if (exists && !align_has_trigger(plan->relid, plan->name))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("relation \"%s\" already has a trigger named \"%s\"",
						get_rel_name(plan->relid), plan->name),
				 errdetail("That trigger does not call a function of align."),
				 errhint("Rename that trigger.")));

	/*
	 * A pointer cannot be replaced, and dropping it locks out readers, so
	 * keep it if it fits.
	 */
	if (exists && OidIsValid(plan->from))
	{
		if (align_trigger_fits(plan, &existing) && align_trigger_is_current(plan, &existing))
			return;
		DropTrigger(plan->relid, plan->name);
	}
	align_execute_as(owner, align_trigger_definition(plan));
	align_execute_format(owner, "COMMENT ON TRIGGER %s ON %s IS %s", plan->name, relation,
						 quote_literal_cstr(plan->comment));
	if (exists && EnableText(existing.enabled) != NULL)
		align_execute_format(owner, "ALTER TABLE %s %s TRIGGER %s", relation,
							 EnableText(existing.enabled), plan->name);
}

static void
FillMarker(const AttachRequest *request, AttachmentMarker *marker)
{
	memset(marker, 0, sizeof(AttachmentMarker));
	marker->root = request->relid;
	marker->partitioned = request->partitioned;
	strlcpy(marker->agreement, request->agreement, NAMEDATALEN);
	marker->mode = request->mode;
	marker->options = request->options;
	marker->history = request->history.relid;
	marker->sla = request->sla.relid;
	marker->nkeys = request->nkeys;
	memcpy(marker->key, request->key, sizeof(marker->key));
	memcpy(marker->column, request->column, sizeof(marker->column));
	memcpy(marker->expression, request->expression, sizeof(marker->expression));
	memcpy(marker->labels, request->labels, sizeof(marker->labels));
	marker->live = request->live;
}

/*
 * Creates or replaces the triggers of the attachment, and releases tables that
 * are no longer its record tables.
 */
void
align_attach_make_triggers(AttachRequest *request)
{
	AttachmentMarker marker;
	List	   *records;
	ListCell   *lc;
	int			nest_level;

	records = list_concat(find_all_inheritors(request->history.relid, ShareRowExclusiveLock, NULL),
						  find_all_inheritors(request->sla.relid, ShareRowExclusiveLock, NULL));
	FillMarker(request, &marker);
	if (marker.live == NULL)
		DropTrigger(request->relid, align_numbered_name(ATTACHMENT_LIVE, marker.options.number));
	if (!align_marker_has_expressions(&marker))
		DropTrigger(request->relid,
					align_numbered_name(ATTACHMENT_EXPRESSIONS, marker.options.number));
	if (!align_marker_has_labels(&marker))
		DropTrigger(request->relid, align_numbered_name(ATTACHMENT_LABELS, marker.options.number));
	nest_level = align_begin_role_sql();
	foreach(lc, align_trigger_plans(&marker, request->partitions, records))
	{
		const TriggerPlan *plan = (const TriggerPlan *) lfirst(lc);

		if (!plan->cloned)
			MakeTrigger(plan);
	}
	align_end_role_sql(nest_level);

	/* a pointer on a table of another owner was not created by attach() */
	foreach(lc, align_record_tables_of(request->relid, marker.options.number))
	{
		if (lfirst_oid(lc) != request->history.relid && lfirst_oid(lc) != request->sla.relid &&
			align_relation_owner(lfirst_oid(lc)) == request->owner)
			align_release_record_table(lfirst_oid(lc));
	}
	CommandCounterIncrement();
}

/*
 * Creates or replaces the pointers of the record tables.
 */
void
align_attach_make_pointers(const AttachmentMarker *marker)
{
	ListCell   *lc;

	foreach(lc, align_trigger_plans(marker, NIL, NIL))
	{
		const TriggerPlan *plan = (const TriggerPlan *) lfirst(lc);

		if (OidIsValid(plan->from))
			MakeTrigger(plan);
	}
}

/*
 * Drops the pointer of a record table, and the guards of the table and its
 * partitions.
 */
void
align_release_record_table(Oid relid)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relid, AccessExclusiveLock, NULL))
		DropTrigger(lfirst_oid(lc), ATTACH_GUARD);
	DropTrigger(relid, ATTACHMENT_POINTER);
}

/*
 * Drops those triggers of a relation that are in a list of names; false if
 * there were none.
 */
static bool
DropListed(Oid relid, const char *const *names, int nnames, int32 number)
{
	bool		found = false;
	ListCell   *lc;

	foreach(lc, align_triggers_of(relid))
	{
		const CatalogTrigger *trigger = (const CatalogTrigger *) lfirst(lc);

		if (IsListed(trigger, names, nnames, number))
			found |= DropTrigger(relid, trigger->name);
	}
	return found;
}

/*
 * Drops the triggers that a table and its partitions have for an attachment,
 * or for any if number is 0; false if there were none.
 */
bool
align_attach_drop_triggers(Oid relid, List *partitions, int32 number)
{
	bool		found = DropListed(relid, table_triggers, lengthof(table_triggers), number);
	ListCell   *lc;

	foreach(lc, partitions)
		found |= DropListed(lfirst_oid(lc), partition_triggers, lengthof(partition_triggers),
							number);
	return found;
}
