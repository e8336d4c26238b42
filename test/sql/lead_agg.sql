-- lead_agg and rollup: the same value whatever the plan, the workers or the order.
SET search_path = public, align;
SET TimeZone = 'UTC';
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m text; d text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(': ', SQLSTATE || ' ' || m, nullif(d, ''));
END $$;

-- What counts: rows with a time and a stage or a campaign.
SELECT lead_agg(at, stage), lead_agg(at, stage, team, reason), lead_agg(at, stage, team, reason, campaign, amount)
FROM (VALUES
	(timestamptz '2026-03-02', 'mql', 'marketing', NULL, NULL, NULL::numeric),
	('2026-03-01', 'inquiry', NULL, 'web', 'spring', 12.50),
	(NULL, 'sal', 'sales', NULL, 'x', 1),
	('2026-03-03', NULL, 'sales', 'why', 'autumn', 0.0),
	('2026-03-04', NULL, 'sales', 'why', NULL, 3),
	('infinity', NULL, NULL, NULL, NULL, 'NaN')) AS v (at, stage, team, reason, campaign, amount);

-- No rows, none that count, one row.
SELECT lead_agg(at, stage) IS NULL, lead_agg(at, stage, team, reason) IS NULL, lead_agg(at, stage, team, reason, campaign, amount) IS NULL
FROM (SELECT NULL::timestamptz AS at, ''::text AS stage, ''::text AS team, ''::text AS reason, ''::text AS campaign, 0::numeric AS amount WHERE false) s;
SELECT lead_agg(at, stage) IS NULL, lead_agg(at, stage, 't', 'r') IS NULL, lead_agg(at, stage, 't', 'r', NULL, 1) IS NULL
FROM (VALUES (NULL::timestamptz, 'mql'), ('2026-03-01', NULL)) AS v (at, stage);
SELECT rollup(lead) IS NULL FROM (SELECT NULL::align.lead AS lead WHERE false) s;
SELECT rollup(lead) IS NULL FROM (VALUES (NULL::align.lead), (NULL)) AS v (lead);
SELECT lead_agg('2026-03-01', 'mql'), lead_agg('2026-03-01', 'mql', 'a', 'b'), lead_agg('2026-03-01', 'mql', 'a', 'b', 'c', 1), rollup('{2026-03-01T00:00:00Z mql}'::align.lead);
SELECT lead_agg('2026-03-01', '');

-- Duplicates are kept by lead_agg and removed by rollup, which merges.
SELECT lead_agg(at, 'mql'), rollup(lead) FROM (VALUES
	(timestamptz '2026-03-01', '{2026-03-01T00:00:00Z mql, 2026-03-01T00:00:00Z mql, 2026-03-02T00:00:00Z sal}'::align.lead),
	('2026-03-01', '{2026-03-02T00:00:00Z sal, 2026-03-01T00:00:00Z mql by x, 2026-03-01T00:00:00Z mql #1, 2026-03-01T00:00:00Z mql #1}'),
	(NULL, NULL), ('2026-02-01', '{2026-02-01T00:00:00Z ~ touch}')) AS v (at, lead);
SELECT rollup(lead) = lead FROM (SELECT rollup('{2026-03-01T00:00:00Z mql, 2026-03-01T00:00:00Z mql}'::align.lead) AS lead) s GROUP BY lead;

-- Errors.
SELECT pg_temp.failure(statement) FROM unnest(ARRAY[
	$$SELECT lead_agg('infinity', 'mql')$$,
	$$SELECT lead_agg('-infinity', 'mql', NULL, NULL)$$,
	$$SELECT lead_agg('infinity', NULL, NULL, NULL, 'x', NULL)$$,
	$$SELECT lead_agg('2026-03-01', 'mql', NULL, NULL, NULL, 'NaN')$$,
	$$SELECT lead_agg('2026-03-01', 'mql', NULL, NULL, NULL, 'Infinity')$$,
	$$SELECT lead_agg('2026-03-01', 'mql', NULL, NULL, NULL, '-Infinity')$$,
	$$SELECT lead_agg('2026-03-01', repeat('m', 1024 * 1024 + 1))$$]) AS statement;

-- Twenty thousand rows of a thousand leads, with simultaneous rows, equal rows,
-- touches, amounts of different scale, and rows that do not count.
-- The generator: x -> (69069 x + 1) mod 2^32, seed 20260301.
CREATE TABLE lead_rows AS
WITH RECURSIVE random (i, x) AS (
	SELECT 1, 20260301::bigint UNION ALL SELECT i + 1, (x * 69069 + 1) % 4294967296 FROM random WHERE i < 20000)
