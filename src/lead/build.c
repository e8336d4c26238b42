/*
 * build.c
 *	  Collects the entries of a lead, in any order.
 *
 * This code runs once per row of lead_agg, and a query may have a builder for
 * each of millions of groups.  So no memory is allocated per row, and a new
 * builder takes a few hundred bytes.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lead/builder.h"

/* Up to this many strings are searched linearly, more by hash. */
#define LINEAR_STRINGS 16

/* Initial sizes of the arrays. */
#define FIRST_ENTRIES 8
#define FIRST_EXTRAS 4
#define FIRST_STRINGS 8
#define FIRST_BYTES 64

/* Offsets of strings have 32 bits; a value cannot be larger anyway. */
#define MAX_BYTES ((uint32) MaxAllocSize)

LeadBuilder *
align_lead_builder(MemoryContext context)
{
	LeadBuilder *builder = MemoryContextAllocZero(context, sizeof(LeadBuilder));

	builder->context = context;
	return builder;
}

int
align_lead_count(const LeadBuilder *builder)
{
	return (int) builder->nentries;
}

/*
 * Enlarges an array to at least "needed" items of a size, by doubling.
 * Returns its new address.
 */
static void *
Grow(const LeadBuilder *builder, void *array, uint32 *room, uint32 first, uint64 needed, Size size)
{
	uint64		wanted = *room == 0 ? first : *room;

	while (wanted < needed)
		wanted *= 2;
	Assert(wanted <= PG_UINT32_MAX);
	if (array == NULL)
		array = MemoryContextAllocHuge(builder->context, wanted * size);
	else
		array = repalloc_huge(array, wanted * size);
	*room = (uint32) wanted;
	return array;
}

static inline uint32
FirstSlot(const LeadBuilder *builder, const char *text, uint32 len)
{
	return hash_bytes((const unsigned char *) text, (int) len) & (builder->nslots - 1);
}

static void
EnterSlot(LeadBuilder *builder, uint32 number)
{
	const BuilderString *string = &builder->strings[number - 1];
	uint32		slot = FirstSlot(builder, builder->bytes + string->offset, string->len);

	while (builder->slots[slot] != 0)
		slot = (slot + 1) & (builder->nslots - 1);
	builder->slots[slot] = number;
}

/*
 * Double the hash table, so that it is at most half full.
 */
static void
GrowSlots(LeadBuilder *builder)
{
	if (builder->slots != NULL)
		pfree(builder->slots);
	builder->nslots = builder->nslots == 0 ? 4 * LINEAR_STRINGS : 2 * builder->nslots;
	builder->slots = MemoryContextAllocHuge(builder->context, builder->nslots * sizeof(uint32));
	memset(builder->slots, 0, builder->nslots * sizeof(uint32));
	for (uint32 number = 1; number <= builder->nstrings; number++)
		EnterSlot(builder, number);
}

/*
 * Adds a string that the builder does not have yet; returns its number.
 */
static uint32
AddString(LeadBuilder *builder, const char *text, uint32 len)
{
	BuilderString *string;

	if (len > LEAD_MAX_STRING)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("name in a lead is too long"),
				 errdetail("It has %u bytes; the limit is %d.", len, LEAD_MAX_STRING)));
	if (len > MAX_BYTES - builder->nbytes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("lead is too large"),
				 errdetail("The names in it have more than %u bytes.", MAX_BYTES)));

	if (builder->nstrings == builder->string_room)
		builder->strings = Grow(builder, builder->strings, &builder->string_room,
								FIRST_STRINGS, (uint64) builder->nstrings + 1,
								sizeof(BuilderString));
	if (builder->bytes == NULL || len > builder->byte_room - builder->nbytes)
		builder->bytes = Grow(builder, builder->bytes, &builder->byte_room,
							  FIRST_BYTES, (uint64) builder->nbytes + len, 1);

	string = &builder->strings[builder->nstrings++];
	string->offset = builder->nbytes;
	string->len = len;
	memcpy(builder->bytes + builder->nbytes, text, len);
	builder->nbytes += len;

	/* growing enters all strings, this one included */
	if (builder->nslots != 0 && builder->nstrings <= builder->nslots / 2)
		EnterSlot(builder, builder->nstrings);
	else if (builder->nstrings > LINEAR_STRINGS)
		GrowSlots(builder);
	return builder->nstrings;
}

