/*
 * histogram.h
 *	  A mergeable summary of durations: exact count, sum, least and most, and
 *	  percentiles from a logarithmic histogram.
 *
 * Durations are microseconds, from 0 to the distance between the first and the
 * last timestamp there is, which takes 64 bits without a sign.
 *
 * Buckets.  Durations below 256 have a bucket each.  Above, every octave
 * (2^e to 2^(e+1) - 1) is cut into HISTOGRAM_WIDTH = 128 buckets of equal width,
 * so a bucket is never wider than 1/128 of its least duration.  A percentile is
 * told as a round duration from the bucket of the one that really has that rank,
 * never below the least or above the most seen, and so differs from it by less
 * than 1/128 of it, 0.79 %.
 *
 * Bucket numbers are part of the stored and the text form of a conversion:
 * the mapping can never change within a format version.
 *
 * Memory.  The first HISTOGRAM_LIST_MAX durations are kept as a plain list of
 * bucket numbers, two bytes each: many groups of few leads stay small.  After
 * that, counters are allocated an octave at a time, as octaves are met, and
 * adding one is a handful of instructions.
 */
#ifndef ALIGN_HISTOGRAM_H
#define ALIGN_HISTOGRAM_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "port/pg_bitutils.h"

#ifndef HAVE_INT128
#error "align needs a compiler with 128-bit integers"
#endif

#define HISTOGRAM_WIDTH_BITS 7
#define HISTOGRAM_WIDTH (1 << HISTOGRAM_WIDTH_BITS)
#define HISTOGRAM_OCTAVES (64 - HISTOGRAM_WIDTH_BITS + 1)
#define HISTOGRAM_BUCKETS (HISTOGRAM_OCTAVES * HISTOGRAM_WIDTH)
#define HISTOGRAM_LIST_MAX 128

/* The longest duration between two timestamps. */
#define DURATION_MAX ((uint64) END_TIMESTAMP - (uint64) MIN_TIMESTAMP - 1)

typedef struct Histogram
{
	int64		count;			/* of durations */
	uint128		sum;
	uint64		least;			/* these two only if count > 0 */
	uint64		most;
	int			nlisted;		/* durations in list; once counters exist, 0 */
	int			list_room;
	uint16	   *list;			/* bucket numbers, in no order */
	int64	  **octaves;		/* NULL while the list suffices; then by octave,
								 * each NULL or HISTOGRAM_WIDTH counters */
} Histogram;

/*
 * Walks the buckets that hold something, in ascending order.
 */
typedef struct HistogramScan
{
	const Histogram *histogram;
	int			next;			/* list index or bucket number */
} HistogramScan;

static inline int
align_histogram_bucket(uint64 duration)
{
	int			shift;

	if (duration < HISTOGRAM_WIDTH)
		return (int) duration;
	shift = pg_leftmost_one_pos64(duration) - HISTOGRAM_WIDTH_BITS;
	return shift * HISTOGRAM_WIDTH + (int) (duration >> shift);
}

/* The least and the most duration that falls into a bucket. */
extern uint64 align_histogram_lower(int bucket);
extern uint64 align_histogram_upper(int bucket);

/* Add to one bucket's count, leaving count, sum, least and most alone. */
extern void align_histogram_fill(Histogram *histogram, MemoryContext context,
								 int bucket, int64 count);

/* Sorts the list, if there is one. */
extern void align_histogram_scan(HistogramScan *scan, Histogram *histogram);
extern bool align_histogram_next(HistogramScan *scan, int *bucket, int64 *count);

/* The duration of a rank, from 1 to count. */
extern uint64 align_histogram_rank(Histogram *histogram, int64 rank);

/* sum / count, to the nearest microsecond, halves up. */
extern uint64 align_histogram_mean(const Histogram *histogram);

/*
 * What someone else claims about a histogram, gathered bucket by bucket, and
 * the check that the claims agree with each other.
 */
typedef struct HistogramClaim
{
	int64		count;			/* so far */
	int			first;			/* bucket, -1 none yet */
	int			last;
	uint128		lower_sum;		/* if every duration were its bucket's least */
	uint128		upper_sum;		/* ... and most */
} HistogramClaim;

extern void align_histogram_claim(HistogramClaim *claim);
/* Both return NULL, or a sentence about what is wrong. */
extern const char *align_histogram_claim_bucket(HistogramClaim *claim, int bucket, int64 count);
extern const char *align_histogram_claim_check(const HistogramClaim *claim, uint128 sum,
											   uint64 least, uint64 most);
/* Add what was claimed, except the buckets. */
extern void align_histogram_absorb(Histogram *histogram, const HistogramClaim *claim,
								   uint128 sum, uint64 least, uint64 most);

static inline void
align_histogram_add(Histogram *histogram, MemoryContext context, uint64 duration)
{
	int			bucket = align_histogram_bucket(duration);
	int64	   *octave;

	if (histogram->count == 0 || duration < histogram->least)
		histogram->least = duration;
	if (histogram->count == 0 || duration > histogram->most)
		histogram->most = duration;
	histogram->count++;
	histogram->sum += duration;

	if (likely(histogram->octaves != NULL &&
			   (octave = histogram->octaves[bucket / HISTOGRAM_WIDTH]) != NULL))
		octave[bucket % HISTOGRAM_WIDTH]++;
	else
		align_histogram_fill(histogram, context, bucket, 1);
}

#endif							/* ALIGN_HISTOGRAM_H */
