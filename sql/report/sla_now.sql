-- sla_now per lead
-- One row per open clock that is overdue or at risk at the instant, the longest overdue first: a call list. Key: row_key (lead, sla, cycle). The rows of sla_facts of these states, with what is needed to act. Answers: whom must I call now?
--
-- row_key: lead, service level and cycle as text; unique
-- sla: service level or handoff
-- cycle: number of the clock among those of this lead and service level
-- is_handoff: whether it is a handoff
-- team: the team that promises; (none) if none does
-- assignee: who holds the lead at the instant; (none) if nobody
-- assignee_at_due: who held it at the due instant, or if that has not passed at the instant; (none) if nobody
-- clock_status: overdue or at risk
-- started_at: start
-- due_at: due instant
-- warn_at: when it was at risk; NULL without a warning
-- elapsed_seconds: since the start, without pauses
-- working_seconds: the same in the working hours of the team; NULL if there are none
-- overrun_seconds: since the due instant, in the promise's own kind of time
-- stage: stage that the lead is in
-- stage_order: its place in the order of declaration; NULL if the agreement does not know it
-- amount: the last amount recorded; NULL if there is none
-- last_touch_at: when the last touch was; NULL without any
-- version: version of the agreement that the clock runs under
-- as_of: the instant

WITH
    -- (overdue and at risk are open; a further condition would make the planner
    -- believe in one row, and compute the CTEs below for each)
    states AS MATERIALIZED (
        SELECT {key:s}, s.sla, s.cycle, s.is_handoff, s.team, s.assignee_at_due, s.clock_status, s.started_at,
            s.due_at, s.warn_at, s.elapsed_seconds, s.working_seconds, s.overrun_seconds, s.version
        FROM {sla_facts} AS s
        WHERE s.clock_status IN ('overdue', 'at risk')
    ),
    wanted AS (
        SELECT DISTINCT {key:s} FROM states AS s
    ),
    history_rows AS MATERIALIZED (
        {part:rows_of_leads}
    ),
    entries AS MATERIALIZED (
        {part:entries_of_rows}
    ),
    leads AS MATERIALIZED (
        SELECT {key:e},
            (array_agg(e.stage ORDER BY e.place DESC) FILTER (WHERE e.is_stage_entry))[1] AS stage,
            (array_agg(e.stage_order ORDER BY e.place DESC) FILTER (WHERE e.is_stage_entry))[1] AS stage_order,
            (array_agg(e.assignee ORDER BY e.place DESC)
                FILTER (WHERE e.is_stage_entry OR e.event = 'owner' AND NOT e.is_merged))[1] AS assignee,
            (array_agg(e.amount ORDER BY e.place DESC) FILTER (WHERE e.amount IS NOT NULL))[1] AS amount
        FROM entries AS e
        GROUP BY {key:e}
    ),
    -- a touch is a campaign other than that of the touch before
    touched AS MATERIALIZED (
        SELECT {key:t}, max(t.at) AS last_touch_at
        FROM ({part:touch_entries}) AS t
        GROUP BY {key:t}
    )
SELECT {key_text:s} || ' ' || quote_ident(s.sla) || ' ' || s.cycle AS row_key, {key:s},
    s.sla, s.cycle, s.is_handoff, s.team,
    coalesce(l.assignee, '(none)') AS assignee,
    s.assignee_at_due, s.clock_status, s.started_at, s.due_at, s.warn_at,
    s.elapsed_seconds, s.working_seconds, s.overrun_seconds,
    l.stage, l.stage_order, l.amount, t.last_touch_at,
    s.version, {as_of}::timestamptz AS as_of
FROM states AS s
    LEFT JOIN leads AS l ON {key_join:l:s}
    LEFT JOIN touched AS t ON {key_join:t:s}
ORDER BY s.overrun_seconds DESC, s.elapsed_seconds DESC
