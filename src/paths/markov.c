/*
 * markov.c
 *	  markov(paths [, order]): conversions divided among channels by their
 *	  removal effects.
 *
 * The share of a channel is its removal effect divided by the sum of all.  The
 * conversions of the empty path need no channel and are not divided.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/numeric.h"

#include "paths/chain.h"
#include "paths/credits.h"

PG_FUNCTION_INFO_V1(align_markov);

/* Sum of the weights by which values are divided, before they are rounded. */
#define WEIGHTS_TOTAL 4611686018427387904.0 /* 2^62 */

/*
 * Divide the value by the shares, in whole units.
 */
static void
DivideValue(ChannelCredit *credits, int n, const double *shares, const PathsTotals *totals)
{
	Numeric		total = align_amount_sum_numeric(&totals->value);
	Numeric		unit = align_value_unit(totals);
	Numeric		all = int64_to_numeric((int64) WEIGHTS_TOTAL);

	for (int i = 0; i < n; i++)
	{
		Numeric		weight = int64_to_numeric((int64) rint(shares[i] * WEIGHTS_TOTAL));

		credits[i].units = align_value_units(total, weight, all, unit);
	}
}

Datum
align_markov(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	int32		order = PG_GETARG_INT32(1);
	PathsTotals totals = {0};
	PathsReader reader;
	Chain	   *chain;
	ChannelCredit *credits;
	double	   *effects;
	double		sum = 0;

	if (order < 1 || order > CHAIN_MAX_ORDER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("chain_order must be from 1 to %d", CHAIN_MAX_ORDER),
				 errdetail("It is %d.", order)));
	align_begin_rows(fcinfo);

	align_paths_read_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false);
	chain = align_chain(reader.nchannels, order);
	while (align_paths_read_next(&reader))
	{
		align_totals_add(&totals, &reader);
		align_chain_add(chain, reader.path, reader.length, reader.conversions, reader.nulls);
	}
	effects = palloc(reader.nchannels * sizeof(double) + 1);
	align_chain_effects(chain, effects);

	credits = palloc0(reader.nchannels * sizeof(ChannelCredit) + 1);
	for (int i = 0; i < reader.nchannels; i++)
		sum += effects[i];
	for (int i = 0; i < reader.nchannels; i++)
	{
		credits[i].channel = reader.channels[i];
		credits[i].effect = effects[i];

		/* now the share; every conversion that is divided has a channel */
		effects[i] = sum > 0 ? effects[i] / sum : 0;
		credits[i].conversions = (double) totals.conversions * effects[i];
	}
	if (totals.value.present)
		DivideValue(credits, reader.nchannels, effects, &totals);
	align_put_credits(fcinfo, credits, reader.nchannels, &totals, true);
	return (Datum) 0;
}
