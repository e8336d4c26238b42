-- Bad input to type calendar and its functions: one clear error each.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS align;
RESET client_min_messages;
SET TimeZone = 'UTC';
\set VERBOSITY default

-- One line per bad text: SQLSTATE, message, detail, hint.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'ACCEPTED';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END
$$;

SELECT bad, pg_temp.try(format('SELECT %L::align.calendar', bad)) AS error
FROM (VALUES
	(1, ''), (2, '   '), (3, ';'), (4, 'Mo-Fr 09:00-17:00;; Sa off'), (5, 'Europe/London'), (6, 'Mo-Fr'), (7, 'Mo-Fr 09:00'),
	(8, 'Mo-Fr 09:00-'), (9, 'Mo-Fr 09:00-17:00,'), (10, 'Mo- 09:00-17:00'), (11, 'Mo-Fr 09:00-17:00 Sa off'),
	-- times
	(20, 'Mo 24:30-25:00'), (21, 'Mo 09:00-24:30'), (22, 'Mo 09:00-25:00'), (23, 'Mo 24:00-25:00'), (24, 'Mo 09:00-09:00'),
	(25, 'Mo 00:00-00:00'), (26, 'Mo 09:60-10:00'), (27, 'Mo 9-17'), (28, 'Mo 09:00:00-17:00'), (29, 'Mo 099:00-10:00'), (30, 'Mo 09:00+'),
	(31, 'Mo -1:00-10:00'), (32, 'Mo 09:0-10:00'),
	-- dates
	(40, 'Feb 30 off'), (41, '2026-02-29 off'), (42, 'Dec 0 off'), (43, 'Dec 32 off'), (44, '2026-13-01 off'), (45, '1799-12-31 off'),
	(46, '2300-01-01 off'), (47, '0000-01-01 off'), (48, '2026-1-1 off'), (49, 'Dec 26-24 off'), (50, '2026 Dec 24-Jan 02 off'),
	(51, '2026-12-26-2026-12-24 off'), (52, 'Dec 24-2027 Jan 02 off'), (53, '2026 Dec 24,Dec 31 off'), (54, '2026-12-24-26 off'),
	(55, 'Dec off'), (56, 'Jan-Mar 09:00-17:00'), (57, 'Dec Mo-Fr 09:00-17:00'), (58, '2026 off'), (59, '2026 Mo off'), (60, 'Dec 25 2026 off'),
	(61, 'Dec 25,09:00-10:00'), (62, 'Dec 09:00-10:00'), (63, 'Mo,Dec 25 off'), (64, '2026 Feb 28-29 off'),
	-- the rest of the opening_hours specification
	(70, 'PH off'), (71, 'Mo-Fr,PH 09:00-17:00'), (72, 'SH 09:00-17:00'), (73, 'Mo-Fr sunrise-sunset'), (74, 'week 1-10 Mo 09:00-17:00'),
	(75, 'easter off'), (76, 'Mo[1] 09:00-17:00'), (77, 'Mo 09:00-17:00 || 18:00-19:00'), (78, 'Mo 09:00-17:00 "by appointment"'),
	(79, 'Mo (sunrise+01:00)-17:00'), (80, 'Mo-Fr open'), (81, 'Mo 09:00-17:00/15'), (82, 'Mo 09:00-12:00, We 09:00-12:00'), (83, '24/7 off'),
	(84, '24/8'), (85, 'unknown'),
	-- the words people write
	(90, 'Monday 09:00-17:00'), (91, 'Mon-Fri 09:00-17:00'), (92, 'December 25 off'), (93, 'Sept 1 off'), (94, 'Mo-Fri 09:00-17:00'),
	(95, 'Xx 09:00-17:00; We off'), (96, 'Mo-Xx 09:00-17:00'),
	-- zones
	(100, 'EST5 Mo 09:00-17:00'), (101, 'UTC+1 Mo 09:00-17:00'), (102, 'UTC0 Mo 09:00-17:00'), (103, 'Etc/GMT+13 24/7'), (104, 'Etc/GMT-15 24/7'),
	(105, 'Etc/GMT+05 24/7'), (106, 'Etc/GMT 24/7'), (107, 'America//New_York 24/7'), (108, '/etc/passwd 24/7'), (109, '../UTC 24/7'),
	(110, '<+03>-3 24/7'), (111, 'Europe/London- 24/7'), (112, 'localtime 24/7'), (113, 'Europe/Zürich 24/7'), (114, ':UTC 24/7'),
	(115, 'EST5EDT,M3.2.0,M11.1.0 24/7'),
	-- positions count characters and lines
	(120, E'UTC Mo 09:00-17:00;\n  Tu 09:00-09:00'), (121, 'Mo 09:00-17:00; «Tu» off')
) AS v (no, bad) ORDER BY no;

