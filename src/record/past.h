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

#include "agreement/agreement.h"
#include "attachment/attachment.h"
#include "record/pending.h"
#include "verdict/verdict.h"

/*
 * The stage in which a lead was when its row ceased to be live, palloc'd, and
 * in *source the version that it was recorded under; NULL if that is not how
 * its last life ended, or if it never had one.  The row is not live.  Of the
 * pending changes, only those by earlier commands than "before" count: row
 * triggers of nested statements may have added later ones.
 */
extern char *align_past_suspended_stage(Attachment *attachment, Batch *batch, const Datum *key,
										CommandId before, StageSource *source);

/*
 * The stage of the joined journey of a merged lead that is furthest along the
 * success path, as an index in the funnel that judges a move; -1 if nothing
 * was merged into the lead, or if it has entered a stage since.  "before" is
 * as above.
 */
extern int	align_past_furthest_stage(Attachment *attachment, Batch *batch, const Datum *key,
									  CommandId before, const RowMove *judging);

#endif							/* ALIGN_RECORD_PAST_H */
