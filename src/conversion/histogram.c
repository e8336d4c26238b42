/*
 * histogram.c
 *	  A mergeable summary of durations.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "conversion/histogram.h"

#define HISTOGRAM_LIST_MIN 8

uint64
align_histogram_lower(int bucket)
{
	int			shift;

	if (bucket < 2 * HISTOGRAM_WIDTH)
		return bucket;
	shift = bucket / HISTOGRAM_WIDTH - 1;
	return (uint64) (HISTOGRAM_WIDTH + bucket % HISTOGRAM_WIDTH) << shift;
}

/*
 * The most duration of a bucket.
 */
static uint64
HistogramUpper(int bucket)
{
	if (bucket < 2 * HISTOGRAM_WIDTH)
		return bucket;
	return align_histogram_lower(bucket) +
		((UINT64CONST(1) << (bucket / HISTOGRAM_WIDTH - 1)) - 1);
}

static void
FillOctave(Histogram *histogram, MemoryContext context, int bucket, int64 count)
{
	int64	  **octave = &histogram->octaves[bucket / HISTOGRAM_WIDTH];

	if (*octave == NULL)
		*octave = MemoryContextAllocZero(context, HISTOGRAM_WIDTH * sizeof(int64));
	(*octave)[bucket % HISTOGRAM_WIDTH] += count;
}

/*
 * Replace the list by counters.
 */
static void
SpillList(Histogram *histogram, MemoryContext context)
{
	histogram->octaves = MemoryContextAllocZero(context, HISTOGRAM_OCTAVES * sizeof(int64 *));
	for (int i = 0; i < histogram->nlisted; i++)
		FillOctave(histogram, context, histogram->list[i], 1);
	if (histogram->list != NULL)
		pfree(histogram->list);
	histogram->list = NULL;
	histogram->nlisted = 0;
	histogram->list_room = 0;
}

void
align_histogram_fill(Histogram *histogram, MemoryContext context, int bucket, int64 count)
{
	Assert(bucket >= 0 && bucket < HISTOGRAM_BUCKETS && count > 0);

	if (histogram->octaves == NULL && count > HISTOGRAM_LIST_MAX - histogram->nlisted)
		SpillList(histogram, context);
	if (histogram->octaves != NULL)
	{
		FillOctave(histogram, context, bucket, count);
		return;
	}

	/* a short list: enlarge it as needed, and append the bucket count times */
	while (histogram->nlisted + count > histogram->list_room)
	{
		if (histogram->list == NULL)
		{
			histogram->list_room = HISTOGRAM_LIST_MIN;
			histogram->list = MemoryContextAlloc(context, HISTOGRAM_LIST_MIN * sizeof(uint16));
		}
		else
		{
			histogram->list_room *= 2;
			histogram->list = repalloc(histogram->list, histogram->list_room * sizeof(uint16));
		}
	}
	for (int64 i = 0; i < count; i++)
		histogram->list[histogram->nlisted++] = bucket;
}

void
align_histogram_clear(Histogram *histogram)
{
	if (histogram->list != NULL)
		pfree(histogram->list);
	for (int i = 0; histogram->octaves != NULL && i < HISTOGRAM_OCTAVES; i++)
	{
		if (histogram->octaves[i] != NULL)
			pfree(histogram->octaves[i]);
	}
	if (histogram->octaves != NULL)
		pfree(histogram->octaves);
	memset(histogram, 0, sizeof(*histogram));
}

static int
CompareBuckets(const void *a, const void *b)
{
	return (int) *(const uint16 *) a - (int) *(const uint16 *) b;
}

void
align_histogram_scan(HistogramScan *scan, Histogram *histogram)
{
	if (histogram->nlisted > 1)
		qsort(histogram->list, histogram->nlisted, sizeof(uint16), CompareBuckets);
	scan->histogram = histogram;
	scan->next = 0;
}

bool
align_histogram_next(HistogramScan *scan, int *bucket, int64 *count)
{
	const Histogram *histogram = scan->histogram;

	/* in the sorted list, equal buckets are neighbours */
	if (histogram->octaves == NULL)
	{
		int			first = scan->next;

		if (first >= histogram->nlisted)
			return false;
		while (scan->next < histogram->nlisted &&
			   histogram->list[scan->next] == histogram->list[first])
			scan->next++;
		*bucket = histogram->list[first];
		*count = scan->next - first;
		return true;
	}

	while (scan->next < HISTOGRAM_BUCKETS)
	{
		const int64 *octave = histogram->octaves[scan->next / HISTOGRAM_WIDTH];
		int			here = scan->next;

		if (octave == NULL)
		{
			scan->next += HISTOGRAM_WIDTH;
			continue;
		}
		scan->next++;
		if (octave[here % HISTOGRAM_WIDTH] != 0)
		{
			*bucket = here;
			*count = octave[here % HISTOGRAM_WIDTH];
			return true;
		}
	}
	return false;
}

/*
 * The duration that represents a bucket: the multiple of the coarsest usual
 * unit that lies in it, the one nearest to its middle.  More digits would not
 * be more accurate, and where times are recorded by the day or the hour, the
 * result is mostly exact.
 */
