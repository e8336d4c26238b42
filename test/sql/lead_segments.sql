-- Ordinals and segments of the entries of a lead.
SET search_path = public, align;
SET client_encoding = 'UTF8';
SET TimeZone = 'UTC';
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m text; d text; h text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(': ', SQLSTATE || ' ' || m, nullif(d, ''), nullif(h, ''));
END $$;

-- The text form: names in any order, each once, sorted by bytes.
SELECT '{2026-03-01T09:00:00Z mql by marketing because x ~ c worth 1 #3 @2 [demo, "a, ""b""]", demo,Zz ,"é",""], 2026-03-01T09:00:00Z ~ c [ demo ]}'::lead;
SELECT pg_temp.failure(format('SELECT %L::align.lead', text)) FROM unnest(ARRAY[
	'{2026-03-01T09:00:00Z mql []}', '{2026-03-01T09:00:00Z mql [a}', '{2026-03-01T09:00:00Z mql [a b]}', '{2026-03-01T09:00:00Z mql [a,]}',
	'{2026-03-01T09:00:00Z mql [a] #1}', '{2026-03-01T09:00:00Z [a]}', '{2026-03-01T09:00:00Z mql [a] [b]}']) AS text;

-- A lead without segments keeps the bytes of earlier releases; one with them has a flag.
SELECT lead_send('{2000-01-02T00:00:00Z mql}'), lead_send('{2000-01-02T00:00:00Z mql [demo]}'), lead_send('{2000-01-02T00:00:00Z mql [b, a], 2000-01-03T00:00:00Z mql [a, b]}');
SELECT lead_agg('2000-01-02', 'mql', NULL, NULL, NULL, NULL, NULL, s) = '{2000-01-02T00:00:00Z mql}'::lead FROM (VALUES (NULL::text[]), ('{}'), ('{NULL}'), ('{{NULL,NULL}}')) AS v (s) GROUP BY s;
SELECT lead_agg('2000-01-02', 'mql', NULL, NULL, NULL, NULL, NULL, s) FROM (VALUES ('{b,NULL,a,b}'::text[]), ('{{b,a},{c,a}}'), ('[5:6]={b,a}')) AS v (s);

-- Segments are compared last.
SELECT lead FROM (VALUES ('{2026-03-01T00:00:00Z a [y], 2026-03-01T00:00:00Z a @1, 2026-03-01T00:00:00Z a #1, 2026-03-01T00:00:00Z a [x, y], 2026-03-01T00:00:00Z a}'::lead)) v (lead);

-- A log's own numbers decide between equal times; NULL comes first.
SELECT lead_agg(at, stage, no), lead_agg(at, stage), lead_agg(at, stage, 't', NULL, NULL, NULL, no, NULL)
FROM (VALUES (timestamptz '2026-03-01', 'won', 3), ('2026-03-01', 'sal', 2), ('2026-03-01', 'mql', 1), ('2026-02-01', 'x', 9), ('2026-03-01', 'a', NULL), (NULL, 'b', 4), ('2026-03-01', NULL, 5)) AS v (at, stage, no);
SELECT lead_agg(at, stage, no) IS NULL FROM (SELECT now() AS at, ''::text AS stage, 1::bigint AS no WHERE false) s;
SELECT lead_agg('2026-03-01', 'a', 9223372036854775807);
SELECT pg_temp.failure(statement) FROM unnest(ARRAY[
	$$SELECT align.lead_agg('2026-03-01', 'a', 0)$$, $$SELECT align.lead_agg('2026-03-01', 'a', -1)$$, $$SELECT align.lead_agg('infinity', 'a', 1)$$,
	$$SELECT align.lead_agg('2026-03-01', 'a', NULL, NULL, NULL, NULL, 0, NULL)$$,
	$$SELECT align.lead_agg('2026-03-01', 'a', NULL, NULL, NULL, NULL, NULL, ARRAY[repeat('s', 1024 * 1024 + 1)])$$]) AS statement;

-- Reading them: entry_segments, jsonb; NULL and empty arrays in jsonb are absent.
SELECT e.* FROM entry_segments('{2026-03-01T00:00:00Z a, 2026-03-02T00:00:00Z b [x, "y z"], 2026-03-03T00:00:00Z ~ c [x]}') e;
SELECT count(*) FROM entry_segments('{2026-03-01T00:00:00Z a}') e;
SELECT '{2026-03-01T00:00:00Z a #2 [x, "y, ""z"], 2026-03-02T00:00:00Z b}'::lead::jsonb;
SELECT jsonb_to_lead('[{"at": "2026-03-01T00:00:00Z", "stage": "a", "segments": ["y", "x", "y"]}, {"at": "2026-03-02T00:00:00Z", "stage": "a", "segments": []}, {"at": "2026-03-03T00:00:00Z", "stage": "a", "segments": null}]');
SELECT pg_temp.failure(format('SELECT align.jsonb_to_lead(%L)', '[{"at": "2026-03-01T00:00:00Z", "stage": "a", "segments": ' || s || '}]')) FROM unnest(ARRAY['"x"', '{"x": 1}', '[1]', '[null]', '[["x"]]']) s;

