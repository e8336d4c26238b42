/*
 * scan.h
 *	  Reading attached tables, histories and clock tables in order of the key,
 *	  with the rights of the caller.
 *
 * Any number of scans read one snapshot: that of the statement, with everything
 * that the transaction itself has done so far.  They sort in the same order, so
 * they can be merged; memory is bounded by work_mem.
 */
#ifndef ALIGN_REPORT_SCAN_H
#define ALIGN_REPORT_SCAN_H

#include "compat.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "attachment/attachment.h"
#include "history/history.h"
#include "executor/spi.h"
#include "utils/portal.h"

/*
 * One scan.  Its first columns are the key; "values" are those after it.  They
 * live until the scan goes on.
 */
typedef struct RecordScan
{
	const Attachment *attachment;
	FmgrInfo	compare[ATTACHMENT_MAX_KEYS];
	Portal		portal;
	SPITupleTable *batch;
	uint64		next;			/* row of the batch */
	uint64		nrows;
	HeapTuple	row;			/* NULL at the end */
	TupleDesc	desc;
	Datum	   *key;
	Datum	   *values;
	bool	   *nulls;			/* of values */
} RecordScan;

/*
 * The attachment of a table, or of the root of a partition; raises if it is not
 * attached.  The table stays locked against being detached.  Whatever
 * is pending is written, SPI is connected, and the snapshot set; end undoes both.
 */
extern Attachment *align_reading_begin(Oid relid);
extern void align_reading_end(void);

/*
 * Starts a scan of a table, of which "r" is the alias: the columns after the
 * key, a condition (NULL: all rows), and the order (NULL: none, "": the key, else
 * that within the key).  Stands before the first row.
 */
extern void align_records_begin(RecordScan *scan, const Attachment *attachment, AttachedTable table,
								const char *columns, const char *condition, const char *order);

/* The same for the rows of one key; its plan is kept. */
extern void align_records_of_key(RecordScan *scan, const Attachment *attachment,
								 AttachedTable table, const char *columns,
								 const char *condition, const char *order, const Datum *key);

/* The same of all columns of align in history or clock table: values are indexed
 * by HistoryColumn or SlaColumn. */
extern void align_records_of_history(RecordScan *scan, const Attachment *attachment,
									 const char *condition, const char *order);
extern void align_records_of_clocks(RecordScan *scan, const Attachment *attachment,
									const char *condition, const char *order);

/* The open clocks, of one lead or (key NULL) of all. */
extern void align_records_of_open_clocks(RecordScan *scan, const Attachment *attachment,
										 const Datum *key);

/* The next row; false at the end.  Rows whose key has a null are passed over. */
extern bool align_records_next(RecordScan *scan);
extern void align_records_end(RecordScan *scan);

/* < 0, 0 or > 0: the scan's row compared with a key; a scan at its end is
 * greater than all. */
extern int	align_records_compare(RecordScan *scan, const Datum *key);

/* A text column: palloc'd, NULL if it is null. */
extern char *align_records_text(const RecordScan *scan, int column);

#endif							/* ALIGN_REPORT_SCAN_H */
