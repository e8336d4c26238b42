-- Working hours: what the functions answer.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS align;
RESET client_min_messages;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';
\set office '\'Europe/London Mo-Fr 09:00-17:30; Dec 25 off\''

-- working_time: hours, never days; negative when reversed
SELECT align.working_time(:office, '2026-03-02 10:00+00', '2026-03-02 12:15:30.5+00') AS same_day,
	align.working_time(:office, '2026-03-06 17:00+00', '2026-03-09 09:30+00') AS weekend,
	align.working_time(:office, '2026-03-09 09:30+00', '2026-03-06 17:00+00') AS reversed,
	align.working_time(:office, '2026-01-01', '2027-01-01') AS year,
	align.working_time(:office, '2026-03-07', '2026-03-08') AS saturday,
	align.working_time('off', '2026-01-01', '2027-01-01') AS never;

-- over ranges and multiranges
SELECT align.working_time(:office, tstzrange('2026-03-02 10:00+00', '2026-03-02 12:00+00')) AS range,
	align.working_time(:office, tstzrange('2026-03-02 10:00+00', '2026-03-02 12:00+00', '(]')) AS bounds_do_not_matter,
	align.working_time(:office, 'empty'::tstzrange) AS empty,
	align.working_time(:office, '{}'::tstzmultirange) AS empty_multirange,
	align.working_time(:office, '{[2026-03-02 10:00+00,2026-03-02 12:00+00),[2026-03-03 17:00+00,2026-03-04 10:00+00)}'::tstzmultirange) AS multirange,
	align.working_time(:office, '{[2026-03-02 10:00+00,2026-03-05 12:00+00)}'::tstzmultirange
		- '{[2026-03-02 16:00+00,2026-03-03 10:00+00)}'::tstzmultirange) AS running_less_paused;

-- add_working_time
SELECT at, amount, align.add_working_time(:office, at, amount)
FROM (VALUES
	(timestamptz '2026-03-06 17:00+00', interval '30 minutes'),	-- exactly at closing time
	('2026-03-06 17:00+00', '31 minutes'),
	('2026-03-06 17:30+00', '0'),
	('2026-03-06 12:00+00', '0'),
	('2026-03-07 12:00+00', '-0'),
	('2026-03-07 12:00+00', '1 microsecond'),
	('2026-03-07 12:00+00', '-1 microsecond'),
	('2026-03-09 09:30+00', '-30 minutes'),							-- exactly at opening time
	('2026-03-09 09:30+00', '-31 minutes'),
	('2026-03-09 09:00+00', '40 hours'),
	('2026-03-09 09:00+00', '-2210:00:00')) AS v (at, amount);

-- is_open, next_open, next_close: spans have their opening time, not their closing time
SELECT at, align.is_open(:office, at), align.next_open(:office, at), align.next_close(:office, at)
FROM unnest(ARRAY['2026-03-06 08:59:59.999999+00', '2026-03-06 09:00+00', '2026-03-06 17:29:59.999999+00', '2026-03-06 17:30+00',
	'2026-12-24 18:00+00']::timestamptz[]) AS at;
-- midnight is no closing time where the next day goes on
SELECT align.next_close('Mo-Tu 00:00-24:00; We 00:00-03:00', '2026-03-02 12:00+00'),
	align.open_periods('Mo-Tu 00:00-24:00; We 00:00-03:00', '[2026-03-01,2026-03-08)');

-- end_of_working_day
SELECT c, at, d, align.end_of_working_day(c::align.calendar, at, d)
FROM (VALUES
	('Mo-Fr 09:00-12:00,13:00-17:00', timestamptz '2026-03-06 08:00+00', 0),
	('Mo-Fr 09:00-12:00,13:00-17:00', '2026-03-06 12:30+00', 0),
	('Mo-Fr 09:00-12:00,13:00-17:00', '2026-03-06 17:00+00', 0),	-- closed for the day
	('Mo-Fr 09:00-12:00,13:00-17:00', '2026-03-06 08:00+00', 1),
	('Mo-Fr 09:00-12:00,13:00-17:00', '2026-03-06 23:00+00', 1),
	('Mo-Fr 09:00-12:00,13:00-17:00', '2026-03-07 08:00+00', 0),
	('Mo-Fr 09:00-12:00,13:00-17:00', '2026-03-07 08:00+00', 1),
	('Mo-Fr 09:00-12:00,13:00-17:00', '2026-03-07 08:00+00', 7),
	('Mo-Fr 22:00-06:00', '2026-03-03 03:00+00', 0),				-- Monday's night
	('Mo-Fr 22:00-06:00', '2026-03-03 03:00+00', 1),
	('Mo-Fr 22:00-06:00', '2026-03-03 07:00+00', 0),
	('Mo-Fr 22:00-06:00', '2026-03-03 07:00+00', 1),
	('24/7', '2026-03-03 07:00+00', 0),
	('Feb 29 09:00-10:00', '2026-03-03 07:00+00', 3)) AS v (c, at, d);

