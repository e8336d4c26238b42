-- Long journeys, long names, many names; and memory.
SET search_path = public, align;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\pset format unaligned
\pset tuples_only on

-- 100,000 entries: in order, in reverse, all at one instant, each with a name of its own.
CREATE TEMP TABLE long AS
SELECT kind, lead_agg(at, stage) AS lead FROM (
	SELECT 'in order' AS kind, timestamptz '2020-01-01' + i * interval '17 minutes' AS at, 'stage ' || i % 8 AS stage FROM generate_series(1, 100000) AS i
	UNION ALL SELECT 'in reverse', timestamptz '2020-01-01' - i * interval '17 minutes', 'stage ' || i % 8 FROM generate_series(1, 100000) AS i
	UNION ALL SELECT 'one instant', timestamptz '2020-01-01', 'stage ' || i * 7919 % 100003 % 1000 FROM generate_series(1, 100000) AS i
	UNION ALL SELECT 'all different', timestamptz '2020-01-01' + i * 7919 % 100003 * interval '1 second', 'stage ' || i FROM generate_series(1, 100000) AS i) s
GROUP BY kind;
SELECT kind, (SELECT count(*) FROM entries(lead)) AS entries, (SELECT count(*) FROM transitions(lead)) AS transitions, cardinality(path(lead)) AS path, current_stage(lead), since(lead)
FROM long ORDER BY kind;
SELECT kind, lead::text::align.lead = lead AS text, lead::jsonb::align.lead = lead AS jsonb,
	(SELECT rollup(l) FROM unnest(ARRAY[lead, lead]) AS l) = (SELECT rollup(l) FROM unnest(ARRAY[lead]) AS l) AS rollup
FROM long ORDER BY kind;
-- bytes an entry, beyond the dictionary
SELECT kind, octet_length(lead_send(lead)) / 100000.0 < 5 AS compact FROM long WHERE kind IN ('in order', 'in reverse', 'one instant') ORDER BY kind;

-- Names of 63 and of 10,000 bytes, some a prefix of another, some not ASCII.
CREATE TEMP TABLE named AS
SELECT n, lead_agg('2026-01-01', repeat('é', n / 2) || coalesce(suffix, ''), repeat('t', n), repeat('r', n), repeat('c', n), 1) AS lead
FROM unnest('{63, 10000}'::int[]) AS n, unnest('{a,b,NULL,ab}'::text[]) AS suffix GROUP BY n;
SELECT n, lead::text::align.lead = lead, lead::jsonb::align.lead = lead, array_to_string(ARRAY(SELECT right(stage, 2) FROM entries(lead)), ' '), reached(lead, repeat('é', n / 2)), reached(lead, repeat('é', n / 2 + 1)), octet_length(lead_send(lead))
FROM named ORDER BY n;
-- 2,000 names of 10,000 bytes, which differ at their end only
SELECT count(*), count(DISTINCT stage), min(length(stage)), max(length(stage))
FROM (SELECT lead_agg('2026-01-01', repeat('x', 9996) || lpad((i * 7 % 2000)::text, 4, '0')) AS lead FROM generate_series(1, 2000) AS i) s, entries(lead);

-- Compressed and external values read as plain ones do.
CREATE TEMP TABLE stored (how text, lead align.lead);
INSERT INTO stored SELECT kind, lead FROM long;
ALTER TABLE stored ALTER lead SET STORAGE EXTERNAL;
INSERT INTO stored SELECT kind, lead FROM long;
SELECT count(*), count(DISTINCT lead), count(DISTINCT current_stage(lead)) FROM stored;

-- No memory stays behind: what the backend holds does not grow with the calls.
CREATE TEMP TABLE small AS
SELECT '{2026-03-01T09:00:00Z inquiry ~ "utm_source=google", 2026-03-02T10:00:00Z mql by marketing, 2026-03-02T12:00:00Z "Meeting held" by sales because fit worth 12.5}'::align.lead AS lead,
	(SELECT lead_agg(timestamptz '2026-01-01' + i * interval '1 day', 'stage ' || i) FROM generate_series(1, 40) AS i) AS big;
CREATE FUNCTION pg_temp.grows(expression text, calls int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	growth bigint;
BEGIN
	EXECUTE format($query$
		SELECT CASE WHEN count(result) > 0 THEN max(held) FILTER (WHERE i > 1) - max(held) FILTER (WHERE i = 1) END
		FROM (SELECT i, CASE WHEN i %% (%2$s / 2) = 1 THEN (SELECT sum(used_bytes) FROM pg_backend_memory_contexts WHERE i > 0) END AS held, (%1$s) IS NULL AS result
			FROM generate_series(1, %2$s + 1) AS i, small OFFSET 0) s$query$, expression, calls) INTO growth;
	IF growth > 32768 THEN
		RAISE WARNING '% bytes more after % calls of %', growth, calls, expression;
	END IF;
	RETURN coalesce(growth, 32769) > 32768;
END $$;
SELECT expression, pg_temp.grows(expression, 4000) AS grows FROM unnest(ARRAY[
	'lead::text', 'lead::text::align.lead', 'lead_send(lead)', 'lead::jsonb', 'lead::jsonb::align.lead', 'lead = big', 'lead_hash(big)',
	'current_stage(big)', 'stage_at(big, now())', 'since(big)', 'reached(big, ''stage 40'')', 'align.time_in(big, ''stage 7'', now())',
	'time_between(big, ''stage 1'', ''stage 30'')', 'path(big)',
	'SELECT count(*) FROM entries(lead)', 'SELECT count(*) FROM touches(lead)', 'SELECT count(*) FROM transitions(big)',
	'SELECT lead_agg(now(), x) FROM unnest(''{a,b}''::text[]) AS x WHERE i > 0', 'SELECT rollup(x) FROM unnest(ARRAY[lead, big]) AS x WHERE i > 0']) AS expression;
