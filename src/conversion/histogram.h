/*
 * histogram.h
 *	  A mergeable summary of durations: exact count, sum, least and most, and
 *	  percentiles from a logarithmic histogram.
 *
 * Durations are microseconds, from 0 to the distance of the first and the last
 * timestamp, which needs an unsigned 64-bit integer.
 *
 * Buckets.  Durations below 256 have a bucket each.  Above, every octave (2^e
 * to 2^(e+1) - 1) is divided into HISTOGRAM_WIDTH = 128 buckets of equal
 * width, so a bucket is never wider than 1/128 of its least duration.  A
 * percentile is a round duration in the bucket of the duration that has the
 * rank, limited to the least and the most duration.  So it differs from that
 * duration by less than 1/128 of it, 0.79 %.
 *
 * Bucket numbers are part of the stored and the text form of a conversion, so
 * the mapping must never change within a format version.
 *
 * Memory.  The first HISTOGRAM_LIST_MAX durations are kept as a list of bucket
 * numbers, two bytes each, so that groups of few leads stay small.  Beyond
 * that, counters are allocated one octave at a time.
 */
#ifndef ALIGN_CONVERSION_HISTOGRAM_H
#define ALIGN_CONVERSION_HISTOGRAM_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "port/pg_bitutils.h"
#include "text_scan.h"
#include "wire.h"

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
	uint64		least;			/* undefined while count is 0 */
	uint64		most;
	int			nlisted;		/* durations in list, 0 once counters exist */
	int			list_room;
	uint16	   *list;			/* bucket numbers, unordered */
	int64	  **octaves;		/* NULL while the list suffices; else by
								 * octave NULL or HISTOGRAM_WIDTH counters */
} Histogram;

/*
 * Walks the buckets that are not empty, in ascending order.
 */
typedef struct HistogramScan
{
	const Histogram *histogram;
	int			next;			/* list index or bucket number */
} HistogramScan;

/* The bucket of a duration. */
static inline int
align_histogram_bucket(uint64 duration)
{
	int			shift;

	if (duration < HISTOGRAM_WIDTH)
		return (int) duration;
	shift = pg_leftmost_one_pos64(duration) - HISTOGRAM_WIDTH_BITS;
	return shift * HISTOGRAM_WIDTH + (int) (duration >> shift);
}

/* The least duration of a bucket. */
extern uint64 align_histogram_lower(int bucket);

/* Add to the count of a bucket, but not to count, sum, least and most. */
extern void align_histogram_fill(Histogram *histogram, MemoryContext context,
								 int bucket, int64 count);

/* Make a histogram empty; frees its memory. */
extern void align_histogram_clear(Histogram *histogram);

/* Begin to walk the buckets; sorts the list in place. */
extern void align_histogram_scan(HistogramScan *scan, Histogram *histogram);

/* The next bucket and its count; false at the end. */
extern bool align_histogram_next(HistogramScan *scan, int *bucket, int64 *count);

/* The duration of a rank, from 1 to count. */
extern uint64 align_histogram_rank(Histogram *histogram, int64 rank);

/*
 * Percentiles of a histogram that is not empty, as percentile_disc: the
 * duration of the least rank >= fraction * count.
 */
static inline uint64
align_histogram_median(Histogram *histogram)
{
	return align_histogram_rank(histogram, histogram->count - histogram->count / 2);
}

static inline uint64
align_histogram_p90(Histogram *histogram)
{
	return align_histogram_rank(histogram, histogram->count - histogram->count / 10);
}

/*
 * The number of durations below a bound, as far as the buckets show it: those
 * of a bucket in which the bound lies count as the round duration by which
 * percentiles represent it.
 */
extern int64 align_histogram_below(Histogram *histogram, uint64 bound);

/* sum / count, rounded to the nearest microsecond, halves up; count > 0. */
extern uint64 align_histogram_mean(const Histogram *histogram);

/*
 * A histogram read from untrusted input, checked bucket by bucket and then for
 * the agreement of its buckets, sum, least and most.
 */
typedef struct HistogramClaim
{
	int64		count;			/* of durations so far */
	int			first;			/* bucket, -1 none yet */
	int			last;
	uint128		lower_sum;		/* sum if all durations were as short as their
								 * buckets allow */
	uint128		upper_sum;		/* ... as long as they allow */
} HistogramClaim;

extern void align_histogram_claim(HistogramClaim *claim);

/* Both return NULL, or a sentence about a mistake. */
extern const char *align_histogram_claim_bucket(HistogramClaim *claim, int bucket, int64 count);
extern const char *align_histogram_claim_check(const HistogramClaim *claim, uint128 sum,
											   uint64 least, uint64 most);

/* Add everything of a checked claim but its buckets to a histogram. */
extern void align_histogram_absorb(Histogram *histogram, const HistogramClaim *claim,
								   uint128 sum, uint64 least, uint64 most);

/*
 * Add all durations of another histogram, whose list is sorted in place.  The
 * caller makes sure that the count does not overflow.
 */
extern void align_histogram_merge(Histogram *histogram, MemoryContext context, Histogram *other);

/* histogram_forms.c */
/* Append the stored form; nothing if there are no durations. */
extern void align_histogram_encode(StringInfo out, Histogram *histogram);

/*
 * Read the stored form of "expected" durations, at least one, and add them, if
 * the histogram is not NULL.
 * Malformed bytes are an error, after which the histogram must not be used.
 */
extern void align_histogram_decode(Histogram *histogram, MemoryContext context,
								   WireReader *reader, int64 expected);

/* Append the text form, as in "86400 least 86400 most 86400 in (1234)". */
extern void align_histogram_write(StringInfo out, Histogram *histogram);

/* Read the text form into an empty histogram; false after a soft error. */
extern bool align_histogram_parse(TextScan *scan, Histogram *histogram, MemoryContext context);

extern void align_write_uint128(StringInfo out, uint128 value);

/* Add a duration; memory is allocated in context. */
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

#endif							/* ALIGN_CONVERSION_HISTOGRAM_H */
