-- The visits of leads to stages, by the "entries" in scope: consecutive entries
-- into one stage are one visit, which ends with the entry into another stage, or
-- when the lead leaves the funnel or its row is deleted.  Changes of owner do
-- not end it; team and assignee are those that held the lead last in the visit.
-- A row that was not live for a while has not left, from when it is known to be
-- live again.  The entry that records a merge has the holders of the row that
-- stays.
--
-- All windows have the order of one sort, by lead and place; visit_no needs
-- another within the lead.
WITH
    journey AS (
        SELECT e.*,
            CASE WHEN e.source = 'resumed' THEN lag(e.stage, 2) OVER journey
                ELSE lag(e.stage) OVER journey END AS previous_stage,
            coalesce(lead(e.source) OVER journey = 'resumed', false) AS is_undone,
            CASE WHEN e.source = 'resumed' THEN lag(e.team, 2) OVER journey
                ELSE lag(e.team) OVER journey END AS previous_team,
            CASE WHEN e.source = 'resumed' THEN lag(e.assignee, 2) OVER journey
                ELSE lag(e.assignee) OVER journey END AS previous_assignee,
            last_value(e.team) OVER journey AS last_team,
            last_value(e.assignee) OVER journey AS last_assignee,
            first_value(e.event) OVER journey = 'opening' AS is_late
        FROM entries AS e
        WHERE e.is_stage_entry
            OR NOT e.is_merged AND e.event IN ('owner', 'deleted', 'truncated', 'move', 'override')
            OR e.event = 'rekey' AND e.note LIKE 'merged from %'
        WINDOW journey AS (PARTITION BY {key:e} ORDER BY e.place
                           ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ),
    changes AS (
        SELECT j.*,
            lead(j.at) OVER journey AS left_at,
            lead(j.event) OVER journey AS left_by,
            lead(j.stage) OVER journey AS next_stage,
            lead(j.reason) OVER journey AS left_reason,
            lead(j.actor) OVER journey AS left_actor,
            lead(j.known_at) OVER journey AS left_known_at,
            lead(j.recorded_at) OVER journey AS left_recorded_at,
            lead(j.previous_team) OVER journey AS team_at_end,
            lead(j.previous_assignee) OVER journey AS assignee_at_end
        FROM journey AS j
        WHERE j.stage IS DISTINCT FROM j.previous_stage
            AND (j.is_stage_entry OR j.stage IS NULL AND NOT j.is_undone)
        WINDOW journey AS (PARTITION BY {key:j} ORDER BY j.place)
    )
SELECT {key:c},
    row_number() OVER (PARTITION BY {key:c}, c.stage ORDER BY c.place) AS visit_no,
    c.entry_no, c.place, c.is_entry, c.is_late,
    -- when it began, if the entry says so
    CASE WHEN c.is_entry OR c.source IS NULL OR c.source NOT LIKE '%undated' THEN c.at END AS entered_at,
    CASE WHEN c.source IS NULL OR c.source NOT LIKE '%undated' THEN c.at END AS since,
    c.source IS NULL OR c.source NOT LIKE '%undated' AS since_known,
    c.left_at, c.left_by, c.left_at IS NULL AS is_current,
    c.stage, c.stage_order, c.stage_kind,
    c.previous_stage, c.next_stage,
    CASE WHEN c.left_at IS NULL THEN c.last_team ELSE c.team_at_end END AS team,
    CASE WHEN c.left_at IS NULL THEN c.last_assignee ELSE c.assignee_at_end END AS assignee,
    c.left_reason, c.left_actor, c.segments, c.agreement, c.version, c.handoff,
    c.known_at, c.left_known_at, c.recorded_at, c.left_recorded_at
FROM changes AS c
WHERE c.stage IS NOT NULL
