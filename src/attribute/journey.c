/*
 * journey.c
 *	  Reads one lead for credit: conversion, touches, milestones, amount.
 *
 * Conversion.  With a funnel, the first entry into a won stage.  Without, the
 * first entry into the stage given for it, or else the entry into the stage
 * that the lead is in, as in since(lead).  Nothing after it has any effect.
 * Of entries at the same instant, touches count; a stage entry does, unless
 * its recorded ordinal shows that it came later.
 *
 * Amount.  That of the conversion itself; else the last one of a stage entry
 * that counts; else the last one of a touch that does.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "attribute/attribute.h"

/* Not looked up yet, in stage_of_string. */
#define NOT_LOOKED_UP (-2)

void
align_credit_begin(Credit *credit, MemoryContext context)
{
	credit->context = context;
	credit->room = 16;
	credit->touches = MemoryContextAlloc(context, credit->room * sizeof(CreditTouch));
}

static inline void
AddTouch(Credit *credit, TimestampTz at, int touch, int campaign)
{
	CreditTouch *slot;

	if (unlikely(credit->ntouches == credit->room))
	{
		credit->room *= 2;
		credit->touches = repalloc_huge(credit->touches,
										(Size) credit->room * sizeof(CreditTouch));
	}
	slot = &credit->touches[credit->ntouches++];
	slot->at = at;
	slot->touch = touch;
	slot->campaign = campaign;
}

/*
 * Drops the touches after the conversion, and those before the lookback.
 */
static void
DropTouches(Credit *credit, const CreditRules *rules)
{
	TimestampTz earliest = align_credit_earliest(rules, credit->conversion);
	int			first = 0;

	while (credit->ntouches > 0 &&
		   credit->touches[credit->ntouches - 1].at > credit->conversion)
		credit->ntouches--;
	while (first < credit->ntouches && credit->touches[first].at < earliest)
		first++;
	if (first > 0)
	{
		credit->ntouches -= first;
		memmove(credit->touches, credit->touches + first, credit->ntouches * sizeof(CreditTouch));
	}
}

/*
 * The stage of a dictionary string, looked up once per lead; -1 if unknown.
 */
static inline int
StageOf(const LeadReader *reader, const Funnel *funnel, int *stages, int string)
{
	if (stages[string] == NOT_LOOKED_UP)
		stages[string] = align_funnel_stage(funnel, reader->strings[string].text,
											reader->strings[string].len);
	return stages[string];
}

/*
 * What a walk through a lead keeps.
 */
typedef struct Walk
{
	const CreditRules *rules;
	LeadReader *reader;
	int			inline_stages[LEAD_INLINE_STRINGS];
	int		   *stages;			/* with a funnel: the stage of each string */
	int			milestone_strings[CREDIT_MAX_MILESTONES];
	int			conversion_string;	/* without: -1 if not in the lead */
	int			last_stage;
	bool		converted;
	LeadEntry	conversion;		/* valid if converted */
	int			stage_amount;	/* of the last stage entry, -1 if none */
	int			touch_amount;	/* of the last touch */
	int			touch_amount_then;	/* at the conversion */
} Walk;

/*
 * Looks up what the rules name in the dictionary of the lead.
 */
static void
BeginWalk(Walk *walk, const CreditRules *rules, LeadReader *reader)
{
	walk->rules = rules;
	walk->reader = reader;
	walk->stages = walk->inline_stages;
	walk->conversion_string = walk->last_stage = -1;
	walk->stage_amount = walk->touch_amount = walk->touch_amount_then = -1;
	walk->converted = false;
	if (rules->funnel != NULL)
	{
		if (reader->nstrings > LEAD_INLINE_STRINGS)
			walk->stages = MemoryContextAllocHuge(CurrentMemoryContext,
												  (Size) reader->nstrings * sizeof(int));
		for (int i = 0; i < reader->nstrings; i++)
			walk->stages[i] = NOT_LOOKED_UP;
		return;
	}
	if (rules->has_conversion)
		walk->conversion_string = align_lead_find(reader, rules->conversion.text,
												  rules->conversion.len);
	for (int i = 0; i < rules->nmilestones; i++)
	{
		const CreditMilestone *milestone = &rules->milestones[i];

		if (!milestone->first_stage)
			walk->milestone_strings[i] = align_lead_find(reader, milestone->label.text,
														 milestone->label.len);
	}
}