-- Limits
SELECT pg_temp.try(format('SELECT %L::align.calendar', 'Mo ' || string_agg(format('%s:00-%s:30,%s:40-%s:50', h, h, h, h), ',')))
FROM generate_series(0, 12) AS h;
SELECT pg_temp.try(format('SELECT %L::align.calendar', repeat('Mo 09:00-17:00;', 20000)));
SELECT length((repeat('Mo 09:00-17:00;', 17000) || 'Tu off')::align.calendar::text);
SELECT ('1800-01-01-2299-12-31 off; ' || string_agg(format('%s-02-28 09:00-%s:30', y, y % 10 + 10), ';') || '; Mo-Su 09:00-10:00')::align.calendar
FROM generate_series(1800, 2299) AS y;

-- A restore accepts an unknown zone, use does not.
CREATE TEMP TABLE hours (c align.calendar);
INSERT INTO hours VALUES ('Mars/Olympus_Mons Mo-Fr 09:00-17:00');
SELECT c FROM hours;
SELECT align.with_holidays(c, '{2026-12-25}') FROM hours;
SELECT align.working_time(c, '2026-01-01', '2026-02-01') FROM hours;
SELECT align.is_open(c, '2026-01-01') FROM hours;

-- Infinite times
SELECT pg_temp.try(statement)
FROM unnest(ARRAY[
	$$SELECT align.working_time('24/7', '-infinity', now())$$,
	$$SELECT align.working_time('24/7', now(), 'infinity')$$,
	$$SELECT align.working_time('24/7', tstzrange(NULL, now()))$$,
	$$SELECT align.working_time('24/7', tstzrange('2026-01-01', NULL))$$,
	$$SELECT align.working_time('24/7', tstzrange('2026-01-01', 'infinity'))$$,
	$$SELECT align.working_time('24/7', '{[2026-01-01,2026-01-02),[2026-02-01,)}'::tstzmultirange)$$,
	$$SELECT align.open_periods('24/7', '(,)'::tstzrange)$$,
	$$SELECT align.add_working_time('24/7', 'infinity', '1 hour')$$,
	$$SELECT align.is_open('24/7', '-infinity')$$,
	$$SELECT align.next_open('24/7', 'infinity')$$,
	$$SELECT align.next_close('24/7', 'infinity')$$,
	$$SELECT align.end_of_working_day('24/7', 'infinity', 0)$$]) AS statement;

-- Amounts, never opening, never closing, out of range
SELECT pg_temp.try(statement)
FROM unnest(ARRAY[
	$$SELECT align.add_working_time('24/7', '2026-01-01', '1 day')$$,
	$$SELECT align.add_working_time('24/7', '2026-01-01', '-1 month')$$,
	$$SELECT align.add_working_time('off', '2026-01-01', '1 hour')$$,
	$$SELECT align.add_working_time('off', '2026-01-01', '-1 hour')$$,
	$$SELECT align.add_working_time('off', '2026-01-01', '0')$$,
	$$SELECT align.add_working_time('2026-01-01 09:00-10:00', '2026-01-01', '61 minutes')$$,
	$$SELECT align.add_working_time('2026-01-01 09:00-10:00', '2026-01-02', '-61 minutes')$$,
	$$SELECT align.add_working_time('24/7', '294276-12-31', '24 hours')$$,
	$$SELECT align.add_working_time('24/7', '4714-11-24 00:00+00 BC', '-1 hour')$$,
	$$SELECT align.add_working_time('Feb 29 09:00-10:00', '2026-01-01', '1000000 hours')$$,
	$$SELECT align.add_working_time('Feb 29 09:00-10:00', '2026-01-01', '-1000000 hours')$$,
	$$SELECT align.working_time('24/7', '4714-11-24 00:00+00 BC', '294276-12-31')$$,
	$$SELECT align.next_open('off', '2026-01-01')$$,
	$$SELECT align.next_open('2026-01-01 09:00-10:00', '2026-01-01 10:00')$$,
	$$SELECT align.next_close('off', '2026-01-01')$$,
	$$SELECT align.next_close('24/7', '2026-01-01')$$,
	$$SELECT align.next_close('24/7; 2026-01-01 off', '2026-01-02')$$,
	$$SELECT align.end_of_working_day('off', '2026-01-01', 1)$$,
	$$SELECT align.end_of_working_day('2026-01-01 09:00-10:00', '2026-01-01', 1)$$,
	$$SELECT align.end_of_working_day('24/7', '2026-01-01', -1)$$,
	$$SELECT align.end_of_working_day('24/7', '294276-12-31', 1)$$,
	$$SELECT align.end_of_working_day('24/7', '294276-01-01', 2147483647)$$,
	$$SELECT align.open_periods('00:00-00:30,01:00-01:30,02:00-02:30', '[2000-01-01,3000-01-01)')$$]) AS statement;

