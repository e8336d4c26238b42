-- The entries of leads that are touches, by the "entries" in scope: those whose
-- campaign is not that of the touch before.  (The row keeps its campaign while
-- the lead moves on.)
SELECT t.*
FROM (SELECT {key:e}, e.place, e.at, e.campaign,
          lag(e.campaign) OVER (PARTITION BY {key:e} ORDER BY e.place) AS previous
      FROM entries AS e
      WHERE e.campaign IS NOT NULL AND (e.is_stage_entry OR e.event = 'touch')) AS t
WHERE t.campaign IS DISTINCT FROM t.previous
