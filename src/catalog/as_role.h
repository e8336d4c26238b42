/*
 * as_role.h
 *	  Working as another role, and working for one without being exposed to its
 *	  code.
 *
 * Two things are kept apart.  Recording a change writes history and clocks as
 * the owner of the attached table, as PostgreSQL's referential triggers do; code
 * of that owner (triggers on the history, casts) then runs with the owner's
 * rights, in the middle of a statement of somebody who trusts the table anyway.
 *
 * Functions that are called for a table (attach, detach, merge_leads, erase,
 * notify_due, check, ...) are different: their caller may be a superuser or a
 * scheduler that serves many owners.  They run as a security-restricted
 * operation, as PostgreSQL's own maintenance commands do: the owner's code
 * cannot leave anything behind in the session (a deferred trigger, a temporary
 * table, a setting) that would later run with the caller's rights.
 */
#ifndef ALIGN_CATALOG_AS_ROLE_H
#define ALIGN_CATALOG_AS_ROLE_H

#include "compat.h"

/* The role to return to. */
typedef struct CallerRole
{
	Oid			userid;
	int			sec_context;
} CallerRole;

/*
 * Work as a role, with row-level security off, until align_return_to().  The
 * abort of the (sub)transaction returns, too.
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
 * From here to align_end_restricted() the current role works as a
 * security-restricted operation, and so does every role that align_work_as()
 * takes on meanwhile.  search_path is pg_catalog, pg_temp, so that names in what
 * is written and read back (conditions of triggers, collations) mean the same for
 * every caller; all settings are restored at the end.
 */
extern void align_begin_restricted(RestrictedCaller *caller);
extern void align_end_restricted(const RestrictedCaller *caller);

/* Connects to SPI. */
extern void align_spi_connect(void);

/* Run a command as a role; the caller is connected to SPI. */
extern void align_execute_as(Oid role, const char *command);
extern void align_execute_format(Oid role, const char *format,...) pg_attribute_printf(2, 3);

#endif							/* ALIGN_CATALOG_AS_ROLE_H */
