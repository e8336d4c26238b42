-- The public face of type campaign: what exists, and what it promises the planner.
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(30);

SELECT has_type('align', 'campaign', 'type campaign exists');

SELECT function_returns('align', name, arguments, result, format('%s(%s) returns %s', name, array_to_string(arguments, ', '), result))
FROM (VALUES
	('parse_campaign', '{text}'::text[], 'align.campaign'),
	('parse_campaign', '{text, text}', 'align.campaign'),
	('campaign_source', '{align.campaign}', 'text'),
	('campaign_medium', '{align.campaign}', 'text'),
	('campaign_name', '{align.campaign}', 'text'),
	('campaign_term', '{align.campaign}', 'text'),
	('campaign_content', '{align.campaign}', 'text'),
	('campaign_id', '{align.campaign}', 'text'),
	('campaign_referrer', '{align.campaign}', 'text'),
	('channel', '{align.campaign}', 'text'),
	('channel', '{align.campaign, align.funnel}', 'text'),
	('channel_rules_version', '{}', 'text'),
	('campaign_to_jsonb', '{align.campaign}', 'jsonb')) AS f (name, arguments, result);

SELECT is((SELECT count(*) FROM pg_catalog.pg_proc WHERE pronamespace = 'align'::regnamespace
	AND proname ~ '^(campaign_|parse_campaign|channel$|channel_rules)' AND (provolatile <> 'i' OR proparallel <> 's')), 0::bigint, 'all are immutable and parallel safe');
SELECT is((SELECT array_agg(oid::regprocedure::text ORDER BY oid::regprocedure::text) FROM pg_catalog.pg_proc WHERE pronamespace = 'align'::regnamespace
	AND proname ~ '^(campaign_|parse_campaign|channel$|channel_rules)' AND NOT proisstrict), '{"align.channel(align.campaign,align.funnel)","align.parse_campaign(text,text)"}',
	'an unknown referrer and no agreement may be NULL');
SELECT is((SELECT array_agg(castcontext::text) FROM pg_catalog.pg_cast WHERE 'align.campaign'::regtype IN (castsource, casttarget)), '{e}', 'the cast to jsonb is explicit');
SELECT is((SELECT typstorage::text FROM pg_catalog.pg_type WHERE oid = 'align.campaign'::regtype), 'x', 'long campaigns are compressed and moved out of line');
SELECT set_eq($$SELECT amname::text FROM pg_catalog.pg_opclass JOIN pg_catalog.pg_am am ON am.oid = opcmethod
	WHERE opcintype = 'align.campaign'::regtype AND opcdefault$$, '{btree, hash}'::text[], 'default operator classes');

-- NULLs
SELECT ok(align.parse_campaign(NULL) IS NULL, 'no address, no campaign');
SELECT ok(align.parse_campaign(NULL, NULL) IS NULL, 'nor with a referrer that is unknown');
SELECT is(align.channel(align.parse_campaign('')), 'Direct', 'an empty address is one without evidence');

-- the measure of the stored form
SELECT cmp_ok((SELECT max(pg_column_size(c) - octet_length(c::text)) FROM (SELECT align.parse_campaign('?utm_source=s' || i || '&utm_campaign=' || repeat('%C3%A4', i)) AS c FROM generate_series(1, 150) AS i) s), '<=', 8,
	'at most 8 bytes more than the canonical text');

-- it can be an expression in an index and a generated column
CREATE TEMP TABLE visit (url text, referrer text, campaign align.campaign GENERATED ALWAYS AS (align.parse_campaign(url, referrer)) STORED);
CREATE INDEX ON visit (align.channel(campaign));
INSERT INTO visit VALUES ('https://shop.example/?utm_source=Google&utm_medium=cpc', NULL), ('https://shop.example/', 'https://www.google.com/');
SELECT results_eq($$SELECT align.channel(campaign) FROM visit ORDER BY 1$$, $$VALUES ('Organic Search'), ('Paid Search')$$, 'a generated column');

-- errors that tests elsewhere rely on
SELECT throws_ok($$SELECT ''::align.campaign$$, '22P02');
SELECT throws_ok($$SELECT 'utm_source=a&gclid=1'::align.campaign$$, '22P02');
SELECT throws_ok($$SELECT 'utm_source=100%'::align.campaign$$, '22P02');
SELECT throws_ok($$SELECT ('utm_source=' || repeat('a', 1025))::align.campaign$$, '54000');
SELECT lives_ok($$SELECT align.parse_campaign('?utm_source=100%&gclid=1' || repeat('a', 100000))$$, 'dirt is no error in an address');
SELECT lives_ok($$SELECT align.parse_campaign(repeat('a', 100000), repeat('b', 100000))$$, 'nor are long texts');
SELECT * FROM finish();
ROLLBACK;
