-- What is most worth saying, the worst first: targets that are behind, promises
-- that were not kept, leads that nobody moves.
SELECT w.gap, w.sentence
FROM (
    SELECT CASE s.status WHEN 'behind' THEN 1 - s.actual / nullif(s.goal_today, 0) ELSE 1 - s.actual / nullif(s.goal, 0) END::float8 AS gap,
        format('%s: %s of %s %s, %s.',
               s.teams,
               CASE s.metric_kind WHEN 'amount' THEN to_char(s.actual, 'FM999,999,999,990') || ' ' || s.metric
                   WHEN 'count' THEN to_char(s.actual, 'FM999,999,990') || ' ' || s.metric
                   ELSE to_char(s.actual, 'FM990.0') || ' % of ' || s.metric END,
               to_char(s.goal, 'FM999,999,999,990'), CASE s.unit WHEN '%' THEN '%' ELSE 'promised' END,
               CASE WHEN s.status = 'missed' THEN 'in the ' || s.period || ' from ' || to_char(s.period_start, 'FMDD Mon')
                   WHEN s.expected_end IS NULL THEN 'behind for this ' || s.period
                   ELSE to_char(s.expected_end, 'FM999,999,999,990') || ' expected by the end of the ' || s.period END) AS sentence
    FROM {scorecard} AS s
    WHERE s.status IN ('behind', 'missed')
        AND timezone({zone}, $1 - interval '1 microsecond')::date BETWEEN s.period_start AND s.period_end
    UNION ALL
    SELECT 1 - p.rate_week,
        format('%s kept %s of %s promises of %s last week; %s %s overdue now.', p.team, p.met_week,
               p.met_week + p.missed_week, p.sla, p.overdue_now, CASE p.overdue_now WHEN 1 THEN 'is' ELSE 'are' END)
    FROM {promises} AS p
    WHERE p.missed_week > 0
    UNION ALL
    SELECT 0.2 * u.n / nullif((SELECT count(*) FROM {lead_facts} AS l WHERE l.status = 'open'), 0),
        format('%s open %s longer in one stage than nine of ten leads stay there.', u.n, CASE u.n WHEN 1 THEN 'lead is' ELSE 'leads are' END)
    FROM (SELECT count(*) AS n FROM {stuck} AS u) AS u
    WHERE u.n > 0
) AS w
WHERE w.gap > 0
