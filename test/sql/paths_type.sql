-- The type paths: text, binary and jsonb forms, comparison; functions on paths that
-- are arrays.
SET search_path = align, public;

-- Text: canonical whatever the order; equal paths are added up.
SELECT input::paths FROM unnest(ARRAY[
	'{a conversions 1}', '{() nulls 1}', ' { ( )conversions 3 , a>b nulls 2 } ', '{b nulls 1, a nulls 1, () nulls 1, a > b nulls 1, B nulls 1}',
	'{a conversions 1 value 1.50, a conversions 2 value 0.5 nulls 1, a nulls 4}', '{a conversions 1 value +007.00}', '{a conversions 1 value -0.0}',
	'{"paid search" > "a""b" > "" > "Ünï > cödé" > conversions > value > nulls conversions 1}', '{A-b > a_ > "-" > "1" > "x->" > x- nulls 1}',
	'{a conversions 9223372036854775806, b nulls 1}', '{a conversions 1 value 123456789012345678901234567890.123456789, a conversions 1 value 0.000000001}',
	'{a conversions 0 nulls 5}', '{"()" nulls 1}', '{a > a > a > a nulls 1, a > a nulls 1, a > a > b nulls 1}']) AS input;

-- What is written is read back, to the byte.
CREATE TEMP TABLE several AS
SELECT i, paths_agg(ARRAY(SELECT chr(97 + (hashint4extended(i * 1000 + j * 10 + k, 7) & 15)::int) || CASE WHEN k % 3 = 0 THEN ' ü"' ELSE '' END FROM generate_series(1, (hashint4extended(i * 100 + j, 8) & 7)::int) k),
	(hashint4extended(i * 100 + j, 9) & 3), CASE WHEN hashint4extended(i * 100 + j, 9) & 3 > 0 AND j % 2 = 0 THEN (hashint4extended(j, 10) % 100000) / 1000.0 END, (hashint4extended(i * 100 + j, 11) & 3)) AS p
FROM generate_series(1, 40) i, generate_series(1, 30) j GROUP BY i;
SELECT count(*) AS values, count(DISTINCT p) AS different, bool_and(p::text::paths = p) AS text, bool_and(p::jsonb::paths = p) AS json,
	bool_and((SELECT paths_agg(path, conversions, value, nulls) FROM path_counts(p)) = p) AS rows, bool_and(p::text::paths::text = p::text) AS same_text FROM several;
SELECT p.* FROM path_counts('{() nulls 2, a > b conversions 1 value 2.50, "c d" conversions 3 nulls 4}') AS p;
SELECT p.* FROM path_counts(NULL) AS p;
SELECT jsonb_pretty('{() nulls 2, a > "b\c" conversions 1 value 2.50}'::paths::jsonb);
SELECT '[{"path": ["b"], "conversions": null, "nulls": 2}, {"nulls": 0, "path": [], "conversions": 1, "value": 3e2}, {"path": ["b"], "conversions": 1, "value": 1.10}]'::jsonb::paths;

-- Binary COPY and back.
CREATE TEMP TABLE several_copy (LIKE several);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/paths_type.bin';
BEGIN
	EXECUTE format('COPY several TO %L (FORMAT binary)', file);
	EXECUTE format('COPY several_copy FROM %L (FORMAT binary)', file);
END $$;
SELECT count(*), bool_and(a.p = b.p AND a.p::text = b.p::text) AS same FROM several a JOIN several_copy b USING (i);
-- In another encoding.
TRUNCATE several_copy;
INSERT INTO several VALUES (41, '{"é" > z nulls 1, "ÿ" nulls 1, "z" > "é" conversions 1 value 2, "µ" nulls 3}');
SET client_encoding = LATIN1;
DO $$
DECLARE
	file text := current_setting('data_directory') || '/paths_type.bin';
BEGIN
	EXECUTE format('COPY several TO %L (FORMAT binary)', file);
	EXECUTE format('COPY several_copy FROM %L (FORMAT binary)', file);
END $$;
RESET client_encoding;
SELECT count(*), bool_and(a.p = b.p AND a.p::text = b.p::text) AS same FROM several a JOIN several_copy b USING (i);
-- In KOI8-R these letters have another order; a database of that encoding has them in it.
INSERT INTO several VALUES (42, '{"а" > "ю" conversions 1, "б" nulls 1}');
SET client_encoding = KOI8R;
SELECT encode(paths_send(p), 'hex') FROM several WHERE i = 42;
DO $$
DECLARE
	file text := current_setting('data_directory') || '/paths_type.bin';
BEGIN
	EXECUTE format('COPY (SELECT * FROM several WHERE i = 42) TO %L (FORMAT binary)', file);
	EXECUTE format('COPY several_copy FROM %L (FORMAT binary)', file);
END $$;
RESET client_encoding;
SELECT p FROM several_copy WHERE i = 42;
SELECT encode(paths_send('{() nulls 1, b > a conversions 2 value 1.5 nulls 300}'), 'hex');

