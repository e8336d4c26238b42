/*
 * journeys.h
 *	  Reads the journeys of leads from the history, one lead at a time.
 */
#ifndef ALIGN_REPORT_JOURNEYS_H
#define ALIGN_REPORT_JOURNEYS_H

#include "compat.h"

#include "attachment/attachment.h"
#include "funnel/funnel.h"
#include "lead/lead.h"

/*
 * Called once per lead that has a journey, in order of the key, in a memory
 * context that is reset afterwards.  lead is a value of type lead, not
 * compressed.  ended_at is when the lead was deleted, left the funnel or
 * ceased to be live; DT_NOEND if it is in the funnel, DT_NOBEGIN if it never
 * was (its entries were merged from another lead).
 */
typedef void (*RecordedJourneyCallback) (void *state, const Datum *key,
										 const struct varlena *lead, TimestampTz ended_at);

/*
 * Calls back for the lead of a key, or for all leads if key is NULL.  Stages
 * have the names of the version that judges the table now, where it knows them
 * by a name or label, or a version before it did (align_carry_stage()).  But
 * if funnel is not NULL, a name that it knows is preferred.  If
 * with_team is true, entries have the team column of the history, which is the
 * team that holds the lead, not the one that moved it.  To be called between
 * align_begin_reading() and align_end_reading().
 */
extern void align_read_journeys(const Attachment *attachment, const Datum *key,
								bool with_team, const Funnel *funnel,
								RecordedJourneyCallback callback, void *state);

/*
 * Returns the largest time in the journeys of all leads; DT_NOBEGIN if there
 * are none.  To be called between align_begin_reading() and
 * align_end_reading().
 */
extern TimestampTz align_latest_journey_time(const Attachment *attachment);

#endif							/* ALIGN_REPORT_JOURNEYS_H */
