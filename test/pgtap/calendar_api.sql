-- The public face of type calendar: what exists, and what it promises the planner.
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SET LOCAL TimeZone = 'UTC';
SELECT plan(33);

SELECT has_type('align', 'calendar', 'type calendar exists');

SELECT function_returns('align', name, arguments, result, format('%s(%s) returns %s', name, array_to_string(arguments, ', '), result))
FROM (VALUES
	('working_time', '{align.calendar, timestamp with time zone, timestamp with time zone}'::text[], 'interval'),
	('working_time', '{align.calendar, tstzrange}', 'interval'),
	('working_time', '{align.calendar, tstzmultirange}', 'interval'),
	('add_working_time', '{align.calendar, timestamp with time zone, interval}', 'timestamp with time zone'),
	('is_open', '{align.calendar, timestamp with time zone}', 'boolean'),
	('next_open', '{align.calendar, timestamp with time zone}', 'timestamp with time zone'),
	('next_close', '{align.calendar, timestamp with time zone}', 'timestamp with time zone'),
	('end_of_working_day', '{align.calendar, timestamp with time zone, integer}', 'timestamp with time zone'),
	('open_periods', '{align.calendar, tstzrange}', 'tstzmultirange'),
	('with_holidays', '{align.calendar, date[]}', 'align.calendar'),
	('calendar_to_jsonb', '{align.calendar}', 'jsonb'),
	('jsonb_to_calendar', '{jsonb}', 'align.calendar')) AS f (name, arguments, result);

SELECT is(count(*), 0::bigint, 'every function of a calendar is immutable, strict and parallel safe')
FROM pg_catalog.pg_proc
WHERE pronamespace = 'align'::regnamespace AND probin IS NOT NULL
	AND (proargtypes[0] = 'align.calendar'::regtype OR prorettype = 'align.calendar'::regtype)
	AND (provolatile <> 'i' OR NOT proisstrict OR proparallel <> 's');

SELECT is((SELECT array_agg(oprname::text ORDER BY oprname COLLATE "C") FROM pg_catalog.pg_operator
	WHERE oprleft = 'align.calendar'::regtype AND oprright = 'align.calendar'::regtype AND oprresult = 'boolean'::regtype),
	'{<,<=,<>,=,>,>=}', 'comparison operators');
SELECT is((SELECT array_agg(amname::text ORDER BY amname) FROM pg_catalog.pg_opclass JOIN pg_catalog.pg_am a ON a.oid = opcmethod
	WHERE opcintype = 'align.calendar'::regtype AND opcdefault), '{btree,hash}', 'default operator classes');
SELECT is((SELECT array_agg(castcontext::text) FROM pg_catalog.pg_cast
	WHERE 'align.calendar'::regtype IN (castsource, casttarget)), '{e,e}', 'casts to and from jsonb are explicit');

-- One example of each
SELECT is(align.working_time('Europe/London Mo-Fr 09:00-17:30', '2026-03-06 16:30+00', '2026-03-09 10:30+00'), '2:30:00', 'working_time over a weekend');
SELECT is(align.working_time('Mo-Fr 09:00-17:00', '2026-03-09 10:30+00', '2026-03-06 16:30+00'), '-2:00:00', 'working_time is negative when reversed');
SELECT is(align.working_time('Mo-Fr 09:00-17:00', tstzrange('2026-03-02', '2026-03-03')), '8:00:00', 'working_time of a range');
SELECT is(align.working_time('Mo-Fr 09:00-17:00', '{[2026-03-02,2026-03-03),[2026-03-04,2026-03-05)}'::tstzmultirange), '16:00:00', 'working_time of a multirange');
SELECT is(align.add_working_time('Mo-Fr 09:00-17:00', '2026-03-06 16:30+00', '4 hours'), '2026-03-09 12:30+00', 'add_working_time');
SELECT is(align.add_working_time('Mo-Fr 09:00-17:00', '2026-03-09 12:30+00', '-4 hours'), '2026-03-06 16:30+00', 'add_working_time backwards');
SELECT ok(align.is_open('Mo-Fr 09:00-17:00', '2026-03-06 09:00+00') AND NOT align.is_open('Mo-Fr 09:00-17:00', '2026-03-06 17:00+00'), 'is_open: [open, close)');
SELECT is(align.next_open('Mo-Fr 09:00-17:00', '2026-03-06 17:00+00'), '2026-03-09 09:00+00', 'next_open');
SELECT is(align.next_close('Mo-Fr 09:00-17:00', '2026-03-06 17:00+00'), '2026-03-09 17:00+00', 'next_close');
SELECT is(align.end_of_working_day('Mo-Fr 09:00-17:00', '2026-03-06 12:00+00', 1), '2026-03-09 17:00+00', 'end_of_working_day');
SELECT is(align.open_periods('Mo-Fr 09:00-17:00', '[2026-03-06,2026-03-09 10:00)'),
	'{[2026-03-06 09:00,2026-03-06 17:00),[2026-03-09 09:00,2026-03-09 10:00)}', 'open_periods');
SELECT is(align.with_holidays('Mo-Fr 09:00-17:00', '{2026-04-03,2026-04-06}')::text, 'UTC Mo-Fr 09:00-17:00; 2026-04-03,2026-04-06 off', 'with_holidays');

-- Refusals
SELECT throws_ok($$SELECT align.next_open('off', now())$$, '22023', 'calendar never opens', 'next_open of a calendar that never opens');
SELECT throws_ok($$SELECT align.add_working_time('24/7', now(), '1 day')$$, '22023', 'interval of working time must not have days or months', 'days are refused');
SELECT throws_ok($$SELECT align.working_time('24/7', now(), 'infinity')$$, '22008', 'timestamp must be finite', 'infinity is refused');
SELECT is(align.working_time('off', '2026-01-01', '2027-01-01'), '0', 'a calendar that never opens has no working time');

SELECT * FROM finish();
ROLLBACK;
