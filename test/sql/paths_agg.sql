-- paths_agg and rollup: what they count, and merging, exact to the last bit whatever
-- the order, the grouping and the plan.
SET search_path = align, public;

-- A lead that is open is in no path; a path that is NULL is empty; a value is that of
-- a conversion.
SELECT paths_agg(path, converted, value) FROM (VALUES (ARRAY['a', 'b'], true, 10.50), (ARRAY['a', 'b'], true, NULL), (ARRAY['a', 'b'], false, 99), (ARRAY['c'], NULL, 5),
	(NULL, true, 7), ('{}', true, 1), ('{NULL,NULL}', false, NULL), (ARRAY['a', NULL, 'b'], false, NULL)) AS t (path, converted, value);
SELECT paths_agg(path, conversions, value, nulls) FROM (VALUES (ARRAY['a', 'b'], 3, 10.5, 2), (ARRAY['a', 'b'], NULL, NULL, 1), (ARRAY['d'], 0, 0, 0), (ARRAY['c'], 0, 0.00, 1), (NULL, 1, NULL, NULL), (ARRAY['e'], NULL, NULL, NULL)) AS t (path, conversions, value, nulls);
SELECT paths_agg(ARRAY['x'], NULL, 1) IS NULL AS open, paths_agg('{x}', 0, NULL, 0) IS NULL AS nothing, rollup(NULL::paths) IS NULL AS all_null;
SELECT paths_agg(ARRAY['x'], true, 1) AS none, paths_agg(ARRAY['x'], 1, 1, 1) AS none, rollup('{a nulls 1}'::paths) AS none WHERE false;
-- array_agg of touches goes straight in; so does varchar
SELECT paths_agg(path, won, NULL) FROM (SELECT lead, bool_or(won) AS won, array_agg(channel ORDER BY touch) FILTER (WHERE touch > 0) AS path
	FROM (VALUES (1, 1, 'a', true), (1, 2, 'b', true), (2, 0, NULL, true), (3, 1, 'a', false)) t (lead, touch, channel, won) GROUP BY lead) l;
SELECT paths_agg(ARRAY['a', 'b']::varchar[], true, 1);

-- 3,000 leads with few and with many paths; values with many digits.
CREATE TABLE one AS
SELECT i, ARRAY(SELECT (ARRAY['Direct', 'Email', 'Paid Search', 'Social', 'Ü'])[1 + (h & 255) * 5 / 256] || CASE WHEN i % 4 = 0 THEN (h & 7)::text ELSE '' END
		FROM (SELECT hashint4extended(i * 50 + j, 1) AS h FROM generate_series(1, (hashint4extended(i, 2) & 7)::int) j) s) AS path,
	CASE hashint4extended(i, 3) & 7 WHEN 0 THEN NULL WHEN 1 THEN true WHEN 2 THEN true ELSE false END AS converted,
	CASE WHEN hashint4extended(i, 4) & 3 > 0 THEN (hashint4extended(i, 5) % 1000000) * CASE WHEN i % 50 = 0 THEN 1e20 WHEN i % 50 = 1 THEN 1e-12 ELSE 0.001 END END AS value
FROM generate_series(1, 3000) i;
CREATE TABLE whole AS SELECT paths_agg(path, converted, value) AS p FROM one;
-- They are what plain SQL counts.
SELECT count(*) AS paths, count(*) FILTER (WHERE (p.conversions, p.nulls, p.value) IS DISTINCT FROM (o.conversions, o.nulls, o.value)) AS wrong, count(p.value) > 300 AS values, bool_or(scale(p.value) = 12) AS digits
FROM (SELECT p.* FROM whole, path_counts(p) p) p FULL JOIN (SELECT path, count(*) FILTER (WHERE converted) AS conversions, count(*) FILTER (WHERE NOT converted) AS nulls, sum(value) FILTER (WHERE converted) AS value
	FROM one WHERE converted IS NOT NULL GROUP BY path) o USING (path);
SELECT w.p = (SELECT paths_agg(path, conversions, value, nulls) FROM path_counts(w.p)) AS by_counts FROM whole w;

