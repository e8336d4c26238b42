/*
 * notify.c
 *	  Sends notifications, whose payload is a JSON object of identifiers:
 *
 *	  align_handoff	{"relation":"crm.leads","key":{"id":42},"entry_no":3,
 *					"handoff":"speed_to_lead","from":"marketing",
 *					"to":"sales"}
 *	  align_sla		{"relation":"crm.leads","key":{"id":42},
 *					"sla":"speed_to_lead","cycle":1,"state":"overdue",
 *					"due_at":"2026-03-02T12:00:00Z"}
 *
 * Every role of the database may listen to a channel, so a payload contains
 * nothing but identifiers, under which roles that may read the tables find the
 * rest.
 */
#include "postgres.h"

#include "commands/async.h"
#include "utils/json.h"

#include "attachment/key.h"
#include "record/notify.h"
#include "time_text.h"

#define HANDOFF_CHANNEL "align_handoff"
#define SLA_CHANNEL "align_sla"

/*
 * Payloads must be shorter than this; PostgreSQL's NOTIFY_PAYLOAD_MAX_LENGTH.
 */
#define PAYLOAD_LIMIT (BLCKSZ - NAMEDATALEN - 128)

/*
 * Appends a member of a JSON object, which is null if value is NULL.
 */
static void
AppendString(StringInfo payload, const char *name, const char *value)
{
	appendStringInfo(payload, ",\"%s\":", name);
	if (value != NULL)
		escape_json(payload, value);
	else
		appendStringInfoString(payload, "null");
}

/*
 * Sends a notification.  rest is what follows the key, with a leading comma
 * and the closing brace.  Of a further attachment, the history is named, too,
 * since the relation does not identify it.
 *
 * If the payload would be too long, the key is sent as null, and if that does
 * not suffice, rest is left out: a change of a lead must not fail for its
 * notification.
 */
static void
SendNotification(const char *channel, const Attachment *attachment, const Datum *key,
				 const char *rest)
{
	StringInfoData payload;
	int			before_key;

	initStringInfo(&payload);
	appendStringInfoString(&payload, "{\"relation\":");
	escape_json(&payload, attachment->root_name);
	if (attachment->id.number != ATTACHMENT_FIRST)
		AppendString(&payload, "history", attachment->history_name);
	appendStringInfoString(&payload, ",\"key\":");
	before_key = payload.len;
	appendStringInfoString(&payload, align_key_json(attachment, key));
	appendStringInfoString(&payload, rest);
	if (payload.len >= PAYLOAD_LIMIT)
	{
		payload.len = before_key;
		appendStringInfo(&payload, "null%s", rest);
	}
	if (payload.len >= PAYLOAD_LIMIT)
	{
		payload.len = before_key;
		appendStringInfoString(&payload, "null}");
	}
	Async_Notify(channel, payload.data);
	pfree(payload.data);
}

/*
 * Sends a notification of a handoff.
 */
void
align_notify_handoff(Attachment *attachment, const Datum *key, int32 entry_no,
					 const char *handoff, const char *from_team, const char *to_team)
{
	StringInfoData rest;

	initStringInfo(&rest);
	appendStringInfo(&rest, ",\"entry_no\":%d", entry_no);
	AppendString(&rest, "handoff", handoff);
	AppendString(&rest, "from", from_team);
	AppendString(&rest, "to", to_team);
	appendStringInfoChar(&rest, '}');
	SendNotification(HANDOFF_CHANNEL, attachment, key, rest.data);
	pfree(rest.data);
}

/*
 * Sends a notification of a clock that is at risk or overdue.
 */
void
align_notify_clock(Attachment *attachment, const Datum *key, const char *sla, int32 cycle,
				   const char *state, TimestampTz due_at)
{
	StringInfoData rest;

	initStringInfo(&rest);
	AppendString(&rest, "sla", sla);
	appendStringInfo(&rest, ",\"cycle\":%d", cycle);
	AppendString(&rest, "state", state);
	appendStringInfoString(&rest, ",\"due_at\":\"");
	align_write_time(&rest, due_at);
	appendStringInfoString(&rest, "\"}");
	SendNotification(SLA_CHANNEL, attachment, key, rest.data);
	pfree(rest.data);
}
