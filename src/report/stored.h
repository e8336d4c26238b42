/*
 * stored.h
 *	  Reports that read tables instead of computing everything: what
 *	  create_reports(stored => true) creates, and refresh_reports() keeps up to
 *	  date.
 */
#ifndef ALIGN_REPORT_STORED_H
#define ALIGN_REPORT_STORED_H

#include "report/body.h"

/* The table of all leads: their keys, when they changed last, and dimensions. */
#define REPORT_STORED_LEADS "stored_leads"

/* The name of the table for what can be stored, palloc'd. */
extern char *align_report_stored_name(const ReportBody *body);

#endif							/* ALIGN_REPORT_STORED_H */
