-- campaign_reviews
-- One row per row of campaign_review, as far as it was written by the instant: what the teams think of a campaign, what they do next, and what they ask of each other. Key: row_key. A campaign has many rows, so join to it sums of campaign_results by campaign_key, not the other way round. What both teams think now: the rows with is_latest. Answers: do both teams think the same of a campaign, and which request waits for an answer?
--
-- row_key: id of the row
-- campaign_key: source, medium and name as text, as in campaign_results; found like that of a cost, by id: the campaign of most touches
-- campaign_source: source of the campaign; (none) if absent
-- campaign_medium: medium of the campaign; (none) if absent
-- campaign_name: name of the campaign; (none) if absent
-- channel: channel of the campaign
-- reviewed_on: day of the review or request
-- team: team whose verdict or request it is
-- verdict: what the team thinks; (none) if it is a request only
-- why: what the verdict rests on; (none) if absent
-- next_step: what follows from it; (none) if absent
-- reviewed_by: who wrote it; (none) if absent
-- request: what the team asks of the other; (none) if nothing
-- requested_by: who asks; (none) if absent
-- answered_on: day of the answer, if it has come by the instant; NULL if not
-- is_open: whether it is a request that is not answered at the instant
-- is_latest: whether it is the latest verdict of its team on the campaign
-- as_of: the instant

WITH
    in_force AS MATERIALIZED (
        {part:funnel}
    ),
    -- the last local day that began before the instant
    reviews AS (
        SELECT r.*, align.campaign_key(m.made) AS own_key,
            coalesce(align.campaign_source(m.made), '') AS source, nullif(align.campaign_id(m.made), '(none)') AS ad_id,
            d.today
        FROM (SELECT timezone({zone}, {as_of} - interval '1 microsecond')::date AS today) AS d
            JOIN {cost:campaign_review} AS r ON r.reviewed_on <= d.today
            CROSS JOIN LATERAL (
                SELECT coalesce(align.make_campaign(r.campaign_source, r.campaign_medium, r.campaign_name, r.campaign_id),
                                align.parse_campaign('(redacted)')) AS made
                OFFSET 0) AS m
    ),
    touch_counts AS MATERIALIZED (
        SELECT t.campaign_key AS campaign, nullif(t.campaign_id, '(none)') AS ad_id, NULL::date AS month,
            count(*) AS touches
        FROM {touch_facts} AS t
        WHERE t.touch_no > 0 AND t.campaign_id IN (SELECT r.ad_id FROM reviews AS r)
        GROUP BY t.campaign_key, nullif(t.campaign_id, '(none)')
    ),
    by_id AS (
        WITH
            by_text AS (
                SELECT t.campaign FROM touch_counts AS t
            ),
            campaigns AS MATERIALIZED (
                {part:campaigns_of_texts}
            ),
            campaigns_of_ids AS MATERIALIZED (
                {part:campaign_ids}
            )
        {part:campaign_of_ids}
    ),
    keyed AS MATERIALIZED (
        SELECT r.*, coalesce(i.campaign_key, r.own_key) AS campaign_key
        FROM reviews AS r
            LEFT JOIN by_id AS i ON i.ad_id = r.ad_id AND i.source = r.source
    ),
    parts AS (
        WITH campaigns AS (
            SELECT k.campaign_key, k.campaign_key <> '(none)' AS is_campaign FROM keyed AS k
        )
        {part:campaign_parts}
    )
SELECT k.id::text AS row_key,
    k.campaign_key, p.campaign_source, p.campaign_medium, p.campaign_name, p.channel,
    k.reviewed_on,
    k.team,
    CASE WHEN k.verdict ~ '[^[:space:]]' THEN k.verdict ELSE '(none)' END AS verdict,
    CASE WHEN k.why ~ '[^[:space:]]' THEN k.why ELSE '(none)' END AS why,
    CASE WHEN k.next_step ~ '[^[:space:]]' THEN k.next_step ELSE '(none)' END AS next_step,
    CASE WHEN k.reviewed_by ~ '[^[:space:]]' THEN k.reviewed_by ELSE '(none)' END AS reviewed_by,
    CASE WHEN k.request ~ '[^[:space:]]' THEN k.request ELSE '(none)' END AS request,
    CASE WHEN k.requested_by ~ '[^[:space:]]' THEN k.requested_by ELSE '(none)' END AS requested_by,
    CASE WHEN k.answered_on <= k.today THEN k.answered_on END AS answered_on,
    (k.request ~ '[^[:space:]]') IS TRUE AND (k.answered_on <= k.today) IS NOT TRUE AS is_open,
    (k.verdict ~ '[^[:space:]]') IS TRUE AND row_number() OVER (
        PARTITION BY k.campaign_key, k.team
        ORDER BY (k.verdict ~ '[^[:space:]]') IS TRUE DESC, k.reviewed_on DESC, k.id DESC) = 1 AS is_latest,
    {as_of}::timestamptz AS as_of
FROM keyed AS k
    JOIN parts AS p ON p.campaign_key = k.campaign_key
