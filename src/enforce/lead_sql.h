/*
 * lead_sql.h
 *	  SQL text about the leads of an attached table, in that table and in its
 *	  history and clock tables; for functions that owners call.
 *
 * Names are quoted and operators schema-qualified: the text means the same
 * under any search_path.
 */
#ifndef ALIGN_LEAD_SQL_H
#define ALIGN_LEAD_SQL_H

#include "compat.h"

#include "enforce/attachment.h"
#include "lib/stringinfo.h"

/*
 * The attachment of the table (or of the root of the partition) that the first
 * argument names.  It stays locked against being detached; raises unless the
 * current user owns it.  function: "align.erase()", for messages.
 */
extern Attachment *align_owned_attachment(FunctionCallInfo fcinfo, const char *function);

/* In SQL text, each table goes by the alias "h". */

/* "h.region, h.id" */
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

/*
 * Run a query whose parameters are one key as the owner of the attached table;
 * the caller is connected.  It sees what is committed now, also in a transaction
 * whose own snapshot is older: what is recorded goes on under locks on rows of
 * the table, and those may come after the snapshot.
 */
extern void align_read_as_owner(Attachment *attachment, const char *query, Datum *key);

/* Raises that somebody else has changed what is recorded of a lead. */
extern void align_lead_changed(const char *lead) pg_attribute_noreturn();

#endif							/* ALIGN_LEAD_SQL_H */
