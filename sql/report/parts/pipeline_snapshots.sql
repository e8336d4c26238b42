-- The pipeline at each of the instants of "snapshots", a table of the including
-- query (as_of timestamptz, distinct): a row for each open stage of the success
-- path.
--
-- Leads are found in their timelines by the numbers of the instants that these
-- contain, and the base of a share by the numbers of its limits, so the cost
-- does not grow with leads times instants.
WITH
    numbered AS (
        SELECT s.as_of, row_number() OVER (ORDER BY s.as_of)::int AS n
        FROM snapshots AS s
    ),
    instants AS (
        SELECT array_agg(n.as_of ORDER BY n.n) AS all_of, count(*)::int AS n FROM numbered AS n
    ),
    stages AS (
        SELECT s.stage, s.stage_order::int AS stage_order
        FROM ({part:funnel}) AS f,
            align.stages(f.funnel) WITH ORDINALITY AS s (stage_position, stage, kind, team,
                on_success_path, is_entry, labels, needs, stage_order)
        WHERE s.kind = 'open' AND s.on_success_path
    ),
    -- since when a lead is in a stage for the first time; NULL if that is not known
    firsts AS (
        SELECT {key:v}, v.stage, v.is_late,
            CASE WHEN v.since_known THEN v.entered_at END AS entered_at
        FROM ({part:visits}) AS v
        WHERE v.visit_no = 1
    ),
    wins AS (
        SELECT {key:v}, min(v.entered_at) AS won_at
        FROM ({part:visits}) AS v
        WHERE v.stage_kind = 'won'
        GROUP BY {key:v}
    ),
    present AS (
        SELECT n.n, t.stage,
            count(*) AS leads,
            count(*) FILTER (WHERE f.entered_at < n.as_of - {settle}) AS leads_aged,
            count(*) FILTER (WHERE t.amount IS NULL) AS amount_missing,
            sum(t.amount) AS amount,
            sum(t.amount) FILTER (WHERE f.entered_at < n.as_of - {settle}) AS amount_aged
        FROM ({part:timeline}) AS t
            JOIN stages AS s ON s.stage = t.stage
            CROSS JOIN instants AS i
            -- an instant is in [since, until)
            CROSS JOIN LATERAL generate_series(
                width_bucket(t.since - interval '1 microsecond', i.all_of) + 1,
                CASE WHEN t.until IS NULL THEN i.n
                    ELSE width_bucket(t.until - interval '1 microsecond', i.all_of) END) AS g (n)
            JOIN numbered AS n ON n.n = g.n
            LEFT JOIN firsts AS f ON {key_join:f:t} AND f.stage = t.stage
        GROUP BY n.n, t.stage
    ),
    -- limits of the base, [as_of - settle - 365 days, as_of - settle), in order
    limits AS (
        SELECT array_agg(l.at ORDER BY l.at) AS all_of
        FROM (SELECT n.as_of - {settle} AS at FROM numbered AS n
              UNION
              SELECT n.as_of - {settle} - interval '8760 hours' FROM numbered AS n) AS l
    ),
    entered AS (
        SELECT f.stage, width_bucket(f.entered_at, l.all_of) AS bucket,
            count(*) AS n,
            count(*) FILTER (WHERE w.won_at >= f.entered_at
                                 AND w.won_at <= f.entered_at + {settle}) AS won
        FROM firsts AS f
            CROSS JOIN limits AS l
            LEFT JOIN wins AS w ON {key_join:w:f}
        WHERE NOT f.is_late
        GROUP BY f.stage, width_bucket(f.entered_at, l.all_of)
    ),
    base AS (
        SELECT n.n, e.stage, sum(e.n)::bigint AS n_leads, sum(e.won)::bigint AS won
        FROM numbered AS n
            CROSS JOIN limits AS l
            JOIN entered AS e
                ON e.bucket >= width_bucket(n.as_of - {settle} - interval '8760 hours', l.all_of)
                AND e.bucket < width_bucket(n.as_of - {settle}, l.all_of)
        GROUP BY n.n, e.stage
    ),
    shares AS (
        SELECT b.n, b.stage, b.n_leads, b.won,
            CASE WHEN b.n_leads >= 20 THEN b.won::float8 / b.n_leads END AS won_share,
            CASE WHEN b.n_leads >= 20 THEN w.lower END AS lower,
            CASE WHEN b.n_leads >= 20 THEN w.upper END AS upper
        FROM base AS b
            CROSS JOIN LATERAL align.wilson(b.won, b.n_leads) AS w
    )
SELECT n.as_of, s.stage, s.stage_order,
    coalesce(p.leads, 0) AS leads,
    coalesce(p.leads_aged, 0) AS leads_aged,
    coalesce(p.amount_missing, 0) AS amount_missing,
    coalesce(p.amount, 0) AS amount,
    coalesce(p.amount_aged, 0) AS amount_aged,
    coalesce(h.n_leads, 0) AS base_n,
    coalesce(h.won, 0) AS base_won,
    h.won_share, h.lower AS won_share_lower, h.upper AS won_share_upper,
    (coalesce(p.leads, 0) - coalesce(p.leads_aged, 0)) * h.won_share AS expected_leads,
    round((coalesce(p.amount, 0) - coalesce(p.amount_aged, 0)) * h.won_share::numeric, 2) AS expected_amount,
    round((coalesce(p.amount, 0) - coalesce(p.amount_aged, 0)) * h.lower::numeric, 2) AS expected_low,
    round((coalesce(p.amount, 0) - coalesce(p.amount_aged, 0)) * h.upper::numeric, 2) AS expected_high
FROM numbered AS n
    CROSS JOIN stages AS s
    LEFT JOIN present AS p ON p.n = n.n AND p.stage = s.stage
    LEFT JOIN shares AS h ON h.n = n.n AND h.stage = s.stage
