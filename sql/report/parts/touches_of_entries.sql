-- The touches of leads, by the "entries" and "campaigns" in scope: stage entries whose campaign
-- is not that of the touch before.  (The row keeps its campaign while the lead
-- moves on.)
SELECT {key:t}, row_number() OVER (PARTITION BY {key:t} ORDER BY t.place)::int AS touch_no,
    t.at AS touched_at, t.entry_no, c.campaign, c.channel, c.is_direct
FROM (SELECT {key:e}, e.place, e.at, e.entry_no, e.campaign,
          lag(e.campaign) OVER (PARTITION BY {key:e} ORDER BY e.place) AS previous
      FROM entries AS e
      WHERE e.campaign IS NOT NULL AND (e.is_stage_entry OR e.event = 'touch')) AS t
    JOIN campaigns AS c ON c.recorded = t.campaign
WHERE t.campaign IS DISTINCT FROM t.previous
