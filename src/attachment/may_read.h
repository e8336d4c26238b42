/*
 * may_read.h
 *	  May a message show data of a lead to a role?
 */
#ifndef ALIGN_ATTACHMENT_MAY_READ_H
#define ALIGN_ATTACHMENT_MAY_READ_H

#include "compat.h"

#include "attachment/attachment.h"

/*
 * True if a role may read the key and a column of every lead, from the root or
 * from the partition that is being changed.  False if row-level security
 * applies to the role: its policies would have to be evaluated for the row.
 */
extern bool align_may_read(const Attachment *attachment, Oid role, RowRole column);

/* Likewise for the key alone. */
extern bool align_may_read_key(const Attachment *attachment, Oid role);

/*
 * True if a role may see the labels that a column role is looked up in: it may
 * read that column of every entry of the history, or the columns of the table
 * from which the view of labels takes them.  True if there is no look-up.
 */
extern bool align_may_read_labels(const Attachment *attachment, Oid role, RowRole column);

#endif							/* ALIGN_ATTACHMENT_MAY_READ_H */
