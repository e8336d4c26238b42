/*
 * time_text.h
 *	  Timestamps in the text forms: UTC, ISO 8601, by our own code.
 *
 * timestamptz_in and timestamptz_out depend on DateStyle and TimeZone and are
 * only STABLE; a type whose text holds times can have an IMMUTABLE input
 * function only if it reads and writes them itself.
 *
 * Written as YYYY-MM-DDTHH:MM:SS[.ffffff]Z; years before 1 AD are astronomical
 * with a sign (-0001 is 2 BC), years above 9999 are written as they are.  Read
 * with a "T" or one blank before the time, an optional fraction of at most six
 * digits and "Z" or an offset +HH[:MM].
 */
#ifndef ALIGN_TIME_TEXT_H
#define ALIGN_TIME_TEXT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "text_scan.h"

/* The longest text that align_write_time appends. */
#define TIME_TEXT_MAX 40

extern bool align_scan_time(TextScan *scan, TimestampTz *result);
/* For a finite time only. */
extern void align_write_time(StringInfo out, TimestampTz time);
/* The same as a palloc'd string, for messages. */
extern char *align_time_text(TimestampTz time);

#endif							/* ALIGN_TIME_TEXT_H */
