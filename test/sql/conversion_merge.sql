-- Merging conversions: exact to the last bit, whatever the order, the grouping and the plan.
SET search_path = align, public;
SET TimeZone = 'UTC';

-- 1,500 journeys with repeated stages, ties, touches and amounts; all made from the seed 77.
CREATE FUNCTION pg_temp.dice(what text, n int) RETURNS bigint LANGUAGE sql IMMUTABLE
	RETURN ('x' || substr(md5('77/' || what || '/' || n), 1, 7))::bit(28)::bigint;
CREATE TABLE journey (lead int, journey lead);
INSERT INTO journey
SELECT lead, lead_agg(timestamptz '2026-01-01 00:00Z' + pg_temp.dice('day', lead) % 90 * interval '1 day' + pg_temp.dice('at', lead * 100 + i) % 4000 * interval '1 hour',
	CASE WHEN pg_temp.dice('touch', lead * 100 + i) % 8 > 0 THEN ('{inquiry,mql,sal,sql,customer,lost}'::text[])[1 + least(5, pg_temp.dice('stage', lead * 100 + i) % 8)] END,
	NULL, NULL, 'c', CASE WHEN pg_temp.dice('has', lead * 100 + i) % 4 = 0
		THEN (pg_temp.dice('amount', lead * 100 + i) - 100000000) * CASE WHEN lead % 100 = 0 THEN 1e15 ELSE 0.001 END END)
FROM generate_series(1, 1500) lead, LATERAL generate_series(1, (1 + pg_temp.dice('length', lead) % 12)::int) i GROUP BY lead;
ANALYZE journey;
CREATE FUNCTION funnel_() RETURNS funnel LANGUAGE sql IMMUTABLE RETURN
	'stage inquiry, mql, sal, sql; won customer; lost lost; success path inquiry -> mql -> sal -> sql -> customer; path any -> lost;'::funnel;

-- One summary per lead, along steps and along a funnel, and of all leads at once.
CREATE TABLE single AS
SELECT lead, conversion_agg(journey, '{inquiry,mql,customer}', '60 days', 'ordered', as_of) AS c,
	funnel_conversion_agg(journey, funnel_(), as_of) AS f
