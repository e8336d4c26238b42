/*
 * existing_row.h
 *	  Between the files that record the rows that are there when a table is
 *	  attached.
 */
#ifndef ALIGN_ATTACH_EXISTING_ROW_H
#define ALIGN_ATTACH_EXISTING_ROW_H

#include "compat.h"

#include "access/htup.h"
#include "attach/request.h"
#include "condition/needs.h"
#include "executor/tuptable.h"
#include "utils/snapshot.h"

/* How many unknown labels are counted apart. */
#define MAX_UNKNOWN 1000

typedef struct UnknownLabel
{
	char	   *label;
	int64		nrows;
} UnknownLabel;

/*
 * The work on one attached table.
 */
typedef struct ExistingRows
{
	AttachRequest *request;
	Snapshot	snapshot;
	MemoryContext context;		/* of unknown */
	MemoryContext row_context;	/* reset for every row */
	int64		nopenings;
	int64		nunknown;		/* rows whose stage is not known */
	int			nlabels;
	UnknownLabel labels[MAX_UNKNOWN];
} ExistingRows;

/*
 * One table that holds rows.
 */
typedef struct RowTable
{
	Relation	rel;
	Attachment *attachment;
	RowCondition *live;			/* NULL: all rows are */
	TupleTableSlot *slot;
} RowTable;

/* What history last said of a lead. */
typedef struct LastEntry
{
	bool		ended;			/* in no stage, or no entry at all */
	char	   *stage;
	char	   *team;			/* NULL: null */
	char	   *assignee;
} LastEntry;

extern void align_open_row_table(RowTable *table, Oid relid);
extern void align_close_row_table(RowTable *table);

/* A row as it stands; last is NULL if nothing is recorded of it. */
extern void align_record_existing(ExistingRows *work, RowTable *table, HeapTuple row,
								  const LastEntry *last);

/* compare.c */
extern void align_compare_with_history(ExistingRows *work);

#endif							/* ALIGN_ATTACH_EXISTING_ROW_H */
