/*
 * histogram_forms.c
 *	  The stored and the text form of a histogram, as parts of the forms of
 *	  conversions and processes.
 *
 * Stored form, in the numbers of wire.h:
 *
 *	  number of buckets, each as number of empty buckets before it, and count;
 *	  sum: high, low 64 bits; least and most, as distances from the least
 *	  duration of the first and of the last bucket
 *
 * Text form, in microseconds, with the bucket numbers of histogram.h:
 *
 *	  number "least" number "most" number
 *	  "in" "(" number ["*" number] {"," number ["*" number]} ")"
 */
#include "postgres.h"

#include "conversion/histogram.h"

void
align_histogram_encode(StringInfo out, Histogram *histogram)
{
	HistogramScan scan;
	int			bucket;
	int64		count;
	int			nbuckets = 0;
	int			first = -1;
	int			last = -1;

	if (histogram->count == 0)
		return;

	align_histogram_scan(&scan, histogram);
	while (align_histogram_next(&scan, &bucket, &count))
		nbuckets++;
	align_wire_append_uint(out, nbuckets);

	align_histogram_scan(&scan, histogram);
	while (align_histogram_next(&scan, &bucket, &count))
	{
		align_wire_append_uint(out, bucket - last - 1);
		align_wire_append_uint(out, count);
		if (first < 0)
			first = bucket;
		last = bucket;
	}
	align_wire_append_uint(out, (uint64) (histogram->sum >> 64));
	align_wire_append_uint(out, (uint64) histogram->sum);
	align_wire_append_uint(out, histogram->least - align_histogram_lower(first));
	align_wire_append_uint(out, histogram->most - align_histogram_lower(last));
}

/*
 * Add a stored form to a histogram, or only check it if that is NULL.  The
 * expected count has been checked, and the buckets are filled up to it only,
 * so no bytes make the counters overflow.
 */
void
align_histogram_decode(Histogram *histogram, MemoryContext context, WireReader *reader,
					   int64 expected)
{
	HistogramClaim claim;
	int			nbuckets = align_wire_count(reader, 2, HISTOGRAM_BUCKETS);
	int64		bucket = -1;
	uint128		sum;
	uint64		least;
	uint64		most;
	const char *wrong;

	align_histogram_claim(&claim);
	for (int i = 0; i < nbuckets; i++)
	{
		uint64		gap = align_wire_uint(reader);
		uint64		count = align_wire_uint(reader);

		if (gap >= HISTOGRAM_BUCKETS)
			align_wire_fail(reader, "A bucket lies beyond the longest duration.");
		if (count > PG_INT64_MAX)
			align_wire_fail(reader, "A count is out of range.");
		bucket += (int64) gap + 1;
		wrong = align_histogram_claim_bucket(&claim, (int) bucket, (int64) count);
		if (wrong != NULL)
			align_wire_fail(reader, wrong);
		if (claim.count > expected)
			break;
		if (histogram != NULL)
			align_histogram_fill(histogram, context, (int) bucket, (int64) count);
	}
	if (claim.count != expected)
		align_wire_fail(reader, "The buckets do not add up to the number of times.");

	sum = (uint128) align_wire_uint(reader) << 64;
	sum |= align_wire_uint(reader);
	least = align_wire_uint(reader);
	most = align_wire_uint(reader);
	/* before adding to them, which then cannot overflow */
	if (least > DURATION_MAX || most > DURATION_MAX)
		align_wire_fail(reader, "A duration is out of range.");
	least += align_histogram_lower(claim.first);
	most += align_histogram_lower(claim.last);
	wrong = align_histogram_claim_check(&claim, sum, least, most);
	if (wrong != NULL)
		align_wire_fail(reader, wrong);
	if (histogram != NULL)
		align_histogram_absorb(histogram, &claim, sum, least, most);
}

void
align_write_uint128(StringInfo out, uint128 value)
{
	char		digits[40];
	int			at = sizeof(digits);

	do
	{
		digits[--at] = '0' + (char) (value % 10);
		value /= 10;
	} while (value > 0);
	appendBinaryStringInfo(out, digits + at, sizeof(digits) - at);
}

void
align_histogram_write(StringInfo out, Histogram *histogram)
{
	HistogramScan scan;
	const char *separator = "";
	int			bucket;
	int64		count;

	align_write_uint128(out, histogram->sum);
	appendStringInfo(out, " least " UINT64_FORMAT " most " UINT64_FORMAT " in (",
					 histogram->least, histogram->most);
	align_histogram_scan(&scan, histogram);
	while (align_histogram_next(&scan, &bucket, &count))
	{
		appendStringInfo(out, "%s%d", separator, bucket);
		if (count != 1)
			appendStringInfo(out, "*" INT64_FORMAT, count);
		separator = ", ";
	}
	appendStringInfoChar(out, ')');
}

static bool
ParseUint128(TextScan *scan, const char *what, uint128 *value)
{
	uint128		result = 0;
	const char *p;

	align_scan_space(scan);
	p = scan->cur;
	if (*p < '0' || *p > '9')
		return align_scan_expected(scan, what, NULL);
	for (; *p >= '0' && *p <= '9'; p++)
	{
		/* no sum of durations is so large, and times 10 it still fits */
		if (result >> 124 != 0)
			return align_scan_fail(scan, scan->cur, NULL, NULL, "%s out of range", what);
		result = result * 10 + (*p - '0');
	}
	scan->cur = p;
	*value = result;
	return true;
}

bool
align_histogram_parse(TextScan *scan, Histogram *histogram, MemoryContext context)
{
	HistogramClaim claim;
	const char *at;
	const char *wrong;
	uint128		sum = 0;
	uint64		least;
	uint64		most;

	align_scan_space(scan);
	at = scan->cur;
	if (!ParseUint128(scan, "a sum of durations", &sum) ||
		!align_scan_expect_word(scan, "least") ||
		!align_scan_uint(scan, "a duration", DURATION_MAX, &least) ||
		!align_scan_expect_word(scan, "most") ||
		!align_scan_uint(scan, "a duration", DURATION_MAX, &most) ||
		!align_scan_expect_word(scan, "in") ||
		!align_scan_expect(scan, "("))
		return false;

	/* fill the buckets while checking them; an error discards the result */
	align_histogram_claim(&claim);
	do
	{
		const char *bucket_at;
		uint64		bucket;
		uint64		count = 1;

		align_scan_space(scan);
		bucket_at = scan->cur;
		if (!align_scan_uint(scan, "a bucket", HISTOGRAM_BUCKETS - 1, &bucket))
			return false;
		if (align_scan_take(scan, "*") && !align_scan_uint(scan, "a count", PG_INT64_MAX, &count))
			return false;
		wrong = align_histogram_claim_bucket(&claim, (int) bucket, (int64) count);
		if (wrong != NULL)
			return align_scan_fail(scan, bucket_at, wrong, NULL, "impossible bucket");
		if (histogram != NULL)
			align_histogram_fill(histogram, context, (int) bucket, (int64) count);
	} while (align_scan_take(scan, ","));
	if (!align_scan_expect(scan, ")"))
		return false;

	wrong = align_histogram_claim_check(&claim, sum, least, most);
	if (wrong != NULL)
		return align_scan_fail(scan, at, wrong, NULL, "impossible times");
	align_histogram_absorb(histogram, &claim, sum, least, most);
	return true;
}
