-- Bad input of every kind to the type conversion and its functions.
SET search_path = align, public;
SET TimeZone = 'UTC';

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

-- Text: grammar, with positions.
SELECT input, pg_temp.fail(format('SELECT %L::align.conversion', input)) FROM (VALUES
	(1, ''), (2, 'steps'), (3, '{'), (4, '{stages (a)}'), (5, '{steps a'), (6, '{steps ()'), (7, '{steps (a'), (8, '{steps (a,'),
	(9, '{steps ("a'), (10, '{steps (a) within 1 day'), (11, '{steps (a) mode strict'), (12, '{steps (a) mode ordered'),
	(13, '{steps (a) mode ordered within'), (14, '{steps (a) mode ordered within 1'), (15, '{steps (a) mode ordered within 1 month'),
	(16, '{steps (a) mode ordered within -1 days'), (17, '{steps (a) mode ordered within 9223372036854775808 microseconds'),
	(18, '{steps (a) mode ordered within 106751992 days'), (19, '{steps (a) mode ordered as 2026'), (20, '{steps (a) mode ordered as of today}'),
	(21, '{steps (a) mode ordered as of infinity}'), (22, '{steps (a) mode ordered as of 2026-02-30T00:00:00Z}'),
	(23, '{steps (a) mode ordered as of 294277-01-01T00:00:00Z}'),
	(24, '{steps (a) mode ordered as of 2026-03-02T00:00:00Z to 2026-03-01T00:00:00Z}'),
	(25, '{steps (a) mode ordered as of 2026-03-01T00:00:00Z level'), (26, '{steps (a) mode ordered as of 2026-03-01T00:00:00Z, step 1}'),
	(27, '{funnel (a, b)'), (28, '{funnel 00000000DEADBEEF (a, b)'), (29, '{funnel 0123456789abcde (a, b)'),
	(30, '{funnel 0123456789abcdef (a)'), (31, '{funnel 0123456789abcdef (a, b, a)'),
	(32, '{funnel 0123456789abcdef (a, b) mode ordered')
) AS t (id, input) ORDER BY id;