static void
EndWalk(Walk *walk)
{
	if (walk->stages != walk->inline_stages)
		pfree(walk->stages);
}

/*
 * True if a stage entry is the conversion, as far as the entries until now
 * show.
 */
static bool
Converts(Walk *walk, const LeadEntry *entry, int stage)
{
	const CreditRules *rules = walk->rules;

	if (rules->funnel != NULL)
		return !walk->converted && stage >= 0 && rules->funnel->stages[stage].kind == STAGE_WON;
	if (rules->has_conversion)
		return !walk->converted && entry->stage == walk->conversion_string;
	return entry->stage != walk->last_stage;
}

/*
 * True if an entry after the conversion in the journey counts all the same.
 */
static bool
IsSimultaneous(const Walk *walk, const LeadEntry *entry)
{
	return entry->at == walk->conversion.at &&
		(entry->ordinal == 0 || walk->conversion.ordinal == 0);
}

/*
 * Sets the milestones that a stage entry reaches.
 */
static void
ReachMilestones(Credit *credit, const Walk *walk, const LeadEntry *entry, int stage)
{
	const CreditRules *rules = walk->rules;

	for (int i = 0; i < rules->nmilestones; i++)
	{
		const CreditMilestone *milestone = &rules->milestones[i];
		bool		is_there = milestone->first_stage ||
			(rules->funnel != NULL ? stage == milestone->stage :
			 entry->stage == walk->milestone_strings[i]);

		if (is_there && !credit->reached[i])
		{
			credit->reached[i] = true;
			credit->milestones[i] = entry->at;
		}
	}
}

/*
 * Takes account of a stage entry.
 */
static void
AddStageEntry(Credit *credit, Walk *walk, const LeadEntry *entry)
{
	bool		is_final = walk->rules->funnel != NULL || walk->rules->has_conversion;
	int			stage = -1;

	if (walk->converted && is_final && !IsSimultaneous(walk, entry))
		return;
	if (walk->rules->funnel != NULL)
		stage = StageOf(walk->reader, walk->rules->funnel, walk->stages, entry->stage);
	ReachMilestones(credit, walk, entry, stage);
	if (Converts(walk, entry, stage))
	{
		walk->converted = true;
		walk->conversion = *entry;
		walk->touch_amount_then = walk->touch_amount;
		if (entry->amount < 0)
			walk->conversion.amount = walk->stage_amount;
	}
	else if (walk->converted && walk->conversion.amount < 0 && IsSimultaneous(walk, entry))
		walk->conversion.amount = entry->amount;
	if (entry->amount >= 0)
		walk->stage_amount = entry->amount;
	walk->last_stage = entry->stage;
}

/*
 * Reads a lead up to its conversion; false if it has not converted.
 */
bool
align_credit_read(Credit *credit, const CreditRules *rules, const struct varlena *lead)
{
	bool		is_final = rules->funnel != NULL || rules->has_conversion;
	int			touch = 0;
	int			amount;
	Walk		walk;
	TouchScan	scan;
	LeadEntry	entry;

	credit->ntouches = 0;
	for (int i = 0; i < rules->nmilestones; i++)
		credit->reached[i] = false;
	align_lead_read(&credit->reader, lead);
	BeginWalk(&walk, rules, &credit->reader);
	align_touch_begin(&scan);
	while (align_lead_next(&credit->reader, &entry))
	{
		if (walk.converted && is_final && entry.at > walk.conversion.at)
			break;
		if (align_touch_next(&scan, &entry))
			AddTouch(credit, entry.at, ++touch, entry.campaign);
		if (entry.stage >= 0)
			AddStageEntry(credit, &walk, &entry);
		else if (entry.amount >= 0)
		{
			walk.touch_amount = entry.amount;
			if (walk.converted && entry.at == walk.conversion.at)
				walk.touch_amount_then = entry.amount;
		}
	}
	EndWalk(&walk);
	if (!walk.converted)
		return false;

	credit->conversion = walk.conversion.at;
	DropTouches(credit, rules);
	for (int i = 0; i < rules->nmilestones; i++)
		credit->reached[i] &= credit->milestones[i] <= credit->conversion;
	amount = walk.conversion.amount >= 0 ? walk.conversion.amount : walk.touch_amount_then;
	credit->amount = align_lead_string(&credit->reader, amount);
	return true;
}

void
align_credit_read_end(Credit *credit)
{
	align_lead_read_end(&credit->reader);
}
