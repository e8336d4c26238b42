/*
 * rebuild.h
 *	  Computing the clocks of all leads of a table from its history.
 */
#ifndef ALIGN_REBUILD_H
#define ALIGN_REBUILD_H

#include "compat.h"

#include "enforce/attachment.h"

/*
 * Replaces all clocks, and returns how many there are then.  No writer may be under
 * way; the caller is connected to SPI, in a security-restricted operation.
 */
extern int64 align_rebuild_all_clocks(Attachment *attachment);

#endif							/* ALIGN_REBUILD_H */
