/*
 * pending.h
 *	  Changes of leads that are judged, but not written to the history yet.
 *
 * The row triggers judge each event of a row, and add the resulting changes of
 * its lead to the batch of the attached table.  They stay pending there until
 * the recorder writes them as entries (flush.h).  There is one batch per
 * attached table; it lives until the end of the transaction.
 *
 * Subtransactions
 *
 * A change has the nesting level of the subtransaction in which it was made.
 * If that is rolled back, the change is dropped; if it commits, the change
 * passes to the parent.  A flush writes changes of the current nesting level
 * only: if a change of an outer level were written inside a subtransaction,
 * for example in an exception block of a trigger, and that were rolled back,
 * the entry would be lost.
 *
 * Order
 *
 * The entries of a lead are written in the order in which the versions of its
 * row were made, that is, by the command that made each version (order.h has
 * the rule for leads whose row is another one).  Row triggers may fire in
 * another order.  Suppose that an UPDATE replaces version 1 of a
 * row by version 2, and that an AFTER ROW trigger that precedes align's by
 * name replaces version 2 by version 3, with an UPDATE of its own.  The row
 * triggers of the nested UPDATE fire at its end, so align's trigger is called
 * for the change from 2 to 3 first, and for the change from 1 to 2 afterwards.
 * The same happens if a function in the SET list of an UPDATE updates a row
 * that this UPDATE has processed already.
 *
 * In between, align's row trigger for version 2 is "outstanding".  A row
 * trigger can be outstanding only while the statement that made the version is
 * open, that is, has not fired its AFTER STATEMENT triggers.  So each batch
 * keeps a stack of the statements that are open on its table.  A change waits
 * only for what an open statement may still bring; flush.h has the rules.
 * When the outermost statement ends, no row trigger is outstanding: all
 * pending changes are sorted by command and written.
 *
 * Security-restricted operations
 *
 * Code of a table's owner that runs in such an operation (as_role.h) can
 * change attached tables of that owner.  These changes may be written after
 * the operation, even at commit: the owner can have disabled align_flush, for
 * example.  They are written in a security-restricted operation, too, so that
 * triggers on record tables can do no more then than before.
 *
 * The stack
 *
 * The statement triggers align_begin and align_flush of the root and of its
 * partitions push and pop.
 *
 *	  - INSERT ... ON CONFLICT DO UPDATE and MERGE fire statement triggers for
 *		each kind of event, and are on the stack once for each.
 *	  - The cascade of a foreign key fires its BEFORE STATEMENT triggers inside
 *		the trigger of the foreign key, but its AFTER STATEMENT triggers later,
 *		at the end of the query that fired that trigger.  If a second foreign
 *		key cascades to the same table in that query, AFTER STATEMENT triggers
 *		may fire twice.  So such a statement stays on the stack, marked as
 *		ended, until that query is over.
 *	  - Statements of an apply worker of logical replication, and direct writes
 *		to a partition that was added after align.attach(), are not on the
 *		stack.  They are "unlisted" statements.  align_pending_stack_is_exact()
 *		returns false where there may be some; then one is assumed to be open
 *		around every change.
 */
#ifndef ALIGN_RECORD_PENDING_H
#define ALIGN_RECORD_PENDING_H

#include "compat.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "datatype/timestamp.h"
#include "attachment/attachment.h"
#include "history/history.h"

/*
 * effective_at of a change whose row does not give the time of the change; the
 * entry gets recorded_at instead.
 */
#define CHANGE_TIME_UNKNOWN DT_NOBEGIN

/* Number of pending changes that triggers a flush within a statement. */
#define PENDING_BATCH 500

/*
 * A pending change: one entry of the history, once it is written.  Strings and
 * by-reference values are in the batch's memory context, in a compiled funnel,
 * or static.  NULL strings stand for SQL NULL.
 */
