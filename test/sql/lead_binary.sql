-- Type lead: binary form.
SET search_path = public, align;
SET client_encoding = 'UTF8';
SET bytea_output = 'hex';
SET TimeZone = 'UTC';
\pset format unaligned
\pset tuples_only on

-- The wire form: version, flags, unit, dictionary, entries.  mql, sal and
-- marketing are words of the vocabulary.
SELECT lead_send('{2000-01-02T00:00:00Z mql}');
SELECT lead_send('{2000-01-01T00:00:02Z mql by marketing because "x" ~ "yz" worth 1.5 #1 @300, 2000-01-01T00:00:01Z sal, 2000-01-01T00:00:02Z sal}');

-- A file server-side, to feed bytes to lead_recv by binary COPY.
CREATE FUNCTION pg_temp.file() RETURNS text LANGUAGE sql AS
	$$SELECT current_setting('data_directory') || '/align_lead_binary.tmp'$$;
CREATE TEMP TABLE received (lead align.lead);
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS align.lead LANGUAGE plpgsql AS $$
DECLARE
	large oid := lo_from_bytea(0, '\x5047434f50590aff0d0a00'::bytea || int4send(0) || int4send(0) ||
							   int2send(1::int2) || int4send(length(bytes)) || bytes || int2send((-1)::int2));
	result align.lead;
BEGIN
	PERFORM lo_export(large, pg_temp.file());
	PERFORM lo_unlink(large);
	EXECUTE format('COPY received FROM %L (FORMAT binary)', pg_temp.file());
	DELETE FROM received RETURNING lead INTO result;
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

-- Round trip of everything a lead can hold.
SELECT count(*), bool_and(pg_temp.receive(lead_send(lead)) = lead)
FROM unnest(ARRAY[
	'{2026-03-01T09:00:00.123456Z mql by sales because bad_timing ~ spring worth 1200.50 #7 @3, 2026-03-01T09:00:00Z ~ "Ünïcode"}',
	'{-4713-11-24T00:00:00Z first, 294276-12-31T23:59:59.999999Z last #9223372036854775807 @2147483647}',
	'{2026-03-01T00:00:00Z mql, 2026-03-01T00:00:00Z mql}',
	'{2026-03-01T00:00:00Z "", 2026-03-02T00:01:00Z ~ ""}',
	'{2026-03-01T00:00:00Z mql by sales #7 @3 [demo, "a, ""b""", "Ünïcode"], 2026-03-02T00:01:00Z ~ "" ["", mql]}']::align.lead[]) AS lead;
SELECT pg_temp.receive(lead_send(lead)) = lead
FROM (SELECT lead_agg('2026-01-01'::timestamptz + i * interval '1 hour', 'stage ' || i) AS lead FROM generate_series(1, 3000) AS i) s;

-- The time it takes is that of the bytes, though every entry names a stage of a megabyte.
BEGIN;
SET LOCAL statement_timeout = '20s';
SELECT length(current_stage(lead)), (SELECT count(*) FROM unnest(path(lead)))
FROM (SELECT lead_send(lead_agg('2026-01-01'::timestamptz + i * interval '1 hour', 'x')) AS bytes FROM generate_series(1, 500000) AS i) s,
	pg_temp.receive(substr(bytes, 1, 4) || '\x80808001'::bytea || convert_to(repeat('x', 1024 * 1024), 'UTF8') || substr(bytes, 7)) AS lead;
COMMIT;

-- Binary COPY to a file and back.
CREATE TEMP TABLE source AS
SELECT i AS id, lead_agg('2026-01-01'::timestamptz + (i * k) * interval '7 minutes', (ARRAY['inquiry', 'mql', 'Gespräch', 'customer'])[k], 'team' || i % 3, NULL, 'c' || k, i * 1.5) AS lead
FROM generate_series(1, 200) AS i, generate_series(1, 4) AS k GROUP BY i;
CREATE TEMP TABLE target (LIKE source);
CREATE FUNCTION pg_temp.through_file() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY source TO %L (FORMAT binary)', pg_temp.file());
	EXECUTE format('COPY target FROM %L (FORMAT binary)', pg_temp.file());
