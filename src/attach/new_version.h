/*
 * new_version.h
 *	  Checks a new version of an agreement against the tables attached to it.
 */
#ifndef ALIGN_ATTACH_NEW_VERSION_H
#define ALIGN_ATTACH_NEW_VERSION_H

#include "compat.h"

#include "funnel/funnel.h"

/*
 * Raises an error if the new version, "agreed", does not fit a table that is
 * attached to the agreement, or drops a label of a stage that contains leads.
 * Raises a NOTICE if it drops one of a stage that recorded leads were in.
 * current is the version in force so far, NULL if there is none.  Locks the
 * tables until the end of the transaction.
 */
extern void align_check_new_version(const char *agreement, const Funnel *current,
									const Funnel *agreed, int32 version);

#endif							/* ALIGN_ATTACH_NEW_VERSION_H */
