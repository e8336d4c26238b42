/*
 * relation.h
 *	  Names, owners and locks of relations.
 */
#ifndef ALIGN_CATALOG_RELATION_H
#define ALIGN_CATALOG_RELATION_H

#include "compat.h"

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

/* Raises undefined_table (42P01) unless the relation exists. */
extern void align_check_relation_exists(Oid relid);

/* The owner of a relation, which must exist. */
extern Oid	align_relation_owner(Oid relid);

/* The number of its columns, including dropped ones. */
extern int	align_relation_natts(Oid relid);

/* Is a column, which must exist, marked NOT NULL? */
extern bool align_column_is_not_null(Oid relid, AttrNumber attnum);

/*
 * True if an index has no predicate and no expressions.  Does not evaluate
 * them, as RelationGetIndexPredicate() does: that runs functions of the
 * table's owner as the current user.
 */
extern bool align_index_is_plain(Relation index);

/* The name of a relation, schema-qualified and quoted for SQL; palloc'd. */
extern char *align_relation_name(Oid relid);

/*
 * Lock the partitions of a table on all levels.  Returns their OIDs, without
 * the table itself; NIL if it is not partitioned.
 */
extern List *align_lock_partitions(Oid relid, LOCKMODE mode);

/* Raises unless the current user owns the relation or is a superuser. */
extern void align_check_table_owner(Oid relid);

/*
 * Lock a relation that the current user owns.  Raises if the relation does not
 * exist or the current user does not own it, before or after waiting for the
 * lock.
 */
extern void align_lock_own_table(Oid relid, LOCKMODE mode);

#endif							/* ALIGN_CATALOG_RELATION_H */
