/*
 * as_role.h
 *	  Running code as another role.
 *
 * Recording a change writes the history and the clock table as the owner of
 * the attached table, as PostgreSQL's referential integrity triggers do.  Code
 * of that owner (triggers on the history, casts) then runs with the owner's
 * rights, within a statement of a user who already trusts the table.
 *
 * Functions that are called for a table (attach, detach, check, notify_due,
 * notify_handoffs, merge_leads, erase, forget, purge, rebuild_clocks,
 * import_history, and agree for the tables under the agreement) need more
 * protection, because their caller may be a superuser or a scheduler that
 * serves many owners.
 * They follow PostgreSQL's own maintenance commands, such as REINDEX:
 *
 *	  - No code of the table's owner runs with the rights of the caller.  Such
 *		code is not only in triggers: PostgreSQL also evaluates immutable
 *		functions in predicates and expressions of indexes and in partition
 *		keys when it plans a query or loads the description of a table, casts
 *		and domain constraints when values are converted, and policies.  So
 *		the caller's own privileges are checked first, and everything else
 *		happens between align_begin_restricted() and align_end_restricted(),
 *		as the owner.  Opening and locking relations, and reading catalogs,
 *		run no such code.
 *
 *	  - The operation is security-restricted: the owner's code cannot leave
 *		anything behind in the session (a deferred trigger, a temporary table,
 *		a setting) that would later run with the caller's rights.  Pending
 *		changes of leads that it makes are written in such an operation, too,
 *		even at commit (see pending.h).
 *
 * Functions that read for the caller (journeys, clocks, explain_move, dry_run)
 * read with the caller's privileges, as a SELECT would; PostgreSQL then runs
 * what it runs in a SELECT.  Beyond that, they run no code of the owner with
 * the rights of the caller: key arguments are read without domain constraints,
 * and keys are printed without casts (attachment/key.c).  Look-ups of labels
 * run the owner's view, as the owner, in a security-restricted operation
 * (attachment/labels.c).
 */
#ifndef ALIGN_CATALOG_AS_ROLE_H
#define ALIGN_CATALOG_AS_ROLE_H

#include "compat.h"

/* The current user and security context to restore. */
typedef struct CallerRole
{
	Oid			userid;
	int			sec_context;
} CallerRole;

/*
 * Make role the current user, and ignore FORCE ROW LEVEL SECURITY, until
 * align_return_to().  An abort of the (sub)transaction restores the caller,
 * too.
 */
extern void align_work_as(Oid role, CallerRole *caller);
extern void align_return_to(const CallerRole *caller);

/* The caller of a function that runs as a security-restricted operation. */
typedef struct RestrictedCaller
{
	CallerRole	role;
	int			guc_nestlevel;
} RestrictedCaller;

/*
 * Make role, usually the owner of a table, the current user of a
 * security-restricted operation until align_end_restricted(); it includes
 * every role that align_work_as() switches to meanwhile.  search_path is set
 * to pg_catalog, pg_temp, so that names in text that is written and read back
 * (WHEN conditions of triggers, collations) have the same meaning for every
 * caller.  All settings are restored at the end.  An abort of the
 * (sub)transaction restores user and settings, too.
 */
extern void align_begin_restricted(RestrictedCaller *caller, Oid role);
extern void align_end_restricted(const RestrictedCaller *caller);

/* Connect to SPI; an error if that fails. */
extern void align_spi_connect(void);

/* Execute a command as the current user, who is connected to SPI. */
extern void align_spi_execute(const char *command);

/*
 * Execute a command as a role.  The caller must be connected to SPI.  The
 * second form builds the command from a format like psprintf().
 */
extern void align_execute_as(Oid role, const char *command);
extern void align_execute_format(Oid role, const char *format,...) pg_attribute_printf(2, 3);

#endif							/* ALIGN_CATALOG_AS_ROLE_H */
