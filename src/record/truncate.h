/*
 * truncate.h
 *	  TRUNCATE of tables that are attached with reload.
 */
#ifndef ALIGN_RECORD_TRUNCATE_H
#define ALIGN_RECORD_TRUNCATE_H

#include "compat.h"

#include "attachment/attachment.h"
#include "utils/rel.h"

/*
 * Defers the deletion of all rows of a table, partition or partitioned table
 * that is about to be truncated.  The caller holds its lock.
 */
extern void align_defer_truncate(Attachment *attachment, Relation rel);

#endif							/* ALIGN_RECORD_TRUNCATE_H */
