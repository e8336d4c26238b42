-- The public face of type funnel: what exists, and what it promises the planner.
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(71);

SELECT has_type('align', 'funnel', 'type funnel exists');

-- functions, by name and arguments, and what they return
SELECT function_returns('align', name, arguments, result, format('%s(%s) returns %s', name, array_to_string(arguments, ', '), result))
FROM (VALUES
	('stages', '{align.funnel}'::text[], 'setof record'),
	('moves', '{align.funnel}', 'setof record'),
	('handoffs', '{align.funnel}', 'setof record'),
	('service_levels', '{align.funnel}', 'setof record'),
	('targets', '{align.funnel}', 'setof record'),
	('agreed_targets', '{align.funnel}', 'setof record'),
	('target_teams', '{align.funnel}', 'setof record'),
	('target_mix', '{align.funnel}', 'setof record'),
	('fiscal_year_begins', '{align.funnel}', 'integer'),
	('period_start', '{align.funnel, text, date}', 'date'),
	('period_end', '{align.funnel, text, date}', 'date'),
	('channels', '{align.funnel}', 'setof record'),
	('stage_name', '{align.funnel, text}', 'text'),
	('stage_kind', '{align.funnel, text}', 'text'),
	('stage_position', '{align.funnel, text}', 'integer'),
	('stage_team', '{align.funnel, text}', 'text'),
	('can_move', '{align.funnel, text, text}', 'boolean'),
	('next_stages', '{align.funnel, text}', 'text[]'),
	('route', '{align.funnel, text, text}', 'text[]'),
	('hours', '{align.funnel}', 'align.calendar'),
	('hours', '{align.funnel, text}', 'align.calendar'),
	('diff', '{align.funnel, align.funnel}', 'setof record'),
	('mermaid', '{align.funnel}', 'text'),
	('funnel_to_jsonb', '{align.funnel}', 'jsonb'),
	('jsonb_to_funnel', '{jsonb}', 'align.funnel')) AS f (name, arguments, result);

-- output columns, in order
SELECT is((SELECT string_agg(n || ' ' || format_type(t, NULL), ', ' ORDER BY i) FROM pg_proc, unnest(proargnames, proallargtypes, proargmodes) WITH ORDINALITY AS a(n, t, m, i)
	WHERE pronamespace = 'align'::regnamespace AND proname = name AND pg_proc.proargtypes[0] = 'align.funnel'::regtype AND m = 't'), columns, name || ' has its columns')
FROM (VALUES
	('stages', 'stage_position integer, stage text, kind text, team text, on_success_path boolean, is_entry boolean, labels text[], needs text[]'),
	('moves', 'from_stage text, stage text, is_success boolean, needs text[]'),
	('handoffs', 'handoff text, stage text, from_team text, to_team text, accept text[], reject text[], reasons text[], due text, warn text'),
	('service_levels', 'sla text, team text, starts text[], stops text[], pauses text[], due text, warn text'),
	('targets', 'team text, metric text, goal numeric, unit text, per text, within interval'),
	('agreed_targets', 'team text, kind text, stage text, from_stage text, sla text, goal numeric, unit text, per text, within interval'),
	('target_teams', 'target_no integer, team text'),
	('target_mix', 'stage text, segment text, share double precision'),
	('channels', 'channel text, source text, medium text, name text'),
	('diff', 'change text, what text, before text, after text')) AS t (name, columns);

SELECT is((SELECT array_agg(castcontext::text) FROM pg_catalog.pg_cast
	WHERE 'align.funnel'::regtype IN (castsource, casttarget)), '{e,e}', 'casts to and from jsonb are explicit');
SELECT is((SELECT count(*) FROM pg_proc WHERE pronamespace = 'align'::regnamespace AND ('align.funnel'::regtype = ANY (proargtypes::oid[]) OR prorettype = 'align.funnel'::regtype)
	AND proname ~ '^(funnel_|jsonb_to_funnel|stages|moves|handoffs|service_levels|targets|agreed_targets|target_|fiscal_year|period_|channels|stage_|can_move|next_stages|route|hours|diff|mermaid)' AND proname !~ '_agg|funnel_progress|funnel_conversion|funnel_credit'
	AND (provolatile, proisstrict, proparallel) <> ('i', true, 's')), 0::bigint, 'all are immutable, strict and parallel safe');

SELECT is('stage a; won w; success path a -> w;'::align.funnel::text, E'stage a;\nwon w;\nsuccess path a -> w;', 'text in and out');
SELECT ok('stage a; won w; success path a->w;'::align.funnel OPERATOR(align.=) 'stage a; won w; success path a -> w;', 'equal');
SELECT throws_ok($$SELECT 'stage a; won w; success path a -> x;'::align.funnel$$, '42704', 'invalid funnel: unknown stage "x" at character 35', 'unknown stage');
SELECT throws_ok($$SELECT 'stage a, b won w;'::align.funnel$$, '22P02', 'invalid input syntax for type funnel: expected ";" at character 12', 'syntax error');
SELECT is('channel p when name ''n'' and source ''s*''; stage a; won w; success path a -> w;'::align.funnel::text,
	E'stage a;\nwon w;\nsuccess path a -> w;\nchannel p when source ''s*'' and name ''n'';', 'a channel');
