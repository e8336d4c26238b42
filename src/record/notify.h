/*
 * notify.h
 *	  NOTIFY for handoffs, and for clocks that are at risk or overdue.
 *
 * The record tables serve as the outbox: the transaction that sends a
 * notification also sets the column notified_at of the entry, or
 * warn_notified_at or due_notified_at of the clock.  So an event is announced
 * exactly once, when a transaction commits that has announced it.
 */
#ifndef ALIGN_RECORD_NOTIFY_H
#define ALIGN_RECORD_NOTIFY_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"

/*
 * Sends a notification of a handoff.  key has the types of the key columns;
 * the teams may be NULL.  The caller sets notified_at of the entry, so that
 * notify_handoffs() does not announce it again.
 */
extern void align_notify_handoff(Attachment *attachment, const Datum *key, int32 entry_no,
								 const char *handoff, const char *from_team,
								 const char *to_team);

/* Sends a notification of a clock.  state is "at_risk" or "overdue". */
extern void align_notify_clock(Attachment *attachment, const Datum *key, const char *sla,
							   int32 cycle, const char *state, TimestampTz due_at);

#endif							/* ALIGN_RECORD_NOTIFY_H */
