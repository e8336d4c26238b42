-- required
-- What the gap of a target requires of every stage before: one row per count or amount target of a won stage, for its running period, and open stage of the success path. Key: period, target_no, stage. The rates are those of leads that have had the time to settle, step by step: young leads look unconverted. Answers: how many MQLs more does the quarter need?
--
-- row_key: kind of period, number of the target and stage
-- target_no: place of the target in the agreement, from 1
-- teams: who promised
-- metric: what is counted
-- period: week, month, quarter, ...
-- period_start: its first day
-- gap: goal - actual, at least 0
-- stage: an open stage of the success path
-- stage_order: its place in the agreement, to sort by
-- base_n: leads that entered the stage in the year that ended one time to settle ago, late ones excluded
-- rate_to_next: of these, the share that reached the next stage or a later one within the time to settle; NULL under 20
-- rate_to_won: product of these rates from here to won; NULL if one is
-- needed: gap / rate_to_won: leads (or amount) that must enter the stage; leads rounded up
-- median_seconds_to_won: of the leads of base_n that were won within the time to settle, half took no longer; NULL under 5
-- needed_in_time: whether that fits into the rest of the period
-- as_of: the instant of the figures

WITH RECURSIVE
    path AS MATERIALIZED (
        {part:success_path}
    ),
    leads AS MATERIALIZED (
        {part:target_leads}
    ),
    facts AS MATERIALIZED (
        SELECT {key:v}, v.entry_no, v.stage, v.stage_kind, v.entered_at, v.left_at, v.next_stage, v.is_entry, v.is_late
        FROM {stored:visits} AS v
    ),
    firsts AS MATERIALIZED (
        SELECT {key:v}, w.step, min(v.entered_at) AS at
        FROM facts AS v
            LEFT JOIN path AS p ON p.stage = v.stage
            -- a won stage that is not on the path is as good as the one that is
            CROSS JOIN LATERAL (
                SELECT CASE WHEN v.stage_kind = 'won'
                    THEN coalesce(p.step, (SELECT min(x.step) FROM path AS x WHERE x.kind = 'won'))
                    ELSE p.step END AS step) AS w
        WHERE v.is_entry AND NOT v.is_late AND w.step IS NOT NULL
        GROUP BY {key:v}, w.step
    ),
    base AS (
        SELECT f.step, f.at, min(n.at) AS next_at, min(n.at) FILTER (WHERE p.kind = 'won') AS won_at
        FROM firsts AS f
            LEFT JOIN firsts AS n ON {key_join:n:f} AND n.step > f.step AND n.at >= f.at AND n.at <= f.at + {settle}
            LEFT JOIN path AS p ON p.step = n.step
        WHERE f.at >= {as_of} - {settle} - interval '8760 hours' AND f.at < {as_of} - {settle}
        GROUP BY {key:f}, f.step, f.at
    ),
    rates AS (
        SELECT p.step, p.stage, p.stage_order, p.kind, count(b.step) AS base_n,
            CASE WHEN count(b.step) >= 20 THEN count(b.next_at)::float8 / count(b.step) END AS rate_to_next,
            CASE WHEN count(b.won_at) >= 5
                THEN percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM b.won_at - b.at)::bigint)
            END AS median_seconds_to_won
        FROM path AS p
            LEFT JOIN base AS b ON b.step = p.step
        GROUP BY p.step, p.stage, p.stage_order, p.kind
    ),
    running AS MATERIALIZED (
        {part:running_targets}
    ),
    -- from the first won stage of the path back
    products AS (
        SELECT p.step, 1::float8 AS rate_to_won
        FROM (SELECT min(r.step) AS step FROM rates AS r WHERE r.kind = 'won') AS p
        UNION ALL
        SELECT r.step, p.rate_to_won * r.rate_to_next
        FROM products AS p
            JOIN rates AS r ON r.step = p.step - 1
    )
SELECT c.per || ' ' || c.target_no || ' ' || r.stage AS row_key, c.target_no, c.teams, c.metric, c.per AS period, c.period_start,
    c.remaining AS gap, r.stage, r.stage_order, r.base_n, r.rate_to_next, p.rate_to_won,
    CASE c.metric_kind WHEN 'count' THEN ceil(n.needed) ELSE round(n.needed, 2) END AS needed,
    r.median_seconds_to_won,
    {as_of} + make_interval(secs => r.median_seconds_to_won) <= c.end_at AS needed_in_time,
    {as_of}::timestamptz AS as_of
FROM running AS c
    CROSS JOIN products AS p
    JOIN rates AS r ON r.step = p.step AND r.kind = 'open'
    CROSS JOIN LATERAL (SELECT round(c.remaining / nullif(p.rate_to_won, 0)::numeric, 6) AS needed) AS n
