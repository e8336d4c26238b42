-- Once: the journey of each lead as a value of type lead, for aggregates over
-- leads: the same as align.journeys() has, in so far as such aggregates look
-- at it.
SELECT {key:e},
    align.lead_agg(e.at, CASE WHEN e.is_stage_entry THEN e.stage END, e.team, e.reason,
                   CASE WHEN NOT e.is_stage_entry THEN e.campaign END, e.amount, e.entry_no, e.segments) AS lead,
    min(e.at) FILTER (WHERE e.is_stage_entry) AS entered_at,
    -- its first entry is an opening
    min(e.place) FILTER (WHERE e.is_stage_entry)
        IS NOT DISTINCT FROM min(e.place) FILTER (WHERE e.event = 'opening') AS is_late
FROM ({part:entries}) AS e
WHERE e.is_stage_entry OR e.event = 'touch'
GROUP BY {key:e}
HAVING bool_or(e.is_stage_entry)
