-- Working hours against an oracle that walks minute by minute.
--
-- The oracle knows nothing of the calendar's text: a random calendar is a list
-- of rules in a table, from which its text is written.  For every minute it
-- asks PostgreSQL what the local clock reads, takes the latest reading so far
-- (a clock set back does not run through its hours twice), and looks whether
-- that lies in a span of the last rule that names the date.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS align;
RESET client_min_messages;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';
\set seed 0.42
\echo seed :seed
SELECT setseed(:seed);

CREATE TEMP TABLE zone (no int GENERATED ALWAYS AS IDENTITY, name text, skips date[]);
INSERT INTO zone (name) VALUES
	('Europe/London'), ('America/New_York'), ('Australia/Lord_Howe'), ('Africa/Casablanca'), ('Asia/Kolkata'),
	('America/Sao_Paulo'), ('America/Havana'), ('Pacific/Apia'), ('UTC');

-- the days on which the offset changes
UPDATE zone SET skips = (
	SELECT coalesce(array_agg(day::date ORDER BY day), '{}')
	FROM generate_series(timestamptz '1995-01-01', '2036-12-31', '1 day') AS day
	WHERE (day AT TIME ZONE name) - (day AT TIME ZONE 'UTC')
		<> ((day + interval '1 day') AT TIME ZONE name) - ((day + interval '1 day') AT TIME ZONE 'UTC'));
SELECT name, cardinality(skips) > 40 AS has_dst FROM zone ORDER BY no;

CREATE FUNCTION pg_temp.pick(low int, high int) RETURNS int LANGUAGE sql VOLATILE
RETURN low + floor(random() * (high - low + 1))::int;

-- One rule: the days it names and its spans in minutes of the local date.
CREATE TEMP TABLE rule (
	no int,
	weekdays int[],				-- ISO
	yearly_from text, yearly_to text,	-- MMDD; may run over New Year
	fixed daterange,
	spans int4range[]
);

CREATE FUNCTION pg_temp.clock(minute int) RETURNS text LANGUAGE sql IMMUTABLE
RETURN to_char(minute / 60, 'FM00') || ':' || to_char(minute % 60, 'FM00');

