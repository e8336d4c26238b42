/*
 * pointer.h
 *	  The arguments of pointers, in which a record table has what the marker,
 *	  the live condition, the expressions and the look-ups of its root are.
 *
 * They are
 *
 *	  '<agreement>', '<mode>', '<options>'
 *							as in the marker
 *	  '<roles> <attribute number> <name>'
 *							for each column of the marker, in its order
 *	  '<major version of PostgreSQL> <condition>'
 *							only with live: the condition with $1, $2, ... for
 *							its columns
 *	  'live <attribute number> <name>'
 *							for each of these columns
 *	  '<major version of PostgreSQL> <expression>'
 *	  '<role>_expression <attribute number> <name>'
 *							the same for each role that has an expression
 *	  '<role>_labels <OID> <view>'
 *							for each role that has a look-up
 *
 * Nothing updates them when a column is renamed, or when a dump is restored,
 * which may number columns differently.  So a column is the right one if its
 * number or its name is.  (The first changes only in a dump of a table with
 * dropped columns.)  The same holds for the OID and the name of a view.
 *
 * The text of a condition does not depend on settings, nor on names of
 * columns, types and schemas, but another major version of PostgreSQL may
 * write it differently.
 */
#ifndef ALIGN_ATTACHMENT_POINTER_H
#define ALIGN_ATTACHMENT_POINTER_H

#include "compat.h"

#include "attachment/attachment.h"
#include "nodes/pg_list.h"

/*
 * The columns that a marker has roles for, each once, as a list of int: the
 * key columns in their order, then the others.
 */
extern List *align_used_columns(const AttachmentMarker *marker);

/* The roles of a column, joined by '+'; palloc'd. */
extern char *align_column_roles(const AttachmentMarker *marker, AttrNumber attnum);

/* The arguments of the pointers to a root, as SQL; palloc'd. */
extern char *align_pointer_arguments(const AttachmentMarker *marker);

/*
 * Do the arguments of a pointer agree with the marker, its live condition and
 * its expressions?
 * If any_version, the text of a condition that another major version wrote is
 * not compared.
 */
extern bool align_pointer_fits(const AttachmentMarker *marker, int nargs, char **args,
							   bool any_version);

/*
 * True if the arguments of a pointer that fits have the number of another
 * column, or the OID of another view, so that the pointer will fit no longer
 * when the name changes.
 */
extern bool align_pointer_is_outdated(const AttachmentMarker *marker, int nargs, char **args);

#endif							/* ALIGN_ATTACHMENT_POINTER_H */
