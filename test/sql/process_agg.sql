-- dfg_agg against plain SQL over the raw events, and merging that is exact to the last bit.
SET search_path = align, public;
SET TimeZone = 'UTC';

-- 1,500 leads with repeated stages, loops, ties and touches; all made from the seed 911.
CREATE FUNCTION pg_temp.dice(what text, n int) RETURNS bigint LANGUAGE sql IMMUTABLE
	RETURN ('x' || substr(md5('911/' || what || '/' || n), 1, 7))::bit(28)::bigint;
CREATE TABLE raw AS
SELECT lead, lead * 100 + i AS no, timestamptz '2026-01-01 00:00Z' + pg_temp.dice('day', lead) % 90 * interval '1 day' + pg_temp.dice('at', lead * 100 + i) % 3000 * interval '1 hour'
		+ CASE WHEN lead % 3 = 0 THEN pg_temp.dice('second', lead * 100 + i) % 3600 * interval '1.000001 second' ELSE interval '0' END AS at,
	CASE WHEN pg_temp.dice('touch', lead * 100 + i) % 8 > 0 THEN ('{inquiry,mql,"a -> b",sql,customer,lost,nurture}'::text[])[1 + least(6, pg_temp.dice('stage', lead * 100 + i) % 9)] END AS stage
FROM generate_series(1, 1500) lead, LATERAL generate_series(1, (1 + pg_temp.dice('length', lead) % 15)::int) i;
CREATE TABLE journey AS
SELECT lead, lead_agg(at, stage, NULL, NULL, CASE WHEN stage IS NULL THEN 'c' END, NULL, no, NULL) AS journey FROM raw GROUP BY lead;
ANALYZE journey;
CREATE FUNCTION hours() RETURNS calendar LANGUAGE sql IMMUTABLE RETURN 'Europe/Paris Mo-Fr 09:00-12:30,13:30-18:00; May 01 off'::calendar;
CREATE FUNCTION seen() RETURNS timestamptz LANGUAGE sql IMMUTABLE RETURN timestamptz '2026-04-15 10:30Z';

-- The oracle: visits by window functions over the raw rows up to a time.
CREATE FUNCTION visit(as_of timestamptz) RETURNS TABLE (lead int, no int, stage text, at timestamptz, next_stage text, next_at timestamptz, first boolean)
LANGUAGE sql STABLE AS $$
	SELECT lead, no, stage, at, pg_catalog.lead(stage) OVER w, pg_catalog.lead(at) OVER w, row_number() OVER w = 1
	FROM (SELECT *, lag(stage) OVER (PARTITION BY lead ORDER BY at, no) AS before FROM raw WHERE stage IS NOT NULL AND at <= as_of) r
	WHERE before IS DISTINCT FROM stage
	WINDOW w AS (PARTITION BY lead ORDER BY at, no)
$$;
CREATE FUNCTION near(ours interval, exact interval) RETURNS boolean LANGUAGE sql IMMUTABLE
	RETURN ours IS NOT DISTINCT FROM exact OR abs(extract(epoch FROM ours) - extract(epoch FROM exact)) <= extract(epoch FROM exact) / 128;

CREATE TABLE whole AS
SELECT dfg_agg(journey) AS plain, dfg_agg(journey, hours()) AS working, dfg_agg(journey, hours(), seen()) AS dated FROM journey;

-- Moves.
CREATE TABLE oracle AS
SELECT stage AS from_stage, next_stage AS stage, count(*) AS moves, count(DISTINCT lead) AS leads,
	sum(extract(epoch FROM next_at - at)) AS total, percentile_disc(0.5) WITHIN GROUP (ORDER BY next_at - at) AS median, percentile_disc(0.9) WITHIN GROUP (ORDER BY next_at - at) AS p90,
	sum(extract(epoch FROM working_time(hours(), at, next_at))) AS working, percentile_disc(0.5) WITHIN GROUP (ORDER BY working_time(hours(), at, next_at)) AS working_median
FROM visit('infinity') WHERE next_stage IS NOT NULL GROUP BY 1, 2;
SELECT count(*) AS pairs, bool_and(d.moves = o.moves AND d.leads = o.leads) AS counts, bool_and(total_seconds = total AND total_working_seconds = o.working) AS totals,
	bool_and(extract(epoch FROM mean_time) = round(total / o.moves, 6) AND extract(epoch FROM mean_working_time) = round(o.working / o.moves, 6)) AS means,
	bool_and(near(median_time, median) AND near(p90_time, p90) AND near(median_working_time, working_median)) AS percentiles
