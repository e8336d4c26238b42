/*
 * earnings.c
 *	  The state of credit_agg: sums by campaign.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "attribute/earnings.h"
#include "wire.h"

/*
 * With so small a sum of weights, a division per touch is saved: the last one
 * gets at most this many units of 2^-62 too much, which float8 does not show.
 */
#define FEW_UNITS 64

/* Decimals of the sums that are integers. */
#define UNIT_SCALE 6

typedef struct EarningSlot
{
	LeadString	group;			/* the same bytes as in the earning */
	uint32		hash;
	int			earning;
	char		status;
} EarningSlot;

#define SH_PREFIX earningindex
#define SH_ELEMENT_TYPE EarningSlot
#define SH_KEY_TYPE LeadString
#define SH_KEY group
#define SH_HASH_KEY(tb, key) align_campaign_hash(key)
#define SH_EQUAL(tb, a, b) ((a).len == (b).len && memcmp((a).text, (b).text, (a).len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, slot) (slot)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static const int64 power_of_10[UNIT_SCALE + 1] = {1, 10, 100, 1000, 10000, 100000, 1000000};

static int
CompareStrings(LeadString a, LeadString b)
{
	int			result = memcmp(a.text, b.text, Min(a.len, b.len));

	return result != 0 ? result : a.len - b.len;
}

/*
 * Appends an earning without any sums, whose strings it copies; returns its
 * number.
 */
static int
AddEarning(Earnings *earnings, LeadString group, LeadString campaign, LeadString channel)
{
	Earning    *earning;

	if (earnings->nearnings == earnings->room)
	{
		earnings->room *= 2;
		earnings->earnings = repalloc_huge(earnings->earnings,
										   (Size) earnings->room * sizeof(Earning));
	}
	earning = &earnings->earnings[earnings->nearnings];
	memset(earning, 0, sizeof(Earning));
	earning->group = align_lead_copy(earnings->context, group);
	earning->campaign = align_lead_copy(earnings->context, campaign);
	earning->channel = align_lead_copy(earnings->context, channel);
	return earnings->nearnings++;
}

Earnings *
align_earnings(MemoryContext context, uint64 fingerprint)
{
	static uint64 last_serial = 0;
	Earnings   *earnings = MemoryContextAllocZero(context, sizeof(Earnings));
	LeadString	none = align_lead_cstring(CREDIT_NONE);

	align_campaign_seed_hash();
	earnings->context = context;
	earnings->serial = ++last_serial;
	earnings->fingerprint = fingerprint;
	earnings->room = 4;
	earnings->earnings = MemoryContextAlloc(context, earnings->room * sizeof(Earning));
	earnings->index = earningindex_create(context, 4, NULL);
	/* not in the index, in which all groups are canonical texts */
	AddEarning(earnings, none, none, none);
	return earnings;
}

/*
 * The number of the earning of a campaign, of which this is a spelling.
 */
static int
EarningOf(Earnings *earnings, LeadString group, LeadString campaign, LeadString channel)
{
	EarningSlot *slot = earningindex_lookup(earnings->index, group);
	int			result;
	bool		found;

	if (slot == NULL)
	{
		result = AddEarning(earnings, group, campaign, channel);
		slot = earningindex_insert(earnings->index, earnings->earnings[result].group, &found);
		slot->earning = result;
		return result;
	}
	if (CompareStrings(campaign, earnings->earnings[slot->earning].campaign) < 0)
		earnings->earnings[slot->earning].campaign = align_lead_copy(earnings->context, campaign);
	return slot->earning;
}

/*
 * The number of the earning of a touch's campaign.
 */
static inline int
EarningOfTouch(Earnings *earnings, CampaignMemory *memory, LeadString text)
{
	KnownCampaign *known = align_campaign_known(memory, text);

	if (unlikely(known->earnings != earnings->serial))
	{
		known->earning = EarningOf(earnings, known->group, known->spelling,
								   align_lead_varlena(known->channel));
		known->earnings = earnings->serial;
	}
	return known->earning;
}

/*
 * Adds a numeric to the rest.
 */
static void
AddRest(Earnings *earnings, Earning *earning, Numeric value)
{
	MemoryContext caller = MemoryContextSwitchTo(earnings->context);
	Numeric		sum;

	if (earning->rest == NULL)
		sum = (Numeric) memcpy(palloc(VARSIZE(value)), value, VARSIZE(value));
	else
	{
		sum = DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(earning->rest),
												  NumericGetDatum(value)));
		pfree(earning->rest);
	}
	earning->rest = sum;
	MemoryContextSwitchTo(caller);
}

