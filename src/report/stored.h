/*
 * stored.h
 *	  Reports that read tables instead of computing everything.
 *
 * create_reports(stored => true) creates, in the schema of the reports, a
 * table for each query of sql/report/stored, which the views read.
 *  refresh_reports() brings them up to date:
 *
 *	  stored_NAME             a table for the query NAME: its columns, and
 *	  latest_at,
 *						since when nothing else has become known about the lead
 *	  stored_NAME(A)  a function: the rows of the table, of all leads
 *	  changed_NAME(A) a function: those of the leads in stored_taken
 *	  stored_leads             is one of these tables, with a row per lead
 *	  stored_changes      the keys of leads that have changed since
 *						(record/changed_leads.h); stored_taken: those of them
 *						that are being brought up to date, else empty
 *	  stored_state            one row: when that was done last, and by which
 *	  version
 *						of the agreement
 *
 * All belong to the owner of the attached table, and are marked as reports.
 * The functions exist so that the queries follow when tables and columns are
 * renamed, as those of views do.
 */
#ifndef ALIGN_REPORT_STORED_H
#define ALIGN_REPORT_STORED_H

#include "report/body.h"

#define REPORT_STORED_TAKEN "stored_taken"

/* The names of all tables and of all functions: Lists of char *. */
extern List *align_stored_tables(void);
extern List *align_stored_functions(void);

/*
 * The name of a trigger that logs changed leads for the reports in a schema,
 * palloc'd; and the event that it is for.
 */
#define STORED_NTRIGGERS 2
extern char *align_stored_trigger(Oid schema, int trigger);
extern const char *const align_stored_trigger_events[STORED_NTRIGGERS];

/*
 * True if an owner has stored reports in a schema.  Locks the tables and
 * functions, and raises an error if one is missing or has been replaced: as in
 * other schemas that a role uses but does not own, somebody else may have put
 * something in its place, which would run as the owner.
 */
extern bool align_report_lock_stored(Oid schema, Oid owner, LOCKMODE mode);

/*
 * True if the triggers that log changed leads are there and enabled.  They are
 * not if somebody has dropped or disabled one.
 */
extern bool align_stored_triggers_work(Oid schema, const Attachment *attachment);

#endif							/* ALIGN_REPORT_STORED_H */
