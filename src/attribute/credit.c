/*
 * credit.c
 *	  SQL functions credit() and funnel_credit().
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attribute/attribute.h"

/* Rows whose amounts are freed at once. */
#define ROWS_PER_CONTEXT 256

PG_FUNCTION_INFO_V1(align_credit_sql);
PG_FUNCTION_INFO_V1(align_funnel_credit_sql);

enum
{
	COL_TOUCH,
	COL_AT,
	COL_CAMPAIGN,
	COL_CHANNEL,
	COL_SHARE,
	COL_AMOUNT,
	NCOLUMNS
};

/*
 * The row of a conversion that no touch earned.
 */
static void
PutNone(ReturnSetInfo *result, const CreditAmount *amount)
{
	Datum		values[NCOLUMNS] = {0};
	bool		nulls[NCOLUMNS] = {false};

	nulls[COL_TOUCH] = true;
	nulls[COL_AT] = true;
	values[COL_CAMPAIGN] = CStringGetTextDatum(CREDIT_NONE);
	values[COL_CHANNEL] = CStringGetTextDatum(CREDIT_NONE);
	values[COL_SHARE] = Float8GetDatum(1.0);
	nulls[COL_AMOUNT] = amount == NULL;
	if (amount != NULL)
		values[COL_AMOUNT] = align_credit_whole(amount);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * One row per touch that earned something.
 *
 * Campaigns are looked up once for each string, and equal amounts made once,
 * for most of the time of a row goes into such things.
 */
static void
PutTouches(ReturnSetInfo *result, CreditSite *site, const CreditAmount *amount)
{
	Credit	   *credit = &site->credit;
	const KnownCampaign *known_of[LEAD_INLINE_STRINGS] = {NULL};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = NULL;
	int64		last_part = 0;
	Datum		last_amount = 0;

	if (amount != NULL)
		align_credit_divide(credit, amount);
	/* amounts are small: free those of some hundred rows at once */
	if (amount != NULL && (credit->ntouches > ROWS_PER_CONTEXT || amount->large != NULL))
		context = AllocSetContextCreate(caller, "align credit rows", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < credit->ntouches; i++)
	{
		const CreditTouch *touch = &credit->touches[i];
		bool		few = touch->campaign < LEAD_INLINE_STRINGS;
		const KnownCampaign *known = few ? known_of[touch->campaign] : NULL;
		Datum		values[NCOLUMNS];
		bool		nulls[NCOLUMNS] = {false};

		if (known == NULL)
		{
			known = align_campaign_known(site->memory, credit->reader.strings[touch->campaign]);
			if (few)
				known_of[touch->campaign] = known;
		}
		values[COL_TOUCH] = Int32GetDatum(touch->touch);
		values[COL_AT] = TimestampTzGetDatum(touch->at);
		values[COL_CAMPAIGN] = known->campaign;
		values[COL_CHANNEL] = known->channel;
		values[COL_SHARE] = Float8GetDatum(touch->share);
		nulls[COL_AMOUNT] = amount == NULL;
		values[COL_AMOUNT] = last_amount;
		if (amount != NULL)
		{
			bool		is_large = amount->large != NULL;

			if (context != NULL && (is_large || i % ROWS_PER_CONTEXT == 0))
			{
				CHECK_FOR_INTERRUPTS();
				MemoryContextReset(context);
				MemoryContextSwitchTo(context);
				last_amount = 0;
			}
			if (is_large)
				last_amount = NumericGetDatum(align_credit_large_part(credit, amount, i));
			else if (last_amount == 0 || touch->part != last_part)
				last_amount = align_credit_numeric(touch->part, amount->scale);
			MemoryContextSwitchTo(caller);
			last_part = touch->part;
			values[COL_AMOUNT] = last_amount;
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	if (context != NULL)
		MemoryContextDelete(context);
}

static Datum
CreditRows(FunctionCallInfo fcinfo, bool has_funnel)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CreditSite *site;
	CreditAmount amount;
	bool		has_amount;

	align_begin_rows(fcinfo);
	site = align_credit_site(fcinfo, 1, has_funnel);
	if (PG_ARGISNULL(0))
		return (Datum) 0;

	align_campaign_memory_trim(site->memory);
	if (align_credit_read(&site->credit, &site->rules, PG_GETARG_VARLENA_PP(0)))
	{
		has_amount = site->credit.amount.text != NULL;
		if (has_amount)
			align_credit_amount(site->credit.amount, &amount);
		align_credit_share(&site->credit, &site->rules, site->memory);
		if (site->credit.ntouches > 0)
			PutTouches(result, site, has_amount ? &amount : NULL);
		else
			PutNone(result, has_amount ? &amount : NULL);
	}
	align_credit_read_end(&site->credit);
	return (Datum) 0;
}

/*
 * credit(lead, model, lookback, half_life, milestones)
 */
Datum
align_credit_sql(PG_FUNCTION_ARGS)
{
	return CreditRows(fcinfo, false);
}

/*
 * funnel_credit(lead, funnel, model, lookback, half_life, milestones)
 */
Datum
align_funnel_credit_sql(PG_FUNCTION_ARGS)
{
	return CreditRows(fcinfo, true);
}
