-- The public face of credit, touches and rates: what exists, and what it promises the planner.
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(39);

SELECT function_returns('align', name, arguments, result, format('%s(%s) returns %s', name, array_to_string(arguments, ', '), result))
FROM (VALUES
	('credit', '{align.lead, text, interval, interval, text[]}'::text[], 'setof record'),
	('funnel_credit', '{align.lead, align.funnel, text, interval, interval, text[]}', 'setof record'),
	('credit_agg', '{align.lead, text}', 'align.campaign_credit[]'),
	('credit_agg', '{align.lead, text, interval}', 'align.campaign_credit[]'),
	('credit_agg', '{align.lead, text, interval, interval}', 'align.campaign_credit[]'),
	('credit_agg', '{align.lead, text, interval, interval, text[]}', 'align.campaign_credit[]'),
	('funnel_credit_agg', '{align.lead, align.funnel, text}', 'align.campaign_credit[]'),
	('funnel_credit_agg', '{align.lead, align.funnel, text, interval}', 'align.campaign_credit[]'),
	('funnel_credit_agg', '{align.lead, align.funnel, text, interval, interval}', 'align.campaign_credit[]'),
	('funnel_credit_agg', '{align.lead, align.funnel, text, interval, interval, text[]}', 'align.campaign_credit[]'),
	('touches', '{align.lead, align.funnel}', 'setof record'),
	('first_touch', '{align.lead}', 'record'),
	('last_touch', '{align.lead, timestamp with time zone}', 'record'),
	('decisive_touch', '{align.lead, align.funnel}', 'record'),
	('wilson', '{bigint, bigint, double precision}', 'record'),
	('compare_rates', '{bigint, bigint, bigint, bigint, double precision}', 'record')) AS f (name, arguments, result);

SELECT is_aggregate('align', name, arguments, name || ' is an aggregate')
FROM (VALUES ('credit_agg'::name, '{align.lead, text}'::name[]), ('credit_agg', '{align.lead, text, interval}'), ('credit_agg', '{align.lead, text, interval, interval}'), ('credit_agg', '{align.lead, text, interval, interval, text[]}'),
	('funnel_credit_agg', '{align.lead, align.funnel, text}'), ('funnel_credit_agg', '{align.lead, align.funnel, text, interval}'), ('funnel_credit_agg', '{align.lead, align.funnel, text, interval, interval}'), ('funnel_credit_agg', '{align.lead, align.funnel, text, interval, interval, text[]}')) AS a (name, arguments);
SELECT is((SELECT count(*) FROM pg_catalog.pg_aggregate WHERE aggfnoid::oid IN (
		SELECT oid FROM pg_catalog.pg_proc WHERE pronamespace = 'align'::regnamespace AND proname ~ '^(funnel_)?credit_agg$')
	AND aggcombinefn <> 0 AND aggserialfn <> 0 AND aggdeserialfn <> 0 AND aggtransspace > 0 AND aggfinalmodify = 'r'), 8::bigint,
	'every credit_agg can run in parts and says how much memory a group takes');
SELECT is((SELECT count(*) FROM pg_catalog.pg_proc p WHERE pronamespace = 'align'::regnamespace
	AND proname ~ '^((funnel_)?credit|touches|first_touch|last_touch|decisive_touch|wilson|compare_rates)'
	AND (provolatile <> 'i' OR proparallel <> 's')), 0::bigint, 'all are immutable and parallel safe');

-- columns
SELECT is((SELECT array_agg(a ORDER BY n) FROM pg_catalog.pg_proc, unnest(proargnames) WITH ORDINALITY AS u (a, n)
	WHERE oid = f::regprocedure AND proargmodes[n] IN ('t', 'o')), columns::text[], 'columns of ' || f)
FROM (VALUES ('align.credit(align.lead,text,interval,interval,text[])', '{touch, at, campaign, channel, share, amount}'),
	('align.funnel_credit(align.lead,align.funnel,text,interval,interval,text[])', '{touch, at, campaign, channel, share, amount}'),
	('align.touches(align.lead,align.funnel)', '{touch, at, campaign, amount, campaign_source, campaign_medium, campaign_name, channel}'),
	('align.first_touch(align.lead)', '{touch, at, campaign}'), ('align.last_touch(align.lead,timestamptz)', '{touch, at, campaign}'), ('align.decisive_touch(align.lead,align.funnel)', '{touch, at, campaign}'),
	('align.wilson(bigint,bigint,float8)', '{rate, lower, upper}'), ('align.compare_rates(bigint,bigint,bigint,bigint,float8)', '{difference, lower, upper, z, p}')) AS v (f, columns);
SELECT is((SELECT array_agg(attname || ' ' || format_type(atttypid, atttypmod) ORDER BY attnum) FROM pg_catalog.pg_attribute WHERE attrelid = 'align.campaign_credit'::regclass AND attnum > 0),
	'{campaign text, channel text, touches bigint, conversions double precision, amount numeric}'::text[], 'columns of campaign_credit');

-- calls that must not be ambiguous, with plain literals
SELECT lives_ok(sql, sql) FROM (VALUES
	($$SELECT * FROM align.credit('{2026-01-01T00:00:00Z ~ a, 2026-01-02T00:00:00Z b}', 'linear', '30 days')$$),
	($$SELECT * FROM align.credit('{2026-01-01T00:00:00Z ~ a, 2026-01-02T00:00:00Z b}', model => 'u_shaped', milestones => '{b}')$$),
	($$SELECT align.credit_agg('{2026-01-01T00:00:00Z ~ a, 2026-01-02T00:00:00Z b}', 'linear', '30 days', '7 days')$$),
	($$SELECT align.wilson(1, 2), align.compare_rates(1, 2, 3, 4), align.compare_rates(1, 2, 3, 4, 0.9)$$)) AS v (sql);

SELECT * FROM finish();
ROLLBACK;
