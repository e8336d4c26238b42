/*
 * existing_row.h
 *	  Shared by the files that record the rows that a table contains when it is
 *	  attached.
 */
#ifndef ALIGN_ATTACH_EXISTING_ROW_H
#define ALIGN_ATTACH_EXISTING_ROW_H

#include "compat.h"

#include "access/htup.h"
#include "agreement/agreement.h"
#include "attach/request.h"
#include "condition/needs.h"
#include "executor/tuptable.h"
#include "utils/snapshot.h"

/* Maximum number of unknown labels that are counted separately. */
#define MAX_UNKNOWN 1000

typedef struct UnknownLabel
{
	char	   *label;
	int64		nrows;
} UnknownLabel;

/*
 * State of the work on one attached table.
 */
typedef struct ExistingRows
{
	AttachRequest *request;
	Snapshot	snapshot;
	MemoryContext context;		/* holds labels */
	MemoryContext row_context;	/* reset after every row */
	int64		nopenings;		/* openings and moves recorded */
	int64		nunknown;		/* rows whose stage is unknown */
	int			nlabels;
	UnknownLabel labels[MAX_UNKNOWN];
} ExistingRows;

/*
 * A table that has storage: the attached table or a leaf partition.
 */
typedef struct RowTable
{
	Relation	rel;
	Attachment *attachment;
	TupleTableSlot *slot;
} RowTable;

/* The latest entry of a lead. */
typedef struct LastEntry
{
	bool		ended;			/* the lead is in no stage, or has no entry */
	char	   *stage;			/* NULL if null, as are the next two */
	char	   *team;
	char	   *assignee;
	StageSource source;			/* what judged it; not set if ended */
} LastEntry;

/* Opens a table that the caller has locked.  table is filled in. */
extern void align_open_row_table(RowTable *table, const AttachRequest *request, Oid relid);
extern void align_close_row_table(RowTable *table);

/*
 * Records the state of a row if it differs from the latest entry of its lead.
 * last is NULL if the history is empty.
 */
extern void align_record_existing_row(ExistingRows *work, RowTable *table, HeapTuple row,
									  const LastEntry *last);

/*
 * Compares the table with its existing history, and records the differences.
 * (compare.c)
 */
extern void align_compare_with_history(ExistingRows *work);

#endif							/* ALIGN_ATTACH_EXISTING_ROW_H */
