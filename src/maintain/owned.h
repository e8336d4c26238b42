/*
 * owned.h
 *	  What functions that owners call on leads of their tables have in common.
 */
#ifndef ALIGN_MAINTAIN_OWNED_H
#define ALIGN_MAINTAIN_OWNED_H

#include "compat.h"

#include "attachment/attachment.h"

/*
 * The attachment of the table (or of the root of the partition) that the first
 * argument names.  It stays locked against being detached; raises unless the
 * current user owns it.  function: "align.erase()", for messages.
 */
extern Attachment *align_owned_attachment(FunctionCallInfo fcinfo, const char *function);

/*
 * Run a query whose parameters are one key as the owner of the attached table;
 * the caller is connected.  It sees what is committed now, also in a transaction
 * whose own snapshot is older: what is recorded goes on under locks on rows of
 * the table, and those may come after the snapshot.
 */
extern void align_read_as_owner(Attachment *attachment, const char *query, Datum *key);

/* Raises that somebody else has changed what is recorded of a lead. */
extern void align_lead_changed(const char *lead) pg_attribute_noreturn();

#endif							/* ALIGN_MAINTAIN_OWNED_H */
