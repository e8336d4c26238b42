/*
 * changed_leads.h
 *	  Logs of changed leads, from which stored reports are brought up to date.
 *
 * Reports that read tables (report/stored.h) have a log in their schema: a
 * table of the keys of leads of which something has changed since the tables
 * were brought up to date, in any order, with repetitions.  Every change of
 * the history or the clock table, and of the columns of the attached table
 * that the reports show, adds a row in the same transaction.  A row without a
 * key stands for all leads.
 *
 * The rows are added by triggers with the function align.log_changed_lead() on
 * these three tables.  Its arguments are the schema of the log, the OID of the
 * log and, for each column of the log, the name of the column of the table
 * that has the key; on the attached table, further columns whose changes
 * count.  The log is found by its OID, or, after a dump and restore, by its
 * schema.  Where the recorder writes the history without the executor, and so
 * without triggers, it adds them itself (direct.c).
 *
 * Rows are added without asking for privileges on the log.  So it is only
 * written to if it belongs to the owner of the table: a role that may create
 * triggers on a table can fill the logs of its owner, but no other table.  Nor
 * may it have anything that could run code.  Since a change that is not logged
 * would be missing for ever, that is an error.
 */
#ifndef ALIGN_RECORD_CHANGED_LEADS_H
#define ALIGN_RECORD_CHANGED_LEADS_H

#include "compat.h"

#include "nodes/pg_list.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

/* The name of the log in the schema of the reports, and of the function. */
#define CHANGED_LEADS "stored_changes"
#define CHANGED_LEADS_FUNCTION "log_changed_lead"

/* The table beside it, of the leads that are being brought up to date. */
#define CHANGED_LEADS_TAKEN "stored_taken"

/* So many columns beyond those of the key can be arguments of a trigger. */
#define CHANGED_LEADS_MAX_OTHERS 50

/* True for a trigger that adds to a log. */
extern bool align_is_changed_lead_trigger(const Trigger *trigger);

/*
 * The log that a trigger with these arguments adds to, if it is on a table of
 * this owner; InvalidOid if there is none: then the reports have been dropped.
 */
extern Oid	align_changed_leads_log(int nargs, char **args, Oid owner);

/* The triggers on a table that add to logs: a List of CatalogTrigger. */
extern List *align_changed_lead_triggers(Oid relid);

/*
 * Drops the triggers on a table that add to this log, or to one that is gone.
 * The caller is connected to SPI, as the owner of the table.
 */
extern void align_drop_changed_lead_triggers(Oid relid, Oid owner, Oid log);

/* The logs that triggers on a table of this owner add to: a List of OIDs. */
extern List *align_changed_leads_logs(Oid relid, Oid owner);

/*
 * Opens the logs to which the triggers of a history add, for leads whose keys
 * are in its first nkeys columns.  Returns a List for the functions below.
 */
extern List *align_changed_leads_open(Relation history, int nkeys);

/* Closes them, without releasing their locks. */
extern void align_changed_leads_close(List *logs);

/* Adds a lead to all of them. */
extern void align_changed_leads_add(List *logs, const Datum *key);

#endif							/* ALIGN_RECORD_CHANGED_LEADS_H */
