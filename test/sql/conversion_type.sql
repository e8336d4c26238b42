-- The type conversion: text, binary and jsonb forms, comparison.
SET search_path = align, public;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';

CREATE TABLE summary (id int, c conversion);
INSERT INTO summary VALUES
(1, '{steps (mql, customer) mode ordered as of 2026-03-01T00:00:00Z, level 1 open 7, level 2 converted 1 amount 1200 time 86400000000 least 86400000000 most 86400000000 in (3872)}'),
-- nobody reached the first step
(2, '{steps (mql) mode ordered as of 2026-03-01T00:00:00Z, level 0 open 3}'),
-- every fact there is, along a funnel: some skipped a stage, some won in another
(3, '{funnel 00000000deadbeef (mql, "Sales Accepted", customer) as of 2026-03-01T00:00:00Z to 2026-03-31T12:30:00.5Z,
	level 0 open 1 dropped 2,
	level 1 open 3 dropped 4 entered 14 amount -7.25,
	level 2 open 5 dropped 6 entered 11 amount 0 time 30 least 10 most 20 in (10, 20),
	level 3 converted 4 entered 2 amount 123456789012345678901234567890.123456789 time 5 least 5 most 5 in (5)}'),
-- the same step twice is two steps; windows of every unit
(4, '{steps (call, call) mode ordered within 36 hours as of 2026-03-01T00:00:00Z, level 2 converted 2 time 300 least 100 most 200 in (100, 200)}'),
(5, '{steps (a) mode ordered within 0 seconds as of 2026-03-01T00:00:00Z, level 1 converted 1}'),
(6, '{steps (a) mode ordered within 90 minutes as of 2026-03-01T00:00:00Z, level 1 converted 1}'),
(7, '{steps (a) mode ordered within 61 seconds as of 2026-03-01T00:00:00Z, level 1 converted 1}'),
(8, '{steps (a) mode ordered within 1500000 microseconds as of 2026-03-01T00:00:00Z, level 1 converted 1}'),
-- names in quotes, in other scripts, and empty
(9, '{steps ("two words", "a ""quote""", "größe", "商談", "") mode ordered as of 2026-03-01T00:00:00Z,
	level 2 time 1 least 1 most 1 in (1), level 3 time 2 least 2 most 2 in (2), level 4 time 3 least 3 most 3 in (3),
	level 5 converted 1 time 0 least 0 most 0 in (0)}'),
-- matured leads: some, none, and not known (what releases before 0.5 wrote)
(11, '{steps (mql, customer) mode ordered within 30 days as of 2026-03-01T00:00:00Z matured 5, level 0 open 4, level 1 open 3 dropped 3 matured 4, level 2 converted 2 matured 1 amount 12 time 300 least 100 most 200 in (100, 200)}'),
(12, '{steps (mql, customer) mode ordered within 30 days as of 2026-03-01T00:00:00Z matured 0, level 0 open 4, level 1 open 3}'),
(13, '{steps (mql, customer) mode ordered within 30 days as of 2026-03-01T00:00:00Z, level 0 open 4, level 1 open 3}'),
-- the extremes
(10, '{steps (a, b) mode ordered within 9223372036854775807 microseconds as of -4713-11-24T00:00:00Z to 294276-12-31T23:59:59.999999Z,
	level 0 open 9223372036854775806, level 2 converted 1 time 9435184819199999999 least 9435184819199999999 most 9435184819199999999 in (7298)}');
SELECT id, c FROM summary ORDER BY id;

-- Text in and out round-trip.
SELECT id, c::text::conversion = c AS same FROM summary ORDER BY id;

-- White space, case of keywords and superfluous zeros do not matter; the output is canonical.
SELECT ' { STEPS( a ,"b" )Mode ORDERED within 48 Hours as OF 2026-03-01 01:00:00+01:00 to 2026-03-01T00:00:00.000Z ,
	Level 0 open 0 , level 1 OPEN 007 amount +010.500, level 2 converted 1 time 5 least 5 most 5 in( 5 * 1 ) } '::conversion;
SELECT '{steps (a) mode ordered within 1 day as of 2026-03-01T00:00:00Z, level 1 converted 1}'::conversion
	= '{steps (a) mode ordered within 24 hours as of 2026-03-01T00:00:00Z, level 1 converted 1}'::conversion AS same_window;

-- jsonb and back, losslessly.
SELECT id, c::jsonb FROM summary WHERE id IN (1, 2, 3, 7, 11, 12, 13) ORDER BY id;
SELECT id, c::jsonb::conversion = c AS same FROM summary ORDER BY id;

