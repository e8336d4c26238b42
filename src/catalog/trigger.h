/*
 * trigger.h
 *	  Triggers as pg_trigger has them.
 */
#ifndef ALIGN_CATALOG_TRIGGER_H
#define ALIGN_CATALOG_TRIGGER_H

#include "compat.h"

#include "nodes/pg_list.h"
#include "utils/rel.h"

/* One trigger; everything is palloc'd in the current memory context. */
typedef struct CatalogTrigger
{
	Oid			oid;
	Oid			relid;			/* the table that it is on */
	char	   *name;
	Oid			function;
	int16		type;			/* as in tgtype */
	char		enabled;		/* as in tgenabled */
	bool		deferrable;
	bool		initially_deferred;
	Oid			parent;			/* of which it is a clone; InvalidOid: none */
	Oid			from;			/* the table after FROM; InvalidOid: none */
	int			nargs;
	char	  **args;
	int			ncolumns;		/* of UPDATE OF, in the order in which they
								 * were written */
	AttrNumber *columns;
	Node	   *when;			/* OLD is varno 1, NEW varno 2; NULL: none */
} CatalogTrigger;

/* The trigger of a name; false if the table has none. */
extern bool align_find_trigger(Oid relid, const char *name, CatalogTrigger *trigger);

/* The trigger of an OID; false if there is none. */
extern bool align_find_trigger_by_oid(Oid oid, CatalogTrigger *trigger);

/* All triggers of a table that are not internal, as CatalogTrigger *, by name. */
extern List *align_triggers_of(Oid relid);

/*
 * The name of a constraint (of the table, or of another table that refers to it)
 * whose triggers on the table are INITIALLY DEFERRED; NULL if there is none.
 */
extern char *align_deferred_constraint(Oid relid);

/*
 * A trigger function of the extension, such as "attachment"; InvalidOid if the
 * extension is not installed.
 */
extern Oid	align_trigger_function(const char *name);

/* Has the table a trigger of that name that calls a function of align? */
extern bool align_has_trigger(Oid relid, const char *name);

/* The same of an open relation and any function, without a catalog look-up. */
extern bool align_relation_has_trigger(Relation rel, const char *name);

#endif							/* ALIGN_CATALOG_TRIGGER_H */
