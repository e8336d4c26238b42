-- The campaigns of each id in "touch_counts", by month, whose campaigns are in
-- "campaigns".  The source '' stands for what has an id and no source, if all
-- touches with the id have the same source.
WITH ids AS MATERIALIZED (
    SELECT coalesce(c.source, '') AS source, t.ad_id, c.campaign_key, t.month,
        sum(t.touches) AS touches
    FROM touch_counts AS t
        JOIN campaigns AS c ON c.campaign = t.campaign
    WHERE t.ad_id IS NOT NULL
    GROUP BY coalesce(c.source, ''), t.ad_id, c.campaign_key, t.month
)
SELECT i.source, i.ad_id, i.campaign_key, i.month, i.touches
FROM ids AS i
UNION ALL
SELECT '', i.ad_id, i.campaign_key, i.month, i.touches
FROM ids AS i
    JOIN (SELECT o.ad_id FROM ids AS o GROUP BY o.ad_id HAVING min(o.source) = max(o.source) AND min(o.source) <> '') AS one
        ON one.ad_id = i.ad_id
