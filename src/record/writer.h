/*
 * writer.h
 *	  The identity that record tables are written with.
 */
#ifndef ALIGN_RECORD_WRITER_H
#define ALIGN_RECORD_WRITER_H

#include "compat.h"

#include "attachment/attachment.h"
#include "catalog/as_role.h"

/*
 * True if align itself is writing the record tables of the attachment that
 * this history or clock table belongs to.  For history_guard().
 */
extern bool align_recorder_writes(Oid relid);

/*
 * Returns the role for which record tables are being written: the current user
 * before align_become_owner().  Outside of that, it is the current user.
 */
extern Oid	align_recorder_caller(void);

/*
 * From align_become_owner() to align_resume_identity(), the current user is
 * the owner of the attached table, row-level security is off, and the guard on
 * its record tables lets writes pass.  Calls may be nested.  After an error,
 * the abort of the (sub)transaction restores what was before.
 */
typedef struct OwnerIdentity
{
	CallerRole	caller;			/* the role to return to */
	int			nwriters;		/* number of nested calls before this one */
} OwnerIdentity;

extern void align_become_owner(const Attachment *attachment, OwnerIdentity *identity);
extern void align_resume_identity(const OwnerIdentity *identity);

/*
 * Executes a command with that identity, like SPI_execute_with_args().  The
 * caller is connected to SPI.
 */
extern int	align_execute_as_owner(Attachment *attachment, const char *command, int nargs,
								   Oid *types, Datum *values, const char *nulls);

/*
 * Raises an error unless a statement has written as many rows of record tables
 * as it was given.  A BEFORE trigger of the owner may have suppressed some.
 */
extern void align_check_written(const Attachment *attachment, uint64 nwritten, uint64 ngiven);

#endif							/* ALIGN_RECORD_WRITER_H */
