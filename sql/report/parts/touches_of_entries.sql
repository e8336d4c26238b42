-- The touches of leads, by the "entries" and "campaigns" in scope.
SELECT {key:t}, t.place, t.at AS touched_at, t.previous IS NULL AS is_first, c.campaign, c.channel,
    c.is_direct
FROM ({part:touch_entries}) AS t
    JOIN campaigns AS c ON c.recorded = t.campaign
