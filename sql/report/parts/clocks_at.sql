-- The clocks in "known_clocks", which must be in scope, as they were at the
-- instant.
WITH
    promises AS MATERIALIZED (
        {part:promises}
    ),
    read AS (
        SELECT c.*, p.is_handoff, p.is_working_time, p.hours, p.counted_in,
            coalesce(c.ended_at, {as_of}) AS read_at,
            CASE WHEN c.is_paused THEN c.cut_at ELSE coalesce(c.ended_at, {as_of}) END AS run_until
        FROM known_clocks AS c
            LEFT JOIN promises AS p
                ON p.agreement = c.agreement AND p.version = c.version AND p.sla = c.sla
    ),
    resumed AS (
        SELECT c.*,
            -- a calendar that has no such time left gives no instant
            CASE WHEN NOT c.is_paused OR c.due_left IS NULL THEN NULL
                WHEN c.read_at = c.cut_at THEN c.due_before
                WHEN align.working_time(c.counted_in, c.read_at, c.read_at + interval '10 years') >= c.due_left
                    AND c.due_left >= '0'
                THEN align.add_working_time(c.counted_in, c.read_at, c.due_left) END AS due_if_resumed_at
        FROM read AS c
    ),
    judged AS (
        SELECT c.*,
            CASE WHEN c.is_over THEN c.outcome
                WHEN c.ended_at IS NOT NULL THEN
                    CASE WHEN c.ended_at < coalesce(c.due_if_resumed_at, c.due_before) THEN 'cancelled'
                        ELSE 'missed' END
                WHEN c.run_until > c.due_before THEN 'overdue'
                WHEN c.is_paused THEN 'paused'
                WHEN c.run_until >= c.warn_before THEN 'at risk'
                ELSE 'running' END AS clock_status
        FROM resumed AS c
    ),
    shown AS (
        SELECT c.*,
            CASE WHEN c.clock_status = 'paused' THEN NULL
                WHEN c.ended_at IS NOT NULL THEN coalesce(c.due_if_resumed_at, c.due_before)
                ELSE c.due_before END AS due_at_now
        FROM judged AS c
        OFFSET 0
    )
SELECT {key:c},
    c.sla, c.cycle, coalesce(c.is_handoff, false) AS is_handoff, coalesce(c.team, '(none)') AS team,
    coalesce(c.assignee_at_start, '(none)') AS assignee_at_start,
    coalesce(CASE WHEN c.is_over OR c.clock_status = 'overdue' OR c.ended_at > c.due_at_now
                 THEN c.assignee_at_due ELSE c.holder END, '(none)') AS assignee_at_due,
    CASE WHEN c.is_over THEN coalesce(c.assignee_at_stop, '(none)')
        WHEN c.ended_at IS NOT NULL THEN coalesce(c.holder, '(none)') END AS assignee_at_stop,
    c.started_at,
    c.due_at_now AS due_at,
    CASE WHEN c.clock_status = 'paused' THEN c.due_if_resumed_at END AS due_if_resumed_at,
    CASE WHEN c.clock_status = 'paused' THEN NULL
        WHEN c.due_if_resumed_at > c.cut_at AND c.read_at > c.cut_at AND c.warn_left > '0'
        THEN align.add_working_time(c.counted_in, c.read_at, c.warn_left)
        ELSE c.warn_before END AS warn_at,
    c.ended_at AS stopped_at,
    (c.due_at_now AT TIME ZONE {zone})::date AS due_on,
    date_trunc('week', c.due_at_now AT TIME ZONE {zone})::date AS week,
    c.ended_by,
    c.clock_status,
    (c.ended_at IS NULL)::int AS is_open,
    (c.clock_status = 'met')::int AS is_met,
    (c.clock_status IN ('missed', 'overdue'))::int AS is_missed,
    (c.clock_status = 'cancelled')::int AS is_cancelled,
    round(extract(epoch FROM c.run_until - c.started_at - coalesce(c.paused_before, '0')))::bigint AS elapsed_seconds,
    round(extract(epoch FROM
        CASE WHEN c.over IS NULL THEN align.working_time(c.hours, c.started_at, c.run_until)
            ELSE align.working_time(c.hours, tstzmultirange(tstzrange(c.started_at, c.run_until)) - c.over) END))::bigint AS working_seconds,
    CASE WHEN coalesce(c.ended_at, c.run_until) <= c.due_at_now OR c.clock_status IN ('paused', 'cancelled') THEN 0
        ELSE round(extract(epoch FROM align.working_time(c.counted_in, c.due_at_now, coalesce(c.ended_at, c.run_until)))) END::bigint AS overrun_seconds,
    round(extract(epoch FROM coalesce(c.paused_before, '0') + (c.read_at - c.run_until)))::bigint AS paused_seconds,
    c.version,
    date_trunc('week', c.due_at_now AT TIME ZONE {zone}) AT TIME ZONE {zone} AS week_start_at,
    coalesce(c.is_working_time, false) AS is_working_time,
    c.recorded_at
FROM shown AS c
