/*
 * trigger.h
 *	  Reading pg_trigger.
 */
#ifndef ALIGN_CATALOG_TRIGGER_H
#define ALIGN_CATALOG_TRIGGER_H

#include "compat.h"

#include "nodes/pg_list.h"
#include "utils/rel.h"

/* A row of pg_trigger; what it points to is palloc'd. */
typedef struct CatalogTrigger
{
	Oid			oid;
	Oid			relid;			/* table that the trigger is on */
	char	   *name;
	Oid			function;
	int16		type;			/* pg_trigger.tgtype */
	char		enabled;		/* pg_trigger.tgenabled */
	bool		deferrable;
	bool		initially_deferred;
	Oid			parent;			/* trigger that it was cloned from, or
								 * InvalidOid */
	Oid			from;			/* table of the FROM clause, or InvalidOid */
	int			nargs;
	char	  **args;
	int			ncolumns;		/* length of columns */
	AttrNumber *columns;		/* columns of UPDATE OF, in the order in which
								 * they were written */
	Node	   *when;			/* WHEN condition, or NULL; OLD is varno 1,
								 * NEW varno 2 */
} CatalogTrigger;

/* Look up a trigger by table and name; false if there is none. */
extern bool align_find_trigger(Oid relid, const char *name, CatalogTrigger *trigger);

/* Look up a trigger by OID; false if there is none. */
extern bool align_find_trigger_by_oid(Oid oid, CatalogTrigger *trigger);

/* The triggers of a table that are not internal: a list of CatalogTrigger *,
 * sorted by name. */
extern List *align_triggers_of(Oid relid);

/*
 * The names of those that call a function: a list of char *, sorted.  Unlike
 * align_triggers_of(), it does not read conditions, which takes longer.
 */
extern List *align_trigger_names(Oid relid, Oid function);

/*
 * The name of a constraint that has an INITIALLY DEFERRED trigger on the
 * table, palloc'd; NULL if there is none.  The constraint belongs to this
 * table or to one that refers to it.
 */
extern char *align_deferred_constraint(Oid relid);

/*
 * The name of a foreign key that refers to the table, palloc'd, and the table
 * that has it; NULL if there is none.
 */
extern char *align_referring_key(Oid relid, Oid *referring);

/*
 * The OID of a trigger function of the extension, such as "attachment";
 * InvalidOid if there is none.
 */
extern Oid	align_trigger_function(const char *name);

/* True if the table has a trigger of that name that calls a function of the
 * extension. */
extern bool align_has_trigger(Oid relid, const char *name);

/*
 * True if an open relation has a trigger of that name, with any function.
 * Does not read the catalogs.
 */
extern bool align_relation_has_trigger(Relation rel, const char *name);

#endif							/* ALIGN_CATALOG_TRIGGER_H */
