-- The submissions of leads to another team, by the "visits" in scope, and what
-- became of them: the first change of stage after a submission decides it, by
-- the version of the agreement that was recorded with it.
SELECT {key:v}, v.entry_no, v.place, v.is_late, v.stage, v.handoff, v.entered_at, v.left_at,
    v.left_reason, v.left_actor, v.assignee, v.segments, v.agreement, v.version, v.known_at, v.left_known_at,
    coalesce(v.left_recorded_at, v.recorded_at) AS recorded_at,
    h.from_team, h.to_team, h.hours,
    row_number() OVER (PARTITION BY {key:v}, v.handoff ORDER BY v.place)::int AS submission_no,
    CASE WHEN v.left_at IS NULL THEN 'pending'
        WHEN v.next_stage IS NULL THEN 'gone'
        WHEN v.next_stage = ANY (h.accept) THEN 'accepted'
        WHEN v.next_stage = ANY (h.reject) THEN 'rejected'
        ELSE 'withdrawn' END AS outcome
FROM visits AS v
    LEFT JOIN ({part:handoffs}) AS h
        ON h.agreement = v.agreement AND h.version = v.version AND h.handoff = v.handoff
WHERE v.handoff IS NOT NULL
