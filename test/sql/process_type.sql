-- The type process: text and binary forms, checks, comparison.
SET search_path = align, public;
SET TimeZone = 'UTC';

CREATE TABLE p (name text PRIMARY KEY, p process);
INSERT INTO p VALUES
	('one stage', '{leads 1, stage mql leads 1 starts 1 ends 1}'),
	('one move', '{leads 1, stage inquiry leads 1 starts 1, stage mql leads 1 ends 1, move inquiry -> mql moves 1 leads 1 time 86400000000 least 86400000000 most 86400000000 in (3872)}'),
	('loop', '{leads 2, stage a leads 2 starts 2 ends 1, stage b leads 1 ends 1, move a -> b moves 2 leads 1 time 3 least 1 most 2 in (1, 2), move b -> a moves 1 leads 1 time 0 least 0 most 0 in (0)}'),
	('working', '{leads 1 working 00000000000000ff, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time 9 least 9 most 9 in (9) working 3 least 3 most 3 in (3)}'),
	('dated', '{leads 2 working 00000000000000ff as of 2026-01-01T00:00:00Z to 2026-02-01T00:00:00.5Z, stage a leads 2 starts 2 ends 2 age 9 least 4 most 5 in (4, 5) working 3 least 0 most 3 in (0, 3)}');
SELECT name, p FROM p ORDER BY name;

-- Input may have another order, other white space and keywords in capitals; output is canonical.
SELECT '{ LEADS 2 ,stage b leads 1 starts 0 ends 1, Stage"a"leads 2 starts 2 ends 1,move b->a moves 1 leads 1 time 0 least 0 most 0 in(0),move a->b moves 2 leads 1 time 3 least 1 most 2 in(1*1,2)}'::process = p AS same FROM p WHERE name = 'loop';
SELECT '{leads 1, stage stage leads 1 starts 1, stage "move" leads 1 ends 1, move stage -> move moves 1 leads 1 time 1 least 1 most 1 in (1)}'::process;
SELECT bool_and(p::text::process = p) AS text FROM p;
-- Names of any kind.
SELECT dfg_agg(lead_agg) AS p FROM (SELECT lead_agg(timestamptz '2026-01-01Z' + i * interval '1 hour', stage) FROM unnest(ARRAY['', ' ', 'ü', '日本', 'a"b', E'line\nbreak', 'a -> b', '-', repeat('x', 300)]) WITH ORDINALITY u(stage, i)) s \gset
SELECT :'p'::process::text = :'p' AS text_round_trip, length(:'p') > 1000 AS long;

