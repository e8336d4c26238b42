/*
 * key_sql.h
 *	  SQL text for the keys of leads in the attached table and its record
 *	  tables.
 *
 * Names are quoted and operators are schema-qualified, so that the text has
 * the same meaning under any search_path.
 */
#ifndef ALIGN_ATTACHMENT_KEY_SQL_H
#define ALIGN_ATTACHMENT_KEY_SQL_H

#include "compat.h"

#include "attachment/attachment.h"
#include "lib/stringinfo.h"

/*
 * Appends " AND left = right" for two expressions of the type of a key column,
 * without " AND " if keyno is 0.  The operator is the equality of the type's
 * default btree operator class.  All conditions on keys are built from this.
 */
extern void align_append_key_equality(StringInfo sql, int keyno, Oid type, const char *left,
									  const char *right);

/* Appends "h.region, h.id". */
extern void align_append_key(StringInfo sql, const Attachment *attachment, AttachedTable table);

/*
 * Appends "h.region = r.key_1 AND h.id = r.key_2" for an alias "h" and others
 * "r.key".
 */
extern void align_append_key_match(StringInfo sql, const Attachment *attachment,
								   AttachedTable table, const char *alias, const char *others);

/*
 * Appends "t.region = h.region AND t.id = h.id" for two tables and their
 * aliases "t" and "h".
 */
extern void align_append_key_join(StringInfo sql, const Attachment *attachment,
								  AttachedTable left, const char *left_alias,
								  AttachedTable right, const char *right_alias);

/* Appends "region = $1, id = $2" if parameter is 1. */
extern void align_append_key_assignment(StringInfo sql, const Attachment *attachment,
										AttachedTable table, int parameter);

/*
 * Appends "r.region = $1 AND r.id = $2" for an alias "r", if parameter is 1.
 */
extern void align_append_key_parameters(StringInfo sql, const Attachment *attachment,
										AttachedTable table, const char *alias, int parameter);

/* Appends "(h.region = $1 AND h.id = $2)" if parameter is 1. */
extern void align_append_key_condition(StringInfo sql, const Attachment *attachment,
									   AttachedTable table, int parameter);

/* The types of the key columns, for parameters of a query. */
extern void align_key_types(const Attachment *attachment, Oid *types);

#endif							/* ALIGN_ATTACHMENT_KEY_SQL_H */