typedef struct Change
{
	HistoryEvent event;
	Datum		key[ATTACHMENT_MAX_KEYS];
	Datum		old_key[ATTACHMENT_MAX_KEYS];	/* of EVENT_REKEY */
	uint32		hash;			/* of key */
	uint32		old_hash;		/* of old_key; of key if that is not set */
	CommandId	command;		/* command that made the row version, or
								 * deleted the row */
	CommandId	replaced_by;	/* command that had replaced or deleted the
								 * row version when the change arrived;
								 * InvalidCommandId if none had */
	CommandId	position;		/* set by align_order_changes() */
	CommandId	replaced_command;	/* command that made the replaced row
									 * version; InvalidCommandId if that was
									 * another transaction, or if no statement
									 * is open around */
	int			nouter;			/* number of open statements around the one
								 * that made the row version */
	int			arrival;		/* sequence number within the batch */
	int			nest_level;		/* of the (sub)transaction it belongs to */
	bool		done;			/* set at the end of a flush: written, or
								 * moved to the waiting changes */
	bool		waits;			/* is one of the waiting changes */
	bool		removes_row;	/* made by a DELETE of the row */
	bool		keeps_key;		/* made by an UPDATE of a row that has had the
								 * key before */
	bool		restricted;		/* made in a security-restricted operation */
	bool		new_lead;		/* the lead is known to have no entries */
	bool		as_found;		/* records the present state of a row, not a
								 * change of it: from_stage and from_team are
								 * those of the lead's last entry */
	bool		first_half;		/* DELETE that is, or may be, the first half
								 * of a row movement, and whose second half
								 * has not come yet */
	HeapTuple	old_row;		/* only if first_half: the deleted row, */
	Oid			old_relid;		/* and the relation that it was in */
	const char *from_stage;
	const char *stage;
	const char *from_team;
	const char *team;
	const char *from_assignee;	/* only where replaced_command is valid */
	const char *assignee;
	const char *actor;
	const char *db_role;
	const char *reason;
	const char *note;
	const char *campaign;
	const char *violation;
	const char *segments;		/* canonical list, see lead.h */
	const char *source;			/* static */
	const char *handoff;		/* this and the next two: in the funnel */
	const char *handoff_from_team;
	const char *handoff_to_team;
	Datum		amount;			/* numeric */
	bool		has_amount;
	TimestampTz effective_at;	/* or CHANGE_TIME_UNKNOWN */
	int32		version;		/* of the agreement */
} Change;

/* A statement on the root whose AFTER STATEMENT triggers have not fired. */
typedef struct OpenStatement
{
	TriggerEvent kind;			/* TRIGGER_EVENT_INSERT, _UPDATE or _DELETE */
	int			trigger_depth;	/* in its BEFORE STATEMENT trigger */
	int			nest_level;
	bool		sets_key;		/* a key column is in its SET list */
	bool		sets_reason;	/* so is the reason column, */
	bool		sets_changed_at;	/* and this one */
	uint64		ended_in;		/* identifies the query that has fired its
								 * AFTER STATEMENT triggers, but is not over;
								 * 0 if they have not fired */
} OpenStatement;

/* Changes that depend on an outstanding row trigger. */
typedef struct WaitingChanges
{
	MemoryContext context;		/* of all members; NULL until first used */
	int			n;
	int			max;			/* allocated length of the array */
	Change	  **changes;		/* nest_level does not decrease */
	struct HTAB *leads;			/* set of the hashes of their keys; NULL if
								 * there are none */
} WaitingChanges;

/*
 * The pending changes of an attached table.  "changes" are those that the next
 * flush examines.  "waiting" are those that a flush has found to depend on an
 * outstanding row trigger; they are examined again only when none is
 * outstanding.
 */
typedef struct Batch
{
	AttachmentId root;
	MemoryContext context;		/* of "changes"; reset when there are none */
	int			nchanges;
	int			maxchanges;		/* allocated length of the array */
	Change	  **changes;		/* in order of arrival; nest_level does not
								 * decrease */
	struct HTAB *outer_leads;	/* hashes of the keys of the first
								 * nouter_leads changes; NULL if that is 0 */
	int			nouter_leads;
	int			ndropped;		/* changes of aborted subtransactions whose
								 * memory is still allocated in context */
	WaitingChanges waiting;
	int			arrivals;		/* next arrival number */
	Oid			db_role_id;		/* role whose name db_role is */
	const char *db_role;		/* in context; NULL if not known yet */
	int			nopen;
	int			maxopen;
	OpenStatement *open;		/* stack; the innermost statement is last */
	int			flush_level;	/* nesting level of the flush in progress, 0
								 * if there is none */
	int			flush_at;		/* number of changes from which
								 * align_recorder_flush_if_long() flushes */
	struct ReloadStore *deletions;	/* deferred ones; NULL if there are none */
} Batch;

/*
 * batches.c: return the batch of an attached table, which the former creates
 * if there is none; the latter returns NULL.
 */
extern Batch *align_pending_batch(AttachmentId root);
extern Batch *align_pending_find_batch(AttachmentId root);

/*
 * The same: return all batches, and a palloc'd list of those that have pending
 * changes.
 */
extern const List *align_pending_all_batches(void);
extern List *align_pending_batches(void);

/*
 * Adds a change to the batch.  key is copied; hash, nest_level, arrival and
 * nouter are set, effective_at is CHANGE_TIME_UNKNOWN, replaced_command and
 * replaced_by are InvalidCommandId, and all other members are zero.
 */
