-- The pipeline at the instant, by facts: the same as pipeline_snapshots has of
-- this one.  "leads" (key, stage, amount) and "visits" (pipeline_visits) must be
-- in scope.
WITH
    numbered AS (
        SELECT {as_of}::timestamptz AS as_of, 1 AS n
    ),
    stages AS (
        {part:pipeline_stages}
    ),
    firsts AS (
        SELECT {key:v}, v.stage, v.is_late,
            CASE WHEN v.since_known THEN v.entered_at END AS entered_at
        FROM visits AS v
        WHERE v.visit_no <= 1
    ),
    wins AS (
        SELECT {key:v}, min(v.entered_at) AS won_at
        FROM visits AS v
        WHERE v.stage_kind = 'won'
        GROUP BY {key:v}
    ),
    present AS (
        SELECT 1 AS n, l.stage,
            count(*) AS leads,
            count(*) FILTER (WHERE f.entered_at < {as_of} - {settle}) AS leads_aged,
            count(*) FILTER (WHERE l.amount IS NULL) AS amount_missing,
            sum(l.amount) AS amount,
            sum(l.amount) FILTER (WHERE f.entered_at < {as_of} - {settle}) AS amount_aged
        FROM leads AS l
            JOIN stages AS s ON s.stage = l.stage
            LEFT JOIN firsts AS f ON {key_join:f:l} AND f.stage = l.stage
        GROUP BY l.stage
    ),
    -- (whether a visit counts is no condition, as the planner would believe that
    -- hardly any do)
    base AS (
        SELECT 1 AS n, f.stage, count(*) FILTER (WHERE c.counts) AS n_leads,
            count(*) FILTER (WHERE c.counts AND w.won_at >= f.entered_at
                                 AND w.won_at <= f.entered_at + {settle}) AS won
        FROM firsts AS f
            CROSS JOIN LATERAL (
                SELECT NOT f.is_late AND f.entered_at >= {as_of} - {settle} - interval '8760 hours'
                    AND f.entered_at < {as_of} - {settle} AS counts) AS c
            LEFT JOIN wins AS w ON {key_join:w:f}
        GROUP BY f.stage
    )
SELECT v.*
FROM ({part:pipeline_values}) AS v
