-- incidence_agg and rollup: which rows count, what is refused, and merging: exact to the
-- last bit, whatever the order, the grouping and the plan.
SET search_path = public, align;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';

-- Rows without left_after are ignored; an outcome of NULL is open.
SELECT incidence_agg(left_after, outcome) FROM (VALUES (interval '1 day', 'won'), (NULL, 'won'), ('36:00', NULL), ('0', 'won'), (NULL, NULL)) v(left_after, outcome);
SELECT incidence_agg(NULL, 'won') AS all_null, incidence_agg(NULL, NULL, NULL) AS late_null FROM generate_series(1, 3);
SELECT incidence_agg(interval '1 day', 'won') FROM generate_series(1, 0);
SELECT incidence_agg(interval '1 day 2:00', 'won'), incidence_agg(interval '-1 day', '26 hours', NULL);
-- Under observation from the origin: NULL, zero, negative.  A case that leaves when
-- it comes under observation late was never at risk; at the origin it was.
SELECT incidence_agg(entered, left_after, outcome) FROM (VALUES (NULL::interval, interval '3 days', 'won'), ('0', '4 days', 'won'), ('-2 days', '5 days', NULL), ('1 day', '6 days', 'won'),
	('7 days', '7 days', 'won'), ('24:00', '1 day', NULL), ('0', '0', 'lost'), (NULL, '0', 'lost'), ('1 day', NULL, 'won')) v(entered, left_after, outcome);

-- What is refused.
SELECT incidence_agg(interval '-1 second', 'won');
SELECT incidence_agg(interval '1 month', 'won');
SELECT incidence_agg(interval '1 year -11 months', interval '40 days', 'won');
SELECT incidence_agg(interval '2 days', interval '1 day', 'won');
SELECT incidence_agg(interval '178000000 years', 'won');
SELECT incidence_agg(interval '2000000000 days', 'won');
SELECT incidence_agg(interval '1 day', repeat('x', 1025));
SELECT incidence_agg(interval '1 day', 'o' || n) FROM generate_series(1, 65) n;
SELECT rollup(i::incidence) FROM (VALUES ('{in days, open (1*9223372036854775807)}'), ('{in days, open (2)}')) v(i);
SELECT incidence_agg_trans(NULL::incidence, interval '1 day', 'won');

-- 3,000 cases with ties, late entries and four outcomes; made from the seed 77.
CREATE FUNCTION pg_temp.dice(what text, n int) RETURNS int LANGUAGE sql IMMUTABLE
	RETURN ('x' || substr(md5('77/' || what || '/' || n), 1, 7))::bit(28)::int;
CREATE TABLE cases AS
SELECT n, CASE pg_temp.dice('late', n) % 4 WHEN 0 THEN d * interval '1 hour' WHEN 1 THEN '0' END AS entered,
	(d + pg_temp.dice('left', n) % 200) * interval '1 hour' + CASE pg_temp.dice('odd', n) % 9 WHEN 0 THEN interval '1 microsecond' ELSE '0' END AS left_after,
	('{won,lost,"no answer",gone,NULL,NULL}'::text[])[1 + pg_temp.dice('outcome', n) % 6] AS outcome
FROM (SELECT n, pg_temp.dice('entered', n) % 50 AS d FROM generate_series(1, 3000) n) s;
ANALYZE cases;
CREATE TABLE single AS SELECT n, incidence_agg(entered, left_after, outcome) AS i FROM cases GROUP BY n;
CREATE TABLE whole AS SELECT incidence_agg(entered, left_after, outcome) AS i FROM cases;

-- It counts what plain SQL counts.
SELECT o.outcome, o.cases = c.n AS cases, o.first_after = c.least AS first_, o.last_after = c.most AS last_
FROM whole, outcomes(i) o LEFT JOIN LATERAL (SELECT count(*) AS n, min(left_after) AS least, max(left_after) AS most FROM cases
	WHERE outcome IS NOT DISTINCT FROM o.outcome AND NOT coalesce(entered > '0' AND entered = left_after, false)) c ON true;
SELECT count(*) > 100 AS some, count(*) FILTER (WHERE c.at_risk <> (SELECT count(*) FROM cases x WHERE coalesce(x.entered < c.after, true) AND x.left_after >= c.after
	OR x.left_after = '0' AND c.after = '0')) AS wrong FROM whole, curve(i, 'won') c;

-- Merged one by one: the same bytes, the same text; in any order; in parts of parts.
SELECT rollup(s.i) = w.i AND rollup(s.i)::text = w.i::text AS same FROM single s, whole w GROUP BY w.i;
SELECT count(*) AS shuffles, bool_and(i = (SELECT i FROM whole) AND j = (SELECT i FROM whole)) AS same
FROM (SELECT shuffle, rollup(s.i ORDER BY md5(shuffle || '/' || n)) AS i, incidence_agg(entered, left_after, outcome ORDER BY md5(shuffle || '/' || n)) AS j
	FROM single s JOIN cases USING (n), generate_series(1, 10) shuffle GROUP BY shuffle) s;
