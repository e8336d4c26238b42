-- window_funnel, window_funnel_times and retention as aggregates: no rows, NULLs, one
-- row, several processes, partitions, window frames, FILTER, ORDER BY inside, both ways
-- to group.
SET search_path = align, public;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';
SET DateStyle = 'ISO, MDY';

CREATE TABLE event (id int, at timestamptz, step text) PARTITION BY HASH (id);
CREATE TABLE event0 PARTITION OF event FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE event1 PARTITION OF event FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE event2 PARTITION OF event FOR VALUES WITH (MODULUS 3, REMAINDER 2);

-- No rows, in one group and in none.
SELECT window_funnel('1 day', NULL, at, step = 'a', step = 'b'), window_funnel_times('1 day', NULL, at, step = 'a', step = 'b'), retention(step = 'a', step = 'b') FROM event;
SELECT id, window_funnel('1 day', NULL, at, step = 'a', step = 'b') FROM event GROUP BY id;

-- Rows that do not matter, and one that does.
INSERT INTO event VALUES (1, NULL, 'a'), (2, '2026-01-01', NULL), (3, '2026-01-01', 'x'), (4, '2026-01-01', 'a');
SELECT id, window_funnel('1 day', NULL, at, step = 'a', step = 'b'), window_funnel('1 day', 'strict', at, step = 'a', step = 'b'),
	window_funnel_times('1 day', NULL, at, step = 'a', step = 'b'), retention(step = 'a', step = 'b') FROM event GROUP BY id ORDER BY id;
TRUNCATE event;

-- 300 leads with 0 to 59 events, and one with many.
INSERT INTO event SELECT id, timestamptz '2026-01-01' + interval '1 minute' * (hashint8extended(id * 1000 + n, 1) & 255), substr('abcdx', 1 + (hashint8extended(id * 1000 + n, 2) & 4095)::int % 5, 1)
FROM generate_series(1, 300) id, generate_series(1, id % 60) n;
INSERT INTO event SELECT 1000, timestamptz '2026-01-01' + interval '1 second' * (hashint8extended(n, 1) & 4095), substr('abcdx', 1 + (hashint8extended(n, 2) & 4095)::int % 5, 1)
FROM generate_series(1, 20000) n;
ANALYZE event;

CREATE FUNCTION pg_temp.answers(OUT digest text, OUT rows bigint, OUT levels bigint) LANGUAGE plpgsql AS $$
BEGIN
	SELECT md5(string_agg(f::text, ' ' ORDER BY f)), count(*), sum(level) INTO digest, rows, levels
	FROM (SELECT id, window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c', step = 'd') AS level, window_funnel_times('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c', step = 'd'),
			window_funnel('1 hour', 'strict', at, step = 'a', step = 'b', step = 'c', step = 'd'), window_funnel_times('1 hour', 'any no_repeat', at, step = 'a', step = 'b', step = 'c', step = 'd'),
			retention(step = 'a', step = 'b', step = 'y')
		FROM event GROUP BY id) f;
