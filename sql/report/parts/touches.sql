-- The touches of leads: stage entries whose campaign is not that of the touch
-- before.  (The row keeps its campaign while the lead moves on.)
SELECT {key:t}, row_number() OVER (PARTITION BY {key:t} ORDER BY t.place)::int AS touch_no,
    t.at AS touched_at, t.entry_no, t.campaign, c.channel, c.is_direct
FROM (SELECT {key:e}, e.place, e.at, e.entry_no, e.campaign,
          lag(e.campaign) OVER (PARTITION BY {key:e} ORDER BY e.place) AS previous
      FROM ({part:entries}) AS e
      WHERE e.is_stage_entry AND e.campaign IS NOT NULL) AS t
    JOIN ({part:campaigns}) AS c ON c.campaign = t.campaign
WHERE t.campaign IS DISTINCT FROM t.previous