-- Merged one by one, and in any order: the same bytes.
CREATE TABLE single AS SELECT i, paths_agg(path, converted, value) AS p FROM one GROUP BY i;
SELECT rollup(s.p) = w.p AS same, rollup(s.p)::text = w.p::text AS same_text FROM single s, whole w GROUP BY w.p;
SELECT count(*) AS shuffles, bool_and(p = (SELECT p FROM whole) AND r = (SELECT p FROM whole)) AS same
FROM (SELECT shuffle, paths_agg(path, converted, value ORDER BY hashint4extended(i, shuffle)) AS p, rollup(p ORDER BY hashint4extended(i, shuffle + 100)) AS r FROM one JOIN single USING (i), generate_series(1, 10) shuffle GROUP BY shuffle) s;
-- Split at random into parts, of parts, of parts.
SELECT count(*) AS splits, bool_and(p = (SELECT p FROM whole)) AS same FROM (
	SELECT seed, rollup(p) AS p FROM (
		SELECT seed, a, rollup(p) AS p FROM (
			SELECT seed, hashint4extended(i, seed) & 3 AS a, hashint4extended(i, seed + 50) & (seed * 4 - 1) AS b, rollup(p) AS p
			FROM single, generate_series(1, 8) seed GROUP BY 1, 2, 3) s GROUP BY seed, a) s GROUP BY seed) s;
WITH three AS (SELECT (SELECT rollup(p) FROM single WHERE i = 2) AS a, (SELECT rollup(p) FROM single WHERE i < 30) AS b, (SELECT rollup(p) FROM single WHERE i >= 30) AS c),
pair AS (SELECT a, b, c, (SELECT rollup(x) FROM unnest(ARRAY[a, b]) x) AS ab, (SELECT rollup(x) FROM unnest(ARRAY[b, a]) x) AS ba, (SELECT rollup(x) FROM unnest(ARRAY[b, c]) x) AS bc FROM three)
SELECT ab = ba AS commutative, (SELECT rollup(x) FROM unnest(ARRAY[ab, c]) x) = (SELECT rollup(x) FROM unnest(ARRAY[a, bc]) x) AS associative FROM pair;
SELECT rollup(p) = (SELECT p FROM whole) AS same FROM (SELECT p FROM whole UNION ALL SELECT NULL UNION ALL SELECT NULL) s;
SELECT bool_and(b.conversions = 2 * a.conversions AND b.nulls = 2 * a.nulls AND b.value IS NOT DISTINCT FROM 2 * a.value) AS doubled
FROM (SELECT rollup(p) AS two FROM (SELECT p FROM whole UNION ALL SELECT p FROM whole) s) t, whole w, path_counts(w.p) a JOIN LATERAL path_counts(two) b USING (path);
-- What is computed of the merged parts is equal to the last bit.
SELECT bool_and(m.r = w.r) AS markov, bool_and(m.s = w.s) AS shapley FROM
	(SELECT array_agg(m ORDER BY m.channel)::text AS r, (SELECT array_agg(s ORDER BY s.channel)::text FROM whole, shapley(p) s) AS s FROM whole, markov(p, 2) m) w,
	(SELECT shuffle, (SELECT array_agg(m ORDER BY m.channel)::text FROM markov(p, 2) m) AS r, (SELECT array_agg(s ORDER BY s.channel)::text FROM shapley(p) s) AS s
	 FROM (SELECT shuffle, rollup(p ORDER BY hashint4extended(i, shuffle)) AS p FROM single, generate_series(1, 3) shuffle GROUP BY shuffle OFFSET 0) x) m;

-- FILTER, DISTINCT.
SELECT rollup(p) FILTER (WHERE i <= 700) = (SELECT rollup(p) FROM single WHERE i <= 700) AS filter, rollup(DISTINCT p) = (SELECT rollup(p) FROM (SELECT DISTINCT p FROM single) s) AS distinct_ FROM single;

-- Parallel: the plan is partial, the answer the same.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE one SET (parallel_workers = 2);
ALTER TABLE single SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT paths_agg(path, converted, value) FROM one;
SELECT paths_agg(path, converted, value) = (SELECT p FROM whole) AS same, paths_agg(path, converted::int::bigint, CASE WHEN converted THEN value END, (NOT converted)::int::bigint) = (SELECT p FROM whole) AS counts FROM one;
SELECT rollup(p) = (SELECT p FROM whole) AS same FROM single;
SELECT count(*), bool_and(g.p = s.p) AS same
FROM (SELECT i % 100 AS g, paths_agg(path, converted, value) AS p FROM one GROUP BY 1) g JOIN (SELECT i % 100 AS g, rollup(p ORDER BY i) AS p FROM single GROUP BY 1) s USING (g);
RESET max_parallel_workers_per_gather;