-- Fill "rule" with a random calendar and return its text.
CREATE FUNCTION pg_temp.random_calendar(zone text, around date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	weekday_names text[] := '{Mo,Tu,We,Th,Fr,Sa,Su}';
	result text := zone;
	days text;
	r rule;
	kind int;
	a int;
	b int;
	near date;
	far date;
BEGIN
	DELETE FROM rule;
	FOR rule_no IN 1 .. pg_temp.pick(1, 5) LOOP
		r := NULL;
		r.no := rule_no;
		kind := pg_temp.pick(1, 20);
		near := around + pg_temp.pick(-3, 4);
		far := near + pg_temp.pick(0, 5);
		IF kind <= 11 OR rule_no = 1 AND kind < 18 THEN
			a := pg_temp.pick(1, 7);
			b := pg_temp.pick(1, 7);
			r.weekdays := CASE WHEN a <= b THEN ARRAY(SELECT generate_series(a, b))
				ELSE ARRAY(SELECT generate_series(a, 7)) || ARRAY(SELECT generate_series(1, b)) END;
			days := weekday_names[a] || CASE WHEN a = b THEN '' ELSE '-' || weekday_names[b] END;
			IF kind < 4 THEN
				a := pg_temp.pick(1, 7);
				r.weekdays := r.weekdays || a;
				days := days || ',' || weekday_names[a];
			END IF;
		ELSIF kind = 12 THEN
			r.weekdays := '{1,2,3,4,5,6,7}';
			days := '';
		ELSIF kind = 13 THEN
			r.yearly_from := '0229';
			r.yearly_to := '0229';
			days := 'feb 29';
		ELSIF kind <= 16 THEN
			r.yearly_from := to_char(near, 'MMDD');
			r.yearly_to := to_char(far, 'MMDD');
			days := to_char(near, 'Mon DD') || CASE WHEN near = far THEN '' ELSE to_char(far, '-Mon DD') END;
		ELSE
			r.fixed := daterange(near, far, '[]');
			days := CASE WHEN near = far THEN to_char(near, CASE kind WHEN 17 THEN 'YYYY-MM-DD' ELSE 'YYYY Mon DD' END)
				WHEN kind = 17 THEN to_char(near, 'YYYY-MM-DD') || to_char(far, '-YYYY-MM-DD')
				ELSE to_char(near, 'YYYY Mon FMDD') || to_char(far, '-YYYY Mon FMDD') END;
		END IF;

		r.spans := '{}';
		kind := pg_temp.pick(1, 10);
		IF kind = 1 AND r.weekdays IS NOT NULL THEN
			r.weekdays := '{1,2,3,4,5,6,7}';
			r.spans := ARRAY[int4range(0, 1440)];
			days := '24/7';
		ELSIF kind = 2 THEN
			r.spans := ARRAY[int4range(0, 1440)];
			days := days || ' 00:00-24:00';
		ELSIF kind = 3 THEN
			days := days || ' off';
		ELSE
			FOR i IN 1 .. pg_temp.pick(1, 3) LOOP
				IF kind < 7 THEN
					-- short, in the small hours in which clocks are set
					a := pg_temp.pick(0, 210);
					b := a + pg_temp.pick(1, 60);
				ELSE
					a := pg_temp.pick(0, 1439);
					b := pg_temp.pick(1, 1440);
					IF a = b THEN
						b := b + 1;
					ELSIF b < a THEN
						b := b + 1440;		-- overnight
					END IF;
				END IF;
				r.spans := r.spans || int4range(a, b);
				days := days || CASE WHEN i = 1 THEN ' ' ELSE ',' END || pg_temp.clock(a) || '-'
					|| pg_temp.clock(CASE WHEN b > 1440 THEN b - 1440 ELSE b END);
			END LOOP;
		END IF;
		INSERT INTO rule SELECT (r).*;
		result := result || CASE WHEN rule_no = 1 THEN ' ' ELSE '; ' END || trim(days);
	END LOOP;
	RETURN result;
END
$$;

-- The spans of a local date, as local times.
CREATE FUNCTION pg_temp.open_on(day date) RETURNS tsmultirange LANGUAGE sql STABLE AS $$
	SELECT range_agg(tsrange(day + lower(span) * interval '1 minute', day + upper(span) * interval '1 minute'))
	FROM unnest((
		SELECT spans FROM rule
		WHERE extract(isodow FROM day) = ANY (weekdays)
			OR CASE WHEN yearly_from <= yearly_to THEN to_char(day, 'MMDD') BETWEEN yearly_from AND yearly_to
				ELSE to_char(day, 'MMDD') >= yearly_from OR to_char(day, 'MMDD') <= yearly_to END
			OR day <@ fixed
		ORDER BY no DESC LIMIT 1)) AS span
$$;

CREATE TEMP TABLE tally (what text PRIMARY KEY, cases bigint DEFAULT 0, failures bigint DEFAULT 0);
INSERT INTO tally (what) VALUES ('working_time'), ('open_periods'), ('canonical text, jsonb, same answers'),
	('add_working_time'), ('next_open and next_close'), ('end_of_working_day'), ('additive');

CREATE FUNCTION pg_temp.count_case(name text, n bigint, failed bigint, detail text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE tally SET cases = cases + n, failures = failures + failed WHERE what = name;
	IF failed > 0 AND (SELECT failures = failed FROM tally WHERE what = name) THEN
		RAISE WARNING 'first failure of %: %', name, detail;
	END IF;
END
$$;

-- The calendar over two days from start, and 30 spans in them.
CREATE FUNCTION pg_temp.check_window(zone text, calendar_text text, start timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	minutes constant int := 2 * 1440;
	-- for the clocks that are set back just before the window
	ahead constant int := 180;
	calendar align.calendar := calendar_text;
	local_open tsmultirange;
	is_open bool[];
	before int[];
	periods tstzmultirange;
	n int;
	failed int;
	detail text;
	day date;
	closing timestamptz;
BEGIN
	SELECT range_agg(o) INTO local_open
	FROM generate_series(-3, 4) AS i, unnest(pg_temp.open_on((start AT TIME ZONE zone)::date + i)) AS o;
	local_open := coalesce(local_open, '{}');

	WITH reading AS (
		SELECT i, max((start + i * interval '1 minute') AT TIME ZONE zone) OVER (ORDER BY i) AS latest
		FROM generate_series(-ahead, minutes - 1) AS i
	), open_minute AS (
		SELECT i, local_open @> latest AS open FROM reading WHERE i >= 0
	), total AS (
		SELECT i, open, sum(open::int) OVER (ORDER BY i) - open::int AS before FROM open_minute
	)
	SELECT array_agg(open ORDER BY i), array_agg(total.before ORDER BY i),
		coalesce(range_agg(tstzrange(start + i * interval '1 minute', start + (i + 1) * interval '1 minute')) FILTER (WHERE open), '{}')
	INTO is_open, before, periods
	FROM total;

	PERFORM pg_temp.count_case('open_periods', 1,
		(align.open_periods(calendar, tstzrange(start, start + minutes * interval '1 minute')) <> periods)::int,
		format('%s from %s', calendar_text, start));

	SELECT count(*), count(*) FILTER (WHERE got <> expected),
		min(format('%s: from %s to %s: %s, expected %s', calendar_text, from_at, to_at, got, expected)) FILTER (WHERE got <> expected)
	INTO n, failed, detail
	FROM (
		SELECT start + a * interval '1 minute' + a_sec * interval '1 second' AS from_at,
			start + b * interval '1 minute' + b_sec * interval '1 second' AS to_at,
			(before[b + 1] - before[a + 1]) * interval '1 minute'
			+ (is_open[b + 1]::int * b_sec - is_open[a + 1]::int * a_sec) * interval '1 second' AS expected
		FROM (SELECT pg_temp.pick(0, minutes - 1) AS a, pg_temp.pick(0, minutes - 1) AS b,
				pg_temp.pick(0, 59) AS a_sec, pg_temp.pick(0, 59) AS b_sec
			FROM generate_series(1, 30)) p) q,
		LATERAL (SELECT align.working_time(calendar, from_at, to_at) AS got) w;
	PERFORM pg_temp.count_case('working_time', n, failed, detail);

	-- the text that comes out says the same
	PERFORM pg_temp.count_case('canonical text, jsonb, same answers', 1,
		(calendar::text <> calendar::text::align.calendar::text
			OR calendar::jsonb::align.calendar OPERATOR(align.<>) calendar
			OR align.open_periods(calendar::text::align.calendar, tstzrange(start, start + minutes * interval '1 minute')) <> periods)::int,
		calendar_text);

	-- the working day of a random instant, by its definition
	n := pg_temp.pick(0, minutes / 2);
	SELECT d INTO day FROM unnest(ARRAY[0, -1, 1]) WITH ORDINALITY AS u(i, ord),
		LATERAL (SELECT ((start + n * interval '1 minute') AT TIME ZONE zone)::date + i AS d) x,
		LATERAL (SELECT pg_temp.open_on(d) AS open) y,
		LATERAL (SELECT max((start + m * interval '1 minute') AT TIME ZONE zone) AS latest
			FROM generate_series(n - ahead, n) AS m) z
	WHERE open @> latest ORDER BY ord LIMIT 1;
	IF day IS NOT NULL THEN
		-- it closes when no minute of its spans is left
		local_open := pg_temp.open_on(day);
		SELECT max(start + (i + 1) * interval '1 minute') INTO closing
		FROM (SELECT i, max((start + i * interval '1 minute') AT TIME ZONE zone) OVER (ORDER BY i) AS latest
			FROM generate_series(-ahead, minutes - 1) AS i) m
		WHERE local_open @> latest;
		-- only where the end was seen
		IF closing < start + minutes * interval '1 minute' THEN
			PERFORM pg_temp.count_case('end_of_working_day', 1,
				(align.end_of_working_day(calendar, start + n * interval '1 minute', 0) <> closing)::int,
				format('%s at %s: %s, expected %s', calendar_text, start + n * interval '1 minute',
					align.end_of_working_day(calendar, start + n * interval '1 minute', 0), closing));
		END IF;
	END IF;
END
$$;

-- What must hold of any calendar at any time, by the definitions.
CREATE FUNCTION pg_temp.check_laws(calendar_text text, around date, far bool) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	calendar align.calendar := calendar_text;
	us constant interval := '1 microsecond';
	a timestamptz;
	b timestamptz;
	c timestamptz;
	worked interval;
	t timestamptz;
	o timestamptz;
	years int;
BEGIN
	FOR i IN 1 .. CASE WHEN far THEN 4 ELSE 2 END LOOP
		-- near, in living memory, and (which takes a while) very far
		years := CASE i WHEN 1 THEN 1 WHEN 2 THEN 30 WHEN 3 THEN 400 ELSE 6000 END;
		a := around + (random() - 0.5) * years * interval '8766 hours';
		b := around + (random() - 0.5) * years * interval '8766 hours';
		c := around + (random() - 0.5) * years * interval '8766 hours';
		worked := align.working_time(calendar, a, b);
		PERFORM pg_temp.count_case('additive', 1,
			(worked + align.working_time(calendar, b, c) <> align.working_time(calendar, a, c)
				OR align.working_time(calendar, b, a) <> -worked)::int,
			format('%s: %s, %s, %s', calendar_text, a, b, c));

		-- the first (going back: the last) instant with just this working time
		IF worked <> interval '0' THEN
			t := align.add_working_time(calendar, a, worked);
			PERFORM pg_temp.count_case('add_working_time', 1,
				(align.working_time(calendar, a, t) <> worked
					OR CASE WHEN worked > interval '0' THEN align.working_time(calendar, t - us, t)
						ELSE align.working_time(calendar, t, t + us) END <> us)::int,
				format('%s: %s + %s = %s', calendar_text, a, worked, t));
		END IF;
		IF align.working_time(calendar, a, a + interval '40 years') > interval '0' THEN
			o := align.next_open(calendar, a);
			PERFORM pg_temp.count_case('next_open and next_close', 1,
				(NOT align.is_open(calendar, o) OR o < a OR align.working_time(calendar, a, o) <> interval '0'
					OR align.add_working_time(calendar, a, '0') <> o)::int,
				format('%s: next_open(%s) = %s', calendar_text, a, o));
			IF align.working_time(calendar, o, o + interval '40 years') < (o + interval '40 years' - o) THEN
				t := align.next_close(calendar, a);
				PERFORM pg_temp.count_case('next_open and next_close', 1,
					(align.is_open(calendar, t) OR t <= o OR align.working_time(calendar, o, t) <> make_interval(secs => extract(epoch FROM t - o)::float8))::int,
					format('%s: next_close(%s) = %s', calendar_text, a, t));
			END IF;
		END IF;
	END LOOP;
END
$$;

DO $$
DECLARE
	z record;
	around date;
	calendar_text text;
	start timestamptz;
	n int := 700;
BEGIN
	FOR i IN 1 .. n LOOP
		SELECT * INTO z FROM zone WHERE no = 1 + i % (SELECT count(*) FROM zone);
		around := CASE
			WHEN cardinality(z.skips) > 0 AND i % 3 > 0 THEN z.skips[pg_temp.pick(1, cardinality(z.skips))]
			WHEN i % 4 = 0 THEN make_date(pg_temp.pick(1996, 2034), 2, 28)
			ELSE date '1995-01-01' + pg_temp.pick(0, 15000) END;
		calendar_text := pg_temp.random_calendar(z.name, around);
		start := around - interval '1 day' + pg_temp.pick(-720, 720) * interval '1 minute';
		PERFORM pg_temp.check_window(z.name, calendar_text, start);
		IF i % 2 = 0 THEN
			PERFORM pg_temp.check_laws(calendar_text, around, i % 40 = 0);
		END IF;
	END LOOP;
END
$$;

SELECT what, cases > CASE what WHEN 'working_time' THEN 20000 ELSE 200 END AS enough, failures FROM tally ORDER BY what COLLATE "C";
\if :{?ALIGN_SHOW_CASES}
SELECT * FROM tally;
\endif
