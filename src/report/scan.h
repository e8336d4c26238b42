/*
 * scan.h
 *	  Scans of attached tables, histories and clock tables in order of the key.
 *
 * Scans run with the privileges of the current user.  All scans between
 * align_begin_reading() and align_end_reading() use one snapshot, that of the
 * calling statement plus the changes of its own transaction so far.  Ordered
 * scans return keys in the same order for all three tables, so that they can
 * be merged.  PostgreSQL sorts the rows within work_mem.
 */
#ifndef ALIGN_REPORT_SCAN_H
#define ALIGN_REPORT_SCAN_H

#include "compat.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "attachment/attachment.h"
#include "history/history.h"
#include "executor/spi.h"
#include "utils/portal.h"

/*
 * State of a scan.  The row, its key and its values are valid until the next
 * call of align_table_scan_next().
 */
typedef struct TableScan
{
	const Attachment *attachment;
	FmgrInfo	compare[ATTACHMENT_MAX_KEYS];	/* if ordered: comparison
												 * functions of the key */
	Portal		portal;
	SPITupleTable *batch;		/* rows fetched from the portal */
	uint64		next;			/* index in batch of the next row */
	uint64		nrows;			/* number of rows in batch */
	HeapTuple	row;			/* current row; NULL at the end */
	TupleDesc	desc;
	Datum	   *key;			/* columns of the key */
	Datum	   *values;			/* columns after the key */
	bool	   *nulls;			/* for values */
} TableScan;

/*
 * align_begin_reading() returns the attachment that the relation means; see
 * align_find_attachment().  The
 * table is locked against being detached.  Writes all pending changes, pushes
 * the snapshot for scans, and connects to SPI; align_end_reading() pops the
 * snapshot and disconnects.
 */
extern Attachment *align_begin_reading(Oid relid);
extern void align_end_reading(void);

/*
 * Starts a scan of one table of the attachment, which has the alias "r" in the
 * SQL texts.  columns is a list of columns to return after the key; condition
 * selects rows (NULL: all).  order is NULL for no order, "" for the order of
 * the key, or a list of columns by which rows of the same key are sorted.
 *
 * The scan is positioned before the first row.  The caller must end it.
 */
extern void align_table_scan_begin(TableScan *scan, const Attachment *attachment,
								   AttachedTable table, const char *columns,
								   const char *condition, const char *order);

/*
 * Starts an ordered scan of the rows of one key.  Its plan is cached.  So far,
 * table must be TABLE_HISTORY.
 */
extern void align_table_scan_key(TableScan *scan, const Attachment *attachment,
								 AttachedTable table, const char *columns,
								 const char *condition, const char *order, const Datum *key);

/*
 * Start a scan of all of align's own columns of the history or the clock
 * table.  values is indexed by HistoryColumn or SlaColumn.
 */
extern void align_table_scan_history(TableScan *scan, const Attachment *attachment,
									 const char *condition, const char *order);
extern void align_table_scan_clocks(TableScan *scan, const Attachment *attachment,
									const char *condition, const char *order);

/*
 * Starts a scan, in no particular order, of the open clocks of one lead, or of
 * all leads if key is NULL.  values is indexed by SlaColumn.
 */
extern void align_table_scan_open_clocks(TableScan *scan, const Attachment *attachment,
										 const Datum *key);

/*
 * The same for the clocks that were open at an instant: they started by then,
 * and have not stopped, or later.
 */
extern void align_table_scan_clocks_at(TableScan *scan, const Attachment *attachment,
									   TimestampTz as_of, const Datum *key);

/*
 * Starts a scan of the assignee of a lead at an instant, as the single column
 * of at most one row: that of the last entry of the history that can set it
 * and is not later than the instant, nor earlier than "since".
 */
extern void align_table_scan_assignee(TableScan *scan, const Attachment *attachment,
									  TimestampTz since, TimestampTz at, const Datum *key);

/*
 * Advances to the next row; returns false at the end.  Skips rows with a null
 * in the key.
 */
extern bool align_table_scan_next(TableScan *scan);
extern void align_table_scan_end(TableScan *scan);

/*
 * Compares the key of the current row of an ordered scan with another key:
 * returns -1, 0 or 1.  A scan at its end compares as greater than any key.
 */
extern int	align_table_scan_compare(TableScan *scan, const Datum *key);

/*
 * Returns a value of type text as a palloc'd string; NULL if it is null.
 */
extern char *align_table_scan_text(const TableScan *scan, int column);

/* The column segments of alias r of the history, NULL if it has none. */
extern const char *align_scan_segments(const Attachment *attachment);

#endif							/* ALIGN_REPORT_SCAN_H */
