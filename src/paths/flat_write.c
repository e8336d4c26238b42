/*
 * flat_write.c
 *	  Writes the flat form of a multiset of paths.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

#include "paths/paths.h"

/*
 * A path to be sorted: the ranks of its channels, most significant byte first,
 * so that comparing bytes compares ranks.
 */
typedef struct SortPath
{
	LeadString	ranks;
	const PathEntry *entry;
} SortPath;

int
align_channel_compare(LeadString a, LeadString b)
{
	int			result = memcmp(a.text, b.text, Min(a.len, b.len));

	return result != 0 ? result : (a.len > b.len) - (a.len < b.len);
}

/* qsort comparator of pointers to channels. */
static int
CompareChannels(const void *a, const void *b)
{
	return align_channel_compare(**(const LeadString *const *) a,
								 **(const LeadString *const *) b);
}

/* qsort comparator of SortPath. */
static int
ComparePaths(const void *a, const void *b)
{
	return align_channel_compare(((const SortPath *) a)->ranks, ((const SortPath *) b)->ranks);
}

/*
 * Append the channels in order; returns their ranks by number.
 */
static uint32 *
EncodeChannels(StringInfo out, const Paths *paths)
{
	int			n = paths->nchannels;
	const LeadString **sorted = MemoryContextAllocHuge(CurrentMemoryContext,
													   n * sizeof(LeadString *) + 1);
	uint32	   *ranks = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(uint32) + 1);

	for (int i = 0; i < n; i++)
		sorted[i] = &paths->channels[i];
	qsort(sorted, n, sizeof(LeadString *), CompareChannels);
	align_wire_append_uint(out, n);
	for (int i = 0; i < n; i++)
	{
		align_wire_append_text(out, sorted[i]->text, sorted[i]->len);
		ranks[sorted[i] - paths->channels] = i;
	}
	return ranks;
}

/*
 * The paths in order.  A rank takes one, two or four bytes, as few as the
 * number of channels allows.
 */
static SortPath *
SortPaths(const Paths *paths, const uint32 *ranks)
{
	int			width = paths->nchannels <= 0x100 ? 1 : paths->nchannels <= 0x10000 ? 2 : 4;
	SortPath   *sorted = MemoryContextAllocHuge(CurrentMemoryContext,
												(Size) paths->npaths * sizeof(SortPath));

	for (int i = 0; i < paths->npaths; i++)
	{
		LeadString	key = paths->paths[i].key;
		WireReader	reader;
		char	   *bytes;
		char	   *end;

		/* a number in the key takes at least one byte */
		bytes = end = MemoryContextAllocHuge(CurrentMemoryContext, (Size) key.len * width + 1);
		align_wire_begin(&reader, key.text, key.len, PATHS_TYPE);
		while (reader.cur < reader.end)
		{
			uint32		rank = pg_hton32(ranks[align_wire_uint(&reader)]);

			memcpy(end, (char *) &rank + sizeof(rank) - width, width);
			end += width;
		}
		if ((Size) (end - bytes) > MaxAllocSize)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("path is too long")));
		sorted[i].ranks = align_lead_bytes(bytes, (int) (end - bytes));
		sorted[i].entry = &paths->paths[i];
	}
	CHECK_FOR_INTERRUPTS();
	qsort(sorted, paths->npaths, sizeof(SortPath), ComparePaths);

	/* from now on, its length is the number of channels */
	for (int i = 0; i < paths->npaths; i++)
		sorted[i].ranks.len /= width;
	return sorted;
}

void
align_paths_encode(StringInfo out, const Paths *paths)
{
	uint32	   *ranks;
	SortPath   *sorted;

	Assert(paths->npaths > 0);
	align_wire_append_uint(out, 0); /* flags */
	ranks = EncodeChannels(out, paths);
	sorted = SortPaths(paths, ranks);
	align_wire_append_uint(out, paths->npaths);
	for (int i = 0; i < paths->npaths; i++)
	{
		const PathEntry *entry = sorted[i].entry;
		WireReader	reader;

		align_wire_append_uint(out, sorted[i].ranks.len);
		align_wire_begin(&reader, entry->key.text, entry->key.len, PATHS_TYPE);
		while (reader.cur < reader.end)
			align_wire_append_uint(out, ranks[align_wire_uint(&reader)]);
		align_wire_append_uint(out, entry->conversions);
		align_wire_append_uint(out, entry->nulls);
		if (entry->value.present)
		{
			char	   *text = align_amount_sum_text(&entry->value);

			align_wire_append_text(out, text, strlen(text));
			pfree(text);
		}
		else
			align_wire_append_uint(out, 0);
	}
}
