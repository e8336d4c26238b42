-- Conversions along steps that are more than stages: their forms, merging, the
-- times of the whole way, and classes of times.
SET search_path = align, public;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';

-- 1,200 journeys with ties and repeated stages, from the seed 91.
CREATE FUNCTION pg_temp.dice(what text, n int) RETURNS int LANGUAGE sql IMMUTABLE
	RETURN ('x' || substr(md5('91/' || what || '/' || n), 1, 7))::bit(28)::int;
CREATE TABLE journey (lead int, journey lead);
INSERT INTO journey
SELECT lead, lead_agg(timestamptz '2026-01-01 00:00Z' + pg_temp.dice('day', lead) % 90 * interval '1 day' + pg_temp.dice('at', lead * 100 + i) % 300 * interval '6 hours',
	('{inquiry,mql,"a|b",sal,sql,customer,lost,junk}'::text[])[1 + pg_temp.dice('stage', lead * 100 + i) % 8], NULL, NULL, NULL, CASE WHEN i % 3 = 0 THEN pg_temp.dice('amount', lead * 100 + i) / 100.0 END)
FROM generate_series(1, 1200) lead, LATERAL generate_series(1, 1 + pg_temp.dice('length', lead) % 12) i GROUP BY lead;

-- Questions: all arguments of conversion_agg().
CREATE TABLE question (q int GENERATED ALWAYS AS IDENTITY, steps text[], within interval, mode text, gaps interval[], exclude text[], count text, zone text);
INSERT INTO question (steps, within, mode, gaps, exclude, count, zone) VALUES
	('{inquiry,mql,customer}', '60 days', NULL, NULL, NULL, NULL, NULL),
	('{inquiry,mql|sal?,customer|sql}', '60 days', 'ordered', NULL, NULL, 'leads', NULL),
	('{inquiry,"\"a|b\"|mql?",sal?,customer}', NULL, 'no_repeat,increase', '{NULL,10 days,NULL}', '{lost|junk}', NULL, NULL),
	('{inquiry,mql,customer}', '2 months', 'strict', NULL, NULL, NULL, 'Europe/Berlin'),
	('{inquiry,mql,customer}', '1 month 10 days 5 hours', 'increase', '{20 days,1 month}', '{lost}', 'passages', 'America/New_York'),
	('{inquiry,sql,customer}', '40 days', 'any', NULL, '{lost}', NULL, NULL),
	('{inquiry|mql,mql|sal,customer}', '40 days', 'reuse', NULL, NULL, 'passages', NULL),
	('{inquiry,"\"a|b\""}', NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE single AS
SELECT q, lead, conversion_agg(journey, steps, within, mode, as_of, gaps, exclude, count, zone) AS c
FROM question, journey, LATERAL (SELECT timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day' AS as_of) a GROUP BY q, lead;
CREATE TABLE whole AS
SELECT q, conversion_agg(journey, steps, within, mode, timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day', gaps, exclude, count, zone) AS c FROM question, journey GROUP BY q;
SELECT q, substring(c::text, '^(.*?) as of') AS identity FROM whole ORDER BY q;
SELECT q, step, name, entered, reached, dropped, still_open, matured_n, matured_reached FROM whole, step_rates(c) ORDER BY q, step;
SELECT q, w.* FROM whole, way_times(c) w ORDER BY q;

-- Every form is lossless.
SELECT count(*), bool_and(c::text::conversion = c) AS text, bool_and(c::jsonb::conversion = c) AS jsonb FROM (SELECT c FROM single UNION ALL SELECT c FROM whole) s WHERE c IS NOT NULL;
CREATE TABLE copied (LIKE whole);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/conversion_steps.copy';
BEGIN
	EXECUTE format('COPY whole TO %L (FORMAT binary)', file);
	EXECUTE format('COPY copied FROM %L (FORMAT binary)', file);
END $$;
SELECT count(*), bool_and(a.c = b.c) AS binary FROM whole a JOIN copied b USING (q);
SELECT q, c::jsonb - '{levels,way,as_of,leads,matured}'::text[] AS identity FROM whole ORDER BY q;

-- Merged one by one, in any order, in groups: the same bytes.
SELECT q, rollup(s.c) = w.c AS same FROM single s JOIN whole w USING (q) GROUP BY q, w.c ORDER BY q;
SELECT q, count(*) AS shuffles, bool_and(s.c = w.c) AS same
FROM (SELECT q, shuffle, rollup(c ORDER BY md5(shuffle || '/' || lead)) AS c FROM single, generate_series(1, 4) shuffle GROUP BY q, shuffle) s JOIN whole w USING (q) GROUP BY q ORDER BY q;
SELECT bool_and(r.c = w.c) AS same FROM (SELECT q, rollup(c) AS c FROM (SELECT q, lead % 13 AS part, rollup(c) AS c FROM single GROUP BY 1, 2) p GROUP BY q) r JOIN whole w USING (q);
-- In parallel.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE journey SET (parallel_workers = 2);
ANALYZE journey;
EXPLAIN (COSTS OFF) SELECT conversion_agg(journey, '{inquiry,mql?,customer}', '2 months', 'strict', '2026-05-01', NULL, '{lost}', 'passages', 'UTC') FROM journey;
CREATE TABLE parallel AS SELECT 2 AS q, conversion_agg(journey, '{inquiry,mql|sal?,customer|sql}', '60 days', 'ordered', timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day', NULL, NULL, 'leads', NULL) AS c FROM journey
UNION ALL SELECT 5, conversion_agg(journey, '{inquiry,mql,customer}', '1 month 10 days 5 hours', 'increase', timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day', '{20 days,1 month}', '{lost}', 'passages', 'America/New_York') FROM journey;
SELECT q, p.c = w.c AS same FROM parallel p JOIN whole w USING (q) ORDER BY q;
RESET max_parallel_workers_per_gather;
-- As window functions, and with nothing.
SELECT count(*), bool_and(running IS NOT DISTINCT FROM whole) AS same FROM (
	SELECT conversion_agg(journey, '{inquiry,mql?,customer}', '2 months', 'strict', '2026-05-01', NULL, '{lost}', 'passages', 'UTC') OVER (ORDER BY lead) AS running,
		(SELECT conversion_agg(i.journey, '{inquiry,mql?,customer}', '2 months', 'strict', '2026-05-01', NULL, '{lost}', 'passages', 'UTC') FROM journey i WHERE i.lead <= o.lead) AS whole
	FROM journey o WHERE lead <= 60) s;
SELECT conversion_agg(journey, '{inquiry,mql?,customer}', '2 months', 'strict', '2026-05-01', NULL, '{lost}', 'passages', 'UTC') IS NULL AS nothing FROM journey WHERE false;
SELECT conversion_agg(NULL::lead, '{inquiry,mql?,customer}', '2 months', 'strict', '2026-05-01', NULL, '{lost}', 'passages', 'UTC') IS NULL AS nothing FROM journey;

-- The time of the whole way against plain SQL.
SELECT count(*) AS n, (w.n, w.mean_time) = (count(*), make_interval(secs => round(avg(d) * 1000000) / 1000000)) OR justify_hours(w.mean_time) = justify_hours(make_interval(secs => round(avg(d) * 1000000) / 1000000)) AS exact,
	abs(extract(epoch FROM w.median_time) - percentile_disc(0.5) WITHIN GROUP (ORDER BY d)) <= percentile_disc(0.5) WITHIN GROUP (ORDER BY d) / 128 AS median,
	abs(extract(epoch FROM w.p90_time) - percentile_disc(0.9) WITHIN GROUP (ORDER BY d)) <= percentile_disc(0.9) WITHIN GROUP (ORDER BY d) / 128 AS p90
FROM (SELECT extract(epoch FROM times[4] - times[1]) AS d FROM journey, progress(journey, '{inquiry,"\"a|b\"|mql?",sal?,customer}', NULL, 'no_repeat,increase', timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day', '{NULL,10 days,NULL}', '{lost|junk}', NULL) WHERE status = 'converted') d,
	way_times((SELECT c FROM whole WHERE q = 3)) w GROUP BY w.n, w.mean_time, w.median_time, w.p90_time;
-- Along a funnel: leads that entered the first step, not after they won.
SELECT w.* FROM (SELECT funnel_conversion_agg(l::lead, 'stage a, b; won c; path c -> a; success path a -> b -> c;', '2026-02-01') AS f FROM unnest(ARRAY[
	'{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z b, 2026-01-05T00:00:00Z c}', '{2026-01-01T00:00:00Z a, 2026-01-11T00:00:00Z c}', '{2026-01-01T00:00:00Z b, 2026-01-11T00:00:00Z c}', '{2026-01-01T00:00:00Z a}']) l) s, way_times(f) w;

-- What releases before 0.6 stored does not know it, nor does what it is merged with, in whatever order.
CREATE TABLE mixed (id int, c conversion);
INSERT INTO mixed VALUES (1, '{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 2 converted 1 time 5 least 5 most 5 in (5)}'),
	(2, '{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 2 converted 2 time 6 least 3 most 3 in (3*2), way time 6 least 3 most 3 in (3*2)}'),
	(3, '{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 1 open 2, way}');
SELECT ids, w.*, c FROM (SELECT ids, (SELECT rollup(c ORDER BY array_position(ids::int[], id)) FROM mixed WHERE id = ANY (ids::int[])) AS c FROM unnest('{"{1}","{2}","{3}","{2,3}","{3,2}","{1,2}","{2,1}","{1,3}","{3,2,1}","{2,1,3}"}'::text[]) ids) s, way_times(c) w;
SELECT * FROM histogram((SELECT rollup(c) FROM mixed), NULL, '{1 second}');
SELECT w IS NULL AS no_row FROM way_times(NULL) w;

-- Bytes that those releases stored are read, and written again as they were: 0.1 to 0.5 along steps and along a funnel, 0.5 with matured leads, 0.4 without.
CREATE CAST (bytea AS conversion) WITHOUT FUNCTION;
CREATE TABLE stored AS SELECT id, wire, substr(wire, 2)::conversion AS c FROM (VALUES
	(1, '\x010000000002036d716c08637573746f6d65728080dcb8bdbaf702000000070000000100043132303001a01e010080c0ddeec10280c0ddee0180c0ddee01'::bytea),
	(2, '\x01000100000000deadbeef03036d716c0e53616c657320416363657074656408637573746f6d65728080dcb8bdbaf702a0c6e9cbdf4c010203040e0005060b020000020104052d372e32350130283132333435363738393031323334353637383930313233343536373839302e313233343536373839020a010901001e000001050100050000'),
	(3, '\x010100008180f5f9b74b02036d716c08637573746f6d65728080dcb8bdbaf7020004000303000002040100023132026401630100ac020000'),
	(4, '\x010000008180f5f9b74b02036d716c08637573746f6d65728080dcb8bdbaf70200040003000000000000')) v (id, wire);
DROP CAST (bytea AS conversion);
SELECT id, conversion_send(c) = wire AS same_bytes, c::text::conversion = c AS text, c::jsonb::conversion = c AS jsonb, n IS NULL AS way_not_known, c FROM stored, way_times(c) ORDER BY id;
SELECT id, conversion_send(a) = conversion_send(b) AS same, n IS NULL AS way_not_known, a
FROM (SELECT id, (SELECT rollup(x ORDER BY i) FROM (VALUES (1, c), (2, new)) v (i, x)) AS a, (SELECT rollup(x ORDER BY i DESC) FROM (VALUES (1, c), (2, new)) v (i, x)) AS b
	FROM stored, (SELECT conversion_agg('{2026-01-01T00:00:00Z mql, 2026-01-02T00:00:00Z customer}', '{mql,customer}', '30 days', 'ordered', '2026-03-01') AS new) n WHERE id IN (3, 4)) s, way_times(a) ORDER BY id;
-- What is written since, of the same shape, begins with the same bytes after its flags.
SELECT conversion_send(conversion_agg('{2026-01-01T00:00:00Z mql, 2026-01-02T00:00:00Z customer}', '{mql,customer}', '30 days', 'ordered', '2026-03-01'));
DROP TABLE stored;

-- Classes of times, against plain SQL: all these times are whole hours, which the buckets keep apart.
SELECT step, h.no, h.lower_bound, h.upper_bound, h.n, h.n = (SELECT count(*) FROM journey, progress(journey, '{inquiry,mql,customer}', '60 days', NULL, timestamptz '2026-05-01 00:00Z' + lead % 7 * interval '1 day') p,
		LATERAL (SELECT CASE WHEN step IS NULL THEN times[3] - times[1] ELSE times[step] - times[step - 1] END AS d) d
		WHERE d IS NOT NULL AND (h.lower_bound IS NULL OR d >= h.lower_bound) AND (h.upper_bound IS NULL OR d < h.upper_bound)) AS right
FROM whole, unnest('{2,3,NULL}'::int[]) step, histogram(c, step, '{6 hours,1 day,3 days,7 days,14 days,100 days}') h WHERE q = 1 ORDER BY step, h.no;
-- In a bucket wider than a microsecond, its round duration decides.
SELECT b, h.no, h.n FROM (VALUES ('{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 2 converted 7 time 3501500 least 499800 most 501700 in (1652*7)}'::conversion)) v (c), unnest('{0,0.4998,0.499801,0.501,0.501001,0.5017,0.501701}'::float8[]) b, histogram(c, 2, ARRAY[make_interval(secs => b)]) h ORDER BY b, no;
SELECT * FROM histogram((SELECT c FROM mixed WHERE id = 2), 2, '{}');
SELECT * FROM histogram(NULL, 2, '{}');
SELECT * FROM histogram((SELECT c FROM mixed WHERE id = 2), 1, '{}');
SELECT * FROM histogram((SELECT c FROM mixed WHERE id = 2), 3, '{}');
SELECT * FROM histogram((SELECT c FROM mixed WHERE id = 2), 2, NULL);
SELECT * FROM histogram((SELECT c FROM mixed WHERE id = 2), 2, '{1 day,NULL}');
SELECT * FROM histogram((SELECT c FROM mixed WHERE id = 2), 2, '{1 day,24 hours}');
SELECT * FROM histogram((SELECT c FROM mixed WHERE id = 2), 2, '{-1 day}');
SELECT * FROM histogram((SELECT c FROM mixed WHERE id = 2), 2, '{1 month}');
SELECT * FROM histogram((SELECT c FROM mixed WHERE id = 2), 2, '{178000000 days}');
SELECT * FROM histogram((SELECT c FROM mixed WHERE id = 2), 2, '{{1 day}}');

-- Another client's encoding may sort names otherwise; the value stays the same.
CREATE TABLE latin (c conversion);
INSERT INTO latin VALUES ('{steps (a, "ä"|"é"|z?, c) mode ordered exclude ("größe", "ß") as of 2026-03-01T00:00:00Z, level 1 open 1, way}');
CREATE TABLE latin_copy (LIKE latin);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/conversion_steps_latin.copy';
BEGIN
	SET LOCAL client_encoding = 'WIN1252';
	EXECUTE format('COPY latin TO %L (FORMAT binary)', file);
	EXECUTE format('COPY latin_copy FROM %L (FORMAT binary)', file);
END $$;
SELECT a.c = b.c AS same FROM latin a, latin_copy b;
CREATE TABLE cyrillic (c conversion);
INSERT INTO cyrillic VALUES ('{steps (a, "я"|"ё"|"Ж"?, c) mode ordered as of 2026-03-01T00:00:00Z, level 1 open 1, way}');
CREATE TABLE cyrillic_copy (LIKE cyrillic);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/conversion_steps_koi.copy';
BEGIN
	SET LOCAL client_encoding = 'KOI8R';
	EXECUTE format('COPY cyrillic TO %L (FORMAT binary)', file);
	EXECUTE format('COPY cyrillic_copy FROM %L (FORMAT binary)', file);
END $$;
SELECT a.c = b.c AS same FROM cyrillic a, cyrillic_copy b;

DROP TABLE journey, question, single, whole, copied, parallel, mixed, latin, latin_copy, cyrillic, cyrillic_copy;