/*
 * The number of a string; adds it if it is new.
 */
static inline uint32
InternString(LeadBuilder *builder, const char *text, uint32 len)
{
	if (builder->nslots == 0)
	{
		for (uint32 i = 0; i < builder->nstrings; i++)
		{
			const BuilderString *string = &builder->strings[i];

			if (string->len == len && memcmp(builder->bytes + string->offset, text, len) == 0)
				return i + 1;
		}
	}
	else
	{
		uint32		slot = FirstSlot(builder, text, len);

		for (; builder->slots[slot] != 0; slot = (slot + 1) & (builder->nslots - 1))
		{
			const BuilderString *string = &builder->strings[builder->slots[slot] - 1];

			if (string->len == len && memcmp(builder->bytes + string->offset, text, len) == 0)
				return builder->slots[slot];
		}
	}
	return AddString(builder, text, len);
}

static inline uint32
InternIfPresent(LeadBuilder *builder, LeadString string)
{
	return string.text == NULL ? 0 : InternString(builder, string.text, string.len);
}

/*
 * A new entry with a time; the caller sets stage and extra.
 */
static inline BuilderEntry *
NewEntry(LeadBuilder *builder, TimestampTz at)
{
	BuilderEntry *entry;

	if (unlikely(!IS_VALID_TIMESTAMP(at)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 TIMESTAMP_NOT_FINITE(at) ?
				 errmsg("time of a lead's entry must be finite") :
				 errmsg("time of a lead's entry is out of range"),
				 TIMESTAMP_NOT_FINITE(at) ?
				 errdetail("The entries of a lead are ordered by time.") : 0));
	if (unlikely(builder->nentries == builder->entry_room))
	{
		if (builder->nentries >= LEAD_MAX_ENTRIES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("lead has too many entries"),
					 errdetail("The limit is %d.", LEAD_MAX_ENTRIES)));
		builder->entries = Grow(builder, builder->entries, &builder->entry_room,
								FIRST_ENTRIES, (uint64) builder->nentries + 1,
								sizeof(BuilderEntry));
	}
	entry = &builder->entries[builder->nentries++];
	entry->at = at;
	return entry;
}

static BuilderExtra *
NewExtra(LeadBuilder *builder)
{
	if (builder->nextras == builder->extra_room)
		builder->extras = Grow(builder, builder->extras, &builder->extra_room,
							   FIRST_EXTRAS, (uint64) builder->nextras + 1,
							   sizeof(BuilderExtra));
	return &builder->extras[builder->nextras++];
}

void
align_lead_add_stage(LeadBuilder *builder, TimestampTz at, const char *stage, int len)
{
	BuilderEntry *entry = NewEntry(builder, at);

	/* if this raises, the query fails, and nothing reads the builder again */
	entry->stage = InternString(builder, stage, len);
	entry->extra = 0;
}

void
align_lead_add(LeadBuilder *builder, const LeadInput *input)
{
	BuilderEntry *entry = NewEntry(builder, input->at);

	Assert(input->stage.text != NULL || input->campaign.text != NULL);
	Assert(input->ordinal >= 0 && input->version >= 0);

	entry->stage = InternIfPresent(builder, input->stage);
	entry->extra = 0;
	if (input->team.text != NULL || input->reason.text != NULL ||
		input->campaign.text != NULL || input->amount.text != NULL ||
		input->ordinal != 0 || input->version != 0 || input->segments.text != NULL)
	{
		BuilderExtra *extra = NewExtra(builder);

		entry->extra = builder->nextras;
		extra->team = InternIfPresent(builder, input->team);
		extra->reason = InternIfPresent(builder, input->reason);
		extra->campaign = InternIfPresent(builder, input->campaign);
		extra->amount = InternIfPresent(builder, input->amount);
		extra->ordinal = input->ordinal;
		extra->version = input->version;
		extra->segments = InternIfPresent(builder, input->segments);
	}
}

