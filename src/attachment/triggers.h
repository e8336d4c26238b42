/*
 * triggers.h
 *	  The triggers of an attachment, as align.attach() creates them.
 *
 * The same plans are used by align.attach(), which creates the triggers, and
 * by align.check(), which compares them with the existing ones.
 */
#ifndef ALIGN_ATTACHMENT_TRIGGERS_H
#define ALIGN_ATTACHMENT_TRIGGERS_H

#include "compat.h"

#include "attachment/attachment.h"
#include "catalog/trigger.h"

typedef struct TriggerPlan
{
	Oid			relid;			/* table that the trigger is on */
	const char *name;			/* with the number of the attachment */
	const char *timing;			/* "AFTER INSERT" */
	int16		type;			/* timing and level as in pg_trigger.tgtype */
	const char *condition;		/* in WHEN; NULL: none */
	const char *function;		/* name of a function in schema align */
	const char *arguments;		/* of the function, as SQL */
	const AttachmentMarker *pointer_of; /* of a pointer: the marker, which
										 * must live as long as the plan; else
										 * NULL */
	Oid			from;			/* FROM table of a constraint trigger; else
								 * InvalidOid */
	bool		on_columns;		/* is it AFTER UPDATE OF columns? */
	bool		cloned;			/* on a partition, where PostgreSQL creates it
								 * by cloning */
	bool		may_be_missing; /* on a partition, where PostgreSQL does not
								 * clone it: missing if the partition was
								 * added after attach() */
	const char *comment;
} TriggerPlan;

/*
 * The plans for all triggers of an attachment, as a list of TriggerPlan, those
 * on the root first.  partitions are the partitions of the root, of every
 * level; records are the record tables and their partitions.
 */
extern List *align_trigger_plans(const AttachmentMarker *marker, List *partitions,
								 List *records);

/* The CREATE TRIGGER command of a plan, palloc'd. */
extern char *align_trigger_definition(const TriggerPlan *plan);

/*
 * True if a trigger is the one of a plan.  Whether it is enabled does not
 * matter.
 */
extern bool align_trigger_fits(const TriggerPlan *plan, const CatalogTrigger *trigger);

/*
 * Has a trigger exactly the arguments of its plan?  Those of a pointer may
 * have old names or numbers of columns, and fit nevertheless.
 */
extern bool align_trigger_is_current(const TriggerPlan *plan, const CatalogTrigger *trigger);

#endif							/* ALIGN_ATTACHMENT_TRIGGERS_H */
