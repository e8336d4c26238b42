-- The public face of type process: what exists, and what it promises the planner.
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(24);

SELECT has_type('align', 'process', 'type process exists');

-- functions and aggregates, by name and arguments, and what they return
SELECT function_returns('align', name, arguments, result, format('%s(%s) returns %s', name, array_to_string(arguments, ', '), result))
FROM (VALUES
	('dfg_agg', '{align.lead}'::text[], 'align.process'),
	('dfg_agg', '{align.lead, align.calendar}', 'align.process'),
	('dfg_agg', '{align.lead, align.calendar, timestamp with time zone}', 'align.process'),
	('rollup', '{align.process}', 'align.process'),
	('dfg', '{align.process}', 'setof record'),
	('dfg_stages', '{align.process}', 'setof record'),
	('bottlenecks', '{align.process}', 'setof record'),
	('bottlenecks', '{align.process, align.funnel}', 'setof record'),
	('dfg_mermaid', '{align.process, bigint, double precision}', 'text'),
	('dfg_dot', '{align.process, bigint, double precision}', 'text'),
	('first_deviation', '{align.lead, align.funnel}', 'record'),
	('variants', '{text}', 'setof record'),
	('variants', '{text, align.funnel}', 'setof record')) AS f (name, arguments, result);

-- exactly the columns of the contract
SELECT is(string_agg(column_, ', ' ORDER BY n), expected, 'columns of ' || signature)
FROM (SELECT p.oid::regprocedure::text AS signature, p.proname, name || ' ' || type::regtype AS column_, n
	FROM pg_catalog.pg_proc p, unnest(proargnames, proallargtypes, proargmodes) WITH ORDINALITY c (name, type, mode, n)
	WHERE pronamespace = 'align'::regnamespace AND mode IN ('t', 'o')) s
	JOIN (VALUES
		('dfg', 'from_stage text, stage text, moves bigint, leads bigint, mean_time interval, median_time interval, p90_time interval, total_seconds numeric, '
			'mean_working_time interval, median_working_time interval, p90_working_time interval, total_working_seconds numeric'),
		('dfg_stages', 'stage text, visits bigint, leads bigint, starts bigint, ends bigint, mean_time interval, median_time interval, p90_time interval, total_seconds numeric, '
			'mean_working_time interval, median_working_time interval, p90_working_time interval, total_working_seconds numeric, '
			'mean_age interval, median_age interval, p90_age interval, total_age_seconds numeric, '
			'mean_working_age interval, median_working_age interval, p90_working_age interval, total_working_age_seconds numeric'),
		('bottlenecks', 'place integer, from_stage text, stage text, visits bigint, leads bigint, share double precision, cumulative_share double precision, working_share double precision, '
			'mean_time interval, median_time interval, p90_time interval, total_seconds numeric, '
			'mean_working_time interval, median_working_time interval, p90_working_time interval, total_working_seconds numeric'),
		('first_deviation', 'entry integer, at timestamp with time zone, rule text, from_stage text, stage text, detail text'),
		('variants', 'place bigint, path text[], leads bigint, share double precision, cumulative_share double precision, won bigint, lost bigint, still_open bigint, '
			'median_time interval, p90_time interval')) AS e (proname, expected) USING (proname)
GROUP BY signature, expected ORDER BY signature;

-- the transition type is the type itself, without final function: so partial results can be shipped by anything that ships values
SELECT is((SELECT count(*) FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
	WHERE p.prorettype = 'align.process'::regtype AND a.aggtranstype = 'align.process'::regtype AND a.aggfinalfn = 0 AND a.aggcombinefn <> 0
		AND a.aggserialfn = 0 AND a.agginitval IS NULL AND p.proparallel = 's'), 4::bigint, 'four aggregates over the type itself, with combine functions, parallel safe');

-- what reads a value is pure
SELECT is((SELECT count(*) FROM pg_catalog.pg_proc WHERE pronamespace = 'align'::regnamespace
	AND proname IN ('dfg', 'dfg_stages', 'bottlenecks', 'dfg_mermaid', 'dfg_dot', 'first_deviation') AND provolatile = 'i' AND proisstrict AND proparallel = 's'), 7::bigint, 'all that read it are immutable, strict and parallel safe');
SELECT is((SELECT array_agg(proname::text ORDER BY 1) FROM pg_catalog.pg_proc WHERE pronamespace = 'align'::regnamespace AND proname ~ '^dfg_(mermaid|dot)$' AND pronargdefaults = 2), '{dfg_dot,dfg_mermaid}', 'pictures have defaults');

SELECT * FROM finish();
ROLLBACK;