extern Change *align_pending_add(Batch *batch, Attachment *attachment, const Datum *key);

/*
 * Returns the number of open statements around the one whose row trigger is
 * executing.
 */
extern int	align_pending_outer_statements(const Batch *batch);

/*
 * For batches.c: at the end of a subtransaction of a nesting level, removes
 * its changes and open statements if it was aborted, or else passes them to
 * its parent.
 */
extern void align_pending_release_level(Batch *batch, int level, bool aborted);

/* Drops all changes of the batch, the waiting ones included. */
extern void align_pending_clear(Batch *batch);

/*
 * Returns the index of the first change of a nesting level or a greater one in
 * an array along which nesting levels do not decrease; nchanges if there is
 * none.
 */
extern int	align_pending_first_of_level(Change **changes, int nchanges, int level);

/*
 * True if one of the first nouter changes, which are those of outer nesting
 * levels, is of the lead.  hash is that of the lead's key; another key with
 * the same hash counts, too.
 */
extern bool align_pending_has_outer(Batch *batch, int nouter, uint32 hash);

/*
 * Removes those changes from number first on for which gone[] is true; gone[0]
 * is for number first.
 */
extern void align_pending_remove(Batch *batch, int first, const bool *gone);

/* Removes one change, which is among the last. */
extern void align_pending_remove_one(Batch *batch, const Change *change);

/*
 * Adds a copy of a change to the waiting changes.  The caller removes the
 * original.
 */
extern void align_pending_add_waiting(Batch *batch, const Attachment *attachment,
									  const Change *change);

/*
 * True if a change of the lead is waiting.  hash is that of the lead's key;
 * another key with the same hash counts, too.
 */
extern bool align_pending_has_waiting(const Batch *batch, uint32 hash);

/*
 * Returns the last pending change that concerns the key, by a command less
 * than "before", waiting changes included; NULL if there is none.  If its key
 * is another one, it is the change by which a lead has left this key, and what
 * is recorded under the key belongs to that lead.
 */
extern const Change *align_pending_last(Batch *batch, Attachment *attachment, const Datum *key,
										CommandId before);

/*
 * Takes the waiting changes out of the batch.  The caller frees their memory
 * with align_pending_free_waiting().
 */
extern WaitingChanges align_pending_take_waiting(Batch *batch);
extern void align_pending_free_waiting(WaitingChanges *waiting);

/*
 * True if all statements on the table are on the stack of open statements.
 */
extern bool align_pending_stack_is_exact(const Attachment *attachment);

/*
 * Returns the number of statements that were open around the one that made the
 * change and are still open, one for unlisted ones included.
 */
extern int	align_pending_outer_open(const Batch *batch, const Attachment *attachment,
									 const Change *change);

/*
 * The same, but 0 if another transaction made the replaced row version, or if
 * none was replaced.  If it is not 0, the row trigger for an earlier version
 * of the same row may be outstanding.
 */
extern int	align_pending_possible_predecessors(const Batch *batch, const Attachment *attachment,
												const Change *change);

/*
 * Returns the DELETE that a command has made as the first half of a row
 * movement, if its second half has not come yet; otherwise NULL.
 */
extern Change *align_pending_first_half(Batch *batch, CommandId command);

/* Returns the hash of a key. */
extern uint32 align_pending_hash(Attachment *attachment, const Datum *key);

/*
 * Returns a null-terminated copy of a string in the batch's memory context;
 * NULL if text is NULL.
 */
extern char *align_pending_copy_string(Batch *batch, const char *text, int len);

/*
 * Push a statement on the stack of open statements, and remove it.  The former
 * returns it, valid until the next call; the caller sets what it sets.
 */
extern OpenStatement *align_pending_begin_statement(Batch *batch, TriggerEvent kind);
extern void align_pending_end_statement(Batch *batch, TriggerEvent kind);

/*
 * Returns the open UPDATE (or MERGE, or INSERT ... ON CONFLICT DO UPDATE)
 * whose row trigger is executing; NULL if it is not on the stack.
 */
extern const OpenStatement *align_pending_current_update(const Batch *batch);

/* True if the AFTER STATEMENT triggers of all open statements have fired. */
extern bool align_pending_all_ended(const Batch *batch);

/*
 * For open_statements.c: removes the statements that are marked as ended in a
 * query, which is over.
 */
extern void align_pending_query_ends(uint64 query);

/* Returns the number of nested trigger calls; 0 outside of triggers. */
extern int	align_trigger_depth(void);

#endif							/* ALIGN_RECORD_PENDING_H */
