-- The ones of "entries", which must be in scope, that say who holds each lead, in
-- their order: its stage, team and
-- assignee from each on.  An entry with is_end ends a life of the lead, or takes
-- it out of the funnel.  Entries merged from a duplicate count up to the first
-- one of the lead's own: from then on its own row has its holder.
SELECT {key:e}, e.place, e.at, e.event, e.stage, e.stage_kind, e.is_end, e.is_first_of_lead,
    coalesce(e.team, '(none)') AS team, e.assignee,
    e.source IS NULL OR e.source NOT LIKE '%undated' AS since_known
FROM (SELECT e.*,
          e.stage IS NULL OR e.event IN ('deleted', 'truncated') AS is_end,
          row_number() OVER (PARTITION BY {key:e} ORDER BY e.place) = 1 AS is_first_of_lead,
          -- a row that was not live for a while has not left
          coalesce(lead(e.source) OVER (PARTITION BY {key:e} ORDER BY e.place) = 'resumed', false) AS is_undone,
          min(e.place) FILTER (WHERE NOT e.is_merged) OVER (PARTITION BY {key:e}) AS first_own_place
      FROM entries AS e
      WHERE e.is_stage_entry
          OR NOT e.is_merged AND e.event IN ('owner', 'deleted', 'truncated', 'move', 'override')) AS e
WHERE NOT e.is_undone AND (NOT e.is_merged OR e.place < e.first_own_place)
