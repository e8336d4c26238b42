/*
 * create_reports.h
 *	  The views of reports.
 */
#ifndef ALIGN_REPORT_CREATE_REPORTS_H
#define ALIGN_REPORT_CREATE_REPORTS_H

#include "compat.h"

#include "attachment/attachment.h"
#include "nodes/pg_list.h"

/* The view of settings, by which the reports on an attachment are found. */
#define REPORT_SETTINGS "report_settings"

/* The OIDs of the schemas that have reports on an attachment. */
extern List *align_report_schemas(const Attachment *attachment);

#endif							/* ALIGN_REPORT_CREATE_REPORTS_H */