-- rollup: an entry that lacks segments is a duplicate of the same one that has them.
SELECT rollup(lead) FROM (VALUES ('{2026-03-01T00:00:00Z a [x], 2026-03-02T00:00:00Z b}'::lead), ('{2026-03-01T00:00:00Z a, 2026-03-01T00:00:00Z a #1}'), ('{2026-03-01T00:00:00Z a [x], 2026-03-02T00:00:00Z b}'), ('{2026-03-01T00:00:00Z a by t}'), (NULL)) v (lead);
SELECT rollup(lead) FROM (VALUES ('{2026-03-01T00:00:00Z a [x]}'::lead), ('{2026-03-01T00:00:00Z a}'), ('{2026-03-01T00:00:00Z a [x, y]}')) v (lead);

-- Random rows: text, jsonb and binary round trips; any split merges to the same; the order is that of plain SQL.
-- The generator: x -> (69069 x + 1) mod 2^32.
CREATE TABLE segment_rows AS
WITH RECURSIVE random (i, x) AS (
	SELECT 1, 4711::bigint UNION ALL SELECT i + 1, (x * 69069 + 1) % 4294967296 FROM random WHERE i < 8000)
SELECT i, (x / 65536 % 400)::int AS id, (x / 65536 % 7)::int AS shard,
	timestamptz '2026-01-01' + x / 4096 % 6 * interval '10 hours' AS at,
	(ARRAY['mql', 'sal', 'a b', 'customer'])[x / 32768 % 4 + 1] AS stage,
	CASE WHEN x / 2048 % 3 > 0 THEN x / 8192 % 5 + 1 END AS ordinal,
	CASE WHEN x / 1024 % 2 = 0 THEN ARRAY(SELECT s FROM unnest(ARRAY['demo', 'big', 'x "y"', 'é', 'sal']) WITH ORDINALITY AS u(s, n) WHERE x / 512 % 32 / (1 << n::int - 1) % 2 = 1) END AS segments
FROM random;
CREATE TABLE segment_leads AS SELECT id, lead_agg(at, stage, NULL, NULL, NULL, NULL, ordinal, segments) AS lead FROM segment_rows GROUP BY id;
SELECT count(*) > 350, bool_and(lead::text::lead = lead), bool_and(lead::jsonb::lead = lead), bool_or(lead::text ~ '\[') FROM segment_leads;
SELECT count(*) FROM segment_leads l JOIN (
	SELECT id, lead_agg(at, stage, NULL, NULL, NULL, NULL, ordinal, segments) AS lead FROM (SELECT * FROM segment_rows ORDER BY i % 13, i DESC) s GROUP BY id) other USING (id) WHERE l.lead <> other.lead;
SELECT count(*) FROM (SELECT id, rollup(lead) AS lead FROM segment_leads GROUP BY id) one JOIN (
	SELECT id, rollup(part) AS lead FROM (
		SELECT id, shard % 3 AS third, rollup(part) AS part FROM (
			SELECT id, shard, lead_agg(at, stage, NULL, NULL, NULL, NULL, ordinal, segments) AS part FROM segment_rows GROUP BY id, shard) p GROUP BY id, shard % 3) q GROUP BY id) split USING (id)
WHERE one.lead <> split.lead;
-- what rollup keeps, from plain SQL
SELECT count(*) FROM (SELECT id, rollup(lead) AS lead FROM segment_leads GROUP BY id) r,
	LATERAL (SELECT count(*) AS n FROM entries(lead)) kept,
	LATERAL (SELECT count(DISTINCT (at, stage, ordinal, list)) - count(DISTINCT (at, stage, ordinal, list)) FILTER (WHERE list = '{}' AND EXISTS (
			SELECT FROM segment_rows o WHERE o.id = r.id AND (o.at, o.stage) = (s.at, s.stage) AND o.ordinal IS NOT DISTINCT FROM s.ordinal AND o.segments <> '{}')) AS n
		FROM (SELECT at, stage, ordinal, coalesce(segments, '{}') AS list FROM segment_rows WHERE id = r.id) s) want
WHERE kept.n <> want.n;
SELECT count(*) FROM segment_leads l, LATERAL (SELECT array_agg((at, coalesce(ordinal, 0)) ORDER BY entry) AS has, array_agg((at, coalesce(ordinal, 0)) ORDER BY at, coalesce(ordinal, 0)) AS want FROM entries(lead)) o WHERE o.has <> o.want;
SELECT count(*) FROM segment_leads l JOIN (SELECT id, array_agg(s ORDER BY s) AS want FROM segment_rows, unnest(segments) s GROUP BY id) w USING (id),
	LATERAL (SELECT array_agg(s ORDER BY s) AS has FROM entry_segments(lead) e, unnest(e.segments) s) g WHERE g.has <> w.want;

-- parallel plans
SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT count(*) FROM segment_leads l JOIN (SELECT id, lead_agg(at, stage, NULL, NULL, NULL, NULL, ordinal, segments) AS lead FROM segment_rows GROUP BY id) p USING (id) WHERE l.lead <> p.lead;
DROP TABLE segment_rows, segment_leads;
