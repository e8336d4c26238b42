-- The type incidence: text, binary and stored forms, comparison, and what is refused.
SET search_path = public, align;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';

CREATE TABLE summary (id int, i incidence);
INSERT INTO summary VALUES
(1, '{in days, open (12, 40), outcome won (5, 10, 20), outcome lost (8*2, 15*2, 30)}'),
-- one case, open from the start
(2, '{in days, open (0)}'),
-- late entries, times in every unit
(3, '{in hours, late (1, 2*3), open (25*4), outcome won (0, 3)}'),
(4, '{in minutes, outcome won (1)}'),
(5, '{in seconds, outcome won (59*9223372036854775807)}'),
(6, '{in milliseconds, outcome won (1001)}'),
(7, '{in microseconds, outcome won (1, 9223372036854775807)}'),
-- names in quotes, in other scripts, and empty; sorted by bytes
(8, '{in days, outcome "商談" (1), outcome "two words" (2), outcome "größe" (3), outcome "" (4), outcome "a ""quote""" (5)}');
SELECT id, i FROM summary ORDER BY id;

-- Text in and out round-trip.
SELECT id, i::text::incidence = i AS same FROM summary ORDER BY id;

-- White space, case of keywords, another unit and superfluous zeros do not matter.
SELECT ' { IN Hours , OPEN(048 * 1,72),Outcome "won" ( 24*01 ) } '::incidence;

-- Binary COPY and back.
CREATE TABLE summary_copy (LIKE summary);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/incidence_type.copy';
BEGIN
	EXECUTE format('COPY summary TO %L (FORMAT binary)', file);
	EXECUTE format('COPY summary_copy FROM %L (FORMAT binary)', file);
	-- through another client encoding: names are converted both ways
	DELETE FROM summary_copy;
	SET client_encoding = 'EUC_JP';
	EXECUTE format('COPY (SELECT * FROM summary WHERE id <> 8 UNION ALL SELECT 8, %L::align.incidence) TO %L (FORMAT binary)', '{in days, outcome "商談" (1), outcome "価格" (2)}', file);
	EXECUTE format('COPY summary_copy FROM %L (FORMAT binary)', file);
	RESET client_encoding;
END $$;
SELECT count(*), bool_and(a.i = b.i) AS same FROM summary a JOIN summary_copy b USING (id) WHERE id <> 8;
SELECT i FROM summary_copy WHERE id = 8;
-- in KOI8-R these letters have another order, and a database of that encoding has them in it
UPDATE summary_copy SET i = '{in days, outcome "а" (1), outcome "ю" (2)}' WHERE id = 8;
SET client_encoding = KOI8R;
SELECT encode(incidence_send(i), 'hex') FROM summary_copy WHERE id = 8;
RESET client_encoding;

