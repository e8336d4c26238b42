-- stuck per lead
-- Open leads that are in their stage longer than its limit: nine of ten leads had left it by then, or, where fewer did, it is the time to settle. A list to call, one row per lead. Key: row_key. The limit of a stage comes from the visits that began in the year before they could settle; those that had not ended by then count as longer, so it is not too short. A lead whose time in the stage is not known is never in it. Answers: which leads does nobody move?
--
-- row_key: the key as text; unique
-- stage: stage that it is in
-- stage_order: its place in the agreement, to sort by
-- team: team that holds it
-- assignee: person who holds it
-- since: since when it is in the stage
-- age_seconds: elapsed time since then
-- age_working_seconds: the same in the hours of the team; elapsed time without hours
-- limit_working_seconds: longer than this is stuck, in the same time
-- limit_basis: visits: nine of ten ended by then; window: fewer did within the time to settle, which is the limit; sla: under 20 visits, so the time that a service level of the stage allows
-- amount: the last amount recorded
-- last_touch_at: last touch by a campaign
-- as_of: the instant of the list

WITH
    in_force AS MATERIALIZED (
        {part:funnel}
    ),
    stages AS MATERIALIZED (
        SELECT s.stage, s.team,
            CASE WHEN s.team IS NULL THEN align.hours(f.funnel)
                ELSE align.hours(f.funnel, s.team) END AS hours
        FROM in_force AS f, align.stages(f.funnel) AS s
        WHERE s.kind = 'open'
    ),
    -- what the service levels that start with a stage allow a lead that enters it now
    allowed AS (
        SELECT s.stage,
            min(extract(epoch FROM coalesce(align.working_time(s.hours, {as_of}, c.due_at),
                                            c.due_at - {as_of}))::bigint) AS seconds
        FROM stages AS s
            CROSS JOIN in_force AS f
            CROSS JOIN LATERAL (SELECT align.lead_agg({as_of}, x.stage) AS lead
                                FROM (VALUES (s.stage)) AS x (stage)) AS l
            CROSS JOIN LATERAL align.sla_clocks(l.lead, f.funnel, {as_of}) AS c
        GROUP BY s.stage
    ),
    durations AS (
        SELECT v.stage,
            -- NULL: longer than the time to settle
            CASE WHEN v.left_at <= v.entered_at + {settle}
                THEN coalesce(v.working_seconds, v.elapsed_seconds) END AS seconds
        FROM {stage_facts} AS v
        WHERE NOT v.is_late AND v.stage_kind = 'open'
            AND v.entered_at >= {as_of} - {settle} - interval '8760 hours'
            AND v.entered_at < {as_of} - {settle}
    ),
    visits AS (
        SELECT d.stage, count(*) AS n,
            -- of all, not of those that ended: NULL if fewer than nine of ten did
            nullif(percentile_disc(0.9) WITHIN GROUP (ORDER BY coalesce(d.seconds, 9223372036854775807)),
                   9223372036854775807) AS seconds
        FROM durations AS d
        GROUP BY d.stage
    ),
    limits AS MATERIALIZED (
        SELECT s.stage,
            CASE WHEN v.n >= 20 AND v.seconds IS NOT NULL THEN v.seconds
                WHEN v.n >= 20 THEN extract(epoch FROM coalesce(align.working_time(s.hours, {as_of} - {settle}, {as_of}),
                                                                {settle}))::bigint
                ELSE a.seconds END AS seconds,
            CASE WHEN v.n >= 20 AND v.seconds IS NOT NULL THEN 'visits'
                WHEN v.n >= 20 THEN 'window' ELSE 'sla' END AS basis
        FROM stages AS s
            LEFT JOIN visits AS v ON v.stage = s.stage
            LEFT JOIN allowed AS a ON a.stage = s.stage
    )
SELECT l.row_key, {key:l}, l.stage, l.stage_order, l.team, l.assignee, l.since,
    l.in_stage_seconds AS age_seconds,
    coalesce(l.in_stage_working_seconds, l.in_stage_seconds) AS age_working_seconds,
    m.seconds AS limit_working_seconds, m.basis AS limit_basis,
    l.amount, l.last_touch_at, {as_of}::timestamptz AS as_of
FROM {lead_facts} AS l
    JOIN limits AS m ON m.stage = l.stage
WHERE l.status = 'open' AND l.since_known
    AND coalesce(l.in_stage_working_seconds, l.in_stage_seconds) > m.seconds
