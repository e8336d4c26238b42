-- The public face of type lead: what exists, and what it promises the planner.
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(43);

SELECT has_type('align', 'lead', 'type lead exists');

-- functions, by name and arguments, and what they return
SELECT function_returns('align', name, arguments, result, format('%s(%s) returns %s', name, array_to_string(arguments, ', '), result))
FROM (VALUES
	('current_stage', '{align.lead}'::text[], 'text'),
	('stage_at', '{align.lead, timestamp with time zone}', 'text'),
	('since', '{align.lead}', 'timestamp with time zone'),
	('reached', '{align.lead, text}', 'boolean'),
	('time_in', '{align.lead, text, timestamp with time zone}', 'interval'),
	('time_between', '{align.lead, text, text}', 'interval'),
	('working_time_between', '{align.lead, text, text, align.calendar}', 'interval'),
	('path', '{align.lead}', 'text[]'),
	('touchless', '{align.lead, align.funnel}', 'boolean'),
	('entries', '{align.lead}', 'setof record'),
	('entry_segments', '{align.lead}', 'setof record'),
	('touches', '{align.lead}', 'setof record'),
	('transitions', '{align.lead}', 'setof record'),
	('lead_to_jsonb', '{align.lead}', 'jsonb'),
	('jsonb_to_lead', '{jsonb}', 'align.lead'),
	('lead_agg', '{timestamp with time zone, text}', 'align.lead'),
	('lead_agg', '{timestamp with time zone, text, text, text}', 'align.lead'),
	('lead_agg', '{timestamp with time zone, text, text, text, text, numeric}', 'align.lead'),
	('lead_agg', '{timestamp with time zone, text, bigint}', 'align.lead'),
	('lead_agg', '{timestamp with time zone, text, text, text, text, numeric, bigint, text[]}', 'align.lead'),
	('rollup', '{align.lead}', 'align.lead')) AS f (name, arguments, result);

SELECT is_aggregate('align', 'lead_agg', arguments, 'lead_agg is an aggregate')
FROM (VALUES ('{timestamp with time zone, text}'::name[]), ('{timestamp with time zone, text, text, text}'),
	('{timestamp with time zone, text, text, text, text, numeric}'), ('{timestamp with time zone, text, bigint}'),
	('{timestamp with time zone, text, text, text, text, numeric, bigint, text[]}')) AS a (arguments);
SELECT is_aggregate('align', 'rollup', '{align.lead}'::name[], 'rollup is an aggregate');

SELECT is((SELECT array_agg(castcontext::text) FROM pg_catalog.pg_cast
	WHERE 'align.lead'::regtype IN (castsource, casttarget)), '{e,e}', 'casts to and from jsonb are explicit');

SELECT is((SELECT count(*) FROM pg_catalog.pg_aggregate WHERE aggfnoid::oid IN (
		SELECT oid FROM pg_catalog.pg_proc WHERE pronamespace = 'align'::regnamespace AND proname = 'lead_agg')
	AND aggcombinefn <> 0 AND aggserialfn <> 0 AND aggdeserialfn <> 0 AND aggtransspace > 0 AND aggfinalmodify = 'r'), 6::bigint,
	'every lead_agg can run in parts and says how much memory a group takes');
SELECT is((SELECT count(*) FROM pg_catalog.pg_proc p WHERE pronamespace = 'align'::regnamespace
	AND ('align.lead'::regtype = ANY (proargtypes) OR prorettype = 'align.lead'::regtype)
	AND proname ~ '^(lead|jsonb_to_lead|rollup|current_stage|stage_at|since|reached|time_|working_time_between|path|touch|entries|transitions)'
	AND (provolatile <> 'i' OR proparallel <> 's')), 0::bigint, 'all are immutable and parallel safe');
