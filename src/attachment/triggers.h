/*
 * triggers.h
 *	  The triggers that an attachment consists of, as align.attach() makes them.
 *
 * One list of plans serves both align.attach(), which creates the triggers, and
 * align.check(), which compares them with those that are there.
 */
#ifndef ALIGN_ATTACHMENT_TRIGGERS_H
#define ALIGN_ATTACHMENT_TRIGGERS_H

#include "compat.h"

#include "attachment/attachment.h"
#include "catalog/trigger.h"

typedef struct TriggerPlan
{
	Oid			relid;			/* the table that it is on */
	const char *name;
	const char *timing;			/* "AFTER INSERT" */
	int16		type;			/* the same as in pg_trigger.tgtype */
	const char *condition;		/* of WHEN; NULL: none */
	const char *function;		/* in the schema align */
	const char *arguments;		/* as in SQL */
	Oid			from;			/* of a constraint trigger; InvalidOid: an
								 * ordinary trigger */
	bool		on_columns;		/* the timing names columns */
	bool		cloned;			/* made by PostgreSQL on a partition */
	bool		may_lack;		/* on a partition; one that was added after
								 * attach() lacks it, as PostgreSQL does not
								 * clone it */
	const char *comment;
} TriggerPlan;

/*
 * The plans for all triggers of an attachment, those on the table first.
 * partitions are those of the table, of every level; row triggers on them are
 * clones.  records are history, clock table and their partitions.
 */
extern List *align_trigger_plans(const AttachmentMarker *marker, List *partitions,
								 List *records);

/* CREATE [OR REPLACE] TRIGGER for a plan. */
extern char *align_trigger_definition(const TriggerPlan *plan);

/* Is a trigger the one that the plan describes, whether enabled or not? */
extern bool align_trigger_fits(const TriggerPlan *plan, const CatalogTrigger *trigger);

#endif							/* ALIGN_ATTACHMENT_TRIGGERS_H */
