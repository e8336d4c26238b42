-- The campaigns that the history names: their channel by the agreement in
-- force at the instant, and whether they are direct traffic.
SELECT c.campaign, c.channel, c.channel = 'Direct' AS is_direct
FROM (SELECT h.campaign, align.channel(align.parse_campaign(h.campaign), f.funnel) AS channel
      FROM (SELECT DISTINCT h.campaign FROM {history} AS h WHERE h.campaign IS NOT NULL) AS h
          CROSS JOIN ({part:funnel}) AS f) AS c
