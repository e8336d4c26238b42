-- The touches of leads, by the "entries" and "campaigns" in scope: stage entries
-- whose campaign is not that of the touch before.  (The row keeps its campaign
-- while the lead moves on.)
SELECT {key:t}, t.place, t.at AS touched_at, t.previous IS NULL AS is_first, c.campaign, c.channel,
    c.is_direct
FROM (SELECT {key:e}, e.place, e.at, e.campaign,
          lag(e.campaign) OVER (PARTITION BY {key:e} ORDER BY e.place) AS previous
      FROM entries AS e
      WHERE e.campaign IS NOT NULL AND (e.is_stage_entry OR e.event = 'touch')) AS t
    JOIN campaigns AS c ON c.recorded = t.campaign
WHERE t.campaign IS DISTINCT FROM t.previous
