-- Type campaign: its text, binary and JSON forms, comparison, hash.
SET search_path = public, align;

SELECT 'utm_source=google&utm_medium=cpc&utm_campaign=spring'::campaign;
-- any order, any spelling; source and medium in lower case
SELECT 'utm_campaign=Spring%20Sale&utm_medium=CPC&utm_source=Google'::campaign;
SELECT 'utm_campaign=Frühling&utm_term=%c3%a4'::campaign;
SELECT 'utm_source=a&utm_medium=b&utm_campaign=c&utm_term=d&utm_content=e&utm_id=f&utm_source_platform=g&utm_creative_format=h&utm_marketing_tactic=i&referrer=j.example'::campaign::jsonb;

-- errors
SELECT ''::campaign;
SELECT 'google'::campaign;
SELECT '?utm_source=google'::campaign;
SELECT 'utm_source=google&gclid=1'::campaign;
SELECT 'utm_source=google&'::campaign;
SELECT 'utm_source=a&utm_source=a'::campaign;
SELECT 'utm_source='::campaign;
SELECT 'utm_source=+'::campaign;
SELECT 'utm_source=20%-off'::campaign;
SELECT 'utm_source=%4'::campaign;
SELECT 'utm_source=a&utm_campaign=Gesch%E4ft'::campaign;
SELECT 'utm_source=%00'::campaign;
SELECT 'utm_source=jane%40corp.example'::campaign;
SELECT 'utm_source=a&referrer=b.example'::campaign;
SELECT 'utm_source=a&utm_medium=referral&referrer=https://b.example/'::campaign;
SELECT ('utm_source=' || repeat('a', 1025))::campaign;
SELECT length(('utm_source=' || repeat('a', 1024))::campaign::text);

-- binary form
SELECT campaign_send('utm_source=a');
CREATE TABLE stored (c campaign);
INSERT INTO stored VALUES ('utm_source=a&utm_campaign=%C3%A4'), ('utm_campaign=x'), (NULL);
SELECT current_setting('data_directory') || '/align_campaign_binary.tmp' AS file \gset
COPY stored TO :'file' (FORMAT binary);
CREATE TABLE restored (LIKE stored);
COPY restored FROM :'file' (FORMAT binary);
SELECT count(*) FROM stored JOIN restored USING (c);
DROP TABLE stored, restored;

-- stored bytes: the canonical text and at most 8
SELECT max(pg_column_size(c) - length(c::text)) FROM unnest(ARRAY['utm_source=a', 'utm_source=google&utm_medium=cpc', 'utm_campaign=x']::campaign[]) AS c;

-- order and hash
SELECT c FROM unnest(ARRAY['utm_source=b', 'utm_source=a', 'utm_source=a&utm_medium=x', 'utm_source=B']::campaign[]) AS c ORDER BY c;
SELECT c, count(*) FROM unnest(ARRAY['utm_source=b', 'utm_source=a', 'utm_source=B']::campaign[]) AS c GROUP BY c ORDER BY c;
SELECT 'utm_source=a'::campaign = 'utm_source=A'::campaign AS eq, 'utm_source=a'::campaign <> 'utm_source=b'::campaign AS ne,
	'utm_source=a'::campaign < 'utm_source=b'::campaign AS lt, 'utm_source=a'::campaign >= 'utm_source=b'::campaign AS ge,
	campaign_hash('utm_source=a') = campaign_hash('utm_source=A') AS hash, campaign_hash_extended('utm_source=a', 1) = campaign_hash_extended('utm_source=A', 1) AS extended;

-- names as written: not the same campaign
SELECT count(DISTINCT c) FROM unnest(ARRAY['utm_campaign=Spring', 'utm_campaign=spring']::campaign[]) AS c;

-- indexes, joins and sorting agree with a sequential scan
CREATE TABLE touch (c campaign);
INSERT INTO touch SELECT parse_campaign('?utm_source=s' || i % 10 || '&utm_campaign=c' || i % 7) FROM generate_series(1, 1000) AS i;
CREATE INDEX touch_btree ON touch (c);
SELECT count(*), min(c::text), max(c::text) FROM touch WHERE c <= 'utm_source=s3&utm_campaign=c3' AND c > 'utm_source=s1';
SET enable_seqscan = off; SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT count(*) FROM touch WHERE c <= 'utm_source=s3&utm_campaign=c3' AND c > 'utm_source=s1';
SELECT count(*), min(c::text), max(c::text) FROM touch WHERE c <= 'utm_source=s3&utm_campaign=c3' AND c > 'utm_source=s1';
CREATE TABLE sorted AS SELECT c, row_number() OVER (ORDER BY c) AS no FROM (SELECT DISTINCT c FROM touch) d;
SELECT count(*) AS wrong FROM sorted a JOIN sorted b ON a.no < b.no WHERE NOT (a.c < b.c AND b.c > a.c AND a.c <> b.c AND a.c <= b.c AND b.c >= a.c) OR (a.c::text COLLATE "C" < b.c::text COLLATE "C") IS NOT TRUE;
SET enable_hashjoin = off; SET enable_nestloop = off;
SELECT count(*) FROM touch JOIN sorted USING (c);
RESET enable_hashjoin; SET enable_mergejoin = off;
SELECT count(*) FROM touch JOIN sorted USING (c);
DROP INDEX touch_btree;
CREATE INDEX touch_hash ON touch USING hash (c);
EXPLAIN (COSTS off) SELECT count(*) FROM touch WHERE c = 'utm_source=s3&utm_campaign=c3';
SELECT count(*) FROM touch WHERE c = 'utm_source=s3&utm_campaign=c3';
RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_nestloop; RESET enable_mergejoin;
SELECT count(*) FROM touch WHERE c = 'utm_source=s3&utm_campaign=c3';
DROP TABLE touch, sorted;

-- hostile binary forms
CREATE FUNCTION pg_temp.file() RETURNS text LANGUAGE sql AS
	$$SELECT current_setting('data_directory') || '/align_campaign_binary.tmp'$$;
CREATE TEMP TABLE received (c campaign);
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	large oid := lo_from_bytea(0, '\x5047434f50590aff0d0a00'::bytea || int4send(0) || int4send(0) ||
							   int2send(1::int2) || int4send(length(bytes)) || bytes || int2send((-1)::int2));
	result text;
BEGIN
	PERFORM lo_export(large, pg_temp.file());
	PERFORM lo_unlink(large);
	EXECUTE format('COPY received FROM %L (FORMAT binary)', pg_temp.file());
	DELETE FROM received RETURNING c INTO result;
	RETURN 'accepted: ' || result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT bytes, pg_temp.receive('\x01'::bytea || convert_to(bytes, 'UTF8')) FROM unnest('{utm_source=a,"",utm_source=,utm_source=a%00,utm_source=%C3,utm_source=%zz,utm_medium=b&utm_source=A,utm_source=a&utm_source=b,gclid=1,utm_source=a&,utm_source=max@example.com,referrer=a.example}'::text[]) AS bytes;
SELECT pg_temp.receive('\x02'::bytea || 'utm_source=a'), pg_temp.receive(''), pg_temp.receive('\x017574'), pg_temp.receive('\x01'::bytea || 'utm_source=a'::bytea || '\x0062'), pg_temp.receive('\x01'::bytea || 'utm_source=a'::bytea || '\xff');

-- no implicit cast from or to text
SELECT castsource::regtype, casttarget::regtype, castcontext FROM pg_cast WHERE 'campaign'::regtype IN (castsource, casttarget);
