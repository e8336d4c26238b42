-- The campaigns that the history names, as they are recorded: in canonical
-- form, with their channel by the agreement in force at the instant.
SELECT c.recorded, c.campaign, c.channel, c.channel = 'Direct' AS is_direct
FROM (SELECT h.campaign AS recorded, coalesce(align.parse_campaign(h.campaign)::text, '(none)') AS campaign,
          align.channel(align.parse_campaign(h.campaign), f.funnel) AS channel
      FROM (SELECT DISTINCT h.campaign FROM {history} AS h WHERE h.campaign IS NOT NULL) AS h
          CROSS JOIN ({part:funnel}) AS f) AS c
