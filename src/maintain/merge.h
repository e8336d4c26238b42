/*
 * merge.h
 *	  Shared by the files of align.merge_leads().
 */
#ifndef ALIGN_MAINTAIN_MERGE_H
#define ALIGN_MAINTAIN_MERGE_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"
#include "history/history.h"

/*
 * One of the two leads before the merge.  The fields after has_entries come
 * from its history, and are not set if that is empty.
 */
typedef struct MergedLead
{
	Datum		key[ATTACHMENT_MAX_KEYS];
	char	   *text;			/* text of the key, "(id)=(7)", for messages */
	char	   *stored_text;	/* the same in the form that is stored */
	bool		in_table;		/* its row exists, and is locked */
	bool		has_entries;
	int32		last_entry_no;
	TimestampTz last_recorded_at;
	char	   *stage;			/* NULL if it is not in the funnel */
	char	   *team;
	char	   *assignee;
	bool		has_stage_entry;	/* it has an opening, entry, move or
									 * override */
} MergedLead;

/*
 * Write the entries about the merge itself: for the surviving lead, to which
 * nmoved entries with times from recorded_at on have been moved; and for the
 * duplicate, if its row still exists.  The caller is connected to SPI.
 */
extern void align_write_survivor_entries(Attachment *attachment, const MergedLead *from,
										 MergedLead *into, int64 nmoved,
										 TimestampTz recorded_at);
extern void align_write_duplicate_entry(Attachment *attachment, const MergedLead *from,
										const MergedLead *into, TimestampTz recorded_at);

#endif							/* ALIGN_MAINTAIN_MERGE_H */