-- Days far away are counted, not visited: as many steps of 150 days lead to the
-- same, over spans that clocks skip, fixed dates and the years that repeat.
CREATE FUNCTION pg_temp.end_in_steps(calendar align.calendar, at timestamptz, n int) RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
	WHILE n > 150 LOOP
		at := align.end_of_working_day(calendar, at, 150);
		n := n - 150;
	END LOOP;
	RETURN align.end_of_working_day(calendar, at, n);
END
$$;
SELECT c, n, at, align.end_of_working_day(c, at, n) = pg_temp.end_in_steps(c, at, n) AS same
FROM unnest(ARRAY['Mo-Fr 09:00-17:00; 2026-07-01-2026-12-31 off; Dec 25 off', 'Europe/London Su 01:15-01:45',
		'Africa/Casablanca 02:10-02:40,02:50-02:55', 'America/Havana 00:10-00:50']::align.calendar[]) AS c,
	(VALUES (timestamptz '2026-03-03 12:00+00', 190), ('2026-03-03 12:00+00', 1000), ('1700-03-03 12:00+00', 20000),
		('4000-03-03 12:00+00 BC', 20000), ('2026-03-03 12:00+00', 200000)) AS v (at, n)
ORDER BY c, n, at;
-- 200,000 weeks of five days, and nearly the last day there is
SET statement_timeout = '5s';
SELECT align.end_of_working_day('Mo-Fr 09:00-17:00', '2026-01-01 12:00+00', 1000000) - interval '1400000 days' AS weeks,
	align.end_of_working_day('09:00-17:00', '2026-01-01 12:00+00', 106000000) AS far;
RESET statement_timeout;

-- open_periods: the range's own bounds where it cuts a period
SELECT align.open_periods(:office, r)
FROM unnest(ARRAY['[2026-03-06 08:00+00,2026-03-09 10:00+00)', '(2026-03-06 10:00+00,2026-03-06 12:00+00]', '[2026-03-06 09:00+00,2026-03-06 17:30+00]',
	'[2026-03-06 08:00+00,2026-03-06 09:00+00]', '[2026-03-06 08:00+00,2026-03-06 09:00+00)', '[2026-03-06 10:00+00,2026-03-06 10:00+00]',
	'[2026-03-07 10:00+00,2026-03-08 10:00+00)', 'empty']::tstzrange[]) AS r;

-- with_holidays
SELECT align.with_holidays(:office, '{2026-12-28,2026-04-03,2026-04-06,2026-12-28}');
SELECT align.with_holidays(:office, '{}'), align.with_holidays('24/7', '{{2026-01-01,2026-01-02},{1800-01-01,2299-12-31}}');
SELECT align.working_time(align.with_holidays(:office, array_agg(day::date)), '2026-04-01', '2026-04-11')
FROM (VALUES ('2026-04-03'), ('2026-04-06')) AS holiday (day);

-- Time is counted in elapsed instants: 23, 24 and 25 hours.
SELECT align.working_time('Europe/London 24/7', '2026-03-29 00:00 Europe/London', '2026-03-30 00:00 Europe/London') AS spring,
	align.working_time('Europe/London 24/7', '2026-10-25 00:00 Europe/London', '2026-10-26 00:00 Europe/London') AS autumn,
	align.working_time('Australia/Lord_Howe 24/7', '2026-04-05 00:00 Australia/Lord_Howe', '2026-04-06 00:00 Australia/Lord_Howe') AS half_hour;
-- A span inside the gap is empty, one that begins in it begins at its end.
SELECT align.working_time(c, '2026-03-29 00:00+00', '2026-03-29 12:00+00'), align.open_periods(c, '[2026-03-29 00:00+00,2026-03-29 12:00+00)')
FROM unnest(ARRAY['Europe/London Su 01:10-01:50', 'Europe/London Su 01:30-02:30', 'Europe/London Su 00:30-01:30']::align.calendar[]) AS c;
-- and a day with nothing else is no working day
SELECT align.end_of_working_day('Europe/London Su 01:10-01:50', '2026-03-28 12:00+00', 1);
-- An hour that comes twice counts the first time.
SELECT align.open_periods(c, '[2026-10-25 00:00+00,2026-10-25 12:00+00)')
FROM unnest(ARRAY['Europe/London Su 01:00-01:30', 'Europe/London Su 01:00-02:00', 'Europe/London Su 01:30-02:30']::align.calendar[]) AS c;
-- Samoa had no 30 December 2011.
SELECT align.working_time('Pacific/Apia 24/7', '2011-12-29 00:00 Pacific/Apia', '2012-01-01 00:00 Pacific/Apia'),
	align.open_periods('Pacific/Apia 12:00-13:00', tstzrange('2011-12-29 00:00 Pacific/Apia', '2012-01-01 00:00 Pacific/Apia'));
