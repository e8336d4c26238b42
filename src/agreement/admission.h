/*
 * admission.h
 *	  Whose tables may be under an agreement.
 *
 * A table may be attached to an agreement if its owner has the privileges of the
 * agreement's owner, or of a role that this one has admitted.  So the table of a
 * stranger can neither veto nor delay a new version.
 *
 * A role that is dismissed leaves its tables attached.  They stay under the last
 * version that fits them (version.h), and agree() no longer considers them.
 */
#ifndef ALIGN_AGREEMENT_ADMISSION_H
#define ALIGN_AGREEMENT_ADMISSION_H

#include "compat.h"

typedef struct Admission
{
	bool		admitted;
	int32		dismissed_after;	/* of a role that is not: the latest
									 * version when it was dismissed, 0 if it
									 * never was */
} Admission;

/* How an agreement stands to tables of a role; read from the table. */
extern void align_read_admission(const char *agreement, Oid owner, Admission *admission);

/* Raises unless tables of a role may be attached to the agreement. */
extern void align_check_admitted(const char *agreement, Oid owner);

/* Changes whenever the answer to the question above may have changed. */
extern uint64 align_admission_generation(void);

#endif							/* ALIGN_AGREEMENT_ADMISSION_H */
