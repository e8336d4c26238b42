-- Funnels over raw events: window_funnel with four steps, beside an aggregate of the
-- same arguments that does nothing, and beside the best funnel in plain SQL.

\set few 1000000 * :scale
\set some 10000000 * :scale
\set many 50000000 * :scale
SELECT greatest(round(:few / 10), 1000)::int AS few, greatest(round(:some / 10), 10000)::int AS some, greatest(round(:many / 10), 50000)::int AS many \gset

-- Ten events a lead, whole seconds, in no order.  Hashes instead of random(): the
-- same on every machine.
CREATE FUNCTION bench.make_visits(name text, leads int) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
	EXECUTE format($sql$
		CREATE UNLOGGED TABLE bench.%I AS
		SELECT lead, at, stage
		FROM (SELECT lead, k,
				timestamptz '2024-01-01 00:00+00' + interval '1 second' * (start %% 63072000) + k * interval '1 day'
					+ interval '1 second' * (abs(hashint8extended(lead, k)) %% 86400) AS at,
				CASE WHEN abs(hashint8extended(lead, 100 + k)) %% 7 = 0 THEN 'nurture'
					ELSE (ARRAY['inquiry', 'mql', 'sal', 'sql', 'opportunity', 'customer'])[1 + least(5, k * (start %% 71) / 100)] END AS stage
			FROM (SELECT lead, abs(hashint8extended(lead, 0)) AS start FROM generate_series(1, %s::bigint) AS lead) l,
				generate_series(0, 9) AS k) e
		ORDER BY hashint8extended(lead, 1000 + k)$sql$, name, leads);
END
$$;
SELECT bench.make_visits('visit_few', :few), bench.make_visits('visit', :some), bench.make_visits('visit_many', :many) \g /dev/null
VACUUM ANALYZE bench.visit_few, bench.visit, bench.visit_many;

CREATE FUNCTION bench.no_op_trans(bigint, interval, text, timestamptz, VARIADIC boolean[]) RETURNS bigint
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1 AS :'library', 'bench_no_op_trans';
CREATE AGGREGATE bench.no_op(within interval, mode text, at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = bench.no_op_trans, STYPE = bigint, INITCOND = '0', COMBINEFUNC = int8larger, PARALLEL = SAFE
);

-- Both sides hash alike, without spilling.
SET work_mem = '8GB';
SET enable_sort = off;
\set steps '(interval ''30 days'', ''ordered'', at, stage = ''inquiry'', stage = ''mql'', stage = ''sal'', stage = ''sql'')'
\set ours 'SELECT sum(f) FROM (SELECT align.window_funnel' :steps ' AS f FROM bench.visit GROUP BY lead) s'
\set no_op 'SELECT sum(f) FROM (SELECT bench.no_op' :steps ' AS f FROM bench.visit GROUP BY lead) s'
\set ours_few 'SELECT sum(f) FROM (SELECT align.window_funnel' :steps ' AS f FROM bench.visit_few GROUP BY lead) s'
\set no_op_few 'SELECT sum(f) FROM (SELECT bench.no_op' :steps ' AS f FROM bench.visit_few GROUP BY lead) s'
\set ours_many 'SELECT sum(f) FROM (SELECT align.window_funnel' :steps ' AS f FROM bench.visit_many GROUP BY lead) s'
\set no_op_many 'SELECT sum(f) FROM (SELECT bench.no_op' :steps ' AS f FROM bench.visit_many GROUP BY lead) s'
CALL bench.measure('window_funnel', :runs, 'ours', :'ours', 'no-op', :'no_op');
CALL bench.measure('window_funnel few', :runs, 'ours', :'ours_few', 'no-op', :'no_op_few');
CALL bench.measure('window_funnel many', greatest(1, :runs / 2), 'ours', :'ours_many', 'no-op', :'no_op_many');

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'window_funnel, 4 steps, ' || 10 * :some || ' events, hashed', bench.show('window_funnel', 'ours'), 'no-op aggregate: ' || bench.show('window_funnel', 'no-op'),
	round(ratio::numeric, 2) || ' x the time', '<= 1.25 x', ratio <= 1.25
FROM (SELECT bench.median('window_funnel', 'ours') / bench.median('window_funnel', 'no-op') AS ratio) r;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT format('window_funnel, an event of %s and of %s', 10 * :few, 10 * :many), round(many::numeric, 1) || ' ns', round(few::numeric, 1) || ' ns',
	format('%s x the time; to the no-op %s, %s, %s', round((many / few)::numeric, 2), round(to_few::numeric, 2), round(to_some::numeric, 2), round(to_many::numeric, 2)),
	'the latter within 20 %', greatest(to_few, to_some, to_many) <= 1.2 * least(to_few, to_some, to_many)
FROM (SELECT bench.median('window_funnel few', 'ours') * 1e5 / :few AS few, bench.median('window_funnel many', 'ours') * 1e5 / :many AS many,
		bench.median('window_funnel few', 'ours') / bench.median('window_funnel few', 'no-op') AS to_few,
		bench.median('window_funnel', 'ours') / bench.median('window_funnel', 'no-op') AS to_some,
		bench.median('window_funnel many', 'ours') / bench.median('window_funnel many', 'no-op') AS to_many) r;
INSERT INTO bench.note (note) VALUES ('window_funnel: work_mem 8GB, ' || bench.plan_shape(:'ours'));

-- Memory of the states: what the hash table takes beyond that of the no-op.
CREATE FUNCTION bench.hash_kb(statement text) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, TIMING off, FORMAT json) ' || statement INTO plan;
	RETURN jsonb_path_query_first(plan, '$.**."Peak Memory Usage"');
