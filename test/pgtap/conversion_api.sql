-- The public face of type conversion: what exists, and what it promises the planner.
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(43);

SELECT has_type('align', 'conversion', 'type conversion exists');

-- functions and aggregates, by name and arguments, and what they return
SELECT function_returns('align', name, arguments, result, format('%s(%s) returns %s', name, array_to_string(arguments, ', '), result))
FROM (VALUES
	('conversion_agg', '{align.lead, text[], interval, text, timestamp with time zone}'::text[], 'align.conversion'),
	('funnel_conversion_agg', '{align.lead, align.funnel, timestamp with time zone}', 'align.conversion'),
	('rollup', '{align.conversion}', 'align.conversion'),
	('steps', '{align.conversion}', 'setof record'),
	('steps', '{align.conversion, double precision}', 'setof record'),
	('step_rates', '{align.conversion}', 'setof record'),
	('step_rates', '{align.conversion, double precision}', 'setof record'),
	('conversion_to_jsonb', '{align.conversion}', 'jsonb'),
	('jsonb_to_conversion', '{jsonb}', 'align.conversion')) AS f (name, arguments, result);

SELECT is_aggregate('align', 'conversion_agg', '{align.lead, text[], interval, text, timestamp with time zone}'::name[], 'conversion_agg is an aggregate');
SELECT is_aggregate('align', 'funnel_conversion_agg', '{align.lead, align.funnel, timestamp with time zone}'::name[], 'funnel_conversion_agg is an aggregate');
SELECT is_aggregate('align', 'rollup', '{align.conversion}'::name[], 'rollup is an aggregate');

-- steps() has exactly the columns of the contract, in both forms; step_rates() has more at their end
SELECT is(columns, 'step integer, name text, entered bigint, reached bigint, dropped bigint, still_open bigint, step_rate double precision, overall_rate double precision, '
	'lower double precision, upper double precision, median_time interval, p90_time interval, mean_time interval, amount numeric' || CASE WHEN signature ~ 'step_rates' THEN ', decided_rate double precision, matured_n bigint, matured_reached bigint, '
	'matured_rate double precision, matured_lower double precision, matured_upper double precision' ELSE '' END, 'columns of ' || signature)
FROM (SELECT p.oid::regprocedure::text AS signature, string_agg(name || ' ' || type::regtype, ', ' ORDER BY n) AS columns
	FROM pg_catalog.pg_proc p, unnest(proargnames, proallargtypes, proargmodes) WITH ORDINALITY c (name, type, mode, n)
	WHERE pronamespace = 'align'::regnamespace AND proname IN ('steps', 'step_rates') AND mode = 't' GROUP BY p.oid) s ORDER BY signature;

-- the transition type is the type itself, without final function: so partial results can be shipped by anything that ships values
SELECT is((SELECT count(*) FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
	WHERE p.prorettype = 'align.conversion'::regtype AND a.aggtranstype = 'align.conversion'::regtype AND a.aggfinalfn = 0 AND a.aggcombinefn <> 0
		AND a.aggserialfn = 0 AND a.agginitval IS NULL AND p.proparallel = 's'), 4::bigint, 'four aggregates over the type itself, with combine functions, parallel safe');

SELECT is((SELECT array_agg(castcontext::text) FROM pg_catalog.pg_cast WHERE 'align.conversion'::regtype IN (castsource, casttarget)), '{e,e}', 'casts to and from jsonb are explicit');
SELECT is((SELECT count(*) FROM pg_catalog.pg_opclass WHERE opcintype = 'align.conversion'::regtype AND opcdefault), 2::bigint, 'default btree and hash operator classes');
SELECT is((SELECT count(*) FROM pg_catalog.pg_operator WHERE oprleft = 'align.conversion'::regtype), 6::bigint, 'six operators');
SELECT is((SELECT count(*) FROM pg_catalog.pg_proc WHERE pronamespace = 'align'::regnamespace AND proname IN ('steps', 'step_rates', 'way_times', 'conversion_to_jsonb', 'jsonb_to_conversion')
	AND provolatile = 'i' AND proisstrict AND proparallel = 's'), 7::bigint, 'accessors are immutable, strict and parallel safe');

-- an answer, end to end
CREATE TEMP TABLE journeys AS SELECT j::align.lead AS journey FROM unnest(ARRAY[
	'{2026-01-01T00:00:00Z mql, 2026-01-03T00:00:00Z customer worth 10}', '{2026-01-01T00:00:00Z mql}', NULL]) j;
PREPARE answer AS SELECT step, name, entered, reached, dropped, still_open, step_rate, overall_rate, median_time, p90_time, mean_time, amount
	FROM align.steps((SELECT align.conversion_agg(journey, '{mql,customer}', '7 days', 'ordered', '2026-02-01 00:00Z') FROM journeys));
