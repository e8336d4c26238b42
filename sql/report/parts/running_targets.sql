-- The count and amount targets of won stages in their running periods, and what
-- remains of them.  "leads" (target_leads) and "facts" (stage_facts) must be in
-- scope.
WITH
    targets AS MATERIALIZED (
        SELECT t.*
        FROM ({part:target_periods}) AS t
        WHERE t.is_won AND t.metric_kind IN ('count', 'amount') AND NOT t.is_over
    ),
    visits AS MATERIALIZED (
        {part:target_visits}
    ),
    entries AS (
        SELECT e.per, e.period_start, e.stage, count(*)::numeric AS counted, coalesce(sum(e.amount), 0) AS amount
        FROM ({part:target_entries}) AS e
        WHERE e.is_first AND NOT e.is_reversed
        GROUP BY e.per, e.period_start, e.stage
    )
SELECT t.target_no, t.teams, t.metric, t.metric_kind, t.per, t.period_start, t.period_end, t.end_at, t.goal,
    a.actual, greatest(t.goal - a.actual, 0) AS remaining
FROM targets AS t
    LEFT JOIN entries AS e ON e.per = t.per AND e.period_start = t.period_start AND e.stage = t.stage
    CROSS JOIN LATERAL (
        SELECT coalesce(CASE t.metric_kind WHEN 'count' THEN e.counted ELSE e.amount END, 0) AS actual) AS a
