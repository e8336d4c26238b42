/*
 * merge.h
 *	  Inside align.merge_leads().
 */
#ifndef ALIGN_MAINTAIN_MERGE_H
#define ALIGN_MAINTAIN_MERGE_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"
#include "history/history.h"

/*
 * One of the two leads, as its last entry tells.
 */
typedef struct MergedLead
{
	Datum		key[ATTACHMENT_MAX_KEYS];
	char	   *text;			/* (id)=(7), for messages */
	char	   *stored_text;	/* the same for what is stored */
	bool		in_table;
	bool		recorded;
	int32		entry_no;		/* the last */
	TimestampTz recorded_at;
	char	   *stage;			/* NULL: it is not in the funnel */
	char	   *team;
	char	   *assignee;
	bool		has_journey;	/* an entry puts it into a stage */
} MergedLead;

/* merge_entries.c: what is recorded of the merge itself, from recorded_at on;
 * of the lead that stays, to which nmoved entries have come, and of the
 * duplicate. */
extern void align_merge_entries_of_into(Attachment *attachment, const MergedLead *from,
										const MergedLead *into, int64 nmoved,
										TimestampTz recorded_at);
extern void align_merge_entry_of_from(Attachment *attachment, const MergedLead *from,
									  const MergedLead *into, TimestampTz recorded_at);

#endif							/* ALIGN_MAINTAIN_MERGE_H */