SELECT results_eq('answer', $$VALUES (1, 'mql', 2::bigint, 2::bigint, 1::bigint, 0::bigint, 1::float8, 1::float8, NULL::interval, NULL::interval, NULL::interval, 10::numeric),
	(2, 'customer', 1, 1, 0, 0, 0.5, 0.5, '2 days', '2 days', '2 days', 10)$$, 'two leads, one dropped, one won');

PREPARE rates AS SELECT step, decided_rate, matured_n, matured_reached, matured_rate
	FROM align.step_rates((SELECT align.conversion_agg(journey, '{mql,customer}', '7 days', 'ordered', '2026-02-01 00:00Z') FROM journeys));
SELECT results_eq('rates', $$VALUES (1, 0.5::float8, 2::bigint, 2::bigint, 1::float8), (2, NULL, 2, 1, 0.5)$$, 'and the rates of those whose window is over');

-- passages, gaps, excluded stages and a calendar
PREPARE passages AS SELECT step, name, entered, reached, dropped, still_open
	FROM align.steps((SELECT align.conversion_agg(journey, '{mql,sal?,customer|client}', '1 month', 'strict', '2026-02-01 00:00Z', '{1 day,NULL}', '{lost}', 'passages', 'Europe/Berlin') FROM journeys));
SELECT results_eq('passages', $$VALUES (1, 'mql', 2::bigint, 2::bigint, 0::bigint, 1::bigint), (2, 'sal?', 0, 1, 0, 0), (3, 'client|customer', 1, 1, 0, 0)$$, 'one passage is still open after a month of the calendar');
PREPARE way AS SELECT n, mean_time, median_time, p90_time FROM align.way_times((SELECT align.conversion_agg(journey, '{mql,customer}', '7 days', 'ordered', '2026-02-01 00:00Z') FROM journeys));
SELECT results_eq('way', $$VALUES (1::bigint, '2 days'::interval, '2 days'::interval, '2 days'::interval)$$, 'the whole way');
PREPARE classes AS SELECT * FROM align.histogram((SELECT align.conversion_agg(journey, '{mql,customer}', '7 days', 'ordered', '2026-02-01 00:00Z') FROM journeys), 2, '{2 days}');
SELECT results_eq('classes', $$VALUES (1, NULL::interval, '2 days'::interval, 0::bigint), (2, '2 days', NULL, 1)$$, 'a class begins with its lower bound');

-- what goes wrong, by code
SELECT throws_ok(query, code, NULL, query || ' fails with ' || code) FROM (VALUES
	($$SELECT 'x'::align.conversion$$, '22P02'),
	($$SELECT align.conversion_agg(journey, NULL, NULL, NULL, now()) FROM journeys$$, '22004'),
	($$SELECT align.conversion_agg(journey, '{a}', NULL, NULL, NULL) FROM journeys$$, '22004'),
	($$SELECT align.conversion_agg(journey, '{a}', '1 month', NULL, now()) FROM journeys$$, '22023'),
	($$SELECT align.conversion_agg(journey, '{a}', NULL, NULL, 'infinity') FROM journeys$$, '22008'),
	($$SELECT align.conversion_agg(journey, '{a?,b}', NULL, NULL, now()) FROM journeys$$, '22023'),
	($$SELECT align.conversion_agg(journey, '{a,b}', NULL, NULL, now(), '{1 day,1 day}', NULL, NULL, NULL) FROM journeys$$, '22023'),
	($$SELECT align.conversion_agg(journey, '{a,b}', NULL, NULL, now(), NULL, '{b}', NULL, NULL) FROM journeys$$, '22023'),
	($$SELECT align.conversion_agg(journey, '{a,b}', NULL, NULL, now(), NULL, NULL, 'deals', NULL) FROM journeys$$, '22023'),
	($$SELECT align.conversion_agg(journey, '{a,b}', '1 month', NULL, now(), NULL, NULL, NULL, 'Nowhere') FROM journeys$$, '22023'),
	($$SELECT align.conversion_agg(journey, array_fill('a'::text, '{65}'), NULL, NULL, now()) FROM journeys$$, '54000'),
	($$SELECT align.histogram(align.conversion_agg(journey, '{a,b}', NULL, NULL, now()), 1, '{1 day}') FROM journeys$$, '22023'),
	($$SELECT align.funnel_conversion_agg(journey, NULL, now()) FROM journeys$$, '22004'),
	($$SELECT align.steps(align.conversion_agg(journey, '{a}', NULL, NULL, now()), 1) FROM journeys$$, '22023'),
	($$SELECT align.rollup(c) FROM (SELECT align.conversion_agg(journey, steps, NULL, NULL, now()) c FROM journeys, (VALUES ('{a}'::text[]), ('{b}')) s (steps) GROUP BY steps) s$$, '22000')) e (query, code);

SELECT is_empty($$SELECT * FROM align.steps((SELECT align.conversion_agg(journey, '{a}', NULL, NULL, now()) FROM journeys WHERE false))$$, 'no leads, no rows');

SELECT * FROM finish();
ROLLBACK;
