/*
 * calendar.h
 *	  Working hours in a time zone: type, compiled form and arithmetic.
 *
 * A calendar maps every local date to a set of open spans.  The stored value is
 * canonical text (see value.h); Calendar is the compiled form, made from that
 * text and cached by call site.
 *
 * Rules.  A calendar is a list of rules, each naming days and when they are
 * open; the last rule that names a date decides.  See rules.h.
 *
 * Spans belong to the local date on which they start; an overnight span ends on
 * the next.  Open time is the union of all spans, so overlaps count once.
 *
 * Instants.  A local clock time stands for the first instant at which the local
 * clock reads that time or a later one: a time inside a DST gap moves forward
 * to the end of the gap, one that occurs twice takes its first occurrence.
 *
 * Arithmetic works on the UTC timeline.  The compiled form holds, in blocks of
 * 27 weeks built when first needed, the open intervals and their running total,
 * so that "open microseconds before instant t" and its inverse are a table
 * lookup whatever the span.  Times far away map to a 400-year cycle (the
 * Gregorian calendar and zone rules both repeat); fixed dates are limited to the
 * years CALENDAR_MIN_YEAR to CALENDAR_MAX_YEAR to keep that true.  See tables.h.
 */
#ifndef ALIGN_CALENDAR_H
#define ALIGN_CALENDAR_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "value.h"

#define CALENDAR_MIN_YEAR 1800
#define CALENDAR_MAX_YEAR 2299
#define CALENDAR_MAX_TEXT (256 * 1024)

typedef struct Calendar Calendar;

/*
 * Parse and canonicalise.  Returns NULL after a soft error.  The zone is only
 * checked for syntax (and cased canonically where it is known).
 */
extern TextValue *align_calendar_parse(const char *text, Node *escontext);

/*
 * Compile canonical (or any valid) text into context.  Raises for an unknown
 * zone, ERRCODE_INVALID_PARAMETER_VALUE.
 */
extern Calendar *align_calendar_compile(const char *text, MemoryContext context);

/* Argument of an SQL function, compiled and remembered in flinfo's slot. */
extern Calendar *align_calendar_arg(FmgrInfo *flinfo, Datum value, int slot, int nslots);

/*
 * Arithmetic.  Times must be finite (raises ERRCODE_DATETIME_VALUE_OUT_OF_RANGE
 * otherwise); durations are microseconds.
 */
extern int64 align_working_time(Calendar *calendar, TimestampTz from, TimestampTz to);
extern TimestampTz align_add_working_time(Calendar *calendar, TimestampTz at, int64 amount);
extern bool align_is_open(Calendar *calendar, TimestampTz at);
/*
 * Is the calendar open at "at" or at any instant after it?  Does not raise for a
 * calendar that never opens (again), and ignores where the range of timestamps
 * ends.
 */
extern bool align_calendar_opens_after(Calendar *calendar, TimestampTz at);
/* First instant >= at that is open; raises if the calendar never opens (again). */
extern TimestampTz align_next_open(Calendar *calendar, TimestampTz at);
/* End of the open period that contains align_next_open(at); raises if it never closes. */
extern TimestampTz align_next_close(Calendar *calendar, TimestampTz at);

/*
 * First open period between two finite times, clipped to them; false if there
 * is none.
 */
extern bool align_open_period(Calendar *calendar, TimestampTz from, TimestampTz to,
							  TimestampTz *open, TimestampTz *close);

/*
 * Closing time of a working day: n = 0 is the working day of "at" (the one whose
 * open span it lies in or that has yet to close that local date; otherwise the
 * next one), n >= 1 the nth working day after the local date of "at" (after the
 * day that its span belongs to, if it lies in an overnight span).
 */
extern TimestampTz align_end_of_working_day(Calendar *calendar, TimestampTz at, int n);

#endif							/* ALIGN_CALENDAR_H */
