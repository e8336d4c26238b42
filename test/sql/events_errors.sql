-- Arguments that window_funnel, window_funnel_times and retention refuse.
SET search_path = align, public;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';
SET DateStyle = 'ISO, MDY';

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
CREATE TABLE event (at timestamptz, step int);
INSERT INTO event VALUES ('2026-01-01', 1), ('2026-01-02', 2), (NULL, 3);

SELECT args, pg_temp.fail(format('SELECT align.window_funnel(%s) FROM event', args))
FROM unnest(ARRAY[
	$$'1 day', 'strikt', at, step = 1$$,
	$$'1 day', 'strict; increase', at, step = 1$$,
	$$'1 day', 'ordered, reuse', at, step = 1$$,
	$$'1 day', 'any strict_once', at, step = 1$$,
	$$'-1 second', NULL, at, step = 1$$,
	$$'1 month', NULL, at, step = 1$$,
	$$'1 month -30 days', NULL, at, step = 1$$,
	$$'200000000 days', NULL, at, step = 1$$,
	$$'1 day', NULL, 'infinity'::timestamptz, step = 1$$,
	$$'1 day', NULL, '-infinity'::timestamptz, step = 1$$,
	$$'1 day', NULL, at, VARIADIC '{}'::boolean[]$$,
	$$'1 day', NULL, at, VARIADIC NULL::boolean[]$$,
	$$'1 day', NULL, at, VARIADIC '{{t,f},{f,t}}'::boolean[]$$,
	$$'1 day', NULL, at, VARIADIC array_fill(true, ARRAY[65])$$,
	$$'1 day', NULL, at, VARIADIC array_fill(NULL::boolean, ARRAY[65])$$,
	$$step * interval '1 day', NULL, at, true$$,
	$$CASE WHEN step = 1 THEN interval '1 day' END, NULL, at, true$$,
	$$'1 day', CASE step WHEN 1 THEN 'strict' END, at, true$$,
	$$'1 day', NULL, at, VARIADIC array_fill(true, ARRAY[step])$$
]) WITH ORDINALITY a(args, n) ORDER BY n;

-- Infinite times are refused only where the row matters.
SELECT align.window_funnel('1 day', NULL, 'infinity'::timestamptz, step = 9) FROM event;

-- What differs from group to group, or reads the same, is no error.
SELECT step % 2 AS odd, align.window_funnel(CASE WHEN step % 2 = 1 THEN interval '1 day' END, CASE WHEN step % 2 = 1 THEN 'strict' END, at, step = 1, step = 2) FROM event GROUP BY 1 ORDER BY 1;
SELECT align.window_funnel(CASE step WHEN 1 THEN interval '24 hours' ELSE '1 day' END, CASE step WHEN 1 THEN 'strict increase' ELSE 'strict_increase,strict_order' END, at, step = 1, step = 2) FROM event;

-- Partial states that differ, as workers could have them.
CREATE TABLE part (id int, within interval, mode text, flags boolean[]) PARTITION BY LIST (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part2 PARTITION OF part FOR VALUES IN (2);
SET enable_partitionwise_aggregate = on;
INSERT INTO part SELECT 1, '1 day', 'strict', '{t,f}' FROM generate_series(1, 100);
ANALYZE part;
CREATE FUNCTION pg_temp.differ(within interval, mode text, flags boolean[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE part2;
	INSERT INTO part VALUES (2, within, mode, flags);
	RETURN pg_temp.fail('SELECT align.window_funnel(within, mode, now(), VARIADIC flags) FROM part');
END $$;
SELECT pg_temp.differ('1 day', 'strict', '{t,f}');
SELECT pg_temp.differ('2 days', 'strict', '{t,f}');
SELECT pg_temp.differ(NULL, 'strict', '{t,f}');
SELECT pg_temp.differ('1 day', NULL, '{t,f}');
SELECT pg_temp.differ('1 day', 'strict', '{t}');
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (COSTS off, FORMAT json) ' || query INTO plan;
	RETURN plan;
END $$;
SELECT pg_temp.plan('SELECT align.window_funnel(within, mode, now(), VARIADIC flags) FROM part') ~ '"Partial Mode": "Partial"' AS partial;
SELECT pg_temp.fail('SELECT align.retention(VARIADIC flags) FROM part');

-- retention.
SELECT pg_temp.fail('SELECT align.retention(VARIADIC ''{}''::boolean[]) FROM event');
SELECT pg_temp.fail('SELECT align.retention(VARIADIC NULL::boolean[]) FROM event');
SELECT pg_temp.fail('SELECT align.retention(VARIADIC array_fill(true, ARRAY[65])) FROM event');
SELECT pg_temp.fail('SELECT align.retention(VARIADIC array_fill(true, ARRAY[step])) FROM event');

-- Their functions are not for users.
SELECT left(pg_temp.fail('SELECT align.window_funnel_final(NULL)'), 5) IN ('0A000', '42883') AS refused;
SELECT left(pg_temp.fail('SELECT align.window_funnel_trans(NULL, ''1 day'', NULL, now(), true)'), 5) IN ('0A000', '42883') AS refused;
SELECT left(pg_temp.fail('SELECT align.window_funnel_deserialise(''\x00'', NULL)'), 5) IN ('0A000', '42883') AS refused;
SELECT left(pg_temp.fail('SELECT align.retention_final(NULL)'), 5) IN ('0A000', '42883') AS refused;
DROP TABLE event, part;