/*
 * The numbers that the strings of another dictionary have in the builder.  A
 * small dictionary needs no allocation.
 */
typedef struct Renumbering
{
	uint32		inline_numbers[LEAD_INLINE_STRINGS + 1];
	uint32	   *numbers;		/* by index in the other + 1; [0] is 0 */
} Renumbering;

static void
RenumberBegin(Renumbering *renumbering, uint32 nstrings)
{
	renumbering->numbers = renumbering->inline_numbers;
	if (nstrings > LEAD_INLINE_STRINGS)
		renumbering->numbers = MemoryContextAllocHuge(CurrentMemoryContext,
													  ((Size) nstrings + 1) * sizeof(uint32));
	renumbering->numbers[0] = 0;
}

static void
RenumberEnd(Renumbering *renumbering)
{
	if (renumbering->numbers != renumbering->inline_numbers)
		pfree(renumbering->numbers);
}

void
align_lead_add_rest(LeadBuilder *builder, LeadReader *reader)
{
	align_lead_add_renamed(builder, reader, NULL);
}

void
align_lead_add_renamed(LeadBuilder *builder, LeadReader *reader, const LeadString *stages)
{
	LeadEntry	read;
	Renumbering renumbering;

	RenumberBegin(&renumbering, reader->nstrings);
	for (int i = 0; i < reader->nstrings; i++)
		renumbering.numbers[i + 1] = InternString(builder, reader->strings[i].text,
												  reader->strings[i].len);

	while (align_lead_next(reader, &read))
	{
		BuilderEntry *entry = NewEntry(builder, read.at);

		entry->stage = renumbering.numbers[read.stage + 1];
		if (stages != NULL && read.stage >= 0)
			entry->stage = InternString(builder, stages[read.stage].text, stages[read.stage].len);
		entry->extra = 0;
		if (read.team >= 0 || read.reason >= 0 || read.campaign >= 0 ||
			read.amount >= 0 || read.ordinal != 0 || read.version != 0 || read.segments >= 0)
		{
			BuilderExtra *extra = NewExtra(builder);

			entry->extra = builder->nextras;
			extra->team = renumbering.numbers[read.team + 1];
			extra->reason = renumbering.numbers[read.reason + 1];
			extra->campaign = renumbering.numbers[read.campaign + 1];
			extra->amount = renumbering.numbers[read.amount + 1];
			extra->ordinal = read.ordinal;
			extra->version = read.version;
			extra->segments = renumbering.numbers[read.segments + 1];
		}
	}
	RenumberEnd(&renumbering);
}

void
align_lead_add_all(LeadBuilder *builder, const struct varlena *lead)
{
	LeadReader	reader;

	align_lead_read(&reader, lead);
	align_lead_add_rest(builder, &reader);
	align_lead_read_end(&reader);
}

void
align_lead_add_builder(LeadBuilder *builder, const LeadBuilder *other)
{
	Renumbering renumbering;

	RenumberBegin(&renumbering, other->nstrings);
	for (uint32 number = 1; number <= other->nstrings; number++)
	{
		LeadString	string = BuilderStringAt(other, number);

		renumbering.numbers[number] = InternString(builder, string.text, string.len);
	}

	for (uint32 i = 0; i < other->nentries; i++)
	{
		BuilderEntry *entry = NewEntry(builder, other->entries[i].at);

		entry->stage = renumbering.numbers[other->entries[i].stage];
		entry->extra = 0;
		if (other->entries[i].extra != 0)
		{
			const BuilderExtra *from = &other->extras[other->entries[i].extra - 1];
			BuilderExtra *extra = NewExtra(builder);

			entry->extra = builder->nextras;
			extra->team = renumbering.numbers[from->team];
			extra->reason = renumbering.numbers[from->reason];
			extra->campaign = renumbering.numbers[from->campaign];
			extra->amount = renumbering.numbers[from->amount];
			extra->ordinal = from->ordinal;
			extra->version = from->version;
			extra->segments = renumbering.numbers[from->segments];
		}
	}
	RenumberEnd(&renumbering);
}