FROM whole, dfg(working) d FULL JOIN oracle o USING (from_stage, stage);
SELECT count(*), bool_and(mean_working_time IS NULL AND total_working_seconds IS NULL) AS no_working, sum(total_seconds) = (SELECT sum(total_seconds) FROM whole, dfg(working)) AS same FROM whole, dfg(plain);
SELECT count(*) AS pairs, bool_and(d.moves = o.moves AND d.leads = o.leads AND total_seconds = o.total AND total_working_seconds = o.working) AS same
FROM whole, dfg(dated) d FULL JOIN (SELECT stage AS from_stage, next_stage AS stage, count(*) AS moves, count(DISTINCT lead) AS leads,
		sum(extract(epoch FROM next_at - at)) AS total, sum(extract(epoch FROM working_time(hours(), at, next_at))) AS working
	FROM visit(seen()) WHERE next_stage IS NOT NULL GROUP BY 1, 2) o USING (from_stage, stage);

-- Stages.
SELECT count(*) AS stages, bool_and(d.visits = o.visits AND d.leads = o.leads AND d.starts = o.starts AND d.ends = o.ends) AS counts,
	bool_and(total_seconds IS NOT DISTINCT FROM total AND total_working_seconds IS NOT DISTINCT FROM o.working AND near(median_time, median)) AS times,
	bool_and(total_age_seconds IS NOT DISTINCT FROM age AND total_working_age_seconds IS NOT DISTINCT FROM working_age AND near(p90_age, p90)) AS ages
FROM whole, dfg_stages(dated) d FULL JOIN (SELECT stage, count(*) AS visits, count(DISTINCT lead) AS leads, count(*) FILTER (WHERE first) AS starts, count(*) FILTER (WHERE next_at IS NULL) AS ends,
		sum(extract(epoch FROM next_at - at)) AS total, sum(extract(epoch FROM working_time(hours(), at, next_at))) AS working,
		percentile_disc(0.5) WITHIN GROUP (ORDER BY next_at - at) AS median,
		sum(extract(epoch FROM seen() - at)) FILTER (WHERE next_at IS NULL) AS age, sum(extract(epoch FROM working_time(hours(), at, seen()))) FILTER (WHERE next_at IS NULL) AS working_age,
		percentile_disc(0.9) WITHIN GROUP (ORDER BY seen() - at) FILTER (WHERE next_at IS NULL) AS p90
	FROM visit(seen()) GROUP BY 1) o USING (stage);
SELECT bool_and(total_age_seconds IS NULL) AS no_ages, sum(starts) = sum(ends) AND sum(starts) = (SELECT count(DISTINCT lead) FROM raw WHERE stage IS NOT NULL) AS leads FROM whole, dfg_stages(working);

-- Merged one by one, in any order, in parts of parts.
CREATE TABLE single AS SELECT lead, dfg_agg(journey) AS plain, dfg_agg(journey, hours(), seen()) AS dated FROM journey GROUP BY lead;
SELECT rollup(s.plain) = w.plain AND rollup(s.plain)::text = w.plain::text AS plain, rollup(s.dated) = w.dated AS dated FROM single s, whole w GROUP BY w.plain, w.dated;
SELECT count(*) AS shuffles, bool_and(d = (SELECT dated FROM whole)) AS same
FROM (SELECT rollup(dated ORDER BY md5(shuffle || '/' || lead)) AS d FROM single, generate_series(1, 10) shuffle GROUP BY shuffle) s;
SELECT count(*) AS splits, bool_and(p = (SELECT plain FROM whole) AND d = (SELECT dated FROM whole)) AS same FROM (
	SELECT seed, rollup(plain) AS p, rollup(dated) AS d FROM (
		SELECT seed, pg_temp.dice('q' || seed, lead) % (2 + seed) AS q, rollup(plain) AS plain, rollup(dated) AS dated
		FROM single, generate_series(1, 8) seed GROUP BY 1, 2) s GROUP BY seed) s;
WITH part AS (SELECT CASE WHEN lead = 1 THEN 1 WHEN lead < 30 THEN 2 ELSE 3 END AS p, rollup(dated) AS d FROM single GROUP BY 1),
three AS (SELECT (SELECT d FROM part WHERE p = 1) AS a, (SELECT d FROM part WHERE p = 2) AS b, (SELECT d FROM part WHERE p = 3) AS c),
pair AS (SELECT a, b, c, (SELECT rollup(x) FROM unnest(ARRAY[a, b]) x) AS ab, (SELECT rollup(x) FROM unnest(ARRAY[b, a]) x) AS ba,
	(SELECT rollup(x) FROM unnest(ARRAY[b, c]) x) AS bc FROM three)
