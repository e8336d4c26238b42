/*
 * key_sql.h
 *	  SQL text about the keys of leads, in the attached table and in its history and
 *	  clock tables.
 *
 * Names are quoted and operators schema-qualified: the text means the same
 * under any search_path.
 */
#ifndef ALIGN_ATTACHMENT_KEY_SQL_H
#define ALIGN_ATTACHMENT_KEY_SQL_H

#include "compat.h"

#include "attachment/attachment.h"
#include "lib/stringinfo.h"

/*
 * " AND left = right" for two expressions of the type of a key column, by the
 * equality that the type's default btree operator class has; without AND if keyno
 * is 0.  All conditions on keys are made of this.
 */
extern void align_append_key_equality(StringInfo sql, int keyno, Oid type, const char *left,
									  const char *right);

/* "h.region, h.id"; each table has the alias "h" unless another is given. */
extern void align_append_key(StringInfo sql, const Attachment *attachment, AttachedTable table);

/* "h.region = r.key_1 AND h.id = r.key_2" for an alias "h" and others "r.key", with
 * the operators of the keys' types. */
extern void align_append_key_match(StringInfo sql, const Attachment *attachment,
								   AttachedTable table, const char *alias, const char *others);

/* "t.region = h.region AND t.id = h.id" for two of the tables and their aliases. */
extern void align_append_key_join(StringInfo sql, const Attachment *attachment,
								  AttachedTable left, const char *left_alias,
								  AttachedTable right, const char *right_alias);

/* "region = $1, id = $2", from a parameter on. */
extern void align_append_key_assignment(StringInfo sql, const Attachment *attachment,
										AttachedTable table, int parameter);

/* "r.region = $1 AND r.id = $2" for an alias "r", from a parameter on. */
extern void align_append_key_parameters(StringInfo sql, const Attachment *attachment,
										AttachedTable table, const char *alias, int parameter);

/* "(h.region = $1 AND h.id = $2)" */
extern void align_append_key_condition(StringInfo sql, const Attachment *attachment,
									   AttachedTable table, int parameter);

/* The types of the parameters of a key. */
extern void align_key_types(const Attachment *attachment, Oid *types);

#endif							/* ALIGN_ATTACHMENT_KEY_SQL_H */
