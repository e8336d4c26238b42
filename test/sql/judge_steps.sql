-- Steps: their language, modes, gaps, excluded stages, passages and time zones.
SET search_path = align, public;
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS align;

-- A step is a stage, several, or optional.  The steps that a conversion has are
-- what was understood.
CREATE FUNCTION pg_temp.understood(steps text[], mode text DEFAULT NULL) RETURNS text LANGUAGE sql
	RETURN (SELECT substring(conversion_agg('{2026-01-01T00:00:00Z x}', steps, NULL, mode, '2026-02-01')::text, 'steps (.*) as of'));
SELECT steps, pg_temp.understood(steps)
FROM (VALUES ('{sal}'::text[]), ('{"Sales Accepted"}'), ('{" padded "}'), ('{""}'), ('{" "}'), (ARRAY['Who? (cold)']), (ARRAY['5" pipe']), ('{sal|sql}'), ('{sql|sal|sql}'),
	('{" sal | sql "}'), ('{a,sql?,b}'), ('{a," sql ? ",b}'), ('{a,sal|sql?,b}'), (ARRAY['"a|b"']), (ARRAY['"a|b"|c']), (ARRAY[' "a" ']), (ARRAY['x', '"why?"?', 'y']), (ARRAY['"why?"']), (ARRAY['"a ""b"""']),
	(ARRAY['a|"b"', 'c']), (ARRAY['x|a"b']), (ARRAY['é|ü'])) v (steps);
