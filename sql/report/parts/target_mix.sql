-- The agreed share of each segment in the wins, by the version in force
-- ("in_force" must be in scope): that of the first won stage that has a mix.
-- No rows if none is agreed.
SELECT m.segment, m.share
FROM in_force AS f
    CROSS JOIN LATERAL align.target_mix(f.funnel) AS m
WHERE m.stage = (SELECT s.stage
                 FROM align.target_mix(f.funnel) AS o
                     JOIN align.stages(f.funnel) AS s ON s.stage = o.stage
                 WHERE s.kind = 'won'
                 ORDER BY s.stage_position
                 LIMIT 1)
