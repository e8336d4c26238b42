-- pipeline_by_week
-- The pipeline as it was at the end of each of the last 26 complete weeks, by what was known then: one row per week and open stage of the success path. Key: week, stage. Never summed over weeks. Answers: does the pipeline grow?
--
-- row_key: week and stage
-- week: first day of the week, a Monday
-- week_start_at: its first instant
-- as_of: its end, the instant of the snapshot
-- is_complete: whether the record was complete by then
-- stage: an open stage of the success path
-- stage_order: its place in the agreement, to sort by
-- leads: leads in the stage
-- leads_aged: of these, entered the stage longer ago than the time to settle
-- amount_missing: of these, without an amount
-- amount: sum of the last known amounts
-- amount_aged: the part of it that leads_aged have
-- base_n: as in pipeline, as of the end of the week
-- base_won: likewise
-- won_share: likewise
-- won_share_lower: likewise
-- won_share_upper: likewise
-- expected_amount: likewise
-- expected_low: likewise
-- expected_high: likewise

WITH
    weeks AS (
        SELECT w.week::date AS week, timezone({zone}, w.week) AS week_start_at,
            timezone({zone}, w.week + interval '7 days') AS as_of
        FROM generate_series(
                date_trunc('week', timezone({zone}, {as_of})) - interval '182 days',
                date_trunc('week', timezone({zone}, {as_of})) - interval '7 days',
                interval '7 days') AS w (week)
    ),
    snapshots AS (
        SELECT w.as_of FROM weeks AS w
    )
SELECT to_char(w.week, 'YYYY-MM-DD') || ' ' || p.stage AS row_key, w.week, w.week_start_at, p.as_of,
    p.as_of >= {complete_since} AS is_complete,
    p.stage, p.stage_order,
    p.leads, p.leads_aged, p.amount_missing, p.amount, p.amount_aged,
    p.base_n, p.base_won, p.won_share, p.won_share_lower, p.won_share_upper,
    p.expected_amount, p.expected_low, p.expected_high
FROM ({part:pipeline_snapshots}) AS p
    JOIN weeks AS w ON w.as_of = p.as_of