SELECT ab = ba AS commutative, (SELECT rollup(x) FROM unnest(ARRAY[ab, c]) x) = (SELECT rollup(x) FROM unnest(ARRAY[a, bc]) x) AS associative FROM pair;
SELECT bool_and(b.moves = 2 * a.moves AND b.leads = 2 * a.leads AND b.total_seconds = 2 * a.total_seconds AND b.mean_time = a.mean_time AND b.median_time = a.median_time) AS doubled
FROM (SELECT rollup(plain) AS two FROM (SELECT plain FROM whole UNION ALL SELECT plain FROM whole UNION ALL SELECT NULL) s) t, whole w, dfg(w.plain) a JOIN LATERAL dfg(two) b USING (from_stage, stage);
SELECT rollup(dated::text::process) = (SELECT dated FROM whole) AS text FROM single;
SELECT rollup(dated) FILTER (WHERE lead <= 700) = (SELECT rollup(dated) FROM single WHERE lead <= 700) AS filter FROM single;

-- The order of rows does not matter.
SELECT count(*), bool_and(d = (SELECT dated FROM whole)) AS same
FROM (SELECT dfg_agg(journey, hours(), seen() ORDER BY md5(shuffle || '/' || lead)) AS d FROM journey, generate_series(1, 5) shuffle GROUP BY shuffle) s;

-- No rows, NULLs, one row, leads without a stage or before as_of.
SELECT dfg_agg(journey) IS NULL AS none, dfg_agg(journey, hours(), seen()) IS NULL AS none_dated, rollup(NULL::process) IS NULL AS nothing FROM journey WHERE false;
SELECT dfg_agg(NULL::lead) IS NULL AS nulls, dfg_agg(NULL::lead, NULL, NULL) IS NULL AS all_null FROM journey;
SELECT dfg_agg(l::lead) FROM (VALUES ('{2026-01-01T00:00:00Z mql}'), (NULL)) v(l);
SELECT dfg_agg(l::lead, NULL, '2026-01-02 00:00Z') FROM (VALUES ('{2026-01-01T00:00:00Z mql, 2026-01-02T00:00:00Z sal, 2026-01-02T00:00:01Z customer}'), ('{2026-01-03T00:00:00Z mql}'), ('{2026-01-01T00:00:00Z ~ "utm_source=x"}')) v(l);
SELECT dfg_agg(l::lead) IS NULL AS touches_only FROM (VALUES ('{2026-01-01T00:00:00Z ~ "utm_source=x"}')) v(l);
SELECT dfg_agg(journey, NULL) = dfg_agg(journey) AS no_calendar FROM journey;
SELECT count(*) FROM dfg(NULL);
SELECT count(*) AS moves FROM dfg('{leads 1, stage mql leads 1 starts 1 ends 1}');

-- Arguments that cannot be.
SELECT dfg_agg(journey, hours(), NULL) FROM journey;
SELECT dfg_agg(journey, hours(), 'infinity') FROM journey;
SELECT dfg_agg(journey, CASE WHEN lead = 7 THEN '24/7' ELSE 'Mo-Fr 09:00-17:00' END::calendar ORDER BY lead) FROM journey;
SELECT dfg_agg(journey, CASE WHEN lead <> 7 THEN hours() END ORDER BY lead) FROM journey;
SELECT rollup(p) FROM (SELECT plain AS p FROM whole UNION ALL SELECT working FROM whole) s;
SELECT rollup(p) FROM (SELECT dfg_agg(journey, NULL, seen()) AS p FROM journey UNION ALL SELECT plain FROM whole) s;

-- Groups with calendars of their own, hashed and sorted.
CREATE TABLE hours_of AS SELECT g, ('Mo-Fr 09:00-1' || 3 + g || ':00')::calendar AS c FROM generate_series(0, 4) g;
SET enable_sort = off;
CREATE TABLE by_hash AS SELECT g, dfg_agg(journey, c) AS d FROM journey JOIN hours_of ON g = lead % 5 GROUP BY g;
RESET enable_sort;
SET enable_hashagg = off;
CREATE TABLE by_sort AS SELECT g, dfg_agg(journey, c) AS d FROM journey JOIN hours_of ON g = lead % 5 GROUP BY g;
RESET enable_hashagg;
SELECT count(*), bool_and(h.d = s.d) AS same, bool_and(h.d = (SELECT dfg_agg(journey, c) FROM journey WHERE lead % 5 = o.g)) AS alone FROM by_hash h JOIN by_sort s USING (g) JOIN hours_of o USING (g);