-- Text: levels.  What stands for HEAD is a good beginning.
SELECT input, pg_temp.fail(format('SELECT %L::align.conversion', replace(replace(replace(input,
	'HEAD', '{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z'), 'WINDOW', '{steps (a, b) mode ordered within 1 day as of 2026-03-01T00:00:00Z'), 'FUNNEL', '{funnel 0123456789abcdef (a, b) as of 2026-03-01T00:00:00Z'))) FROM (VALUES
	(1, 'HEAD}'), (2, 'HEAD, level 0}'), (3, 'HEAD, level 3 open 1}'), (4, 'HEAD, level 1 open 1, level 1 open 1}'),
	(5, 'HEAD, level 2 converted 0, level 0 open 1}'), (6, 'HEAD, level 1 open 1'), (7, 'HEAD, level 1 open 1} x'),
	(8, 'HEAD, level 1 open -1}'), (9, 'HEAD, level 1 open 9223372036854775808}'),
	(10, 'HEAD, level 0 open 9223372036854775807, level 1 open 1}'), (11, 'HEAD, level 1 converted 1}'), (12, 'HEAD, level 1 dropped 1 open 1}'),
	(13, 'HEAD, level 0 open 1 amount 5}'), (14, 'HEAD, level 0 open 1, level 1 amount 5}'), (15, 'HEAD, level 1 open 1 amount NaN}'),
	(16, 'HEAD, level 1 open 1 amount Infinity}'), (17, 'HEAD, level 1 open 1 amount 1.}'), (18, 'HEAD, level 1 open 1 amount 1e5}'),
	(19, 'HEAD, level 1 open 1 amount --5}'), (20, 'HEAD, level 1 open 1 amount}'), (21, 'HEAD, level 1 open 1 entered 1}'),
	(22, 'HEAD, level 2 converted 1}'), (23, 'HEAD, level 2 open 1 time 5 least 5 most 5 in (5)}'),
	(24, 'HEAD, level 2 dropped 1 time 5 least 5 most 5 in (5)}'), (25, 'HEAD, level 1 open 1 time 5 least 5 most 5 in (5)}'),
	(26, 'HEAD, level 1 open 1, level 2 time 5 least 5 most 5 in (5)}'), (27, 'HEAD, level 2 converted 2 time 5 least 5 most 5 in (5)}'),
	(28, 'HEAD, level 2 converted 1 time 5 least 5 most 5 in ()}'), (29, 'HEAD, level 2 converted 1 time 5 least 5 most 5 in (6)}'),
	(30, 'HEAD, level 2 converted 1 time 6 least 5 most 5 in (5)}'), (31, 'HEAD, level 2 converted 1 time 5 least 5 most 5 in (5*0)}'),
	(32, 'HEAD, level 2 converted 2 time 11 least 5 most 6 in (6, 5)}'), (33, 'HEAD, level 2 converted 2 time 11 least 5 most 6 in (5, 5)}'),
	(34, 'HEAD, level 2 converted 2 time 12 least 5 most 6 in (5, 6)}'), (35, 'HEAD, level 2 converted 1 time 5 least 6 most 5 in (5)}'),
	(36, 'HEAD, level 2 converted 1 time 9435184819200000000 least 9435184819200000000 most 9435184819200000000 in (7298)}'),
	(37, 'HEAD, level 2 converted 1 time 5 least 5 most 5 in (7299)}'), (38, 'HEAD, level 2 converted 1 time 5 least 5 most 5 in (99999999999999999999)}'),
	(39, 'HEAD, level 2 converted 1 time 340282366920938463463374607431768211456 least 5 most 5 in (5)}'),
	(40, 'HEAD, level 2 converted 1 time 5 least 5 in (5)}'), (41, 'HEAD, level 2 converted 1 time x}'),
	(42, 'HEAD, level 2 converted 4611686018427387905 time 46116860184273879050 least 10 most 10 in (10*4611686018427387905*2)}'),
	(43, 'FUNNEL, level 1 open 1}'), (44, 'FUNNEL, level 1 open 1 entered 2}'), (45, 'FUNNEL, level 2 converted 1 entered 2}'), (48, 'FUNNEL, level 2 open 1 entered 1}'), (49, 'FUNNEL, level 2 dropped 1 entered 1}'),
	(46, 'FUNNEL, level 1 open 1 entered 1, level 2 converted 1 entered 1 time 10 least 5 most 5 in (5*2)}'),
	(47, 'FUNNEL, level 0 open 1, level 1 entered 1}'),
	(50, 'HEAD matured 0, level 1 open 1}'), (51, 'HEAD, level 1 open 1 matured 1}'), (52, 'FUNNEL matured 0, level 1 open 1 entered 1}'),
	(53, 'WINDOW matured, level 1 open 1}'), (54, 'WINDOW matured 1, level 1 open 1}'), (55, 'WINDOW matured 0, level 1 open 1 matured 1}'), (56, 'WINDOW, level 1 open 1 matured 0}'),
	(57, 'WINDOW matured 2, level 1 open 1 matured 2}'), (58, 'WINDOW matured 1, level 0 open 1 matured 1}'), (59, 'WINDOW matured 1, level 1 open 1, level 2 matured 1}'),
	(60, 'WINDOW matured 9223372036854775807, level 1 open 1 matured 9223372036854775807, level 2 matured 9223372036854775807}'), (61, 'WINDOW matured 1, level 1 matured 1 open 1}')
) AS t (id, input) ORDER BY id;

-- Several lines: line and column are told.
SELECT pg_temp.fail(format('SELECT %L::align.conversion', E'{steps (a)\n mode ordered\n as off}'));

-- Limits.
SELECT pg_temp.fail(format('SELECT %L::align.conversion', '{steps (' || string_agg('s' || i, ', ') || ')')) FROM generate_series(1, 65) i;
SELECT pg_temp.fail(format('SELECT %L::align.conversion',
	'{steps (a) mode ordered as of 2026-03-01T00:00:00Z, level 1 converted 1 amount ' || repeat('9', 131073) || '}'));

