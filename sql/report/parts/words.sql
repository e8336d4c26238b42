-- What is most worth saying, the worst first: the promise that each team kept
-- worst (those first that miss a target), targets that are behind, leads that do
-- not move.  A promise that is a target, too, is said once.  Under five cases a
-- rate weighs less: one of one is no news.  What began before the record was
-- complete is not judged.
WITH
    running AS (
        SELECT s.*
        FROM {scorecard} AS s
        WHERE timezone({zone}, $1 - interval '1 microsecond')::date BETWEEN s.period_start AND s.period_end
    ),
    behind AS (
        SELECT r.*,
            CASE r.status WHEN 'behind' THEN 1 - r.actual / nullif(r.goal_today, 0) ELSE 1 - r.actual / nullif(r.goal, 0) END::float8
                * least(coalesce(r.denominator, 5), 5)::float8 / 5 AS gap,
            rtrim(to_char(r.goal, 'FM999,999,999,990.999999'), '.') AS goal_text,
            CASE WHEN abs(r.actual) < 100 AND r.actual <> round(r.actual) THEN to_char(r.actual, 'FM990.0')
                ELSE to_char(r.actual, 'FM999,999,999,990') END AS actual_text,
            CASE WHEN abs(r.expected_end) < 100 AND r.expected_end <> round(r.expected_end) THEN to_char(r.expected_end, 'FM990.0')
                ELSE to_char(r.expected_end, 'FM999,999,999,990') END AS expected_text,
            CASE r.status WHEN 'missed' THEN 'missed in the ' || r.period || ' from ' || to_char(r.period_start, 'FMDD Mon')
                ELSE 'behind for this ' || r.period END AS status_text
        FROM running AS r
        WHERE r.status IN ('behind', 'missed') AND r.is_complete
    ),
    -- is_reached: the week is as was promised, and only what is overdue is said
    promised AS (
        SELECT p.sla, p.team, p.week, p.met_week, p.met_week + p.missed_week AS due_week, p.overdue_now, t.is_behind,
            rtrim(to_char(t.goal, 'FM999,990.999999'), '.') AS goal_text,
            p.missed_week = 0 OR coalesce(100 * p.rate_week >= t.goal, false) AS is_reached,
            (1 - p.rate_week * 100 / coalesce(nullif(t.goal, 0), 100)::float8)
                * least(p.met_week + p.missed_week, 5)::float8 / 5 AS gap
        FROM {promises} AS p
            LEFT JOIN (SELECT r.metric, max(r.goal) AS goal, bool_or(r.status IN ('behind', 'missed') AND r.is_complete) AS is_behind
                       FROM running AS r WHERE r.metric_kind = 'sla' GROUP BY r.metric) AS t
                ON t.metric = p.sla
    ),
    late AS (
        SELECT p.sla, format('%s %s overdue now', to_char(p.overdue_now, 'FM999,999,990'), CASE p.overdue_now WHEN 1 THEN 'lead is' ELSE 'leads are' END) AS text
        FROM promised AS p
        WHERE p.overdue_now > 0
    ),
    kept AS (
        SELECT p.*,
            row_number() OVER (PARTITION BY p.team ORDER BY p.is_reached, p.is_behind IS NOT TRUE,
                               CASE WHEN NOT p.is_reached THEN p.gap END DESC, p.overdue_now DESC, p.sla) AS n
        FROM promised AS p
        WHERE NOT p.is_reached OR p.overdue_now > 0 AND p.is_behind IS NOT TRUE
    ),
    said AS (
        SELECT k.* FROM kept AS k WHERE k.n = 1
    ),
    open_leads AS (
        SELECT nullif(count(*), 0)::float8 AS n FROM {lead_facts} AS l WHERE l.status = 'open'
    )
SELECT w.gap, w.sentence
FROM (
    SELECT b.gap,
        CASE WHEN b.unit <> '%' THEN format('%s: %s of %s %s, %s.', b.teams, b.actual_text, b.goal_text, b.metric,
                CASE WHEN b.status = 'missed' OR b.expected_end IS NULL THEN b.status_text
                    ELSE b.expected_text || ' expected by the end of the ' || b.period END)
            WHEN b.metric_kind = 'sla' THEN format('%s kept %s of %s %s, %s (goal %s %%)%s.', b.teams, b.numerator, b.denominator, b.metric,
                b.status_text, b.goal_text, coalesce('; ' || l.text, ''))
            ELSE format('%s: %s of %s %s, %s (goal %s %%).', b.teams, b.numerator, b.denominator, b.metric, b.status_text, b.goal_text) END AS sentence
    FROM behind AS b
        LEFT JOIN late AS l ON b.metric_kind = 'sla' AND l.sla = b.metric
    WHERE b.metric_kind <> 'sla' OR b.metric NOT IN (SELECT p.sla FROM said AS p)
    UNION ALL
    SELECT CASE WHEN k.is_reached THEN 0.2 * k.overdue_now / o.n ELSE k.gap END,
        CASE WHEN k.is_reached THEN format('%s: %s for %s.', k.team, l.text, k.sla)
            ELSE format('%s kept %s of %s %s in the week of %s%s%s.', k.team, k.met_week, k.due_week, k.sla, to_char(k.week, 'FMDD Mon'),
                     coalesce(' (goal ' || k.goal_text || ' %)', ''), coalesce('; ' || l.text, '')) END
    FROM said AS k
        LEFT JOIN late AS l ON l.sla = k.sla
        CROSS JOIN open_leads AS o
    UNION ALL
    SELECT 0.2 * u.n / o.n,
        format('%s open %s in %s stage longer than its limit (nine of ten leads, or %s days where fewer leave).', to_char(u.n, 'FM999,999,990'),
            CASE u.n WHEN 1 THEN 'lead is' ELSE 'leads are' END, CASE u.n WHEN 1 THEN 'its' ELSE 'their' END,
            round(extract(epoch FROM {settle}) / 86400))
    FROM (SELECT count(*) AS n FROM {stuck} AS u) AS u
        CROSS JOIN open_leads AS o
    WHERE u.n > 0
) AS w
WHERE w.gap > 0
