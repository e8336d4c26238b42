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
    -- the pipeline at each boundary: a lead is added at the first boundary of a
    -- state in it, and taken off after the last
    at_boundaries AS (
        SELECT b.n, sum(coalesce(e.leads, 0)) OVER ordered AS leads, sum(coalesce(e.amount, 0)) OVER ordered AS amount
        FROM boundaries AS b
            LEFT JOIN (SELECT e.n, sum(e.sign) AS leads, sum(e.sign * e.amount) AS amount
                       FROM timeline AS t
                           CROSS JOIN LATERAL (VALUES (t.before_n + 1, 1, coalesce(t.amount, 0)),
                                                      (t.until_n + 1, -1, coalesce(t.amount, 0))) AS e (n, sign, amount)
                       WHERE t.in_pipeline AND t.until_n > t.before_n
                       GROUP BY e.n) AS e ON e.n = b.n
        WINDOW ordered AS (ORDER BY b.n)
    ),
    -- what begins in each week: a state that begins on the next boundary is in the
    -- closing, so it is in that week.  The last one is the state at the closing, and
    -- the one before the first that at the opening.
    states AS (
        SELECT {key:t}, t.before_n AS n, t.in_pipeline, t.stage_kind, t.amount,
            t.until_n > t.before_n AS is_last,
            lag(t.in_pipeline) OVER life AS was_in_pipeline,
            lag(t.amount) OVER life AS amount_before,
            lag(t.before_n) OVER life IS DISTINCT FROM t.before_n AS is_first
        FROM timeline AS t
        WINDOW life AS (PARTITION BY {key:t} ORDER BY t.place)
    ),
    changes AS (
        SELECT s.n,
            coalesce(bool_or(s.was_in_pipeline) FILTER (WHERE s.is_first), false) AS at_start,
            coalesce(bool_or(s.in_pipeline) FILTER (WHERE s.is_last), false) AS at_end,
            bool_or(s.in_pipeline) AS in_between,
            max(s.stage_kind) FILTER (WHERE s.is_last) AS kind_at_end,
            coalesce(max(s.amount_before) FILTER (WHERE s.is_first), 0) AS amount_at_start,
            coalesce(max(s.amount) FILTER (WHERE s.is_last), 0) AS amount_at_end
        FROM states AS s
        WHERE s.n BETWEEN 1 AND 27
        GROUP BY {key:s}, s.n
    ),
    sums AS (
        SELECT c.n, m.step_order, count(*) AS leads, sum(m.amount) AS amount
        FROM changes AS c
            CROSS JOIN LATERAL (VALUES
                (2, NOT c.at_start, c.amount_at_end),
                (3, c.at_start AND c.at_end AND c.amount_at_end > c.amount_at_start,
                    c.amount_at_end - c.amount_at_start),
                (4, c.at_start AND c.at_end AND c.amount_at_end < c.amount_at_start,
                    c.amount_at_start - c.amount_at_end),
                (5, NOT c.at_end AND c.kind_at_end = 'won',
                    CASE WHEN c.at_start THEN c.amount_at_start ELSE c.amount_at_end END),
                (6, NOT c.at_end AND c.kind_at_end = 'lost',
                    CASE WHEN c.at_start THEN c.amount_at_start ELSE c.amount_at_end END),
                (7, NOT c.at_end AND c.kind_at_end IS DISTINCT FROM 'won'
                        AND c.kind_at_end IS DISTINCT FROM 'lost',
                    CASE WHEN c.at_start THEN c.amount_at_start ELSE c.amount_at_end END)) AS m (step_order, counts, amount)
        WHERE (c.at_start OR c.in_between) AND m.counts
        GROUP BY c.n, m.step_order
        UNION ALL
        SELECT a.n, 1, a.leads::bigint, a.amount FROM at_boundaries AS a WHERE a.n < 28
        UNION ALL
        SELECT a.n - 1, 8, a.leads::bigint, a.amount FROM at_boundaries AS a WHERE a.n > 1
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
