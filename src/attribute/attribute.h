/*
 * attribute.h
 *	  Credit: which campaign touches of a lead earned its conversion.
 *
 * Arguments are compiled to CreditRules (rules.c).  align_credit_read walks a
 * lead once and finds its conversion, the touches that count, and the
 * milestones (journey.c); align_credit_share divides the credit among the
 * touches (share.c); align_credit_divide divides an amount by the same weights
 * (divide.c).  What campaigns read as, and their channels, is remembered per
 * call site (campaigns.c).
 *
 * Weights are integers, so that amounts can be divided exactly; every model
 * but time_decay is a ratio of small integers.
 */
#ifndef ALIGN_ATTRIBUTE_H
#define ALIGN_ATTRIBUTE_H

#include "compat.h"

#include "campaign/campaign.h"
#include "funnel/funnel.h"
#include "lead/lead.h"
#include "utils/array.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/*
 * Finds the touches of a journey.  Entries with a campaign and no stage are
 * touches.  A stage entry may have a campaign, too: that of the row, which the
 * trigger of an attached table copies into each entry of the lead.  It is a
 * touch if it differs from the campaign of the stage entry before and from
 * that of the touch before.
 */
typedef struct TouchScan
{
	int			entry_campaign; /* dictionary string of the last stage entry's
								 * campaign, -1 if there was none */
	int			touch_campaign; /* that of the last touch */
} TouchScan;

static inline void
align_touch_begin(TouchScan *scan)
{
	scan->entry_campaign = scan->touch_campaign = -1;
}

/* True if an entry, which follows those before in order, is a touch. */
static inline bool
align_touch_next(TouchScan *scan, const LeadEntry *entry)
{
	if (entry->campaign < 0)
		return false;
	if (entry->stage >= 0)
	{
		bool		differs = entry->campaign != scan->entry_campaign &&
			entry->campaign != scan->touch_campaign;

		scan->entry_campaign = entry->campaign;
		if (!differs)
			return false;
	}
	scan->touch_campaign = entry->campaign;
	return true;
}

/* Campaign and channel of a conversion that no touch earned. */
#define CREDIT_NONE "(none)"

typedef enum CreditModel
{
	CREDIT_FIRST,
	CREDIT_LAST,
	CREDIT_LAST_NON_DIRECT,
	CREDIT_LINEAR,
	CREDIT_POSITION,
	CREDIT_TIME_DECAY,
	CREDIT_U_SHAPED,
	CREDIT_W_SHAPED,
	CREDIT_FULL_PATH,
	CREDIT_SHAPLEY
} CreditModel;

#define CREDIT_NMODELS (CREDIT_SHAPLEY + 1)

/* The names of the models in SQL, by CreditModel. */
extern const char *const align_credit_model_names[CREDIT_NMODELS];

/* Milestones of a lead's journey: lead creation and opportunity. */
#define CREDIT_MAX_MILESTONES 2

typedef struct CreditMilestone
{
	bool		first_stage;	/* the first stage entry of the journey */
	int			stage;			/* with a funnel */
	LeadString	label;			/* without */
} CreditMilestone;

typedef struct CreditRules
{
	CreditModel model;
	const Funnel *funnel;		/* NULL: the labels stand as written */
	bool		has_lookback;
	int32		months;			/* lookback: calendar months, */
	int64		lookback;		/* and microseconds; PG_INT64_MAX if more */
	double		half_life;		/* microseconds */
	int			nmilestones;
	CreditMilestone milestones[CREDIT_MAX_MILESTONES];
	bool		has_conversion; /* without a funnel: the conversion is the
								 * first entry into this stage */
	LeadString	conversion;
} CreditRules;

/* The arguments of the SQL functions; a missing one is NULL. */
typedef struct CreditArguments
{
	text	   *model;
	Interval   *lookback;
	Interval   *half_life;
	ArrayType  *milestones;
} CreditArguments;

/*
 * Check and compile arguments; an invalid one is an error.  Labels are copied
 * into the current memory context; the funnel may be NULL.
 */
extern void align_credit_rules(const CreditArguments *arguments, const Funnel *funnel,
							   CreditRules *rules);

/* The earliest instant at which a touch counts. */
extern TimestampTz align_credit_earliest(const CreditRules *rules, TimestampTz conversion);

/*
 * What a campaign reads as.  All of it lives until align_campaign_memory_trim.
 */
typedef struct KnownCampaign
{
	LeadString	text;			/* as in the lead */
	LeadString	group;			/* canonical text: the same for all spellings
								 * of a campaign */
	LeadString	spelling;		/* text as sums show it: without blanks around
								 * it, or the canonical text if it has more
								 * than the campaign, as addresses have */
	uint64		earnings;		/* for earnings.c: a state's serial number, */
	int			earning;		/* and the campaign's number there */
	Datum		campaign;		/* the same as a value of type text */
	Datum		source;			/* type text, 0 if absent */
	Datum		medium;
	Datum		name;
	Datum		channel;
	bool		is_direct;
} KnownCampaign;

