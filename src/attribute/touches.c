/*
 * touches.c
 *	  Touches of one lead: touches(lead, funnel), first_touch, last_touch and
 *	  decisive_touch.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "attribute/attribute.h"

PG_FUNCTION_INFO_V1(align_funnel_touches);
PG_FUNCTION_INFO_V1(align_first_touch);
PG_FUNCTION_INFO_V1(align_last_touch);
PG_FUNCTION_INFO_V1(align_decisive_touch);

/* Columns of touches(lead, funnel). */
enum
{
	COL_TOUCH,
	COL_AT,
	COL_CAMPAIGN,
	COL_AMOUNT,
	COL_SOURCE,
	COL_MEDIUM,
	COL_NAME,
	COL_CHANNEL,
	NCOLUMNS
};

/* Columns of the functions that return one touch. */
#define NTOUCH_COLUMNS 3

/*
 * What a call site keeps from call to call.
 */
typedef struct TouchSite
{
	Funnel	   *funnel;
	CampaignMemory *memory;		/* of campaigns under the funnel */
} TouchSite;

/*
 * A touch, and its number as in touches(lead, funnel); 0 for none.
 */
typedef struct Touch
{
	int			number;
	TimestampTz at;
	int			campaign;
} Touch;

/*
 * The site's members that depend on an agreement: argument 1.
 */
static TouchSite *
FunnelSite(FunctionCallInfo fcinfo)
{
	ValueMemo  *memo = align_memo(fcinfo->flinfo, 0, 2);
	TextValue  *value = align_text_value_arg(PG_GETARG_DATUM(1), "funnel");
	TouchSite  *site;
	MemoryContext caller;

	if (likely(align_memo_valid(memo, value)))
		return (TouchSite *) memo->compiled;
	align_memo_reset(memo);
	caller = MemoryContextSwitchTo(memo->context);
	site = palloc0(sizeof(TouchSite));
	site->funnel = align_funnel_compile(align_text_value_cstring(value), memo->context, NULL);
	site->memory = align_campaign_memory(memo->context, site->funnel);
	MemoryContextSwitchTo(caller);
	align_memo_keep(memo, value, site);
	return site;
}

/*
 * The row of one touch, NULL if there is none.
 */
static Datum
TouchDatum(FunctionCallInfo fcinfo, const LeadReader *reader, const Touch *touch)
{
	ValueMemo  *memo = align_memo(fcinfo->flinfo, 1, 2);
	Datum		values[NTOUCH_COLUMNS];
	bool		nulls[NTOUCH_COLUMNS] = {false};

	if (touch->number == 0)
		PG_RETURN_NULL();
	if (memo->compiled == NULL)
		memo->compiled = align_result_desc(fcinfo, memo->context);
	values[0] = Int32GetDatum(touch->number);
	values[1] = TimestampTzGetDatum(touch->at);
	values[2] = align_lead_text_datum(reader->strings[touch->campaign]);
	return HeapTupleGetDatum(heap_form_tuple((TupleDesc) memo->compiled, values, nulls));
}

static inline void
SetTouch(Touch *touch, int number, const LeadEntry *entry)
{
	touch->number = number;
	touch->at = entry->at;
	touch->campaign = entry->campaign;
}

/*
 * touches(lead, funnel)
 */
Datum
align_funnel_touches(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TouchSite  *site = FunnelSite (fcinfo);
	LeadReader	reader;
	LeadEntry	entry;
	TouchScan	scan;
	int			touch = 0;

	align_begin_rows(fcinfo);
	align_touch_begin(&scan);
	align_campaign_memory_trim(site->memory);
	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	while (align_lead_next(&reader, &entry))
	{
		const KnownCampaign *known;
		Datum		values[NCOLUMNS];
		bool		nulls[NCOLUMNS] = {false};

		if (!align_touch_next(&scan, &entry))
			continue;
		known = align_campaign_known(site->memory, reader.strings[entry.campaign]);
		values[COL_TOUCH] = Int32GetDatum(++touch);
		values[COL_AT] = TimestampTzGetDatum(entry.at);
		values[COL_CAMPAIGN] = known->campaign;
		nulls[COL_AMOUNT] = entry.amount < 0;
		values[COL_AMOUNT] = entry.amount < 0 ? (Datum) 0 :
			align_amount_numeric(reader.strings[entry.amount]);
		values[COL_SOURCE] = known->source;
		nulls[COL_SOURCE] = known->source == 0;
		values[COL_MEDIUM] = known->medium;
		nulls[COL_MEDIUM] = known->medium == 0;
		values[COL_NAME] = known->name;
		nulls[COL_NAME] = known->name == 0;
		values[COL_CHANNEL] = known->channel;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		if (!nulls[COL_AMOUNT])
			pfree(DatumGetPointer(values[COL_AMOUNT]));
	}
	align_lead_read_end(&reader);
	return (Datum) 0;
}

