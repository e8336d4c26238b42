/*
 * past.h
 *	  What the history of a lead means for the next change of its row.
 *
 * These functions are called by row triggers, for the few changes that depend
 * on it.  They read the history as the owner of the table.
 */
#ifndef ALIGN_RECORD_PAST_H
#define ALIGN_RECORD_PAST_H

#include "compat.h"

#include "attachment/attachment.h"
#include "funnel/funnel.h"
#include "record/pending.h"

/*
 * The stage in which a lead was when its row ceased to be live, palloc'd; NULL
 * if that is not how its last life ended, or if it never had one.  The row is
 * not live.
 */
extern char *align_past_suspended_stage(Attachment *attachment, const Batch *batch,
										const Datum *key);

/*
 * The stage of the joined journey of a merged lead that is furthest along the
 * success path, as an index in the funnel; -1 if nothing was merged into the
 * lead, or if it has entered a stage since.
 */
extern int	align_past_furthest_stage(Attachment *attachment, const Batch *batch,
									  const Datum *key, Funnel *funnel);

#endif							/* ALIGN_RECORD_PAST_H */
