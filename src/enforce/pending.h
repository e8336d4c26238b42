/*
 * pending.h
 *	  Changes that the row triggers have judged and that are not written yet.
 *
 * Changes are kept in one batch per attached table (its root) and live in the
 * transaction.  A subtransaction that is rolled back takes those made in it along;
 * one that commits leaves them to its parent.  A change is written only at the
 * nesting level that it belongs to: written inside a subtransaction of somebody
 * else's trigger that is rolled back afterwards, it would be lost.
 *
 * Order.  The entries of a lead are written in the order in which the versions of
 * its row were made, that is, by the command that made each.  Row triggers do not
 * fire in that order.  When a trigger of the table updates a row of the same table,
 * or when a function in the SET list does, the row triggers of that nested
 * statement fire before those of the statement around it, which may have made the
 * version that the nested statement changed.
 *
 * The row trigger of a version can be outstanding only as long as the statement
 * that made the version is open on this table.  So the batch keeps a stack of the
 * open statements, and a change waits only for what an open statement may still
 * bring (see flush in recorder.h).  When the last open statement ends, all is known:
 * everything that is pending is sorted and written.
 *
 * The statement triggers align_begin and align_flush maintain the stack.  They do
 * not always come in pairs: when two foreign keys cascade to a table in one
 * statement, PostgreSQL fires BEFORE STATEMENT triggers once and AFTER STATEMENT
 * triggers twice.  align_pending_end() therefore looks for an open statement of the
 * same kind at the same trigger depth or deeper, and does nothing if there is none.
 *
 * The second of these cascades then goes on without being on the stack.  Nor are
 * writes directly to a partition, and those of a subscription, which fire no statement
 * trigger of the root.  How deeply triggers are nested gives an upper limit of how
 * many such statements are open (align_pending_open).
 */
#ifndef ALIGN_PENDING_H
#define ALIGN_PENDING_H

#include "compat.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "datatype/timestamp.h"
#include "enforce/attachment.h"
#include "enforce/history.h"

/* effective_at of a change whose row does not say when it happened: recorded_at is
 * taken. */
#define CHANGE_TIME_UNKNOWN DT_NOBEGIN

/* So many changes are written at a time, also in the midst of a statement. */
#define PENDING_BATCH 500

/*
 * One entry to be.  Strings and by-reference values are in the batch's context, in
 * a compiled funnel, or static.
 */
typedef struct Change
{
	HistoryEvent event;
	Datum		key[ATTACHMENT_MAX_KEYS];
	Datum		old_key[ATTACHMENT_MAX_KEYS];	/* EVENT_REKEY */
	uint32		hash;			/* of key */
	CommandId	command;		/* that made the row version */
	CommandId	before;			/* that made the version before, if that was one of
								 * this transaction and outer is not 0; else
								 * InvalidCommandId */
	int			outer;			/* statements open around the one that made the
								 * version */
	int			arrival;		/* counts within the batch */
	int			nest_level;
	bool		done;			/* written or waiting, for the flush under way */
	bool		fresh;			/* nothing is recorded of the lead */
	bool		as_found;		/* no change of the row, but where it was found: the
								 * stage before is whatever was recorded last */
	bool		movable;		/* a DELETE that is the first half of a row movement,
								 * whose second half has not come yet; old_row is
								 * kept for it */
	HeapTuple	old_row;
	Oid			old_relid;
	const char *from_stage;
	const char *stage;
	const char *from_team;
	const char *team;
	const char *from_assignee;	/* only where before is valid */
	const char *assignee;
	const char *actor;
	const char *db_role;
	const char *reason;
	const char *note;
	const char *campaign;
	const char *violation;
	const char *source;
	const char *handoff;
	const char *handoff_from_team;
	const char *handoff_to_team;
	Datum		amount;			/* numeric */
	bool		has_amount;
	TimestampTz effective_at;
	int32		version;
} Change;

/* A statement on the root that has begun and not ended. */
typedef struct OpenStatement
{
	TriggerEvent kind;			/* INSERT, UPDATE or DELETE, as in tg_event */
	int			trigger_depth;
	int			nest_level;
	bool		sets_key;		/* a key column is in its SET list */
} OpenStatement;

typedef struct Batch
{
	Oid			root;
	MemoryContext context;		/* of changes; reset whenever there are none */
	int			nchanges;
	int			room;
	Change	  **changes;		/* in the order of their arrival */
	MemoryContext waiting_context;	/* of the next four; likewise */
	int			nwaiting;
	int			waiting_room;
	Change	  **waiting;		/* changes that wait for the outermost statement */
	struct HTAB *waiting_leads; /* hashes of their leads: later changes of these wait,
								 * too.  NULL: none */
	int			arrivals;
	Oid			db_role_id;		/* whose name db_role is */
	const char *db_role;
	int			nopen;
	int			open_room;
	OpenStatement *open;		/* the innermost last */
	bool		cascaded;		/* a foreign key's cascade has ended a statement in this
								 * transaction: others may be open unseen */
	int			flush_level;	/* nesting level of the flush under way, 0: none */
	int			flush_at;		/* so many changes are worth a flush */
} Batch;

/* The batch of a root; made if need be, or NULL. */
extern Batch *align_pending_batch(Oid root);
extern Batch *align_pending_find(Oid root);
/* All batches with changes. */
extern List *align_pending_batches(void);

/*
 * A new change, zeroed but for key (copied), hash, nest_level, arrival, outer and
 * effective_at (unknown).
 */
extern Change *align_pending_add(Batch *batch, Attachment *attachment, const Datum *key);
/*
 * Statements that may be open around the one whose row trigger fires now.  Where some
 * may be missing on the stack, each trigger under way may be one of theirs.
 */
extern int	align_pending_outer(const Batch *batch, const Attachment *attachment);
/* All statements that may be open, that of the row trigger itself included. */
extern int	align_pending_open(const Batch *batch, const Attachment *attachment);
/* Forgets all changes. */
extern void align_pending_forget(Batch *batch);
/* Removes changes at the positions flagged. */
extern void align_pending_remove(Batch *batch, const bool *gone);
/* Lets a change wait for the outermost statement.  It is copied; the caller removes
 * the original. */
extern void align_pending_wait(Batch *batch, const Attachment *attachment, const Change *change);
/* Does a change of the same lead (or of one with the same hash) wait already? */
extern bool align_pending_waits(const Batch *batch, uint32 hash);
/* Forgets the waiting changes: they are written, or made ordinary ones again. */
extern void align_pending_end_waiting(Batch *batch);
/*
 * May a row trigger for an earlier version of the same row be outstanding?  Only if a
 * statement that was open around the one that made the change still is, and if this
 * transaction made the version before.
 */
extern bool align_pending_may_follow(const Batch *batch, const Attachment *attachment,
									 const Change *change);
/* The first half of the row movement that this command is in the middle of; NULL if
 * there is none. */
extern Change *align_pending_movable(Batch *batch, CommandId command);
extern uint32 align_pending_hash(Attachment *attachment, const Datum *key);
/* A copy in the batch's context; NULL for NULL. */
extern char *align_pending_string(Batch *batch, const char *text, int len);

/* A statement on the root begins or ends. */
extern void align_pending_begin(Batch *batch, TriggerEvent kind, bool sets_key);
extern void align_pending_end(Batch *batch, TriggerEvent kind);

/* How many triggers are under way; 1 in one that no other has set off. */
extern int	align_trigger_depth(void);

#endif							/* ALIGN_PENDING_H */
