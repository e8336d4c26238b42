-- workload, against spells that a loop makes of the history.
\set SHOW_CONTEXT never
\getenv dir PG_ABS_SRCDIR
\set company :dir /report/company.sql
SET client_min_messages = warning;
\set ECHO none
\o /dev/null
\i :company
\o
\set ECHO all
RESET client_min_messages;
SET timezone = 'UTC';

-- Who held which lead in which open stage, from when to when.
CREATE TABLE co.spell (id int, assignee text, team text, stage text, began_at timestamptz, ended_at timestamptz, was_found boolean);
CREATE FUNCTION co.make_spells(a timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    l int; e record; s co.spell; own timestamptz; k int;
BEGIN
    PERFORM co.look(a);
    DELETE FROM co.spell;
    FOR l IN SELECT DISTINCT id FROM co.entry LOOP
        s := NULL; k := 0;
        SELECT min(x.at) INTO own FROM co.entry AS x WHERE x.id = l AND NOT x.is_merged;
        FOR e IN SELECT x.*, g.kind FROM co.entry AS x LEFT JOIN co.stage AS g USING (stage) WHERE x.id = l AND x.event <> 'touch'
                AND (NOT x.is_merged OR x.is_stage_entry AND x.at < own) ORDER BY x.at, x.entry_no LOOP
            k := k + 1;
            IF s.id IS NOT NULL AND (e.event = 'deleted' OR (e.assignee, coalesce(e.team, '(none)'), e.stage) IS DISTINCT FROM (s.assignee, s.team, s.stage)) THEN
                s.ended_at := e.at;
                INSERT INTO co.spell SELECT s.*;
                s := NULL;
            END IF;
            IF s.id IS NULL AND e.event <> 'deleted' AND e.kind = 'open' AND e.assignee IS NOT NULL THEN
                s := (l, e.assignee, coalesce(e.team, '(none)'), e.stage, e.at, NULL, k = 1 AND e.event = 'opening');
            END IF;
        END LOOP;
        IF s.id IS NOT NULL THEN INSERT INTO co.spell SELECT s.*; END IF;
    END LOOP;
    RETURN (SELECT count(*) FROM co.spell);
END $$;

-- The weeks that are looked at: 13 more than shown, for the pace of those before.
CREATE FUNCTION co.weeks(a timestamptz) RETURNS TABLE (team text, week date, start_at timestamptz, end_at timestamptz, full_end timestamptz, hours align.calendar)
LANGUAGE sql STABLE AS $$
    SELECT t.team, w::date, w AT TIME ZONE 'Europe/Berlin', least((w + interval '7 days') AT TIME ZONE 'Europe/Berlin', a), (w + interval '7 days') AT TIME ZONE 'Europe/Berlin', co.hours(2, t.team)
    FROM generate_series(date_trunc('week', a AT TIME ZONE 'Europe/Berlin') - interval '38 weeks', a AT TIME ZONE 'Europe/Berlin', interval '1 week') AS w,
        (SELECT DISTINCT s.team FROM co.spell AS s) AS t $$;
CREATE TABLE co.work AS SELECT NULL::text AS assignee, w.*, 0::bigint AS arrivals, 0::bigint AS departures, 0::bigint AS at_start, 0::bigint AS at_end, 0::float8 AS held,
    0::float8 AS open_seconds, 0::bigint AS days, 0::float8 AS full_seconds, 0::bigint AS full_days, 0::float8 AS spent
FROM co.weeks('2025-01-01') AS w WITH NO DATA;
CREATE FUNCTION co.filled(a timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    PERFORM co.make_spells(a);
    DELETE FROM co.work;
    INSERT INTO co.work
    SELECT p.assignee, w.*,
        (SELECT count(*) FROM co.spell AS s WHERE s.assignee = p.assignee AND s.team = w.team AND s.began_at >= w.start_at AND s.began_at < w.full_end AND NOT s.was_found),
        (SELECT count(*) FROM co.spell AS s WHERE s.assignee = p.assignee AND s.team = w.team AND s.ended_at >= w.start_at AND s.ended_at < w.full_end),
        (SELECT count(*) FROM co.spell AS s WHERE s.assignee = p.assignee AND s.team = w.team AND s.began_at < w.start_at AND (s.ended_at >= w.start_at OR s.ended_at IS NULL)),
        (SELECT count(*) FROM co.spell AS s WHERE s.assignee = p.assignee AND s.team = w.team AND s.began_at < w.full_end AND (s.ended_at >= w.full_end OR s.ended_at IS NULL)),
        (SELECT coalesce(sum(extract(epoch FROM align.working_time(w.hours, greatest(s.began_at, w.start_at), least(coalesce(s.ended_at, a), w.end_at)))), 0)
         FROM co.spell AS s WHERE s.assignee = p.assignee AND s.team = w.team AND s.began_at < w.end_at AND (s.ended_at >= w.start_at OR s.ended_at IS NULL)),
        extract(epoch FROM align.working_time(w.hours, w.start_at, w.end_at)),
        (SELECT count(DISTINCT (lower(r) AT TIME ZONE 'Europe/Berlin')::date) FROM unnest(align.open_periods(w.hours, tstzrange(w.start_at, greatest(w.start_at, w.end_at)))) AS r),
        extract(epoch FROM align.working_time(w.hours, w.start_at, w.full_end)),
        (SELECT count(DISTINCT (lower(r) AT TIME ZONE 'Europe/Berlin')::date) FROM unnest(align.open_periods(w.hours, tstzrange(w.start_at, w.full_end))) AS r),
        (SELECT coalesce(sum(extract(epoch FROM align.working_time(w.hours, s.began_at, s.ended_at))), 0)
         FROM co.spell AS s WHERE s.assignee = p.assignee AND s.team = w.team AND s.ended_at >= w.start_at AND s.ended_at < w.full_end)
    FROM co.weeks(a) AS w, (SELECT DISTINCT s.assignee, s.team FROM co.spell AS s) AS p WHERE p.team = w.team;
    -- from the person's first week on
    DELETE FROM co.work AS x USING (SELECT assignee, team, min(week) AS first FROM co.work WHERE arrivals + departures + at_start + at_end > 0 GROUP BY assignee, team) AS f
    WHERE x.assignee = f.assignee AND x.team = f.team AND x.week < f.first;
    RETURN a;
END $$;

SELECT a, c.* FROM unnest('{2025-03-10 09:30Z,2025-07-13 22:00Z,2025-09-25 12:30Z,2025-12-15 07:45Z}'::timestamptz[]) AS a,
    co.compare(co.filled(a), 'SELECT row_key, week, week_start_at, as_of, is_complete, assignee, team, arrivals, departures, in_hand_start, in_hand_end, round(in_hand_mean::numeric, 9), working_days,
            arrivals_per_day, departures_per_day, best_per_day, load, round(clear_days::numeric, 9), round(expected_in_hand::numeric, 9) FROM r.workload($a)',
        'SELECT w.week || '' '' || quote_ident(w.team) || '' '' || w.assignee, w.week, w.start_at, w.end_at, w.week > ''2025-02-15'', w.assignee, w.team, w.arrivals, w.departures, w.at_start, w.at_end,
            round((w.held / nullif(w.open_seconds, 0))::numeric, 9), w.days::int, w.arrivals::float8 / nullif(w.days, 0), w.departures::float8 / nullif(w.days, 0), b.best,
            w.arrivals::float8 / nullif(w.days, 0) / nullif(b.best, 0),
            round((w.at_end * f.days / nullif(f.departures, 0)::float8)::numeric, 9),
            round((w.arrivals::float8 / nullif(w.days, 0) * f.spent / nullif(f.departures, 0) * f.full_days / nullif(f.full_seconds, 0))::numeric, 9)
         FROM co.work AS w
            CROSS JOIN LATERAL (SELECT CASE WHEN count(*) >= 6 THEN (array_agg(p.pace ORDER BY p.pace))[ceil(0.9 * count(*))::int] END AS best
                FROM (SELECT x.departures::float8 / x.days AS pace FROM co.work AS x WHERE x.assignee = w.assignee AND x.team = w.team
                          AND x.week < w.week AND x.week >= w.week - 84 AND x.week > ''2025-02-15'' AND x.days > 0) AS p) AS b
            CROSS JOIN LATERAL (SELECT sum(x.departures)::float8 AS departures, sum(x.days)::float8 AS days, sum(x.spent) AS spent, sum(x.full_days)::float8 AS full_days, sum(x.full_seconds) AS full_seconds
                FROM co.work AS x WHERE x.assignee = w.assignee AND x.team = w.team AND x.week <= w.week AND x.week > w.week - 28) AS f
         WHERE w.arrivals + w.departures + w.at_start + w.at_end > 0 AND w.week >= date_trunc(''week'', $a AT TIME ZONE ''Europe/Berlin'')::date - 26 * 7') AS c;
-- There is something to compare, and what must add up does.
SELECT count(*) AS rows, sum(arrivals) AS arrivals, sum(departures) AS departures, count(best_per_day) AS best, count(load) AS load, count(expected_in_hand) AS expected,
    count(*) FILTER (WHERE in_hand_start + arrivals - departures <> in_hand_end AND week > '2025-02-10') AS off
FROM r.workload('2025-09-25 12:30Z');
-- Before the first lead there is nothing, at the very beginning of a week no day yet.
SELECT count(*) FROM r.workload('2024-01-01');
SELECT DISTINCT working_days, in_hand_mean, arrivals_per_day FROM r.workload('2025-07-13 22:00Z') WHERE week = '2025-07-14';