static inline void
AddUnits(Earnings *earnings, Earning *earning, int64 units, int scale)
{
	earning->has_amount = true;
	earning->scale = Max(earning->scale, scale);
	if (likely(scale <= UNIT_SCALE))
		earning->units += (int128) units * power_of_10[UNIT_SCALE - scale];
	else
		AddRest(earnings, earning, DatumGetNumeric(align_credit_numeric(units, scale)));
}

static inline void
AddNumeric(Earnings *earnings, Earning *earning, Numeric value, int scale)
{
	earning->has_amount = true;
	earning->scale = Max(earning->scale, scale);
	AddRest(earnings, earning, value);
}

/*
 * The amount of a conversion that no touch earned.
 */
static void
AddWhole(Earnings *earnings, Earning *earning, const CreditAmount *amount)
{
	if (amount->large != NULL)
		AddNumeric(earnings, earning, amount->large, amount->scale);
	else
		AddUnits(earnings, earning, amount->units, amount->scale);
}

/*
 * Adds the touches of a lead that earned something.
 *
 * The lead's SHARE_UNITS are divided by the cumulated weights, so that the
 * parts add up to them.
 */
static void
AddTouches(Earnings *earnings, CreditSite *site, const CreditAmount *amount)
{
	Credit	   *credit = &site->credit;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = NULL;
	uint64		total = (uint64) credit->total;
	uint64		weights = 0;
	uint64		given = 0;
	uint64		quotient = SHARE_UNITS / total;
	int			last_campaign = -1;
	int			number = -1;

	if (amount != NULL)
		align_credit_divide(credit, amount);
	if (amount != NULL && amount->large != NULL)
		scratch = AllocSetContextCreate(caller, "align parts", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < credit->ntouches; i++)
	{
		const CreditTouch *touch = &credit->touches[i];
		Earning    *earning;
		uint64		upto;

		if (touch->campaign != last_campaign)
		{
			last_campaign = touch->campaign;
			number = EarningOfTouch(earnings, site->memory, credit->reader.strings[last_campaign]);
		}
		earning = &earnings->earnings[number];

		weights += (uint64) touch->weight;
		upto = weights == total ? SHARE_UNITS :
			total <= FEW_UNITS ? quotient * weights :
			(uint64) ((uint128) SHARE_UNITS * weights / total);
		earning->touches++;
		earning->share += upto - given;
		given = upto;

		if (scratch != NULL)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextSwitchTo(scratch);
			AddNumeric(earnings, earning, align_credit_large_part(credit, amount, i),
					   amount->scale);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(scratch);
		}
		else if (amount != NULL)
			AddUnits(earnings, earning, touch->part, amount->scale);
	}
	if (scratch != NULL)
		MemoryContextDelete(scratch);
}

/*
 * Adds a lead; one that has not converted adds nothing.
 */
void
align_earnings_add(Earnings *earnings, CreditSite *site, const struct varlena *lead)
{
	Credit	   *credit = &site->credit;
	CreditAmount amount;
	bool		has_amount;

	align_campaign_memory_trim(site->memory);
	if (align_credit_read(credit, &site->rules, lead))
	{
		has_amount = credit->amount.text != NULL;
		if (has_amount)
			align_credit_amount(credit->amount, &amount);
		align_credit_share(credit, &site->rules, site->memory);
		if (credit->ntouches > 0)
			AddTouches(earnings, site, has_amount ? &amount : NULL);
		else
		{
			earnings->earnings[0].share += SHARE_UNITS;
			if (has_amount)
				AddWhole(earnings, &earnings->earnings[0], &amount);
		}
	}
	align_credit_read_end(credit);
}

static void
MergeEarning(Earnings *into, Earning *earning, const Earning *other)
{
	earning->touches += other->touches;
	earning->share += other->share;
	earning->units += other->units;
	earning->has_amount |= other->has_amount;
	earning->scale = Max(earning->scale, other->scale);
	if (other->rest != NULL)
		AddRest(into, earning, other->rest);
}

void
align_earnings_merge(Earnings *into, const Earnings *from)
{
	MergeEarning(into, &into->earnings[0], &from->earnings[0]);
	for (int i = 1; i < from->nearnings; i++)
	{
		const Earning *other = &from->earnings[i];
		int			number = EarningOf(into, other->group, other->campaign, other->channel);

		MergeEarning(into, &into->earnings[number], other);
	}
}

static void
WriteInt128(StringInfo out, int128 value)
{
	align_wire_append_uint(out, (uint64) value);
	align_wire_append_int(out, (int64) (value >> 64));
}

static int128
ReadInt128(WireReader *reader)
{
	uint64		low = align_wire_uint(reader);
	int64		high = align_wire_int(reader);

	return (int128) (((uint128) (uint64) high << 64) | low);
}

