/*
 * encode.c
 *	  Sorts a LeadBuilder's entries and writes the stored form.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lead/builder.h"

/* The longest encoding of a 32-bit number. */
#define MAX_VARINT32 5

/* Dictionaries up to this size need no allocation. */
#define INLINE_NUMBERS 64

static const BuilderExtra no_extra = {0};

static inline const BuilderExtra *
ExtraOf(const LeadBuilder *builder, const BuilderEntry *entry)
{
	return entry->extra == 0 ? &no_extra : &builder->extras[entry->extra - 1];
}

/*
 * Compares strings by bytes; absent ones and prefixes sort first.
 */
static int
CompareStrings(const LeadBuilder *builder, uint32 a, uint32 b)
{
	LeadString	left,
				right;
	int			result;

	if (a == b)
		return 0;
	if (a == 0 || b == 0)
		return a == 0 ? -1 : 1;
	left = BuilderStringAt(builder, a);
	right = BuilderStringAt(builder, b);
	result = memcmp(left.text, right.text, Min(left.len, right.len));
	return result != 0 ? result : left.len - right.len;
}

/*
 * Compares two entries of the same time, by ordinal and then by content
 * without segments.
 */
static int
CompareWithoutSegments(const BuilderEntry *a, const BuilderEntry *b, const LeadBuilder *builder)
{
	const BuilderExtra *x = ExtraOf(builder, a);
	const BuilderExtra *y = ExtraOf(builder, b);
	int			result;

	if (x->ordinal != y->ordinal)
		return x->ordinal < y->ordinal ? -1 : 1;
	if ((result = CompareStrings(builder, a->stage, b->stage)) != 0 ||
		(result = CompareStrings(builder, x->team, y->team)) != 0 ||
		(result = CompareStrings(builder, x->reason, y->reason)) != 0 ||
		(result = CompareStrings(builder, x->campaign, y->campaign)) != 0 ||
		(result = CompareStrings(builder, x->amount, y->amount)) != 0)
		return result;
	return (x->version > y->version) - (x->version < y->version);
}

/*
 * Compares two entries of the same time.
 */
static int
CompareSimultaneous(const BuilderEntry *a, const BuilderEntry *b, const LeadBuilder *builder)
{
	int			result = CompareWithoutSegments(a, b, builder);

	return result != 0 ? result :
		CompareStrings(builder, ExtraOf(builder, a)->segments, ExtraOf(builder, b)->segments);
}

static inline int
CompareEntries(const BuilderEntry *a, const BuilderEntry *b, const LeadBuilder *builder)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return CompareSimultaneous(a, b, builder);
}

#define ST_SORT SortEntries
#define ST_ELEMENT_TYPE BuilderEntry
#define ST_COMPARE(a, b, builder) CompareEntries(a, b, builder)
#define ST_COMPARE_ARG_TYPE const LeadBuilder
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Removes all but one of equal entries, and entries without segments where
 * there is the same one with segments.  Sorting has made them neighbours, the
 * one without segments first.
 */
static void
DropDuplicates(LeadBuilder *builder)
{
	uint32		kept = 0;

	for (uint32 i = 0; i < builder->nentries; i++)
	{
		const BuilderEntry *entry = &builder->entries[i];

		if (kept > 0)
		{
			const BuilderEntry *last = &builder->entries[kept - 1];

			if (last->at == entry->at && CompareWithoutSegments(last, entry, builder) == 0)
			{
				uint32		segments = ExtraOf(builder, last)->segments;

				if (segments == ExtraOf(builder, entry)->segments)
					continue;
				if (segments == 0)
					kept--;
			}
		}
		builder->entries[kept++] = *entry;
	}
	builder->nentries = kept;
}

/*
 * True if any entry has segments.
 */
static bool
HasSegments(const LeadBuilder *builder)
{
	for (uint32 i = 0; builder->nextras > 0 && i < builder->nentries; i++)
	{
		if (ExtraOf(builder, &builder->entries[i])->segments != 0)
			return true;
	}
	return false;
}

/*
 * The coarsest unit of which every time is a multiple, and its size.
 */
