-- The public face of type incidence: what exists, and what it promises the planner.
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(39);

SELECT has_type('align', 'incidence', 'type incidence exists');

-- functions and aggregates, by name and arguments, and what they return
SELECT function_returns('align', name, arguments, result, format('%s(%s) returns %s', name, array_to_string(arguments, ', '), result))
FROM (VALUES
	('incidence_agg', '{interval, text}'::text[], 'align.incidence'),
	('incidence_agg', '{interval, interval, text}', 'align.incidence'),
	('rollup', '{align.incidence}', 'align.incidence'),
	('outcomes', '{align.incidence}', 'setof record'),
	('happened_by', '{align.incidence, text, interval, double precision, text}', 'record'),
	('curve', '{align.incidence, text, double precision, text}', 'setof record'),
	('median', '{align.incidence, text}', 'interval'),
	('quantile', '{align.incidence, text, double precision, double precision, text}', 'record'),
	('compare_incidence', '{align.incidence, align.incidence, text, interval, double precision}', 'record'),
	('log_rank', '{align.incidence[]}', 'record'),
	('weighted_log_rank', '{double precision, align.incidence[]}', 'record'),
	('sales_velocity', '{bigint, numeric, double precision, interval}', 'record'),
	('score_bands', '{text, integer, double precision}', 'setof record')) AS f (name, arguments, result);

SELECT is_aggregate('align', 'incidence_agg', '{interval, text}'::name[], 'incidence_agg is an aggregate');
SELECT is_aggregate('align', 'incidence_agg', '{interval, interval, text}'::name[], 'with late entries, too');
SELECT is_aggregate('align', 'rollup', '{align.incidence}'::name[], 'rollup is an aggregate');

-- the columns of results are exactly those of the contract
SELECT is(string_agg(name || ' ' || type::regtype, ', ' ORDER BY n), expected, 'columns of ' || proname)
FROM (VALUES
	('happened_by', 'rate double precision, lower double precision, upper double precision, std_error double precision, at_risk bigint'),
	('curve', 'after interval, at_risk bigint, events bigint, censored bigint, probability double precision, std_error double precision, lower double precision, upper double precision, competing bigint'),
	('quantile', 'after interval, lower interval, upper interval'),
	('outcomes', 'outcome text, cases bigint, first_after interval, last_after interval'),
	('compare_incidence', 'difference double precision, lower double precision, upper double precision, z double precision, p double precision'),
	('log_rank', 'chi2 double precision, df integer, p double precision, observed bigint[], expected double precision[]'),
	('weighted_log_rank', 'chi2 double precision, df integer, p double precision, observed double precision[], expected double precision[]'),
	('sales_velocity', 'opportunities bigint, average_amount numeric, win_rate double precision, cycle interval, per_day numeric'),
	('score_bands', 'band_no integer, band text, n bigint, happened bigint, undecided bigint, rate double precision, lower double precision, upper double precision, lift double precision')) e (proname, expected)
	JOIN pg_catalog.pg_proc p USING (proname), unnest(proargnames, proallargtypes, proargmodes) WITH ORDINALITY c (name, type, mode, n)
WHERE pronamespace = 'align'::regnamespace AND mode IN ('o', 't', 'b') GROUP BY p.oid, proname, expected ORDER BY proname;

-- the transition type is the type itself, without final function: so partial results can be shipped by anything that ships values
SELECT is((SELECT count(*) FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
	WHERE p.prorettype = 'align.incidence'::regtype AND a.aggtranstype = 'align.incidence'::regtype AND a.aggfinalfn = 0 AND a.aggcombinefn <> 0
		AND a.aggserialfn = 0 AND a.agginitval IS NULL AND p.proparallel = 's'), 3::bigint, 'three aggregates over the type itself, with combine functions, parallel safe');

-- what only reads is immutable, strict (but for inputs that are returned) and parallel safe
SELECT ok(provolatile = 'i' AND proisstrict = (proname <> 'sales_velocity') AND proparallel = 's', p.oid::regprocedure || ' is immutable and parallel safe, and strict where a NULL leaves nothing to return')
FROM pg_catalog.pg_proc p
WHERE pronamespace = 'align'::regnamespace AND proname IN ('outcomes', 'happened_by', 'curve', 'median', 'quantile', 'compare_incidence', 'log_rank', 'weighted_log_rank', 'sales_velocity') ORDER BY proname;
SELECT ok(provolatile = 'v' AND NOT proisstrict AND proparallel = 'u' AND NOT prosecdef, 'score_bands is volatile, and runs as the caller, not in parallel')
FROM pg_catalog.pg_proc p WHERE pronamespace = 'align'::regnamespace AND proname = 'score_bands';

-- a call without casts, beside a median of the user's
CREATE AGGREGATE public.median(numeric) (SFUNC = numeric_add, STYPE = numeric);
SET search_path = public, align;
SELECT is(median('{in days, open (5), outcome won (3)}', 'won'), '3 days', 'median() of literals');
SELECT is(median(n), 3.0, 'and that of the user') FROM (VALUES (1.0), (2.0)) v (n);
RESET search_path;

SELECT * FROM finish();
ROLLBACK;
