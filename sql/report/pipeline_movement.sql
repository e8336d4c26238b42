-- pipeline_movement
-- What came into the pipeline and went out of it, week by week: one row per week and step, for the last 26 weeks and the running one. Key: week, step. The pipeline is the leads in an open stage of the success path. For each week opening + created + grown - shrunk - won - lost - gone = closing, in amounts; the same without grown and shrunk in leads. Amounts are those known at the start and at the end of the week; a lead that was created and left in one week has the amount of its end. Opening and closing are never summed over weeks. Answers: why is the pipeline smaller than last week?
--
-- row_key: week and step
-- week: first day of the week, a Monday
-- week_start_at: its first instant
-- as_of: the instant of the figures: the end of the week, or now
-- is_complete: whether the record was complete when the week began
-- step: opening, created, grown, shrunk, won, lost, gone or closing; gone are leads that left the funnel, were deleted or set aside (their row is no longer live), or went to a stage beside the success path: the history has an entry deleted with the source live
-- step_order: to sort by
-- leads: leads concerned
-- amount: their amounts, all positive; of grown and shrunk, the change

WITH
    -- the beginnings of the weeks, and the instant of the figures
    boundaries AS (
        SELECT b.n::int AS n,
            (date_trunc('week', timezone({zone}, {as_of})) - (27 - b.n) * interval '7 days')::date AS week,
            CASE WHEN b.n < 28
                THEN timezone({zone}, date_trunc('week', timezone({zone}, {as_of}))
                                          - (27 - b.n) * interval '7 days')
                ELSE {as_of} END AS at
        FROM generate_series(1, 28) AS b (n)
    ),
    instants AS (
        SELECT array_agg(b.at ORDER BY b.n) AS all_of FROM boundaries AS b
    ),
    -- a lead is in its state at the boundaries from before_n + 1 to until_n
    timeline AS (
        SELECT {key:t}, t.place, t.since, t.until, t.amount,
            coalesce(s.stage_kind = 'open' AND s.on_success_path, false) AS in_pipeline,
            s.stage_kind,
            width_bucket(t.since - interval '1 microsecond', i.all_of) AS before_n,
            CASE WHEN t.until IS NULL THEN 28
                ELSE width_bucket(t.until - interval '1 microsecond', i.all_of) END AS until_n
        FROM ({part:timeline}) AS t
            CROSS JOIN instants AS i
            LEFT JOIN (SELECT DISTINCT n.stage, n.stage_kind, n.on_success_path
                       FROM ({part:stage_names}) AS n) AS s ON s.stage = t.stage
    ),
    -- leads in the pipeline at a boundary, or after it in the week that it begins;
    -- what happens on the next boundary is in its closing, so it is in that week
    touched AS (
        SELECT {key:t}, g.n, true AS at_start
        FROM timeline AS t
            CROSS JOIN LATERAL generate_series(t.before_n + 1, t.until_n) AS g (n)
        WHERE t.in_pipeline
        UNION ALL
        SELECT {key:t}, t.before_n, false
        FROM timeline AS t
        WHERE t.in_pipeline AND t.before_n >= 1
    ),
    weeks AS (
        SELECT {key:t}, t.n, bool_or(t.at_start) AS at_start
        FROM touched AS t
        GROUP BY {key:t}, t.n
    ),
    -- out of the pipeline, only the first boundary is looked at
    states AS (
        SELECT {key:t}, g.n, t.in_pipeline, t.stage_kind, t.amount
        FROM timeline AS t
            CROSS JOIN LATERAL generate_series(
                t.before_n + 1,
                CASE WHEN t.in_pipeline THEN t.until_n ELSE least(t.until_n, t.before_n + 1) END) AS g (n)
    ),
    changes AS (
        SELECT w.n, w.at_start, coalesce(e.in_pipeline, false) AS at_end, e.stage_kind AS kind_at_end,
            coalesce(s.amount, 0) AS amount_at_start, coalesce(e.amount, 0) AS amount_at_end
        FROM weeks AS w
            LEFT JOIN states AS s ON {key_join:s:w} AND s.n = w.n
            LEFT JOIN states AS e ON {key_join:e:w} AND e.n = w.n + 1
        WHERE w.n < 28
    ),
    named AS (
        SELECT c.n, c.at_start, c.at_end, c.amount_at_start, c.amount_at_end,
            -- how it went out, and the amount that went
            CASE WHEN c.at_end THEN NULL
                WHEN c.kind_at_end IN ('won', 'lost') THEN c.kind_at_end ELSE 'gone' END AS left_as,
            CASE WHEN c.at_start THEN c.amount_at_start ELSE c.amount_at_end END AS left_amount,
            CASE WHEN c.at_start AND c.at_end THEN c.amount_at_end - c.amount_at_start END AS growth
        FROM changes AS c
    ),
    totals AS (
        SELECT c.n,
            count(*) FILTER (WHERE c.at_start) AS opening,
            sum(c.amount_at_start) FILTER (WHERE c.at_start) AS opening_amount,
            count(*) FILTER (WHERE NOT c.at_start) AS created,
            sum(c.amount_at_end) FILTER (WHERE NOT c.at_start) AS created_amount,
            count(*) FILTER (WHERE c.growth > 0) AS grown,
            sum(c.growth) FILTER (WHERE c.growth > 0) AS grown_amount,
            count(*) FILTER (WHERE c.growth < 0) AS shrunk,
            -sum(c.growth) FILTER (WHERE c.growth < 0) AS shrunk_amount,
            count(*) FILTER (WHERE c.left_as = 'won') AS won,
            sum(c.left_amount) FILTER (WHERE c.left_as = 'won') AS won_amount,
            count(*) FILTER (WHERE c.left_as = 'lost') AS lost,
            sum(c.left_amount) FILTER (WHERE c.left_as = 'lost') AS lost_amount,
            count(*) FILTER (WHERE c.left_as = 'gone') AS gone,
            sum(c.left_amount) FILTER (WHERE c.left_as = 'gone') AS gone_amount,
            count(*) FILTER (WHERE c.at_end) AS closing,
            sum(c.amount_at_end) FILTER (WHERE c.at_end) AS closing_amount
        FROM named AS c
        GROUP BY c.n
    ),
    sums AS (
        SELECT t.n, m.step_order, m.leads, m.amount
        FROM totals AS t
            CROSS JOIN LATERAL (VALUES
                (1, t.opening, t.opening_amount),
                (2, t.created, t.created_amount),
                (3, t.grown, t.grown_amount),
                (4, t.shrunk, t.shrunk_amount),
                (5, t.won, t.won_amount),
                (6, t.lost, t.lost_amount),
                (7, t.gone, t.gone_amount),
                (8, t.closing, t.closing_amount)) AS m (step_order, leads, amount)
    )
SELECT to_char(b.week, 'YYYY-MM-DD') || ' ' || x.step AS row_key, b.week, b.at AS week_start_at,
    next.at AS as_of,
    b.at >= {complete_since} AS is_complete,
    x.step, x.step_order,
    coalesce(s.leads, 0) AS leads,
    coalesce(s.amount, 0) AS amount
FROM boundaries AS b
    JOIN boundaries AS next ON next.n = b.n + 1
    CROSS JOIN (VALUES (1, 'opening'), (2, 'created'), (3, 'grown'), (4, 'shrunk'),
                       (5, 'won'), (6, 'lost'), (7, 'gone'), (8, 'closing')) AS x (step_order, step)
    LEFT JOIN sums AS s ON s.n = b.n AND s.step_order = x.step_order
