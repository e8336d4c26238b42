-- Type calendar: what texts mean, how they are written, operators, casts.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS align;
RESET client_min_messages;
SET TimeZone = 'UTC';

-- Canonical text
SELECT written, written::align.calendar AS canonical
FROM (VALUES
	(1, 'Mo-Fr 09:00-17:30'),
	(2, 'europe/london mo-FR 9:00 - 17:30 ; dec 25 OFF ;'),
	(3, 'UTC Mo 09:00-17:00; Tu 09:00-17:00; Sa off'),
	(4, 'Fr-Mo 09:00-12:00'),
	(5, 'Mo,We,Fr 13:30-17:30,09:00-12:30'),
	(6, 'Mo 09:00-12:00,12:00-17:00,16:00-18:00'),
	(7, '08:00-20:00'),
	(8, 'Mo-Fr 22:00-06:00'),
	(9, 'Mo-Fr 22:00-00:00'),
	(10, 'Sa 00:00-24:00'),
	(11, 'Mo-Su 00:00-24:00'),
	(12, '24/7; Dec 25 off'),
	(13, 'off'),
	(14, 'Mo-Fr 09:00-17:00; off'),
	(15, 'Mo-Fr 09:00-17:00; Su closed'),
	(16, 'Dec 24-26 off'),
	(17, 'Dec 24-Jan 02 off'),
	(18, 'Dec 31 off; Jan 1 off; Dec 30 off'),
	(19, 'Dec 25,26,Jan 01 off'),
	(20, 'Feb 29 09:00-12:00'),
	(21, 'Feb 28-Mar 01 off'),
	(22, '2026-12-24 09:00-12:00'),
	(23, '2026 dec 24 09:00-12:00'),
	(24, '2026 Dec 24-26 off'),
	(25, '2026-12-24-2026-12-26 off'),
	(26, '2026 Dec 24-2027 Jan 02 off'),
	(27, '2026 Nov 30-Dec 02 off'),
	(28, '2026-12-27 off; 2026-12-24,2026 Dec 25,26 off'),
	(29, '2028-02-29 off'),
	-- a later rule overrides an earlier one for the days it names
	(30, 'Mo-Fr 09:00-17:00; Fr 09:00-15:00'),
	(31, 'Mo-Fr 09:00-17:00; Dec 25 off; Mo-Fr 10:00-16:00'),
	(32, '2026-12-24 off; Mo-Fr 09:00-17:00'),
	(33, '2026-12-24 off; Dec 24 09:00-12:00'),
	(34, 'Dec 25 off; 2026-12-25 10:00-11:00'),
	(35, 'Mo-Fr 09:00-17:00; Dec 24-26 10:00-12:00; Mo 08:00-12:00'),
	(36, 'Mo-Fr 09:00-17:00; Dec 24 10:00-12:00; Mo 08:00-12:00; Dec 25 off; Tu off'),
	(37, 'Tu 08:00-09:00; Dec 25 off; Mo-Fr 09:00-17:00; Dec 26 off'),
	-- spans that together are longer than a day
	(38, 'Mo 06:00-24:00,22:00-06:00'),
	(39, 'Mo 00:00-24:00,12:00-11:00'),
	-- zones
	(40, 'utc off'),
	(41, 'etc/gmt+5 24/7'),
	(42, 'Est5Edt Mo 09:00-10:00'),
	(43, 'W-SU Mo 09:00-10:00'),
	(44, 'Japan Jan 01 off'),
	(45, 'america/argentina/buenos_aires Mo 09:00-10:00'),
	(46, 'america/port-au-prince Mo 09:00-10:00'),
	(47, 'Mars/Olympus_Mons Mo 09:00-10:00')
) AS v (no, written)
ORDER BY no;

-- Canonical text is a fixed point.
SELECT count(*) AS changed
FROM unnest(ARRAY['Mo 06:00-24:00,22:00-06:00', 'Mo-Fr 09:00-17:00; Dec 24 10:00-12:00; Mo 08:00-12:00; Dec 25 off; Tu off',
	'2026-12-27 off; 2026-12-24,2026 Dec 25,26 off', 'Dec 24-Jan 02 off', 'off', 'Mars/X Mo 09:00-10:00']) AS t
WHERE t::align.calendar::text <> t::align.calendar::text::align.calendar::text;

-- The same calendar, differently written
SELECT count(DISTINCT t::align.calendar) AS one
FROM unnest(ARRAY['Mo-Fr 09:00-17:00; Dec 25 off', 'Mo 09:00-17:00; Tu,We 09:00-12:00,12:00-17:00; We-Fr 9:00-17:00; Dec 25 off',
	'utc Mo-Su 09:00-17:00; Sa-Su off; Dec 25 closed', 'Tu-Th 10:00-11:00; 2026-12-25 off; Dec 25 off; Mo-Fr 09:00-17:00; Dec 25 off']) AS t;

