/*
 * notify.h
 *	  NOTIFY for handoffs and for clocks that run out.
 *
 * The history and the clock table are the outbox: what has been announced is
 * marked there, in the transaction that sends the notification, so an event is
 * announced once or, if that transaction fails, not yet.
 */
#ifndef ALIGN_RECORD_NOTIFY_H
#define ALIGN_RECORD_NOTIFY_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"

/*
 * Announce a handoff in the transaction that submits it, for tables attached
 * with notify => true.  The caller records it with notified_at set, so that
 * notify_handoffs() does not announce it again.  key is in the types of the key
 * columns; teams may be NULL.
 */
extern void align_notify_handoff(Attachment *attachment, const Datum *key, int32 entry_no,
								 const char *handoff, const char *from_team,
								 const char *to_team);

/* The same for a clock; state is "at_risk" or "overdue". */
extern void align_notify_clock(Attachment *attachment, const Datum *key, const char *sla,
							   int32 cycle, const char *state, TimestampTz due_at);

#endif							/* ALIGN_RECORD_NOTIFY_H */
