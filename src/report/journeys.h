/*
 * journeys.h
 *	  Reads the journeys of leads from the history, one lead at a time.
 */
#ifndef ALIGN_REPORT_JOURNEYS_H
#define ALIGN_REPORT_JOURNEYS_H

#include "compat.h"

#include "attachment/attachment.h"
#include "lead/lead.h"

/*
 * Called once per lead that has a journey, in order of the key, in a memory
 * context that is reset afterwards.  lead is a value of type lead, not
 * compressed.  ended is true if the lead was deleted, left the funnel, or is
 * no longer live.
 */
typedef void (*RecordedJourneyCallback) (void *state, const Datum *key,
										 const struct varlena *lead, bool ended);

/*
 * Calls back for the lead of a key, or for all leads if key is NULL.  If
 * with_team is true, entries have the team column of the history, which is the
 * team that holds the lead, not the one that moved it.  To be called between
 * align_begin_reading() and align_end_reading().
 */
extern void align_read_journeys(const Attachment *attachment, const Datum *key,
								bool with_team, RecordedJourneyCallback callback,
								void *state);

/*
 * Returns the largest time in the journeys of all leads; DT_NOBEGIN if there
 * are none.  To be called between align_begin_reading() and
 * align_end_reading().
 */
extern TimestampTz align_latest_journey_time(const Attachment *attachment);

#endif							/* ALIGN_REPORT_JOURNEYS_H */
