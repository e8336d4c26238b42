-- Once: the service levels and handoffs of all versions: who promises, in
-- which hours, whether the promise counts working time, and the stages that
-- start, stop and pause the clock, by the names of today.  "counted_in" is the
-- calendar that the promise counts in.
WITH names AS MATERIALIZED (
    {part:stage_names}
)
SELECT p.*,
    CASE WHEN p.is_working_time THEN p.hours ELSE 'UTC 24/7'::align.calendar END AS counted_in
FROM (
    SELECT a.name AS agreement, a.version, l.sla, l.team, l.due AS due_text, l.warn AS warn_text,
        EXISTS (SELECT FROM align.handoffs(a.funnel) AS h WHERE h.handoff = l.sla) AS is_handoff,
        l.due ~ '^(end of |[0-9]+ working )' AS is_working_time,
        CASE WHEN l.team IS NULL THEN align.hours(a.funnel)
            ELSE align.hours(a.funnel, l.team) END AS hours,
        ARRAY(SELECT coalesce(n.stage, s.stage)
              FROM unnest(l.starts) AS s (stage) LEFT JOIN names AS n ON n.recorded = s.stage) AS starts,
        ARRAY(SELECT coalesce(n.stage, s.stage)
              FROM unnest(l.stops) AS s (stage) LEFT JOIN names AS n ON n.recorded = s.stage) AS stops,
        ARRAY(SELECT coalesce(n.stage, s.stage)
              FROM unnest(l.pauses) AS s (stage) LEFT JOIN names AS n ON n.recorded = s.stage) AS pauses
    FROM align.agreements AS a
        CROSS JOIN LATERAL align.service_levels(a.funnel) AS l
    -- true of all, but without it the planner believes that there are many
    WHERE a.name = ANY (ARRAY(SELECT names.name FROM align.agreements AS names))
) AS p
