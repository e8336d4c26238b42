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

-- a table, with an index
CREATE TABLE touch (c campaign);
INSERT INTO touch SELECT parse_campaign('?utm_source=s' || i % 10) FROM generate_series(1, 1000) AS i;
CREATE INDEX ON touch (c);
CREATE INDEX ON touch USING hash (c);
SET enable_seqscan = off;
SELECT count(*) FROM touch WHERE c = 'utm_source=s3';
DROP TABLE touch;

-- no implicit cast from or to text
SELECT castsource::regtype, casttarget::regtype, castcontext FROM pg_cast WHERE 'campaign'::regtype IN (castsource, casttarget);
