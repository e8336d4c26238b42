/*
 * direct.h
 *	  Reads and writes history and clock table without the executor, where possible.
 *
 * Usually both are plain tables as attach() created them.  The recorder then reads
 * them through the index on their key, and inserts and updates rows through the
 * table access method, which saves the start of two queries per statement.
 * Everything else that an owner may do to these tables (partitions, triggers, further
 * columns, generated ones) is left to the executor, by way of plans.c; both
 * read and write the same.
 */
#ifndef ALIGN_RECORD_DIRECT_H
#define ALIGN_RECORD_DIRECT_H

#include "compat.h"

#include "access/genam.h"
#include "attachment/attachment.h"
#include "history/history.h"
#include "nodes/execnodes.h"
#include "utils/snapshot.h"

/*
 * One of the two tables: how it is laid out, remembered with the attachment.
 */
typedef struct DirectLayout
{
	Oid			relid;
	Oid			key_index;		/* on the key, then entry_no, or sla and cycle */
	int			nown;			/* HISTORY_NCOLUMNS or SLA_NCOLUMNS */
	AttrNumber	own[Max(HISTORY_NCOLUMNS, SLA_NCOLUMNS)];

	/* of the index columns: equality of the key columns, "<" of the next one */
	RegProcedure operator[ATTACHMENT_MAX_KEYS + 1];
	Oid			type[ATTACHMENT_MAX_KEYS + 1];
	Oid			collation[ATTACHMENT_MAX_KEYS + 1];
} DirectLayout;

typedef struct DirectLayouts
{
	bool		possible;
	DirectLayout history;
	DirectLayout sla;
} DirectLayouts;

/* The same opened, for one flush. */
typedef struct DirectTable
{
	const DirectLayout *layout;
	int			nkeys;
	Relation	rel;
	Relation	index;			/* of the key */
	ResultRelInfo *result;		/* NULL until something is written */
	TupleTableSlot *slot;
	EState	   *estate;
} DirectTable;

typedef struct Direct
{
	EState	   *estate;
	Snapshot	snapshot;		/* as of now; registered */
	DirectTable history;
	DirectTable sla;
} Direct;

/* NULL if one of the tables is not plain.  The attachment is from
 * align_attachment_locked(). */
extern Direct *align_direct_begin(Attachment *attachment);
extern void align_direct_end(Direct *direct);

/* Makes what was written so far visible, also what this flush wrote. */
extern void align_direct_refresh(Direct *direct);

/*
 * Rows of one key, the last one in the index first.  below: only those whose next
 * index column (entry_no, or sla) is less than that; NULL: all.
 */
extern SysScanDesc align_direct_scan(Direct *direct, DirectTable *table, const Datum *key,
									 const Datum *below);
extern HeapTuple align_direct_next(SysScanDesc scan);
extern void align_direct_end_scan(SysScanDesc scan);

/* values: those of the key, then align's own by HistoryColumn or SlaColumn. */
extern void align_direct_insert(DirectTable *table, const Datum *values, const bool *nulls);

/* Likewise, in place of a row of the clock table. */
extern void align_direct_update_clock(Direct *direct, ItemPointer tid, Datum *values, bool *nulls);

#endif							/* ALIGN_RECORD_DIRECT_H */
