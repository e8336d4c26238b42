-- The parts and the channel of the campaigns in "campaigns", by campaign_key.
SELECT k.campaign_key,
    coalesce(CASE WHEN k.is_campaign THEN align.campaign_source(p.parsed) END, '(none)') AS campaign_source,
    coalesce(CASE WHEN k.is_campaign THEN align.campaign_medium(p.parsed) END, '(none)') AS campaign_medium,
    coalesce(CASE WHEN k.is_campaign THEN align.campaign_name(p.parsed) END, '(none)') AS campaign_name,
    CASE WHEN k.is_campaign THEN align.channel(p.parsed, f.funnel) ELSE k.campaign_key END AS channel
FROM (SELECT DISTINCT c.campaign_key, c.is_campaign FROM campaigns AS c) AS k
    CROSS JOIN in_force AS f
    CROSS JOIN LATERAL (SELECT align.parse_campaign(k.campaign_key) AS parsed OFFSET 0) AS p