-- Parallel: the plan is partial, the answer the same.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE journey SET (parallel_workers = 2);
ALTER TABLE single SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT dfg_agg(journey) FROM journey;
SELECT dfg_agg(journey) = (SELECT plain FROM whole) AS plain, dfg_agg(journey, hours(), seen()) = (SELECT dated FROM whole) AS dated FROM journey;
SELECT rollup(dated) = (SELECT dated FROM whole) AS rollup FROM single;
SELECT count(*), bool_and(g.d = s.d) AS same
FROM (SELECT lead % 100 AS g, rollup(dated) AS d FROM single GROUP BY 1) g JOIN (SELECT lead % 100 AS g, rollup(dated ORDER BY lead) AS d FROM single GROUP BY 1) s USING (g);

-- Partitionwise.
CREATE TABLE part (LIKE journey) PARTITION BY HASH (lead);
CREATE TABLE part0 PARTITION OF part FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE part1 PARTITION OF part FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE part2 PARTITION OF part FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO part SELECT * FROM journey;
ANALYZE part;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT dfg_agg(journey) FROM part;
SELECT dfg_agg(journey) = (SELECT plain FROM whole) AS plain, dfg_agg(journey, hours(), seen()) = (SELECT dated FROM whole) AS dated FROM part;
RESET enable_partitionwise_aggregate;
RESET max_parallel_workers_per_gather;

-- Grouping sets hand one row to several states; window frames, growing and sliding.
SELECT count(*), bool_and(d = CASE WHEN g IS NULL THEN (SELECT plain FROM whole) ELSE (SELECT rollup(plain) FROM single WHERE lead % 5 = s.g) END) AS same
FROM (SELECT lead % 5 AS g, dfg_agg(journey) AS d FROM journey GROUP BY GROUPING SETS ((lead % 5), ())) s;
SELECT bool_and(running = (SELECT rollup(dated) FROM single i WHERE i.lead <= s.lead)) AS growing,
	bool_and(sliding = (SELECT rollup(dated) FROM single i WHERE i.lead BETWEEN s.lead - 3 AND s.lead + 2)) AS sliding
FROM (SELECT lead, dfg_agg(journey, hours(), seen()) OVER (ORDER BY lead) AS running,
		dfg_agg(journey, hours(), seen()) OVER (ORDER BY lead ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING) AS sliding
	FROM journey WHERE lead <= 102) s WHERE lead <= 100;

-- Memory does not grow with what is merged, once each list of durations has become counters.
CREATE FUNCTION pg_temp.memory() RETURNS bigint LANGUAGE sql VOLATILE RETURN (SELECT sum(used_bytes) FROM pg_backend_memory_contexts);
-- its plan is kept (by PostgreSQL 18)
SELECT count(pg_temp.memory()) FROM generate_series(1, 3);
SELECT rollup(a[1 + i % 100]) IS NOT NULL AS done, max(memory) - min(memory) < 10000 AS flat
FROM (SELECT i, a, CASE WHEN i % 10000 = 9999 AND i > 20000 THEN pg_temp.memory() END AS memory
	FROM generate_series(1, 50000) i, (SELECT array_agg(dated) AS a FROM single WHERE lead <= 100) s OFFSET 0) s;
SELECT dfg_agg(a[1 + i % 100], hours()) IS NOT NULL AS done, max(memory) - min(memory) < 10000 AS flat
FROM (SELECT i, a, CASE WHEN i % 10000 = 9999 AND i > 20000 THEN pg_temp.memory() END AS memory
	FROM generate_series(1, 50000) i, (SELECT array_agg(journey) AS a FROM journey WHERE lead <= 100) s OFFSET 0) s;

-- Time is linear in the moves, the pairs of stages and the groups: quadratic, each of these takes minutes.
BEGIN;
SET LOCAL statement_timeout = '30s';
SET LOCAL work_mem = '256MB';
SELECT count(*) FROM (SELECT dfg_agg(journey) AS d FROM journey, generate_series(1, 15) i GROUP BY i, lead) s;
SELECT sum(moves) AS moves, count(*) AS pairs FROM (SELECT dfg_agg(l) AS d FROM (SELECT lead_agg(timestamptz '2026-01-01Z' + i * interval '1 second', (i * i % 50021 % 20000)::text) AS l FROM generate_series(1, 300000::bigint) i) s) s, dfg(d);
SELECT count(*) AS pairs FROM (SELECT rollup(d) AS d FROM (SELECT dfg_agg(lead_agg) AS d FROM (SELECT i % 20000 AS g, lead_agg(timestamptz '2026-01-01Z' + i * interval '1 second', (i % 20000 + i / 20000)::text) FROM generate_series(1, 99999::bigint) i GROUP BY 1) s GROUP BY g) s) s, dfg(d);
COMMIT;

DROP TABLE raw, journey, whole, oracle, single, hours_of, by_hash, by_sort, part;
DROP FUNCTION hours(), seen(), visit, near;
