-- funnel_by_channel
-- The funnel now for each channel of the first touch: one row per channel and step of the success path, over all leads that are not late. Key: channel, step. Channels add up to funnel, rates do not. Answers: which channel brings leads that go on?
--
-- row_key: channel and step
-- as_of: the instant of the snapshot
-- channel: channel of the first touch, by the agreement's rules, then align's; (none) without a touch
-- step: place in the success path, from 1
-- stage: the stage of the step
-- entered: leads that entered the stage
-- reached: leads that entered it or a later one; a lead that was won and is open again counts up to the step before the won one
-- dropped: of these, leads that went no further and are lost
-- still_open: of these, leads that went no further and may still
-- step_rate: reached / reached of the step before; 1 for the first
-- step_rate_lower: lower bound of it (Wilson, 95 %); NULL while leads are open in the step before
-- step_rate_upper: upper bound of it
-- overall_rate: reached / reached of the first step
-- decided_rate: reached of the next step / (that + dropped)
-- median_seconds: from the step before to this one; NULL under 5 leads
-- p90_seconds: likewise for nine of ten; NULL under 20
-- amount: the last known amounts of the leads that reached the step
-- timed: leads that entered this step and, before it, the step before: those that median_seconds and p90_seconds are of

WITH channels AS MATERIALIZED (
    SELECT {key:l}, l.first_channel FROM {lead_facts} AS l
)
SELECT c.channel || ' ' || s.step AS row_key, {as_of}::timestamptz AS as_of, c.channel,
    s.step, s.name AS stage, s.entered, s.reached, s.dropped, s.still_open,
    s.step_rate,
    CASE WHEN lag(s.still_open) OVER steps = 0 THEN s.lower END AS step_rate_lower,
    CASE WHEN lag(s.still_open) OVER steps = 0 THEN s.upper END AS step_rate_upper,
    s.overall_rate,
    s.decided_rate,
    CASE WHEN t.n >= 5 THEN extract(epoch FROM s.median_time)::bigint END AS median_seconds,
    CASE WHEN t.n >= 20 THEN extract(epoch FROM s.p90_time)::bigint END AS p90_seconds,
    s.amount,
    t.n AS timed
FROM (SELECT t.first_channel AS channel,
          align.funnel_conversion_agg(l.lead, f.funnel, {as_of}) AS conversion
      FROM ({part:conversion_leads}) AS l
          JOIN channels AS t ON {key_join:t:l}
          CROSS JOIN ({part:funnel}) AS f
      WHERE NOT l.is_late
      GROUP BY t.first_channel) AS c
    CROSS JOIN LATERAL align.step_rates(c.conversion) AS s
    CROSS JOIN LATERAL (
        {part:step_times}
    ) AS t
WINDOW steps AS (PARTITION BY c.channel ORDER BY s.step)
