-- unassigned per lead
-- Open leads that a team holds and no person: a list to hand out, one row per lead, of leads on the success path or with a clock running. Key: row_key. Empty if the table is attached without an assignee. Answers: which leads does each believe to be the other's?
--
-- row_key: the key as text; unique
-- stage: stage that it is in
-- stage_order: its place in the order of declaration
-- team: team that holds it, or that holds its stage by the agreement
-- since: since when it is in the stage; NULL if that is not known
-- unassigned_since: since when nobody has held it, through all stages; NULL if that is not known. A merged duplicate's entries before the first one of the lead's own count, too
-- unassigned_working_seconds: time since then in the hours of the team, or the common ones if the agreement does not know the team; NULL without hours
-- next_due_at: when the next of its running clocks is due; NULL if none runs
-- is_overdue: whether a clock of it is overdue
-- as_of: the instant of the list

WITH
    in_force AS MATERIALIZED (
        {part:funnel}
    ),
    stages AS MATERIALIZED (
        SELECT s.stage, s.team, s.on_success_path FROM in_force AS f, align.stages(f.funnel) AS s
        WHERE s.team IS NOT NULL
    ),
    hours AS MATERIALIZED (
        SELECT t.team, align.hours(f.funnel, t.team) AS hours
        FROM in_force AS f
            CROSS JOIN LATERAL (SELECT DISTINCT s.team FROM align.stages(f.funnel) AS s
                                WHERE s.team IS NOT NULL) AS t
    ),
    open_leads AS MATERIALIZED (
        SELECT l.row_key, {key:l}, l.stage, l.stage_order, l.since, s.on_success_path,
            CASE WHEN l.team = '(none)' THEN s.team ELSE l.team END AS team
        FROM {lead_facts} AS l
            JOIN stages AS s ON s.stage = l.stage
        WHERE {has_role:assignee} AND l.status = 'open' AND l.assignee = '(none)'
    ),
    clocks AS (
        SELECT {key:c}, min(c.due_at) AS next_due_at, bool_or(c.clock_status = 'overdue') AS is_overdue
        FROM {sla_facts} AS c
        WHERE c.is_open = 1 AND c.clock_status <> 'paused'
        GROUP BY {key:c}
    ),
    wanted AS (
        SELECT {key:l} FROM open_leads AS l
    ),
    history_rows AS MATERIALIZED (
        {part:rows_of_leads}
    ),
    entries AS (
        {part:entries_of_rows}
    ),
    held AS (
        SELECT {key:e}, e.at, e.since_known, e.place,
            -- how many entries, from the last one back, end the run
            count(*) FILTER (WHERE e.assignee IS NOT NULL OR e.is_end)
                OVER (PARTITION BY {key:e} ORDER BY e.place DESC) AS assigned_after
        FROM ({part:holdings}) AS e
    ),
    runs AS (
        SELECT DISTINCT ON ({key:e}) {key:e},
            CASE WHEN e.since_known THEN e.at END AS unassigned_since
        FROM held AS e
        WHERE e.assigned_after = 0
        ORDER BY {key:e}, e.place
    )
SELECT l.row_key, {key:l}, l.stage, l.stage_order, l.team, l.since, r.unassigned_since,
    extract(epoch FROM align.working_time(coalesce(h.hours, align.hours(f.funnel)), r.unassigned_since, {as_of}))::bigint AS unassigned_working_seconds,
    c.next_due_at,
    coalesce(c.is_overdue, false) AS is_overdue,
    {as_of}::timestamptz AS as_of
FROM open_leads AS l
    CROSS JOIN in_force AS f
    LEFT JOIN clocks AS c ON {key_join:c:l}
    LEFT JOIN runs AS r ON {key_join:r:l}
    LEFT JOIN hours AS h ON h.team = l.team
WHERE l.on_success_path OR c.next_due_at IS NOT NULL
