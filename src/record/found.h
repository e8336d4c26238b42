/*
 * found.h
 *	  Changes that record the present state of rows, for attach().
 */
#ifndef ALIGN_RECORD_FOUND_H
#define ALIGN_RECORD_FOUND_H

#include "compat.h"

#include "access/htup.h"
#include "agreement/agreement.h"
#include "attachment/attachment.h"
#include "history/history.h"
#include "utils/rel.h"

/*
 * Add a change that records the present state of a row, which is not being
 * changed: an opening, or an owner entry.  row is a tuple of
 * rel with all columns.  new_lead states that the lead has no entries.
 *
 * An opening has the time in the opened_at column, or else in the changed_at
 * column.  Only if there is none, and the attachment does not have opened_at
 * => 'now', the source is or ends in "undated" where the argument does.
 */
extern void align_record_found(Attachment *attachment, Relation rel, HeapTuple row,
							   HistoryEvent event, const char *source, bool new_lead);

/*
 * Adds a move from a recorded stage, which source judged, to the stage of a
 * row that is found in it.  Who made it is not known, so the rule wrong_team
 * is not judged.  Broken rules are recorded in all modes.
 */
extern void align_record_found_move(Attachment *attachment, Relation rel, HeapTuple row,
									const StageSource *source, const char *from_stage);

/* The same for a lead that is gone: a deleted or truncated entry. */
extern void align_record_gone(Attachment *attachment, const Datum *key, HistoryEvent event,
							  const char *source);

#endif							/* ALIGN_RECORD_FOUND_H */