PREPARE targets AS SELECT * FROM align.targets('stage a held by x; stage b held by y; won w; success path a -> b -> w; target x, y: 5000 amount of w per quarter; target y: 30% from a to w per week;');
SELECT results_eq('targets', $$VALUES ('x, y', 'amount of w', 5000::numeric, 'amount', 'quarter', NULL::interval), ('y', 'a to w', 30, '%', 'week', NULL)$$, 'a joint target of an amount');
SELECT is(ARRAY(SELECT share FROM align.target_mix('stage a; won w; success path a -> w; segment s: ''1''; mix of w: 70% other, 30% s;')), '{0.3,0.7}', 'a mix');
SELECT is(align.fiscal_year_begins('stage a; won w; success path a -> w; fiscal year begins April;'), 4, 'a fiscal year');
SELECT is(align.fiscal_year_begins('stage a; won w; success path a -> w;'), 1, 'or that of the calendar');
SELECT is(align.period_start('stage a; won w; success path a -> w; fiscal year begins April;', 'year', '2026-03-31'), '2025-04-01', 'when it began');
SELECT is(align.period_end('stage a; won w; success path a -> w; fiscal year begins April;', 'quarter', '2026-03-31'), '2026-04-01', 'when a quarter of it ends');
SELECT throws_ok($$SELECT align.period_start('stage a; won w; success path a -> w;', 'hour', '2026-03-31')$$, '22023', 'unknown period "hour"', 'unknown period');
SELECT throws_ok($$SELECT 'stage a; won w; success path a -> w; mix of w: 101% other;'::align.funnel$$, '22023', 'invalid funnel: shares of "w" add up to more than 100% at character 48', 'a mix of too much');
SELECT throws_ok($$SELECT 'stage a held by x; won w; success path a -> w; target x, x: 1 w per day;'::align.funnel$$, '42710', 'invalid funnel: team "x" is named twice at character 58', 'a team twice');
SELECT throws_ok($$SELECT align.stage_kind('stage a; won w; success path a -> w;', 'x')$$, '42704', 'unknown stage "x"', 'unknown label');

-- Stored values: compressed and out of line, partitioned, in an array, in a domain, as the key of an index.
CREATE TABLE funnel_store (id int PRIMARY KEY, f align.funnel UNIQUE);
INSERT INTO funnel_store SELECT i, ('stage a' || i || ', b; won w; success path a' || i || ' -> b -> w;')::align.funnel FROM generate_series(1, 500) AS i;
SELECT throws_ok($$INSERT INTO funnel_store SELECT 501, f FROM funnel_store WHERE id = 7$$, '23505', NULL, 'a unique index knows equal agreements');
SELECT is((SELECT count(*) FROM funnel_store WHERE align.can_move(f, 'a' || id, 'b')), 500::bigint, 'a call site that sees many agreements');
CREATE TABLE funnel_long (f align.funnel);
INSERT INTO funnel_long SELECT ('stage ' || string_agg('"stage ' || md5(i::text) || '"', ', ' ORDER BY i) || '; won w; success path "stage ' || md5('1') || '" -> w; path any -> '
	|| string_agg('"stage ' || md5(i::text) || '"', ', ' ORDER BY i) || ';')::align.funnel FROM generate_series(1, 199) AS i;
SELECT cmp_ok((SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'funnel_long'::regclass), '>', 0::bigint, 'a long agreement is stored out of line');
SELECT is((SELECT count(*) FROM funnel_long, align.moves(f)), 199 * 198 + 1::bigint, 'and read back');
SELECT is((SELECT f::text::align.funnel::text FROM funnel_long), (SELECT f::text FROM funnel_long), 'and parsed again');
CREATE DOMAIN small_funnel AS align.funnel CHECK (length(VALUE::text) < 100);
SELECT throws_ok($$SELECT (SELECT f FROM funnel_long)::small_funnel$$, '23514', NULL, 'a domain over it');
SELECT is((ARRAY(SELECT f FROM funnel_store ORDER BY id))[7]::text, (SELECT f::text FROM funnel_store WHERE id = 7), 'an array of it');
CREATE TABLE funnel_parts (f align.funnel) PARTITION BY HASH (f);
CREATE TABLE funnel_part_0 PARTITION OF funnel_parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE funnel_part_1 PARTITION OF funnel_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO funnel_parts SELECT f FROM funnel_store;
SELECT is((SELECT count(*) FROM funnel_parts), 500::bigint, 'hash partitions');
SELECT cmp_ok((SELECT count(*) FROM funnel_part_0), '>', 100::bigint, 'of about one size');

-- Soft errors, where the server has them.
CREATE FUNCTION pg_temp.soft(question text, document text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format(question, quote_literal(document)) INTO answer;
	RETURN answer;
END $$;
SELECT CASE WHEN current_setting('server_version_num')::int < 160000 THEN skip('soft errors arrived in PostgreSQL 16', 1)
	ELSE is(pg_temp.soft('SELECT pg_input_is_valid(%s, ''align.funnel'')', document), valid::text, 'soft: ' || valid || ' for ' || document) END
FROM (VALUES ('stage a; won w; success path a -> w;', true), ('stage a', false), ('stage a; won w; success path a -> x;', false),
	('stage "a; won w;', false), ('stage a; won w; success path a -> w; channel p when source '''';', false), ('hours ''Mo-Fr''; stage a; won w; success path a -> w;', false)) AS t (document, valid);
SELECT CASE WHEN current_setting('server_version_num')::int < 160000 THEN skip('soft errors arrived in PostgreSQL 16', 1)
	ELSE is(pg_temp.soft('SELECT message FROM pg_input_error_info(%s, ''align.funnel'')', document), message, 'soft message for ' || document) END
FROM (VALUES ('stage a; won w; success path a -> x;', 'invalid funnel: unknown stage "x" at character 35'),
	('stage a; won w; success path a -> w; channel p when name ''x'' and name ''y'';', 'invalid funnel: a second "name" at character 66'),
	('hours ''Mo-Fr''; stage a; won w; success path a -> w;', 'invalid input syntax for type funnel: hours are not a valid calendar at character 7')) AS t (document, message);

SELECT * FROM finish();
ROLLBACK;
