/*
 * create_reports.h
 *	  The views of reports.
 */
#ifndef ALIGN_REPORT_CREATE_REPORTS_H
#define ALIGN_REPORT_CREATE_REPORTS_H

#include "compat.h"

/* True if a relation is a report of an owner. */
extern bool align_is_report(Oid relid, Oid owner);

#endif							/* ALIGN_REPORT_CREATE_REPORTS_H */
