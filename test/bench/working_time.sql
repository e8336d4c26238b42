-- Working hours: spans of any length beside what people paste today.
\set calls 1000000 * :scale
SELECT greatest(round(:calls), 1000) AS calls, greatest(round(:calls / 500), 50) AS recipe_calls, 20 AS minute_calls \gset

CREATE TABLE bench.span AS
SELECT at, at + interval '1 hour' AS hour, at + interval '30 days' AS month, at + interval '3652 days' AS decade
FROM (SELECT timestamptz '2015-01-01 00:00+00' + i * interval '1 second' * (283824000.0 / :calls) AS at
	FROM generate_series(1, :calls) i) s;
VACUUM ANALYZE bench.span;
CREATE TABLE bench.few_spans AS SELECT * FROM bench.span LIMIT :recipe_calls;
ANALYZE bench.few_spans;

-- The recipe in its better form: one row a day, each clipped to the span.
CREATE FUNCTION bench.recipe_by_day(from_at timestamptz, to_at timestamptz) RETURNS interval LANGUAGE sql STABLE
RETURN (SELECT sum(greatest(least(to_at, (day + time '17:30') AT TIME ZONE 'Europe/London') -
					greatest(from_at, (day + time '09:00') AT TIME ZONE 'Europe/London'), interval '0'))
	FROM generate_series((from_at AT TIME ZONE 'Europe/London')::date::timestamp, to_at AT TIME ZONE 'Europe/London', interval '1 day') AS day
	WHERE extract(isodow FROM day) < 6 AND to_char(day, 'MMDD') <> '1225');

-- And in its usual one: count the minutes.
CREATE FUNCTION bench.recipe_by_minute(from_at timestamptz, to_at timestamptz) RETURNS interval LANGUAGE sql STABLE
RETURN (SELECT count(*) * interval '1 minute'
	FROM (SELECT minute AT TIME ZONE 'Europe/London' AS local
		FROM generate_series(from_at, to_at - interval '1 minute', interval '1 minute') AS minute) m
	WHERE extract(isodow FROM local) < 6 AND local::time >= time '09:00' AND local::time < time '17:30' AND to_char(local, 'MMDD') <> '1225');

-- All three agree, or the comparison would be of different things.
DO $$
BEGIN
	IF EXISTS (SELECT FROM (SELECT date_trunc('minute', at) AS at, date_trunc('minute', month) AS month FROM bench.few_spans LIMIT 20) s
		WHERE align.working_time('Europe/London Mo-Fr 09:00-17:30; Dec 25 off', at, month) <> bench.recipe_by_day(at, month)
			OR bench.recipe_by_day(at, month) <> bench.recipe_by_minute(at, month)) THEN
		RAISE EXCEPTION 'the recipes do not agree with working_time';
	END IF;
END
$$;

CALL bench.measure('working_time', :runs,
	'1 hour', 'SELECT count(align.working_time(''Europe/London Mo-Fr 09:00-17:30; Dec 25 off'', at, hour)) FROM bench.span',
	'30 days', 'SELECT count(align.working_time(''Europe/London Mo-Fr 09:00-17:30; Dec 25 off'', at, month)) FROM bench.span',
	'10 years', 'SELECT count(align.working_time(''Europe/London Mo-Fr 09:00-17:30; Dec 25 off'', at, decade)) FROM bench.span',
	'floor', 'SELECT count(decade) FROM bench.span');
CALL bench.measure('add_working_time', :runs,
	'1 hour', 'SELECT count(align.add_working_time(''Europe/London Mo-Fr 09:00-17:30; Dec 25 off'', at, interval ''1 hour'')) FROM bench.span',
	'30 days', 'SELECT count(align.add_working_time(''Europe/London Mo-Fr 09:00-17:30; Dec 25 off'', at, interval ''182 hours'')) FROM bench.span',
	'10 years', 'SELECT count(align.add_working_time(''Europe/London Mo-Fr 09:00-17:30; Dec 25 off'', at, interval ''22168 hours'')) FROM bench.span',
	'floor', 'SELECT count(decade) FROM bench.span');
CALL bench.measure('recipe', :runs,
	'by day', 'SELECT count(bench.recipe_by_day(at, month)) FROM bench.few_spans',
	'by minute', 'SELECT count(bench.recipe_by_minute(at, month)) FROM (SELECT * FROM bench.few_spans LIMIT ' || :minute_calls || ') s',
	'floor', 'SELECT count(month) FROM bench.few_spans',
	'floor by minute', 'SELECT count(month) FROM (SELECT * FROM bench.few_spans LIMIT ' || :minute_calls || ') s');

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT f || ', ' || span, bench.show_rate(ns), 'the rows alone', '', '>= 2 M calls/s', ns <= 500
FROM unnest(ARRAY['working_time', 'add_working_time']) WITH ORDINALITY AS a(f, a_no),
	unnest(ARRAY['1 hour', '30 days', '10 years']) WITH ORDINALITY AS b(span, b_no),
	LATERAL (SELECT bench.call_ns(f, span, 'floor', :calls) AS ns) c
ORDER BY a_no, b_no;

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'working_time, 30 days', round(ours) || ' ns', 'generate_series ' || recipe || ': ' || round(theirs / 1000) || ' us',
	round((theirs / ours)::numeric) || ' x', '>= 100 x faster', theirs >= 100 * ours
FROM (VALUES (1, 'by day', 'floor', :recipe_calls), (2, 'by minute', 'floor by minute', :minute_calls)) AS r(no, recipe, floor, calls),
	LATERAL (SELECT bench.call_ns('working_time', '30 days', 'floor', :calls) AS ours,
		bench.call_ns('recipe', recipe, floor, calls) AS theirs) c
ORDER BY no;

INSERT INTO bench.note (note) VALUES
	(format('working hours: %s calls a run, %s of the recipe by day, %s by minute; calendar ''Europe/London Mo-Fr 09:00-17:30; Dec 25 off''; the cost of reading the rows is taken off', :calls, :recipe_calls, :minute_calls));