END $$;
-- Whether the plan has a kind of node.
CREATE FUNCTION pg_temp.uses(node text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found boolean := false;
BEGIN
	FOR line IN EXPLAIN (COSTS off) SELECT id, window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b') FROM event GROUP BY id LOOP
		found := found OR line ~ node;
	END LOOP;
	RETURN found;
END $$;

-- Grouped by hashing and by sorting, in one process and in several, over all and per partition.
SET max_parallel_workers_per_gather = 0;
SELECT pg_temp.uses('HashAggregate') AS hash;
SELECT digest AS expected, rows, levels FROM pg_temp.answers() \gset
SELECT :rows AS rows, :levels AS levels;
SET enable_hashagg = off;
SELECT pg_temp.uses('GroupAggregate') AS sort;
SELECT digest = :'expected' AS same FROM pg_temp.answers();
RESET enable_hashagg;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.uses('Append') AS partitions;
SELECT digest = :'expected' AS same FROM pg_temp.answers();
RESET enable_partitionwise_aggregate;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT pg_temp.uses('Gather') AS workers;
SELECT digest = :'expected' AS same FROM pg_temp.answers();
SET parallel_tuple_cost = 1;
SET enable_hashagg = off;
SELECT pg_temp.uses('Partial') AS partial;
SELECT digest = :'expected' AS same FROM pg_temp.answers();
RESET enable_hashagg;
SET max_parallel_workers_per_gather = 0;

-- Hashing that spills.
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
SET enable_sort = off;
SELECT digest = :'expected' AS same FROM pg_temp.answers();
RESET enable_sort;
RESET hash_mem_multiplier;
RESET work_mem;

-- Window frames: rows are added to a state that was already read.  Against groups of
-- the same rows.
SELECT count(*), count(*) FILTER (WHERE running = (SELECT window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c') FROM event e WHERE e.id = w.id AND e.ctid::text || e.tableoid <= w.place)) AS same
FROM (SELECT id, ctid::text || tableoid AS place, window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c') OVER (PARTITION BY id ORDER BY ctid::text || tableoid) AS running
	FROM event WHERE id <= 40) w;
SELECT at::time, step, window_funnel('1 hour', NULL, at, step = 'a', step = 'b') OVER frame, window_funnel_times('1 hour', 'increase', at, step = 'a', step = 'b') OVER frame, retention(step = 'a', step = 'b') OVER frame
FROM event WHERE id = 68 WINDOW frame AS (ORDER BY at ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) ORDER BY at;

-- FILTER, ORDER BY and DISTINCT inside.
SELECT count(*), count(*) FILTER (WHERE filtered = direct AND sorted = direct AND turned = direct AND once = direct) AS same
FROM (SELECT id, window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c') FILTER (WHERE step <> 'x') AS filtered,
		window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c' ORDER BY at) AS sorted,
		window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c' ORDER BY at DESC) AS turned,
		window_funnel(DISTINCT interval '1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c') AS once,
		window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c') AS direct
	FROM event GROUP BY id) f;

-- Grouping sets, and a lateral call.
SELECT id, window_funnel('1 hour', 'strict', at, step = 'a', step = 'b', step = 'c') FROM event WHERE id IN (50, 51) GROUP BY ROLLUP (id) ORDER BY id;
SELECT l.id, f.level FROM (VALUES (50), (51), (52)) l(id), LATERAL (SELECT window_funnel('1 hour', 'strict', at, step = 'a', step = 'b', step = 'c') AS level FROM event e WHERE e.id = l.id) f ORDER BY 1;

-- Grouping sets that are all hashed, and hashing that is done again for each outer row,
-- whose groups are not all asked for.
CREATE TEMP TABLE single AS SELECT id, id % 7 AS seventh, window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c') AS level FROM event GROUP BY id;
SELECT count(*) AS compared, count(*) FILTER (WHERE g.level <> s.level) AS differ
FROM (SELECT id, id % 7 AS seventh, window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c') AS level FROM event GROUP BY GROUPING SETS ((id), (id % 7))) g
JOIN (SELECT id, NULL::int AS seventh, level FROM single
	UNION ALL SELECT NULL, id % 7, window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c') FROM event GROUP BY id % 7) s
	ON (g.id, g.seventh) IS NOT DISTINCT FROM (s.id, s.seventh);
SELECT n, count(*) AS groups, count(*) FILTER (WHERE level = (SELECT level FROM single s WHERE s.id = f.id)) AS same
FROM generate_series(0, 4) n, LATERAL (SELECT id, window_funnel('1 hour', 'ordered', at, step = 'a', step = 'b', step = 'c') AS level FROM event WHERE id % 5 = n GROUP BY id LIMIT 3 + n) f
GROUP BY n ORDER BY n;

-- An error while groups are filled, and the next query.
DO $$
BEGIN
	PERFORM window_funnel('1 hour', CASE WHEN at > '2026-01-01 03:50' THEN 'strict' END, at, step = 'a', step = 'b') FROM event GROUP BY id;
	RAISE NOTICE 'no error';
EXCEPTION WHEN data_exception THEN
	RAISE NOTICE '%', sqlerrm;
END $$;
SELECT digest = :'expected' AS same FROM pg_temp.answers();

-- A window or mode that is a parameter.
PREPARE by_parameter(interval, text) AS SELECT window_funnel($1, $2, at, step = 'a', step = 'b', step = 'c') FROM event WHERE id = 50;
EXECUTE by_parameter('1 hour', 'strict');
EXECUTE by_parameter('1 minute', 'strict');
EXECUTE by_parameter(NULL, NULL);
SET plan_cache_mode = force_generic_plan;
EXECUTE by_parameter('1 hour', 'strict');
EXECUTE by_parameter('1 minute', 'strict');

DROP TABLE event;
