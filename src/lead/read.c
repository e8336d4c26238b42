/*
 * read.c
 *	  Reads the stored form of lead, in place.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lead/lead.h"

/* Of a value, so much is fetched from memory before it is read. */
#define PREFETCH_BYTES 2048

/*
 * Microseconds of each unit, and the first and last valid timestamp in units.
 * Both quotients truncate into the valid range.
 */
#define UNIT(size) {size, MIN_TIMESTAMP / (size), (END_TIMESTAMP - 1) / (size)}

static const struct
{
	int64		size;
	int64		min;
	int64		max;
}			units[] = {

	[LEAD_UNIT_MICROSECOND] = UNIT(1),
	[LEAD_UNIT_MILLISECOND] = UNIT(1000),
	[LEAD_UNIT_SECOND] = UNIT(USECS_PER_SEC),
	[LEAD_UNIT_MINUTE] = UNIT(USECS_PER_MINUTE),
	[LEAD_UNIT_DAY] = UNIT(USECS_PER_DAY),
};

static void FailCorrupted(LeadReader *reader, const char *detail) pg_attribute_noreturn();

/*
 * Raises an error about an impossible journey.  Received bytes are the
 * client's mistake; a stored value was valid once, so it is corrupted.
 */
static void
FailCorrupted(LeadReader *reader, const char *detail)
{
	if (reader->received)
		align_wire_fail(&reader->wire, detail);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored value of type %s is corrupted", reader->wire.type_name),
			 errdetail("%s", detail)));
}

/*
 * Finds where each dictionary string begins.
 */
static void
ReadDictionary(LeadReader *reader)
{
	WireReader *wire = &reader->wire;

	/* a string takes at least the byte of its length */
	reader->nstrings = align_wire_count(wire, 1, PG_INT32_MAX - 1);
	if (reader->nstrings <= LEAD_INLINE_STRINGS)
		reader->strings = reader->inline_strings;
	else
		reader->strings = MemoryContextAllocHuge(CurrentMemoryContext,
												 reader->nstrings * sizeof(LeadString));

	for (int i = 0; i < reader->nstrings; i++)
	{
		uint64		code = align_wire_uint(wire);

		if (code & 1)
		{
			if (unlikely((code >> 1) >= LEAD_NWORDS))
				align_wire_fail(wire,
								"A string refers to a word that the vocabulary does not have.");
			reader->strings[i] = align_lead_words[code >> 1];
		}
		else
		{
			if (unlikely((code >> 1) > LEAD_MAX_STRING))
				align_wire_fail(wire, "A string exceeds the limit.");
			reader->strings[i].len = (int) (code >> 1);
			reader->strings[i].text = align_wire_bytes(wire, code >> 1);
		}
	}
}

/*
 * Reads everything before the first entry.
 */
static void
BeginRead(LeadReader *reader, const void *data, size_t len, bool received)
{
	uint64		flags;

	/*
	 * The dictionary is read string by string, each of which shows where the
	 * next one begins: a chain of cache misses, unless they all begin at
	 * once.
	 */
	for (size_t i = 0; i < Min(len, PREFETCH_BYTES); i += 64)
		align_prefetch((const char *) data + i);

	reader->received = received;
	align_wire_begin(&reader->wire, data, len, "lead");
	flags = align_wire_uint(&reader->wire);
	if (unlikely((flags & ~(uint64) LEAD_FLAG_SEGMENTS) != 0))
		align_check_flags(flags > PG_UINT32_MAX ? PG_UINT32_MAX : (uint32) flags, "lead");
	reader->flags = (uint8) flags;

	reader->unit_code = align_wire_byte(&reader->wire);
	if (unlikely(reader->unit_code >= lengthof(units)))
		align_wire_fail(&reader->wire, "The unit of its times is unknown.");
	reader->unit = units[reader->unit_code].size;
	reader->min = units[reader->unit_code].min;
	reader->max = units[reader->unit_code].max;

	ReadDictionary(reader);
	/* an entry takes at least a byte for its head and one for its time */
	reader->nentries = align_wire_count(&reader->wire, 2, LEAD_MAX_ENTRIES);
	if (unlikely(reader->nentries == 0))
		FailCorrupted(reader, "A lead has at least one entry.");
	reader->next = 0;
	reader->last = 0;
}

void
align_lead_read(LeadReader *reader, const struct varlena *value)
{
	Assert(!VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value));
	BeginRead(reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false);
}

void
align_lead_read_bytes(LeadReader *reader, const void *data, size_t len)
{
	BeginRead(reader, data, len, true);
}

void
align_lead_read_end(LeadReader *reader)
{
	if (reader->strings != reader->inline_strings)
		pfree(reader->strings);
	reader->strings = NULL;
}

void
align_lead_bad_reference(LeadReader *reader)
{
	align_wire_fail(&reader->wire,
					"An entry refers to a string that the dictionary does not have.");
}

void
align_lead_bad_time(LeadReader *reader)
{
	FailCorrupted(reader, "A time is out of range.");
}

/*
 * A reference that the mask announces, so it is never 0.
 */
static int
ReadReference(LeadReader *reader)
{
	uint64		reference = align_wire_uint(&reader->wire);

	if (unlikely(reference == 0 || reference > (uint64) reader->nstrings))
		align_lead_bad_reference(reader);
	return (int) reference - 1;
}

/*
 * A number that the mask announces, so it is never 0.
 */
static int64
ReadNumber(LeadReader *reader, int64 max)
{
	uint64		number = align_wire_uint(&reader->wire);

	if (unlikely(number == 0 || number > (uint64) max))
		align_wire_fail(&reader->wire, "An ordinal or version is out of range.");
	return (int64) number;
}

/*
 * Reads the mask of an entry and the fields that it announces.
 */
void
align_lead_read_fields(LeadReader *reader, LeadEntry *entry)
{
	uint8		mask = align_wire_byte(&reader->wire);

	/* only a lead with that flag has the bit of segments */
	if (unlikely(mask == 0 || mask >= LEAD_HAS_SEGMENTS << (reader->flags & LEAD_FLAG_SEGMENTS)))
		align_wire_fail(&reader->wire, "The mask of an entry is empty or has unknown bits.");
	if (mask & LEAD_HAS_TEAM)
		entry->team = ReadReference(reader);
	if (mask & LEAD_HAS_REASON)
		entry->reason = ReadReference(reader);
	if (mask & LEAD_HAS_CAMPAIGN)
		entry->campaign = ReadReference(reader);
	if (mask & LEAD_HAS_AMOUNT)
		entry->amount = ReadReference(reader);
	if (mask & LEAD_HAS_ORDINAL)
		entry->ordinal = ReadNumber(reader, PG_INT64_MAX);
	if (mask & LEAD_HAS_VERSION)
		entry->version = (int32) ReadNumber(reader, PG_INT32_MAX);
	if (mask & LEAD_HAS_SEGMENTS)
		entry->segments = ReadReference(reader);
}

int
align_lead_find(const LeadReader *reader, const char *text, int len)
{
	for (int i = 0; i < reader->nstrings; i++)
	{
		if (reader->strings[i].len == len &&
			memcmp(reader->strings[i].text, text, len) == 0)
			return i;
	}
	return -1;
}
