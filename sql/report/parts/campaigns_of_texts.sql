-- The campaigns of the texts in "by_text", each once, and how they are grouped
-- (align.campaign_key()).
SELECT t.campaign,
    CASE WHEN t.is_campaign THEN align.campaign_key(p.parsed) ELSE t.campaign END AS campaign_key,
    CASE WHEN t.is_campaign THEN align.campaign_source(p.parsed) END AS source,
    t.is_campaign
FROM (SELECT DISTINCT b.campaign, b.campaign NOT IN ('(none)', '(not submitted)') AS is_campaign
      FROM by_text AS b) AS t
    CROSS JOIN LATERAL (SELECT align.parse_campaign(t.campaign) AS parsed OFFSET 0) AS p
