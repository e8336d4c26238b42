-- funnel_by_month
-- The funnel of the leads that entered in each month: one row per month and step of the success path, without late leads. Key: month, step. Compare months by matured_rate, which gives every lead the same time since its own entry, and only where is_settled: the step_rate of young months is low because their leads are young. reached_90_rate compares young months too: it counts open leads as open. Answers: is this month better than the one before?
--
-- row_key: month and step
-- month: first day of the month in which the leads entered
-- month_start_at: its first instant
-- as_of: the instant of the figures
-- is_complete: whether the record was complete when the month began
-- is_settled: whether it is complete, and the time to settle has passed since its end
-- step: place in the success path, from 1
-- stage: the stage of the step
-- entered: leads that entered the stage
-- reached: leads that entered it or a later one; a lead that was won and is open again counts up to the step before the won one
-- dropped: of these, leads that went no further and are lost
-- still_open: of these, leads that went no further and may still
-- step_rate: reached / reached of the step before; 1 for the first
-- step_rate_lower: lower bound of it (Wilson, 95 %); NULL while leads are open in the step before
-- step_rate_upper: upper bound of it
-- overall_rate: reached / reached of the first step
-- decided_rate: reached of the next step / (that + dropped); no forecast
-- leads: leads of the month, those included that never reached the first step
-- matured: of these, reached the step or a later one within the time to settle since their own entry; NULL unless is_settled
-- matured_rate: matured / leads; NULL unless is_settled
-- matured_rate_lower: lower bound of it (Wilson, 95 %)
-- matured_rate_upper: upper bound of it
-- median_seconds: from the step before to this one, of the leads that entered both; NULL under 5. Not to be compared while leads are open: the fast ones arrive first
-- p90_seconds: likewise for nine of ten; NULL under 20
-- amount: the last known amounts of the leads that reached the step
-- timed: leads that entered this step and, before it, the step before: those that median_seconds and p90_seconds are of
-- reached_30_rate: share of leads that reached the step or a later one within 30
--   days of their entry, in the last step those that are won. Open leads count as
--   open, and lost or gone ones as such (Aalen-Johansen); NULL unless is_complete,
--   and while no lead of the month has been observed for so long
-- reached_30_lower: lower bound of it (log-log, 95 %); NULL also while none
--   reached the step, and if all did
-- reached_30_upper: upper bound of it
-- reached_30_at_risk: leads that might still have reached it 30 days after entry
-- reached_90_rate: the same within 90 days
-- reached_90_lower: lower bound of it
-- reached_90_upper: upper bound of it
-- reached_90_at_risk: leads that might still have reached it 90 days after entry

