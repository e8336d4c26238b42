/*
 * record_direct.h
 *	  The short way to history and clock table, where nothing speaks against it.
 *
 * Usually both are plain tables just as attach() made them: then the recorder
 * reads them through the index on their key and writes rows without making a
 * query of it, which for the single-row statements of an application costs a
 * third.  Whatever an owner may do to his tables (partitions, triggers, rules,
 * further columns, generated ones, another owner) is left to the executor, by
 * way of recorder_sql.c; both ways read and write the same.
 */
#ifndef ALIGN_RECORD_DIRECT_H
#define ALIGN_RECORD_DIRECT_H

#include "compat.h"

#include "access/genam.h"
#include "enforce/attachment.h"
#include "enforce/history.h"
#include "nodes/execnodes.h"
#include "utils/snapshot.h"

/*
 * One of the two tables: how it is laid out, remembered with the attachment.
 */
typedef struct DirectLayout
{
	Oid			relid;
	Oid			key_index;		/* its first columns are the key */
	int			nown;			/* HISTORY_NCOLUMNS or SLA_NCOLUMNS */
	AttrNumber	own[Max(HISTORY_NCOLUMNS, SLA_NCOLUMNS)];
	RegProcedure eq[ATTACHMENT_MAX_KEYS];	/* of the index's operator family */
	Oid			eq_type[ATTACHMENT_MAX_KEYS];
	Oid			collation[ATTACHMENT_MAX_KEYS];
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

/* NULL if the short way is closed.  The attachment is from
 * align_attachment_locked(): both tables are locked, and have their columns. */
extern Direct *align_direct_begin(Attachment *attachment);
extern void align_direct_end(Direct *direct);

/* Sees what was written before, also by this flush. */
extern void align_direct_refresh(Direct *direct);

/* Rows of one key, the last of the key's index first. */
extern SysScanDesc align_direct_scan(Direct *direct, DirectTable *table, const Datum *key);
extern HeapTuple align_direct_next(SysScanDesc scan);
extern void align_direct_end_scan(SysScanDesc scan);

/* values: those of the key, then align's own by HistoryColumn or SlaColumn. */
extern void align_direct_insert(DirectTable *table, const Datum *values, const bool *nulls);
/* Likewise, in place of a row of the clock table. */
extern void align_direct_update_clock(Direct *direct, ItemPointer tid, Datum *values, bool *nulls);

#endif							/* ALIGN_RECORD_DIRECT_H */
