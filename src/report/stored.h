/*
 * stored.h
 *	  Reports that read tables instead of computing everything.
 *
 * create_reports(stored => true) creates a table stored_NAME for each query
 * sql/report/stored/NAME.sql in the schema of the reports, which the views
 * read.  It has the columns of the query, and latest_at, since when nothing
 * else has become known about the lead.  refresh_reports() brings the tables
 * up to date by the functions stored_NAME(A), the rows of all leads, and
 * changed_NAME(A), those of the leads in stored_taken.  (Functions follow when
 * tables and columns are renamed, as views do.)
 *
 * stored_changes is the log of leads that have changed since
 * (record/changed_leads.h), stored_taken has those of them that are being
 * brought up to date, and is empty otherwise, and stored_state has one row:
 * when that was done last, and by which version of the agreement.
 *
 * The tables that are for users (REPORT_TABLE) are kept likewise, under the
 * names of their queries: lead_values, the journeys, filled after the others.
 * Beside it, entry_days has a row for every day on which leads entered: when
 * the last refresh happened that changed a row of lead_values of that day, or
 * removed it.  These times only grow, and no two refreshes have the same.
 * Reports that a release before 0.6 has created have neither.
 *
 * All belong to the owner of the attached table, and are marked as reports.
 */
#ifndef ALIGN_REPORT_STORED_H
#define ALIGN_REPORT_STORED_H

#include "report/body.h"

/* The tables that are for users. */
#define REPORT_LEAD_VALUES "lead_values"
#define REPORT_ENTRY_DAYS "entry_days"

/*
 * The names of all tables and of all functions, with or without the tables for
 * users and their functions: Lists of char *.
 */
extern List *align_stored_tables(bool for_users);
extern List *align_stored_functions(bool for_users);

/* True if the stored reports of an owner in a schema have tables for users. */
extern bool align_stored_has_values(Oid schema, Oid owner);

/*
 * The name of a trigger that adds to a log of changed leads, palloc'd; and the
 * event that it is for.
 */
#define STORED_NTRIGGERS 2
extern char *align_stored_trigger(Oid log, int trigger);
extern const char *const align_stored_trigger_events[STORED_NTRIGGERS];

/*
 * True if an owner has stored reports in a schema.  Locks the tables and
 * functions, and raises an error if one is missing or has been replaced: the
 * owner of the schema may have put something in its place, which would run as
 * the owner of the table.
 */
extern bool align_report_lock_stored(Oid schema, Oid owner, LOCKMODE mode);

/*
 * Raises an error if a foreign key refers to one of these tables, which must
 * be locked.  What it does when rows are deleted, triggers of the table that
 * has it would do as the owner of the reports.
 */
extern void align_check_stored_references(Oid schema, Oid owner);

/*
 * What the rows of all leads depend on: a query, as of $1, of the columns
 * version and basis; and one of whether it differs from that of the stored
 * rows, or the log says that all leads have changed.  NULL counts as true.
 */
extern char *align_stored_basis_query(const ReportTarget *target);
extern char *align_stored_unfit_query(const ReportTarget *target);

/*
 * Raises an error unless the schema belongs to the owner of the attached table
 * or a superuser: another owner could replace what is in it.
 */
extern void align_check_stored_schema(Oid schema, const Attachment *attachment);

/*
 * Sets the names of the key columns in the reports to those that the stored
 * tables have: those in the attached table may have changed since.
 */
extern void align_stored_key_names(ReportTarget *target);

/*
 * True if the tables have the columns that the queries of this release read.
 * Those that an earlier one created do not; refresh_reports() writes them all
 * the same, by functions of that release.
 */
extern bool align_stored_is_current(Oid schema);

/*
 * True if the triggers that log changed leads are there and enabled.  They are
 * not if one was dropped or disabled.
 */
extern bool align_stored_triggers_work(Oid schema, const Attachment *attachment);

#endif							/* ALIGN_REPORT_STORED_H */
