/*
 * writer.h
 *	  The identity that history and clocks are written with.
 */
#ifndef ALIGN_RECORD_WRITER_H
#define ALIGN_RECORD_WRITER_H

#include "compat.h"

#include "attachment/attachment.h"
#include "catalog/as_role.h"

/* Is align itself writing this very history or clock table?  (For
 * history_guard.) */
extern bool align_recorder_writes(Oid relid);

/* The role for which history and clocks are being written; the current user otherwise. */
extern Oid	align_recorder_caller(void);

/*
 * The identity that history and clocks are written with: the owner of the
 * attached table, row security off, past the guard on history and clocks.
 */
typedef struct OwnerIdentity
{
	CallerRole	caller;			/* to go back to */
	int			nwriting;		/* writers before this one */
} OwnerIdentity;

extern void align_become_owner(const Attachment *attachment, OwnerIdentity *identity);
extern void align_resume_identity(const OwnerIdentity *identity);

/*
 * Run a statement as the owner of the attached table, allowed to write its
 * history and clocks; like SPI_execute_with_args (the caller is connected).
 */
extern int	align_execute_as_owner(Attachment *attachment, const char *command, int nargs,
								   Oid *types, Datum *values, const char *nulls);

/*
 * Raises unless a statement wrote as many rows of history or clock table as it was
 * given: a BEFORE trigger of the owner may have suppressed some.
 */
extern void align_check_written(const Attachment *attachment, uint64 nwritten, uint64 ngiven);

#endif							/* ALIGN_RECORD_WRITER_H */
