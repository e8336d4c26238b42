-- funnel_by_month
-- The funnel of the leads that entered in each month: one row per month and step of the success path, without late leads. Key: month, step. Compare months by matured_rate, which gives every lead the same time since its own entry, and only where is_settled: the step_rate of young months is low because their leads are young. Answers: is this month better than the one before?
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
-- step_rate: reached / reached of the step before; NULL for the first
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
    -- when a lead first entered each step; any won stage is the last one
    reached AS (
        SELECT {key:v}, w.step, min(v.entered_at) AS at
        FROM {stage_facts} AS v
            LEFT JOIN path AS p ON p.stage = v.stage
            CROSS JOIN LATERAL (
                SELECT CASE WHEN v.stage_kind = 'won' THEN (SELECT max(l.step) FROM path AS l)
                    ELSE p.step END AS step) AS w
        WHERE NOT v.is_late AND v.is_entry AND w.step IS NOT NULL
        GROUP BY {key:v}, w.step
    ),
    matured AS (
        SELECT l.month, p.step, count(DISTINCT l.entry) AS matured
        FROM (SELECT l.*, row_number() OVER () AS entry FROM leads AS l) AS l
            JOIN reached AS r ON {key_join:r:l} AND r.at <= l.entered_at + {settle}
            JOIN path AS p ON p.step <= r.step
        GROUP BY l.month, p.step
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
    t.n AS timed
FROM months AS m
    CROSS JOIN LATERAL (SELECT m.conversion) AS c
    CROSS JOIN LATERAL align.step_rates(c.conversion) AS s
    CROSS JOIN LATERAL (
        {part:step_times}
    ) AS t
    LEFT JOIN matured AS r ON r.month = m.month AND r.step = s.step
    CROSS JOIN LATERAL (
        SELECT CASE WHEN m.is_over AND m.month_start_at >= {complete_since}
                   THEN coalesce(r.matured, 0) END AS matured) AS x
    LEFT JOIN LATERAL align.wilson(x.matured, m.leads) AS w ON x.matured IS NOT NULL
WINDOW steps AS (PARTITION BY m.month ORDER BY s.step)
