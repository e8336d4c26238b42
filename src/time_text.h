/*
 * time_text.h
 *	  Timestamps in the text forms: UTC, ISO 8601, independent of settings.
 *
 * timestamptz_in and timestamptz_out depend on DateStyle and TimeZone and are
 * only STABLE; a type with IMMUTABLE input and output functions must read and
 * write times with its own code.
 *
 * Output is YYYY-MM-DDTHH:MM:SS[.ffffff]Z.  Years before 1 AD are astronomical
 * with a sign (-0001 is 2 BC), years above 9999 have more digits.  Input may
 * have a "T" or one blank before the time, at most six digits of a fraction,
 * and "Z" or an offset +HH[[:]MM].
 */
#ifndef ALIGN_TIME_TEXT_H
#define ALIGN_TIME_TEXT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "text_scan.h"

/* The longest text that align_write_time appends. */
#define TIME_TEXT_MAX 40

/* Scan a time, after space; false after a soft error. */
extern bool align_scan_time(TextScan *scan, TimestampTz *result);

/* Append a time, which must be finite. */
extern void align_write_time(StringInfo out, TimestampTz time);

/*
 * The same as a palloc'd string, for messages.  The time may be "infinity" or
 * "-infinity".
 */
extern char *align_time_text(TimestampTz time);

#endif							/* ALIGN_TIME_TEXT_H */