SELECT is((SELECT typstorage::text FROM pg_catalog.pg_type WHERE oid = 'align.lead'::regtype), 'x', 'long journeys are compressed and moved out of line');
SELECT set_eq($$SELECT amname::text FROM pg_catalog.pg_opclass JOIN pg_catalog.pg_am am ON am.oid = opcmethod
	WHERE opcintype = 'align.lead'::regtype AND opcdefault$$, '{btree, hash}'::text[], 'default operator classes');

-- columns of the set-returning functions
SELECT is((SELECT array_agg(a ORDER BY n) FROM pg_catalog.pg_proc, unnest(proargnames) WITH ORDINALITY AS u (a, n)
	WHERE oid = 'align.entries(align.lead)'::regprocedure AND proargmodes[n] = 't'),
	'{entry, at, stage, team, reason, campaign, amount, ordinal, version}', 'columns of entries');
SELECT is((SELECT array_agg(a ORDER BY n) FROM pg_catalog.pg_proc, unnest(proargnames) WITH ORDINALITY AS u (a, n)
	WHERE oid = 'align.touches(align.lead)'::regprocedure AND proargmodes[n] = 't'),
	'{touch, at, campaign, amount}', 'columns of touches');
SELECT is((SELECT array_agg(a ORDER BY n) FROM pg_catalog.pg_proc, unnest(proargnames) WITH ORDINALITY AS u (a, n)
	WHERE oid = 'align.transitions(align.lead)'::regprocedure AND proargmodes[n] = 't'),
	'{transition, from_stage, stage, from_at, at, duration, team, reason}', 'columns of transitions');

-- the measures of the stored form, against the two arrays that it replaces
CREATE TEMP TABLE stored AS
SELECT unit, align.lead_agg(at, stage) AS lead, array_agg(at) AS ats, array_agg(stage) AS stages
FROM (SELECT unit, lead_id, '2024-01-01'::timestamptz + lead_id * interval '3001 seconds' + k * interval '200003 seconds' * (1 + lead_id * k % 13)
		+ CASE unit WHEN 'second' THEN 0 ELSE (lead_id * 7919 + k * 104729) % 1000000 END * interval '1 microsecond' AS at,
		(ARRAY['inquiry', 'mql', 'sal', 'sql', 'opportunity', 'customer', 'nurture', 'disqualified'])[1 + (lead_id * k + k) % 8] AS stage
	FROM generate_series(1, 1000) AS lead_id, generate_series(0, 9) AS k, unnest('{second, microsecond}'::text[]) AS unit) e
GROUP BY unit, lead_id;
SELECT cmp_ok((SELECT sum(pg_column_size(lead)) / sum(pg_column_size(ats) + pg_column_size(stages))::numeric FROM stored WHERE unit = 'second'), '<=', 0.4,
	'whole seconds: at most 0.4 of two arrays');
SELECT cmp_ok((SELECT sum(pg_column_size(lead)) / sum(pg_column_size(ats) + pg_column_size(stages))::numeric FROM stored WHERE unit = 'microsecond'), '<=', 0.6,
	'microseconds: at most 0.6 of two arrays');

-- errors that tests elsewhere rely on
SELECT throws_ok($$SELECT '{}'::align.lead$$, '22P02');
SELECT throws_ok($$SELECT align.lead_agg('infinity', 'mql')$$, '22008', 'time of a lead''s entry must be finite');
SELECT throws_ok($$SELECT align.lead_agg(now(), 'mql', NULL, NULL, NULL, 'NaN')$$, '22003', 'amount of a lead''s entry must be a finite number');
SELECT throws_ok($$SELECT '[{"at": "2026-03-01T09:00:00Z"}]'::jsonb::align.lead$$, '22023', 'cannot cast jsonb to lead');
SELECT throws_ok($$SELECT align.time_in('{2026-03-01T09:00:00Z mql}'::align.lead, 'mql', 'infinity')$$, '22008', 'as_of must be finite');

SELECT * FROM finish();
ROLLBACK;
