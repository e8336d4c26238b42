-- coverage
-- Whether what is open is enough: one row per count or amount target of a won stage, for its running period. Key: period, target_no. Coverage compares the pipeline with what is still missing, not with the whole goal. Do not add up targets. Answers: do we have enough in the pipeline to reach the goal?
--
-- row_key: kind of period and number of the target
-- target_no: place of the target in the agreement, from 1
-- teams: who promised
-- metric: what is counted
-- period: week, month, quarter, ...
-- period_start: its first day
-- period_end: its last day
-- goal: what was promised
-- actual: what was reached
-- remaining: goal - actual, at least 0
-- open_amount: the pipeline, as in the report pipeline: its amount; for a count its leads
-- expected_amount: what may be won of it; NULL if a stage of it has had too few leads to tell
-- coverage: open_amount / remaining; NULL when nothing remains
-- expected_coverage: expected_amount / remaining
-- as_of: the instant of the figures
-- metric_kind: count or amount

WITH
    leads AS MATERIALIZED (
        {part:target_leads}
    ),
    -- those that targets look at, and those that the pipeline looks at
    facts AS MATERIALIZED (
        SELECT {key:v}, v.visit_no, v.entry_no, v.stage, v.stage_kind, v.entered_at, v.left_at, v.next_stage,
            v.is_entry, v.is_late, v.since_known
        FROM {stored:visits} AS v
    ),
    pipeline AS MATERIALIZED (
        WITH visits AS (
            {part:pipeline_visits}
        )
        SELECT coalesce(sum(p.amount), 0) AS amount, coalesce(sum(p.leads), 0) AS leads,
            sum(p.expected_amount) AS expected_amount,
            sum((p.leads - p.leads_aged) * p.won_share) AS expected_leads,
            bool_and(p.won_share IS NOT NULL OR p.leads = 0) AS is_known
        FROM ({part:pipeline_now}) AS p
    )
SELECT t.per || ' ' || t.target_no AS row_key, t.target_no, t.teams, t.metric, t.per AS period,
    t.period_start, t.period_end - 1 AS period_end,
    t.goal, t.actual, t.remaining, p.open_amount, p.expected_amount,
    (p.open_amount / nullif(t.remaining, 0))::float8 AS coverage,
    (p.expected_amount / nullif(t.remaining, 0))::float8 AS expected_coverage,
    {as_of}::timestamptz AS as_of, t.metric_kind
FROM ({part:running_targets}) AS t
    CROSS JOIN LATERAL (
        SELECT CASE t.metric_kind WHEN 'amount' THEN x.amount ELSE x.leads END AS open_amount,
            CASE WHEN NOT x.is_known THEN NULL
                WHEN t.metric_kind = 'amount' THEN x.expected_amount
                ELSE round(x.expected_leads::numeric, 2) END AS expected_amount
        FROM pipeline AS x) AS p