SELECT i, (x / 65536 % 1000)::int AS id, (x / 65536 % 20)::int AS twentieth,
	CASE WHEN i % 97 <> 0 THEN timestamptz '2025-01-01' + x / 4096 % 500 * interval '10 hours' + i % 2 * interval '1 microsecond' END AS at,
	CASE WHEN x / 32768 % 9 > 0 THEN (ARRAY['inquiry', 'mql', 'sal', 'sql', 'opportunity', 'customer', 'Déchu', 'nurture'])[x / 32768 % 9] END AS stage,
	CASE WHEN i % 3 = 0 THEN 'team ' || x / 1024 % 4 END AS team,
	CASE WHEN i % 5 = 0 THEN 'reason ' || x / 2048 % 30 END AS reason,
	CASE WHEN x / 65536 % 4 = 0 THEN 'campaign ' || x / 8192 % 50 END AS campaign,
	CASE WHEN i % 4 = 0 THEN (x / 65536 % 7)::numeric / (ARRAY[1, 2, 10])[i % 3 + 1] END AS amount
FROM random;
INSERT INTO lead_rows SELECT i + 20000, id, twentieth, at, stage, team, reason, campaign, amount FROM lead_rows WHERE i % 10 = 0;
ANALYZE lead_rows;

-- What it should be, from plain SQL.
CREATE TABLE lead_want AS
SELECT id,
	'{' || string_agg(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') || rtrim(to_char(at, '.US'), '.0') || 'Z '
		|| '"' || stage || '"', ', ' ORDER BY i) FILTER (WHERE stage IS NOT NULL) || '}' AS stages,
	'{' || string_agg(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') || rtrim(to_char(at, '.US'), '.0') || 'Z'
		|| coalesce(' "' || stage || '"', '') || coalesce(' by "' || team || '"', '') || coalesce(' because "' || reason || '"', '')
		|| coalesce(' ~ "' || campaign || '"', '') || coalesce(' worth ' || amount, ''), ', ' ORDER BY i)
		FILTER (WHERE stage IS NOT NULL OR campaign IS NOT NULL) || '}' AS everything
FROM lead_rows WHERE at IS NOT NULL GROUP BY id;

CREATE VIEW lead_have AS
SELECT id, lead_agg(at, stage) AS stages, lead_agg(at, stage, team, reason) AS staff,
	lead_agg(at, stage, team, reason, campaign, amount) AS everything
FROM lead_rows GROUP BY id;

SET max_parallel_workers_per_gather = 0;
CREATE TABLE lead_first AS SELECT * FROM lead_have;
SELECT count(*), count(*) FILTER (WHERE h.stages IS DISTINCT FROM w.stages::align.lead) AS stages, count(*) FILTER (WHERE h.everything IS DISTINCT FROM w.everything::align.lead) AS everything
FROM lead_first h JOIN lead_want w USING (id);
SELECT sum((SELECT count(*) FROM entries(stages))) AS stages, sum((SELECT count(*) FROM entries(everything))) AS everything FROM lead_first;
SELECT count(at) FILTER (WHERE stage IS NOT NULL), count(at) FILTER (WHERE coalesce(stage, campaign) IS NOT NULL) FROM lead_rows;

