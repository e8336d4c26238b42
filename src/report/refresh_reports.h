/*
 * refresh_reports.h
 *	  Bringing stored reports up to date.
 */
#ifndef ALIGN_REPORT_REFRESH_REPORTS_H
#define ALIGN_REPORT_REFRESH_REPORTS_H

#include "compat.h"

/*
 * Fills the tables of stored reports, or brings them up to date.  Returns the
 * number of leads whose rows were written.  The caller is connected to SPI, as
 * the owner, in a restricted operation, and holds a lock on them that
 * conflicts with itself.
 */
extern int64 align_report_refresh(Oid schema, const char *agreement, bool everything);

#endif							/* ALIGN_REPORT_REFRESH_REPORTS_H */