END $$;
SELECT pg_temp.through_file();
SELECT count(*) FROM source JOIN target USING (id, lead);

-- Strings travel in the client's encoding, as those of other types do.
SET client_encoding = 'LATIN1';
SELECT lead_send('{2026-03-01T00:00:00Z ~ "x"}'), convert_from('\xc3a9', 'UTF8') = U&'\00e9';
SELECT lead_send(lead) FROM (SELECT lead_agg('2000-01-01', U&'\00e9t\00e9') AS lead) s;
TRUNCATE target;
SELECT pg_temp.through_file();
SELECT count(*) FROM source JOIN target USING (id, lead);
SET client_encoding = 'UTF8';
SELECT pg_temp.refusal('\x01000401 06e974e9 010200');

SELECT pg_temp.refusal('\x01 01 04 02 047879 08612c2062 01 0302 40 02');

-- Malformed bytes.  First the well-formed value that they vary.
--	 version flags unit  1 string "xy"  1 entry: head time
SELECT pg_temp.refusal('\x01 00 04 01 047879 01 0202');
SELECT pg_temp.refusal(bytes) FROM (VALUES
	(1, '\x'::bytea),
	(2, '\x01'),
	(3, '\x00 00 04 01 047879 01 0202'),				-- version 0
	(4, '\x02 00 04 01 047879 01 0202'),				-- version 2
	(5, '\x01 02 04 01 047879 01 0202'),				-- a flag
	(501, '\x01 01 04 01 047879 01 0202'),				-- the flag of segments without any
	(502, '\x01 00 04 02 047879 0279 01 0302 40 02'),	-- segments without the flag
	(503, '\x01 01 04 02 047879 0279 01 0302 40 00'),	-- no segments
	(504, '\x01 01 04 02 047879 06622c20 01 0302 40 02'),	-- a list that ends with a comma
	(505, '\x01 01 04 02 047879 08622c2061 01 0302 40 02'),	-- a list that is not sorted
	(506, '\x01 01 04 02 047879 08612c2061 01 0302 40 02'),	-- a name twice
	(507, '\x01 01 04 02 047879 06226122 01 0302 40 02'),	-- a bare name in quotes
	(508, '\x01 01 04 02 047879 06612c62 01 0302 40 02'),	-- no space
	(509, '\x01 01 04 02 047879 00 01 0302 40 02'),		-- an empty list
	(510, '\x01 01 04 02 047879 042261 01 0302 40 02'),	-- a quote that is not closed
	(511, '\x01 01 04 02 047879 0279 01 0302 80 02'),	-- an unknown bit
	(6, '\x01 8000 04 01 047879 01 0202'),				-- flags, too long
	(7, '\x01 00 05 01 047879 01 0202'),				-- no such unit
	(8, '\x01 00 03 01 047879 01 02c016'),				-- a unit finer than need be
	(9, '\x01 00 04'),									-- truncated
	(10, '\x01 00 04 ffffffffffffffffff01'),			-- strings beyond all memory
	(11, '\x01 00 04 05 047879 01 0202'),				-- more strings than there are
	(12, '\x01 00 04 01 0678'),							-- a string longer than the value
	(13, '\x01 00 04 01 feffffffffffffffff01 78'),		-- the same, much longer
	(14, '\x01 00 04 01 8201 01 0202'),					-- no such word
	(15, '\x01 00 04 01 066d716c 01 0202'),				-- a word spelt out
	(16, '\x01 00 04 01 04c328 01 0202'),				-- invalid UTF-8
	(17, '\x01 00 04 01 047800 01 0202'),				-- a NUL
	(18, '\x01 00 04 02 047879 047879 01 0202'),		-- a string twice, unused
	(19, '\x01 00 04 02 047879 0279 01 0202'),			-- an unused string
	(20, '\x01 00 04 02 0279 0278 02 0402 0201'),		-- dictionary not in order of use
	(21, '\x01 00 04 00 00'),							-- no entry
	(22, '\x01 00 04 01 047879 00'),					-- no entry, a string
	(23, '\x01 00 04 01 047879 02 0202'),				-- an entry is missing
	(24, '\x01 00 04 01 047879 ffffff07 0202'),			-- entries beyond all memory
	(25, '\x01 00 04 01 047879 01 0202 00'),			-- a byte left over
	(26, '\x01 00 04 01 047879 01 0402'),				-- no such string
	(27, '\x01 00 04 01 047879 01 0002'),				-- neither stage nor campaign
	(28, '\x01 00 04 01 047879 01 828000 02'),			-- number longer than need be
	(29, '\x01 00 04 01 047879 01 02 ffffffffffffffffffff01'),	-- more than 64 bits
	(30, '\x01 00 04 01 047879 01 02 ffffffffffffffffff01'),	-- time out of range
	(31, '\x01 00 04 01 047879 02 0202 02 ffffffffffffffffff01'),	-- time goes backwards by overflow
	(32, '\x01 00 04 01 047879 01 02 de9fe765'),		-- after 294276
	(33, '\x01 00 04 01 047879 01 0302 00'),			-- empty mask
	(34, '\x01 00 04 01 047879 01 0302 40'),			-- unknown bit in the mask
	(35, '\x01 00 04 01 047879 01 0302 01 00'),			-- a team that is none
	(36, '\x01 00 04 01 047879 01 0302 01 02'),			-- no such team
	(37, '\x01 00 04 01 047879 01 0302 10 00'),			-- ordinal 0
	(38, '\x01 00 04 01 047879 01 0302 10 ffffffffffffffffff01'),	-- ordinal beyond 63 bits
	(39, '\x01 00 04 01 047879 01 0302 20 8080808008'),	-- version beyond 31 bits
	(40, '\x01 00 04 02 047879 064e614e 01 0302 08 02'),	-- amount NaN
	(41, '\x01 00 04 02 047879 06312e30 01 0302 08 02'),	-- amount 1.0
	(42, '\x01 00 04 02 047879 042d30 01 0302 08 02'),	-- amount -0
	(43, '\x01 00 04 02 047879 00 01 0302 08 02'),		-- amount empty
	(44, '\x01 00 04 02 0479 7a 0278 02 0202 0400'),	-- simultaneous entries out of order
	(45, '\x01 00 04 01 0278 02 030210 02 030010 01'),	-- ordinals out of order
	(46, '\x01 00 04 01 0278 02 030210 01 0200')		-- an unknown ordinal after a known one
) AS v (n, bytes) ORDER BY n;

