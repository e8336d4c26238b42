/*
 * key.h
 *	  Keys of leads: as arguments, compared, copied, and as text.
 */
#ifndef ALIGN_ATTACHMENT_KEY_H
#define ALIGN_ATTACHMENT_KEY_H

#include "compat.h"

#include "attachment/attachment.h"
#include "fmgr.h"

/*
 * A key given by a user as one argument of any type ("any" in SQL, fcinfo's
 * argno): for one key column its value, or text that its type reads; for
 * several a row or jsonb object (by column name) or an array, or the text of a
 * row.  Values come in the types of the key columns; raises for NULL and for
 * what does not fit.
 */
extern void align_key_argument(FunctionCallInfo fcinfo, int argno,
							   const Attachment *attachment, Datum *values);

/* Does the text of values of a type depend on settings of the session? */
extern bool align_key_text_varies(Oid type);

/* The values of a key, in the current memory context. */
extern void align_copy_key(const Attachment *attachment, const Datum *key, Datum *copy);
extern bool align_same_key(Attachment *attachment, const Datum *a, const Datum *b);

/* {"id":42}, palloc'd: how keys are sent in notifications. */
extern char *align_key_json(const Attachment *attachment, const Datum *values);

/* {"id": 42}: how keys are shown in result sets; a jsonb Datum. */
extern Datum align_key_jsonb(const Attachment *attachment, const Datum *values);

/* (id)=(42): how keys are shown in messages. */
extern char *align_key_text(const Attachment *attachment, const Datum *values);

/* The same for what is stored: it does not depend on settings of the session, such
 * as TimeZone and DateStyle. */
extern char *align_stored_key_text(const Attachment *attachment, const Datum *values);

#endif							/* ALIGN_ATTACHMENT_KEY_H */
