/*
 * calendar.h
 *	  Working hours in a time zone: type, compiled form and arithmetic.
 *
 * A calendar maps every local date to a set of open spans.  The stored value
 * is canonical text (see value.h); Calendar is the compiled form, made from
 * that text and cached by call site.
 *
 * Rules.  A calendar is a list of rules, each naming days and when they are
 * open; the last rule that names a date decides.  See rules.h.
 *
 * Spans belong to the local date on which they start; an overnight span ends
 * on the next.  Open time is the union of all spans, so overlaps count once.
 *
 * Instants.  A local clock time stands for the first instant at which the
 * local clock reads that time or a later one: a time inside a DST gap moves
 * forward to the end of the gap, one that occurs twice takes its first
 * occurrence.
 *
 * Arithmetic works on the UTC timeline.  The compiled form holds, in blocks of
 * 27 weeks built when first needed, the open intervals and their running
 * total, so that "open microseconds before instant t" and its inverse are a
 * table lookup, however long the span.  Times far away map to a 400-year cycle
 * (the Gregorian calendar and zone rules both repeat); fixed dates are limited
 * to the years CALENDAR_MIN_YEAR to CALENDAR_MAX_YEAR to keep that true.  See
 * tables.h.
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
 * Parses text and returns the stored value, palloc'd, or NULL after a soft
 * error.  Of the zone only the syntax is checked; a name that the server
 * has gets its canonical case.
 */
extern TextValue *align_calendar_parse(const char *text, Node *escontext);

/*
 * Compiles canonical (or any valid) text.  The result, and what it builds
 * later, is allocated in context.  Raises ERRCODE_INVALID_PARAMETER_VALUE for
 * an unknown zone.
 */
extern Calendar *align_calendar_compile(const char *text, MemoryContext context);

/*
 * Compiled form of an argument of an SQL function.  It is cached in flinfo, in
 * the given one of nslots slots, and stays valid until the next call with the
 * same flinfo and slot.
 */
extern Calendar *align_calendar_arg(FmgrInfo *flinfo, Datum value, int slot, int nslots);

/*
 * The same for the only cached argument of a function, which often differs
 * from row to row: the last few values are cached.
 */
extern Calendar *align_calendar_only_arg(FmgrInfo *flinfo, Datum value);

/*
 * Arithmetic.  The functions take a Calendar that is not const because they
 * build its tables as needed.  Times must be finite; an infinite time, and a
 * result outside the range of timestamps, raise
 * ERRCODE_DATETIME_VALUE_OUT_OF_RANGE.  A calendar without the open time that
 * is needed raises ERRCODE_INVALID_PARAMETER_VALUE.  Durations are
 * microseconds.
 */

/* Open time between two instants; negative if "to" is before "from". */
extern int64 align_working_time(Calendar *calendar, TimestampTz from, TimestampTz to);

/*
 * First instant at which "amount" of open time has passed since "at"; for a
 * negative amount, the last instant from which that much passes until "at";
 * for zero, align_next_open.
 */
extern TimestampTz align_add_working_time(Calendar *calendar, TimestampTz at, int64 amount);

extern bool align_is_open(Calendar *calendar, TimestampTz at);

/*
 * True if the calendar is open at "at" or at any instant after it.  Does not
 * raise for a calendar that never opens (again), and ignores where the range
 * of timestamps ends.
 */
extern bool align_calendar_opens_after(Calendar *calendar, TimestampTz at);

/* First instant >= at that is open; raises if there is none. */
extern TimestampTz align_next_open(Calendar *calendar, TimestampTz at);

/*
 * End of the open period that contains align_next_open(at); raises if there is
 * none or it never ends.
 */
extern TimestampTz align_next_close(Calendar *calendar, TimestampTz at);

/*
 * First open period between two times, clipped to them.  Returns false, with
 * *open and *close unset, if there is none.
 */
extern bool align_open_period(Calendar *calendar, TimestampTz from, TimestampTz to,
							  TimestampTz *open, TimestampTz *close);

/*
 * Closing time of a working day, that is, of a local date with open time.  n =
 * 0 is the working day of "at": the one whose span contains "at", else the
 * local date of "at" if it closes later than that, else the next working day.
 * n >= 1 is the nth working day after the local date of "at", or after the
 * date that the span containing "at" belongs to.  A negative n raises
 * ERRCODE_INVALID_PARAMETER_VALUE.
 */
extern TimestampTz align_end_of_working_day(Calendar *calendar, TimestampTz at, int n);

/*
 * What a calendar without the result that is asked for lacks.
 */
typedef enum CalendarLimit
{
	CALENDAR_OPEN,				/* nothing: there is a result */
	CALENDAR_CLOSED,			/* open time */
	CALENDAR_OUT_OF_RANGE		/* the result is after the last timestamp */
} CalendarLimit;

/* The same as align_end_of_working_day, but *close is set only if the result
 * is CALENDAR_OPEN, and the other results raise no error. */
extern CalendarLimit align_try_end_of_working_day(Calendar *calendar, TimestampTz at, int n,
												  TimestampTz *close);

/*
 * The canonical name of a time zone; NULL if the name is not one of the IANA
 * database, or if the server does not have the zone.  (zone.c)
 */
extern const char *align_time_zone_name(const char *name);

#endif							/* ALIGN_CALENDAR_H */