SELECT count(*) AS splits, bool_and(i = (SELECT i FROM whole)) AS same FROM (
	SELECT seed, rollup(i) AS i FROM (
		SELECT seed, p, rollup(i) AS i FROM (
			SELECT seed, pg_temp.dice('p' || seed, n) % 3 AS p, pg_temp.dice('q' || seed, n) % (2 + seed) AS q, rollup(i) AS i
			FROM single, generate_series(1, 8) seed GROUP BY 1, 2, 3) s GROUP BY seed, p) s GROUP BY seed) s;

-- A summary alone is itself; NULLs do not matter; merged with itself it counts twice.
SELECT rollup(i) = (SELECT i FROM whole) AS same FROM (SELECT i FROM whole UNION ALL SELECT NULL UNION ALL SELECT NULL) s;
SELECT bool_and(b.events = 2 * a.events AND b.at_risk = 2 * a.at_risk AND abs(b.probability - a.probability) < 1e-12) AS doubled
FROM (SELECT rollup(i) AS two FROM (SELECT i FROM whole UNION ALL SELECT i FROM whole) s) t, whole w, curve(w.i, 'won') a JOIN LATERAL curve(two, 'won') b USING (after);

-- Text and stored copies merge like the originals; DISTINCT and FILTER inside the aggregate.
SELECT rollup(i::text::incidence) = (SELECT i FROM whole) AS text FROM single;
SELECT rollup(i) FILTER (WHERE n <= 700) = (SELECT rollup(i) FROM single WHERE n <= 700) AS filter,
	rollup(DISTINCT i) = (SELECT rollup(i) FROM (SELECT DISTINCT i FROM single) s) AS distinct_ FROM single;

-- Many groups, hashed and sorted, and more than work_mem holds.
SET enable_sort = off;
CREATE TABLE hashed AS SELECT n % 500 AS g, incidence_agg(entered, left_after, outcome) AS i FROM cases GROUP BY 1;
RESET enable_sort;
SET enable_hashagg = off;
CREATE TABLE sorted AS SELECT n % 500 AS g, incidence_agg(entered, left_after, outcome) AS i FROM cases GROUP BY 1;
RESET enable_hashagg;
SELECT count(*), bool_and(h.i = s.i) AS same, (SELECT rollup(i) FROM hashed) = (SELECT i FROM whole) AS whole FROM hashed h JOIN sorted s USING (g);
SET work_mem = '64kB';
SELECT count(*), bool_and(h.i = s.i) AS same FROM (SELECT n % 500 AS g, incidence_agg(entered, left_after, outcome) AS i FROM cases GROUP BY 1) h JOIN sorted s USING (g);
RESET work_mem;

-- Parallel: the plan is partial, the answer the same.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE cases SET (parallel_workers = 2);
ALTER TABLE single SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT incidence_agg(entered, left_after, outcome) FROM cases;
SELECT incidence_agg(entered, left_after, outcome) = (SELECT i FROM whole) AS same FROM cases;
SELECT rollup(i) = (SELECT i FROM whole) AS same FROM single;
SELECT count(*), bool_and(h.i = s.i) AS same FROM (SELECT n % 500 AS g, incidence_agg(entered, left_after, outcome) AS i FROM cases GROUP BY 1) h JOIN sorted s USING (g);
RESET max_parallel_workers_per_gather;

-- Partitionwise.
CREATE TABLE parted (LIKE cases) PARTITION BY HASH (n);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT * FROM cases;
SET enable_partitionwise_aggregate = on;
CREATE FUNCTION pg_temp.partial_aggregates(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	line text; n bigint := 0;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP n := n + (line LIKE '%Partial Aggregate%')::int; END LOOP;
	RETURN n;
END $$;
SELECT pg_temp.partial_aggregates('SELECT incidence_agg(entered, left_after, outcome) FROM parted');
SELECT incidence_agg(entered, left_after, outcome) = (SELECT i FROM whole) AS same FROM parted;

-- Window frames: the state goes on after a result was read from it.
SELECT count(*), bool_and(w.i = (SELECT incidence_agg(entered, left_after, outcome) FROM cases c WHERE c.n <= w.n)) AS same
FROM (SELECT n, incidence_agg(entered, left_after, outcome) OVER (ORDER BY n) AS i FROM cases WHERE n <= 150) w;
SELECT count(*), bool_and(w.i IS NOT DISTINCT FROM (SELECT rollup(i) FROM single c WHERE c.n BETWEEN w.n - 2 AND w.n + 1 AND c.n <= 100)) AS same
FROM (SELECT n, rollup(i) OVER (ORDER BY n ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS i FROM single WHERE n <= 100) w;
-- a function of the state, and the state itself, in one row
SELECT (happened_by(incidence_agg(entered, left_after, outcome), 'won', '5 days')).at_risk > 0 AS read, incidence_agg(entered, left_after, outcome) = (SELECT i FROM whole) AS same FROM cases;
DROP TABLE cases, single, whole, hashed, sorted, parted;
