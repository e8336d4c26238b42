-- Once: the entries into stages that targets count or add up, with the period
-- that each is in.  The first entry of a lead into the stage counts, the
-- others are repeats; into a won stage, only of leads that are won at the
-- instant, or were when they were deleted or left the funnel.
WITH leads AS MATERIALIZED (
    SELECT {key:l}, l.amount FROM {lead_facts} AS l
)
SELECT p.per, align.period_start(p.funnel, p.per, timezone({zone}, v.entered_at)::date) AS period_start,
    v.stage, v.entered_at,
    row_number() OVER (PARTITION BY p.per, {key:v}, v.stage ORDER BY v.entered_at, v.visit_no) = 1 AS is_first,
    p.is_won AND v.last_kind IS DISTINCT FROM 'won' AS is_reversed,
    l.amount
FROM (SELECT DISTINCT t.per, t.stage, t.is_won, f.funnel
      FROM ({part:target_periods}) AS t
          CROSS JOIN ({part:funnel}) AS f
      WHERE t.metric_kind IN ('count', 'amount')) AS p
    JOIN (SELECT v.*, last_value(v.stage_kind) OVER (PARTITION BY {key:v} ORDER BY v.place
                                                     ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last_kind
          FROM {stored:visits} AS v) AS v ON v.stage = p.stage AND v.is_entry
    JOIN leads AS l ON {key_join:l:v}