-- Binary input checks everything that the text form checks.
CREATE FUNCTION pg_temp.recv(bytes text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/incidence_recv.copy';
	value incidence;
	detail text;
BEGIN
	-- a row of one field in COPY's binary format
	EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', '\x' || bytes, file);
	CREATE TEMP TABLE IF NOT EXISTS received (i incidence);
	DELETE FROM received;
	EXECUTE format('COPY received FROM %L (FORMAT binary)', file);
	SELECT i INTO value FROM received;
	RETURN value::text;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN sqlstate || ': ' || sqlerrm || coalesce(' - ' || detail, '');
END $$;
SELECT encode(incidence_send('{in days, late (1), open (12), outcome won (5*2)}'), 'hex') AS sent;
SET client_min_messages = warning;
SELECT what, pg_temp.recv(bytes) FROM (VALUES
	('as sent', '01000001' || '03776f6e' || '010101' || '010c01' || '010502'),
	('version', '02000001' || '03776f6e' || '010101' || '010c01' || '010502'),
	('flags', '01010001' || '03776f6e' || '010101' || '010c01' || '010502'),
	('unit unknown', '01000601' || '03776f6e' || '010101' || '010c01' || '010502'),
	('unit not the coarsest', '01000101' || '03776f6e' || '011801' || '01a00201' || '017802'),
	('outcome without cases', '01000001' || '03776f6e' || '010101' || '010c01' || '00'),
	('no cases', '010000000000'),
	('count of zero', '01000001' || '03776f6e' || '00' || '00' || '010500'),
	('time repeated', '01000001' || '03776f6e' || '00' || '00' || '0205010001'),
	('outcome repeated', '01000002' || '03776f6e' || '03776f6e' || '00' || '00' || '010501' || '010601'),
	('outcomes not in order', '01000002' || '03776f6e' || '046c6f7374' || '00' || '00' || '010501' || '010601'),
	('more late entries than cases', '01000001' || '03776f6e' || '010104' || '010c01' || '010502'),
	('late entry after the end', '01000001' || '03776f6e' || '010c01' || '010c01' || '010502'),
	('late entry at the origin', '01000001' || '03776f6e' || '010001' || '010c01' || '010502'),
	('time out of range', '01000001' || '03776f6e' || '00' || '00' || '01ffffffffff0701'),
	('cut short', '01000001' || '03776f6e' || '010101' || '010c'),
	('more after the end', '01000001' || '03776f6e' || '010101' || '010c01' || '01050200'),
	('counts beyond a bigint', '01000001' || '03776f6e' || '00' || '0101ffffffffffffffff7f' || '0101ffffffffffffffff7f'),
	('too many times claimed', '01000001' || '03776f6e' || '00' || '00' || 'ffffff7f0101'),
	('name not UTF-8', '01000001' || '01ff' || '00' || '00' || '010501')) v(what, bytes);

RESET client_min_messages;

-- What the text form refuses.
CREATE FUNCTION pg_temp.refused(input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	RETURN 'accepted: ' || input::align.incidence;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN sqlstate || ': ' || sqlerrm || coalesce(' - ' || nullif(detail, ''), '');
END $$;
SELECT left(input, 70) AS input, pg_temp.refused(input) FROM (VALUES
	(''), ('{'), ('{in}'), ('{in weeks, open (1)}'), ('{in days}'), ('{in days, }'), ('{in days, open ()}'), ('{in days, open (1}'), ('{in days, open (1)} x'),
	('{in days, open (-1)}'), ('{in days, open (1.5)}'), ('{in days, open (2, 1)}'), ('{in days, open (1, 1)}'), ('{in days, open (1*0)}'),
	('{in days, open (106751992)}'), ('{in microseconds, open (9223372036854775808)}'), ('{in days, open (1*9223372036854775807, 2)}'),
	('{in days, open (1*9223372036854775807), outcome won (2)}'), ('{in days, outcome won (1), open (2)}'), ('{in days, open (2), late (1)}'),
	('{in days, outcome won (1), outcome "won" (2)}'), ('{in days, outcome (1)}'), ('{in days, won (1)}'),
	('{in days, late (1)}'), ('{in days, late (0), open (1)}'), ('{in days, late (1), open (1)}'), ('{in days, late (1*2), open (2), outcome won (1)}'),
	('{in days, late (1, 5*2), open (6), outcome won (2, 3)}'),
	('{in days, outcome ' || repeat('x', 1025) || ' (1)}'),
	('{in days' || (SELECT string_agg(', outcome o' || n || ' (1)', '') FROM generate_series(1, 65) n) || '}')) v(input);
SELECT ('{in days' || (SELECT string_agg(', outcome o' || n || ' (1)', '') FROM generate_series(1, 64) n) || '}')::incidence IS NOT NULL AS as_many_as_allowed;

-- Comparison, by bytes.
SELECT count(*) AS pairs, bool_and((a.i = b.i) = (a.id = b.id) AND (a.i <> b.i) = (a.id <> b.id) AND (a.i < b.i) = (b.i > a.i) AND (a.i <= b.i) = NOT (a.i > b.i) AND (a.i >= b.i) = NOT (a.i < b.i)) AS consistent
FROM summary a, summary b;
SELECT count(DISTINCT i) FROM (SELECT i FROM summary UNION ALL SELECT i::text::incidence FROM summary) x;
SELECT count(*) FROM summary a JOIN summary b USING (i);
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM summary a JOIN summary b USING (i);
RESET enable_hashjoin;
RESET enable_nestloop;

-- Compressed and toasted values are read like others.
CREATE TABLE large AS SELECT incidence_agg(n * n % 1000003 * interval '1 second', CASE n % 3 WHEN 0 THEN 'won' WHEN 1 THEN 'lost' END) AS i FROM generate_series(1, 20000) n;
SELECT pg_column_size(i) < 100000 AS compact, i::text::incidence = i AS same, (SELECT sum(cases) FROM outcomes(i)) AS cases FROM large;
DROP TABLE summary, summary_copy, large;