static LeadUnit
CoarsestUnit(const LeadBuilder *builder, int64 *size)
{
	LeadUnit	unit = LEAD_UNIT_DAY;

	*size = USECS_PER_DAY;
	for (uint32 i = 0; i < builder->nentries; i++)
	{
		TimestampTz at = builder->entries[i].at;

		/*
		 * A finer unit divides every coarser one, so a time only decides
		 * about the units from the current one on.  With constant divisors
		 * the compiler needs no division.
		 */
		switch (unit)
		{
			case LEAD_UNIT_DAY:
				if (at % USECS_PER_DAY == 0)
					break;
				unit = LEAD_UNIT_MINUTE;
				*size = USECS_PER_MINUTE;
				/* FALLTHROUGH */
			case LEAD_UNIT_MINUTE:
				if (at % USECS_PER_MINUTE == 0)
					break;
				unit = LEAD_UNIT_SECOND;
				*size = USECS_PER_SEC;
				/* FALLTHROUGH */
			case LEAD_UNIT_SECOND:
				if (at % USECS_PER_SEC == 0)
					break;
				unit = LEAD_UNIT_MILLISECOND;
				*size = 1000;
				/* FALLTHROUGH */
			case LEAD_UNIT_MILLISECOND:
				if (at % 1000 == 0)
					break;
				*size = 1;
				return LEAD_UNIT_MICROSECOND;
			case LEAD_UNIT_MICROSECOND:
				break;
		}
	}
	return unit;
}

/*
 * The dictionary of the stored form: the strings that entries use, in the
 * order of their first use.
 */
typedef struct Dictionary
{
	uint32	   *references;		/* by the builder's string number; 0 unused */
	uint32	   *order;			/* the builder's string numbers, as written */
	uint32		nstrings;
} Dictionary;

static inline void
UseString(Dictionary *dictionary, uint32 number)
{
	if (number != 0 && dictionary->references[number] == 0)
	{
		dictionary->order[dictionary->nstrings++] = number;
		dictionary->references[number] = dictionary->nstrings;
	}
}

static void
OrderDictionary(const LeadBuilder *builder, Dictionary *dictionary)
{
	memset(dictionary->references, 0, ((Size) builder->nstrings + 1) * sizeof(uint32));
	dictionary->nstrings = 0;
	for (uint32 i = 0; i < builder->nentries; i++)
	{
		const BuilderEntry *entry = &builder->entries[i];

		UseString(dictionary, entry->stage);
		if (entry->extra != 0)
		{
			const BuilderExtra *extra = ExtraOf(builder, entry);

			UseString(dictionary, extra->team);
			UseString(dictionary, extra->reason);
			UseString(dictionary, extra->campaign);
			UseString(dictionary, extra->amount);
			UseString(dictionary, extra->segments);
		}
	}
}

static uint8 *
WriteDictionary(uint8 *out, const LeadBuilder *builder, const Dictionary *dictionary)
{
	out = align_wire_put_uint(out, dictionary->nstrings);
	for (uint32 i = 0; i < dictionary->nstrings; i++)
	{
		LeadString	string = BuilderStringAt(builder, dictionary->order[i]);
		int			word = align_lead_word(string.text, string.len);

		if (word >= 0)
			out = align_wire_put_uint(out, (uint64) word * 2 + 1);
		else
		{
			out = align_wire_put_uint(out, (uint64) string.len * 2);
			memcpy(out, string.text, string.len);
			out += string.len;
		}
	}
	return out;
}

