/*
 * spill.c
 *	  A log of records in memory and in a temporary file; see spill.h.
 *
 * A record is preceded by its size.  The file has the first bytes of the log,
 * and the buffer has the rest.  Once there is a file, whenever SPILL_BUFFER
 * bytes have gathered in the buffer, they are added to the file.  A record is
 * never divided between them.
 *
 * BufFile is not used, since it cannot be used any more after an error in a
 * subtransaction: it does not know which part of its buffer was written.
 */
#include "postgres.h"

#include "commands/tablespace.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/wait_event.h"

#include "record/spill.h"

#define SPILL_BUFFER ((Size) 4 * BLCKSZ)
#define INITIAL_BUFFER 1024

/*
 * Initializes an empty log.
 */
void
align_spill_begin(SpillLog *log, MemoryContext context)
{
	memset(log, 0, sizeof(SpillLog));
	log->context = context;
}

/*
 * Removes the file of a log.
 */
void
align_spill_close(SpillLog *log)
{
	if (log->file > 0)
		FileClose(log->file);
	log->file = 0;
}

/*
 * Closes a log, and frees its memory.
 */
void
align_spill_free(SpillLog *log)
{
	align_spill_close(log);
	if (log->buffer != NULL)
		pfree(log->buffer);
	if (log->block != NULL)
		pfree(log->block);
}

/*
 * Creates the file, which belongs to the top transaction.
 */
static void
CreateFile(SpillLog *log)
{
	ResourceOwner old_owner = CurrentResourceOwner;

	/* may read catalogs, for which the current resource owner is right */
	PrepareTempTablespaces();
	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		log->file = OpenTemporaryFile(false);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = old_owner;
	}
	PG_END_TRY();
}

/*
 * Adds the buffer to the file.
 */
static void
Flush		(SpillLog *log)
{
	Size		written = 0;

	if (log->file == 0)
		CreateFile(log);
	while (written < log->used)
	{
		int			size = (int) Min(log->used - written, (Size) 1024 * 1024);

		if (FileWrite(log->file, log->buffer + written, size, (off_t) (log->flushed + written),
					  WAIT_EVENT_BUFFILE_WRITE) != size)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write to file \"%s\": %m", FilePathName(log->file))));
		written += size;
	}
	log->flushed += log->used;
	log->used = 0;
	if (log->allocated > SPILL_BUFFER)
	{
		pfree(log->buffer);
		log->buffer = NULL;
		log->allocated = 0;
	}
}

/*
 * Makes room for some more bytes in the buffer.  A large one grows by an
 * eighth, so that little of its memory is unused.
 */
static void
Reserve(SpillLog *log, Size size, Size limit)
{
	Size		needed = log->used + size;
	Size		grown = log->allocated < SPILL_BUFFER ?
		Max(2 * log->allocated, INITIAL_BUFFER) : log->allocated + log->allocated / 8;

	if (needed <= log->allocated)
		return;
	needed = Max(needed, Min(grown, limit));
	if (log->buffer == NULL)
		log->buffer = MemoryContextAllocHuge(log->context, needed);
	else
		log->buffer = repalloc_huge(log->buffer, needed);
	log->allocated = needed;
}

/*
 * Adds a record, and returns its position.
 */
int64
align_spill_add(SpillLog *log, const char *record, uint32 size, Size limit)
{
	Size		total = sizeof(uint32) + (Size) size;
	int64		position;

	limit = log->file > 0 ? SPILL_BUFFER : Max(limit, SPILL_BUFFER);
	if (log->used > 0 && log->used + total > limit)
	{
		Flush		(log);

		limit = SPILL_BUFFER;
	}
	Reserve(log, total, limit);
	position = log->flushed + log->used;
	memcpy(log->buffer + log->used, &size, sizeof(uint32));
	memcpy(log->buffer + log->used + sizeof(uint32), record, size);
	log->used += total;
	return position;
}

/*
 * Reads the block of the file that has a position.
 */
static void
ReadBlock(SpillLog *log, int64 position)
{
	int64		start = position - position % BLCKSZ;
	int			size = (int) Min(BLCKSZ, log->flushed - start);

	if (log->block == NULL)
		log->block = MemoryContextAlloc(log->context, BLCKSZ);
	log->block_size = 0;
	if (FileRead(log->file, log->block, size, (off_t) start, WAIT_EVENT_BUFFILE_READ) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from file \"%s\": %m", FilePathName(log->file))));
	log->block_start = start;
	log->block_size = size;
}

/*
 * Copies some bytes of the log.
 */
static void
ReadBytes(SpillLog *log, int64 position, char *bytes, Size size)
{
	if (position >= log->flushed)
	{
		memcpy(bytes, log->buffer + (position - log->flushed), size);
		return;
	}
	while (size > 0)
	{
		Size		part;

		if (position < log->block_start || position >= log->block_start + log->block_size)
			ReadBlock(log, position);
		part = Min(size, (Size) (log->block_start + log->block_size - position));
		memcpy(bytes, log->block + (position - log->block_start), part);
		position += part;
		bytes += part;
		size -= part;
	}
}

/*
 * Returns a record.
 */
char *
align_spill_read(SpillLog *log, int64 position, uint32 *size)
{
	char	   *record;

	ReadBytes(log, position, (char *) size, sizeof(uint32));
	record = MemoryContextAllocHuge(CurrentMemoryContext, *size);
	ReadBytes(log, position + sizeof(uint32), record, *size);
	return record;
}
