/*
 * admission.h
 *	  Roles whose tables can be attached to an agreement.
 *
 * A table can be attached if its owner has the privileges of the agreement's
 * owner, or of a role that the latter has admitted.  So tables of other users
 * can neither veto nor delay a new version.
 *
 * When a role is dismissed its tables remain attached.  They stay under the
 * last version that fits them (see attachment/judging_version.h), and agree()
 * does not check new versions against them.
 */
#ifndef ALIGN_AGREEMENT_ADMISSION_H
#define ALIGN_AGREEMENT_ADMISSION_H

#include "compat.h"

typedef struct Admission
{
	bool		admitted;
	int32		dismissed_after;	/* if not admitted: the latest version at
									 * the time of dismissal, or the last one
									 * as the owner; 0 if never admitted */
} Admission;

/*
 * Read from the catalogs whether tables of a role can be attached to an
 * agreement.
 */
extern void align_read_admission(const char *agreement, Oid owner, Admission *admission);

/* Raises unless tables of a role can be attached to the agreement. */
extern void align_check_admitted(const char *agreement, Oid owner);

/*
 * A counter that advances whenever roles, memberships or admissions may have
 * changed, so that results of align_read_admission() can be cached.
 */
extern uint64 align_admission_generation(void);

#endif							/* ALIGN_AGREEMENT_ADMISSION_H */
