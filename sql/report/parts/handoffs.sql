-- Once: the handoffs of all versions, their stages by the names of today.
WITH names AS MATERIALIZED (
    {part:stage_names}
)
SELECT a.name AS agreement, a.version, h.handoff, h.from_team, h.to_team,
    ARRAY(SELECT coalesce(n.stage, s.stage)
          FROM unnest(h.accept) AS s (stage) LEFT JOIN names AS n ON n.recorded = s.stage) AS accept,
    ARRAY(SELECT coalesce(n.stage, s.stage)
          FROM unnest(h.reject) AS s (stage) LEFT JOIN names AS n ON n.recorded = s.stage) AS reject,
    CASE WHEN h.to_team IS NULL THEN align.hours(a.funnel)
        ELSE align.hours(a.funnel, h.to_team) END AS hours
FROM align.agreements AS a
    CROSS JOIN LATERAL align.handoffs(a.funnel) AS h
-- true of all, but without it the planner believes that there are many
WHERE a.name = ANY (ARRAY(SELECT names.name FROM align.agreements AS names))
