-- The entries into stages that "targets" count or add up, with the period that
-- each is in.  The first entry of a lead into the stage counts, the others are
-- repeats; into a won stage, only of leads that are won at the instant, or were
-- when they were deleted or left the funnel.  "targets", "leads" (target_leads)
-- and "visits" (target_visits) must be in scope.
SELECT p.per, align.period_start(f.funnel, p.per, timezone({zone}, v.entered_at)::date) AS period_start,
    v.stage, v.entered_at, v.is_first,
    p.is_won AND l.status <> 'won' AND (l.status <> 'gone' OR e.stage_kind IS DISTINCT FROM 'won') AS is_reversed,
    l.amount
FROM (SELECT DISTINCT t.per, t.stage, t.is_won
      FROM targets AS t
      WHERE t.metric_kind IN ('count', 'amount')) AS p
    CROSS JOIN ({part:funnel}) AS f
    JOIN (SELECT {key:v}, v.stage, v.entered_at,
              row_number() OVER (PARTITION BY {key:v}, v.stage ORDER BY v.entered_at, v.entry_no) = 1 AS is_first
          FROM visits AS v
          WHERE v.is_entry) AS v ON v.stage = p.stage
    JOIN leads AS l ON {key_join:l:v}
    LEFT JOIN (SELECT DISTINCT ON ({key:v}) {key:v}, v.stage_kind
               FROM visits AS v
               WHERE v.is_end
               ORDER BY {key:v}, v.left_at DESC, v.entry_no DESC) AS e ON {key_join:e:v}
