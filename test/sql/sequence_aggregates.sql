-- sequence_match, sequence_count and sequence_match_events as aggregates: no rows, NULLs, order, states, plans.
SET search_path = align, public;
SET TimeZone = 'UTC';

-- No rows, one row, NULLs.  A pattern is checked even where no row counts.
SELECT sequence_match('(?1)', now(), true), sequence_count('(?1)', now(), true), sequence_match_events('(?1)', now(), true) WHERE false;
SELECT sequence_match('(?1)', '2026-01-01', true), sequence_count('(?1)', '2026-01-01', true), sequence_match_events('(?1)', '2026-01-01', true);
SELECT sequence_match('(?1)', NULL, true), sequence_count('.', '2026-01-01', NULL), sequence_count('.', '2026-01-01', NULL, true, NULL), sequence_count('(?3)', '2026-01-01', NULL, true, true);
SELECT sequence_match('(?1', NULL, true);
SELECT sequence_match('(?2)', NULL, true);

-- 3,000 groups of 12 events, some simultaneous: c is a set of bits.
CREATE TABLE sequence_event AS
SELECT i % 3000 AS id, timestamptz '2026-01-01' + (hashint4(i) & 15) * interval '10 seconds' AS at, hashint4(i + 1) & 7 AS c
FROM generate_series(1, 36000) i;
ALTER TABLE sequence_event SET (parallel_workers = 2);
ANALYZE sequence_event;
CREATE VIEW sequence_answer AS
SELECT id, sequence_match('(?1)(?2)(?t<=20)(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0) AS matched,
	sequence_count('(?1)(?2).*(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0) AS count,
	sequence_match_events('(?1)(?2)(?t<=20)(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0) AS times
FROM sequence_event GROUP BY id;
SET max_parallel_workers_per_gather = 0;
SET enable_hashagg = off;
CREATE TABLE sequence_sorted AS SELECT * FROM sequence_answer;
SELECT count(*), count(*) FILTER (WHERE matched), sum(count), sum(cardinality(times)) FROM sequence_sorted, sequence_parallel;

-- The same by hashing, in several processes, and where the events come sorted.
SET enable_hashagg = on;
SET enable_sort = off;
SELECT count(*) FROM (TABLE sequence_answer EXCEPT TABLE sequence_sorted) d;
RESET enable_sort;
CREATE VIEW sequence_all AS
SELECT sequence_match('(?1)(?2)(?t>=100)(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0) AS matched,
	sequence_count('(?1)(?2).*(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0) AS count,
	sequence_match_events('(?1)(?2)(?t>=100)(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0) AS times
FROM sequence_event;
CREATE TABLE sequence_parallel AS SELECT * FROM sequence_all;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 1;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT * FROM sequence_all;
SELECT count(*) FROM (TABLE sequence_all EXCEPT TABLE sequence_parallel) d;
SELECT matched, count FROM sequence_parallel;
SET max_parallel_workers_per_gather = 0;
SELECT count(*) FROM (
	SELECT id, sequence_match('(?1)(?2)(?t<=20)(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0),
		sequence_count('(?1)(?2).*(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0),
		sequence_match_events('(?1)(?2)(?t<=20)(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0)
	FROM (SELECT * FROM sequence_event ORDER BY id, at) e GROUP BY id
	EXCEPT TABLE sequence_sorted) d;

-- Partitions, each with a part of each group.
CREATE TABLE sequence_parts (LIKE sequence_event) PARTITION BY RANGE (at);
CREATE TABLE sequence_parts_1 PARTITION OF sequence_parts FOR VALUES FROM (MINVALUE) TO ('2026-01-01 00:01:00');
CREATE TABLE sequence_parts_2 PARTITION OF sequence_parts FOR VALUES FROM ('2026-01-01 00:01:00') TO (MAXVALUE);
INSERT INTO sequence_parts TABLE sequence_event;
ANALYZE sequence_parts;
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT sequence_count('(?1)(?2).*(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0) FROM sequence_parts;
SELECT sequence_count('(?1)(?2).*(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0), sequence_match_events('(?1)(?2).*(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0) FROM sequence_parts;
SELECT sequence_count('(?1)(?2).*(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0), sequence_match_events('(?1)(?2).*(?3)', at, c & 1 > 0, c & 2 > 0, c & 4 > 0) FROM sequence_event;

-- Window frames, FILTER, ORDER BY, DISTINCT.
SELECT i, sequence_count('(?1)(?2)', to_timestamp(i), i % 2 = 1, i % 2 = 0) OVER (ORDER BY i DESC) AS growing,
	sequence_match('(?1)(?2)(?1)', to_timestamp(i), i % 2 = 1, i % 2 = 0) OVER (ORDER BY i ROWS 1 PRECEDING) AS two,
	sequence_match('(?1)(?2)(?1)', to_timestamp(i), i % 2 = 1, i % 2 = 0) OVER (ORDER BY i ROWS 2 PRECEDING) AS three
FROM generate_series(1, 7) i ORDER BY i;
SELECT sequence_count('(?1)(?2)', to_timestamp(i), i % 2 = 1, i % 2 = 0) FILTER (WHERE i <> 3),
	sequence_count('(?1)(?2)', to_timestamp(i), i % 2 = 1, i % 2 = 0 ORDER BY i DESC),
	sequence_count('(?1)', to_timestamp(i / 2), true), sequence_count(DISTINCT '(?1)', to_timestamp(i / 2), true)
FROM generate_series(1, 7) i;

-- Patterns from a table: one for each group, compiled once each.
SELECT pattern, n, count(*) FROM (
	SELECT p.id, pattern, sequence_count(pattern, at, c & 1 > 0, c & 2 > 0, c & 4 > 0) AS n
	FROM sequence_event e, (VALUES (1, '(?1)(?2)'), (2, '(?1).*(?3)'), (3, '..')) p (id, pattern) WHERE e.id < 3 GROUP BY p.id, pattern, e.id) s
GROUP BY pattern, n ORDER BY pattern, n;
SELECT count(*), bool_and(n = 1) FROM (
	SELECT sequence_count(format('(?1)(?t<=%s)(?2)', p), to_timestamp(i), i = 1, i = 2) AS n FROM generate_series(1, 2000) p, generate_series(1, 2) i GROUP BY p) s;
-- more patterns than a call site keeps: hashed, sorted, from workers, in windows; every third fails by a second
CREATE TABLE sequence_pattern AS SELECT p, i, to_timestamp(i * (p + (p % 3 = 0)::int)) AS at FROM generate_series(1, 3000) p, generate_series(0, 19) i;
ALTER TABLE sequence_pattern SET (parallel_workers = 2);
ANALYZE sequence_pattern;
CREATE VIEW sequence_wrong AS SELECT count(*) AS groups, count(*) FILTER (WHERE n <> (p % 3 <> 0)::int) AS wrong FROM (
	SELECT p, sequence_count(format('(?1)(?t<=%s)(?2)', p), at, i = 0, i = 1) AS n FROM sequence_pattern GROUP BY p OFFSET 0) s;
SET max_parallel_workers_per_gather = 0;
SET enable_hashagg = off;
TABLE sequence_wrong;
SET enable_hashagg = on;
SET enable_sort = off;
TABLE sequence_wrong;
SET max_parallel_workers_per_gather = 2;
SET parallel_tuple_cost = 0;
TABLE sequence_wrong;
RESET enable_sort;
SET enable_hashagg = off;
TABLE sequence_wrong;
RESET enable_hashagg;
SELECT count(*) AS groups, count(*) FILTER (WHERE n <> (p % 3 <> 0)::int) AS wrong FROM (
	SELECT p, i, sequence_count(format('(?1)(?t<=%s)(?2)', p), at, i = 0, i = 1) OVER (PARTITION BY p ORDER BY i) AS n FROM sequence_pattern) s WHERE i = 1;
-- a group keeps its pattern
SELECT sequence_count(CASE WHEN i = 2 THEN '(?1)' ELSE '(?2)' END, to_timestamp(i), true, true) FROM generate_series(1, 3) i;

-- Far apart, and to the microsecond.
SELECT sequence_match('(?1)(?t>9223372036854)(?2)', at, n = 1, n = 2), sequence_match('(?1)(?t<=9223372036854.775807)(?2)', at, n = 1, n = 2)
FROM (VALUES (1, timestamptz '4713-01-01 BC'), (2, '294276-12-31')) v (n, at);
SELECT sequence_match('(?1)(?t<0.000002)(?2)', at, n = 1, n = 2), sequence_match('(?1)(?t<0.000001)(?2)', at, n = 1, n = 2)
FROM (VALUES (1, timestamptz '2026-01-01 00:00:00.000001'), (2, '2026-01-01 00:00:00.000002')) v (n, at);

-- An interval in a pattern does not depend on settings.
SET IntervalStyle = 'sql_standard';
SELECT sequence_match('(?1)(?t<"1 day 1:00")(?2)', to_timestamp(i), i = 0, i > 0) FROM generate_series(0, 90000, 90000) i;
SELECT sequence_match('(?1)(?t<="1 day 1:00")(?2)', to_timestamp(i), i = 0, i > 0) FROM generate_series(0, 90000, 90000) i;
RESET IntervalStyle;

DROP VIEW sequence_answer, sequence_all, sequence_wrong;
DROP TABLE sequence_pattern, sequence_event, sequence_parts, sequence_sorted, sequence_parallel;