/*
 * Serializes a state: its fingerprint and every earning.
 */
void
align_earnings_write(StringInfo out, const Earnings *earnings)
{
	align_wire_append_uint(out, earnings->fingerprint);
	align_wire_append_uint(out, earnings->nearnings);
	for (int i = 0; i < earnings->nearnings; i++)
	{
		const Earning *earning = &earnings->earnings[i];

		align_wire_append_text(out, earning->group.text, earning->group.len);
		align_wire_append_text(out, earning->campaign.text, earning->campaign.len);
		align_wire_append_text(out, earning->channel.text, earning->channel.len);
		align_wire_append_uint(out, earning->touches);
		WriteInt128(out, earning->share);
		align_wire_append_uint(out, (earning->rest != NULL ? 2 : 0) + earning->has_amount);
		align_wire_append_uint(out, earning->scale);
		WriteInt128(out, earning->units);
		if (earning->rest != NULL)
		{
			align_wire_append_uint(out, VARSIZE(earning->rest));
			appendBinaryStringInfo(out, (const char *) earning->rest, VARSIZE(earning->rest));
		}
	}
}

Earnings *
align_earnings_read(const void *data, size_t len)
{
	Earnings   *earnings;
	WireReader	reader;
	uint64		count;

	align_wire_begin(&reader, data, len, "credit_agg");
	earnings = align_earnings(CurrentMemoryContext, align_wire_uint(&reader));
	count = align_wire_uint(&reader);
	for (uint64 i = 0; i < count; i++)
	{
		LeadString	group;
		LeadString	campaign;
		LeadString	channel;
		Earning    *earning;
		int			number = 0;
		uint64		flags;

		group.text = align_wire_text(&reader, &group.len);
		campaign.text = align_wire_text(&reader, &campaign.len);
		channel.text = align_wire_text(&reader, &channel.len);
		if (i > 0)
			number = EarningOf(earnings, group, campaign, channel);
		earning = &earnings->earnings[number];
		earning->touches = (int64) align_wire_uint(&reader);
		earning->share = ReadInt128(&reader);
		flags = align_wire_uint(&reader);
		earning->has_amount = (flags & 1) != 0;
		earning->scale = (int) align_wire_uint(&reader);
		earning->units = ReadInt128(&reader);
		if (flags & 2)
		{
			size_t		size = align_wire_uint(&reader);
			const char *bytes = align_wire_bytes(&reader, size);

			earning->rest = (Numeric) memcpy(palloc(size), bytes, size);
		}
	}
	align_wire_end(&reader);
	return earnings;
}

/*
 * qsort comparator of pointers to earnings.
 */
static int
CompareEarnings(const void *a, const void *b)
{
	const Earning *left = *(const Earning *const *) a;
	const Earning *right = *(const Earning *const *) b;
	int			result = CompareStrings(left->campaign, right->campaign);

	if (result == 0)
		result = CompareStrings(left->channel, right->channel);
	/* a plain text may be the canonical text of another campaign */
	return result != 0 ? result : CompareStrings(left->group, right->group);
}

const Earning **
align_earnings_sorted(const Earnings *earnings, int *count)
{
	const Earning **result = palloc(earnings->nearnings * sizeof(Earning *));
	int			n = 0;

	for (int i = earnings->earnings[0].share == 0 ? 1 : 0; i < earnings->nearnings; i++)
		result[n++] = &earnings->earnings[i];
	qsort(result, n, sizeof(Earning *), CompareEarnings);
	*count = n;
	return result;
}

/*
 * An integer sum as numeric.  It is divided in two, since only an int64 can be
 * converted.
 */
static Datum
UnitsNumeric(int128 units)
{
	const int64 half = INT64CONST(1000000000000000000);
	Datum		high;
	Datum		factor;
	Datum		low = align_credit_numeric((int64) (units % half), UNIT_SCALE);

	if (units / half == 0)
		return low;
	high = NumericGetDatum(int64_to_numeric((int64) (units / half)));
	factor = NumericGetDatum(int64_to_numeric(half / power_of_10[UNIT_SCALE]));
	return DirectFunctionCall2(numeric_add, DirectFunctionCall2(numeric_mul, high, factor), low);
}

Datum
align_earning_amount(const Earning *earning)
{
	Datum		result = UnitsNumeric(earning->units);

	Assert(earning->has_amount);
	if (earning->rest != NULL)
		result = DirectFunctionCall2(numeric_add, result, NumericGetDatum(earning->rest));
	return DirectFunctionCall2(numeric_round, result, Int32GetDatum(earning->scale));
}
