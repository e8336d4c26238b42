/*
 * row_version.h
 *	  A version of a row, and what is read from it.
 *
 * It is a row of the table, or what is kept of a deleted one (deletion.h).
 */
#ifndef ALIGN_RECORD_ROW_VERSION_H
#define ALIGN_RECORD_ROW_VERSION_H

#include "compat.h"

#include "access/htup.h"
#include "attachment/attachment.h"
#include "funnel/funnel.h"
#include "lead/lead.h"
#include "record/deletion.h"
#include "utils/rel.h"

/* A version of a row in the attached table or in a partition of it. */
typedef struct RowVersion
{
	Attachment *attachment;		/* of rel */
	Relation	rel;
	HeapTuple	row;
	CommandId	command;		/* command that made it; of a version that was
								 * replaced or deleted, may be
								 * InvalidCommandId as in
								 * Change.replaced_command */
	CommandId	replaced_by;	/* as in Change; only of the version that is
								 * recorded */
	bool		sets_reason;	/* the reason column is in the SET list of the
								 * statement that made the version, or that is
								 * an INSERT; also if the list is not known */
	bool		sets_changed_at;	/* likewise */
	const DeferredDeletion *deferred;	/* not NULL: row is NULL, this is kept
										 * of a deleted row, */
	const Datum *deferred_key;	/* and this is its key */
} RowVersion;

/* True if the live condition holds for a row, or if there is none. */
extern bool align_row_is_live(const RowVersion *version);

/* Reads the key, which must not contain nulls. */
extern void align_version_key(const RowVersion *version, Datum *key);

/*
 * Returns a role as text, not copied; its text is NULL for SQL NULL and if the
 * attachment has no such role.
 */
extern LeadString align_version_text(const RowVersion *version, RowRole role);

/*
 * Returns the index of the stage, or -1, and its label as the row has it.
 */
extern int	align_version_stage(const RowVersion *version, const Funnel *funnel,
								LeadString *label);

/*
 * Returns the value of a role; null if the attachment has no such role.
 */
extern Datum align_version_value(const RowVersion *version, RowRole role, bool *isnull);

/* Returns the time of a role, or CHANGE_TIME_UNKNOWN. */
extern TimestampTz align_version_time(const RowVersion *version, RowRole role);

#endif							/* ALIGN_RECORD_ROW_VERSION_H */