static uint64
RoundDuration(int bucket)
{
	static const uint64 units[] = {
		USECS_PER_DAY, USECS_PER_HOUR, USECS_PER_MINUTE, USECS_PER_SEC, USECS_PER_SEC / 1000
	};
	uint64		lower = align_histogram_lower(bucket);
	uint64		upper = HistogramUpper(bucket);
	uint64		middle = lower + (upper - lower) / 2;

	for (int i = 0; i < (int) lengthof(units); i++)
	{
		uint64		rounded = (middle + units[i] / 2) / units[i] * units[i];

		if (rounded >= lower && rounded <= upper)
			return rounded;
	}
	return middle;
}

uint64
align_histogram_rank(Histogram *histogram, int64 rank)
{
	HistogramScan scan;
	int			bucket;
	int64		count;

	Assert(rank >= 1 && rank <= histogram->count);

	/* least and most are exact */
	if (rank == 1)
		return histogram->least;
	if (rank == histogram->count)
		return histogram->most;

	align_histogram_scan(&scan, histogram);
	while (align_histogram_next(&scan, &bucket, &count))
	{
		if (rank <= count)
		{
			uint64		rounded = RoundDuration(bucket);

			return Min(Max(rounded, histogram->least), histogram->most);
		}
		rank -= count;
	}
	elog(ERROR, "histogram holds fewer durations than it counts");
}

int64
align_histogram_below(Histogram *histogram, uint64 bound)
{
	HistogramScan scan;
	int			bucket;
	int64		count;
	int64		below = 0;

	/* least and most are exact */
	if (histogram->count == 0 || bound <= histogram->least)
		return 0;
	if (bound > histogram->most)
		return histogram->count;

	align_histogram_scan(&scan, histogram);
	while (align_histogram_next(&scan, &bucket, &count))
	{
		uint64		rounded = RoundDuration(bucket);

		if (Min(Max(rounded, histogram->least), histogram->most) >= bound)
			break;
		below += count;
	}
	return below;
}

uint64
align_histogram_mean(const Histogram *histogram)
{
	uint128		count = histogram->count;

	Assert(count > 0);
	return (uint64) ((histogram->sum + count / 2) / count);
}

void
align_histogram_claim(HistogramClaim *claim)
{
	claim->count = 0;
	claim->first = -1;
	claim->last = -1;
	claim->lower_sum = 0;
	claim->upper_sum = 0;
}

const char *
align_histogram_claim_bucket(HistogramClaim *claim, int bucket, int64 count)
{
	if (bucket < 0 || bucket > align_histogram_bucket(DURATION_MAX))
		return "A bucket lies beyond the longest duration.";
	if (bucket <= claim->last)
		return "Buckets do not ascend.";
	if (count < 1 || count > PG_INT64_MAX - claim->count)
		return "The count of a bucket is out of range.";

	if (claim->first < 0)
		claim->first = bucket;
	claim->last = bucket;
	claim->count += count;
	/* at most 2^63 durations below 2^64: neither sum can overflow */
	claim->lower_sum += (uint128) align_histogram_lower(bucket) * (uint128) count;
	claim->upper_sum += (uint128) HistogramUpper(bucket) * (uint128) count;
	return NULL;
}

const char *
align_histogram_claim_check(const HistogramClaim *claim, uint128 sum, uint64 least, uint64 most)
{
	uint128		lower_sum = claim->lower_sum;
	uint128		upper_sum = claim->upper_sum;

	if (claim->count == 0)
		return "There are times, but no buckets.";
	if (most > DURATION_MAX)
		return "A duration is out of range.";
	if (least > most ||
		align_histogram_bucket(least) != claim->first ||
		align_histogram_bucket(most) != claim->last)
		return "The least or most duration does not fall into the first or last bucket.";

	/*
	 * Narrow the possible sums: one duration is the least, and if there are
	 * several, another one is the most.
	 */
	lower_sum += least - align_histogram_lower(claim->first);
	upper_sum -= HistogramUpper(claim->last) - most;
	if (claim->count > 1)
	{
		lower_sum += most - align_histogram_lower(claim->last);
		upper_sum -= HistogramUpper(claim->first) - least;
	}
	else if (least != most)
		return "The least and the most of a single duration differ.";
	if (sum < lower_sum || sum > upper_sum)
		return "The sum of durations disagrees with their buckets.";
	return NULL;
}

void
align_histogram_absorb(Histogram *histogram, const HistogramClaim *claim,
					   uint128 sum, uint64 least, uint64 most)
{
	if (histogram->count == 0 || least < histogram->least)
		histogram->least = least;
	if (histogram->count == 0 || most > histogram->most)
		histogram->most = most;
	/* no overflow: the caller has checked the sum of all leads */
	histogram->count += claim->count;
	histogram->sum += sum;
}

void
align_histogram_merge(Histogram *histogram, MemoryContext context, Histogram *other)
{
	HistogramScan scan;
	int			bucket;
	int64		count;

	if (other->count == 0)
		return;
	align_histogram_scan(&scan, other);
	while (align_histogram_next(&scan, &bucket, &count))
		align_histogram_fill(histogram, context, bucket, count);
	if (histogram->count == 0 || other->least < histogram->least)
		histogram->least = other->least;
	if (histogram->count == 0 || other->most > histogram->most)
		histogram->most = other->most;
	histogram->count += other->count;
	histogram->sum += other->sum;
}
