/*
 * owned.h
 *	  Common parts of the functions that the owner of an attached table calls.
 *
 * These are merge_leads(), erase(), forget(), purge(), rebuild_clocks(),
 * notify_handoffs() and notify_due().
 */
#ifndef ALIGN_MAINTAIN_OWNED_H
#define ALIGN_MAINTAIN_OWNED_H

#include "compat.h"

#include "attachment/attachment.h"

/*
 * Returns the attachment that the function's first argument means; see
 * align_find_attachment().  The table is locked against
 * being detached, and history and clock table are locked in ROW EXCLUSIVE
 * mode.
 *
 * Raises an error if the argument is NULL, the transaction is read-only, the
 * table is not attached, or the current user does not own it.  function is the
 * name for the error message, such as "align.erase()".
 */
extern Attachment *align_owned_attachment(FunctionCallInfo fcinfo, const char *function);

/*
 * The same checks, for functions that take a stronger lock on the root before
 * history and clock table are locked: returns the attachment of the root, of
 * which only the relation is locked against being detached.
 */
extern AttachmentId align_owned_root(FunctionCallInfo fcinfo, const char *function);

/*
 * Runs a query, whose parameters are the columns of one key, as the owner of
 * the attached table.  The caller is connected to SPI and finds the result in
 * SPI_processed and SPI_tuptable.
 *
 * The query sees what is committed now, even in a transaction whose own
 * snapshot is older: entries are written under locks on rows of the table, and
 * this transaction may have acquired its locks after it took its snapshot.
 */
extern void align_read_latest_as_owner(Attachment *attachment, const char *query, Datum *key);

/*
 * Updates the rows, with the alias h, of a table of the attachment that
 * satisfy a condition, and returns their number.  The assignments must make
 * the condition false; rows that satisfy it afterwards are an error.  nulls
 * may be NULL.  The caller is connected to SPI.
 */
extern uint64 align_update_rows(Attachment *attachment, AttachedTable table,
								const char *assignments, const char *condition, int nargs,
								Oid *types, Datum *values, const char *nulls);

/*
 * Raises a serialization failure: another transaction has changed the history
 * or the clocks of a lead.  lead is the text of its key.
 */
extern void align_report_concurrent_change(const char *lead) pg_attribute_noreturn();

#endif							/* ALIGN_MAINTAIN_OWNED_H */
