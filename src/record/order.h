/*
 * order.h
 *	  The order in which pending changes are written.
 *
 * Changes are written in the order of the commands that made them.  This is
 * the order in which the versions of a row were made, but not always that in
 * which rows with the same key followed each other: a command may make a row
 * long after it began.  For example, a BEFORE ROW trigger of an INSERT may
 * delete the row that has the key of the new one, or give it another key.  The
 * command of the trigger began later than that of the INSERT, yet the INSERT
 * made its row afterwards.
 *
 * A change that makes a row version therefore gets a later position if it
 * needs one.  Let X be such a change, and Z one of the same lead that arrived
 * before it and was made by a later command.  If that command replaced the row
 * version of X, or if Z was made after it was replaced, X comes first.  What
 * counts is the position of Z, which may itself have been made long after its
 * command began.  Otherwise Z ended the life of another row: two rows never
 * have the same key at the same time, and a version of X's row stood from X on
 * until it was replaced.  So Z came first.
 *
 * A row that keeps its key in an UPDATE has had it since before the command
 * began, so such a change needs no later position.
 *
 * One command may delete a row, and give its key to another.  So its deletions
 * come first.  Its changes of keys come next, and are written at once
 * (flush.c); all others follow.
 */
#ifndef ALIGN_RECORD_ORDER_H
#define ALIGN_RECORD_ORDER_H

#include "compat.h"

#include "attachment/attachment.h"
#include "record/pending.h"

/* Sorts changes of an attached table into the order in which to write them. */
extern void align_order_changes(Attachment *attachment, Change **changes, int nchanges);

#endif							/* ALIGN_RECORD_ORDER_H */
