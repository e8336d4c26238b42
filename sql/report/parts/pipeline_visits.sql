-- The visits that the pipeline looks at: since when a lead is in a stage for the
-- first time, NULL if that is not known, and when it was won.  "facts" (visits)
-- must be in scope.  (The planner takes visit_no <= 1 for a third of the visits,
-- but visit_no = 1 for next to none.)
SELECT {key:v}, v.visit_no, v.stage, v.stage_kind, v.is_late, v.entered_at,
    v.since_known
FROM facts AS v
WHERE v.visit_no <= 1 OR v.stage_kind = 'won'