WITH
    in_force AS MATERIALIZED (
        {part:funnel}
    ),
    path AS MATERIALIZED (
        {part:success_path}
    ),
    leads AS MATERIALIZED (
        SELECT {key:l}, l.lead, l.entered_at,
            date_trunc('month', timezone({zone}, l.entered_at))::date AS month
        FROM ({part:conversion_leads}) AS l
        WHERE NOT l.is_late
    ),
    months AS (
        SELECT m.month, count(*) AS leads,
            timezone({zone}, m.month::timestamp) AS month_start_at,
            timezone({zone}, m.month + interval '1 month') + {settle} <= {as_of} AS is_over,
            align.funnel_conversion_agg(m.lead, f.funnel, {as_of}) AS conversion
        FROM leads AS m
            CROSS JOIN in_force AS f
        GROUP BY m.month
    ),
    -- any won stage is the last step
    visits AS MATERIALIZED (
        SELECT {key:v}, v.stage_kind, v.entered_at, v.left_at, v.is_entry, v.is_current,
            CASE WHEN v.stage_kind = 'won' THEN (SELECT max(l.step) FROM path AS l) ELSE p.step END AS step
        FROM {stored:visits} AS v
            LEFT JOIN path AS p ON p.stage = v.stage
        WHERE NOT v.is_late
    ),
    -- when each lead first entered each step
    entered AS (
        SELECT {key:v}, v.step, min(v.entered_at) AS at
        FROM visits AS v
        WHERE v.is_entry AND v.step IS NOT NULL
        GROUP BY {key:v}, v.step
    ),
    -- when it first entered a step or a later one; so it also reached the steps
    -- after the one that it entered before (step_before)
    reached AS (
        SELECT {key:e}, e.step, min(e.at) OVER steps AS at, lead(e.step, 1, 0) OVER steps AS step_before
        FROM entered AS e
        WINDOW steps AS (PARTITION BY {key:e} ORDER BY e.step DESC)
    ),
    -- how far each lead came, and when it was lost or gone, if it is
    ends AS (
        SELECT {key:v}, max(v.step) FILTER (WHERE v.is_entry) AS step,
            CASE WHEN bool_or(v.is_current AND v.stage_kind = 'lost') THEN 'lost'
                WHEN NOT bool_or(v.is_current) THEN 'gone' END AS outcome,
            coalesce(max(v.entered_at) FILTER (WHERE v.is_current), max(v.left_at)) AS at
        FROM visits AS v
        GROUP BY {key:v}
    ),
    -- of each lead and step, the time to reaching it, or to the end
    cases AS (
        SELECT l.month, s.step, 'reached' AS outcome, r.at - l.entered_at AS left_after
        FROM leads AS l
            JOIN reached AS r ON {key_join:r:l}
            JOIN path AS s ON s.step > r.step_before AND s.step <= r.step
        UNION ALL
        SELECT l.month, s.step, e.outcome,
            coalesce(CASE WHEN e.outcome IS NOT NULL THEN e.at END, {as_of}) - l.entered_at
        FROM leads AS l
            LEFT JOIN ends AS e ON {key_join:e:l}
            JOIN path AS s ON s.step > coalesce(e.step, 0)
    ),
    by_step AS MATERIALIZED (
        SELECT c.month, c.step,
            count(*) FILTER (WHERE c.outcome = 'reached' AND c.left_after <= {settle}) AS matured,
            align.incidence_agg(greatest(c.left_after, interval '0'), c.outcome) AS incidence
        FROM cases AS c
        GROUP BY c.month, c.step
    )
SELECT to_char(m.month, 'YYYY-MM-DD') || ' ' || s.step AS row_key, m.month, m.month_start_at, {as_of}::timestamptz AS as_of,
    m.month_start_at >= {complete_since} AS is_complete,
    m.is_over AND m.month_start_at >= {complete_since} AS is_settled,
    s.step, s.name AS stage, s.entered, s.reached, s.dropped, s.still_open,
    s.step_rate,
    CASE WHEN lag(s.still_open) OVER steps = 0 THEN s.lower END AS step_rate_lower,
    CASE WHEN lag(s.still_open) OVER steps = 0 THEN s.upper END AS step_rate_upper,
    s.overall_rate,
    s.decided_rate,
    m.leads,
    x.matured,
    x.matured::float8 / m.leads AS matured_rate,
    w.lower AS matured_rate_lower,
    w.upper AS matured_rate_upper,
    CASE WHEN t.n >= 5 THEN extract(epoch FROM s.median_time)::bigint END AS median_seconds,
    CASE WHEN t.n >= 20 THEN extract(epoch FROM s.p90_time)::bigint END AS p90_seconds,
    s.amount,
    t.n AS timed,
    y.rate AS reached_30_rate,
    y.lower AS reached_30_lower,
    y.upper AS reached_30_upper,
    y.at_risk AS reached_30_at_risk,
    z.rate AS reached_90_rate,
    z.lower AS reached_90_lower,
    z.upper AS reached_90_upper,
    z.at_risk AS reached_90_at_risk
FROM months AS m
    CROSS JOIN LATERAL (SELECT m.conversion) AS c
    CROSS JOIN LATERAL align.step_rates(c.conversion) AS s
    CROSS JOIN LATERAL (
        {part:step_times}
    ) AS t
    JOIN by_step AS r ON r.month = m.month AND r.step = s.step
    CROSS JOIN LATERAL (
        SELECT CASE WHEN m.is_over AND m.month_start_at >= {complete_since}
                   THEN r.matured END AS matured,
            CASE WHEN m.month_start_at >= {complete_since} THEN r.incidence END AS incidence) AS x
    LEFT JOIN LATERAL align.wilson(x.matured, m.leads) AS w ON x.matured IS NOT NULL
    CROSS JOIN LATERAL align.happened_by(x.incidence, 'reached', interval '30 days') AS y
    CROSS JOIN LATERAL align.happened_by(x.incidence, 'reached', interval '90 days') AS z
WINDOW steps AS (PARTITION BY m.month ORDER BY s.step)
