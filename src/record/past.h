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
#include "verdict/verdict.h"

/*
 * Sets the stage in which a lead was when its row ceased to be live, palloc'd;
 * its name is NULL if that is not how its last life ended, or if it never had
 * one.  The row is not live.  Of the pending changes, only those by earlier
 * commands than "before" count: row triggers of nested statements may have
 * added later ones.
 */
extern void align_past_suspended_stage(Attachment *attachment, Batch *batch, const Datum *key,
									   CommandId before, RecordedStage *result);

/*
 * The stage of the joined journey of a merged lead that is furthest along the
 * success path, as an index in the funnel that judges a move; -1 if nothing
 * was merged into the lead, or if it has entered a stage since.  "before" is
 * as above.
 */
extern int	align_past_furthest_stage(Attachment *attachment, Batch *batch, const Datum *key,
									  CommandId before, const RowMove *judging);

#endif							/* ALIGN_RECORD_PAST_H */
