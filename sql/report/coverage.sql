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

WITH scores AS MATERIALIZED (
    SELECT s.* FROM {scorecard} AS s
)
SELECT s.period || ' ' || s.target_no AS row_key, s.target_no, s.teams, s.metric, s.period, s.period_start, s.period_end,
    s.goal, s.actual, r.remaining, p.open_amount, p.expected_amount,
    (p.open_amount / nullif(r.remaining, 0))::float8 AS coverage,
    (p.expected_amount / nullif(r.remaining, 0))::float8 AS expected_coverage,
    s.as_of, s.metric_kind
FROM scores AS s
    CROSS JOIN LATERAL (SELECT greatest(s.goal - s.actual, 0) AS remaining) AS r
    CROSS JOIN LATERAL (
        SELECT CASE s.metric_kind WHEN 'amount' THEN x.amount ELSE x.leads END AS open_amount,
            CASE WHEN NOT x.is_known THEN NULL
                WHEN s.metric_kind = 'amount' THEN x.expected_amount
                ELSE round(x.expected_leads::numeric, 2) END AS expected_amount
        FROM (SELECT coalesce(sum(p.amount), 0) AS amount, coalesce(sum(p.leads), 0) AS leads,
                  sum(p.expected_amount) AS expected_amount,
                  sum((p.leads - p.leads_aged) * p.won_share) AS expected_leads,
                  bool_and(p.won_share IS NOT NULL OR p.leads = 0) AS is_known
              FROM {pipeline} AS p) AS x) AS p
WHERE s.reversed IS NOT NULL -- a won stage
    AND timezone({zone}, (s.period_end + 1)::timestamp) > {as_of}
