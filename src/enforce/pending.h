/*
 * pending.h
 *	  Changes that the row triggers have judged and that are not yet written.
 *
 * Changes are kept per attached table (its root).  They live in the transaction:
 * a subtransaction that is rolled back takes those made in it along, one that
 * commits leaves them to its parent.  A change is written only at the nesting
 * level that it belongs to: were it written inside a subtransaction of somebody
 * else's trigger that is rolled back afterwards, it would be lost.
 */
#ifndef ALIGN_PENDING_H
#define ALIGN_PENDING_H

#include "compat.h"

#include "access/xact.h"
#include "datatype/timestamp.h"
#include "enforce/attachment.h"
#include "enforce/history.h"

#define PENDING_NOT_TOLD DT_NOBEGIN /* effective_at: take recorded_at */

/*
 * One entry to be.  Strings and by-reference values are in the batch's context,
 * in a compiled funnel, or static.
 */
typedef struct Change
{
	HistoryEvent event;
	Datum		key[ATTACHMENT_MAX_KEYS];
	Datum		old_key[ATTACHMENT_MAX_KEYS];	/* EVENT_REKEY */
	uint32		hash;			/* of key */
	CommandId	command;		/* that made the row version */
	CommandId	before;			/* that made the version before; InvalidCommandId if
								 * that was another transaction or nobody asks */
	int			arrival;		/* counts within the batch */
	int			nest_level;
	bool		written;		/* by the flush under way */
	bool		fresh;			/* nothing is recorded of this lead */
	bool		standing;		/* no change of the row: from_stage is whatever was
								 * recorded last */
	bool		movable;		/* a DELETE that is the first half of a row
								 * movement, whose second has not come yet; old_row
								 * is kept for it */
	HeapTuple	old_row;
	Oid			old_relid;
	const char *from_stage;
	const char *stage;
	const char *from_team;
	const char *team;
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

/* What was written lately. */
typedef struct ToldChange
{
	uint32		hash;			/* of the key */
	CommandId	command;
} ToldChange;

#define PENDING_TOLD 64

typedef struct Batch
{
	Oid			root;
	MemoryContext context;		/* reset whenever the batch is empty */
	int			nchanges;
	int			room;
	Change	  **changes;		/* in the order of their arrival */
	int			arrivals;
	Oid			db_role_id;		/* whose name db_role is */
	const char *db_role;
	int			nopen;			/* statements on a partitioned root under way */
	int		   *open_levels;	/* nesting level of each */
	int			open_room;
	CommandId	before;			/* for the next change; see there */
	CommandId	settled;		/* every version of earlier commands has been told */
	int			ntold;			/* and of later ones, these */
	ToldChange	told[PENDING_TOLD]; /* in a ring */
	int			nwaiting;		/* changes that the last flush had to leave */
	int			flush_level;	/* nesting level at which it is being flushed, 0:
								 * it is not */
} Batch;

/* Is there any batch at all? */
extern bool align_pending_any(void);
/* The batch of a root, made if need be. */
extern Batch *align_pending_batch(Oid root);
/* A new change, zeroed but for key (copied), hash, nest_level and arrival. */
extern Change *align_pending_add(Batch *batch, Attachment *attachment, const Datum *key);
/* Is it worth while to write what is there, in the midst of a statement? */
extern bool align_pending_is_long(const Batch *batch);
/* It is being written. */
extern void align_pending_tell(Batch *batch, const Change *change);
/* Is the version that a change follows one that we know? */
extern bool align_pending_is_told(const Batch *batch, const Change *change);
/* Take out the changes at the given positions (sorted flags), keep the rest. */
extern void align_pending_remove(Batch *batch, const bool *gone);
/* The first half of the row movement that this command is in the middle of, or
 * NULL. */
extern Change *align_pending_movable(Batch *batch, CommandId command);
extern uint32 align_pending_hash(Attachment *attachment, const Datum *key);
extern char *align_pending_string(Batch *batch, const char *text, int len);

/* A statement on a partitioned root begins, or ends. */
extern void align_pending_open(Batch *batch);
extern void align_pending_close(Batch *batch);

/* Every batch with changes; for flushing all. */
extern List *align_pending_batches(void);

#endif							/* ALIGN_PENDING_H */
