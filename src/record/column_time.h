/*
 * column_time.h
 *	  Times in columns of the attached table.
 */
#ifndef ALIGN_RECORD_COLUMN_TIME_H
#define ALIGN_RECORD_COLUMN_TIME_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"

/*
 * Returns a value, which is not null, of a column with a role as an instant.
 * Raises an error if it is not finite.
 */
extern TimestampTz align_column_time(const Attachment *attachment, RowRole role, Datum value);

#endif							/* ALIGN_RECORD_COLUMN_TIME_H */
