/*
 * values.h
 *	  Spans of time in a lead, for the SQL functions in this folder.
 */
#ifndef ALIGN_LEAD_VALUES_H
#define ALIGN_LEAD_VALUES_H

#include "lead/lead.h"

/*
 * to - from in microseconds; an error if it exceeds an int64, which happens
 * because the extreme timestamps are 299,000 years apart.
 */
extern int64 align_lead_elapsed(TimestampTz from, TimestampTz to);

/*
 * The times of the first entry into one stage, and of the first entry into
 * another at or after that time; false if there is no such pair.
 */
extern bool align_lead_span(const struct varlena *lead, text *from_stage, text *to_stage,
							TimestampTz *from, TimestampTz *to);

#endif							/* ALIGN_LEAD_VALUES_H */
