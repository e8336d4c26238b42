-- won_by_segment
-- One row per month of the first win, campaign and segment: what kind of business campaigns win, beside the mix that is agreed. Key: row_key. Each win counts once, at its first campaign and in the segment of its first entry. A segment of the agreed mix that was not won has a row with won 0. won adds up over all columns; shares do not. Answers: do campaigns win the kind of business that was agreed?
--
-- row_key: month, campaign_key and segment as text; unique
-- month: first day of the local month of the first win
-- month_start_at: its first instant
-- campaign_key: source, medium and name of the first campaign as text (align.campaign_key()); (none) without a touch
-- campaign_name: name of the campaign; (none) if it has none
-- channel: its channel; (none) without a touch
-- segment: the agreement's first segment that held at the first entry; (other) if none did
-- won: leads won
-- won_amount: their amount; NULL if none is known
-- won_share: won / won of the campaign and month in all segments
-- target_share: share of the segment in the agreed mix; NULL if none is agreed
-- difference: won_share - target_share
-- amount_missing: of won, those without an amount
-- is_complete: whether the record is complete for this month

WITH
    in_force AS MATERIALIZED (
        {part:funnel}
    ),
    mix AS MATERIALIZED (
        {part:target_mix}
    ),
    by_text AS (
        SELECT l.first_campaign AS campaign, l.segment,
            date_trunc('month', timezone({zone}, l.won_at))::date AS month,
            count(*) AS won, sum(l.amount) AS won_amount, count(*) - count(l.amount) AS amount_missing
        FROM {lead_facts} AS l
        WHERE l.won_at IS NOT NULL
        GROUP BY l.first_campaign, l.segment, date_trunc('month', timezone({zone}, l.won_at))
    ),
    campaigns AS (
        {part:campaigns_of_texts}
    ),
    counted AS MATERIALIZED (
        SELECT c.campaign_key, t.segment, t.month, sum(t.won)::bigint AS won,
            sum(t.won_amount) AS won_amount, sum(t.amount_missing)::bigint AS amount_missing
        FROM by_text AS t
            JOIN campaigns AS c ON c.campaign = t.campaign
        GROUP BY c.campaign_key, t.segment, t.month
    ),
    totals AS (
        SELECT c.campaign_key, c.month, sum(c.won) AS won
        FROM counted AS c
        GROUP BY c.campaign_key, c.month
    ),
    segments AS (
        SELECT c.campaign_key, c.month, c.segment
        FROM counted AS c
        UNION
        SELECT t.campaign_key, t.month, m.segment
        FROM totals AS t
            CROSS JOIN mix AS m
    ),
    shares AS (
        SELECT s.campaign_key, s.month, s.segment,
            coalesce(c.won, 0) AS won,
            c.won_amount,
            coalesce(c.won, 0)::float8 / t.won::float8 AS won_share,
            m.share AS target_share,
            coalesce(c.amount_missing, 0) AS amount_missing
        FROM segments AS s
            JOIN totals AS t ON t.campaign_key = s.campaign_key AND t.month = s.month
            LEFT JOIN counted AS c ON c.campaign_key = s.campaign_key AND c.month = s.month AND c.segment = s.segment
            LEFT JOIN mix AS m ON m.segment = s.segment
    )
SELECT ROW(to_char(s.month, 'YYYY-MM'), s.campaign_key, s.segment)::text AS row_key,
    s.month,
    timezone({zone}, s.month::timestamp) AS month_start_at,
    s.campaign_key,
    k.campaign_name,
    k.channel,
    s.segment,
    s.won,
    s.won_amount,
    s.won_share,
    s.target_share,
    s.won_share - s.target_share AS difference,
    s.amount_missing,
    timezone({zone}, s.month::timestamp) >= {complete_since} AS is_complete
FROM shares AS s
    JOIN ({part:campaign_parts}) AS k ON k.campaign_key = s.campaign_key
