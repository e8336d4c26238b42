/*
 * refresh_reports.h
 *	  Bringing stored reports up to date.
 */
#ifndef ALIGN_REPORT_REFRESH_REPORTS_H
#define ALIGN_REPORT_REFRESH_REPORTS_H

#include "compat.h"

#include "attachment/attachment.h"

/*
 * Fills the tables of stored reports, whose triggers log changes already.  The
 * caller is connected to SPI, as the owner, in a restricted operation.
 */
extern void align_report_fill(Oid schema, const Attachment *attachment);

#endif							/* ALIGN_REPORT_REFRESH_REPORTS_H */
