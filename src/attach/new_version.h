/*
 * new_version.h
 *	  What agree() must know of attached tables.
 */
#ifndef ALIGN_ATTACH_NEW_VERSION_H
#define ALIGN_ATTACH_NEW_VERSION_H

#include "compat.h"

#include "funnel/funnel.h"

/* current is the version in force so far, NULL if there is none. */
extern void align_agree_attached(const char *agreement, const Funnel *current,
								 const Funnel *agreed, int32 version);

#endif							/* ALIGN_ATTACH_NEW_VERSION_H */