-- Partitionwise, hashed, sorted.
CREATE TABLE part (LIKE single) PARTITION BY HASH (i);
CREATE TABLE part0 PARTITION OF part FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE part1 PARTITION OF part FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE part2 PARTITION OF part FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO part SELECT * FROM single;
ANALYZE part;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT rollup(p) FROM part;
SELECT rollup(p) = (SELECT p FROM whole) AS same FROM part;
SET enable_hashagg = off;
CREATE TABLE by_sort AS SELECT i % 10 AS g, rollup(p) AS p FROM part GROUP BY 1;
RESET enable_hashagg;
SET enable_sort = off;
CREATE TABLE by_hash AS SELECT i % 10 AS g, rollup(p) AS p FROM part GROUP BY 1;
-- hashed, spilled
SET work_mem = '64kB';
CREATE TABLE by_disk AS SELECT i % 1500 AS g, paths_agg(path, converted, value) AS p FROM one GROUP BY 1;
RESET work_mem;
RESET enable_sort;
SELECT count(*), bool_and(s.p = h.p) AS same FROM by_sort s JOIN by_hash h USING (g);
SELECT count(*), bool_and(d.p IS NOT DISTINCT FROM s.p) AS same FROM by_disk d JOIN (SELECT i % 1500 AS g, rollup(p ORDER BY i) AS p FROM single GROUP BY 1) s USING (g);
RESET enable_partitionwise_aggregate;
RESET max_parallel_workers_per_gather;

-- Grouping sets hand one row to several states; window frames grow and slide.
SELECT count(*), bool_and(p = CASE WHEN g IS NULL THEN (SELECT p FROM whole) ELSE (SELECT rollup(p) FROM single WHERE i % 5 = s.g) END) AS same
FROM (SELECT i % 5 AS g, rollup(p) AS p FROM single GROUP BY GROUPING SETS ((i % 5), ())) s;
SELECT bool_and(running IS NOT DISTINCT FROM (SELECT rollup(p) FROM single i WHERE i.i <= s.i)) AS growing,
	bool_and(sliding IS NOT DISTINCT FROM (SELECT rollup(p) FROM single i WHERE i.i BETWEEN s.i - 3 AND s.i + 2)) AS sliding
FROM (SELECT i, rollup(p) OVER (ORDER BY i) AS running, rollup(p) OVER (ORDER BY i ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING) AS sliding
	FROM single WHERE i <= 102) s WHERE i <= 100;
SELECT p = again AND rollup_ = p AS same FROM (SELECT p, p AS again, (SELECT rollup(x) FROM unnest(ARRAY[p]) x) AS rollup_ FROM (SELECT rollup(p) AS p FROM single OFFSET 0) s) s;

-- Memory does not grow with what is merged, nor with what is read.
CREATE FUNCTION pg_temp.memory() RETURNS bigint LANGUAGE sql VOLATILE RETURN (SELECT sum(used_bytes) FROM pg_backend_memory_contexts);
SELECT rollup(a[1 + i % 100]) IS NOT NULL AS done, max(memory) FILTER (WHERE i > 1) - min(memory) FILTER (WHERE i > 1) < 10000 AS flat
FROM (SELECT i, a, CASE WHEN i = 1 OR i % 20000 = 10000 THEN pg_temp.memory() END AS memory
	FROM generate_series(1, 60000) i, (SELECT array_agg(p) AS a FROM single WHERE i <= 100) s OFFSET 0) s;
DO $$
DECLARE
	before bigint;
	p paths;
	q paths;
	n bigint;
BEGIN
	FOR i IN 1 .. 1500 LOOP
		SELECT s.p::text::paths, s.p::jsonb::paths INTO p, q FROM by_sort s WHERE g = 3;
		SELECT count(*) INTO n FROM markov(p, 1 + i % 4), shapley(q), path_counts(q);
		IF i = 500 THEN
			before := pg_temp.memory();
		END IF;
	END LOOP;
	IF pg_temp.memory() - before > 100000 THEN
		RAISE 'leak: % bytes in 1,000 rounds', pg_temp.memory() - before;
	END IF;
END $$;
DROP TABLE one, whole, single, part, by_sort, by_hash, by_disk;
