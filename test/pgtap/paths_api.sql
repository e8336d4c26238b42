-- The public face of type paths: what exists, and what it promises the planner.
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(29);

SELECT has_type('align', 'paths', 'type paths exists');

-- functions and aggregates, by name and arguments, and what they return
SELECT function_returns('align', name, arguments, result, format('%s(%s) returns %s', name, array_to_string(arguments, ', '), result))
FROM (VALUES
	('paths_agg', '{text[], boolean, numeric}'::text[], 'align.paths'),
	('paths_agg', '{text[], bigint, numeric, bigint}', 'align.paths'),
	('rollup', '{align.paths}', 'align.paths'),
	('path_counts', '{align.paths}', 'setof record'),
	('markov', '{align.paths, integer}', 'setof record'),
	('shapley', '{align.paths}', 'setof record'),
	('collapse_repeats', '{text[]}', 'text[]'),
	('distinct_channels', '{text[]}', 'text[]'),
	('last_channels', '{text[], integer}', 'text[]'),
	('paths_to_jsonb', '{align.paths}', 'jsonb'),
	('jsonb_to_paths', '{jsonb}', 'align.paths')) AS f (name, arguments, result);
SELECT is_aggregate('align', 'paths_agg', '{text[], boolean, numeric}'::name[], 'paths_agg is an aggregate');
SELECT is_aggregate('align', 'paths_agg', '{text[], bigint, numeric, bigint}'::name[], 'paths_agg of counts is an aggregate');
SELECT is_aggregate('align', 'rollup', '{align.paths}'::name[], 'rollup is an aggregate');

-- the columns of the functions that return rows
SELECT is((SELECT string_agg(name || ' ' || type::regtype, ', ' ORDER BY n)
	FROM pg_catalog.pg_proc p, unnest(proargnames, proallargtypes, proargmodes) WITH ORDINALITY c (name, type, mode, n)
	WHERE pronamespace = 'align'::regnamespace AND proname = f.name AND mode = 't'), columns, 'columns of ' || f.name)
FROM (VALUES
	('markov', 'channel text, removal_effect double precision, conversions double precision, value numeric'),
	('shapley', 'channel text, conversions double precision, value numeric'),
	('path_counts', 'path text[], conversions bigint, value numeric, nulls bigint')) AS f (name, columns);

-- the transition type is the type itself, without final function: so partial results can be shipped by anything that ships values
SELECT is((SELECT count(*) FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
	WHERE p.prorettype = 'align.paths'::regtype AND a.aggtranstype = 'align.paths'::regtype AND a.aggfinalfn = 0 AND a.aggcombinefn <> 0
		AND a.aggserialfn = 0 AND a.agginitval IS NULL AND p.proparallel = 's'), 3::bigint, 'three aggregates over the type itself, with combine functions, parallel safe');
SELECT is((SELECT array_agg(castcontext::text) FROM pg_catalog.pg_cast WHERE 'align.paths'::regtype IN (castsource, casttarget)), '{e,e}', 'casts to and from jsonb are explicit');
SELECT is((SELECT count(*) FROM pg_catalog.pg_opclass WHERE opcintype = 'align.paths'::regtype AND opcdefault), 2::bigint, 'default btree and hash operator classes');
SELECT is((SELECT count(*) FROM pg_catalog.pg_operator WHERE oprleft = 'align.paths'::regtype), 6::bigint, 'six operators');
SELECT is((SELECT count(*) FROM pg_catalog.pg_proc WHERE pronamespace = 'align'::regnamespace AND proname IN ('path_counts', 'markov', 'shapley', 'collapse_repeats', 'distinct_channels', 'last_channels', 'paths_to_jsonb', 'jsonb_to_paths')
	AND provolatile = 'i' AND proisstrict AND proparallel = 's'), 8::bigint, 'functions are immutable, strict and parallel safe');

-- answers, end to end
CREATE TEMP TABLE leads AS SELECT * FROM (VALUES (ARRAY['Email', 'Direct'], true, 10), (ARRAY['Email'], false, NULL), (NULL, true, 5), (ARRAY['Direct'], NULL, 7)) AS l (path, won, amount);
PREPARE counts AS SELECT path, conversions, value, nulls FROM align.path_counts((SELECT align.paths_agg(path, won, amount) FROM leads));
SELECT results_eq('counts', $$VALUES ('{}'::text[], 1::bigint, 5::numeric, 0::bigint), ('{Email}', 0, NULL, 1), ('{Email,Direct}', 1, 10, 0)$$, 'three paths; the open lead is in none');
PREPARE markov AS SELECT channel, removal_effect, conversions, value FROM align.markov((SELECT align.paths_agg(path, won, amount) FROM leads));
SELECT results_eq('markov', $$VALUES ('(none)', NULL::float8, 1::float8, 5::numeric), ('Direct', 0.5, 0.5, 5), ('Email', 0.5, 0.5, 5)$$, 'markov');
PREPARE shapley AS SELECT channel, conversions, value FROM align.shapley((SELECT align.paths_agg(path, won, amount) FROM leads));
SELECT results_eq('shapley', $$VALUES ('(none)', 1::float8, 5::numeric), ('Direct', 0.5, 5), ('Email', 0.5, 5)$$, 'shapley');

-- what goes wrong, by code
SELECT throws_ok(query, code, NULL, query || ' fails with ' || code) FROM (VALUES
	($$SELECT 'x'::align.paths$$, '22P02'),
	($$SELECT align.markov('{a nulls 1}', 9)$$, '22023'),
	($$SELECT align.collapse_repeats('{{a}}')$$, '2202E')) AS e (query, code);

SELECT * FROM finish();
ROLLBACK;