FROM journey, LATERAL (SELECT timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day' AS as_of) a GROUP BY lead;
CREATE TABLE whole AS
SELECT conversion_agg(journey, '{inquiry,mql,customer}', '60 days', 'ordered', timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day') AS c,
	funnel_conversion_agg(journey, funnel_(), timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day') AS f
FROM journey;
SELECT c::text ~ 'as of 2026-05-01T00:00:00Z to 2026-05-07T00:00:00Z' AS spans_as_of FROM whole;
SELECT min(reached) > 10 AS every_step_reached, sum(dropped) > 0 AS some_dropped, sum(still_open) > 0 AS some_open, bool_or(entered < reached) AS some_skip
FROM whole, steps(f);

-- Merged one by one: the same bytes, the same text.
SELECT rollup(s.c) = w.c AND rollup(s.c)::text = w.c::text AS steps, rollup(s.f) = w.f AND rollup(s.f)::text = w.f::text AS funnel
FROM single s, whole w GROUP BY w.c, w.f;

-- In any order.
SELECT count(*) AS shuffles, bool_and(c = (SELECT c FROM whole) AND f = (SELECT f FROM whole)) AS same
FROM (SELECT shuffle, rollup(c ORDER BY md5(shuffle || '/' || lead)) AS c, rollup(f ORDER BY md5(shuffle || '/' || lead)) AS f
	FROM single, generate_series(1, 10) shuffle GROUP BY shuffle) s;

-- Split at random into parts, of parts, of parts.
SELECT count(*) AS splits, bool_and(c = (SELECT c FROM whole) AND f = (SELECT f FROM whole)) AS same FROM (
	SELECT seed, rollup(c) AS c, rollup(f) AS f FROM (
		SELECT seed, p, rollup(c) AS c, rollup(f) AS f FROM (
			SELECT seed, pg_temp.dice('p' || seed, lead) % 3 AS p, pg_temp.dice('q' || seed, lead) % (2 + seed) AS q, rollup(c) AS c, rollup(f) AS f
			FROM single, generate_series(1, 8) seed GROUP BY 1, 2, 3) s GROUP BY seed, p) s GROUP BY seed) s;

-- Commutative and associative, on three parts of very unequal size.
WITH part AS (SELECT CASE WHEN lead = 1 THEN 1 WHEN lead < 30 THEN 2 ELSE 3 END AS p, rollup(f) AS f FROM single GROUP BY 1),
three AS (SELECT (SELECT f FROM part WHERE p = 1) AS a, (SELECT f FROM part WHERE p = 2) AS b, (SELECT f FROM part WHERE p = 3) AS c),
pair AS (SELECT a, b, c, (SELECT rollup(x) FROM unnest(ARRAY[a, b]) x) AS ab, (SELECT rollup(x) FROM unnest(ARRAY[b, a]) x) AS ba,
	(SELECT rollup(x) FROM unnest(ARRAY[b, c]) x) AS bc FROM three)
SELECT ab = ba AS commutative, (SELECT rollup(x) FROM unnest(ARRAY[ab, c]) x) = (SELECT rollup(x) FROM unnest(ARRAY[a, bc]) x) AS associative FROM pair;

-- A summary alone is itself; NULLs do not matter; a summary merged with itself counts twice.
SELECT rollup(c) = (SELECT c FROM whole) AS same FROM (SELECT c FROM whole UNION ALL SELECT NULL UNION ALL SELECT NULL) s;
SELECT bool_and(b.reached = 2 * a.reached AND b.dropped = 2 * a.dropped AND b.amount IS NOT DISTINCT FROM 2 * a.amount AND a.mean_time IS NOT DISTINCT FROM b.mean_time) AS doubled
FROM (SELECT rollup(c) AS two FROM (SELECT c FROM whole UNION ALL SELECT c FROM whole) s) t, whole w, steps(w.c) a JOIN LATERAL steps(two) b USING (step);

-- Text, jsonb and stored copies merge like the originals.
SELECT rollup(c::text::conversion) = (SELECT c FROM whole) AS text, rollup(f::jsonb::conversion) = (SELECT f FROM whole) AS json FROM single;

-- FILTER, DISTINCT and ORDER BY inside the aggregate.
SELECT rollup(c) FILTER (WHERE lead <= 700) = (SELECT rollup(c) FROM single WHERE lead <= 700) AS filter,
	rollup(DISTINCT c) = (SELECT rollup(c) FROM (SELECT DISTINCT c FROM single) s) AS distinct_ FROM single;

-- Parallel: the plan is partial, the answer the same.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE journey SET (parallel_workers = 2);
ALTER TABLE single SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT conversion_agg(journey, '{inquiry,mql,customer}', '60 days', 'ordered', '2026-05-01') FROM journey;
SELECT conversion_agg(journey, '{inquiry,mql,customer}', '60 days', 'ordered', timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day') = (SELECT c FROM whole) AS steps,
	funnel_conversion_agg(journey, funnel_(), timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day') = (SELECT f FROM whole) AS funnel
FROM journey;
SELECT rollup(c) = (SELECT c FROM whole) AS steps, rollup(f) = (SELECT f FROM whole) AS funnel FROM single;
SELECT count(*), bool_and(g.c = s.c) AS same
FROM (SELECT lead % 100 AS g, rollup(c) AS c FROM single GROUP BY 1) g JOIN (SELECT lead % 100 AS g, rollup(c ORDER BY lead) AS c FROM single GROUP BY 1) s USING (g);
RESET max_parallel_workers_per_gather;

-- Partitionwise, hashed, sorted.
CREATE TABLE part (LIKE single) PARTITION BY HASH (lead);
CREATE TABLE part0 PARTITION OF part FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE part1 PARTITION OF part FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE part2 PARTITION OF part FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO part SELECT * FROM single;
ANALYZE part;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT rollup(c) FROM part;
SELECT rollup(c) = (SELECT c FROM whole) AS steps, rollup(f) = (SELECT f FROM whole) AS funnel FROM part;
SET enable_hashagg = off;
CREATE TABLE by_sort AS SELECT lead % 10 AS g, rollup(f) AS f FROM part GROUP BY 1;
RESET enable_hashagg;
SET enable_sort = off;
CREATE TABLE by_hash AS SELECT lead % 10 AS g, rollup(f) AS f FROM part GROUP BY 1;
RESET enable_sort;
SELECT count(*), bool_and(s.f = h.f) AS same FROM by_sort s JOIN by_hash h USING (g);
RESET enable_partitionwise_aggregate;
RESET max_parallel_workers_per_gather;

-- Grouping sets hand one row to several states.
SELECT count(*), bool_and(c = CASE WHEN g IS NULL THEN (SELECT c FROM whole) ELSE (SELECT rollup(c) FROM single WHERE lead % 5 = s.g) END) AS same
FROM (SELECT lead % 5 AS g, rollup(c) AS c FROM single GROUP BY GROUPING SETS ((lead % 5), ())) s;

-- Window frames, growing and sliding.
SELECT bool_and(running = (SELECT rollup(c) FROM single i WHERE i.lead <= s.lead)) AS growing,
	bool_and(sliding = (SELECT rollup(c) FROM single i WHERE i.lead BETWEEN s.lead - 3 AND s.lead + 2)) AS sliding
FROM (SELECT lead, rollup(c) OVER (ORDER BY lead) AS running, rollup(c) OVER (ORDER BY lead ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING) AS sliding
	FROM single WHERE lead <= 102) s WHERE lead <= 100;

-- A result may be used twice and go on into another aggregate.
SELECT c = again AND rollup_ = c AS same FROM (SELECT c, c AS again, (SELECT rollup(x) FROM unnest(ARRAY[c]) x) AS rollup_ FROM (SELECT rollup(c) AS c FROM single OFFSET 0) s) s;
SELECT count(DISTINCT c) AS months, rollup(c) = (SELECT c FROM whole) AS same FROM (SELECT lead % 12 AS m, rollup(c) AS c FROM single GROUP BY 1) s;

-- Memory does not grow with what is merged.  (The first look brings caches of its own.)
CREATE FUNCTION pg_temp.memory() RETURNS bigint LANGUAGE sql VOLATILE RETURN (SELECT sum(used_bytes) FROM pg_backend_memory_contexts);
SELECT rollup(a[1 + i % 100]) IS NOT NULL AS done, max(memory) FILTER (WHERE i > 1) - min(memory) FILTER (WHERE i > 1) < 10000 AS flat
FROM (SELECT i, a, CASE WHEN i = 1 OR i % 20000 = 10000 THEN pg_temp.memory() END AS memory
	FROM generate_series(1, 60000) i, (SELECT array_agg(c) AS a FROM single WHERE lead <= 100) s OFFSET 0) s;
DO $$
DECLARE
	before bigint;
	c conversion;
	f conversion;
	n bigint;
BEGIN
	FOR i IN 1 .. 4000 LOOP
		SELECT w.c::text::conversion, w.f::jsonb::conversion INTO c, f FROM whole w;
		SELECT count(*) INTO n FROM steps(f);
		IF i = 1000 THEN
			before := pg_temp.memory();
		END IF;
	END LOOP;
	IF pg_temp.memory() - before > 100000 THEN
		RAISE 'leak: % bytes in 3,000 rounds', pg_temp.memory() - before;
	END IF;
END $$;

DROP TABLE journey, single, whole, part, by_sort, by_hash;
DROP FUNCTION funnel_();
