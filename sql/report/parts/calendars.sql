-- Once: the working hours of the teams, by version of the agreement; team is
-- NULL for the common hours, which count where no team of the agreement holds
-- the lead.  Versions without hours are left out.
SELECT a.version, t.team, h.hours
FROM align.agreements AS a
    CROSS JOIN LATERAL (
        SELECT s.team FROM align.stages(a.funnel) AS s
        UNION SELECT s.team FROM align.service_levels(a.funnel) AS s
        UNION SELECT s.from_team FROM align.handoffs(a.funnel) AS s
        UNION SELECT NULL
    ) AS t
    CROSS JOIN LATERAL (
        SELECT CASE WHEN t.team IS NULL THEN align.hours(a.funnel)
                   ELSE align.hours(a.funnel, t.team) END AS hours
    ) AS h
WHERE a.name = {agreement} AND h.hours IS NOT NULL
