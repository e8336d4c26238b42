/*
 * journeys.h
 *	  Recorded histories as journeys, one lead at a time.
 */
#ifndef ALIGN_REPORT_JOURNEYS_H
#define ALIGN_REPORT_JOURNEYS_H

#include "compat.h"

#include "attachment/attachment.h"
#include "lead/lead.h"

/*
 * Called once per lead that has a journey, in order of the key, in a memory
 * context that is reset afterwards.  ended: the lead was deleted, left the
 * funnel, or is no longer live.
 */
typedef void (*RecordedJourneyCallback) (void *state, const Datum *key,
										 const struct varlena *lead, bool ended);

/*
 * Between align_reading_begin and align_reading_end.  key: of one lead; NULL: all.
 * with_team: with the team that holds the lead (which is no evidence of who moved
 * it).
 */
extern void align_recorded_journeys(const Attachment *attachment, const Datum *key,
									bool with_team, RecordedJourneyCallback callback,
									void *state);

/* The largest time in them; DT_NOBEGIN if there are none. */
extern TimestampTz align_recorded_latest(const Attachment *attachment);

#endif							/* ALIGN_REPORT_JOURNEYS_H */
