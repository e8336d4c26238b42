/*
 * report_privileges.h
 *	  The privileges of other roles on reports.
 */
#ifndef ALIGN_REPORT_PRIVILEGES_H
#define ALIGN_REPORT_PRIVILEGES_H

#include "report/body.h"

/* The names of the reports that exist, as an array of SQL. */
extern char *align_report_names(const ReportTarget *target);

/*
 * Returns the commands that give, or take away, what other roles than the
 * owner may do with the reports of these names: with views, their columns, and
 * functions.  The caller is connected to SPI.
 */
extern List *align_report_privileges(const ReportTarget *target, const char *names, bool revoke);

/* Executes such commands, except for columns that no longer exist. */
extern void align_report_execute_privileges(const ReportTarget *target, List *commands);

#endif							/* ALIGN_REPORT_PRIVILEGES_H */