END
$$;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'memory of window_funnel, ' || 10 * :some || ' events', pg_size_pretty(ours * 1024), 'no-op aggregate: ' || pg_size_pretty(no_op * 1024),
	round(more, 1) || ' bytes an event', '<= 24 and 100 a group', more <= 24 + 10
FROM (SELECT ours, no_op, (ours - no_op) * 1024.0 / (10 * :some) AS more
	FROM (SELECT bench.hash_kb(:'ours') AS ours, bench.hash_kb(:'no_op') AS no_op) m) r;

-- Sorted grouping, in the order of leads and times: nothing is sorted within.
RESET enable_sort;
SET enable_hashagg = off;
CALL bench.measure('window_funnel sorted', :runs, 'ours', :'ours', 'no-op', :'no_op');
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'the same, grouped by sorting', bench.show('window_funnel sorted', 'ours'), 'no-op aggregate: ' || bench.show('window_funnel sorted', 'no-op'),
	round(ratio::numeric, 2) || ' x the time', '<= 1.25 x', ratio <= 1.25
FROM (SELECT bench.median('window_funnel sorted', 'ours') / bench.median('window_funnel sorted', 'no-op') AS ratio) r;
RESET enable_hashagg;

-- By hand: for every event the latest start of a chain up to each step, by window
-- functions over one sort.  Times of a lead are distinct.
CREATE VIEW bench.visit_by_hand AS
SELECT lead, max(CASE WHEN s4 IS NOT NULL THEN 4 WHEN s3 IS NOT NULL THEN 3 WHEN s2 IS NOT NULL THEN 2 WHEN s1 IS NOT NULL THEN 1 ELSE 0 END) AS level
FROM (SELECT *, max(s3) FILTER (WHERE stage = 'sql' AND at <= s3 + interval '30 days') OVER (PARTITION BY lead ORDER BY at ROWS UNBOUNDED PRECEDING) AS s4
	FROM (SELECT *, max(s2) FILTER (WHERE stage = 'sal' AND at <= s2 + interval '30 days') OVER (PARTITION BY lead ORDER BY at ROWS UNBOUNDED PRECEDING) AS s3
		FROM (SELECT *, max(s1) FILTER (WHERE stage = 'mql' AND at <= s1 + interval '30 days') OVER (PARTITION BY lead ORDER BY at ROWS UNBOUNDED PRECEDING) AS s2
			FROM (SELECT *, max(at) FILTER (WHERE stage = 'inquiry') OVER (PARTITION BY lead ORDER BY at ROWS UNBOUNDED PRECEDING) AS s1
				FROM bench.visit) a) b) c) d
GROUP BY lead;
SELECT count(*) = 0 AS agree
FROM (SELECT lead, align.window_funnel(interval '30 days', 'ordered', at, stage = 'inquiry', stage = 'mql', stage = 'sal', stage = 'sql') AS level FROM bench.visit GROUP BY lead) f
FULL JOIN bench.visit_by_hand h USING (lead) WHERE f.level IS DISTINCT FROM h.level \gset
\if :agree
\else
	\warn 'window_funnel and the hand-written funnel do not agree'
	SELECT 1 / 0;
\endif
CALL bench.measure('window_funnel by hand', greatest(1, :runs / 2), 'by hand', 'SELECT sum(level) FROM bench.visit_by_hand');
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'window_funnel, 4 steps', bench.show('window_funnel', 'ours'), 'hand-written SQL: ' || bench.show('window_funnel by hand', 'by hand'),
	round(ratio::numeric, 1) || ' x', '>= 4 x', ratio >= 4
FROM (SELECT bench.median('window_funnel by hand', 'by hand') / bench.median('window_funnel', 'ours') AS ratio) r;

-- Two workers against one, on the wall: each takes whole partitions.
CREATE UNLOGGED TABLE bench.visit_parts (lead bigint, at timestamptz, stage text) PARTITION BY HASH (lead);
SELECT format('CREATE UNLOGGED TABLE bench.visit_part%s PARTITION OF bench.visit_parts FOR VALUES WITH (MODULUS 8, REMAINDER %s)', i, i) FROM generate_series(0, 7) i \gexec
INSERT INTO bench.visit_parts SELECT * FROM bench.visit;
VACUUM ANALYZE bench.visit_parts;
SET enable_partitionwise_aggregate = on;
SET parallel_leader_participation = off;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_sort = off;
SET max_parallel_workers_per_gather = 2;
\set ours_parts 'SELECT sum(f) FROM (SELECT align.window_funnel' :steps ' AS f FROM bench.visit_parts GROUP BY lead) s'
INSERT INTO bench.note (note) VALUES ('window_funnel by workers: ' || bench.plan_shape(:'ours_parts'));
SELECT current_setting('bench.clock') AS clock \gset
SET bench.clock = wall;
\set two 'SET max_parallel_workers_per_gather = 2; ' :ours_parts
\set one 'SET max_parallel_workers_per_gather = 1; ' :ours_parts
CALL bench.measure('window_funnel workers', :runs, 'two', :'two', 'one', :'one');
SELECT set_config('bench.clock', :'clock', false) \g /dev/null
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'window_funnel, two workers', bench.show('window_funnel workers', 'two'), 'one worker: ' || bench.show('window_funnel workers', 'one'),
	round(ratio::numeric, 2) || ' x as fast', '>= 1.7 x', ratio >= 1.7
FROM (SELECT bench.median('window_funnel workers', 'one') / bench.median('window_funnel workers', 'two') AS ratio) r;
RESET ALL;