-- The offset is that date's: local mean time, summer time of long ago and of the far future.
SELECT align.open_periods('Europe/London 09:00-10:00', r)
FROM unnest(ARRAY['[1840-07-01,1840-07-02)', '[1943-07-01,1943-07-02)', '[2026-07-01,2026-07-02)', '[9026-07-01,9026-07-02)', '[9026-01-01,9026-01-02)']::tstzrange[]) AS r;
-- open for more than a cycle of the calendar, and for more than an interval holds
SELECT align.open_periods('24/7; 2026-12-25 off', r)
FROM unnest(ARRAY['[2026-12-31 00:00+00,9000-01-01 00:00+00)', '(4714-11-24 00:00+00 BC,294276-12-31 00:00+00]']::tstzrange[]) AS r;

-- 29 February
SELECT align.open_periods('Feb 29 09:00-10:00', '[1896-01-01,1912-01-01)'), align.next_open('Feb 29 09:00-10:00', '2026-01-01'),
	align.add_working_time('Feb 29 09:00-10:00', '2026-01-01', '97 hours'), align.add_working_time('Feb 29 09:00-10:00', '2026-01-01', '-97 hours');

-- The ends of time
SELECT align.working_time('24/7', '4714-11-24 00:00:00+00 BC', '4713-01-01 00:00:00+00 BC') AS first_days,
	align.working_time('24/7', '294276-12-31 00:00:00+00', '294276-12-31 23:59:59.999999+00') AS last_day,
	align.working_time('Mo-Fr 09:00-17:00', '4714-11-24 00:00:00+00 BC', '294276-12-31 23:59:59.999999+00') AS all_of_it,
	align.is_open('24/7', '4714-11-24 00:00:00+00 BC'), align.is_open('24/7', '294276-12-31 23:59:59.999999+00');
SELECT align.next_open('Mo 09:00-17:00', '4714-11-24 00:00:00+00 BC'), align.next_close('Mo 09:00-17:00', '4714-11-24 00:00:00+00 BC'),
	align.end_of_working_day('Mo 09:00-17:00', '4714-11-24 00:00:00+00 BC', 0), align.end_of_working_day('Mo 09:00-17:00', '294276-12-25 12:00:00+00', 0);
SELECT align.add_working_time('24/7', '4714-11-24 00:00:00+00 BC', '2562047780 hours') AS far, align.add_working_time('24/7', '294276-12-31 00:00:00+00', '-2562047780 hours') AS back;

-- Fixed dates happen once, not every 400 years.
SELECT align.working_time('1800-01-01 00:00-24:00; 2299-12-31 12:00-11:00', '4713-01-01 BC', '200000-01-01'),
	align.next_open('2299-12-31 12:00-11:00', '1000-01-01');

-- NULL in, NULL out
SELECT align.working_time(NULL::align.calendar, now(), now()), align.working_time('24/7', NULL, now()), align.working_time('24/7', NULL::tstzrange),
	align.add_working_time('24/7', now(), NULL), align.is_open('24/7', NULL), align.with_holidays('24/7', NULL);

-- Calendars that change from row to row
SELECT sum(align.working_time(c, '2026-03-02', '2026-03-03'))
FROM (SELECT format('Mo %s:00-18:00', to_char(i % 10, 'FM00'))::align.calendar AS c FROM generate_series(1, 1000) AS i) s;

-- No memory is kept per call: over 100,000 calls of each kind in one query
-- with two calendars taking turns.
CREATE FUNCTION pg_temp.memory() RETURNS bigint LANGUAGE sql VOLATILE
RETURN (SELECT sum(total_bytes) FROM pg_catalog.pg_backend_memory_contexts);
SELECT max(bytes) - min(bytes) < 100000 AS stable
FROM (
	SELECT CASE WHEN i % 20000 = 0 THEN pg_temp.memory() END AS bytes,
		align.working_time(c, at, at + '100 hours'), align.working_time(c, tstzrange(at, at + '100 hours')),
		align.add_working_time(c, at, '100 hours'), align.next_close(c, at), align.end_of_working_day(c, at, 3),
		align.open_periods(c, tstzrange(at, at + '100 hours')), align.with_holidays(c, '{2026-12-25}'), c::jsonb::align.calendar
	FROM (SELECT i, timestamptz '2026-01-01' + i * interval '1 minute' AS at,
			CASE WHEN i % 100 < 50 THEN align.calendar_in('Mo-Fr 09:00-17:00') ELSE align.calendar_in('Europe/London 24/7; Dec 25 off') END AS c
		FROM generate_series(1, 100000) AS i OFFSET 0) s
	OFFSET 0) m
WHERE bytes IS NOT NULL;
