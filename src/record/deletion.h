/*
 * deletion.h
 *	  A deferred deletion of a row, and the form in which it is stored.
 */
#ifndef ALIGN_RECORD_DELETION_H
#define ALIGN_RECORD_DELETION_H

#include "compat.h"

#include "attachment/attachment.h"
#include "lib/stringinfo.h"

/*
 * What is kept of a deleted row.  Strings are NULL for SQL NULL and for
 * columns that the attachment does not have.
 */
typedef struct DeferredDeletion
{
	const char *stage;			/* label, as the row had it */
	const char *team;
	const char *assignee;
	const char *reason;			/* only with reason_must_change, else NULL */
	const char *actor;			/* who deleted the row, by its column or the
								 * setting */
	const char *db_role;		/* role that deleted the row */
	int64		changed_at;		/* value of its type, which is date, timestamp
								 * or timestamptz */
	CommandId	command;		/* command that deleted the row */
	CommandId	replaced_command;	/* as in Change */
	bool		no_changed_at;	/* changed_at is null */
	bool		live;			/* the row was live */
	bool		truncated;		/* by TRUNCATE */
	bool		restricted;		/* in a security-restricted operation */
} DeferredDeletion;

/*
 * Appends the stored form of a key and of a deletion, which may be NULL, to an
 * empty buffer.
 */
extern void align_deletion_store(StringInfo record, const Attachment *attachment,
								 const Datum *key, const DeferredDeletion *deletion);

/*
 * Read the key, and the deletion, of a stored form, which must have the
 * alignment of palloc'd memory.  Key and strings point into it.
 */
extern void align_deletion_key(const char *record, const Attachment *attachment, Datum *key);
extern void align_deletion_read(const char *record, const Attachment *attachment,
								DeferredDeletion *deletion);

#endif							/* ALIGN_RECORD_DELETION_H */
