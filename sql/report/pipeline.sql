-- pipeline
-- What is open now and what of it may be won: one row per open stage of the success path, a snapshot. Key: stage. The share that is won is that of the leads that entered the stage in the year before they could settle; it assumes that big and old deals win as often as others. Leads that entered the stage longer ago than the time to settle are expected to bring nothing. won_90_share is of the leads of the last year up to now, and counts open ones as open. Never add up snapshots of several days. Answers: what is in the pipeline, and what is it worth?
--
-- row_key: the stage
-- as_of: the instant of the snapshot
-- stage: an open stage of the success path
-- stage_order: its place in the agreement, to sort by
-- leads: leads in the stage, those found there when the table was attached included
-- leads_aged: of these, entered the stage longer ago than the time to settle
-- amount_missing: of these, without an amount
-- amount: sum of the last known amounts
-- amount_aged: the part of it that leads_aged have
-- base_n: leads that entered the stage in the year that ended one time to settle ago, late ones excluded
-- base_won: of these, won within the time to settle since they entered the stage
-- won_share: base_won / base_n; NULL under 20 leads
-- won_share_lower: lower bound of it (Wilson, 95 %)
-- won_share_upper: upper bound of it
-- expected_amount: (amount - amount_aged) * won_share
-- expected_low: the same with the lower bound
-- expected_high: the same with the upper bound
-- entered_n: leads that entered the stage for the first time in the year before
--   the instant, late ones excluded; all columns after it are of these. Open
--   leads count as open, and lost or gone ones as such (Aalen-Johansen)
-- won_30_share: share that is won within 30 days of entering the stage; NULL
--   under 20 leads, and while no lead has been observed for so long
-- won_30_lower: lower bound of it (log-log, 95 %); NULL also while none is won
-- won_30_upper: upper bound of it
-- won_30_at_risk: leads that were still open 30 days after they entered
-- won_90_share: share that is won within 90 days
-- won_90_lower: lower bound of it
-- won_90_upper: upper bound of it
-- won_90_at_risk: leads that were still open 90 days after they entered

WITH
    leads AS MATERIALIZED (
        SELECT {key:l}, l.stage, l.amount, l.status, l.over_at FROM {stored:lead_facts} AS l
    ),
    visits AS MATERIALIZED (
        WITH facts AS (
            SELECT v.* FROM {stored:visits} AS v
        )
        {part:pipeline_visits}
    ),
    -- when the lead of each visit was won, then or later
    wins AS (
        SELECT {key:v}, v.stage, v.entered_at,
            v.visit_no <= 1 AND v.stage_kind = 'open' AND NOT v.is_late AND v.since_known
                AND v.entered_at >= {as_of} - interval '8760 hours' AS counts,
            min(v.entered_at) FILTER (WHERE v.stage_kind = 'won') OVER later AS won_at
        FROM visits AS v
        WINDOW later AS (PARTITION BY {key:v} ORDER BY v.entered_at DESC)
    ),
    -- a lead that was lost and is won after all is won
    incidences AS MATERIALIZED (
        SELECT w.stage, count(*) AS entered_n,
            align.incidence_agg(
                greatest(coalesce(w.won_at, l.over_at, {as_of}) - w.entered_at, interval '0'),
                CASE WHEN w.won_at IS NOT NULL THEN 'won' WHEN l.over_at IS NOT NULL THEN l.status END) AS incidence
        FROM wins AS w
            JOIN leads AS l ON {key_join:l:w}
        WHERE w.counts
        GROUP BY w.stage
    )
SELECT p.stage AS row_key, p.as_of, p.stage, p.stage_order,
    p.leads, p.leads_aged, p.amount_missing, p.amount, p.amount_aged,
    p.base_n, p.base_won, p.won_share, p.won_share_lower, p.won_share_upper,
    p.expected_amount, p.expected_low, p.expected_high,
    coalesce(i.entered_n, 0) AS entered_n,
    CASE WHEN i.entered_n >= 20 THEN x.rate END AS won_30_share,
    CASE WHEN i.entered_n >= 20 THEN x.lower END AS won_30_lower,
    CASE WHEN i.entered_n >= 20 THEN x.upper END AS won_30_upper,
    coalesce(x.at_risk, 0) AS won_30_at_risk,
    CASE WHEN i.entered_n >= 20 THEN y.rate END AS won_90_share,
    CASE WHEN i.entered_n >= 20 THEN y.lower END AS won_90_lower,
    CASE WHEN i.entered_n >= 20 THEN y.upper END AS won_90_upper,
    coalesce(y.at_risk, 0) AS won_90_at_risk
FROM ({part:pipeline_now}) AS p
    LEFT JOIN incidences AS i ON i.stage = p.stage
    CROSS JOIN LATERAL align.happened_by(i.incidence, 'won', interval '30 days') AS x
    CROSS JOIN LATERAL align.happened_by(i.incidence, 'won', interval '90 days') AS y
