/*
 * commit.h
 *	  What is recorded before commit and PREPARE TRANSACTION.
 *
 * Pending changes that no end of a statement has written (pending.h), and the
 * deletions of tables attached with reload for which no new row has come
 * (reload.h).  The latter are also recorded by functions that change an
 * attachment, or the history of single leads.
 */
#ifndef ALIGN_RECORD_COMMIT_H
#define ALIGN_RECORD_COMMIT_H

#include "compat.h"

#include "attachment/attachment.h"

/*
 * Makes sure that all is recorded before commit.  The triggers call it before
 * they add a change; only the first call of a session does anything.
 */
extern void align_recorder_watch_commit(void);

/*
 * Records the deferred deletions of the attachments of a table.
 */
extern void align_recorder_finish_reload(Oid root);

#endif							/* ALIGN_RECORD_COMMIT_H */
