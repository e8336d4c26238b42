/*
 * shapley.c
 *	  shapley(paths): conversions divided among channels by Shapley's value.
 *
 * The game: a coalition of channels is worth the conversions of the paths all
 * of whose channels are in it.  It is the sum of the unanimity games of the
 * paths, in each of which the channels of the path share equally.  So the
 * value of a channel is the sum over its paths of conversions / number of
 * different channels, and no coalition need be looked at: K. Zhao,
 * S. H. Mahboobi, S. R. Bagheri, "Shapley value methods for attribution
 * modeling in online advertising" (2018).
 *
 * Conversions and values are first added up exactly, by channel and number of
 * different channels.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "paths/credits.h"

PG_FUNCTION_INFO_V1(align_shapley);

/*
 * The paths with a channel that have so many different channels.
 */
typedef struct GameSum
{
	uint64		key;			/* channel, number of channels */
	int64		conversions;
	AmountSum	value;
	char		status;
} GameSum;

#define GAME_KEY(channel, number) ((uint64) (channel) << 32 | (uint32) (number))
#define GAME_CHANNEL(key) ((int) ((key) >> 32))
#define GAME_NUMBER(key) ((int64) ((key) & PG_UINT32_MAX))

#define SH_PREFIX gamesums
#define SH_ELEMENT_TYPE GameSum
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(tb, key) \
	hash_combine(murmurhash32((uint32) ((key) >> 32)), murmurhash32((uint32) (key)))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* qsort comparator of pointers to sums. */
static int
CompareSums(const void *a, const void *b)
{
	uint64		left = (*(const GameSum *const *) a)->key;
	uint64		right = (*(const GameSum *const *) b)->key;

	return (left > right) - (left < right);
}

/*
 * Add the path that was read last.  "distinct" has room for all channels;
 * last_path has, by channel, the last path that it was in.
 */
static void
AddPath(struct gamesums_hash *sums, const PathsReader *reader, uint32 *distinct, int *last_path)
{
	int			n = 0;

	for (int i = 0; i < reader->length; i++)
	{
		uint32		channel = reader->path[i];

		if (last_path[channel] != reader->nread)
		{
			last_path[channel] = reader->nread;
			distinct[n++] = channel;
		}
	}
	for (int i = 0; i < n; i++)
	{
		bool		found;
		GameSum    *sum = gamesums_insert(sums, GAME_KEY(distinct[i], n), &found);

		if (!found)
		{
			sum->conversions = 0;
			memset(&sum->value, 0, sizeof(AmountSum));
		}
		sum->conversions += reader->conversions;
		if (reader->value.text != NULL)
			align_amount_sum_add(&sum->value, CurrentMemoryContext, reader->value);
	}
}

/*
 * Divide the sums by their numbers, in the order of channels and numbers.
 */
static void
AddCredits(ChannelCredit *credits, struct gamesums_hash *sums, const PathsTotals *totals)
{
	Numeric		one = int64_to_numeric(1);
	Numeric		unit = totals->value.present ? align_value_unit(totals) : NULL;
	GameSum   **sorted = MemoryContextAllocHuge(CurrentMemoryContext,
												(Size) sums->members * sizeof(GameSum *) + 1);
	gamesums_iterator iterator;
	GameSum    *sum;
	int			n = 0;

	gamesums_start_iterate(sums, &iterator);
	while ((sum = gamesums_iterate(sums, &iterator)) != NULL)
		sorted[n++] = sum;
	qsort(sorted, n, sizeof(GameSum *), CompareSums);
	for (int i = 0; i < n; i++)
	{
		int64		number = GAME_NUMBER(sorted[i]->key);
		ChannelCredit *credit = &credits[GAME_CHANNEL(sorted[i]->key)];
		Numeric		units;

		credit->conversions += (double) sorted[i]->conversions / (double) number;
		if (!sorted[i]->value.present)
			continue;
		units = align_value_units(align_amount_sum_numeric(&sorted[i]->value), one,
								  int64_to_numeric(number), unit);
		if (credit->units != NULL)
			units = DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(units),
														NumericGetDatum(credit->units)));
		credit->units = units;
	}
}

Datum
align_shapley(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	PathsTotals totals = {0};
	PathsReader reader;
	struct gamesums_hash *sums;
	ChannelCredit *credits;
	uint32	   *distinct;
	int		   *last_path;

	align_begin_rows(fcinfo);
	sums = gamesums_create(CurrentMemoryContext, 64, NULL);
	align_paths_read_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false);
	distinct = palloc(reader.nchannels * sizeof(uint32) + 1);
	last_path = palloc0(reader.nchannels * sizeof(int) + 1);
	while (align_paths_read_next(&reader))
	{
		align_totals_add(&totals, &reader);
		if (reader.conversions > 0)
			AddPath(sums, &reader, distinct, last_path);
	}
	credits = palloc0(reader.nchannels * sizeof(ChannelCredit) + 1);
	for (int i = 0; i < reader.nchannels; i++)
		credits[i].channel = reader.channels[i];
	AddCredits(credits, sums, &totals);
	align_put_credits(fcinfo, credits, reader.nchannels, &totals, false);
	return (Datum) 0;
}
