-- The rows of the pipeline: of each of the instants in "numbered" (n, as_of) and
-- each stage in "stages", by "present", the leads that are in the stage, and
-- "base", those whose share that is won is taken.
WITH
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
    round((coalesce(p.amount, 0) - coalesce(p.amount_aged, 0)) * h.won_share::numeric, 2) AS expected_amount,
    round((coalesce(p.amount, 0) - coalesce(p.amount_aged, 0)) * h.lower::numeric, 2) AS expected_low,
    round((coalesce(p.amount, 0) - coalesce(p.amount_aged, 0)) * h.upper::numeric, 2) AS expected_high
FROM numbered AS n
    CROSS JOIN stages AS s
    LEFT JOIN present AS p ON p.n = n.n AND p.stage = s.stage
    LEFT JOIN shares AS h ON h.n = n.n AND h.stage = s.stage
