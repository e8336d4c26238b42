/*
 * credit_agg.c
 *	  credit_agg and funnel_credit_agg: what campaigns earned over many leads.
 *
 * The arguments other than the lead must be the same in all rows: credit by
 * different models does not add up to anything.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "attribute/earnings.h"

PG_FUNCTION_INFO_V1(align_credit_agg_trans);
PG_FUNCTION_INFO_V1(align_funnel_credit_agg_trans);
PG_FUNCTION_INFO_V1(align_credit_agg_combine);
PG_FUNCTION_INFO_V1(align_credit_agg_serialise);
PG_FUNCTION_INFO_V1(align_credit_agg_deserialise);
PG_FUNCTION_INFO_V1(align_credit_agg_final);

/* Columns of the type campaign_credit. */
enum
{
	COL_CAMPAIGN,
	COL_CHANNEL,
	COL_TOUCHES,
	COL_CONVERSIONS,
	COL_AMOUNT,
	NCOLUMNS
};

static void
CheckSame(const Earnings *earnings, uint64 fingerprint)
{
	if (unlikely(earnings->fingerprint != fingerprint))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("credit by different models cannot be added up"),
				 errdetail("The arguments of credit_agg other than lead must be the same in all rows.")));
}

static Datum
Transition(FunctionCallInfo fcinfo, bool has_funnel)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	CreditSite *site;
	Earnings   *earnings;

	site = align_credit_site(fcinfo, 2, has_funnel);
	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	if (PG_ARGISNULL(0))
		earnings = align_earnings(context, site->fingerprint);
	else
	{
		earnings = (Earnings *) PG_GETARG_POINTER(0);
		CheckSame(earnings, site->fingerprint);
	}
	align_earnings_add(earnings, site, PG_GETARG_VARLENA_PP(1));
	PG_RETURN_POINTER(earnings);
}

/*
 * credit_agg: (state, lead, model [, lookback [, half_life [, milestones]]])
 */
Datum
align_credit_agg_trans(PG_FUNCTION_ARGS)
{
	return Transition(fcinfo, false);
}

/*
 * funnel_credit_agg: (state, lead, funnel, model [, lookback ...])
 */
Datum
align_funnel_credit_agg_trans(PG_FUNCTION_ARGS)
{
	return Transition(fcinfo, true);
}

Datum
align_credit_agg_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	const Earnings *other;
	Earnings   *earnings;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	other = (const Earnings *) PG_GETARG_POINTER(1);
	/* copy even into an empty state: the other is in another context */
	if (PG_ARGISNULL(0))
		earnings = align_earnings(context, other->fingerprint);
	else
	{
		earnings = (Earnings *) PG_GETARG_POINTER(0);
		CheckSame(earnings, other->fingerprint);
	}
	align_earnings_merge(earnings, other);
	PG_RETURN_POINTER(earnings);
}

Datum
align_credit_agg_serialise(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	(void) align_aggregate_context(fcinfo);
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	align_earnings_write(&out, (const Earnings *) PG_GETARG_POINTER(0));
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P((bytea *) out.data);
}

Datum
align_credit_agg_deserialise(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	(void) align_aggregate_context(fcinfo);
	PG_RETURN_POINTER(align_earnings_read(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)));
}

/*
 * The result: an array of campaign_credit, in the order of campaigns by bytes.
 */
Datum
align_credit_agg_final(PG_FUNCTION_ARGS)
{
	const Earnings *earnings;
	const Earning **sorted;
	Datum	   *rows;
	Oid			element;
	TupleDesc	desc;
	int			n;
	ArrayType  *result;

	(void) align_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	earnings = (const Earnings *) PG_GETARG_POINTER(0);
	element = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	if (!OidIsValid(element))
		elog(ERROR, "result type of credit_agg is not an array");
	desc = lookup_rowtype_tupdesc(element, -1);
	if (desc->natts != NCOLUMNS)
		elog(ERROR, "type campaign_credit has %d columns, not %d", desc->natts, NCOLUMNS);

	sorted = align_earnings_sorted(earnings, &n);
	rows = palloc(Max(n, 1) * sizeof(Datum));
	for (int i = 0; i < n; i++)
	{
		const Earning *earning = sorted[i];
		Datum		values[NCOLUMNS];
		bool		nulls[NCOLUMNS] = {false};

		values[COL_CAMPAIGN] = align_lead_text_datum(earning->campaign);
		values[COL_CHANNEL] = align_lead_text_datum(earning->channel);
		values[COL_TOUCHES] = Int64GetDatum(earning->touches);
		values[COL_CONVERSIONS] = Float8GetDatum(ldexp((double) earning->share, -SHARE_BITS));
		nulls[COL_AMOUNT] = !earning->has_amount;
		values[COL_AMOUNT] = nulls[COL_AMOUNT] ? (Datum) 0 : align_earning_amount(earning);
		rows[i] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	ReleaseTupleDesc(desc);
	result = construct_array(rows, n, element, -1, false, TYPALIGN_DOUBLE);
	PG_RETURN_ARRAYTYPE_P(result);
}
