/*
 * entry.h
 *	  An entry of the history, before it is a row.
 */
#ifndef ALIGN_RECORD_ENTRY_H
#define ALIGN_RECORD_ENTRY_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"
#include "history/history.h"

/* Strings may be NULL, which is stored as an SQL NULL. */
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
	int32		version;
	const char *violation;
	const char *source;
	const char *handoff;
	bool		notified;		/* at recorded_at */
} HistoryEntry;

/* The entry as a row: the key columns, then HistoryColumns. */
extern void align_entry_row(const Attachment *attachment, const HistoryEntry *entry,
							Datum *values, bool *nulls);

/*
 * Writes some entries with the recorder's statement, without any change of clocks.
 * The caller is connected to SPI.
 */
extern void align_write_entries(Attachment *attachment, const HistoryEntry *entries, int n);

#endif							/* ALIGN_RECORD_ENTRY_H */