-- Mistakes, each with its position.
CREATE FUNCTION pg_temp.refused(input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM input::process;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', sqlstate, sqlerrm, nullif(detail, ''));
END $$;
SELECT input, pg_temp.refused(input) FROM unnest(ARRAY[
	'', 'x', '{}', '{leads}', '{leads 1}', '{leads 0}', '{leads 1 working 12, stage a leads 1 starts 1 ends 1}', '{leads 99999999999999999999}',
	'{leads 1, stage a leads 1 starts 1 ends 1} x', '{leads 1, stage a leads 1 starts 1 ends 1', '{leads 1, step a}', '{leads 1, stage a starts 1 ends 1}',
	'{leads 2, stage a leads 1 starts 1 ends 1}',
	'{leads 1, stage a leads 1 starts 1 ends 1, stage a leads 1 starts 1 ends 1}',
	'{leads 1, stage a leads 2 starts 1 ends 1}', '{leads 1, stage a leads 0 starts 1 ends 1}', '{leads 1, stage a leads 1 starts 1}', '{leads 1, stage a leads 1 starts 1 ends 1, stage b leads 1}',
	'{leads 1, stage a leads 1 starts 1 ends 1, move a -> a moves 1 leads 1 time 0 least 0 most 0 in (0)}',
	'{leads 1, stage a leads 1 starts 1 ends 1, move a -> b moves 1 leads 1 time 0 least 0 most 0 in (0)}',
	'{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 2 time 0 least 0 most 0 in (0)}',
	'{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 0 time 0 least 0 most 0 in (0)}',
	'{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 2 leads 1 time 0 least 0 most 0 in (0)}',
	'{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 0 leads 0 time 0 least 0 most 0 in (0)}',
	'{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time 1 least 0 most 0 in (0)}',
	'{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time 1 least 1 most 1 in (2)}',
	'{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1}',
	'{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time 1 least 1 most 1 in (1) working 1 least 1 most 1 in (1)}',
	'{leads 1 working 00000000000000ff, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time 1 least 1 most 1 in (1)}',
	'{leads 1 working 00000000000000ff, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time 1 least 1 most 1 in (1) working 2 least 2 most 2 in (2)}',
	'{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time 1 least 1 most 1 in (1), move a -> b moves 1 leads 1 time 1 least 1 most 1 in (1)}',
	'{leads 1 as of 2026-02-01T00:00:00Z to 2026-01-01T00:00:00Z, stage a leads 1 starts 1 ends 1 age 1 least 1 most 1 in (1)}',
	'{leads 1 as of infinity, stage a leads 1 starts 1 ends 1 age 1 least 1 most 1 in (1)}',
	'{leads 1 as of 2026-02-01T00:00:00Z, stage a leads 1 starts 1 ends 1}', '{leads 1, stage a leads 1 starts 1 ends 1 age 1 least 1 most 1 in (1)}',
	'{leads 9223372036854775807, stage a leads 1 starts 9223372036854775807 ends 1, stage b leads 1 starts 1 ends 1}',
	'{leads 9223372036854775807, stage a leads 1 starts 9223372036854775807, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time 1 least 1 most 1 in (1)}']) input;

-- The largest counts are read, but cannot be added to.
SELECT rollup(p) FROM (VALUES ('{leads 9223372036854775807, stage a leads 9223372036854775807 starts 9223372036854775807 ends 9223372036854775807}'::process)) v(p);
SELECT rollup(p) FROM (VALUES ('{leads 9223372036854775807, stage a leads 9223372036854775807 starts 9223372036854775807 ends 9223372036854775807}'::process), ('{leads 1, stage b leads 1 starts 1 ends 1}')) v(p);

-- The wire form is a version and the stored form; it never changes within a version.
SELECT name, process_send(p) AS sent FROM p ORDER BY name;
-- Binary COPY and back, also through other client encodings, in which names may have another order.
INSERT INTO p SELECT 'kana', dfg_agg('{2026-01-01T00:00:00Z "ｱ", 2026-01-02T00:00:00Z "日", 2026-01-03T00:00:00Z a, 2026-01-04T00:00:00Z "ｱ"}'::lead);
CREATE TABLE utf8_copy (LIKE p);
CREATE TABLE euc_copy (LIKE p);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/process_type.copy';
BEGIN
	EXECUTE format('COPY p TO %L (FORMAT binary)', file);
	EXECUTE format('COPY utf8_copy FROM %L (FORMAT binary)', file);
	SET LOCAL client_encoding = 'EUC_JP';
	EXECUTE format('COPY p TO %L (FORMAT binary)', file);
	EXECUTE format('COPY euc_copy FROM %L (FORMAT binary)', file);
END $$;
SELECT count(*), bool_and(a.p = b.p) AS same, bool_and(a.p = c.p) AS same_through_euc FROM p a JOIN utf8_copy b USING (name) JOIN euc_copy c USING (name);

-- A file server-side, to feed bytes to process_recv by binary COPY.
CREATE FUNCTION pg_temp.file() RETURNS text LANGUAGE sql AS
	$$SELECT current_setting('data_directory') || '/align_process_type.tmp'$$;
CREATE TEMP TABLE received (process align.process);
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS align.process LANGUAGE plpgsql AS $$
DECLARE
	large oid := lo_from_bytea(0, '\x5047434f50590aff0d0a00'::bytea || int4send(0) || int4send(0) ||
							   int2send(1::int2) || int4send(length(bytes)) || bytes || int2send((-1)::int2));
	result align.process;
BEGIN
	PERFORM lo_export(large, pg_temp.file());
	PERFORM lo_unlink(large);
	EXECUTE format('COPY received FROM %L (FORMAT binary)', pg_temp.file());
	DELETE FROM received RETURNING process INTO result;
	RETURN result;
END $$;
CREATE FUNCTION pg_temp.refusal(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m text; d text;
BEGIN
	RETURN 'accepted: ' || pg_temp.receive(bytes)::text;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(': ', SQLSTATE || ' ' || m, nullif(d, ''));
END $$;
SELECT n, pg_temp.refusal(bytes) FROM (VALUES
	(1, '\x'::bytea), (2, '\x02 00 01 03 6d716c 01 01 01 00'), (3, '\x01 04 01 03 6d716c 01 01 01 00'),
	(4, '\x01 00 01 03 6d716c 01 01 01 00'),			-- good
	(5, '\x01 00 01 03 6d716c 01 01 01 00 00'),		-- too long
	(6, '\x01 00 01 03 6d716c 01 01 01'),			-- too short
	(7, '\x01 00 02 0162 01 01 01 0161 01 01 01 00'),	-- stages out of order
	(8, '\x01 00 02 0161 01 01 01 0161 01 01 01 00'),	-- twice
	(9, '\x01 00 01 01ff 01 01 01 00'),				-- no text
	(10, '\x01 00 ffff7f 0161 01 01 01 00'),			-- more stages than bytes
	(11, '\x01 00 02 0161 01 01 00 0162 01 00 01 01 00 02 01 01 01 01 01 00 01 00 00'),	-- a move to nowhere
	(12, '\x01 00 02 0161 01 01 00 0162 01 00 01 01 01 01 01 01 01 01 01 00 01 00 00'),	-- from and to b
	(13, '\x01 00 02 0161 01 01 00 0162 01 00 01 01 00 01 00 00'),						-- a move without moves
	(14, '\x01 00 02 0161 01 01 00 0162 01 00 01 01 00 01 01 01 01 01 01 00 01 00 00')	-- good
) AS v (n, bytes) ORDER BY n;

-- Whatever byte is changed, and wherever the value is cut: refused, or another
-- value with that very binary form.
DO $$
DECLARE
	good bytea;
	bad bytea;
	tried int := 0;
	accepted int := 0;
BEGIN
	FOR good IN SELECT process_send(p) FROM p WHERE name IN ('loop', 'dated', 'working', 'kana') LOOP
		FOR i IN 0..length(good) - 1 LOOP
			FOR bit IN 0..8 LOOP
				bad := CASE WHEN bit = 8 THEN substr(good, 1, i) ELSE set_byte(good, i, get_byte(good, i) # (1 << bit)) END;
				tried := tried + 1;
				BEGIN
					IF process_send(pg_temp.receive(bad)) <> bad THEN
						RAISE WARNING 'not what was sent: %', bad;
					END IF;
					accepted := accepted + 1;
				EXCEPTION
					WHEN invalid_binary_representation OR character_not_in_repertoire OR protocol_violation THEN NULL;
				END;
			END LOOP;
		END LOOP;
	END LOOP;
	RAISE NOTICE 'some accepted, most refused: %', accepted BETWEEN 1 AND tried / 2;
END $$;
SELECT pg_catalog.lo_unlink(pg_catalog.lo_import(pg_temp.file())) > 0 AS file_stays_small;

-- Comparison.
SELECT count(DISTINCT p), count(*) FROM (SELECT p FROM p UNION ALL SELECT p::text::process FROM p) s;
SELECT a.name, b.name FROM p a JOIN p b ON a.p = b.p ORDER BY 1, 2;
SELECT bool_and((a.p < b.p) = (b.p > a.p) AND (a.p <= b.p) = (b.p >= a.p) AND (a.p <> b.p) = NOT (a.p = b.p)) AS consistent FROM p a, p b;
SELECT bool_and((a.p = b.p) = (process_hash(a.p) = process_hash(b.p)) AND (a.p = b.p) = (process_hash_extended(a.p, 42) = process_hash_extended(b.p, 42))) AS hashes FROM p a, p b;
CREATE INDEX ON p (p);
CREATE INDEX ON p USING hash (p);

-- A large one is toasted like any value.
CREATE TABLE large AS SELECT dfg_agg(lead_agg) AS p FROM (SELECT lead_agg(timestamptz '2026-01-01Z' + i * i * interval '1 second', 'stage ' || i % 200 || ' ' || repeat('x', 200)) FROM generate_series(1, 2000) i GROUP BY i % 7) s;
SELECT pg_column_size(p) > 2000 AS large, p::text::process = p AS same, count(*) AS moves FROM large, dfg(p) GROUP BY p;

-- Free text is no stage.
SELECT dfg_agg(lead_agg) FROM (SELECT lead_agg(timestamptz '2026-01-01Z' + i * interval '1 second', 'text ' || i) FROM generate_series(1, 70000) i) s;

DROP TABLE p, utf8_copy, euc_copy, large;