-- Does a query use that kind of node, and give the same leads?
CREATE FUNCTION pg_temp.uses(query text, node text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line ~ node THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
CREATE FUNCTION pg_temp.same(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format('SELECT count(*) = 1000 AND bool_and(h IS NOT DISTINCT FROM f) FROM (%s) h FULL JOIN lead_first f USING (id)', query) INTO result;
	RETURN result;
END $$;

-- Sorted and hashed grouping; a hash that spills.
SET enable_hashagg = off;
SELECT pg_temp.uses('SELECT * FROM lead_have', 'GroupAggregate'), pg_temp.same('SELECT * FROM lead_have');
RESET enable_hashagg;
SET enable_sort = off;
SET work_mem = '64kB';
SELECT pg_temp.uses('SELECT * FROM lead_have', 'HashAggregate'), pg_temp.same('SELECT * FROM lead_have');
RESET work_mem;
RESET enable_sort;

-- Parallel: partial states travel through serialise, deserialise and combine.
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
\set twentieths 'SELECT twentieth, lead_agg(at, stage) AS stages, lead_agg(at, stage, team, reason) AS staff, lead_agg(at, stage, team, reason, campaign, amount) AS everything FROM '
SELECT pg_temp.uses(:'twentieths' || 'lead_rows GROUP BY twentieth', 'Partial HashAggregate');
CREATE TABLE lead_twentieths AS :twentieths lead_rows GROUP BY 1;
SET enable_hashagg = off;
SELECT pg_temp.uses('SELECT * FROM lead_have', 'Partial GroupAggregate'), pg_temp.same('SELECT * FROM lead_have');
RESET enable_hashagg;
-- without groups, where some workers see no row that counts
SELECT pg_temp.uses($$SELECT lead_agg(at, stage) FROM lead_rows$$, 'Partial Aggregate');
CREATE TABLE lead_whole AS SELECT lead_agg(at, stage, team, reason, campaign, amount) AS lead FROM lead_rows;
SELECT lead_agg(at, stage) IS NULL FROM lead_rows WHERE stage IS NULL;
SELECT lead_agg(at, stage) FROM lead_rows WHERE i = 16;
SET max_parallel_workers_per_gather = 0;
SELECT count(*) FROM lead_twentieths NATURAL JOIN (:twentieths lead_rows GROUP BY 1) serial;
SELECT lead = (SELECT lead_agg(at, stage, team, reason, campaign, amount) FROM lead_rows) FROM lead_whole;

-- Shuffles.
SELECT pg_temp.same(format('SELECT id, lead_agg(at, stage ORDER BY %1$s), lead_agg(at, stage, team, reason ORDER BY %1$s), lead_agg(at, stage, team, reason, campaign, amount ORDER BY %1$s) FROM lead_rows GROUP BY id', shuffle))
FROM unnest(ARRAY['i', 'i DESC', 'md5(i::text)', 'hashint4(i)', 'at', 'at DESC NULLS FIRST', 'stage, i DESC']) AS shuffle;

-- Split in any way and merged again.
CREATE FUNCTION pg_temp.merged(part text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format($query$
		SELECT bool_and(lead IS NOT DISTINCT FROM want) FROM (SELECT id, rollup(lead) AS lead
			FROM (SELECT id, lead_agg(at, stage, team, reason, campaign, amount) AS lead FROM lead_rows GROUP BY id, %s) p GROUP BY id) m
			JOIN (SELECT id, rollup(everything) AS want FROM lead_first GROUP BY id) f USING (id)$query$, part) INTO result;
	RETURN result;
END $$;
SELECT pg_temp.merged(part) FROM unnest(ARRAY['i % 2', 'i % 7', 'stage', 'at', 'i', 'date_trunc(''month'', at)']) AS part;
CREATE TABLE lead_sevenths AS SELECT id % 7 AS seventh, rollup(everything) AS lead FROM lead_first GROUP BY 1;
ANALYZE lead_first;
SET max_parallel_workers_per_gather = 2;
SELECT pg_temp.uses('SELECT rollup(everything) FROM lead_first', 'Partial Aggregate');
CREATE TABLE lead_rolled AS SELECT rollup(everything) AS lead FROM lead_first;
SET max_parallel_workers_per_gather = 0;
SELECT lead = (SELECT rollup(everything) FROM lead_first), lead = (SELECT rollup(lead) FROM lead_sevenths) FROM lead_rolled;
-- no duplicate is left, and only duplicates went
SELECT bool_and((SELECT count(*) = count(DISTINCT (at, stage, team, reason, campaign, amount)) FROM entries(lead))),
	bool_and((SELECT count(*) FROM entries(lead)) = (SELECT count(DISTINCT (at, stage, team, reason, campaign, amount)) FROM lead_rows WHERE id % 7 = seventh AND at IS NOT NULL AND coalesce(stage, campaign) IS NOT NULL))
FROM lead_sevenths;

-- Partitionwise.
CREATE TABLE lead_parts (LIKE lead_rows) PARTITION BY HASH (i);
CREATE TABLE lead_part_0 PARTITION OF lead_parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE lead_part_1 PARTITION OF lead_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO lead_parts SELECT * FROM lead_rows;
ANALYZE lead_parts;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
SELECT pg_temp.uses(:'twentieths' || 'lead_parts GROUP BY twentieth', 'Partial HashAggregate');
SELECT count(*) FROM lead_twentieths NATURAL JOIN (:twentieths lead_parts GROUP BY 1) parts;
RESET enable_partitionwise_aggregate;

-- Window frames: growing ones keep a state between calls of the final function.
CREATE FUNCTION pg_temp.framed(expression text, frame text) RETURNS TABLE (i int, lead align.lead) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT i, %s OVER (PARTITION BY id ORDER BY i %s) FROM lead_few', expression, frame);
END $$;
CREATE TABLE lead_few AS SELECT *, row_number() OVER (PARTITION BY id ORDER BY i) AS n FROM lead_rows WHERE id < 20;
SELECT frame, count(*), count(*) FILTER (WHERE f.lead IS DISTINCT FROM w.want)
FROM (VALUES ('ROWS UNBOUNDED PRECEDING', 1000000, 0), ('ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING', 3, 1), ('ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING', 1000000, 1000000)) AS v (frame, before, after)
CROSS JOIN LATERAL pg_temp.framed('lead_agg(at, stage, team, reason, campaign, amount)', frame) AS f
JOIN lead_few self ON self.i = f.i
CROSS JOIN LATERAL (SELECT lead_agg(at, stage, team, reason, campaign, amount) AS want
	FROM lead_few o WHERE o.id = self.id AND o.n BETWEEN self.n - before AND self.n + after) AS w
GROUP BY frame ORDER BY frame;
SELECT count(*), count(*) FILTER (WHERE lead IS DISTINCT FROM want) FROM (
	SELECT rollup(part) OVER (PARTITION BY id ORDER BY i) AS lead,
		(SELECT rollup(lead) FROM (SELECT lead_agg(at, stage) AS lead FROM lead_few o WHERE o.id = s.id AND o.i <= s.i GROUP BY o.i) p) AS want
	FROM (SELECT id, i, lead_agg(at, stage) AS part FROM lead_few GROUP BY id, i) s) t;

DROP VIEW lead_have;
DROP TABLE lead_rows, lead_few, lead_want, lead_first, lead_whole, lead_twentieths, lead_sevenths, lead_rolled, lead_parts;