-- Numbers of working days that no calendar holds fail without counting them.
SET statement_timeout = '5s';
SELECT statement, pg_temp.try(statement)
FROM unnest(ARRAY[
	$$SELECT align.end_of_working_day('24/7', '2026-01-01', 2147483647)$$,
	$$SELECT align.end_of_working_day('24/7', '2026-01-01', -2147483648)$$,
	$$SELECT align.end_of_working_day('24/7', '2026-01-01', 106800000)$$,
	$$SELECT align.end_of_working_day('24/7', '4714-11-24 00:00+00 BC', 2147483647)$$,
	$$SELECT align.end_of_working_day('Europe/London Mo-Fr 09:00-17:30; Dec 25 off', '2026-01-01', 2147483647)$$,
	$$SELECT align.end_of_working_day('Feb 29 09:00-10:00', '2026-01-01', 2147483647)$$,
	$$SELECT align.end_of_working_day('off', '4714-11-24 00:00+00 BC', 2147483647)$$,
	$$SELECT align.end_of_working_day('2026-01-01-2026-12-31 09:00-10:00', '2026-01-01', 365)$$,
	$$SELECT align.end_of_working_day('2026-01-01-2026-12-31 09:00-10:00', '2026-01-01', 2147483647)$$,
	$$SELECT align.end_of_working_day('2026-01-01-2026-12-31 09:00-10:00', '294276-06-01', 2147483647)$$,
	$$SELECT align.end_of_working_day('Europe/London Mar 29 01:10-01:50; Mo-Sa off', '2026-01-01', 2147483647)$$]) AS statement;
RESET statement_timeout;

-- Holidays
SELECT pg_temp.try(statement)
FROM unnest(ARRAY[
	$$SELECT align.with_holidays('24/7', '{2026-12-25,NULL}')$$,
	$$SELECT align.with_holidays('24/7', '{infinity}')$$,
	$$SELECT align.with_holidays('24/7', '{-infinity}')$$,
	$$SELECT align.with_holidays('24/7', '{1799-12-31}')$$,
	$$SELECT align.with_holidays('24/7', '{2300-01-01}')$$]) AS statement;

-- JSON
SELECT document, pg_temp.try(format('SELECT %L::jsonb::align.calendar', document))
FROM unnest(ARRAY['1', 'null', '[]', '{}', '{"rules": {}}', '{"rules": [1]}', '{"rules": [{}]}', '{"rules": [{"days": 1, "open": []}]}',
	'{"rules": [{"days": "Mo; Tu", "open": []}]}', '{"rules": [{"days": "Mo 09:00-10:00", "open": []}]}', '{"rules": [{"days": "", "open": []}]}',
	'{"rules": [{"open": ["09:00-10:00"]}]}', '{"rules": [{"open": [["09:00"]]}]}', '{"rules": [{"open": [["09:00", 10]]}]}',
	'{"rules": [{"open": [["09:00", "09:00"]]}]}', '{"rules": [{"open": [["09:00", "10:00 "]]}, {"open": [["09:00", "10:00x"]]}]}',
	'{"zone": "EST5", "rules": []}', '{"zone": "Mo", "rules": []}', '{"zone": "", "rules": []}', '{"zone": null, "rules": []}',
	'{"zone": "UTC 24/7", "rules": []}', '{"rules": [], "holidays": []}', '{"rules": [{"open": [], "note": ""}]}', '"Mo 09:00"']) AS document;
