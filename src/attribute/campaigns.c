/*
 * campaigns.c
 *	  Remembers what campaigns read as, per call site.
 *
 * Reading an address and finding its channel takes microseconds, and the same
 * few campaigns bring most leads.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "attribute/attribute.h"
#include "campaign/text.h"

/* All campaigns are forgotten when they exceed this. */
#define MAX_MEMORY (4 * 1024 * 1024)

typedef struct KnownSlot
{
	LeadString	text;
	uint32		hash;
	KnownCampaign *known;
	char		status;
} KnownSlot;

#define SH_PREFIX knowntable
#define SH_ELEMENT_TYPE KnownSlot
#define SH_KEY_TYPE LeadString
#define SH_KEY text
#define SH_HASH_KEY(tb, key) align_campaign_hash(key)
#define SH_EQUAL(tb, a, b) ((a).len == (b).len && memcmp((a).text, (b).text, (a).len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, slot) (slot)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct CampaignMemory
{
	MemoryContext context;		/* holds all of it but this struct */
	const Funnel *funnel;
	knowntable_hash *table;
};

uint64		align_campaign_hash_seed = 0;

/*
 * Sets the seed of hash values, once in a backend.
 */
void
align_campaign_seed_hash(void)
{
	if (align_campaign_hash_seed == 0 &&
		!pg_strong_random(&align_campaign_hash_seed, sizeof(align_campaign_hash_seed)))
		align_campaign_hash_seed = (uint64) GetCurrentTimestamp();
}

CampaignMemory *
align_campaign_memory(MemoryContext context, const Funnel *funnel)
{
	CampaignMemory *memory = MemoryContextAlloc(context, sizeof(CampaignMemory));

	align_campaign_seed_hash();
	memory->context = AllocSetContextCreate(context, "align campaigns", ALLOCSET_DEFAULT_SIZES);
	memory->funnel = funnel;
	memory->table = knowntable_create(memory->context, 64, NULL);
	return memory;
}

void
align_campaign_memory_trim(CampaignMemory *memory)
{
	if (likely(MemoryContextMemAllocated(memory->context, false) <= MAX_MEMORY))
		return;
	MemoryContextReset(memory->context);
	memory->table = knowntable_create(memory->context, 64, NULL);
}

static Datum
TextDatum(LeadString string)
{
	return string.text == NULL ? (Datum) 0 : align_lead_text_datum(string);
}

/*
 * True if a text can be shown: it is not empty, nor that of conversions
 * without a touch.
 */
static bool
IsShown(LeadString text)
{
	return text.len > 0 && !align_lead_same(text, align_lead_cstring(CREDIT_NONE));
}

/*
 * Reads a campaign; the result is in the memory's context.
 */
static KnownCampaign *
ReadCampaign(const CampaignMemory *memory, LeadString text)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "align campaign",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	KnownCampaign *known;
	CampaignFields fields;
	TextValue  *canonical;
	const char *channel;
	bool		is_whole;

	is_whole = align_campaign_parse_utf8(text.text, text.len, NULL, 0, &fields);
	canonical = align_campaign_value(&fields);
	align_campaign_localize(&fields);
	channel = align_channel(&fields, memory->funnel);

	MemoryContextSwitchTo(memory->context);
	known = palloc0(sizeof(KnownCampaign));
	known->campaign = align_lead_text_datum(text);
	known->text = align_lead_bytes(VARDATA(DatumGetPointer(known->campaign)), text.len);
	canonical = memcpy(palloc(VARSIZE(canonical)), canonical, VARSIZE(canonical));
	known->group = align_lead_bytes(canonical->text, VARSIZE(canonical) - offsetof(TextValue, text));
	known->spelling = known->group;
	if (is_whole && IsShown(align_campaign_trim(known->text)))
		known->spelling = align_campaign_trim(known->text);
	known->source = TextDatum(fields.source);
	known->medium = TextDatum(fields.medium);
	known->name = TextDatum(fields.name);
	known->channel = CStringGetTextDatum(channel);
	known->is_direct = strcmp(channel, CHANNEL_DIRECT) == 0;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return known;
}

/*
 * What a campaign reads as.
 */
KnownCampaign *
align_campaign_known(CampaignMemory *memory, LeadString text)
{
	KnownSlot  *slot = knowntable_lookup(memory->table, text);
	KnownCampaign *known;
	bool		found;

	if (likely(slot != NULL))
		return slot->known;
	CHECK_FOR_INTERRUPTS();
	/* read first, so that an error leaves no half-filled slot */
	known = ReadCampaign(memory, text);
	slot = knowntable_insert(memory->table, known->text, &found);
	slot->known = known;
	return known;
}
