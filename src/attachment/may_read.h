/*
 * may_read.h
 *	  Whether a role may read of a lead what a message would show of it.
 */
#ifndef ALIGN_ATTACHMENT_MAY_READ_H
#define ALIGN_ATTACHMENT_MAY_READ_H

#include "compat.h"

#include "attachment/attachment.h"

/*
 * True if the role may read the key of every lead, and the column, from the attached
 * table or from the partition that is being changed.  A role to which row-level
 * security applies may not: which rows it sees would have to be evaluated.
 */
extern bool align_may_read(const Attachment *attachment, Oid role, RowRole column);

/* The same of the key alone. */
extern bool align_may_read_key(const Attachment *attachment, Oid role);

#endif							/* ALIGN_ATTACHMENT_MAY_READ_H */
