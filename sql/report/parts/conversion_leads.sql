-- The journey of each lead as a value of type lead, for aggregates over leads.
SELECT {key:e},
    align.lead_agg(e.at, e.stage, e.team, e.reason, NULL, e.amount, e.place, e.segments) AS lead,
    min(e.at) AS entered_at,
    -- its first entry is an opening
    min(e.place) IS NOT DISTINCT FROM min(e.place) FILTER (WHERE e.event = 'opening') AS is_late
FROM ({part:entries}) AS e
WHERE e.is_stage_entry
GROUP BY {key:e}