-- Whatever byte is changed, and wherever the value is cut: refused, or another
-- value with that very binary form.
DO $$
DECLARE
	good bytea := lead_send('{2026-03-01T09:00:00Z ~ "é", 2026-03-01T09:00:00Z mql by marketing because "x" ~ "yz" worth 1.5 #1 @300, 2026-03-02T09:00:00Z stage}');
	bad bytea;
	tried int := 0;
	accepted int := 0;
BEGIN
	FOR i IN 0..length(good) - 1 LOOP
		FOR bit IN 0..8 LOOP
			bad := CASE WHEN bit = 8 THEN substr(good, 1, i) ELSE set_byte(good, i, get_byte(good, i) # (1 << bit)) END;
			tried := tried + 1;
			BEGIN
				IF lead_send(pg_temp.receive(bad)) <> bad THEN
					RAISE WARNING 'not what was sent: %', bad;
				END IF;
				accepted := accepted + 1;
			EXCEPTION
				WHEN invalid_binary_representation OR character_not_in_repertoire OR protocol_violation THEN NULL;
			END;
		END LOOP;
	END LOOP;
	RAISE NOTICE 'some accepted, most refused: %', accepted BETWEEN 1 AND tried / 2;
END $$;
SELECT pg_catalog.lo_unlink(pg_catalog.lo_import(pg_temp.file()));
