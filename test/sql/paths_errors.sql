-- Bad input of every kind to the type paths and its functions.
SET search_path = align, public;

-- How an input fails: code, message, detail, hint.
CREATE FUNCTION pg_temp.fail(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text; message text; detail text; hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN code || ' ' || message || coalesce(' | ' || nullif(detail, ''), '') || coalesce(' | ' || nullif(hint, ''), '');
END $$;

-- Text.
SELECT input, pg_temp.fail(format('SELECT %L::align.paths', input)) FROM (VALUES
	(1, ''), (2, 'a'), (3, '{'), (4, '{}'), (5, '{a}'), (6, '{a conversions}'), (7, '{a conversions 0}'), (8, '{a conversions 0 nulls 0}'),
	(9, '{a > conversions 1}'), (10, '{a conversions 1'), (11, '{a conversions 1} x'), (12, '{a conversions 1,}'), (13, '{a conversions -1}'),
	(14, '{a conversions 1.5}'), (15, '{a conversions 9223372036854775808}'), (16, '{a nulls 1 conversions 1}'), (17, '{a value 1 nulls 1}'),
	(18, '{a conversions 0 value 1 nulls 1}'), (19, '{a conversions 1 value}'), (20, '{a conversions 1 value NaN}'), (21, '{a conversions 1 value 1e5}'),
	(22, '{a conversions 1 value --5}'), (23, '{a conversions 1 value 1.}'), (24, '{a conversions 9223372036854775807, b nulls 1}'),
	(25, '{a conversions 9223372036854775807 nulls 1}'), (26, '{() > a nulls 1}'), (27, '{( a ) nulls 1}'), (28, '{"a nulls 1}'), (29, '{é nulls 1}'), (30, '{1 nulls 1}'),
	(31, E'{a nulls 1,\n b > nulls}')
) AS t (id, input) ORDER BY id;
SELECT pg_temp.fail(format('SELECT %L::align.paths', '{a conversions 1 value ' || repeat('9', 131073) || '}'));

-- jsonb.
SELECT input, pg_temp.fail(format('SELECT %L::jsonb::align.paths', input)) FROM (VALUES
	(1, '1'), (2, '{}'), (3, '[]'), (4, '[1]'), (5, '[[]]'), (6, '[{}]'), (7, '[{"path": "a", "nulls": 1}]'), (8, '[{"path": [1], "nulls": 1}]'), (9, '[{"path": ["a"]}]'),
	(10, '[{"path": ["a"], "nulls": "1"}]'), (11, '[{"path": ["a"], "nulls": 1.5}]'), (12, '[{"path": ["a"], "nulls": -1}]'), (13, '[{"path": ["a"], "nulls": 1, "value": 3}]'),
	(14, '[{"path": ["a"], "nulls": 1}, {"path": ["b"], "converted": 1}]'), (15, '[{"path": ["a"], "nulls": 1}, {"path": ["b"], "nulls": 1, "conversions": 1e30}]'), (16, 'null'),
	(17, '[{"path": [["a"]], "nulls": 1}]'), (18, '[{"path": {"a": 1}, "nulls": 1}]'), (19, '[{"path": ["a"], "nulls": []}]')
) AS t (id, input) ORDER BY id;

-- Binary.  Bytes come in as a binary COPY whose only field they are.
CREATE TABLE received (p paths);
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/paths_errors.copy';
	object oid := lo_from_bytea(0, '\x5047434f50590aff0d0a000000000000000000'::bytea || '\x0001'::bytea || int4send(length(bytes)) || bytes || '\xffff'::bytea);
BEGIN
	PERFORM lo_export(object, file);
	PERFORM lo_unlink(object);
	RETURN pg_temp.fail(format('COPY received FROM %L (FORMAT binary)', file));
END $$;
CREATE TABLE good (p paths);
INSERT INTO good VALUES ('{a nulls 1}'), ('{() conversions 1 value 5 nulls 2, a > b > a conversions 3 value -1.25 nulls 400, b nulls 1, cc > a conversions 70000}');
SELECT pg_temp.receive(paths_send(p)) FROM good;
SELECT array_agg(p::text ORDER BY p) = (SELECT array_agg(p::text ORDER BY p) FROM good) AS same FROM received;
SELECT what, pg_temp.receive(bytes) FROM (VALUES
	('empty', ''::bytea), ('version 2', '\x02'), ('version 0', '\x00'), ('flags', '\x0101'), ('nothing else', '\x0100'), ('no path', '\x01000000'), ('a channel in no path', '\x01000201610162010100000100'),
	('channels in the wrong order', '\x01000201620161010201000001000000'), ('a channel twice', '\x010002016101610102000100000100'), ('a channel that is not there', '\x0100010161010101000100'),
	('no counts', '\x010001016101010000000000'), ('a path twice', '\x01000101610201000001000100000100'), ('paths in the wrong order', '\x01000101610201000001000000000100'),
	('a path before the one that it begins', '\x010001016102020000000100010000010000'), ('a value without conversions', '\x010001016101010000010131'), ('a value that is not canonical', '\x0100010161010100010002302e'),
	('too many paths', '\x0100010161ffffffff0f0100000100'), ('too many channels', '\x0100ffffffff070161'), ('a long path', '\x010001016101ffffff070000'), ('more than a bigint', '\x01000101610101008080808080808080800100'),
	('more than a bigint together', '\x0100010161010100ffffffffffffffff7f0100'), ('bytes that are no text', '\x01000101ff010100000100'), ('a zero byte', '\x0100010100010100000100')) AS t (what, bytes);
-- Every truncation is refused, and so is every superfluous byte.
SELECT count(*), count(*) FILTER (WHERE answer = 'no error') AS accepted
FROM good, generate_series(0, length(paths_send(p)) - 1) n, pg_temp.receive(substr(paths_send(p), 1, n)) answer;
SELECT pg_temp.receive(paths_send(p) || '\x00') FROM good;
-- Every change of one byte is refused, or makes another good value.
TRUNCATE received;
SELECT count(*) > 200 AS many, count(DISTINCT split_part(answer, ' | ', 2)) > 12 AS for_many_reasons
FROM good, generate_series(0, length(paths_send(p)) - 1) at, unnest('{1,2,3,4,16,64,128,255}'::int[]) flip,
	pg_temp.receive(set_byte(paths_send(p), at, get_byte(paths_send(p), at) # flip)) answer
WHERE answer <> 'no error';
SELECT count(*) > 50 AS some_pass, bool_and(p::text::paths = p) AS and_are_good FROM received;
-- Stored bytes are checked as well: a corrupt page makes an error, not a crash.
CREATE CAST (bytea AS paths) WITHOUT FUNCTION;
CREATE TABLE stored AS
SELECT set_byte(stored, at, get_byte(stored, at) # flip)::paths AS p
FROM good, LATERAL (SELECT substr(paths_send(p), 2) AS stored) s, generate_series(0, length(stored) - 1) at, unnest('{1,2,4,16,64,128,255}'::int[]) flip
UNION ALL SELECT substr(paths_send(p), 2, n)::paths FROM good, generate_series(0, length(paths_send(p)) - 2) n;
SELECT what, count(*) FILTER (WHERE answer <> 'no error') > 100 AS refused, count(*) FILTER (WHERE answer = 'no error') > 50 AS some_pass
FROM stored, (VALUES ('p::text'), ('p::jsonb'), ('path_counts(p)'), ('markov(p, 2)'), ('shapley(p)'), ('(SELECT rollup(p))')) AS w (what), LATERAL (SELECT pg_temp.fail(format('SELECT %s FROM stored WHERE ctid = %L', what, stored.ctid)) AS answer) f
GROUP BY what ORDER BY what;
SELECT pg_temp.fail($$SELECT '\x01'::bytea::align.paths::text$$);
SELECT pg_temp.fail($$SELECT '\x'::bytea::align.paths::text$$);
DROP CAST (bytea AS paths);

-- Aggregates and functions.
SELECT query, pg_temp.fail(query) FROM unnest(ARRAY[
	$$SELECT align.paths_agg('{{a,b},{c,d}}', true, 1)$$,
	$$SELECT align.paths_agg('{a}', true, 'NaN')$$,
	$$SELECT align.paths_agg('{a}', true, 'Infinity')$$,
	$$SELECT align.paths_agg('{a}', -1, 1, 1)$$,
	$$SELECT align.paths_agg('{a}', 1, 1, -1)$$,
	$$SELECT align.paths_agg('{a}', 0, 1, 1)$$,
	$$SELECT align.paths_agg('{a}', 1, '-Infinity', 1)$$,
	$$SELECT align.paths_agg('{a}', 9223372036854775807, NULL, x) FROM generate_series(0, 1) x$$,
	$$SELECT align.rollup(p) FROM unnest('{"{a nulls 9223372036854775807}","{b nulls 1}"}'::align.paths[]) p$$,
	$$SELECT align.markov('{a nulls 1}', 0)$$,
	$$SELECT align.markov('{a nulls 1}', 5)$$,
	$$SELECT align.paths_agg_trans(NULL, '{a}', true, 1)$$,
	$$SELECT align.paths_agg_trans(NULL, '{a}', NULL, 1)$$,
	$$SELECT align.paths_combine(NULL, '{a nulls 1}')$$]) AS query;
DROP TABLE received, good, stored;
