/*
 * recompute.h
 *	  Computes the clocks of leads from all of their entries.
 */
#ifndef ALIGN_RECORD_RECOMPUTE_H
#define ALIGN_RECORD_RECOMPUTE_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"

/*
 * How clocks are recomputed; NULL for all defaults.
 */
typedef struct Recomputation
{
	int32		open_version;	/* if not 0: clocks that are open follow this
								 * version of the agreement, unless that is
								 * earlier than theirs */
	const TimestampTz *announced_until; /* if not NULL, by lead: what was at
										 * risk or overdue then counts as
										 * announced */
} Recomputation;

/*
 * Replaces the clocks of leads by clocks computed from all entries.  keys has
 * the key columns of each of the nleads leads in turn.  Returns the number of
 * new clocks.
 */
extern int64 align_recompute_clocks(Attachment *attachment, const Datum *keys, int nleads,
									const Recomputation *how);

/*
 * The same for all leads whose first entry is in the history.  The caller is
 * connected to SPI, and holds a lock that keeps out writers.
 */
extern int64 align_recompute_all_clocks(Attachment *attachment, const Recomputation *how);

#endif							/* ALIGN_RECORD_RECOMPUTE_H */