-- jsonb.
SELECT input, pg_temp.fail(format('SELECT %L::jsonb::align.conversion', input)) FROM (VALUES
	(1, '1'), (2, '[]'), (3, '{}'), (4, '{"steps": 1}'), (5, '{"steps": ["a"]}'), (6, '{"steps": ["a"], "mode": "ordered"}'),
	(7, '{"steps": ["a"], "mode": "ordered", "as_of": "2026-03-01T00:00:00Z"}'),
	(8, '{"steps": ["a"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z"]}'),
	(9, '{"steps": ["a"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"]}'),
	(10, '{"steps": ["a"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [1]}'),
	(11, '{"steps": ["a"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"open": 1}]}'),
	(12, '{"steps": ["a"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 0, "open": "1"}]}'),
	(13, '{"steps": ["a"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 0, "opened": 1}]}'),
	(14, '{"steps": ["a"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 0, "open": 1}], "leads": 2}'),
	(15, '{"steps": ["a"], "mode": "ordered, level 0 open 1}", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": []}'),
	(16, '{"steps": ["a", null], "mode": "ordered"}'), (17, '{"steps": ["a"], "funnel": "x", "mode": "ordered"}'), (18, '{"stages": []}'),
	(19, '{"steps": ["a", "b"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 2, "converted": 1, "time": {"sum": 5, "least": 5, "most": 5, "in": [5]}}]}'),
	(20, '{"steps": ["a", "b"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 2, "converted": 1.5}]}'),
	(21, '{"steps": ["a"], "mode": "ordered within 5 days", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 0, "open": 1}]}'),
	(22, '{"steps": ["a"], "mode": "strict", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": []}'),
	(23, '{"steps": ["a"], "mode": "ordered", "within": "1 month", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": []}'),
	(24, '{"steps": ["a"], "funnel": "0123456789abcdef", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": []}'),
	(25, '{"steps": ["a"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "today"], "levels": []}'),
	(26, '{"steps": ["a"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 0, "open": 1}, {"level": 1, "converted": -1}]}'),
	(27, '{"steps": ["a"], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": []}'),
	(28, '{"steps": ["a"], "mode": "ordered", "within": "1 day", "matured": 2, "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 1, "converted": 3, "matured": 1}]}'),
	(29, '{"steps": ["a"], "mode": "ordered", "matured": 1, "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 1, "converted": 3, "matured": 1}]}'),
	(30, '{"steps": ["a"], "mode": "ordered", "within": "1 day", "matured": "1", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 1, "converted": 3, "matured": 1}]}'),
	(31, '{"steps": ["a"], "mode": "ordered", "within": "1 day", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 1, "converted": 3, "matured": 1}]}'),
	(32, '{"steps": [{"stages": []}], "mode": "ordered", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": []}'), (33, '{"steps": [{"stages": ["a"], "optional": 1}], "mode": "ordered"}'), (34, '{"steps": [{"stages": ["a"], "often": true}], "mode": "ordered"}'), (35, '{"steps": ["a"], "mode": "any  strict"}'), (36, '{"steps": ["a"], "mode": "any within 3 days"}'), (37, '{"steps": ["a"], "mode": "any", "within": "3 days passages"}'), (38, '{"steps": ["a"], "mode": "any", "within": "3 days zone UTC"}'),
	(39, '{"steps": ["a", "b"], "mode": "ordered", "gaps": ["none"]}'), (40, '{"steps": ["a", "b"], "mode": "ordered", "gaps": "1 day"}'), (41, '{"steps": ["a", "b"], "mode": "ordered", "count": "deals"}'), (42, '{"steps": ["a", "b"], "mode": "ordered", "exclude": ["a"], "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": []}'), (43, '{"steps": ["a", "b"], "funnel": "0123456789abcdef", "exclude": ["a"]}'),
	(44, '{"steps": [{"stages": ["a"]}, "b"], "funnel": "0123456789abcdef"}'), (45, '{"steps": ["a"], "mode": "any", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 0, "open": 1}], "way": {"sum": 1}}'), (46, '{"steps": ["a"], "mode": "any", "as_of": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"], "levels": [{"level": 0, "open": 1}], "way": []}')
) AS t (id, input) ORDER BY id;

