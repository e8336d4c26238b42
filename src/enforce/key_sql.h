/*
 * key_sql.h
 *	  SQL text about the keys of leads, in the attached table and in its history and
 *	  clock tables.
 *
 * Names are quoted and operators schema-qualified: the text means the same
 * under any search_path.
 */
#ifndef ALIGN_KEY_SQL_H
#define ALIGN_KEY_SQL_H

#include "compat.h"

#include "enforce/attachment.h"
#include "lib/stringinfo.h"

/* "h.region, h.id"; each table has the alias "h" unless another is given. */
extern void align_append_key(StringInfo sql, const Attachment *attachment, AttachedTable table);
/* "h.region = r.key_1 AND h.id = r.key_2" for an alias "h" and others "r.key", with
 * the operators of the keys' types. */
extern void align_append_key_match(StringInfo sql, const Attachment *attachment,
								   AttachedTable table, const char *alias, const char *others);
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

#endif							/* ALIGN_KEY_SQL_H */