/*
 * first_touch(lead)
 */
Datum
align_first_touch(PG_FUNCTION_ARGS)
{
	LeadReader	reader;
	LeadEntry	entry;
	TouchScan	scan;
	Touch		touch = {0};
	Datum		result;

	align_touch_begin(&scan);
	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	while (touch.number == 0 && align_lead_next(&reader, &entry))
	{
		if (align_touch_next(&scan, &entry))
			SetTouch(&touch, 1, &entry);
	}
	result = TouchDatum(fcinfo, &reader, &touch);
	align_lead_read_end(&reader);
	return result;
}

/*
 * last_touch(lead, before): at or before that time
 */
Datum
align_last_touch(PG_FUNCTION_ARGS)
{
	TimestampTz before = PG_GETARG_TIMESTAMPTZ(1);
	LeadReader	reader;
	LeadEntry	entry;
	TouchScan	scan;
	Touch		touch = {0};
	Datum		result;

	align_touch_begin(&scan);
	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	while (align_lead_next(&reader, &entry) && entry.at <= before)
	{
		if (align_touch_next(&scan, &entry))
			SetTouch(&touch, touch.number + 1, &entry);
	}
	result = TouchDatum(fcinfo, &reader, &touch);
	align_lead_read_end(&reader);
	return result;
}

/*
 * True if entering the stage submits a handoff, or, in an agreement without
 * handoffs, wins the lead.
 */
static bool
IsDecisive(const Funnel *funnel, int stage)
{
	bool		has_handoffs = false;

	for (int i = 0; i < funnel->nservice_levels; i++)
	{
		const ServiceLevel *sla = &funnel->service_levels[i];

		if (!sla->is_handoff)
			continue;
		has_handoffs = true;
		if (sla->starts.stages[0] == stage)
			return true;
	}
	return !has_handoffs && funnel->stages[stage].kind == STAGE_WON;
}

/*
 * decisive_touch(lead, funnel): the last touch that is not direct at or before
 * the first submission of a handoff
 */
Datum
align_decisive_touch(PG_FUNCTION_ARGS)
{
	TouchSite  *site = FunnelSite (fcinfo);
	LeadReader	reader;
	LeadEntry	entry;
	TouchScan	scan;
	Touch		last = {0};
	Touch		touch = {0};
	TimestampTz decided = 0;
	bool		is_decided = false;
	int			number = 0;
	int			last_stage = -1;
	Datum		result;

	align_campaign_memory_trim(site->memory);
	align_touch_begin(&scan);
	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	while (align_lead_next(&reader, &entry) && !(is_decided && entry.at > decided))
	{
		if (align_touch_next(&scan, &entry))
		{
			SetTouch(&last, ++number, &entry);
			if (!align_campaign_known(site->memory, reader.strings[entry.campaign])->is_direct)
				touch = last;
		}
		if (entry.stage >= 0 && !is_decided && entry.stage != last_stage)
		{
			int			stage = align_funnel_stage(site->funnel,
												   reader.strings[entry.stage].text,
												   reader.strings[entry.stage].len);

			last_stage = entry.stage;
			if (stage >= 0 && IsDecisive(site->funnel, stage))
			{
				is_decided = true;
				decided = entry.at;
			}
		}
	}
	if (touch.number == 0)
		touch = last;
	if (!is_decided)
		touch.number = 0;
	result = TouchDatum(fcinfo, &reader, &touch);
	align_lead_read_end(&reader);
	return result;
}
