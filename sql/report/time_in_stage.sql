-- time_in_stage
-- How long leads stay in a stage: one row per stage and month in which visits ended, or at the end of which some were open. Key: stage, month. Times are those of the visits that ended in the month, without late leads; the age of those still open stands beside, since it is no time in stage yet. Never put both into one median. Answers: where do leads wait?
--
-- row_key: month and stage
-- month: first day of the month
-- month_start_at: its first instant
-- as_of: its end, or the instant of the figures if that is earlier
-- is_complete: whether the record was complete when the month began
-- stage: the stage
-- stage_order: its place in the agreement, to sort by
-- left_forward: visits that ended with an entry into an open stage declared later, or into a won stage
-- left_back: into an open stage declared earlier
-- left_lost: into a lost stage
-- left_gone: because the lead left the funnel or was deleted
-- late: of all these, visits of late leads, which are in no duration
-- n: visits with a duration: all these without late ones
-- median_seconds: elapsed time; half of them took no longer; NULL under 5
-- p90_seconds: likewise for nine of ten; NULL under 20
-- median_working_seconds: in the hours of the team that held the lead; NULL without hours
-- p90_working_seconds: likewise for nine of ten
-- open_at_end: visits to the stage that went on at as_of, late leads included, in an open stage; 0 in won and lost ones
-- open_median_seconds: median of their age, late leads excluded; NULL under 5
-- left_other: visits that ended with an entry into a stage that the agreement does not know, or that were to one and ended with an entry into an open stage

WITH
    visits AS MATERIALIZED (
        SELECT {key:v}, v.entry_no, v.stage, v.stage_order, v.stage_kind, v.next_stage, v.is_late,
            v.entered_at, v.left_at, v.elapsed_seconds, v.working_seconds,
            date_trunc('month', timezone({zone}, v.left_at))::date AS month_left
        FROM {stage_facts} AS v
    ),
    orders AS MATERIALIZED (
        SELECT DISTINCT n.stage, n.stage_order, n.stage_kind FROM ({part:stage_names}) AS n
    ),
    ended AS (
        SELECT v.month_left AS month, v.stage, v.stage_order,
            count(*) FILTER (WHERE o.stage_kind = 'won'
                                 OR o.stage_kind = 'open' AND o.stage_order > v.stage_order) AS left_forward,
            count(*) FILTER (WHERE o.stage_kind = 'open' AND o.stage_order < v.stage_order) AS left_back,
            count(*) FILTER (WHERE o.stage_kind = 'lost') AS left_lost,
            count(*) FILTER (WHERE v.next_stage <> '(none)'
                                 AND (o.stage IS NULL OR o.stage_kind = 'open' AND v.stage_order IS NULL)) AS left_other,
            count(*) FILTER (WHERE v.next_stage = '(none)') AS left_gone,
            count(*) FILTER (WHERE v.is_late) AS late,
            count(v.elapsed_seconds) FILTER (WHERE NOT v.is_late) AS n,
            count(v.working_seconds) FILTER (WHERE NOT v.is_late) AS n_working,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY v.elapsed_seconds) FILTER (WHERE NOT v.is_late) AS median_seconds,
            percentile_disc(0.9) WITHIN GROUP (ORDER BY v.elapsed_seconds) FILTER (WHERE NOT v.is_late) AS p90_seconds,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY v.working_seconds) FILTER (WHERE NOT v.is_late) AS median_working_seconds,
            percentile_disc(0.9) WITHIN GROUP (ORDER BY v.working_seconds) FILTER (WHERE NOT v.is_late) AS p90_working_seconds
        FROM visits AS v
            LEFT JOIN orders AS o ON o.stage = v.next_stage
        WHERE v.left_at IS NOT NULL
        GROUP BY v.month_left, v.stage, v.stage_order
    ),
    -- visits to open stages; of those found in their stage, from when they were found
    held AS MATERIALIZED (
        SELECT v.stage, v.stage_order, v.is_late, v.entered_at, v.left_at,
            coalesce(v.entered_at, o.recorded_at) AS seen_at
        FROM visits AS v
            LEFT JOIN (SELECT {history_key:h}, h.entry_no, h.recorded_at
                       FROM {history} AS h
                       WHERE h.event = 'opening') AS o
                ON {key_join:o:v} AND o.entry_no = v.entry_no AND v.entered_at IS NULL
        WHERE v.stage_kind NOT IN ('won', 'lost')
    ),
    months AS (
        SELECT m.month::date AS month,
            timezone({zone}, m.month) AS start_at,
            least(timezone({zone}, m.month + interval '1 month'), {as_of}) AS end_at
        FROM generate_series(
                (SELECT date_trunc('month', timezone({zone}, least(
                            (SELECT min(v.left_at) FROM visits AS v), (SELECT min(h.seen_at) FROM held AS h))))),
                date_trunc('month', timezone({zone}, {as_of})),
                interval '1 month') AS m (month)
    ),
    still_open AS (
        SELECT m.month, v.stage, v.stage_order,
            count(*) AS open_at_end,
            count(*) FILTER (WHERE NOT v.is_late) AS n,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM m.end_at - v.entered_at)::bigint)
                FILTER (WHERE NOT v.is_late) AS open_median_seconds
        FROM held AS v
            JOIN months AS m ON m.end_at >= v.seen_at AND (v.left_at IS NULL OR v.left_at > m.end_at)
        GROUP BY m.month, v.stage, v.stage_order
    )
SELECT to_char(m.month, 'YYYY-MM-DD') || ' ' || stage AS row_key, m.month, m.start_at AS month_start_at, m.end_at AS as_of,
    m.start_at >= {complete_since} AS is_complete,
    stage, s.stage_order,
    coalesce(e.left_forward, 0) AS left_forward,
    coalesce(e.left_back, 0) AS left_back,
    coalesce(e.left_lost, 0) AS left_lost,
    coalesce(e.left_gone, 0) AS left_gone,
    coalesce(e.late, 0) AS late,
    coalesce(e.n, 0) AS n,
    CASE WHEN e.n >= 5 THEN e.median_seconds END AS median_seconds,
    CASE WHEN e.n >= 20 THEN e.p90_seconds END AS p90_seconds,
    CASE WHEN e.n_working >= 5 THEN e.median_working_seconds END AS median_working_seconds,
    CASE WHEN e.n_working >= 20 THEN e.p90_working_seconds END AS p90_working_seconds,
    coalesce(o.open_at_end, 0) AS open_at_end,
    CASE WHEN o.n >= 5 THEN o.open_median_seconds END AS open_median_seconds,
    coalesce(e.left_other, 0) AS left_other
FROM ended AS e
    FULL JOIN (SELECT o.month, o.stage, o.stage_order, o.open_at_end, o.n, o.open_median_seconds
               FROM still_open AS o) AS o USING (month, stage)
    JOIN months AS m USING (month)
    CROSS JOIN LATERAL (SELECT coalesce(e.stage_order, o.stage_order) AS stage_order) AS s
