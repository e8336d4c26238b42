-- Once: every target of the agreement in every period, from the first that the
-- record or the agreement has to the running one: the target of the version in
-- force when the period began (of the first one before that), under the stage
-- names of today.  A rate without a period is by month.  Periods are those of
-- the fiscal year of the version in force.  "elapsed_share" is the part of the
-- working time that is over, or of all time if there is none.
WITH
    versions AS MATERIALIZED (
        SELECT a.version, a.valid_from, a.funnel
        FROM align.agreements AS a
        WHERE a.name = {agreement}
    ),
    in_force AS MATERIALIZED (
        {part:funnel}
    ),
    names AS MATERIALIZED (
        {part:stage_names}
    ),
    targets AS MATERIALIZED (
        SELECT v.version, t.target_no::int AS target_no, t.team AS teams,
            CASE t.kind WHEN 'service_level' THEN 'sla' ELSE t.kind END AS metric_kind,
            coalesce(s.stage, t.stage) AS stage, coalesce(f.stage, t.from_stage) AS from_stage, t.sla,
            t.goal, t.unit, coalesce(t.per, 'month') AS per,
            -- a day of a window has 24 hours
            CASE WHEN t.kind = 'conversion'
                THEN coalesce(make_interval(secs => extract(epoch FROM t.within)::float8), {settle}) END AS within,
            coalesce(s.stage_kind, align.stage_kind(v.funnel, t.stage)) = 'won' AS is_won,
            j.is_joint,
            CASE WHEN j.is_joint THEN align.hours(v.funnel) ELSE align.hours(v.funnel, j.team) END AS hours
        FROM versions AS v
            CROSS JOIN LATERAL align.agreed_targets(v.funnel)
                WITH ORDINALITY AS t (team, kind, stage, from_stage, sla, goal, unit, per, within, target_no)
            JOIN (SELECT v.version, j.target_no, min(j.team) AS team, count(*) > 1 AS is_joint
                  FROM versions AS v
                      CROSS JOIN LATERAL align.target_teams(v.funnel) AS j
                  GROUP BY v.version, j.target_no) AS j ON j.version = v.version AND j.target_no = t.target_no
            LEFT JOIN names AS s ON s.recorded = t.stage
            LEFT JOIN names AS f ON f.recorded = t.from_stage
    ),
    periods AS MATERIALIZED (
        SELECT p.per, p.period_start, p.period_end,
            timezone({zone}, p.period_start::timestamp) AS start_at,
            timezone({zone}, p.period_end::timestamp) AS end_at
        FROM (SELECT DISTINCT t.per,
                  align.period_start(f.funnel, t.per, d.day::date) AS period_start,
                  align.period_end(f.funnel, t.per, d.day::date) AS period_end
              FROM in_force AS f
                  CROSS JOIN (SELECT DISTINCT t.per FROM targets AS t) AS t
                  CROSS JOIN LATERAL generate_series(
                      (SELECT timezone({zone}, least({complete_since}, min(v.valid_from), {as_of}))::date
                       FROM versions AS v)::timestamp,
                      timezone({zone}, {as_of})::date::timestamp,
                      interval '1 day') AS d (day)) AS p
    ),
    -- the version that counts for a period
    ruled AS (
        SELECT p.*,
            coalesce((SELECT max(v.version) FROM versions AS v WHERE v.valid_from <= p.start_at),
                     (SELECT min(v.version) FROM versions AS v)) AS version
        FROM periods AS p
    )
SELECT t.target_no, t.teams, t.is_joint,
    CASE t.metric_kind WHEN 'count' THEN t.stage
        WHEN 'amount' THEN 'amount of ' || t.stage
        WHEN 'sla' THEN t.sla
        ELSE t.from_stage || ' to ' || t.stage END AS metric,
    t.metric_kind, t.stage, t.from_stage, t.sla, t.goal, t.unit, t.per, t.within,
    coalesce(t.is_won, false) AS is_won,
    r.period_start, r.period_end, r.start_at, r.end_at, t.version,
    r.end_at <= {as_of} AS is_over,
    -- a later version that came into force in the period has no such target
    EXISTS (SELECT FROM versions AS v
            WHERE v.version > r.version AND v.valid_from > r.start_at
                AND v.valid_from < r.end_at AND v.valid_from <= {as_of}
                AND NOT EXISTS (SELECT FROM targets AS x
                                WHERE x.version = v.version AND x.goal = t.goal AND x.teams = t.teams AND x.per = t.per
                                    AND (x.metric_kind, x.stage, x.from_stage, x.sla, x.within)
                                        IS NOT DISTINCT FROM (t.metric_kind, t.stage, t.from_stage, t.sla, t.within)))
        AS goal_changed,
    t.hours,
    w.total > 0 IS NOT FALSE AS has_working_time,
    CASE WHEN r.end_at <= {as_of} THEN 1
        WHEN w.total > 0 THEN extract(epoch FROM align.working_time(t.hours, r.start_at, {as_of})) / w.total
        ELSE extract(epoch FROM {as_of} - r.start_at) / extract(epoch FROM r.end_at - r.start_at)
    END::float8 AS elapsed_share
FROM ruled AS r
    JOIN targets AS t ON t.version = r.version AND t.per = r.per
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM align.working_time(t.hours, r.start_at, r.end_at)) AS total) AS w
