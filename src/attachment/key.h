/*
 * key.h
 *	  Keys of leads: reading them from arguments, copying, comparing and
 *	  printing them.
 *
 * A key is an array of attachment->nkeys Datums, none of them null.
 */
#ifndef ALIGN_ATTACHMENT_KEY_H
#define ALIGN_ATTACHMENT_KEY_H

#include "compat.h"

#include "attachment/attachment.h"
#include "fmgr.h"

/*
 * Reads a key from an argument of SQL type "any" or text.  A key of one column
 * may be given as its value, or as text that the column's type accepts.  A key
 * of any number of columns may be given as a row, a json or jsonb object (by
 * column name) or array, or an array; one of several columns also as the text
 * of a row or of a json object or array.  Functions whose argument is "any"
 * have a form with text, too, for parameters of drivers, which have no type.
 *
 * Stores values of the types of the key columns, which may point into the
 * argument.  Values need not satisfy the constraints of domains.  Raises an
 * error for nulls, for values that do not fit, and for text of types whose
 * input may run functions of other users.
 */
extern void align_key_argument(FunctionCallInfo fcinfo, int argno,
							   const Attachment *attachment, Datum *values);

/*
 * Reads the key from a row of the attached relation.  Raises an error if it
 * contains a null, which is possible after ALTER COLUMN ... DROP NOT NULL.
 */
extern void align_key_from_row(const Attachment *attachment, HeapTuple row, TupleDesc desc,
							   Datum *key);

/*
 * Likewise from a row of a query on one of the attachment's tables, whose
 * columns from number first on are the key.
 */
extern void align_key_from_result(const Attachment *attachment, AttachedTable table, HeapTuple row,
								  TupleDesc desc, int first, Datum *key);

/* True if the text form of a type depends on session settings. */
extern bool align_key_text_varies(Oid type);

/* Copies a key into the current memory context. */
extern void align_copy_key(const Attachment *attachment, const Datum *key, Datum *copy);

/* True if two keys are equal, by the default equality of their types. */
extern bool align_same_key(Attachment *attachment, const Datum *a, const Datum *b);

/*
 * {"id":42}, palloc'd: the form in notifications.  It is that of
 * row_to_json(), but values of types that are not built in are strings.
 */
extern char *align_key_json(const Attachment *attachment, const Datum *values);

/* {"id": 42}, as jsonb: the form in result sets. */
extern Datum align_key_jsonb(const Attachment *attachment, const Datum *values);

/* (id)=(42), palloc'd: the form in messages. */
extern char *align_key_text(const Attachment *attachment, const Datum *values);

/*
 * The same form for storage: it does not depend on session settings such as
 * TimeZone and DateStyle.
 */
extern char *align_stored_key_text(const Attachment *attachment, const Datum *values);

/*
 * Uses the settings of stored text for output functions, until the caller
 * calls AtEOXact_GUC(false, <the result>).
 */
extern int	align_use_stored_text_settings(void);

#endif							/* ALIGN_ATTACHMENT_KEY_H */
