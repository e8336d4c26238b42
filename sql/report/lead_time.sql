-- lead_time
-- How long the legs of a journey took: one row per leg and month in which the leg ended, from the first entry to the first entry, without late leads. Key: leg, month. It says nothing about the leads of today: of those only the fast ones have arrived. Months are those of the end; by month of entry, young months would look fast. Answers: how long does it take from inquiry to customer?
--
-- row_key: month and leg
-- month: first day of the month in which the leg ended
-- month_start_at: its first instant
-- is_complete: whether the record was complete when the month began
-- leg: "entry to won"; for each handoff "entry to HANDOFF" (the first submission), "HANDOFF to decision" (of the first submission) and "HANDOFF to won"
-- n: leads that ended the leg in the month, without late ones
-- late: late leads that did; they have no duration
-- median_seconds: elapsed time; half of the leads took no longer; NULL under 5
-- p90_seconds: likewise for nine of ten; NULL under 20
-- median_working_seconds: the same in the hours of the teams that held the lead, stage by stage, and of a decision in those of the team that decides; NULL without hours
-- p90_working_seconds: likewise for nine of ten
-- as_of: the instant of the figures

WITH
    leads AS MATERIALIZED (
        SELECT {key:l}, l.is_late, l.entered_at, l.won_at FROM {lead_facts} AS l
    ),
    submissions AS MATERIALIZED (
        SELECT {key:h}, h.handoff, h.submitted_at, h.decided_at, h.outcome, h.elapsed_seconds, h.working_seconds
        FROM {handoff_facts} AS h
        WHERE h.is_first
    ),
    -- the legs between two stages, whose working time is that of the visits between
    legs AS (
        SELECT {key:l}, 'entry to won' AS leg, l.is_late, l.entered_at AS began_at, l.won_at AS ended_at
        FROM leads AS l
        WHERE l.won_at IS NOT NULL
        UNION ALL
        SELECT {key:l}, 'entry to ' || s.handoff, l.is_late, l.entered_at, s.submitted_at
        FROM submissions AS s
            JOIN leads AS l ON {key_join:l:s}
        UNION ALL
        SELECT {key:l}, s.handoff || ' to won', l.is_late, s.submitted_at, l.won_at
        FROM submissions AS s
            JOIN leads AS l ON {key_join:l:s}
        WHERE l.won_at >= s.submitted_at
    ),
    timed AS (
        SELECT {key:g}, g.leg, g.is_late, g.ended_at,
            extract(epoch FROM g.ended_at - g.began_at)::bigint AS seconds,
            sum(v.working_seconds) FILTER (WHERE v.entered_at >= g.began_at AND v.entered_at < g.ended_at) AS spent,
            bool_or(v.working_seconds IS NULL AND v.entered_at >= g.began_at AND v.entered_at < g.ended_at) AS has_no_hours
        FROM legs AS g
            LEFT JOIN {stage_facts} AS v ON {key_join:v:g}
        GROUP BY {key:g}, g.leg, g.is_late, g.began_at, g.ended_at
        UNION ALL
        SELECT {key:s}, s.handoff || ' to decision', l.is_late, s.decided_at,
            s.elapsed_seconds, s.working_seconds, s.working_seconds IS NULL
        FROM submissions AS s
            JOIN leads AS l ON {key_join:l:s}
        WHERE s.outcome IN ('accepted', 'rejected')
    ),
    dated AS (
        SELECT t.leg, date_trunc('month', timezone({zone}, t.ended_at))::date AS month, t.is_late,
            CASE WHEN NOT t.is_late THEN t.seconds END AS seconds,
            CASE WHEN NOT t.is_late AND t.has_no_hours IS NOT TRUE THEN coalesce(t.spent, 0)::bigint END AS working
        FROM timed AS t
    ),
    sums AS (
        SELECT d.leg, d.month,
            count(*) FILTER (WHERE NOT d.is_late) AS n,
            count(*) FILTER (WHERE d.is_late) AS late,
            count(d.working) AS n_working,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY d.seconds) AS median_seconds,
            percentile_disc(0.9) WITHIN GROUP (ORDER BY d.seconds) AS p90_seconds,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY d.working) AS median_working_seconds,
            percentile_disc(0.9) WITHIN GROUP (ORDER BY d.working) AS p90_working_seconds
        FROM dated AS d
        GROUP BY d.leg, d.month
    )
SELECT to_char(s.month, 'YYYY-MM-DD') || ' ' || s.leg AS row_key, s.month,
    timezone({zone}, s.month::timestamp) AS month_start_at,
    timezone({zone}, s.month::timestamp) >= {complete_since} AS is_complete,
    s.leg, s.n, s.late,
    CASE WHEN s.n >= 5 THEN s.median_seconds END AS median_seconds,
    CASE WHEN s.n >= 20 THEN s.p90_seconds END AS p90_seconds,
    CASE WHEN s.n_working >= 5 THEN s.median_working_seconds END AS median_working_seconds,
    CASE WHEN s.n_working >= 20 THEN s.p90_working_seconds END AS p90_working_seconds,
    {as_of}::timestamptz AS as_of
FROM sums AS s
