/*
 * entry.h
 *	  Entries of the history, as structs and as rows.
 */
#ifndef ALIGN_RECORD_ENTRY_H
#define ALIGN_RECORD_ENTRY_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"
#include "history/history.h"

/*
 * An entry to be written.  NULL strings stand for SQL NULL.  The columns are
 * described in history.h.
 */
typedef struct HistoryEntry
{
	const Datum *key;
	int32		entry_no;
	HistoryEvent event;
	TimestampTz effective_at;
	TimestampTz recorded_at;
	const char *from_stage;
	const char *stage;
	const char *from_team;
	const char *team;
	const char *assignee;
	const char *actor;
	const char *db_role;
	const char *reason;
	const char *note;
	const char *campaign;
	bool		has_amount;
	Datum		amount;			/* numeric */
	int32		version;		/* of the agreement of the attachment */
	const char *violation;
	const char *source;
	const char *handoff;
	const char *segments;		/* canonical list, see lead.h */
	bool		notified;		/* notified_at is recorded_at, else null */
} HistoryEntry;

/*
 * Sets values and nulls of the row of an entry: the key columns, then
 * HistoryColumns.  The values may point into the entry.
 */
extern void align_entry_row(const Attachment *attachment, const HistoryEntry *entry,
							Datum *values, bool *nulls);

/*
 * Writes n entries, without applying them to clocks.  The caller is connected
 * to SPI.
 */
extern void align_write_entries(Attachment *attachment, const HistoryEntry *entries, int n);

#endif							/* ALIGN_RECORD_ENTRY_H */
