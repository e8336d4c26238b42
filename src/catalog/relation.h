/*
 * relation.h
 *	  Names, owners and locks of relations.
 */
#ifndef ALIGN_CATALOG_RELATION_H
#define ALIGN_CATALOG_RELATION_H

#include "compat.h"

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

/* Raises 42P01 unless a relation of this OID exists. */
extern void align_check_relation_exists(Oid relid);

/* Owner of a relation; raises if the relation does not exist. */
extern Oid	align_relation_owner(Oid relid);

/* Number of its attributes, dropped ones included. */
extern int	align_relation_natts(Oid relid);

/* Name of a relation, schema-qualified and quoted for SQL; palloc'd. */
extern char *align_relation_name(Oid relid);

/* Locks the partitions of every level of a table; returns their OIDs, without the
 * table itself. */
extern List *align_lock_partitions(Oid relid, LOCKMODE mode);

/* Raises unless the current user owns the relation, by the rule of PostgreSQL's
 * own commands: superusers own everything. */
extern void align_check_table_owner(Oid relid);

/* Locks a relation that the current user owns; raises if it does not exist or is
 * not the current user's, also if that changes while the lock is awaited. */
extern void align_lock_own_table(Oid relid, LOCKMODE mode);

#endif							/* ALIGN_CATALOG_RELATION_H */
