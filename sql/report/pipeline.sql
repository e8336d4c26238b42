-- pipeline
-- What is open now and what of it may be won: one row per open stage of the success path, a snapshot. Key: stage. The share that is won is that of the leads that entered the stage in the year before they could settle; it assumes that big and old deals win as often as others. Leads that entered the stage longer ago than the time to settle are expected to bring nothing. Never add up snapshots of several days. Answers: what is in the pipeline, and what is it worth?
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

WITH
    leads AS MATERIALIZED (
        SELECT {key:l}, l.stage, l.amount FROM {lead_facts} AS l
    ),
    visits AS MATERIALIZED (
        WITH facts AS (
            SELECT v.* FROM {stored:visits} AS v
        )
        {part:pipeline_visits}
    )
SELECT p.stage AS row_key, p.as_of, p.stage, p.stage_order,
    p.leads, p.leads_aged, p.amount_missing, p.amount, p.amount_aged,
    p.base_n, p.base_won, p.won_share, p.won_share_lower, p.won_share_upper,
    p.expected_amount, p.expected_low, p.expected_high
FROM ({part:pipeline_now}) AS p