-- The names that steps() shows.
SELECT step, name FROM steps((SELECT conversion_agg('{2026-01-01T00:00:00Z x}', ARRAY['x', 'sql|sal', 'demo?', '"a|b"|"c?"?', 'Who? (cold)', '"a|b"'], NULL, NULL, '2026-02-01')));
-- What is no step.
CREATE FUNCTION pg_temp.fail(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m text; d text; h text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n    ', SQLSTATE || ' ' || m, nullif(d, ''), nullif(h, ''));
END $$;
\pset format unaligned
\pset tuples_only on
SELECT step, pg_temp.fail(format('SELECT progress(''{2026-01-01T00:00:00Z x}'', %L::text[], NULL, NULL, ''2026-02-01'')', ARRAY['x', step, 'y']))
FROM unnest(ARRAY['?', ' ? ', '|', 'a|', '|a', 'a||b', 'a?|b', '"a', '"a"b', '"a"?b', '""', 'a|""?', '"', '"a"?|b', (SELECT string_agg('s' || i, '|') FROM generate_series(1, 65) i)]) step;
SELECT pg_temp.fail($$SELECT progress('{2026-01-01T00:00:00Z x}', '{x?,y}', NULL, NULL, '2026-02-01')$$);
SELECT pg_temp.fail($$SELECT progress('{2026-01-01T00:00:00Z x}', '{x,y?}', NULL, NULL, '2026-02-01')$$);
SELECT pg_temp.fail($$SELECT progress('{2026-01-01T00:00:00Z x}', '{x,y?,z}', NULL, 'any', '2026-02-01')$$);
\pset format aligned
\pset tuples_only off

-- Modes, in any order and spelling; peers' names.
SELECT mode, substring(pg_temp.understood('{a,b}', mode), 'mode .*')
FROM unnest(ARRAY[NULL, '', 'ordered', 'strict', 'STRICT', 'increase,strict', 'strict no_repeat increase', 'reuse', 'any', 'any, reuse, strict', 'strict_order', 'strict_deduplication', 'strict_increase', 'strict_once', 'strict_order, allow_reentry', 'default', 'fixed', 'deduplication']) mode;

-- Each mode by one lead: a, b, x, b, c.
SELECT mode, level, times, status
FROM unnest('{ordered,strict,no_repeat,any}'::text[]) mode,
	LATERAL progress('{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z b, 2026-01-03T00:00:00Z x, 2026-01-04T00:00:00Z b, 2026-01-05T00:00:00Z c}', '{a,b,c}', NULL, mode, '2026-02-01') p;
SELECT mode, level, times, status
FROM unnest('{ordered,increase,reuse,any}'::text[]) mode,
	LATERAL progress('{2026-01-01T00:00:00Z a, 2026-01-01T00:00:00Z b, 2026-01-05T00:00:00Z c}', '{a,b,b|c}', NULL, mode, '2026-02-01') p;

-- Optional steps: the lead that skips one reaches it, and does not enter it.
SELECT step, name, entered, reached, dropped, still_open, mean_time
FROM steps((SELECT conversion_agg(l::lead, '{a,b?,c}', '30 days', NULL, '2026-01-20') FROM unnest(ARRAY[
	'{2026-01-01T00:00:00Z a, 2026-01-03T00:00:00Z b, 2026-01-04T00:00:00Z c}', '{2026-01-01T00:00:00Z a, 2026-01-08T00:00:00Z c}',
	'{2026-01-01T00:00:00Z a, 2026-01-05T00:00:00Z b}', '{2026-01-01T00:00:00Z a}', '{2026-01-01T00:00:00Z b}']) l));

-- Gaps and excluded stages: an attempt that cannot get on is dropped, until another begins.
SELECT journey, p.* FROM (VALUES
	('{2026-01-01T00:00:00Z a, 2026-01-03T00:00:00Z b}'),
	('{2026-01-01T00:00:00Z a, 2026-01-03T00:00:00.000001Z b}'),
	('{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z a, 2026-01-04T00:00:00Z b, 2026-01-20T00:00:00Z c}'),
	('{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z b, 2026-01-03T00:00:00Z lost}'),
	('{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z b, 2026-01-03T00:00:00Z lost, 2026-01-04T00:00:00Z c}'),
	('{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z b, 2026-01-03T00:00:00Z junk, 2026-01-30T00:00:00Z a}'),
	('{2026-01-01T00:00:00Z lost}')) v (journey),
	LATERAL progress(journey::lead, '{a,b,c}', NULL, NULL, '2026-01-31', '{2 days,NULL}', '{lost|junk}', NULL) p;

-- Passages: each entry into the first step begins one.
SELECT p.* FROM passages('{2026-01-01T00:00:00Z ~ "c" worth 3, 2026-01-02T00:00:00Z a, 2026-01-03T00:00:00Z b worth 10, 2026-01-04T00:00:00Z c, 2026-01-05T00:00:00Z a, 2026-01-06T00:00:00Z b, 2026-01-07T00:00:00Z a worth 20, 2026-01-08T00:00:00Z lost, 2026-01-09T00:00:00Z c, 2026-01-10T00:00:00Z a}',
	'{a,b?,c}', NULL, NULL, '2026-01-31', NULL, '{lost}', NULL) p;
SELECT * FROM passages('{2026-01-02T00:00:00Z b}', '{a,b}', NULL, NULL, '2026-01-31', NULL, NULL, NULL);
SELECT * FROM passages(NULL, '{a,b}', NULL, NULL, '2026-01-31', NULL, NULL, NULL);
SELECT conversion_agg(l::lead, '{a,b}', NULL, NULL, '2026-01-31', NULL, NULL, count, NULL) FROM unnest(ARRAY[
	'{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z a, 2026-01-03T00:00:00Z b}', '{2026-01-01T00:00:00Z b}']) l, unnest('{leads,passages}'::text[]) count GROUP BY count ORDER BY count;
SELECT conversion_agg('{2026-01-01T00:00:00Z b}'::lead, '{a,b}', NULL, NULL, '2026-01-31', NULL, NULL, 'passages', NULL) IS NULL AS no_passage;

-- Months and days of a calendar: to the same clock time.  The clocks of Berlin
-- go forward on 29 March 2026.
SELECT at, zone, level FROM unnest('{2026-03-29 10:00:00Z,2026-03-29 10:00:00.000001Z,2026-03-29 11:00:00Z,2026-03-29 11:00:00.000001Z}'::timestamptz[]) at, unnest('{Europe/Berlin,europe/berlin,UTC,NULL}'::text[]) zone,
	LATERAL (SELECT lead_agg(t, s) FROM (VALUES ('2026-03-28 11:00Z'::timestamptz, 'a'), (at, 'b')) v (t, s)) l (journey),
	LATERAL progress(journey, '{a,b}', '1 day', NULL, '2026-04-30', NULL, NULL, zone) p;
SELECT at, level FROM unnest('{2026-02-28 23:00Z,2026-02-28 23:00:00.000001Z}'::timestamptz[]) at,
	LATERAL (SELECT lead_agg(t, s) FROM (VALUES ('2026-01-30 23:00Z'::timestamptz, 'a'), (at, 'b')) v (t, s)) l (journey),
	LATERAL progress(journey, '{a,b}', NULL, NULL, '2026-04-30', '{1 month}', NULL, 'UTC') p;
-- A zone that is not needed does not matter.
SELECT a OPERATOR(align.=) b AS equal FROM (SELECT conversion_agg(l, '{a,b}', '36 hours', NULL, '2026-01-31', '{NULL}', '{}', 'leads', 'Europe/Berlin') AS a, conversion_agg(l, '{a,b}', '1 day 12 hours', 'ordered', '2026-01-31') AS b FROM (VALUES ('{2026-01-01T00:00:00Z a}'::lead)) v (l)) s;

-- Arguments.
\pset format unaligned
\pset tuples_only on
SELECT rest, pg_temp.fail(format('SELECT progress(''{2026-01-01T00:00:00Z a}'', ''{a,b,c}'', %s)', rest))
FROM unnest(ARRAY[
	$$NULL, 'sideways', now(), NULL, NULL, NULL$$,
	$$NULL, 'ordered, reuse', now(), NULL, NULL, NULL$$,
	$$NULL, NULL, NULL, NULL, NULL, NULL$$,
	$$NULL, NULL, now(), '{1 day}', NULL, NULL$$,
	$$NULL, NULL, now(), '{{1 day,1 day}}', NULL, NULL$$,
	$$NULL, NULL, now(), '{1 day,-1 day}', NULL, NULL$$,
	$$NULL, NULL, now(), '{1 day,1 month}', NULL, NULL$$,
	$$NULL, NULL, now(), '{1 day,178000000 days}', NULL, NULL$$,
	$$NULL, 'any', now(), '{1 day,1 day}', NULL, NULL$$,
	$$NULL, 'any', now(), '{NULL,NULL}', NULL, NULL$$,
	$$NULL, NULL, now(), NULL, '{b}', NULL$$,
	$$NULL, NULL, now(), NULL, '{x?}', NULL$$,
	$$NULL, NULL, now(), NULL, '{x,NULL}', NULL$$,
	$$NULL, NULL, now(), NULL, '{{x,y}}', NULL$$,
	$$NULL, NULL, now(), NULL, ARRAY(SELECT 's' || i FROM generate_series(1, 257) i), NULL$$,
	$$'1 month', NULL, now(), NULL, NULL, NULL$$,
	$$'1 month -1 day', NULL, now(), NULL, NULL, 'UTC'$$,
	$$'-1 month', NULL, now(), NULL, NULL, 'UTC'$$,
	$$'1 month', NULL, now(), NULL, NULL, 'Europe/Nowhere'$$,
	$$'1 month', NULL, now(), NULL, NULL, ''$$,
	$$'2147483647 days 2562047788 hours', NULL, now(), NULL, NULL, 'UTC'$$]) rest;
SELECT pg_temp.fail($$SELECT * FROM passages('{2026-01-01T00:00:00Z a}', '{a,b}', NULL, 'any', now(), NULL, NULL, NULL)$$);
SELECT pg_temp.fail($$SELECT * FROM passages('{2026-01-01T00:00:00Z a}', '{a,b,a|c}', NULL, NULL, now(), NULL, NULL, NULL)$$);
SELECT pg_temp.fail($$SELECT * FROM passages('{2026-01-01T00:00:00Z a}', '{a,b,a|c}', NULL, 'reuse', now(), NULL, NULL, NULL)$$);
SELECT pg_temp.fail($$SELECT * FROM passages(NULL, NULL, NULL, NULL, now(), NULL, NULL, NULL)$$);
SELECT pg_temp.fail($$SELECT conversion_agg('{2026-01-01T00:00:00Z a}', '{a,b}', NULL, NULL, now(), NULL, NULL, 'deals', NULL)$$);
SELECT pg_temp.fail($$SELECT conversion_agg('{2026-01-01T00:00:00Z a}', '{a,b}', NULL, 'any', now(), NULL, NULL, 'passages', NULL)$$);
\pset format aligned
\pset tuples_only off

-- 64 steps, each optional but the ends, with gaps; and 64 stages in one.
SELECT level, times[2], times[64], status FROM progress('{2026-01-01T00:00:00Z s1, 2026-01-02T00:00:00Z s64}', (SELECT array_agg('s' || i || CASE WHEN i IN (1, 64) THEN '' ELSE '?' END ORDER BY i) FROM generate_series(1, 64) i), NULL, NULL, '2026-02-01', array_fill(interval '1 day', '{63}'), NULL, NULL);
SELECT level FROM progress('{2026-01-01T00:00:00Z s64}', ARRAY[(SELECT string_agg('s' || i, '|') FROM generate_series(1, 64) i)], NULL, NULL, '2026-02-01');

-- Both searches agree: a stage that is excluded and nowhere keeps a list from
-- being simple, and changes nothing else.  Leads of up to 120 entries of 40
-- stages, from the seed 77.
CREATE FUNCTION pg_temp.dice(what text, n bigint) RETURNS int LANGUAGE sql IMMUTABLE RETURN ('x' || substr(md5('77/' || what || '/' || n), 1, 7))::bit(28)::int;
CREATE TABLE wandering AS
SELECT id, lead_agg(timestamptz '2026-01-01 00:00Z' + pg_temp.dice('at', id * 1000 + i) % (100 + 3000 * (id % 2)) * interval '1 hour',
	's' || pg_temp.dice('stage', id * 1000 + i) % CASE id % 3 WHEN 0 THEN 40 ELSE 5 END) AS journey
FROM generate_series(1, 2000) id, LATERAL generate_series(1, 1 + pg_temp.dice('n', id) % CASE id % 10 WHEN 0 THEN 120 ELSE 12 END) i GROUP BY id;
SELECT steps, within, count(*) AS leads, count(*) FILTER (WHERE a.status = 'converted') > 50 AS some_converted, count(*) FILTER (WHERE a.status = 'dropped') > 50 AS some_dropped, count(*) FILTER (WHERE a IS DISTINCT FROM b) AS different
FROM unnest('{"{s0,s1,s2}","{s0,s0,s1}","{s0|s3,s1|s0,s4}","{s2}"}'::text[]) steps, unnest('{NULL,0,3 hours,5 days,40 days}'::interval[]) within, wandering,
	LATERAL progress(journey, steps::text[], within, NULL, '2026-02-20') a, LATERAL progress(journey, steps::text[], within, NULL, '2026-02-20', NULL, '{nowhere}', NULL) b
GROUP BY steps, within ORDER BY steps, within;
SELECT steps, within, replace(b::text, ' exclude (nowhere)', '') = a::text AS same
FROM (SELECT steps, within, conversion_agg(journey, steps::text[], within, NULL, '2026-02-20') AS a, conversion_agg(journey, steps::text[], within, NULL, '2026-02-20', NULL, '{nowhere}', NULL, NULL) AS b
	FROM unnest('{"{s0,s1,s2}","{s0,s0,s1}","{s0|s3,s1|s0,s4}","{s2}"}'::text[]) steps, unnest('{NULL,0,5 days}'::interval[]) within, wandering GROUP BY steps, within) s ORDER BY steps, within;
DROP TABLE wandering;

-- Many passages, and many excluded entries, in one lead.
SELECT count(*) AS passages, count(*) FILTER (WHERE status = 'converted') AS converted, count(*) FILTER (WHERE status = 'dropped') AS dropped, max(passage) AS last
FROM (SELECT lead_agg(timestamptz '2026-01-01Z' + i * interval '1 hour', CASE WHEN i % 4 = 0 THEN 'a' WHEN i % 12 = 5 THEN 'lost' WHEN i % 4 = 3 THEN 'b' ELSE 'x' END) AS journey FROM generate_series(0, 39999) i) l,
	passages(journey, '{a,b}', '1 day', NULL, '2035-01-01', NULL, '{lost}', NULL) p;
