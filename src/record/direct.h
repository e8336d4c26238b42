/*
 * direct.h
 *	  Access to plain record tables without the executor.
 *
 * Usually history and clock table are as attach() created them.  The recorder
 * then reads them through the index on the key, and inserts and updates rows
 * through the table access method, which saves the startup of two queries per
 * statement.  If the owner has partitioned them, or added triggers, columns or
 * rules, the recorder uses the statements of plans.h instead.  Both ways read
 * and write the same.
 */
#ifndef ALIGN_RECORD_DIRECT_H
#define ALIGN_RECORD_DIRECT_H

#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "attachment/attachment.h"
#include "history/history.h"
#include "lead/lead.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/*
 * Layout of one of the two tables.
 */
typedef struct DirectLayout
{
	Oid			relid;
	Oid			key_index;		/* on the key columns and entry_no, or on the
								 * key columns, sla and cycle */
	bool		has_logs;		/* are there triggers that add to logs of
								 * changed leads (changed_leads.h)? */
	int			nown;			/* of the following */

	/* Attribute numbers, by HistoryColumn or SlaColumn. */
	AttrNumber	own[Max(HISTORY_NCOLUMNS, SLA_NCOLUMNS)];

	/*
	 * For scans of key_index: the equality functions of the key columns, then
	 * the "<" function of the next column, with input types and collations.
	 */
	RegProcedure operator[ATTACHMENT_MAX_KEYS + 1];
	Oid			type[ATTACHMENT_MAX_KEYS + 1];
	Oid			collation[ATTACHMENT_MAX_KEYS + 1];
} DirectLayout;

/* Layouts of both tables; cached with the attachment. */
typedef struct DirectLayouts
{
	bool		possible;		/* both tables are plain; else the layouts are
								 * not valid */
	DirectLayout history;
	DirectLayout sla;
} DirectLayouts;

/* One of the tables, open for a flush. */
typedef struct DirectTable
{
	const DirectLayout *layout;
	int			nkeys;
	Relation	rel;
	Relation	index;			/* key_index */
	ResultRelInfo *result;		/* NULL until a row is written, */
	TupleTableSlot *slot;		/* and likewise */
	bool		logged;			/* do its rows go to logs of changed leads? */
	List	   *logs;			/* these, when a row has been written */
	EState	   *estate;			/* of the Direct */
} DirectTable;

typedef struct Direct
{
	EState	   *estate;
	Snapshot	snapshot;		/* registered; NULL until the first
								 * align_direct_refresh() */
	DirectTable history;
	DirectTable sla;
} Direct;

/*
 * Opens both tables, which must be locked (align_attachment_locked()).
 * Returns NULL if one of them is not plain.
 */
extern Direct *align_direct_begin(Attachment *attachment);
extern void align_direct_end(Direct *direct);

/*
 * Takes a new snapshot for scans.  It sees what has been committed, and what
 * this transaction has written up to now.
 */
extern void align_direct_refresh(Direct *direct);

/*
 * Scans the rows of one key, backwards in index order.  If below is not NULL,
 * only rows whose next index column (entry_no, or sla) is less than *below are
 * returned.  align_direct_next() returns NULL at the end; a row is valid until
 * the next call.
 */
extern SysScanDesc align_direct_scan(Direct *direct, DirectTable *table, const Datum *key,
									 const Datum *below);
extern HeapTuple align_direct_next(SysScanDesc scan);
extern void align_direct_end_scan(SysScanDesc scan);

/*
 * One of align's own columns of a row that was read, by HistoryColumn or
 * SlaColumn; a text is valid as long as the row.
 */
static inline Datum
DirectField(const DirectTable *table, HeapTuple tuple, int column, bool *isnull)
{
	return heap_getattr(tuple, table->layout->own[column], RelationGetDescr(table->rel), isnull);
}

static inline LeadString
DirectText(const DirectTable *table, HeapTuple tuple, int column)
{
	bool		isnull;
	Datum		value = DirectField(table, tuple, column, &isnull);

	return isnull ? align_lead_cstring(NULL) : align_lead_varlena(value);
}

/*
 * Inserts a row.  values are those of the key columns, followed by those of
 * HistoryColumn or SlaColumn.
 */
extern void align_direct_insert(DirectTable *table, const Datum *values, const bool *nulls);

/*
 * Replaces the row of the clock table at tid, which was read with the current
 * snapshot.  If another transaction has updated it meanwhile, warn_notified_at
 * and due_notified_at are taken from its version, into values, and tid is set
 * to that.
 */
extern void align_direct_update_clock(Direct *direct, ItemPointer tid, Datum *values, bool *nulls);

#endif							/* ALIGN_RECORD_DIRECT_H */
