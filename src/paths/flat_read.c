/*
 * flat_read.c
 *	  Reads the flat form of a multiset of paths, with all checks.
 */
#include "postgres.h"

#include "common/int.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "lead/amount.h"
#include "paths/paths.h"

/* Bytes of the shortest path: length, conversions, nulls, length of value. */
#define SHORTEST_PATH 4

#define FIRST_PATH_ROOM 32

/*
 * Read the bytes of a channel in the client's encoding.
 */
static LeadString
ReadClientChannel(WireReader *wire)
{
	uint64		len = align_wire_uint(wire);

	if (len > (uint64) (wire->end - wire->cur))
		align_wire_fail(wire, "A text is longer than the bytes that follow it.");
	return align_lead_bytes(align_wire_bytes(wire, len), (int) len);
}

/*
 * Check that a channel is valid in the client's encoding, and convert it.
 */
static void
ConvertClientChannel(LeadString *channel)
{
	char	   *text = pg_client_to_server(channel->text, channel->len);

	if (text != channel->text)
		*channel = align_lead_cstring(text);
}

void
align_paths_read_begin(PathsReader *reader, const void *bytes, size_t len, bool from_client)
{
	WireReader *wire = &reader->wire;
	uint64		flags;

	memset(reader, 0, sizeof(PathsReader));
	align_wire_begin(wire, bytes, len, PATHS_TYPE);
	flags = align_wire_uint(wire);
	align_check_flags(flags > PG_UINT32_MAX ? PG_UINT32_MAX : (uint32) flags, PATHS_TYPE);

	reader->nchannels = align_wire_count(wire, 1, PG_INT32_MAX);
	reader->channels = MemoryContextAllocHuge(CurrentMemoryContext,
											  reader->nchannels * sizeof(LeadString) + 1);
	reader->used = MemoryContextAllocExtended(CurrentMemoryContext,
											  reader->nchannels * sizeof(bool) + 1,
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < reader->nchannels; i++)
	{
		LeadString *channel = &reader->channels[i];

		if (from_client)
			*channel = ReadClientChannel(wire);
		else
			channel->text = align_wire_text(wire, &channel->len);
		if (i > 0 && align_channel_compare(channel[-1], *channel) >= 0)
			align_wire_fail(wire, "Its channels do not ascend.");
	}
	/* they ascend in the client's encoding, but maybe not in the server's */
	for (int i = 0; from_client && i < reader->nchannels; i++)
		ConvertClientChannel(&reader->channels[i]);

	reader->npaths = align_wire_count(wire, SHORTEST_PATH, PG_INT32_MAX);
	if (reader->npaths == 0)
		align_wire_fail(wire, "It has no path.");
	reader->room = FIRST_PATH_ROOM;
	reader->path = palloc(reader->room * sizeof(uint32));
	reader->previous = palloc(reader->room * sizeof(uint32));
}

/*
 * The order of the path that is read and the previous one.
 */
static int
CompareToPrevious(const PathsReader *reader)
{
	int			n = Min(reader->length, reader->previous_length);

	for (int i = 0; i < n; i++)
	{
		if (reader->path[i] != reader->previous[i])
			return reader->path[i] > reader->previous[i] ? 1 : -1;
	}
	return reader->length - reader->previous_length;
}

/*
 * Read the channels of a path.
 */
static void
ReadPath(PathsReader *reader)
{
	uint32	   *previous = reader->previous;

	reader->previous = reader->path;
	reader->previous_length = reader->length;
	reader->path = previous;
	reader->length = align_wire_count(&reader->wire, 1, PG_INT32_MAX);
	if (reader->length > reader->room)
	{
		/* not doubled: below the number of bytes that are left */
		reader->room = reader->length;
		reader->path = repalloc_huge(reader->path, (Size) reader->room * sizeof(uint32));
		reader->previous = repalloc_huge(reader->previous, (Size) reader->room * sizeof(uint32));
	}
	for (int i = 0; i < reader->length; i++)
	{
		uint64		channel = align_wire_uint(&reader->wire);

		if (channel >= (uint64) reader->nchannels)
			align_wire_fail(&reader->wire, "A path has a channel that does not exist.");
		reader->path[i] = (uint32) channel;
		reader->used[channel] = true;
	}
	if (reader->nread > 0 && CompareToPrevious(reader) <= 0)
		align_wire_fail(&reader->wire, "Its paths do not ascend.");
}

/*
 * Read a count, and count it.
 */
static int64
ReadCount(PathsReader *reader)
{
	uint64		count = align_wire_uint(&reader->wire);

	if (count > PG_INT64_MAX ||
		pg_add_s64_overflow(reader->count, (int64) count, &reader->count))
		align_wire_fail(&reader->wire, "It has more leads than a bigint can count.");
	return (int64) count;
}

/*
 * Nothing is left, and every channel was in a path.
 */
static void
CheckEnd(PathsReader *reader)
{
	align_wire_end(&reader->wire);
	for (int i = 0; i < reader->nchannels; i++)
	{
		if (!reader->used[i])
			align_wire_fail(&reader->wire, "A channel is in no path.");
	}
}

bool
align_paths_read_next(PathsReader *reader)
{
	WireReader *wire = &reader->wire;

	CHECK_FOR_INTERRUPTS();
	if (reader->nread == reader->npaths)
	{
		CheckEnd(reader);
		return false;
	}
	ReadPath(reader);
	reader->conversions = ReadCount(reader);
	reader->nulls = ReadCount(reader);
	if (reader->conversions == 0 && reader->nulls == 0)
		align_wire_fail(wire, "A path has neither a conversion nor a null.");
	reader->value.text = align_wire_text(wire, &reader->value.len);
	if (reader->value.len == 0)
		reader->value.text = NULL;
	else if (!align_amount_is_canonical(reader->value.text, reader->value.len))
		align_wire_fail(wire, "A value is not a canonical decimal number.");
	else if (reader->conversions == 0)
		align_wire_fail(wire, "A path without conversions has a value.");
	reader->nread++;
	return true;
}

void
align_paths_read_end(PathsReader *reader)
{
	pfree(reader->channels);
	pfree(reader->used);
	pfree(reader->path);
	pfree(reader->previous);
}

void
align_paths_add_read(Paths *into, const PathsReader *reader)
{
	align_paths_begin(into);
	for (int i = 0; i < reader->length; i++)
		align_paths_channel(into, reader->channels[reader->path[i]]);
	align_paths_end(into, reader->conversions, reader->nulls, reader->value);
}

void
align_paths_absorb(Paths *into, const void *bytes, size_t len, bool from_client)
{
	PathsReader reader;

	align_paths_read_begin(&reader, bytes, len, from_client);
	while (align_paths_read_next(&reader))
		align_paths_add_read(into, &reader);
	align_paths_read_end(&reader);
}

Paths *
align_paths_absorb_datum(Paths *into, Datum datum, MemoryContext context)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);

	if (into == NULL)
		into = align_paths_make(context);
	align_paths_absorb(into, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false);
	if ((Pointer) value != DatumGetPointer(datum))
		pfree(value);
	return into;
}