-- Steps that are more than stages, and the times of the whole way.
SELECT input, pg_temp.fail(format('SELECT %L::align.conversion', input)) FROM (VALUES
	(1, '{steps (a|'), (2, '{steps (a?|b)'), (3, '{steps (a??)'), (4, '{steps (a, b?) mode ordered as of 2026-03-01T00:00:00Z, level 0 open 1}'), (5, '{steps (a?, b) mode ordered as of 2026-03-01T00:00:00Z, level 0 open 1}'),
	(6, '{steps (a) mode ordered, strict as of'), (7, '{steps (a) mode strict, as of'), (8, '{steps (a) mode strict_order as of'), (9, '{steps (a) mode any within 1 month'), (10, '{steps (a) mode any within 1 month 3 days zone'), (11, '{steps (a) mode any within 1 month 3 days zone "" as of'),
	(12, '{steps (a) mode any within 2147483648 months zone UTC'), (13, '{steps (a) mode any within 1 day 9223372036854775807 microseconds as of'), (14, '{steps (a, b) mode ordered gaps ()'), (15, '{steps (a, b) mode ordered gaps (1 day, 2 days)'), (16, '{steps (a, b, c) mode any gaps (1 day, none) as of'), (17, '{steps (a) mode ordered exclude (b, a) as of'),
	(18, '{steps (a) mode any passages as of'), (19, '{steps (a) mode ordered passages exclude (b)'), (20, '{steps (a, b, a) mode ordered passages as of'),
	(21, '{steps (a, b?, c) mode ordered as of 2026-03-01T00:00:00Z, level 1 open 1 entered 1}'), (22, '{steps (a, b?, c) mode ordered as of 2026-03-01T00:00:00Z, level 2 open 1}'), (23, '{steps (a, b?, c) mode ordered as of 2026-03-01T00:00:00Z, level 2 open 1 entered 2 time 4 least 2 most 2 in (2*2)}'), (24, '{steps (a, b?, c) mode ordered as of 2026-03-01T00:00:00Z, level 2 open 1 entered 1}'), (25, '{steps (a, b?, c) mode ordered as of 2026-03-01T00:00:00Z, level 3 converted 1}'),
	(26, '{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 2 converted 1 time 4 least 4 most 4 in (4), way}'), (27, '{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 1 open 1, way time 4 least 4 most 4 in (4)}'), (28, '{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, way, level 1 open 1}'), (29, '{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 1 open 1, way 1}'),
	(30, '{funnel 0123456789abcdef (a, b) as of 2026-03-01T00:00:00Z, level 1 open 1 entered 1, level 2 converted 1 entered 1, way time 8 least 4 most 4 in (4*2)}'), (31, '{funnel 0123456789abcdef (a|b, c)')
) AS t (id, input) ORDER BY id;

-- Binary.  Bytes come in as a binary COPY whose only field they are.
CREATE TABLE received (c conversion);
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/conversion_errors.copy';
	object oid := lo_from_bytea(0, '\x5047434f50590aff0d0a000000000000000000'::bytea || '\x0001'::bytea || int4send(length(bytes)) || bytes || '\xffff'::bytea);
	answer text;
BEGIN
	PERFORM lo_export(object, file);
	PERFORM lo_unlink(object);
	RETURN pg_temp.fail(format('COPY received FROM %L (FORMAT binary)', file));
END $$;
CREATE TABLE good (c conversion);
INSERT INTO good VALUES
	('{steps (mql, customer) mode ordered within 1 day as of 2026-03-01T00:00:00Z to 2026-03-02T00:00:00Z matured 6, level 1 open 7 matured 4, level 2 converted 3 matured 2 amount 1200 time 1600 least 300 most 1000 in (278*2, 506)}'),
	('{steps (mql, customer) mode ordered within 1 day as of 2026-03-01T00:00:00Z to 2026-03-02T00:00:00Z, level 1 open 7, level 2 converted 3 amount 1200 time 1600 least 300 most 1000 in (278*2, 506)}'),
	('{funnel 00000000deadbeef (mql, sal, customer) as of 2026-03-01T00:00:00Z, level 0 open 1 dropped 2, level 1 open 3 dropped 4 entered 14 amount -7.25, level 2 open 5 dropped 6 entered 11 time 30 least 10 most 20 in (10, 20), level 3 converted 4 entered 4 time 5 least 5 most 5 in (5)}'),
	('{steps (mql, sal|sql?, "é", customer) mode strict, increase within 1 month 2 days 3 hours gaps (none, 5 days, 7 hours) zone "Europe/Berlin" exclude (junk, lost) passages as of 2026-03-01T00:00:00Z matured 3, level 1 open 7 matured 1, level 2 dropped 2 matured 2 entered 3 amount 9 time 30 least 10 most 10 in (10*3), level 3 time 8 least 2 most 2 in (2*4), level 4 converted 4 time 5 least 0 most 2 in (0, 1, 2*2), way time 20 least 5 most 5 in (5*4)}'),
	('{funnel 00000000deadbeef (mql, customer) as of 2026-03-01T00:00:00Z, level 1 open 3 entered 5, level 2 converted 4 entered 4 time 5 least 5 most 5 in (5), way time 10 least 5 most 5 in (5*2)}'),
	('{steps (a, b) mode any as of 2026-03-01T00:00:00Z, level 1 open 3, way}');
