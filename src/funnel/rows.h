/*
 * rows.h
 *	  Rows, arrays and words that the SQL functions of src/funnel return.
 */
#ifndef ALIGN_FUNNEL_ROWS_H
#define ALIGN_FUNNEL_ROWS_H

#include "fmgr.h"
#include "funnel/funnel.h"
#include "nodes/execnodes.h"

#define FUNNEL_ROW_COLUMNS 9

/* An output row, filled column by column. */
typedef struct FunnelRow
{
	ReturnSetInfo *result;
	int			ncolumns;
	Datum		values[FUNNEL_ROW_COLUMNS];
	bool		nulls[FUNNEL_ROW_COLUMNS];
} FunnelRow;

/* Begins the result of a set-returning function and its first row. */
extern void align_row_begin(FunnelRow *row, FunctionCallInfo fcinfo);

/* Appends a column; NULL text is stored as an SQL NULL. */
extern void align_row_text(FunnelRow *row, const char *text);

/* Stores the row and begins the next. */
extern void align_row_end(FunnelRow *row);

/* text[] of the names of stages */
extern Datum align_stages_array(const Funnel *funnel, const int *stages, int n);

/* "open", "won", "lost" */
extern const char *align_stage_kind_name(StageKind kind);

#endif							/* ALIGN_FUNNEL_ROWS_H */
