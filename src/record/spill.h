/*
 * spill.h
 *	  A log of records, which is in memory up to a limit and in a temporary
 *	  file beyond it.
 *
 * Records are only added.  A record is found by its position, which does not
 * change when the log is spilled.  What was added in a subtransaction stays
 * there if that is rolled back: the file belongs to the top transaction.
 *
 * An error that is raised while a record is added or read, because the disk is
 * full, for example, leaves the log as it was.
 */
#ifndef ALIGN_RECORD_SPILL_H
#define ALIGN_RECORD_SPILL_H

#include "compat.h"

#include "storage/fd.h"

typedef struct SpillLog
{
	MemoryContext context;		/* of the buffers */
	int64		flushed;		/* number of bytes in the file */
	char	   *buffer;			/* the bytes that follow them */
	Size		used;
	Size		allocated;		/* size of buffer */
	File		file;			/* 0 if there is none */
	char	   *block;			/* a part of the file that was read */
	int64		block_start;
	int			block_size;
} SpillLog;

/*
 * Initializes an empty log, whose buffers are in context.  It must be closed
 * before the transaction ends, and before context is deleted; afterwards it
 * cannot be used.  align_spill_free() also frees its memory.
 */
extern void align_spill_begin(SpillLog *log, MemoryContext context);
extern void align_spill_close(SpillLog *log);
extern void align_spill_free(SpillLog *log);

/*
 * Adds a record, and returns its position.  The log is spilled if it would
 * take more than "limit" bytes of memory, or than a small buffer if that is
 * more.
 */
extern int64 align_spill_add(SpillLog *log, const char *record, uint32 size, Size limit);

/*
 * Returns a record, palloc'd, and sets its size.
 */
extern char *align_spill_read(SpillLog *log, int64 position, uint32 *size);

#endif							/* ALIGN_RECORD_SPILL_H */
