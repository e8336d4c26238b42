-- The visits to the stages of "targets", and those with which leads were deleted
-- or left the funnel.  "targets" and "facts" (visits) must be in scope.
SELECT {key:v}, v.entry_no, v.stage, v.stage_kind, v.entered_at, v.left_at, v.is_entry, v.is_late,
    v.left_at IS NOT NULL AND v.next_stage IS NULL AS is_end
FROM facts AS v
WHERE v.stage IN (SELECT t.stage FROM targets AS t WHERE t.stage IS NOT NULL
                  UNION SELECT t.from_stage FROM targets AS t WHERE t.from_stage IS NOT NULL)
    OR v.left_at IS NOT NULL AND v.next_stage IS NULL
