/*
 * journey.c
 *	  Reads one lead for credit: conversion, touches, milestones, amount.
 *
 * Conversion.  With a funnel, the first entry into a won stage.  Without, the
 * first entry into the stage given for it, or else the entry into the stage
 * that the lead is in, as in since(lead).  Nothing after it has any effect,
 * but entries at the same instant do, in any order.
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
 * Reads a lead up to its conversion; false if it has not converted.
 */
bool
align_credit_read(Credit *credit, const CreditRules *rules, const struct varlena *lead)
{
	LeadReader *reader = &credit->reader;
	const Funnel *funnel = rules->funnel;
	bool		is_final = funnel != NULL || rules->has_conversion;
	int			inline_stages[LEAD_INLINE_STRINGS];
	int		   *stages = inline_stages;
	int			milestone_strings[CREDIT_MAX_MILESTONES];
	int			conversion_string = -1;
	int			last_stage = -1;
	int			amount = -1;
	int			last_amount = -1;
	int			touch = 0;
	bool		converted = false;
	TouchScan	scan;
	LeadEntry	entry;

	credit->ntouches = 0;
	align_lead_read(reader, lead);
	if (funnel != NULL)
	{
		if (reader->nstrings > LEAD_INLINE_STRINGS)
			stages = MemoryContextAllocHuge(CurrentMemoryContext,
											(Size) reader->nstrings * sizeof(int));
		for (int i = 0; i < reader->nstrings; i++)
			stages[i] = NOT_LOOKED_UP;
	}
	else if (rules->has_conversion)
		conversion_string = align_lead_find(reader, rules->conversion.text,
											rules->conversion.len);
	for (int i = 0; i < rules->nmilestones; i++)
	{
		const CreditMilestone *milestone = &rules->milestones[i];

		credit->reached[i] = false;
		if (funnel == NULL && !milestone->first_stage)
			milestone_strings[i] = align_lead_find(reader, milestone->label.text,
												   milestone->label.len);
	}

	align_touch_begin(&scan);
	while (align_lead_next(reader, &entry))
	{
		int			stage = -1;
		bool		converts;

		if (converted && is_final && entry.at > credit->conversion)
			break;
		if (entry.amount >= 0)
			last_amount = entry.amount;
		if (align_touch_next(&scan, &entry))
			AddTouch(credit, entry.at, ++touch, entry.campaign);
		if (entry.stage >= 0)
		{
			if (funnel != NULL)
				stage = StageOf(reader, funnel, stages, entry.stage);
			for (int i = 0; i < rules->nmilestones; i++)
			{
				const CreditMilestone *milestone = &rules->milestones[i];

				if (!credit->reached[i] &&
					(milestone->first_stage ||
					 (funnel != NULL ? stage == milestone->stage :
					  entry.stage == milestone_strings[i])))
				{
					credit->reached[i] = true;
					credit->milestones[i] = entry.at;
				}
			}

			if (funnel != NULL)
				converts = !converted && stage >= 0 && funnel->stages[stage].kind == STAGE_WON;
			else if (rules->has_conversion)
				converts = !converted && entry.stage == conversion_string;
			else
				converts = entry.stage != last_stage;
			last_stage = entry.stage;
			if (converts)
			{
				converted = true;
				credit->conversion = entry.at;
			}
		}
		if (converted && entry.at == credit->conversion)
			amount = last_amount;
	}

	if (converted)
	{
		DropTouches(credit, rules);
		for (int i = 0; i < rules->nmilestones; i++)
		{
			if (credit->reached[i] && credit->milestones[i] > credit->conversion)
				credit->reached[i] = false;
		}
		credit->amount = align_lead_string(reader, amount);
	}
	if (stages != inline_stages)
		pfree(stages);
	return converted;
}

void
align_credit_read_end(Credit *credit)
{
	align_lead_read_end(&credit->reader);
}