SELECT pg_temp.receive(conversion_send(c)) FROM good;
SELECT array_agg(c::text ORDER BY c) = (SELECT array_agg(c::text ORDER BY c) FROM good) AS same FROM received;
SELECT pg_temp.receive('');
SELECT pg_temp.receive('\x02');
SELECT pg_temp.receive(set_byte(conversion_send(c), 1, 4)), pg_temp.receive(set_byte(conversion_send(c), 1, get_byte(conversion_send(c), 1) # 1)) FROM good;

-- Every truncation is refused, and so is every superfluous byte.
SELECT count(*), count(*) FILTER (WHERE answer = 'no error') AS accepted
FROM good, generate_series(0, length(conversion_send(c)) - 1) n, pg_temp.receive(substr(conversion_send(c), 1, n)) answer;
SELECT pg_temp.receive(conversion_send(c) || '\x00') FROM good;

-- Every change of one byte is refused, or makes another good value: never a crash, never a value that its own text form refuses.
TRUNCATE received;
SELECT count(*) > 500 AS many, count(DISTINCT split_part(answer, ' | ', 2)) > 15 AS for_many_reasons
FROM good, generate_series(0, length(conversion_send(c)) - 1) at, unnest('{1,2,4,16,64,128,255}'::int[]) flip,
	pg_temp.receive(set_byte(conversion_send(c), at, get_byte(conversion_send(c), at) # flip)) answer
WHERE answer <> 'no error';
SELECT count(*) > 50 AS some_pass, bool_and(c::text::conversion = c) AS and_are_good FROM received;

-- Stored bytes are checked as well: a corrupt page makes an error, not a crash.
CREATE CAST (bytea AS conversion) WITHOUT FUNCTION;
CREATE TABLE stored AS
SELECT set_byte(stored, at, get_byte(stored, at) # flip)::conversion AS c
FROM good, LATERAL (SELECT substr(conversion_send(c), 2) AS stored) s, generate_series(0, length(stored) - 1) at, unnest('{1,2,4,16,64,128,255}'::int[]) flip
UNION ALL SELECT substr(conversion_send(c), 2, n)::conversion FROM good, generate_series(0, length(conversion_send(c)) - 2) n;
SELECT count(*) > 1000 AS many,
	count(*) FILTER (WHERE pg_temp.fail(format('SELECT c::text FROM stored WHERE ctid = %L', ctid)) <> 'no error') > 500 AS refused,
	count(*) FILTER (WHERE pg_temp.fail(format('SELECT (steps(c)).* FROM stored WHERE ctid = %L', ctid)) = 'no error') > 50 AS some_pass
FROM stored;
SELECT pg_temp.fail($$SELECT '\x01'::bytea::conversion::text$$);
SELECT pg_temp.fail($$SELECT '\x04'::bytea::conversion::text$$);
SELECT pg_temp.fail($$SELECT (steps('\x'::bytea::conversion)).*$$);
DROP CAST (bytea AS conversion);

-- Confidence.
SELECT confidence, pg_temp.fail(format('SELECT steps(c, %L) FROM good', confidence)) FROM unnest('{0,1,-0.5,95,NaN,Infinity}'::float8[]) confidence;

-- Merging what does not count the same.
CREATE TABLE odd (id int, c conversion);
INSERT INTO odd VALUES
	(1, '{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 1 open 1}'),
	(2, '{steps (a, c) mode ordered as of 2026-03-01T00:00:00Z, level 1 open 1}'),
	(3, '{steps (a) mode ordered as of 2026-03-01T00:00:00Z, level 1 converted 1}'),
	(4, '{steps (a, b) mode ordered within 30 days as of 2026-03-01T00:00:00Z, level 1 open 1}'),
	(5, '{steps (a, b) mode ordered within 31 days as of 2026-03-01T00:00:00Z, level 1 open 1}'),
	(6, '{funnel 0123456789abcdef (a, b) as of 2026-03-01T00:00:00Z, level 1 open 1 entered 1}'),
	(7, '{funnel 0123456789abcdee (a, b) as of 2026-03-01T00:00:00Z, level 1 open 1 entered 1}'),
	(8, '{funnel 0123456789abcdef (a, c) as of 2026-03-01T00:00:00Z, level 1 open 1 entered 1}'),
	(9, '{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 0 open 9223372036854775807}');
SELECT a.id, b.id, pg_temp.fail(format('SELECT rollup(c ORDER BY id) FROM odd WHERE id IN (%s, %s)', a.id, b.id))
FROM odd a, odd b WHERE a.id < b.id ORDER BY a.id, b.id;

-- Steps that differ in one thing.
TRUNCATE odd;
INSERT INTO odd SELECT row_number() OVER (), ('{steps ' || what || ' as of 2026-03-01T00:00:00Z, level 0 open 1}')::conversion FROM unnest(ARRAY[
	'(a, b|c, d) mode ordered', '(a, b|c?, d) mode ordered', '(a, "b|c", d) mode ordered', '(a, b|c, d) mode strict', '(a, b|c, d) mode strict, reuse',
	'(a, b|c, d) mode ordered within 30 days', '(a, b|c, d) mode ordered within 30 days zone "Europe/Berlin"', '(a, b|c, d) mode ordered within 30 days zone UTC', '(a, b|c, d) mode ordered within 1 month zone UTC',
	'(a, b|c, d) mode ordered gaps (none, 1 day)', '(a, b|c, d) mode ordered gaps (none, 2 days)', '(a, b|c, d) mode ordered gaps (none, 1 day) zone UTC', '(a, b|c, d) mode ordered exclude (x)', '(a, b|c, d) mode ordered exclude (x, y)', '(a, b|c, d) mode ordered passages']) what;
SELECT count(*) AS pairs, count(*) FILTER (WHERE pg_temp.fail(format('SELECT rollup(c) FROM odd WHERE id IN (%s, %s)', a.id, b.id)) ~ '^22000 cannot merge conversions of different ') AS refused FROM odd a, odd b WHERE a.id < b.id;
SELECT a.id, b.id, pg_temp.fail(format('SELECT rollup(c ORDER BY id) FROM odd WHERE id IN (%s, %s)', a.id, b.id))
FROM odd a, odd b WHERE (a.id, b.id) IN ((1, 2), (1, 3), (1, 4), (4, 5), (1, 6), (6, 7), (7, 8), (8, 9), (1, 10), (10, 11), (10, 12), (1, 13), (13, 14), (1, 15)) ORDER BY a.id, b.id;
SELECT pg_temp.fail($$SELECT conversion_agg('{2026-01-01T00:00:00Z a}'::lead, '{a,b}', NULL, mode, '2026-02-01', NULL, NULL, NULL, NULL ORDER BY mode) FROM unnest('{increase,strict}'::text[]) mode$$);
SELECT pg_temp.fail($$SELECT conversion_agg('{2026-01-01T00:00:00Z a}'::lead, '{a,b}', NULL, NULL, '2026-02-01', NULL, exclude, NULL, NULL ORDER BY exclude) FROM (VALUES ('{x}'::text[]), ('{y}')) v (exclude)$$);
SELECT conversion_agg('{2026-01-01T00:00:00Z a}'::lead, '{a,b}', NULL, NULL, '2026-02-01', NULL, exclude, NULL, NULL ORDER BY exclude) IS NOT NULL AS same FROM (VALUES ('{x,y|x}'::text[]), ('{y,x}')) v (exclude);

-- The transition functions are for aggregates.
SELECT pg_temp.fail('SELECT conversion_combine(c, c) FROM odd');

DROP TABLE received, good, stored, odd;