typedef struct CampaignMemory CampaignMemory;

/*
 * Hash value of a campaign's text, for tables in memory.  It reads eight bytes
 * at a time, because the texts are long and hashing is most of the work.  Each
 * backend has a seed of its own, set by align_campaign_seed_hash(): visitors
 * of web sites choose the texts, and must not choose ones with equal hash
 * values.
 */
extern uint64 align_campaign_hash_seed;
extern void align_campaign_seed_hash(void);

static inline uint32
align_campaign_hash(LeadString text)
{
	const uint64 factor = UINT64CONST(0x9E3779B97F4A7C15);
	uint64		hash = ((uint64) text.len ^ align_campaign_hash_seed) * factor;
	uint64		word = 0;
	int			i = 0;

	for (; i + 8 <= text.len; i += 8)
	{
		memcpy(&word, text.text + i, 8);
		hash = (hash ^ word) * factor;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, text.text + i, text.len - i);
	hash = (hash ^ word) * factor;
	return (uint32) (hash >> 32);
}

/* Remember campaigns in a child of context, under the funnel (may be NULL). */
extern CampaignMemory *align_campaign_memory(MemoryContext context, const Funnel *funnel);

/* Forget all campaigns if they take much memory; call this between leads. */
extern void align_campaign_memory_trim(CampaignMemory *memory);
extern KnownCampaign *align_campaign_known(CampaignMemory *memory, LeadString text);

/*
 * A touch that counts, or, after align_credit_share, that earned credit.
 */
typedef struct CreditTouch
{
	TimestampTz at;
	int			touch;			/* from 1, as in touches(lead, funnel) */
	int			campaign;		/* dictionary string */
	int64		weight;
	double		share;			/* of 1 */
	int64		part;			/* of an amount; see align_credit_divide */
	uint64		rest;			/* for align_credit_divide */
} CreditTouch;

/*
 * The journey of one lead.  Use one Credit for many leads, one after the
 * other: its array is kept.
 */
typedef struct Credit
{
	MemoryContext context;		/* of touches */
	CreditTouch *touches;
	int			room;
	LeadReader	reader;			/* of the lead read last */
	TimestampTz conversion;
	LeadString	amount;			/* at the conversion, absent if none */
	int			ntouches;
	bool		reached[CREDIT_MAX_MILESTONES];
	TimestampTz milestones[CREDIT_MAX_MILESTONES];
	int64		total;			/* of the weights, below 2^63 */
} Credit;

extern void align_credit_begin(Credit *credit, MemoryContext context);

/*
 * Read a lead, up to its conversion: touches within the lookback, milestones,
 * amount.  False if it has not converted.  Strings belong to the lead.  In
 * either case align_credit_read_end must be called.
 */
extern bool align_credit_read(Credit *credit, const CreditRules *rules,
							  const struct varlena *lead);
extern void align_credit_read_end(Credit *credit);

/*
 * Divide the credit: keeps the touches that earn something and sets their
 * weight and share.  None is left if there was none.
 */
extern void align_credit_share(Credit *credit, const CreditRules *rules,
							   CampaignMemory *memory);

/*
 * An amount in units of 10^-scale, or, if it has too many digits, as numeric.
 */
typedef struct CreditAmount
{
	int			scale;			/* at least 2 */
	int64		units;
	Numeric		large;			/* palloc'd; NULL: units */
} CreditAmount;

extern void align_credit_amount(LeadString text, CreditAmount *amount);

/*
 * Divide an amount among touches by their weights: the parts add up to the
 * amount exactly.  Units that are left over go to the largest remainders, of
 * equal ones to the earlier.  Sets part of each touch, in units; the parts of
 * a large amount are those of align_credit_large_part, palloc'd.
 */
extern void align_credit_divide(Credit *credit, const CreditAmount *amount);
extern Numeric align_credit_large_part(const Credit *credit, const CreditAmount *amount,
									   int touch);

/* The amount with its scale, as a palloc'd numeric. */
extern Datum align_credit_whole(const CreditAmount *amount);

/* 10^-scale * units. */
extern Datum align_credit_numeric(int64 units, int scale);

/*
 * What a call site of credit keeps from call to call.
 */
typedef struct CreditSite
{
	CreditRules rules;
	CampaignMemory *memory;
	Credit		credit;
	uint64		fingerprint;	/* of the arguments that rules depends on */
	bool		valid;
	MemoryContext context;		/* of rules, memory and the keys below */
	char	   *key;			/* the arguments as bytes */
	size_t		key_len;
} CreditSite;

/*
 * The compiled arguments ([funnel,] model, lookback, half_life, milestones) of
 * a call, of which the last three may be left out; the first has number
 * argno.  An invalid one is an error.
 */
extern CreditSite *align_credit_site(FunctionCallInfo fcinfo, int argno, bool has_funnel);

#endif							/* ALIGN_ATTRIBUTE_H */
