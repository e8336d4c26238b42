/*
 * notify.c
 *	  What a notification says: a JSON object of ids, nothing else.
 *
 *	  align_handoff	{"relation":"crm.leads","key":{"id":42},"entry_no":3,
 *					 "handoff":"speed_to_lead","from":"marketing","to":"sales"}
 *	  align_sla		{"relation":"crm.leads","key":{"id":42},"sla":"speed_to_lead",
 *					 "cycle":1,"state":"overdue","due_at":"2026-03-02T12:00:00Z"}
 *
 * A channel is open to every role of the database, so nothing is said here that
 * a listener would have to have the right to read; what else there is to know
 * is found in the tables under these ids.
 */
#include "postgres.h"

#include "commands/async.h"
#include "utils/json.h"

#include "attachment/key.h"
#include "record/notify.h"
#include "time_text.h"

#define HANDOFF_CHANNEL "align_handoff"
#define SLA_CHANNEL "align_sla"

/* What NOTIFY takes, as async.c has it: shorter than this. */
#define PAYLOAD_LIMIT (BLCKSZ - NAMEDATALEN - 128)

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
 * rest: what follows the key, with its comma and the closing brace.  What is too
 * long to be sent is left out: the key, or, should an agreement have names of
 * thousands of bytes, all but the table.  Nobody's change of a lead shall fail
 * for that.
 */
static void
Send(const char *channel, const Attachment *attachment, const Datum *key, const char *rest)
{
	StringInfoData payload;
	int			before_key;

	initStringInfo(&payload);
	appendStringInfoString(&payload, "{\"relation\":");
	escape_json(&payload, attachment->root_name);
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
	Send(HANDOFF_CHANNEL, attachment, key, rest.data);
	pfree(rest.data);
}

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
	Send(SLA_CHANNEL, attachment, key, rest.data);
	pfree(rest.data);
}
