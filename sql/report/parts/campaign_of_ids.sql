-- The campaign of each source and id in "campaigns_of_ids": of several, the one
-- with the most touches.
SELECT DISTINCT ON (i.source, i.ad_id) i.source, i.ad_id, i.campaign_key
FROM (SELECT i.source, i.ad_id, i.campaign_key, sum(i.touches) AS touches
      FROM campaigns_of_ids AS i
      GROUP BY i.source, i.ad_id, i.campaign_key) AS i
ORDER BY i.source, i.ad_id, i.touches DESC, i.campaign_key COLLATE "C"