-- Comparison is by bytes, one order for all.
SELECT a < b OR a > b OR a = b AS comparable, (a < b)::int + (a = b)::int + (a > b)::int AS exactly_one, (a <= b) = (a < b OR a = b) AS le, (a >= b) = NOT (a < b) AS ge, (a <> b) = NOT (a = b) AS ne,
	paths_cmp(a, b) = -paths_cmp(b, a) AS antisymmetric, (paths_hash(a) = paths_hash(b) AND paths_hash_extended(a, 5) = paths_hash_extended(b, 5)) = (a = b) AS hash, count(*)
FROM (SELECT x.p AS a, y.p AS b FROM several x, several y WHERE x.i <= 15 AND y.i <= 15) s GROUP BY 1, 2, 3, 4, 5, 6, 7;
SELECT count(DISTINCT p), (SELECT count(*) FROM (SELECT p FROM several UNION SELECT p FROM several) u) AS union_ FROM several;
SET enable_hashjoin = off; SET enable_nestloop = off;
SELECT count(*) FROM several a JOIN several b USING (p);
RESET enable_hashjoin; RESET enable_nestloop;
CREATE INDEX ON several USING hash (p);
CREATE INDEX ON several (p);

-- A large value is compressed and stored out of line, and read the same.
CREATE TEMP TABLE large AS SELECT paths_agg(ARRAY[i::text, (i * 7 % 1000)::text, 'x'], i % 3 = 0, i) AS p FROM generate_series(1, 20000) i;
SELECT pg_column_size(p) > 100000 AS large, (SELECT sum(conversions) FROM path_counts(p)) AS conversions, p::text::paths = p AS same FROM large;
-- More than 256 and than 65,536 channels.
SELECT n, (SELECT count(*) FROM path_counts(p)) AS paths, p::text::paths = p AS same, (SELECT array_agg(path ORDER BY o) = array_agg(path ORDER BY path COLLATE "C") FROM path_counts(p) WITH ORDINALITY c (path, conversions, value, nulls, o)) AS in_order
FROM (SELECT n, paths_agg(ARRAY['c' || (i % 10 + 10 * (i % 7)), 'c' || i], false, NULL) AS p FROM unnest('{100, 1000, 70000}'::int[]) n, generate_series(1, n) i GROUP BY n) s ORDER BY n;

-- Changing paths before they are counted.
SELECT path, collapse_repeats(path), distinct_channels(path), last_channels(path, 2) FROM (VALUES
	('{}'::text[]), ('{a}'), ('{a,a,a}'), ('{a,b,a,a,b,b,c}'), ('{NULL}'), ('{a,NULL,a,NULL,b,NULL}'), ('{"",NULL,"",a}'), ('[5:7]={a,a,b}'), ('{a,A,"a "}'), (NULL)) AS t (path);
SELECT last_channels('{a,b,c}', n) FROM unnest('{0, 1, 3, 4, 2147483647}'::int[]) n;
-- Long ones, against plain SQL.
SELECT count(*), bool_and(collapse_repeats(p) = (SELECT array_agg(c ORDER BY o) FROM (SELECT c, o, lag(c) OVER (ORDER BY o) AS before FROM unnest(p) WITH ORDINALITY u (c, o)) s WHERE before IS DISTINCT FROM c)) AS collapsed,
	bool_and(distinct_channels(p) = (SELECT array_agg(c ORDER BY first) FROM (SELECT c, min(o) AS first FROM unnest(p) WITH ORDINALITY u (c, o) GROUP BY c) s)) AS distinct_, bool_and(last_channels(p, i) = p[greatest(1, cardinality(p) - i + 1):]) AS last
FROM (SELECT i, ARRAY(SELECT (ARRAY['a', 'bb', ''])[1 + (hashint4extended(i * 1000 + j, 1) & 1)] || (hashint4extended(i * 1000 + j, 2) & 15)::text FROM generate_series(1, i) j) AS p FROM generate_series(1, 60) i) s;
SELECT last_channels('{a}', -1);
SELECT collapse_repeats('{{a,b},{c,d}}');
-- A chain of order 1 does not see repeats, one of order 2 does; shapley sees which channels there are.
SELECT rpad(f, 12) AS changed, (SELECT bool_and(abs(a.conversions - b.conversions) < 1e-9) FROM markov(p) a JOIN markov(q) b USING (channel)) AS markov_1, (SELECT bool_and(abs(a.conversions - b.conversions) < 1e-9) FROM markov(p, 2) a JOIN markov(q, 2) b USING (channel)) AS markov_2,
	(SELECT bool_and(abs(a.conversions - b.conversions) < 1e-9) FROM shapley(p) a JOIN shapley(q) b USING (channel)) AS shapley
FROM (SELECT rollup(p) AS p FROM several) s, LATERAL (
	SELECT 'collapsed' AS f, paths_agg(collapse_repeats(path), conversions, value, nulls) AS q FROM path_counts(p) UNION ALL
	SELECT 'distinct', paths_agg(distinct_channels(path), conversions, value, nulls) FROM path_counts(p) UNION ALL
	SELECT 'last two', paths_agg(last_channels(path, 2), conversions, value, nulls) FROM path_counts(p)) c;
