-- workload
-- What each person had in hand: one row per assignee, team and week, for the last 26 weeks and the running one. Key: assignee, team, week. A spell is one person holding a lead in one open stage. Counts may be added up over persons; means and rates may not. Time in stage is mostly waiting, so arrivals times time is no utilisation. Answers: who can take more, and who is behind?
--
-- row_key: week, team and assignee
-- week: first day of the week, a Monday
-- week_start_at: its first instant
-- as_of: its end, or the instant of the figures
-- is_complete: whether the record was complete when the week began
-- assignee: the person
-- team: the team that held the leads
-- arrivals: spells that began in the week, those in which a lead was only found excepted: in that week, in_hand_end has them and in_hand_start + arrivals - departures has not
-- departures: spells that ended in the week
-- in_hand_start: spells in hand at the beginning of the week
-- in_hand_end: spells in hand at as_of
-- in_hand_mean: mean number in hand over the working time of the week; NULL without hours
-- working_days: days of the week until as_of on which the team works; 7 days without hours
-- arrivals_per_day: arrivals / working_days
-- departures_per_day: departures / working_days
-- best_per_day: ninth decile of departures_per_day of the 12 weeks before, of those that are complete and have a working day, from the person's first on; NULL under 6
-- load: arrivals_per_day / best_per_day
-- clear_days: in_hand_end / departures_per_day of the last 4 weeks: working days until all is done at that pace
-- expected_in_hand: arrivals_per_day * mean working days of the spells that ended in the last 4 weeks (Little's law); holds only where arrivals and departures are about equal

WITH
    in_force AS MATERIALIZED (
        {part:funnel}
    ),
    weeks AS MATERIALIZED (
        SELECT w.n::int AS n, w.day::date AS week, timezone({zone}, w.day) AS start_at,
            timezone({zone}, w.day + interval '7 days') AS full_end_at,
            least(timezone({zone}, w.day + interval '7 days'), {as_of}) AS end_at,
            timezone({zone}, w.day + interval '7 days') <= {as_of} AS is_over
        FROM (SELECT n, date_trunc('week', timezone({zone}, {as_of})) - (39 - n) * interval '7 days' AS day
              FROM generate_series(1, 39) AS g (n)) AS w
    ),
    entries AS NOT MATERIALIZED (
        {part:entries}
    ),
    -- who holds a lead in which open stage; an entry that changes neither is no new spell
    holdings AS (
        SELECT {key:e}, e.place, e.at, e.team, e.stage,
            CASE WHEN NOT e.is_end AND e.stage_kind = 'open' THEN e.assignee END AS assignee,
            e.is_first_of_lead AND e.event = 'opening' AS is_found
        FROM ({part:holdings}) AS e
    ),
    changes AS (
        SELECT {key:h}, h.place, h.at, h.assignee, h.team, h.stage, h.is_found
        FROM (SELECT h.*,
                  lag(h.assignee) OVER journey AS assignee_before,
                  lag(h.team) OVER journey AS team_before,
                  lag(h.stage) OVER journey AS stage_before,
                  row_number() OVER journey AS n
              FROM holdings AS h
              WINDOW journey AS (PARTITION BY {key:h} ORDER BY h.place)) AS h
        WHERE h.n = 1 OR (h.assignee, h.team, h.stage) IS DISTINCT FROM (h.assignee_before, h.team_before, h.stage_before)
    ),
    spells AS MATERIALIZED (
        SELECT s.assignee, s.team, s.began_at, s.ended_at, s.is_found
        FROM (SELECT c.assignee, c.team, c.at AS began_at, c.is_found,
                  lead(c.at) OVER (PARTITION BY {key:c} ORDER BY c.place) AS ended_at
              FROM changes AS c) AS s
        WHERE s.assignee IS NOT NULL
    ),
    teams AS MATERIALIZED (
        SELECT t.team,
            CASE WHEN k.team IS NULL THEN align.hours(f.funnel) ELSE align.hours(f.funnel, t.team) END AS hours
        FROM (SELECT DISTINCT s.team FROM spells AS s) AS t
            CROSS JOIN in_force AS f
            LEFT JOIN LATERAL (SELECT x.team FROM align.stages(f.funnel) AS x WHERE x.team = t.team LIMIT 1) AS k ON true
    ),
    -- the working days and the working time of each team's weeks
    capacity AS MATERIALIZED (
        SELECT t.team, t.hours, w.n, w.week, w.start_at, w.end_at, w.full_end_at, w.is_over,
            -- what happens at the very instant is known
            CASE WHEN w.is_over THEN w.end_at ELSE w.end_at + interval '1 microsecond' END AS until,
            extract(epoch FROM align.working_time(t.hours, w.start_at, w.end_at))::float8 AS seconds,
            extract(epoch FROM coalesce(align.working_time(t.hours, w.start_at, w.full_end_at),
                                        w.full_end_at - w.start_at))::float8 AS full_seconds,
            d.working_days, d.full_days
        FROM teams AS t
            CROSS JOIN weeks AS w
            CROSS JOIN LATERAL (
                SELECT count(*) AS full_days,
                    count(*) FILTER (WHERE d.start_at < w.end_at
                                         AND (t.hours IS NULL
                                              OR align.working_time(t.hours, d.start_at, least(d.end_at, w.end_at)) > interval '0'))
                        AS working_days
                FROM (SELECT timezone({zone}, (w.week + g.n)::timestamp) AS start_at,
                          timezone({zone}, (w.week + g.n + 1)::timestamp) AS end_at
                      FROM generate_series(0, 6) AS g (n)) AS d
                WHERE t.hours IS NULL OR align.working_time(t.hours, d.start_at, d.end_at) > interval '0') AS d
    ),
    -- a spell in each week that it touches
    touched AS (
        SELECT s.assignee, c.team, c.n,
            s.began_at >= c.start_at AND s.began_at < c.until AND NOT s.is_found AS arrives,
            s.ended_at >= c.start_at AND s.ended_at < c.until AS departs,
            s.began_at < c.start_at AS is_there_at_start,
            s.ended_at IS NULL OR s.ended_at >= c.until AS is_there_at_end,
            extract(epoch FROM align.working_time(c.hours, greatest(s.began_at, c.start_at),
                                                  least(coalesce(s.ended_at, c.end_at), c.end_at)))::float8 AS seconds,
            CASE WHEN s.ended_at >= c.start_at AND s.ended_at < c.until
                THEN extract(epoch FROM coalesce(align.working_time(c.hours, s.began_at, s.ended_at),
                                                 s.ended_at - s.began_at))::float8 END AS whole_seconds
        FROM spells AS s
            JOIN capacity AS c ON c.team = s.team AND s.began_at < c.until
                AND (s.ended_at IS NULL OR s.ended_at >= c.start_at)
    ),
    sums AS (
        SELECT t.assignee, t.team, t.n,
            count(*) FILTER (WHERE t.arrives) AS arrivals,
            count(*) FILTER (WHERE t.departs) AS departures,
            count(*) FILTER (WHERE t.is_there_at_start) AS in_hand_start,
            count(*) FILTER (WHERE t.is_there_at_end) AS in_hand_end,
            sum(t.seconds) AS seconds,
            sum(t.whole_seconds) AS whole_seconds
        FROM touched AS t
        GROUP BY t.assignee, t.team, t.n
    ),
    -- every week of those who had anything at all, so that weeks without count too
    complete AS (
        SELECT p.assignee, c.team, c.n, c.week, c.start_at, c.end_at, c.is_over, c.seconds AS capacity, c.working_days,
            coalesce(s.arrivals, 0) AS arrivals,
            coalesce(s.departures, 0) AS departures,
            coalesce(s.in_hand_start, 0) AS in_hand_start,
            coalesce(s.in_hand_end, 0) AS in_hand_end,
            coalesce(s.seconds, 0) AS seconds,
            coalesce(s.whole_seconds, 0) AS whole_seconds,
            c.full_seconds, c.full_days,
            c.start_at >= {complete_since} AS is_complete
        FROM (SELECT s.assignee, s.team, min(s.n) AS first_n FROM sums AS s GROUP BY s.assignee, s.team) AS p
            JOIN capacity AS c ON c.team = p.team AND c.n >= p.first_n
            LEFT JOIN sums AS s ON s.assignee = p.assignee AND s.team = c.team AND s.n = c.n
    ),
    counted AS (
        SELECT c.*,
            sum(c.departures) OVER four AS departures_4,
            sum(c.working_days) OVER four AS days_4,
            sum(c.whole_seconds) OVER four AS whole_seconds_4,
            -- the mean length of a working day
            sum(c.full_seconds) OVER four / nullif(sum(c.full_days) OVER four, 0)::float8 AS day_seconds,
            array_agg(c.departures::float8 / nullif(c.working_days, 0)) FILTER (WHERE c.is_complete) OVER twelve AS paces_12
        FROM complete AS c
        WINDOW four AS (PARTITION BY c.assignee, c.team ORDER BY c.n ROWS BETWEEN 3 PRECEDING AND CURRENT ROW),
            twelve AS (PARTITION BY c.assignee, c.team ORDER BY c.n ROWS BETWEEN 12 PRECEDING AND 1 PRECEDING)
    ),
    paces AS (
        SELECT c.*,
            (SELECT CASE WHEN count(b.pace) >= 6 THEN percentile_disc(0.9) WITHIN GROUP (ORDER BY b.pace) END
             FROM unnest(c.paces_12) AS b (pace)) AS best_per_day
        FROM counted AS c
        WHERE c.n > 12
    )
SELECT to_char(p.week, 'YYYY-MM-DD') || ' ' || quote_ident(p.team) || ' ' || p.assignee AS row_key,
    p.week, p.start_at AS week_start_at, p.end_at AS as_of,
    p.is_complete,
    p.assignee, p.team,
    p.arrivals, p.departures, p.in_hand_start, p.in_hand_end,
    p.seconds / nullif(p.capacity, 0) AS in_hand_mean,
    p.working_days::int AS working_days,
    p.arrivals::float8 / nullif(p.working_days, 0) AS arrivals_per_day,
    p.departures::float8 / nullif(p.working_days, 0) AS departures_per_day,
    p.best_per_day,
    p.arrivals::float8 / nullif(p.working_days, 0) / nullif(p.best_per_day, 0) AS load,
    p.in_hand_end / nullif(p.departures_4::float8 / nullif(p.days_4, 0), 0)::float8 AS clear_days,
    p.arrivals::float8 / nullif(p.working_days, 0)
        * (p.whole_seconds_4 / nullif(p.departures_4, 0)::float8 / nullif(p.day_seconds, 0)) AS expected_in_hand
FROM paces AS p
WHERE (p.arrivals > 0 OR p.departures > 0 OR p.in_hand_start > 0 OR p.in_hand_end > 0)