static uint8 *
WriteExtra(uint8 *out, const BuilderExtra *extra, const Dictionary *dictionary)
{
	uint8	   *mask = out++;

	*mask = 0;
	if (extra->team != 0)
	{
		*mask |= LEAD_HAS_TEAM;
		out = align_wire_put_uint(out, dictionary->references[extra->team]);
	}
	if (extra->reason != 0)
	{
		*mask |= LEAD_HAS_REASON;
		out = align_wire_put_uint(out, dictionary->references[extra->reason]);
	}
	if (extra->campaign != 0)
	{
		*mask |= LEAD_HAS_CAMPAIGN;
		out = align_wire_put_uint(out, dictionary->references[extra->campaign]);
	}
	if (extra->amount != 0)
	{
		*mask |= LEAD_HAS_AMOUNT;
		out = align_wire_put_uint(out, dictionary->references[extra->amount]);
	}
	if (extra->ordinal != 0)
	{
		*mask |= LEAD_HAS_ORDINAL;
		out = align_wire_put_uint(out, extra->ordinal);
	}
	if (extra->version != 0)
	{
		*mask |= LEAD_HAS_VERSION;
		out = align_wire_put_uint(out, extra->version);
	}
	if (extra->segments != 0)
	{
		*mask |= LEAD_HAS_SEGMENTS;
		out = align_wire_put_uint(out, dictionary->references[extra->segments]);
	}
	Assert(*mask != 0);
	return out;
}

static uint8 *
WriteEntries(uint8 *out, const LeadBuilder *builder, const Dictionary *dictionary, int64 unit)
{
	TimestampTz last = 0;

	out = align_wire_put_uint(out, builder->nentries);
	for (uint32 i = 0; i < builder->nentries; i++)
	{
		const BuilderEntry *entry = &builder->entries[i];
		uint64		head = (uint64) dictionary->references[entry->stage] * 2 + (entry->extra != 0);

		out = align_wire_put_uint(out, head);
		if (i == 0)
			out = align_wire_put_uint(out, align_zigzag(entry->at / unit));
		else
		{
			/* unsigned, because the largest distance exceeds an int64 */
			out = align_wire_put_uint(out, ((uint64) entry->at - (uint64) last) / (uint64) unit);
		}
		last = entry->at;
		if (entry->extra != 0)
			out = WriteExtra(out, ExtraOf(builder, entry), dictionary);
	}
	return out;
}

struct varlena *
align_lead_encode(LeadBuilder *builder, bool drop_duplicates)
{
	uint32		inline_numbers[2 * INLINE_NUMBERS];
	Dictionary	dictionary;
	LeadUnit	unit;
	int64		unit_size;
	Size		room;
	struct varlena *result;
	uint8	   *out;
	Size		size;

	Assert(builder->nentries > 0);

	SortEntries(builder->entries, builder->nentries, builder);
	if (drop_duplicates)
		DropDuplicates(builder);
	unit = CoarsestUnit(builder, &unit_size);

	if (builder->nstrings < INLINE_NUMBERS)
		dictionary.references = inline_numbers;
	else
		dictionary.references =
			MemoryContextAllocHuge(CurrentMemoryContext,
								   ((Size) builder->nstrings + 1) * 2 * sizeof(uint32));
	dictionary.order = dictionary.references + builder->nstrings + 1;
	OrderDictionary(builder, &dictionary);

	/* allocate for the longest encoding, and shrink a large result below */
	room = VARHDRSZ + 2 + 2 * MAX_VARINT32 +
		(Size) builder->nbytes + (Size) dictionary.nstrings * MAX_VARINT32 +
		(Size) builder->nentries * (MAX_VARINT32 + WIRE_MAX_VARINT) +
		(Size) builder->nextras * (1 + 6 * MAX_VARINT32 + WIRE_MAX_VARINT);
	result = MemoryContextAllocHuge(CurrentMemoryContext, room);
	out = (uint8 *) VARDATA(result);
	*out++ = HasSegments(builder) ? LEAD_FLAG_SEGMENTS : 0;
	*out++ = (uint8) unit;
	out = WriteDictionary(out, builder, &dictionary);
	out = WriteEntries(out, builder, &dictionary, unit_size);

	size = out - (uint8 *) result;
	Assert(size <= room);
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("lead is too large"),
				 errdetail("It needs %zu bytes; the limit is %zu.", size, (Size) MaxAllocSize)));
	if (room - size > 1024)
		result = repalloc(result, size);
	SET_VARSIZE(result, size);

	if (dictionary.references != inline_numbers)
		pfree(dictionary.references);
	return result;
}