-- Operators and operator classes
CREATE TEMP TABLE calendars AS
SELECT c::align.calendar AS c, no
FROM unnest(ARRAY['Mo 09:00-17:00', 'UTC 24/7', 'off', 'Europe/London 24/7', 'Mo 09:00-17:00', NULL]) WITH ORDINALITY AS u (c, no);
SELECT c, count(*) FROM calendars GROUP BY c ORDER BY c;
SELECT c FROM calendars ORDER BY c DESC NULLS LAST;
CREATE INDEX ON calendars (c);
CREATE INDEX ON calendars USING hash (c);
ANALYZE calendars;
SET enable_seqscan = off;
SELECT no FROM calendars WHERE c OPERATOR(align.=) 'Mo 9:00-17:00' ORDER BY no;
SELECT no FROM calendars WHERE c OPERATOR(align.>) 'UTC 24/7' ORDER BY no;
RESET enable_seqscan;
SELECT a.no, b.no,
	a.c OPERATOR(align.<) b.c AS lt, a.c OPERATOR(align.<=) b.c AS le, a.c OPERATOR(align.=) b.c AS eq,
	a.c OPERATOR(align.<>) b.c AS ne, a.c OPERATOR(align.>=) b.c AS ge, a.c OPERATOR(align.>) b.c AS gt
FROM calendars a, calendars b WHERE a.no IN (1, 2) AND b.no IN (2, 5) ORDER BY 1, 2;
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM calendars a JOIN calendars b ON a.c OPERATOR(align.=) b.c;
RESET enable_hashjoin;
SET enable_mergejoin = off;
SELECT count(*) FROM calendars a JOIN calendars b ON a.c OPERATOR(align.=) b.c;
RESET enable_nestloop;
RESET enable_mergejoin;

-- Casts to and from jsonb
SELECT jsonb_pretty('Europe/London Mo-Fr 09:00-12:30,13:30-17:30; Sa 22:00-02:00; Dec 25 off; 2026-12-24 00:00-24:00'::align.calendar::jsonb);
SELECT c::align.calendar::jsonb FROM unnest(ARRAY['off', '24/7', 'Mo 06:00-24:00,22:00-06:00']) AS c;
SELECT '{"zone": "europe/london", "rules": [{"open": [["9:00", "17:30"]]}, {"days": "Sa-Su, We", "open": []}]}'::jsonb::align.calendar;
SELECT '{"rules": []}'::jsonb::align.calendar;
SELECT '"Europe/London 24/7"'::jsonb::align.calendar;

-- Binary form: a version byte and the text
SELECT encode(align.calendar_send('Mo 09:00-17:00'), 'escape');

-- Binary form, through a file of the server
CREATE FUNCTION pg_temp.file() RETURNS text LANGUAGE sql AS
	$$SELECT current_setting('data_directory') || '/align_calendar_binary.tmp'$$;
CREATE TEMP TABLE received (c align.calendar);
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS align.calendar LANGUAGE plpgsql AS $$
DECLARE
	large oid := lo_from_bytea(0, '\x5047434f50590aff0d0a00'::bytea || int4send(0) || int4send(0) ||
							   int2send(1::int2) || int4send(length(bytes)) || bytes || int2send((-1)::int2));
	result align.calendar;
BEGIN
	PERFORM lo_export(large, pg_temp.file());
	PERFORM lo_unlink(large);
	EXECUTE format('COPY received FROM %L (FORMAT binary)', pg_temp.file());
	DELETE FROM received RETURNING c INTO result;
	RETURN result;
END
$$;
CREATE FUNCTION pg_temp.refusal(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
BEGIN
	RETURN 'accepted: ' || pg_temp.receive(bytes);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(': ', SQLSTATE || ' ' || message, nullif(detail, ''));
END
$$;
SELECT bool_and(pg_temp.receive(align.calendar_send(c)) OPERATOR(align.=) c) FROM calendars WHERE c IS NOT NULL;
SET client_encoding = 'UTF8';
SELECT pg_temp.refusal(bytes)
FROM unnest(ARRAY['\x01' || 'mo 9:00-10:00'::bytea, '\x', '\x01', '\x00' || 'off'::bytea, '\x02' || 'off'::bytea, '\x01' || 'Mo 09:00'::bytea,
	'\x01' || 'off'::bytea || '\x00', '\x01' || 'off'::bytea || '\xff']) AS bytes;
RESET client_encoding;

-- An input function that reports softly, where the server can ask for that
DO $$
DECLARE
	valid bool := false;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE $sql$SELECT pg_input_is_valid('Mo 09:00-10:00', 'align.calendar') AND NOT pg_input_is_valid('Mo 09:00-09:00', 'align.calendar')
			AND NOT pg_input_is_valid('EST5 24/7', 'align.calendar') AND NOT pg_input_is_valid(repeat(' ', 300000), 'align.calendar')$sql$ INTO valid;
		ASSERT valid;
	END IF;
END
$$;
