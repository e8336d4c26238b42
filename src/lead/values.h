/*
 * values.h
 *	  Spans of time in a lead; for the SQL face of this room.
 */
#ifndef ALIGN_LEAD_VALUES_H
#define ALIGN_LEAD_VALUES_H

#include "lead/lead.h"

/* to - from in microseconds; raises where that does not fit (the extremes are
 * 299,000 years apart). */
extern int64 align_lead_elapsed(TimestampTz from, TimestampTz to);

/* From the first entry into one stage to the first entry into another at or
 * after that; false if there is no such pair. */
extern bool align_lead_span(const struct varlena *lead, text *from_stage, text *to_stage,
							TimestampTz *from, TimestampTz *to);

#endif							/* ALIGN_LEAD_VALUES_H */