-- Binary COPY and back.
CREATE TABLE summary_copy (LIKE summary);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/conversion_type.copy';
BEGIN
	EXECUTE format('COPY summary TO %L (FORMAT binary)', file);
	EXECUTE format('COPY summary_copy FROM %L (FORMAT binary)', file);
END $$;
SELECT count(*), bool_and(a.c = b.c) AS same FROM summary a JOIN summary_copy b USING (id);

-- The same through another client encoding: names are converted both ways.
CREATE TABLE latin (c conversion);
INSERT INTO latin VALUES ('{steps ("größe") mode ordered as of 2026-03-01T00:00:00Z, level 1 converted 1}');
CREATE TABLE latin_copy (LIKE latin);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/conversion_latin.copy';
BEGIN
	SET LOCAL client_encoding = 'LATIN1';
	EXECUTE format('COPY latin TO %L (FORMAT binary)', file);
	EXECUTE format('COPY latin_copy FROM %L (FORMAT binary)', file);
END $$;
SELECT a.c = b.c AS same FROM latin a, latin_copy b;

-- The wire form is a version and the stored form; it never changes within a version.
SELECT id, conversion_send(c) FROM summary WHERE id IN (1, 3, 11, 12, 13) ORDER BY id;

-- Comparison is by bytes: a total order, and hashing agrees with it.
SELECT bool_and(cmp = CASE WHEN a.c < b.c THEN -1 WHEN a.c = b.c THEN 0 ELSE 1 END
		AND (a.c <= b.c) = (cmp <= 0) AND (a.c > b.c) = (cmp > 0) AND (a.c >= b.c) = (cmp >= 0)
		AND (a.c <> b.c) = (cmp <> 0) AND (cmp = 0) = (a.id = b.id)
		AND (cmp = 0) = (conversion_hash(a.c) = conversion_hash(b.c))
		AND (cmp = 0) = (conversion_hash_extended(a.c, 42) = conversion_hash_extended(b.c, 42))) AS consistent
FROM summary a, summary b, LATERAL conversion_cmp(a.c, b.c) cmp;
SELECT count(*), count(DISTINCT c) FROM (SELECT c FROM summary UNION ALL SELECT c FROM summary_copy) twice;
SELECT count(*) FROM (SELECT c FROM summary UNION SELECT c FROM summary_copy) once;
CREATE INDEX summary_btree ON summary (c);
SET enable_seqscan = off;
SELECT count(*) FROM summary_copy b WHERE EXISTS (SELECT FROM summary a WHERE a.c = b.c);
SELECT (SELECT array_agg(id) FROM (SELECT id FROM summary ORDER BY c) s) = array_agg(id ORDER BY c) AS same_order FROM summary_copy;
RESET enable_seqscan;

-- What it says, step by step.
SELECT id, s.* FROM summary, steps(c) s WHERE id IN (1, 2, 10) ORDER BY id, step;
SELECT step, name, entered, reached, dropped, still_open, median_time, p90_time, mean_time, amount
FROM summary, steps(c) WHERE id = 3 ORDER BY step;
SELECT step, name, reached, median_time FROM summary, steps(c) WHERE id = 9 ORDER BY step;
SELECT id, step, reached, dropped, decided_rate, matured_n, matured_reached, matured_rate, matured_lower, matured_upper
FROM summary, step_rates(c) WHERE id IN (2, 3, 4, 11, 12, 13) ORDER BY id, step;
SELECT id, step, lower, upper, matured_rate, matured_lower, matured_upper FROM summary, step_rates(c, 0.5) WHERE id = 11 ORDER BY step;
SELECT count(*) FROM steps(NULL);
SELECT count(*) FROM step_rates(NULL);
SELECT count(*) FROM step_rates((SELECT c FROM summary WHERE id = 1), NULL);
SELECT count(*) FROM steps((SELECT c FROM summary WHERE id = 1), NULL);

-- A large summary, compressed and toasted like any value.
CREATE TABLE large (c conversion);
INSERT INTO large
SELECT format('{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 2 converted %s time %s least 0 most %s in (%s)}',
	count(*), sum(d), max(d), string_agg(b::text, ', ' ORDER BY b))::conversion
FROM (SELECT b, CASE WHEN b < 256 THEN b ELSE (128 + b % 128) * (2::numeric ^ (b / 128 - 1))::numeric(30, 0) END AS d
	FROM generate_series(0, 7200) b) buckets;
SELECT reached, median_time, p90_time, octet_length(c::text) > 30000 AS long FROM large, steps(c) WHERE step = 2;
SELECT c::text::conversion = c AS same, c::jsonb::conversion = c AS same_json FROM large;

DROP TABLE summary, summary_copy, latin, latin_copy, large;
