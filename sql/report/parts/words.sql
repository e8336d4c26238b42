-- What is most worth saying, the worst first: the promise that each team kept
-- worst (those first that miss a target), targets that are behind, leads that do
-- not move.  A promise that is a target, too, is said once.
WITH
    behind AS (
        SELECT s.*,
            CASE s.status WHEN 'behind' THEN 1 - s.actual / nullif(s.goal_today, 0) ELSE 1 - s.actual / nullif(s.goal, 0) END::float8 AS gap
        FROM {scorecard} AS s
        WHERE s.status IN ('behind', 'missed')
            AND timezone({zone}, $1 - interval '1 microsecond')::date BETWEEN s.period_start AND s.period_end
    ),
    kept AS (
        SELECT p.*, t.goal,
            row_number() OVER (PARTITION BY p.team ORDER BY t.goal IS NULL, p.rate_week, p.sla) AS n
        FROM {promises} AS p
            LEFT JOIN (SELECT b.metric, max(b.goal) AS goal FROM behind AS b WHERE b.metric_kind = 'sla' GROUP BY b.metric) AS t
                ON t.metric = p.sla
        WHERE p.missed_week > 0
    ),
    said AS (
        SELECT k.* FROM kept AS k WHERE k.n = 1
    )
SELECT w.gap, w.sentence
FROM (
    SELECT b.gap,
        format('%s: %s of %s%s %s, %s.',
            b.teams,
            CASE b.unit WHEN '%' THEN to_char(b.actual, 'FM990.0') || ' %' ELSE to_char(b.actual, 'FM999,999,999,990') END,
            to_char(b.goal, 'FM999,999,999,990'), CASE b.unit WHEN '%' THEN ' %' ELSE '' END, b.metric,
            CASE WHEN b.status = 'missed' THEN 'missed in the ' || b.period || ' from ' || to_char(b.period_start, 'FMDD Mon')
                WHEN b.expected_end IS NULL THEN 'behind for this ' || b.period
                ELSE to_char(b.expected_end, 'FM999,999,999,990') || ' expected by the end of the ' || b.period END) AS sentence
    FROM behind AS b
    WHERE b.metric_kind <> 'sla' OR b.metric NOT IN (SELECT p.sla FROM said AS p)
    UNION ALL
    SELECT 1 - k.rate_week * 100 / coalesce(nullif(k.goal, 0), 100)::float8,
        format('%s kept %s %% of %s last week%s%s.', k.team, round((100 * k.rate_week)::numeric), k.sla,
            coalesce(' (goal ' || to_char(k.goal, 'FM990') || ' %)', ''),
            CASE WHEN k.overdue_now = 0 THEN ''
                ELSE format('; %s %s overdue now', to_char(k.overdue_now, 'FM999,999,990'), CASE k.overdue_now WHEN 1 THEN 'lead is' ELSE 'leads are' END) END)
    FROM said AS k
    UNION ALL
    SELECT 0.2 * u.n / nullif((SELECT count(*) FROM {lead_facts} AS l WHERE l.status = 'open'), 0),
        format('%s open %s longer in one stage than nine of ten leads stay there.', to_char(u.n, 'FM999,999,990'), CASE u.n WHEN 1 THEN 'lead is' ELSE 'leads are' END)
    FROM (SELECT count(*) AS n FROM {stuck} AS u) AS u
    WHERE u.n > 0
) AS w
WHERE w.gap > 0
